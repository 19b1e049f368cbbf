"""Waivers that waive nothing any more. Apart from the others, since it has to run the checks that are waived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from seatrial.checks import waiver as waivers
from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.evidence.outcome import Outcome


def unused_check(catalogue: Callable[[], Mapping[str, Check]], needs: tuple[str, ...]) -> Check:
    """The check over the checks of ``catalogue``, by id, which together need ``needs``."""

    @rule("waiver/unused", severity="minor", per="cluster", needs=needs, skip=_none)
    def unused(view: View) -> Findings:
        """Every waiver of the environment still waives something, and names a check that there is.

        Why: a waiver that outlives its reason waives the next mistake.

        Remedy: remove it.
        """
        known = catalogue()
        bare = view.environment.model_copy(update={"waivers": ()})
        everything = replace(view, environment=bare, namespace=None, only=None, without=frozenset())
        for waiver in view.environment.waivers:
            shown = {"kind": "Waiver", "metadata": {"name": f"{waiver.check} {waiver.object}", "namespace": bare.name}}
            check = known.get(waiver.check)
            if check is None:
                # Checks of other suites are waived by the policy of the gate.
                if waiver.check.split("/")[0] in {identity.split("/")[0] for identity in known}:
                    yield finding(shown, "check", "a check that there is", waiver.check, view=view)
                continue
            assessment = check.run(everything)
            if assessment.outcome is Outcome.ERROR:
                continue
            if not any(waivers.covers(waiver.object, one) for one in assessment.findings):
                yield finding(shown, "object", "something to waive", "nothing", view=view)

    return unused


def _none(environment: Environment) -> str:
    return "" if environment.waivers else "the environment waives nothing"
