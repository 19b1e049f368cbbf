"""Reports, a policy and a question in; verdict, exit code and causes out: the gate's contract as one table."""

from pathlib import Path

import pytest

from seatrial.gate.cause import REASONS
from support.decisions import TABLE
from support.decisions.golden import EXIT, Golden
from support.gate import ask
from support.reports import Reports


def test_names_are_unique() -> None:
    names = [row.name for row in TABLE]
    assert sorted(set(names)) == sorted(names)
    assert len(names) >= 180


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_golden(row: Golden, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    if isinstance(row.reports, Reports):
        row.reports.write(folder)
    else:
        row.reports(folder)
    decision = ask(folder, row.policy, row.asked)
    told_causes = [
        (
            cause.reason.code,
            " | ".join([cause.sentence, *(f"{case.key} {case.message}" for case in cause.cases)])[:2000],
        )
        for cause in decision.causes
    ]
    assert (decision.verdict.value, decision.verdict.exit_code) == (row.verdict, EXIT[row.verdict]), told_causes
    assert [code for code, _ in told_causes] == [code for code, _ in row.causes], told_causes
    for (_, sentence), (_, words) in zip(told_causes, row.causes, strict=True):
        assert words in sentence


def test_every_reason_has_a_row() -> None:
    told_codes = {code for row in TABLE for code, _ in row.causes}
    # Only the command knows that there is no policy: its tests have it.
    assert told_codes == {reason.code for reason in REASONS} - {"no-policy"}
