"""Secrets and ConfigMaps: where values are, where they come from, and how old they are."""

from __future__ import annotations

import re
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.helm import SECRET_TYPE
from seatrial.snapshot.intake import data_changed
from seatrial.snapshot.objects import Item, condition, get, moment, owners_of
from seatrial.snapshot.workload import Workload

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
HELD_BY_MACHINES: Final = (
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
    if item.get("type") in HELD_BY_MACHINES:
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
    external,
    external_ready,
    rotation_age,
    tls_expiry,
    parity,
)
