"""What users would have met in a drill, of looks at a steady pace; and in one that is really held."""

from __future__ import annotations

import shlex

import pytest

from drill.conftest import Stage
from seatrial.drill.probing import Probe
from seatrial.drill.users import left_by, looks_for, told, too_much, users_of
from seatrial.evidence.drill import Users


def looks(*seen: tuple[float, float, str], where: str = "chat") -> list[Probe]:
    return [Probe(where=where, at=at, took=took, version="1.4.2", error=error) for at, took, error in seen]


EVERY_HALF = [(number / 2, 0.1, "") for number in range(40)]


@pytest.mark.parametrize(
    ("probes", "asked", "failed", "gap"),
    [
        pytest.param(looks(*EVERY_HALF), 21, 0, 0.5, id="all is well"),
        pytest.param(
            looks(*[(at, took, "HTTP 503" if 5 <= at < 7 else "") for at, took, _ in EVERY_HALF]), 21, 4, 2.5, id="gone"
        ),
        pytest.param(
            looks(*[one for one in EVERY_HALF if not 4 < one[0] < 8], (4.2, 3.7, "timeout")),
            5 + 7 + 9,
            7,
            4.0,
            id="a look that hangs stands for those who came meanwhile",
        ),
        pytest.param(
            looks(*[(at, took, "" if at < 3 else "HTTP 503") for at, took, _ in EVERY_HALF]),
            21,
            19,
            9.4,
            id="never back",
        ),
        pytest.param(looks((1.0, 0.1, "HTTP 503"), (11.5, 0.1, "HTTP 503")), 1, 1, 10.0, id="before and after"),
    ],
)
def test_of_looks(probes: list[Probe], asked: int, failed: int, gap: float) -> None:
    (users,) = users_of(sorted(probes, key=lambda one: one.at), begin=2.0, end=12.0, rate=2.0)
    assert (users.asked, users.failed) == (asked, failed)
    assert users.gap == pytest.approx(gap, abs=0.15)


def test_each_address_for_itself() -> None:
    both = [*looks(*EVERY_HALF), *looks((2.5, 0.1, "HTTP 503"), where="chat/eu")]
    found = users_of(both, begin=2.0, end=12.0, rate=2.0)
    assert [one.where for one in found] == ["chat", "chat/eu"]
    assert told(found) == "users meanwhile: 1 of 22 requests failed, 10.0 s at most without a good answer"


@pytest.mark.parametrize(
    ("asked", "failed", "gap", "words"),
    [
        (400, 0, 0.5, ""),
        (400, 2, 0.5, ""),
        (400, 9, 0.5, ""),
        (400, 10, 0.5, "chat: 10 of 400 requests of users failed, 1.00% may"),
        (3, 2, 0.5, ""),
        (3, 3, 0.5, "chat: 3 of 3 requests of users failed"),
        (400, 0, 5.0, ""),
        (400, 0, 5.1, "chat: no good answer for 5.1 s, and 5s are allowed"),
    ],
)
def test_what_is_not_tolerated(asked: int, failed: int, gap: float, words: str) -> None:
    found = too_much(Users(where="chat", asked=asked, failed=failed, gap=gap), error_rate=0.01, max_gap=5.0)
    assert words in found
    assert bool(found) == bool(words)


@pytest.mark.parametrize(("share", "needed"), [(0.5, 5), (0.3124, 8), (0.1, 29), (0.05, 59), (0.01, 299)])
def test_answers_in_a_row_bound_what_is_left(share: float, needed: int) -> None:
    assert looks_for(share) == needed
    assert left_by(needed) <= share < left_by(needed - 1)


def test_an_outage_on_the_way_back_is_told_and_judged(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """For a second nobody is answered, and the release is back well within the objective."""
    router, back = stage.variables["router_pid"], shlex.join(stage.command(1, 0))
    away = f"kill -STOP {router}; sleep 1; kill -CONT {router}; {back}"
    stage.environment(
        rollback_command=["sh", "-c", away],
        service='timeout = "200ms"',
        time_objective="10s",
        within="10s",
        max_gap="500ms",
    )
    assert stage.drill() == 20
    record = stage.record()
    (users,) = record["users"]
    assert users["failed"] >= 3
    assert 0.5 < users["gap"] < 5
    assert "restored in " in record["message"]
    assert "29 answers in a row at each address show no other, so at most 10% of users" in record["message"]
    assert "requests of users failed, 1.00% may, no good answer for " in record["message"]
    assert record["left_at_most"] == pytest.approx(left_by(29), abs=1e-3)
    assert "users meanwhile: " in capsys.readouterr().out
    assert stage.version() == "1.5.0"
