"""The environment: what a named target consists of and what is allowed there. Types only; `loading` reads the files."""

from __future__ import annotations

import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seatrial.environment.drills import Drills
from seatrial.environment.metrics_model import ServiceMetrics
from seatrial.environment.rollout import Rollout, Shifter
from seatrial.environment.strategy import Strategy
from seatrial.environment.units import Count, Duration, Flag, Number, PositiveDuration
from seatrial.environment.values import Digest, HostSpec, Name, Socket, Text, Url, UrlPath, Variable, Workload

Track = Literal["stable", "candidate"]
Phase = Literal["pre", "canary", "post"]


class Model(BaseModel):
    """Base of all sections: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SecretFromEnv(Model):
    """A secret taken from a variable of the process environment."""

    env: Variable
    """name of the variable"""


class SecretFromFile(Model):
    """A secret read from a file, trailing newline removed."""

    file: Text
    """path of the file; a trailing newline is removed"""


SecretRef = SecretFromEnv | SecretFromFile
"""Where a secret is to be found; never the secret. An unset one is an error that names it."""


class Release(Model):
    """What is being verified; every field optional, `--release` overrides `version` and `--digest` the digests."""

    version: str = ""
    """version that is expected to run; `--release` overrides it"""
    digests: tuple[Digest, ...] = ()
    """image digests, `sha256:...`; `--digest` overrides them"""
    chart: str = ""
    """version of the Helm chart"""
    commit: str = ""
    """commit that the images were built from"""


class RunDefaults(Model):
    """Which track and phase a run looks at when the command line does not say."""

    track: Track = "stable"
    """`--track` overrides it"""
    phase: Phase = "post"
    """`--phase` overrides it"""


class EmbeddedTarget(Model):
    """A target that the run brings up itself and whose addresses fill `${target.NAME}` in this file."""

    start: Text
    """name of the provider; `demo` is built in"""


class Addresses(Model):
    """Where a service answers. `stable` and `candidate` reach one track each; `public` is what users reach."""

    stable: Url
    """reaches the stable copy"""
    candidate: Url | None = None
    """reaches the candidate alone: green, the canary, the new pods"""
    public: Url | None = None
    """what users reach"""


class HealthEndpoints(Model):
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


class TlsExpectation(Model):
    """What is expected of the certificate where a URL is https."""

    min_days_left: Count = Field(default=14, ge=0)
    """days that the certificate must still be valid"""
    ca_file: str | None = None
    """certificates to trust instead of those of the system"""


class Objectives(Model):
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


class CalibrationTerms(Model):
    """What `latency/calibrated` asks of the record that `seatrial calibrate` leaves."""

    max_age: PositiveDuration = 30 * 86_400.0
    """oldest tolerated calibration"""
    false_alarms: Number = Field(default=0.3, gt=0, lt=1)
    """largest tolerated upper bound, at 95 %, of the share of false alarms: ten clean runs show 0.26, thirty 0.1"""


class LatencyCheck(Model):
    """Load that the latency suite may send to a service."""

    profile: Name
    """name of a file in load/profiles, without .toml"""
    calibration: CalibrationTerms | None = None
    """whether stable must have been measured against itself, and how lately; not asked where absent"""


class JsonChat(Model):
    """A chatbot that takes and gives JSON. Texts of `body` may use `${text}` and `${session}`."""

    method: Literal["POST", "PUT"] = "POST"
    """method of the request"""
    path: UrlPath = "/chat"
    """path of the endpoint"""
    body: dict[str, Any] = {"message": "${text}", "session": "${session}"}
    """what is sent for each turn"""
    reply: Text = "$.reply"
    """JSONPath of the answer's texts"""
    intent: Text | None = None
    """JSONPath of the intent, where one is reported"""


class WebSocketChat(Model):
    """A chatbot behind a WebSocket. Texts of `message` may use `${text}` and `${session}`."""

    path: UrlPath = "/ws"
    """path of the endpoint"""
    message: dict[str, Any] = {"message": "${text}", "session": "${session}"}
    """what is sent for each turn"""
    reply: Text = "$.reply"
    """JSONPath of the texts in a message"""
    done: Text | None = None
    """JSONPath that selects true in the last message of an answer; where absent each answer is one message"""
    intent: Text | None = None
    """JSONPath of the intent in the last message, where one is reported"""


