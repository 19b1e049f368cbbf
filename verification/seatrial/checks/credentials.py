"""Credentials where they can be read, and the account that a workload runs under."""

from __future__ import annotations

import re
from typing import Any, Final

from seatrial.checks.check import Check, check
from seatrial.checks.snapshot import Workload, get, name_of
from seatrial.evidence.assessment import Assessment, Finding

_NAME: Final = re.compile(
    r"(passw(or)?d|passphrase|secret|token|api[-_.]?key|private[-_.]?key|credential|access[-_.]?key)", re.IGNORECASE
)
_REFERENCE: Final = re.compile(
    r"[-_.](file|path|dir|url|uri|name|ref|header|ttl|lifetime|length|field)$", re.IGNORECASE
)
"""A variable that says where a secret is, or something about it, holds none."""
_VALUE: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|://[^/\s:@]+:[^/\s:@]+@")
"""Private keys, AWS access key ids, passwords in URLs."""


def suspicious(name: str, value: Any) -> bool:
    """Whether a name or a value looks like a credential in plain text. Empty values and references do not."""
    text = "" if value is None else str(value)
    if not text.strip() or text.startswith(("$(", "${", "/")):
        return False
    return bool(_VALUE.search(text)) or bool(_NAME.search(name) and not _REFERENCE.search(name))


@check("secret/plain-env", suite="config", severity="critical", per="workload", needs=("Deployment",))
def plain_env(workload: Workload) -> Assessment:
    """No environment variable holds a credential in plain text.

    Why: everybody who may read the Deployment, its manifest or the process list has it.

    Remedy: take it from a Secret, best as a file; rotate what stood there.
    """
    variables = [
        (f"{path}.env[{index}]", variable)
        for path, container in workload.containers()
        for index, variable in enumerate(get(container, "env", default=[]))
    ]
    # The value is not repeated: it may be what it looks like.
    findings = [
        Finding(where=workload.where, path=f"{path} {variable.get('name')}", expected="a reference", seen="a value")
        for path, variable in variables
        if suspicious(str(variable.get("name", "")), variable.get("value"))
    ]
    if not variables:
        return Assessment.passed("there is no environment variable", n=len(list(workload.containers())))
    held = f"none of {len(variables)} variables holds a credential"
    return Assessment.of_findings(findings, held=held, broken="{count} variable(s) hold credentials", n=len(variables))


@check("secret/in-configmap", suite="config", severity="critical", per="workload", needs=("Deployment", "ConfigMap"))
def in_configmap(workload: Workload) -> Assessment:
    """No ConfigMap of the workload's namespace holds a credential in plain text.

    Why: ConfigMaps are read widely, logged and kept in repositories.

    Remedy: move the value to a Secret; rotate what stood there.
    """
    maps = workload.snapshot.of("ConfigMap", workload.namespace)
    findings = [
        Finding(
            where=f"ConfigMap {workload.namespace}/{name_of(item)}",
            path=f"data.{key}",
            expected="no credential",
            seen="what looks like one",
        )
        for item in maps
        for key, value in get(item, "data", default={}).items()
        if suspicious(key, value)
    ]
    if not maps:
        return Assessment.passed("there is no ConfigMap", n=0)
    held = f"none of {len(maps)} ConfigMaps holds a credential"
    return Assessment.of_findings(findings, held=held, broken="{count} value(s) look like credentials", n=len(maps))


@check("sa/default-used", suite="config", severity="major", per="workload", needs=("Deployment",))
def default_used(workload: Workload) -> Assessment:
    """The workload runs under a service account of its own.

    Why: whatever somebody grants to `default` is granted to everything in the namespace.

    Remedy: set `serviceAccountName` to an account made for this workload. One that mounts no token is harmless.
    """
    name = str(get(workload.pod, "serviceAccountName", default="default"))
    mounts = get(workload.pod, "automountServiceAccountToken")
    path = "spec.template.spec.serviceAccountName"
    if name == "default" and mounts is not False:
        finding = Finding(where=workload.where, path=path, expected="an account of its own", seen=name)
        return Assessment.of_findings([finding], held="", broken="the default service account is used", n=1)
    return Assessment.passed(f"service account {name}", seen=name, n=1)


CHECKS: Final[tuple[Check, ...]] = (plain_env, in_configmap, default_used)
