"""Secrets, ConfigMaps and references to them: where values are, whether they are there, and how old they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.helm import SECRET_TYPE
from seatrial.snapshot.intake import data_changed
from seatrial.snapshot.objects import Item, condition, get, moment, name_of, namespace_of, owners_of
from seatrial.snapshot.workload import Workload, workloads

_NAME: Final = re.compile(
    r"(passw(or)?d|passphrase|secret|token|api[-_.]?key|private[-_.]?key|credential|access[-_.]?key)", re.IGNORECASE
)
_REFERENCE: Final = re.compile(
    r"[-_.]?(file|path|dir|url|uri|name|ref|header|ttl|lifetime|length|field|limit|count|size|type|enabled)$",
    re.IGNORECASE,
)
"""A variable that says where a secret is, or something about it, holds none."""
_VALUE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abp]-[0-9A-Za-z-]{20,}"
    r"|://[^/\s:@]+:[^/\s:@$]+@|\bsk-[A-Za-z0-9_-]{32,}"
)
"""Private keys, keys and tokens of AWS, GitHub, Slack and OpenAI by their form, passwords in URLs."""
_HELD_BY_MACHINES: Final = (
    SECRET_TYPE,
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/token",
)
_EXTERNAL_OWNERS: Final = ("ExternalSecret", "SealedSecret", "Certificate", "SecretProviderClass", "VaultStaticSecret")
_EXTERNAL_LABELS: Final = ("secrets-store.csi.k8s.io/managed", "reconcile.external-secrets.io/managed")
CERTIFICATE_DAYS: Final = 14
"""Days that a certificate in a Secret must still be valid; ACME clients renew thirty days before the end."""


def suspicious(name: str, value: Any) -> bool:
    """Whether a name or a value looks like a credential in plain text. Empty values and references do not."""
    text = "" if value is None else str(value)
    if not text.strip() or text.startswith(("$(", "${", "/")) or text.lower() in ("true", "false") or text.isdigit():
        return False
    return bool(_VALUE.search(text)) or bool(_NAME.search(name) and not _REFERENCE.search(name))


@rule("secret/plain-env", severity="critical", per="workload")
def plain_env(workload: Workload, view: View) -> Findings:
    """No environment variable holds a credential in plain text.

    Why: everybody who may read the Deployment, its manifest or the process list has it.

    Remedy: take it from a Secret, best as a file; rotate what stood there.
    """
    for path, variable in workload.variables():
        name = str(variable.get("name", ""))
        # The value is not repeated: it may be what it looks like.
        if suspicious(name, variable.get("value")):
            yield finding(workload, f"{path} {name}", "a reference", "a value", view=view)


@rule("secret/in-configmap", severity="critical", per="object", kinds=("ConfigMap",))
def in_configmap(item: Item, view: View) -> Findings:
    """No ConfigMap holds a credential in plain text.

    Why: ConfigMaps are read widely, logged and kept in repositories.

    Remedy: move the value to a Secret; rotate what stood there.
    """
    for key, value in get(item, "data", default={}).items():
        if suspicious(key, value):
            yield finding(item, f"data.{key}", "no credential", "what looks like one", view=view)


def _env_allowed(environment: Environment) -> str:
    return (
        ""
        if environment.config.secrets_as_files
        else "secrets may be read from variables here (config.secrets_as_files)"
    )


@rule("secret/from-env", severity="minor", per="workload", skip=_env_allowed)
def from_env(workload: Workload, view: View) -> Findings:
    """Secrets are mounted as files, not set as variables.

    Why: variables are inherited by child processes, printed by crash reports, and old until the pod is restarted.

    Remedy: mount the Secret and read the file.
    """
    for container in workload.containers:
        for index, variable in enumerate(container.item.get("env") or ()):
            if get(variable, "valueFrom", "secretKeyRef"):
                yield finding(workload, f"{container.path}.env[{index}]", "a file", "a variable", view=view)
        for index, source in enumerate(container.item.get("envFrom") or ()):
            if source.get("secretRef"):
                yield finding(workload, f"{container.path}.envFrom[{index}]", "a file", "variables", view=view)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One mention of a ConfigMap, Secret or claim in a pod."""

    kind: str
    name: str
    path: str
    keys: tuple[str, ...] = ()
    optional: bool = False
    by_variable: bool = False
    """Read once, when the container starts."""


