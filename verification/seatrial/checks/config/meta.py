"""Checks of the checks: waivers that nobody needs, and how much of the cluster was really looked at."""

from __future__ import annotations

from typing import Final

from seatrial.checks import waiver as waivers
from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment, Waiver
from seatrial.snapshot.objects import Item


def _own_waivers(environment: Environment) -> str:
    return "" if environment.waivers else "the environment waives nothing"


def _shown(view: View, waiver: Waiver) -> Item:
    return {
        "kind": "Waiver",
        "metadata": {"name": f"{waiver.check} {waiver.object}", "namespace": view.environment.name},
    }


@rule("waiver/expired", severity="major", per="cluster", skip=_own_waivers)
def expired(view: View) -> Findings:
    """No waiver of the environment has expired.

    Why: an expired waiver waives nothing; whoever reads the file thinks that it does.

    Remedy: mend what was waived and remove the waiver, or have it accepted anew.
    """
    for waiver in view.environment.waivers:
        if waiver.expires < view.now.date():
            yield finding(_shown(view, waiver), "expires", f"after {view.now.date()}", waiver.expires, view=view)


@rule(
    "waiver/annotations",
    severity="major",
    per="cluster",
    needs=(
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "CronJob",
        "Job",
        "Service",
        "Ingress",
        "ConfigMap",
        "NetworkPolicy",
    ),
)
def on_objects(view: View) -> Findings:
    """Every waiver on an object says who, why and until when, has not expired, and is allowed here.

    Why: one that is malformed waives nothing, and one that nobody signed is no decision.

    Remedy: write `owner=...; expires=YYYY-MM-DD; reason=...`, or remove the annotation.
    """
    kinds = (
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "CronJob",
        "Job",
        "Service",
        "Ingress",
        "ConfigMap",
        "NetworkPolicy",
    )
    for item, key, text in waivers.annotated(view.objects(*kinds)):
        path = f"metadata.annotations[{key}]"
        if view.rules.waivers != "any":
            yield finding(item, path, "no waivers on objects here (config.waivers)", "a waiver", view=view)
            continue
        try:
            found = waivers.parse(key, text)
        except waivers.MalformedWaiver as problem:
            yield finding(item, path, "owner=...; expires=...; reason=...", problem, view=view)
            continue
        if found.expires < view.now.date():
            yield finding(item, path, f"expires after {view.now.date()}", found.expires, view=view)


@rule("waiver/forbidden", severity="critical", per="cluster", skip=_own_waivers)
def forbidden(view: View) -> Findings:
    """Where waivers are forbidden, there are none.

    Why: what may be waived in staging is what must not be waived in production.

    Remedy: mend what was waived, or change `config.waivers`, on the record.
    """
    if view.rules.waivers == "forbidden":
        for waiver in view.environment.waivers:
            yield finding(_shown(view, waiver), "waivers", "no waiver (config.waivers)", waiver.reason, view=view)


@rule("gate/coverage", severity="major", per="cluster", live=True)
def coverage(view: View) -> Findings:
    """Everything that the checks need could be read.

    Why: what was not read was not verified, whatever the other checks say.

    Remedy: bind the verifier to the role that `seatrial role` prints; see the network.
    """
    for kind, reason in sorted(view.snapshot.unread.items()):
        yield finding({"kind": "Kind", "metadata": {"name": kind}}, "", "read", reason, view=view)
    for problem in view.snapshot.problems:
        yield finding({"kind": "Problem", "metadata": {"name": "snapshot"}}, "", "none", problem, view=view)


CHECKS: Final[tuple[Check, ...]] = (expired, on_objects, forbidden, coverage)
