"""Which spans of time are compared."""

import pytest

from seatrial.metrics.series import NoEvidence
from seatrial.metrics.windows import moment, spans


@pytest.mark.parametrize(
    ("changed", "beside", "subject", "control"),
    [
        (None, True, (400, 1000), (400, 1000)),
        (None, False, (400, 1000), None),
        (100, True, (400, 1000), (400, 1000)),
        (700, True, (760, 1000), (760, 1000)),
        (700, False, (760, 1000), (100, 700)),
        (100, False, (400, 1000), (-500, 100)),
    ],
)
def test_spans(
    changed: float | None, beside: bool, subject: tuple[float, float], control: tuple[float, float] | None
) -> None:
    found = spans(now=1000, length=600, settle=60, changed=changed, beside=beside)
    assert (found.subject.start, found.subject.end) == subject
    assert (None if found.control is None else (found.control.start, found.control.end)) == control


def test_while_it_settles_there_is_no_evidence() -> None:
    with pytest.raises(NoEvidence, match="began to run 40 s ago and settles for 60 s"):
        spans(now=1000, length=600, settle=60, changed=960, beside=True)


def test_moments_need_a_zone() -> None:
    assert moment("1970-01-01T00:01:00Z") == moment("1970-01-01T01:01:00+01:00") == 60
    for wrong, words in (("", "Invalid isoformat"), ("soon", "Invalid isoformat"), ("1970-01-01T00:01:00", "zone")):
        with pytest.raises(ValueError, match=words):
            moment(wrong)