def references(workload: Workload) -> Iterator[Reference]:
    """Everything that a workload's pods take from objects beside them."""
    for container in workload.containers:
        for index, variable in enumerate(container.item.get("env") or ()):
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                found = get(variable, "valueFrom", key)
                if found:
                    yield _reference(
                        kind,
                        found,
                        f"{container.path}.env[{index}].valueFrom.{key}",
                        (str(found.get("key")),),
                        variable=True,
                    )
        for index, source in enumerate(container.item.get("envFrom") or ()):
            for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if source.get(key):
                    yield _reference(kind, source[key], f"{container.path}.envFrom[{index}].{key}", variable=True)
    for index, volume in enumerate(workload.pod.get("volumes") or ()):
        path = f"{workload.path}.volumes[{index}]"
        if volume.get("configMap"):
            yield _reference("ConfigMap", volume["configMap"], f"{path}.configMap", _items(volume["configMap"]))
        if volume.get("secret"):
            named = {**volume["secret"], "name": volume["secret"].get("secretName")}
            yield _reference("Secret", named, f"{path}.secret", _items(named))
        claim = get(volume, "persistentVolumeClaim", "claimName")
        if claim:
            yield Reference(kind="PersistentVolumeClaim", name=str(claim), path=f"{path}.persistentVolumeClaim")
        for place, source in enumerate(get(volume, "projected", "sources", default=())):
            for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                if source.get(key):
                    where = f"{path}.projected.sources[{place}].{key}"
                    yield _reference(kind, source[key], where, _items(source[key]))


def _items(source: Item) -> tuple[str, ...]:
    return tuple(str(item.get("key")) for item in source.get("items") or ())


def _reference(kind: str, source: Item, path: str, keys: tuple[str, ...] = (), *, variable: bool = False) -> Reference:
    return Reference(
        kind=kind,
        name=str(source.get("name")),
        path=path,
        keys=keys,
        optional=source.get("optional") is True,
        by_variable=variable,
    )


@rule(
    "ref/missing",
    severity="critical",
    per="workload",
    needs=("ConfigMap", "Secret", "PersistentVolumeClaim"),
    whole=True,
)
def missing_reference(workload: Workload, view: View) -> Findings:
    """Every ConfigMap, Secret, key and claim that a pod needs exists.

    Why: a running pod does not notice; the next one does not start, at the moment when it is needed.

    Remedy: create what is missing, mend the name, or mark the reference `optional`.
    """
    # A StatefulSet's claims are made from its templates.
    templates = {name_of(one) for one in get(workload.item, "spec", "volumeClaimTemplates", default=())}
    for one in references(workload):
        if one.optional or (one.kind == "PersistentVolumeClaim" and one.name in templates):
            continue
        item = view.snapshot.find(one.kind, workload.namespace, one.name)
        if item is None:
            yield finding(workload, one.path, f"{one.kind} {one.name}", "absent", view=view)
            continue
        known = {**get(item, "data", default={}), **get(item, "binaryData", default={})}
        for key in one.keys:
            if key not in known:
                yield finding(workload, one.path, f"key {key} in {one.kind} {one.name}", "absent", view=view)


@rule("ref/priority-class-missing", severity="major", per="workload", needs=("PriorityClass",), whole=True)
def missing_priority_class(workload: Workload, view: View) -> Findings:
    """The priority class that a pod names exists.

    Why: the API refuses every new pod without it.

    Remedy: create the PriorityClass, or mend the name.
    """
    name = workload.pod.get("priorityClassName")
    built_in = str(name).startswith("system-")
    if name and not built_in and view.snapshot.find("PriorityClass", "", str(name)) is None:
        yield finding(workload, f"{workload.path}.priorityClassName", f"PriorityClass {name}", "absent", view=view)


