"""What services run on and beside: the cluster, metrics, hosts, databases, the registry, flags and a browser."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from seatrial.environment.references import SecretRef
from seatrial.environment.section import Section
from seatrial.environment.units import Count, Duration, Flag, Number, PositiveDuration
from seatrial.environment.values import HostSpec, Socket, Text, Url


class Cluster(Section):
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


class BasicAuth(Section):
    """A user with a password."""

    user: Text
    """name of the user"""
    password: SecretRef
    """its password"""


class Metrics(Section):
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


class Host(Section):
    """A machine or container for testinfra: `local://`, `ssh://`, `kubectl://`, `docker://`."""

    spec: HostSpec
    """`local://`, `ssh://user@host`, `kubectl://pod?container=...` or `docker://name`"""
    listening: tuple[Socket, ...] = ()
    """sockets, for example tcp://127.0.0.1:80"""
    not_root: tuple[str, ...] = ()
    """process ids, or parts of command lines"""


class Database(Section):
    """A database behind the platform."""

    dsn: SecretRef
    """connection string"""
    migrations: str | None = None
    """folder of the migrations"""


class Registry(Section):
    """The private image registry."""

    url: Url
    """address of the registry"""
    auth: SecretRef | None = None
    """bearer token for it"""


class FeatureFlags(Section):
    """Where feature flags are read, and which are kill switches."""

    url: Url | None = None
    """address of the flag service"""
    kill_switches: tuple[str, ...] = ()
    """flags that must be there and off"""


class Browser(Section):
    """The browser in which journeys are made."""

    use: Literal["required", "if-present", "off"] = "if-present"
    """`required`: without a browser a journey is an error; `if-present`: it is not applicable then"""
    executable: str | None = None
    """path; a Chromium or Chrome on the PATH where absent"""
