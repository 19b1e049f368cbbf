"""The environment: what a named target consists of and what is allowed there. Types only; `loading` reads the files."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from seatrial.environment.units import Duration

Track = Literal["stable", "candidate"]
Phase = Literal["pre", "canary", "post"]


class Model(BaseModel):
    """Base of all sections: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://", "${target.")):
        raise ValueError(f"expected a URL that begins with http:// or https://, seen {value!r}")
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_http_url), Field(description="http:// or https:// URL, no trailing slash")]


class SecretFromEnv(Model):
    """A secret taken from a variable of the process environment."""

    env: str


class SecretFromFile(Model):
    """A secret read from a file, trailing newline removed."""

    file: str


SecretRef = SecretFromEnv | SecretFromFile
"""Where a secret is to be found; never the secret. An unset one is an error that names it."""


class Release(Model):
    """What is being verified; every field optional, `--release` overrides `version`."""

    version: str = ""
    digests: tuple[str, ...] = ()
    chart: str = ""
    commit: str = ""


class RunDefaults(Model):
    """Which track and phase a run looks at when the command line does not say."""

    track: Track = "stable"
    phase: Phase = "post"


class EmbeddedTarget(Model):
    """A target that the run brings up itself and whose addresses fill `${target.NAME}` in this file."""

    start: str = Field(description="name of the provider; `demo` is built in")


class Addresses(Model):
    """Where a service answers. `stable` and `candidate` reach one track each; `public` is what users reach."""

    stable: Url
    candidate: Url | None = None
    public: Url | None = None


class HealthEndpoints(Model):
    """Paths of the health endpoints, and where `version` finds the version in its JSON answer."""

    live: str = "/healthz"
    ready: str = "/readyz"
    version: str = "/version"
    version_field: str = "version"
    metrics: str | None = None


class TlsExpectation(Model):
    """What is expected of the certificate where a URL is https."""

    min_days_left: int = Field(default=14, ge=0)
    ca_file: str | None = None


class Objectives(Model):
    """Service-level objectives, and the margins within which a candidate may be worse than stable."""

    error_rate: float = Field(default=0.01, ge=0, le=1, description="largest tolerated share of failed requests")
    latency_p95: Duration | None = None
    latency_p99: Duration | None = None
    relative_margin: float = Field(default=0.10, gt=0, description="tolerated relative slowdown against stable")
    absolute_margin: Duration = Field(default=0.010, description="floor of the margin: noise at 1 ms is no news")


class LatencyCheck(Model):
    """Load that the latency suite may send to a service."""

    profile: str = Field(description="name of a file in load/profiles, without .toml")


class Service(Model):
    """A thing inside the environment with addresses, health endpoints, a workload and objectives."""

    url: Addresses
    protocol: Literal["openai", "http"] = "openai"
    model: str = "default"
    health: HealthEndpoints = HealthEndpoints()
    tls: TlsExpectation = TlsExpectation()
    auth: SecretRef | None = Field(default=None, description="bearer token sent with every request")
    required_headers: tuple[str, ...] = ("x-content-type-options",)
    workload: str | None = Field(default=None, description="kind/name in `namespace`, for example deployment/chatbot")
    candidate_workload: str | None = Field(default=None, description="workload of the candidate, where it has its own")
    namespace: str | None = None
    helm_release: str | None = None
    objectives: Objectives = Objectives()
    latency: LatencyCheck | None = None
    connect_timeout: Duration = 2.0
    timeout: Duration = 10.0


class Cluster(Model):
    """How the Kubernetes API is reached and which namespaces are ours."""

    kubeconfig: str | None = None
    context: str | None = None
    in_cluster: bool = False
    namespaces: tuple[str, ...] = ()
    timeout: Duration = 10.0


class Metrics(Model):
    """Prometheus, or direct scrape of each service's metrics endpoint where `prometheus` is absent."""

    prometheus: Url | None = None
    auth: SecretRef | None = None


class Host(Model):
    """A machine or container for testinfra: `local://`, `ssh://`, `kubectl://`, `docker://`."""

    spec: str
    listening: tuple[str, ...] = Field(default=(), description="sockets, for example tcp://127.0.0.1:80")
    not_root: tuple[str, ...] = Field(default=(), description="process ids, or parts of command lines")


class Database(Model):
    """A database behind the platform."""

    dsn: SecretRef
    migrations: str | None = None


class Registry(Model):
    """The private image registry."""

    url: Url
    auth: SecretRef | None = None


class FeatureFlags(Model):
    """Where feature flags are read, and which are kill switches."""

    url: Url | None = None
    kill_switches: tuple[str, ...] = ()


class Region(Model):
    """One of several regions: addresses by service name."""

    services: dict[str, Addresses] = {}


class Backups(Model):
    """What is expected of backups."""

    max_age: Duration | None = None
    pitr_window: Duration | None = None
    restore_test_max_age: Duration | None = None


class Recovery(Model):
    """Recovery objectives: time to restore, and data that may be lost."""

    time_objective: Duration | None = None
    point_objective: Duration | None = None


class Rollout(Model):
    """How new versions are brought out, and the single command that takes one back."""

    strategy: Literal["rolling", "blue-green", "canary"] = "rolling"
    rollback_command: tuple[str, ...] = ()
    keep_revisions: int = Field(default=2, ge=1)
    max_restarts: int = Field(default=0, ge=0, description="restarts of a container that are still tolerated")


class Data(Model):
    """What data the environment holds and whether synthetic checks may write."""

    classification: Literal["experimental", "synthetic", "production-like", "production"] = "production"
    allow_writes: bool = False
    accounts: Literal["any", "synthetic", "synthetic-read-only"] = "synthetic-read-only"


class LoadLimits(Model):
    """Bounds that no load profile may exceed."""

    allowed: bool = False
    max_rate: float = Field(default=10.0, gt=0, description="requests per second")
    max_duration: Duration = 60.0
    max_requests: int = Field(default=2_000, gt=0)


class Waiver(Model):
    """An accepted deviation: which check, on which object, why, whose, and until when."""

    check: str
    object: str = "*"
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    expires: datetime.date


class Environment(Model):
    """A named target: `dev`, `qa`, `staging`, `production`, `demo`, or a team's own."""

    name: str
    description: str = ""
    policy: str | None = Field(default=None, description="name of the policy; that of the environment where absent")
    run: RunDefaults = RunDefaults()
    release: Release = Release()
    target: EmbeddedTarget | None = None
    services: dict[str, Service] = {}
    cluster: Cluster | None = None
    metrics: Metrics | None = None
    hosts: dict[str, Host] = {}
    databases: dict[str, Database] = {}
    registry: Registry | None = None
    flags: FeatureFlags | None = None
    regions: dict[str, Region] = {}
    backups: Backups | None = None
    recovery: Recovery = Recovery()
    rollout: Rollout = Rollout()
    data: Data = Data()
    load: LoadLimits = LoadLimits()
    waivers: tuple[Waiver, ...] = ()