@rule(
    "ref/unused",
    severity="minor",
    per="namespace",
    needs=(
        "ConfigMap",
        "Secret",
        "ServiceAccount",
        "Ingress",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Pod",
    ),
    whole=True,
)
def unused(namespace: str, view: View) -> Findings:
    """Every ConfigMap and Secret is used by something.

    Why: a secret that nobody uses is rotated by nobody, and still opens something.

    Remedy: delete it; waive what is read over the API.
    """
    used: set[tuple[str, str]] = set()
    for workload in workloads(view.snapshot, namespace):
        used |= {(one.kind, one.name) for one in references(workload)}
        used |= {("Secret", str(one.get("name"))) for one in workload.pod.get("imagePullSecrets") or ()}
    for account in view.snapshot.of("ServiceAccount", namespace):
        for key in ("imagePullSecrets", "secrets"):
            used |= {("Secret", str(one.get("name"))) for one in account.get(key) or ()}
    for ingress in view.snapshot.of("Ingress", namespace):
        used |= {("Secret", str(one.get("secretName"))) for one in get(ingress, "spec", "tls", default=())}
    # Earlier revisions may still be rolled back to with what they used.
    for item in view.snapshot.of("ReplicaSet", namespace):
        earlier = Workload(kind="ReplicaSet", item=item, snapshot=view.snapshot)
        used |= {(one.kind, one.name) for one in references(earlier)}
    for kind in ("ConfigMap", "Secret"):
        for item in view.objects(kind):
            made = item.get("type") in _HELD_BY_MACHINES or name_of(item) == "kube-root-ca.crt" or owners_of(item)
            if namespace_of(item) == namespace and not made and (kind, name_of(item)) not in used:
                yield finding(item, "metadata.name", "used by something", "used by nothing", view=view)


def _internal(environment: Environment) -> str:
    return (
        ""
        if environment.config.external_secrets
        else "secrets may be kept in the cluster here (config.external_secrets)"
    )


@rule("secret/external", severity="major", per="object", kinds=("Secret",), skip=_internal)
def external(item: Item, view: View) -> Findings:
    """Every Secret comes from an external store.

    Why: what was made by hand is in nobody's vault, is rotated by nobody, and is lost with the cluster.

    Remedy: keep it in the vault, and let an ExternalSecret, a SealedSecret or the CSI driver bring it.
    """
    if item.get("type") in _HELD_BY_MACHINES:
        return
    labels = get(item, "metadata", "labels", default={})
    kept = any(owner.get("kind") in _EXTERNAL_OWNERS for owner in owners_of(item))
    if not kept and not any(label in labels for label in _EXTERNAL_LABELS):
        yield finding(item, "metadata.ownerReferences", "an external store's operator", "none", view=view)


@rule("secret/external-ready", severity="critical", per="object", kinds=("ExternalSecret",), live=True)
def external_ready(item: Item, view: View) -> Findings:
    """Every ExternalSecret is ready, and was refreshed as often as it asks.

    Why: when the vault refuses, the old value stays until it stops working.

    Remedy: see its conditions: the store, its rights and the key.
    """
    ready = condition(item, "Ready")
    if ready.get("status") != "True":
        seen = f"{ready.get('reason', 'not reported')}: {ready.get('message', '')}"
        yield finding(item, "status.conditions[Ready]", "True", seen, view=view)
    interval = _seconds(get(item, "spec", "refreshInterval", default="1h"))
    refreshed = moment(get(item, "status", "refreshTime"))
    if interval and refreshed is not None and (view.now - refreshed).total_seconds() > 3 * interval:
        yield finding(
            item, "status.refreshTime", f"within three times {interval:g} s", refreshed.isoformat(), view=view
        )


_GO_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def _seconds(text: Any) -> float:
    """A duration as Go writes it, ``1h30m``; 0 for anything else."""
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", str(text))
    return sum(float(number) * _GO_UNITS[unit] for number, unit in found)


def _no_age(environment: Environment) -> str:
    return "" if environment.config.max_secret_age else "no age of secrets is asked for (config.max_secret_age)"


