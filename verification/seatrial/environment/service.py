"""A service of the environment: where it answers, how it is spoken to, and what is expected of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from seatrial.environment.metrics_model import ServiceMetrics
from seatrial.environment.references import SecretRef
from seatrial.environment.rollout import Shifter
from seatrial.environment.section import Section
from seatrial.environment.units import Count, Duration, Number, PositiveDuration
from seatrial.environment.values import Name, Text, Url, UrlPath, Workload


class Addresses(Section):
    """Where a service answers. `stable` and `candidate` reach one track each; `public` is what users reach."""

    stable: Url
    """reaches the stable copy"""
    candidate: Url | None = None
    """reaches the candidate alone: green, the canary, the new pods"""
    public: Url | None = None
    """what users reach"""


class HealthEndpoints(Section):
    """Paths of the health endpoints, and where `version` finds the version in its JSON answer."""

    live: UrlPath = "/healthz"
    """path that says that the process lives"""
    ready: UrlPath = "/readyz"
    """path that says that it takes traffic"""
    version: UrlPath = "/version"
    """path that answers with the version, as JSON"""
    version_field: str = "version"
    """field of that answer which holds the version"""
    metrics: UrlPath | None = None
    """path of the Prometheus exposition, where there is one"""


class TlsExpectation(Section):
    """What is expected of the certificate where a URL is https."""

    min_days_left: Count = Field(default=14, ge=0)
    """days that the certificate must still be valid"""
    ca_file: str | None = None
    """certificates to trust instead of those of the system"""


class Objectives(Section):
    """Service-level objectives, and the margins within which a candidate may be worse than stable."""

    error_rate: Number = Field(default=0.01, ge=0, le=1)
    """largest tolerated share of failed requests"""
    latency_p95: PositiveDuration | None = None
    """95th percentile of the full answer"""
    latency_p99: PositiveDuration | None = None
    """99th percentile of the full answer"""
    relative_margin: Number = Field(default=0.10, gt=0)
    """tolerated relative slowdown against stable"""
    absolute_margin: Duration = 0.010
    """floor of the margin: noise at 1 ms is no news"""


class CalibrationTerms(Section):
    """What `latency/calibrated` asks of the record that `seatrial calibrate` leaves."""

    max_age: PositiveDuration = 30 * 86_400.0
    """oldest tolerated calibration"""
    false_alarms: Number = Field(default=0.3, gt=0, lt=1)
    """largest tolerated upper bound, at 95 %, of the share of false alarms: ten clean runs show 0.26, thirty 0.1"""


class LatencyCheck(Section):
    """Load that the latency suite may send to a service."""

    profile: Name
    """name of a file in load/profiles, without .toml"""
    calibration: CalibrationTerms | None = None
    """whether stable must have been measured against itself, and how lately; not asked where absent"""


class JsonChat(Section):
    """A chatbot that takes and gives JSON. Texts of `body` may use `${text}` and `${session}`."""

    method: Literal["POST", "PUT"] = "POST"
    """method of the request"""
    path: UrlPath = "/chat"
    """path of the endpoint"""
    body: dict[str, Any] = Field(default={"message": "${text}", "session": "${session}"})
    """what is sent for each turn"""
    reply: Text = "$.reply"
    """JSONPath of the answer's texts"""
    intent: Text | None = None
    """JSONPath of the intent, where one is reported"""


class WebSocketChat(Section):
    """A chatbot behind a WebSocket. Texts of `message` may use `${text}` and `${session}`."""

    path: UrlPath = "/ws"
    """path of the endpoint"""
    message: dict[str, Any] = Field(default={"message": "${text}", "session": "${session}"})
    """what is sent for each turn"""
    reply: Text = "$.reply"
    """JSONPath of the texts in a message"""
    done: Text | None = None
    """JSONPath that selects true in the last message of an answer; where absent each answer is one message"""
    intent: Text | None = None
    """JSONPath of the intent in the last message, where one is reported"""


class Service(Section):
    """A thing inside the environment with addresses, health endpoints, a workload and objectives."""

    url: Addresses
    """addresses by track"""
    protocol: Literal["openai", "rasa", "http", "websocket"] = "openai"
    """how conversations are held: `openai` is chat completions, `rasa` its REST channel; the others see below"""
    http: JsonChat = JsonChat()
    """with `protocol = "http"`: what is sent, and where the answer stands"""
    websocket: WebSocketChat = WebSocketChat()
    """with `protocol = "websocket"`: what is sent, and where the answer stands"""
    rate_limit_wait: Duration = 10.0
    """longest time that a conversation waits in all where it is asked to with 429 and Retry-After"""
    model: str = "default"
    """model that requests ask for"""
    health: HealthEndpoints = HealthEndpoints()
    """paths of the health endpoints"""
    tls: TlsExpectation = TlsExpectation()
    """expectations of the certificate"""
    auth: SecretRef | None = None
    """bearer token sent with every request"""
    required_headers: tuple[str, ...] = ("x-content-type-options",)
    """response headers that must be there"""
    workload: Workload | None = None
    """kind/name in `namespace`, for example deployment/chatbot"""
    candidate_workload: Workload | None = None
    """workload of the candidate, where it has its own"""
    namespace: str | None = None
    """namespace of its workloads"""
    shifter: Shifter | None = None
    """object in `namespace` that shifts its traffic, from which a watched rollout takes its steps"""
    helm_release: str | None = None
    """Helm release that it is part of"""
    objectives: Objectives = Objectives()
    """service-level objectives and margins"""
    latency: LatencyCheck | None = None
    """load that the latency suite may send to it"""
    metrics: ServiceMetrics | None = None
    """which of its metrics say what; they are looked at where `[metrics]` is declared too"""
    page: str | None = Field(default=None, pattern="^/")
    """path of its chat page, which journeys open in a browser; none are planned where absent"""
    concurrency: Count = Field(default=32, gt=0)
    """conversations that are held with it at a time; those that expect a latency share an eighth of it"""
    connect_timeout: PositiveDuration = 2.0
    """for a connection to be made"""
    timeout: PositiveDuration = 10.0
    """for an answer, and between two pieces of a streamed one"""
