"""The environment: what a named target consists of and what is allowed there. Types only; `loading` reads the files."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from seatrial.environment.drills import Drills
from seatrial.environment.platform import Browser, Cluster, Database, FeatureFlags, Host, Metrics, Registry
from seatrial.environment.references import SecretFromEnv, SecretFromFile, SecretRef
from seatrial.environment.rollout import Rollout
from seatrial.environment.section import Section
from seatrial.environment.service import Addresses, CalibrationTerms, Objectives, Service
from seatrial.environment.strategy import Strategy
from seatrial.environment.units import Count, Duration, Flag, Number, PositiveDuration
from seatrial.environment.values import Digest, Name, Text

__all__ = [
    "Backups",
    "Browser",
    "CalibrationTerms",
    "Cluster",
    "Data",
    "EmbeddedTarget",
    "Environment",
    "Host",
    "LoadLimits",
    "Metrics",
    "Objectives",
    "Phase",
    "Recovery",
    "Region",
    "Release",
    "RunDefaults",
    "SecretFromEnv",
    "SecretFromFile",
    "SecretRef",
    "Service",
    "StoredBaselines",
    "Track",
    "Waiver",
]

Track = Literal["stable", "candidate"]
Phase = Literal["pre", "canary", "post"]


class Release(Section):
    """What is being verified; every field optional, `--release` overrides `version` and `--digest` the digests."""

    version: str = ""
    """version that is expected to run; `--release` overrides it"""
    digests: tuple[Digest, ...] = ()
    """image digests, `sha256:...`; `--digest` overrides them"""
    chart: str = ""
    """version of the Helm chart"""
    commit: str = ""
    """commit that the images were built from"""


class RunDefaults(Section):
    """Which track and phase a run looks at when the command line does not say."""

    track: Track = "stable"
    """`--track` overrides it"""
    phase: Phase = "post"
    """`--phase` overrides it"""


class EmbeddedTarget(Section):
    """A target that the run brings up itself and whose addresses fill `${target.NAME}` in this file."""

    start: Text
    """name of the provider; `demo` is built in"""


class Region(Section):
    """One of several regions: addresses by service name."""

    services: dict[Name, Addresses] = Field(default={})
    """addresses by name of the service"""


class Backups(Section):
    """What is expected of backups."""

    max_age: Duration | None = None
    """oldest tolerated last backup"""
    pitr_window: Duration | None = None
    """how far back a point in time can be restored"""
    restore_test_max_age: Duration | None = None
    """oldest tolerated restore test"""


class Recovery(Section):
    """Recovery objectives: time to restore, and data that may be lost."""

    time_objective: Duration | None = None
    """time to restore (RTO)"""
    point_objective: Duration | None = None
    """data that may be lost, as time (RPO)"""


class Data(Section):
    """What data the environment holds and whether synthetic checks may write."""

    classification: Literal["experimental", "synthetic", "production-like", "production"] = "production"
    """what the data is"""
    allow_writes: Flag = False
    """whether synthetic checks may write"""
    accounts: Literal["any", "synthetic", "synthetic-read-only"] = "synthetic-read-only"
    """accounts that synthetic checks may use"""


class StoredBaselines(Section):
    """Runs that were promoted, kept to judge later ones by where stable cannot be run beside them."""

    store: str | None = None
    """folder or bucket (`s3://`, `gs://`, `az://`) of them; `baselines` in the folder of fixtures where absent"""
    max_age: PositiveDuration = 90 * 86_400.0
    """age of a run beyond which it is compared with no more, unless it belongs to the anchor"""
    window: Count = Field(default=20, ge=10)
    """latest runs that are compared with"""


class LoadLimits(Section):
    """Bounds that no load profile may exceed."""

    allowed: Flag = False
    """whether load may be sent at all"""
    max_rate: Number = Field(default=10.0, gt=0)
    """requests per second"""
    max_duration: PositiveDuration = 60.0
    """of one profile"""
    max_requests: Count = Field(default=2_000, gt=0)
    """of one profile"""


class Waiver(Section):
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


class Environment(Section):
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
    variables: dict[str, Text] = Field(default={})
    """texts that conversations use as `${env.name}`"""
    services: dict[Name, Service] = Field(default={})
    """services by name"""
    cluster: Cluster | None = None
    """the Kubernetes API"""
    metrics: Metrics | None = None
    """where metrics come from"""
    browser: Browser = Browser()
    """the browser in which journeys are made"""
    hosts: dict[Name, Host] = Field(default={})
    """machines and containers by name"""
    databases: dict[Name, Database] = Field(default={})
    """databases by name"""
    registry: Registry | None = None
    """the image registry"""
    flags: FeatureFlags | None = None
    """feature flags"""
    regions: dict[Name, Region] = Field(default={})
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