class Service(Model):
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


class Cluster(Model):
    """How the Kubernetes API is reached and which namespaces are ours."""

    kubeconfig: str | None = None
    """path; that of kubectl where absent"""
    context: str | None = None
    """context of the kubeconfig"""
    in_cluster: Flag = False
    """use the service account of the pod that seatrial runs in"""
    namespaces: tuple[str, ...] = ()
    """namespaces that belong to this environment"""
    timeout: PositiveDuration = 10.0
    """for one answer of the API"""
    read_within: PositiveDuration = 60.0
    """for everything that is read of it"""
    max_objects: Count = Field(default=100_000, gt=0)
    """objects of one kind in one namespace; more are not read"""
    uid: str | None = None
    """UID of the namespace kube-system, which tells this cluster from every other"""
    server: str | None = None
    """address of the API that must have been reached, for example `https://10.0.0.1:6443`"""


class BasicAuth(Model):
    """A user with a password."""

    user: Text
    """name of the user"""
    password: SecretRef
    """its password"""


class Metrics(Model):
    """Prometheus, or direct scrape of each service's metrics endpoint where `prometheus` is absent."""

    prometheus: Url | None = None
    """address of Prometheus, or of anything that speaks its HTTP API"""
    alertmanager: Url | None = None
    """address of Alertmanager, whose silences then count; alerts are asked of Prometheus where absent"""
    auth: SecretRef | None = None
    """bearer token for both"""
    basic: BasicAuth | None = None
    """user and password for both, instead of a token"""
    ca_file: str | None = None
    """certificates to trust instead of those of the system"""
    connect_timeout: PositiveDuration = 2.0
    """for a connection to be made"""
    timeout: PositiveDuration = 15.0
    """for one whole answer"""
    max_bytes: Count = Field(default=32_000_000, gt=0)
    """size of one answer; a larger one is not read"""
    max_series: Count = Field(default=10_000, gt=0)
    """series in one answer; more are not looked at"""
    window: PositiveDuration = 600.0
    """how much of the past is looked at, before a change and after it"""
    settle: Duration = 60.0
    """time after a change that is not looked at"""
    step: PositiveDuration = 15.0
    """resolution of PromQL over the window"""
    stale_after: PositiveDuration = 120.0
    """age of the newest sample beyond which there is no evidence"""
    min_requests: Count = Field(default=100, ge=1)
    """requests to a track below which its counters decide nothing"""
    confidence: Number = Field(default=0.99, gt=0.5, lt=1)
    """of every interval over counts"""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.auth is not None and self.basic is not None:
            raise ValueError("expected either auth or basic, not both")
        return self


class Host(Model):
    """A machine or container for testinfra: `local://`, `ssh://`, `kubectl://`, `docker://`."""

    spec: HostSpec
    """`local://`, `ssh://user@host`, `kubectl://pod?container=...` or `docker://name`"""
    listening: tuple[Socket, ...] = ()
    """sockets, for example tcp://127.0.0.1:80"""
    not_root: tuple[str, ...] = ()
    """process ids, or parts of command lines"""


class Database(Model):
    """A database behind the platform."""

    dsn: SecretRef
    """connection string"""
    migrations: str | None = None
    """folder of the migrations"""


class Registry(Model):
    """The private image registry."""

    url: Url
    """address of the registry"""
    auth: SecretRef | None = None
    """bearer token for it"""


class FeatureFlags(Model):
    """Where feature flags are read, and which are kill switches."""

    url: Url | None = None
    """address of the flag service"""
    kill_switches: tuple[str, ...] = ()
    """flags that must be there and off"""


class Region(Model):
    """One of several regions: addresses by service name."""

    services: dict[Name, Addresses] = {}
    """addresses by name of the service"""


