"""Outcomes are ranked once, and no evidence is never a pass."""

import pytest

from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ([], None),
        (["pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["error", "inconclusive", "pass"], "error"),
        (["fail", "error"], "fail"),
    ],
)
def test_worst(outcomes: list[str], worst: str | None) -> None:
    assert Outcome.worst(Outcome(name) for name in outcomes) == worst


def test_findings_decide() -> None:
    finding = Finding(where="Deployment shop/chat", path="spec.replicas", expected="at least 2", seen="1")
    failed = Assessment.of_findings([finding], held="all", broken="{count} workload(s) too small", n=3)
    assert (failed.outcome, failed.message, failed.n) == (Outcome.FAIL, "1 workload(s) too small", 3)
    assert str(finding) == "Deployment shop/chat spec.replicas: expected at least 2, seen 1"
    assert Assessment.of_findings([], held="all hold", broken="x", n=2).outcome is Outcome.PASS


def test_nothing_to_look_at_is_not_a_pass() -> None:
    assert Assessment.of_findings([], held="all hold", broken="x", n=0).outcome is Outcome.INCONCLUSIVE
