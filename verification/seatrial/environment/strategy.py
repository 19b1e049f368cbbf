"""What the configuration of an environment must be like: the numbers and names that configuration checks go by."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seatrial.environment.section import Section
from seatrial.environment.units import Count, Duration, Flag
from seatrial.environment.values import Name, Text

Severity = Literal["critical", "major", "minor"]


class Expression(Section):
    """A check of your own as data: a CEL expression that must be true of every object of some kinds."""

    id: Text
    """identity of the check, `family/name`"""
    kinds: tuple[str, ...] = Field(min_length=1)
    """kinds of objects that it is about"""
    expression: Text
    """CEL over `object`; true where the object is right"""
    message: Text
    """what is expected, in a few words"""
    severity: Severity = "major"
    """how much a failure weighs"""
    why: Text
    """why it matters"""
    remedy: Text
    """how to mend it"""


class Strategy(Section):
    """What the deployment strategy asks of the configuration here."""

    pod_security: Literal["privileged", "baseline", "restricted"] = "restricted"
    """level of the Pod Security Standards that pods, and the labels of namespaces, must meet"""
    min_replicas: Count = Field(default=2, ge=1)
    """replicas that a workload must have"""
    singletons: tuple[str, ...] = ()
    """workloads that may have one replica, as `kind/name` with `*` for any part"""
    cpu_limits: Literal["optional", "required", "forbidden"] = "optional"
    """whether containers must, may or must not have a CPU limit"""
    guaranteed: tuple[str, ...] = ()
    """workloads whose requests must equal their limits, as `kind/name`"""
    max_cpu: str = "16"
    """largest CPU request or limit of a container that is plausible"""
    max_memory: str = "64Gi"
    """largest memory request or limit of a container that is plausible"""
    registries: tuple[str, ...] = ()
    """registries, or folders of them, that images may come from; empty allows any"""
    image_digests: Flag = False
    """whether every image must be pinned by digest"""
    pull_policy: Literal["any", "Always", "IfNotPresent"] = "any"
    """pull policy that every container must have"""
    labels: tuple[str, ...] = ("app.kubernetes.io/name",)
    """labels that every workload must have"""
    owner_label: str = "app.kubernetes.io/part-of"
    """label that names who answers for an object; findings are grouped by it"""
    priority_classes: tuple[str, ...] = ()
    """priority classes that workloads may use; empty asks for none"""
    runtime_class: str | None = None
    """runtime class that every pod must ask for"""
    service_types: tuple[str, ...] = ("ClusterIP", "ExternalName")
    """types that Services may have"""
    ingress_tls: Flag = True
    """whether every host of an Ingress must be served over TLS"""
    quotas: Flag = True
    """whether every namespace must have a ResourceQuota and a LimitRange"""
    autoscaled: tuple[str, ...] = ()
    """workloads that must have an autoscaler, as `kind/name`"""
    autoscaling_metrics: tuple[str, ...] = ("cpu",)
    """metrics that their autoscalers must go by"""
    external_secrets: Flag = False
    """whether every Secret must be kept by an external store's operator"""
    secrets_as_files: Flag = False
    """whether containers must read secrets from files, not from variables"""
    max_secret_age: Duration | None = None
    """oldest that the data of a Secret may be"""
    kubernetes_version: str | None = None
    """version to be compatible with, `1.34`; that of the API server where absent"""
    keep_revisions: Count = Field(default=2, ge=1)
    """earlier ReplicaSets and Helm revisions that must be kept"""
    other_environments: tuple[str, ...] = ()
    """host names, namespaces or words that belong to other environments and must not occur in this one"""
    keys: dict[str, tuple[str, ...]] = Field(default={})
    """keys that a ConfigMap or Secret must have, and no others, by `Kind/name`; the same in every environment"""
    helm_values: dict[Name, tuple[str, ...]] = Field(default={})
    """files of reviewed values by Helm release, in the order of `helm upgrade --values`"""
    chart_versions: dict[Name, str] = Field(default={})
    """version of the chart by Helm release that has been promoted here"""
    account_access: tuple[str, ...] = ()
    """dangerous rights that service accounts may have, as `account verb resource`: `deployer patch deployments`"""
    exclude: tuple[str, ...] = ()
    """objects that nobody here answers for, as `Kind/namespace/name` with `*` for any part"""
    system_namespaces: tuple[str, ...] = ("kube-system", "kube-public", "kube-node-lease")
    """namespaces of the cluster itself, which are not judged"""
    severity: dict[str, Severity] = Field(default={})
    """severities that differ here, by check"""
    disabled: dict[str, Text] = Field(default={})
    """checks that are not asked for here, with the reason"""
    waivers: Literal["any", "environment", "forbidden"] = "any"
    """where waivers may stand: in objects and the environment file, in the file alone, or nowhere"""
    expressions: tuple[Expression, ...] = ()
    """checks of your own as CEL expressions"""