class Backups(Model):
    """What is expected of backups."""

    max_age: Duration | None = None
    """oldest tolerated last backup"""
    pitr_window: Duration | None = None
    """how far back a point in time can be restored"""
    restore_test_max_age: Duration | None = None
    """oldest tolerated restore test"""


class Recovery(Model):
    """Recovery objectives: time to restore, and data that may be lost."""

    time_objective: Duration | None = None
    """time to restore (RTO)"""
    point_objective: Duration | None = None
    """data that may be lost, as time (RPO)"""


class Data(Model):
    """What data the environment holds and whether synthetic checks may write."""

    classification: Literal["experimental", "synthetic", "production-like", "production"] = "production"
    """what the data is"""
    allow_writes: Flag = False
    """whether synthetic checks may write"""
    accounts: Literal["any", "synthetic", "synthetic-read-only"] = "synthetic-read-only"
    """accounts that synthetic checks may use"""


class StoredBaselines(Model):
    """Runs that were promoted, kept to judge later ones by where stable cannot be run beside them."""

    store: str | None = None
    """folder or bucket (`s3://`, `gs://`, `az://`) of them; `baselines` in the folder of fixtures where absent"""
    max_age: PositiveDuration = 90 * 86_400.0
    """age of a run beyond which it is compared with no more, unless it belongs to the anchor"""
    window: Count = Field(default=20, ge=10)
    """latest runs that are compared with"""


class LoadLimits(Model):
    """Bounds that no load profile may exceed."""

    allowed: Flag = False
    """whether load may be sent at all"""
    max_rate: Number = Field(default=10.0, gt=0)
    """requests per second"""
    max_duration: PositiveDuration = 60.0
    """of one profile"""
    max_requests: Count = Field(default=2_000, gt=0)
    """of one profile"""


class Waiver(Model):
    """An accepted deviation: which check, on which object, why, whose, and until when."""

    check: Text
    """id of the check"""
    object: Text = "*"
    """what it is waived for; `*` is everything"""
    reason: Text
    """why"""
    owner: Text
    """who answers for it"""
    expires: datetime.date
    """last day on which it holds"""


class Browser(Model):
    """The browser in which journeys are made."""

    use: Literal["required", "if-present", "off"] = "if-present"
    """`required`: without a browser a journey is an error; `if-present`: it is not applicable then"""
    executable: str | None = None
    """path; a Chromium or Chrome on the PATH where absent"""


class Environment(Model):
    """A named target: `dev`, `qa`, `staging`, `production`, `demo`, or a team's own."""

    name: str
    """name of the file, without .toml"""
    description: str = ""
    """one line for people"""
    policy: Name | None = None
    """name of the policy; that of the environment where absent"""
    run: RunDefaults = RunDefaults()
    """defaults of a run"""
    release: Release = Release()
    """what is being verified"""
    target: EmbeddedTarget | None = None
    """a target that the run brings up itself"""
    variables: dict[str, Text] = {}
    """texts that conversations use as `${env.name}`"""
    services: dict[Name, Service] = {}
    """services by name"""
    cluster: Cluster | None = None
    """the Kubernetes API"""
    metrics: Metrics | None = None
    """where metrics come from"""
    browser: Browser = Browser()
    """the browser in which journeys are made"""
    hosts: dict[Name, Host] = {}
    """machines and containers by name"""
    databases: dict[Name, Database] = {}
    """databases by name"""
    registry: Registry | None = None
    """the image registry"""
    flags: FeatureFlags | None = None
    """feature flags"""
    regions: dict[Name, Region] = {}
    """regions by name"""
    backups: Backups | None = None
    """expectations of backups"""
    recovery: Recovery = Recovery()
    """recovery objectives"""
    rollout: Rollout = Rollout()
    """rollout strategy and the way back"""
    drills: Drills = Drills()
    """drills of the way back"""
    config: Strategy = Strategy()
    """what the configuration must be like"""
    data: Data = Data()
    """data, and permission to write"""
    load: LoadLimits = LoadLimits()
    """permission to send load, and its bounds"""
    baseline: StoredBaselines = StoredBaselines()
    """stored baselines"""
    waivers: tuple[Waiver, ...] = ()
    """accepted deviations"""
