"""Whatever holds or rolls back says what to do about it: a command, or words."""

from pathlib import Path

import pytest

from seatrial.gate import advice
from seatrial.gate.cause import REASONS
from support.decisions import TABLE
from support.decisions.golden import Golden
from support.gate import ask
from support.reports import Reports

TELLING = {reason.code for reason in REASONS if reason.effect != "note"}


def test_every_reason_has_advice() -> None:
    assert set(advice.ADVICE) == TELLING


def _first(code: str) -> Golden:
    return next(row for row in TABLE if row.verdict != "promote" and code in (c for c, _ in row.causes))


# Only the command knows that there is no policy.
@pytest.mark.parametrize("code", sorted(TELLING - {"no-policy"}))
def test_every_reason_has_a_next_step(code: str, tmp_path: Path) -> None:
    row = _first(code)
    folder = tmp_path / "reports"
    if isinstance(row.reports, Reports):
        row.reports.write(folder)
    else:
        row.reports(folder)
    decision = ask(folder, row.policy, row.asked)
    assert code in {cause.reason.code for cause in decision.causes if cause.effect != "note"}
    assert decision.next or decision.advice
    assert all(command.startswith(("pytest --env=", "seatrial ")) for command in decision.next)


def test_what_is_missing_comes_with_the_command_that_brings_it(tmp_path: Path) -> None:
    row = next(row for row in TABLE if row.name == "required suite thin")
    assert isinstance(row.reports, Reports)
    decision = ask(row.reports.write(tmp_path), row.policy, row.asked)
    assert decision.next == ("pytest --env=demo --track=candidate --phase=canary --release=1.5.0 -m smoke",)
    assert decision.advice == ()
