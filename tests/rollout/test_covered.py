"""Every fault of the demo that only a watch shows is brought out under one."""

from __future__ import annotations

import pytest

from rollout import test_strategies
from seatrial.demo.faults import FAULTS

WATCHED = [fault for fault in FAULTS if fault.watched]


def _rows() -> list[tuple[str, str]]:
    """Fault and the check that is blamed, of each row of the strategies."""
    marks = test_strategies.test_what_goes_wrong_is_decided_rightly.pytestmark  # type: ignore[attr-defined]
    table = next(mark for mark in marks if mark.name == "parametrize")
    names = list(table.args[0])
    fault, blamed = names.index("fault"), names.index("blamed")
    return [(row.values[fault], row.values[blamed]) for row in table.args[1]]


@pytest.mark.parametrize("fault", WATCHED, ids=[fault.name for fault in WATCHED])
def test_a_fault_that_takes_a_watch_is_watched(fault: object) -> None:
    assert any((fault.name, check) in _rows() for check in fault.expected), fault  # type: ignore[attr-defined]
