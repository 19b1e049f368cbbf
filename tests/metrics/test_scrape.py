"""Two scrapes of one process, and what may happen between them."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from seatrial.environment.selection import ServiceTarget
from seatrial.environment.selector import Selector
from seatrial.evidence.outcome import CannotLook
from seatrial.http.bounded import open_address
from seatrial.metrics.exposition import NoExposition
from seatrial.metrics.increase import counted
from seatrial.metrics.reading import Reading
from seatrial.metrics.series import NoEvidence, Window
from seatrial.metrics.source import ScrapeSource
from support.metrics import Counting, counting, settings, targets

REQUESTS = Selector(name="http_requests_total")


@pytest.fixture
def process() -> Iterator[Counting]:
    with counting() as made:
        yield made


def begun(process: Counting, **more: int) -> tuple[ScrapeSource, ServiceTarget]:
    target, _ = targets(process.url)
    clock = count(1000.0, 10.0)
    source = ScrapeSource(
        settings(**more),
        lambda asked: open_address(asked.base_url, run_id="r", connect_timeout=2, timeout=2),
        clock=lambda: next(clock),
    )
    source.begin([target])
    return source, target


def rises(source: ScrapeSource, target: ServiceTarget, end: float = 2000.0) -> int:
    return counted(source.samples(REQUESTS, target, Window(start=0, end=end)))


def _restart(process: Counting) -> None:
    for metric in list(process.registry._collector_to_names):
        process.registry.unregister(metric)
    process.__post_init__()
    process.started.set(5000)
    process.serve(7)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda process: None, 0),
        (lambda process: process.serve(5), 5),
        (lambda process: process.serve(5, code="500"), 5),
        (_restart, 7),
    ],
    ids=["nothing", "more", "a new label value", "a restart"],
)
def test_what_was_counted_between(process: Counting, change: Callable[[Counting], None], expected: int) -> None:
    process.serve(3)
    source, target = begun(process)
    change(process)
    assert rises(source, target) == expected


def test_one_check_sees_one_moment(process: Counting) -> None:
    source, target = begun(process)
    assert rises(source, target) == 0
    process.serve(5)
    assert rises(source, target) == 0
    assert rises(source, target, end=3000.0) == 5


def test_without_a_first_scrape_there_is_no_evidence(process: Counting) -> None:
    process.exposes = False
    source, target = begun(process)
    with pytest.raises(NoExposition, match="seen HTTP 404"):
        rises(source, target)
    process.exposes = True
    with pytest.raises(NoEvidence, match=r"no earlier scrape to compare with: GET .*seen HTTP 404"):
        rises(source, target, end=3000.0)


def test_promql_needs_a_server(process: Counting) -> None:
    source, target = begun(process)
    with pytest.raises(CannotLook, match=r"needs metrics\.prometheus"):
        source.values("up", target, Window(start=0, end=1))


def test_too_many_series_are_refused(process: Counting) -> None:
    source, target = begun(process, max_series=3)
    with pytest.raises(NoExposition, match=r"metrics\.max_series allows 3"):
        rises(source, target)


def test_a_restart_between_the_scrapes_is_one(process: Counting) -> None:
    source, target = begun(process)
    reading = Reading(source=source, settings=settings(), subject=target, control=None, now=1010.0)
    assert list(reading.restarts(reading.subject).values()) == [0]
    _restart(process)
    later = Reading(source=source, settings=settings(), subject=target, control=None, now=1020.0)
    assert list(later.restarts(later.subject).values()) == [1]