@rule("secret/rotation-age", severity="major", per="object", kinds=("Secret",), skip=_no_age, live=True)
def rotation_age(item: Item, view: View) -> Findings:
    """The data of every Secret has changed lately enough.

    Why: a credential that is never changed is known to everybody who ever left.

    Remedy: rotate it at its source; the age is that of the last change of data, by its field managers.
    """
    if item.get("type") in (SECRET_TYPE, "kubernetes.io/service-account-token"):
        return
    changed = data_changed(item)
    most = view.rules.max_secret_age or 0.0
    if changed is not None and (view.now - changed).total_seconds() > most:
        days = (view.now - changed).days
        yield finding(item, "data", f"changed within {most / 86_400:g} days", f"{days} days ago", view=view)


@rule("secret/tls-expiry", severity="critical", per="object", kinds=("Secret",))
def tls_expiry(item: Item, view: View) -> Findings:
    """Every certificate in a Secret is still valid for two weeks.

    Why: an expired certificate is an outage with a date on it.

    Remedy: renew it; where cert-manager should have, see its Certificate.
    """
    certificate = item.get("certificate")
    if certificate is None:
        return
    if certificate.get("problem"):
        yield finding(item, "data[tls.crt]", "a PEM certificate", certificate["problem"], view=view)
        return
    ends = moment(certificate["notAfter"])
    left = (ends - view.now).days if ends is not None else 0
    if left < CERTIFICATE_DAYS:
        yield finding(item, "data[tls.crt]", f"{CERTIFICATE_DAYS} days left", f"{left} days left", view=view)


@rule("secret/reloaded", severity="major", per="workload", needs=("Pod", "ConfigMap", "Secret"), live=True)
def reloaded(workload: Workload, view: View) -> Findings:
    """No pod is older than the configuration that it read when it started.

    Why: variables keep the old value until a restart, which comes at a bad time and changes everything at once.

    Remedy: restart the workload, and put a checksum of the configuration into the template's annotations.
    """
    if not workload.serves:
        return
    for one in references(workload):
        item = view.snapshot.find(one.kind, workload.namespace, one.name) if one.by_variable else None
        changed = data_changed(item) if item is not None else None
        if changed is None:
            continue
        for pod in workload.pods():
            started = moment(get(pod, "status", "startTime"))
            if started is not None and started < changed:
                seen = f"{name_of(pod)} started {started.isoformat()}"
                yield finding(workload, one.path, f"started after {changed.isoformat()}", seen, view=view)
                break


def _no_keys(environment: Environment) -> str:
    return "" if environment.config.keys else "no keys are declared (config.keys)"


@rule("env/parity", severity="major", per="namespace", needs=("ConfigMap", "Secret"), skip=_no_keys, whole=True)
def parity(namespace: str, view: View) -> Findings:
    """ConfigMaps and Secrets have the keys that they have in every environment.

    Why: a key that exists in staging alone is found missing in production, by users.

    Remedy: add or remove the key, or declare it under `config.keys` of the file that all environments extend.
    """
    for place, wanted in view.rules.keys.items():
        kind, _, name = place.partition("/")
        if kind not in ("ConfigMap", "Secret"):
            raise ValueError(f"config.keys: expected ConfigMap/name or Secret/name, seen {place}")
        item = view.snapshot.find(kind, namespace, name)
        if item is None:
            shown = {"kind": kind, "metadata": {"namespace": namespace, "name": name}}
            yield finding(shown, "metadata.name", f"{kind} {name}", "absent", view=view)
            continue
        seen = set(get(item, "data", default={})) | set(get(item, "binaryData", default={}))
        for key in sorted(set(wanted) - seen):
            yield finding(item, f"data.{key}", "there, as in every environment", "absent", view=view)
        for key in sorted(seen - set(wanted)):
            yield finding(item, f"data.{key}", "absent, as in every other environment", "there", view=view)


CHECKS: Final[tuple[Check, ...]] = (
    plain_env,
    in_configmap,
    from_env,
    missing_reference,
    missing_priority_class,
    unused,
    external,
    external_ready,
    rotation_age,
    tls_expiry,
    reloaded,
    parity,
)
