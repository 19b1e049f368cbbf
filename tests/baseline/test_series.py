"""Series and their files: what may not be read, what may not move, and what one at a time means."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.baseline.series import LEAST, Series, SeriesProblem, StoredRun, loads, reference
from seatrial.baseline.store import Store
from seatrial.load.place import Folder, PlaceProblem
from support.baselines import BEGIN, FINGERPRINT

NOW = BEGIN + dt.timedelta(days=40)


def stored(number: int, p50: int = 100_000) -> StoredRun:
    finished = (BEGIN + dt.timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return StoredRun(
        run=f"run-{number:03}",
        finished=finished,
        release=f"1.{number}.0",
        requests=500,
        failed=0,
        levels={"p50": p50, "p95": 2 * p50},
        samples="b" * 64,
        decision="c" * 64,
    )


EMPTY = Series(environment="qa", service="chat", profile="baseline", fingerprint=FINGERPRINT)


def series(count: int) -> Series:
    made = EMPTY
    for number in range(count):
        made = made.add(stored(number), now=NOW)
    return made


@given(st.lists(st.integers(0, 400), unique=True, max_size=30))
def test_what_is_written_is_read(numbers: list[int]) -> None:
    made = EMPTY
    for number in numbers:
        made = made.add(stored(number), now=NOW)
    assert loads(made.dumps()) == made
    assert made.dumps() == loads(made.dumps()).dumps()
    assert [run.run for run in made.runs] == sorted(run.run for run in made.runs)


def edited(change: Callable[[Any], object]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return apply


def signed(change: Callable[[Any], object]) -> Callable[[str], str]:
    """As somebody would who knows how the hash is made."""

    def apply(text: str) -> str:
        from seatrial.load.fingerprint import sha256_of

        content = json.loads(text)
        del content["sha256"]
        change(content)
        return json.dumps({**content, "sha256": sha256_of(content)})

    return apply


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda text: text[: len(text) // 2], "not JSON, perhaps cut short", id="cut"),
        pytest.param(lambda text: "", "not JSON, perhaps cut short", id="empty"),
        pytest.param(lambda text: "[]", "expected a seatrial baseline, seen something else", id="list"),
        pytest.param(lambda text: '{"kind": "record"}', "expected a seatrial baseline", id="other kind"),
        pytest.param(edited(lambda c: c.update(schema=2)), "expected schema 1, seen 2", id="other schema"),
        pytest.param(
            edited(lambda c: c["runs"][0]["levels"].update(p50=90_000)), "it was edited by hand, or damaged", id="level"
        ),
        pytest.param(edited(lambda c: c["runs"].pop()), "it was edited by hand", id="run gone"),
        pytest.param(edited(lambda c: c.pop("sha256")), "it was edited by hand", id="no hash"),
        pytest.param(signed(lambda c: c["runs"].append(c["runs"][0])), "the run run-000 is there twice", id="twice"),
        pytest.param(signed(lambda c: c["runs"].reverse()), "not in order", id="order"),
        pytest.param(
            signed(lambda c: c["runs"].pop(0)), "the run run-000 belongs to the anchor and is missing", id="anchor"
        ),
        pytest.param(signed(lambda c: c["runs"][0]["levels"].update(p50=0)), "`int` >= 1", id="zero"),
        pytest.param(signed(lambda c: c["runs"][0].update(more=1)), "unknown field `more`", id="more"),
        pytest.param(signed(lambda c: c["runs"][0].update(finished="yesterday")), "matching regex", id="time"),
    ],
)
def test_what_cannot_be_relied_on_is_refused(tmp_path: Path, spoil: Callable[[str], str], told: str) -> None:
    store = Store(place=Folder(tmp_path))
    store.change(EMPTY, lambda _: series(12))
    path = tmp_path / store.name("qa", "chat", "baseline", FINGERPRINT)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(PlaceProblem) as caught:
        store.find("qa", "chat", "baseline", FINGERPRINT)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    before = path.read_bytes()
    with pytest.raises(PlaceProblem):
        store.change(EMPTY, lambda one: one.add(stored(99), now=NOW))
    assert path.read_bytes() == before


def test_a_file_under_another_name_is_refused(tmp_path: Path) -> None:
    store = Store(place=Folder(tmp_path))
    store.change(EMPTY, lambda _: series(1))
    path = tmp_path / store.name("qa", "chat", "baseline", FINGERPRINT)
    other = store.name("qa", "chat", "baseline", {**FINGERPRINT, "path": "/v2"})
    shutil.copy(path, tmp_path / other)
    with pytest.raises(PlaceProblem, match="somebody copied or renamed it"):
        store.read(other)
    (tmp_path / "production").mkdir()
    with pytest.raises(PlaceProblem, match="somebody copied"):
        store.read(Path(shutil.copy(path, tmp_path / "production")).relative_to(tmp_path).as_posix())


def _enter(folder: Path, numbers: list[int]) -> None:
    for number in numbers:
        Store(place=Folder(folder)).change(EMPTY, lambda one, n=number: one.add(stored(n), now=NOW))


def test_updates_at_the_same_time_lose_no_run(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_enter, args=(tmp_path, list(range(first, 30, 2)))) for first in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0] * 2
    found = Store(place=Folder(tmp_path)).find("qa", "chat", "baseline", FINGERPRINT)
    assert found is not None
    assert [run.run for run in found.runs] == [f"run-{number:03}" for number in range(30)]
    assert not list(tmp_path.glob("qa/.chat*")), "no half-written file is left"


def test_a_change_that_fails_leaves_the_file(tmp_path: Path) -> None:
    store = Store(place=Folder(tmp_path))
    store.change(EMPTY, lambda _: series(3))
    with pytest.raises(SeriesProblem, match="run-001 is there already"):
        store.change(EMPTY, lambda one: one.add(stored(1), now=NOW))
    assert len(store.kin("qa", "chat")[0].runs) == 3


def test_the_anchor_is_the_first_ten_and_stays() -> None:
    assert series(LEAST - 1).anchor == ()
    first = [f"run-{number:03}" for number in range(LEAST)]
    for count in (LEAST, 35):
        assert [run.run for run in series(count).anchor] == first


def test_anchoring_anew_is_explicit_and_remembered() -> None:
    moved = series(35).re_anchored(12, " new nodes ", now=NOW)
    assert [run.run for run in moved.anchor] == [f"run-{number:03}" for number in range(23, 35)]
    assert [anchor.reason for anchor in moved.anchors] == ["the first 10 promoted runs", "new nodes"]
    for count, reason, told in ((9, "x", "at least 10"), (36, "x", "there are 35 runs"), (10, "  ", "takes a reason")):
        with pytest.raises(SeriesProblem, match=told):
            series(35).re_anchored(count, reason, now=NOW)


def test_latest_are_neither_old_nor_many() -> None:
    made = series(35)
    numbers = lambda runs: [int(run.run[4:]) for run in runs]  # noqa: E731
    assert numbers(made.latest(now=NOW, max_age=90 * 86_400, window=20)) == list(range(15, 35))
    assert numbers(made.latest(now=NOW, max_age=15 * 86_400, window=20)) == list(range(25, 35))
    assert made.latest(now=NOW + dt.timedelta(days=400), max_age=90 * 86_400, window=20) == ()


@pytest.mark.parametrize(
    ("older_than", "keep", "gone"),
    [(None, 20, range(10, 15)), (25 * 86_400, None, range(10, 15)), (25 * 86_400, 19, range(10, 16)), (None, 99, ())],
)
def test_pruning_leaves_the_anchor(older_than: float | None, keep: int | None, gone: Any) -> None:
    made = series(35)
    pruned = made.prunable(now=NOW, older_than=older_than, keep=keep)
    assert [int(run.run[4:]) for run in pruned] == list(gone)
    assert loads(made.without(pruned).dumps()).anchor == made.anchor


def test_levels_that_some_runs_lack_are_left_out() -> None:
    runs = [stored(0), msgspec.structs.replace(stored(1), levels={"p50": 1000, "p95": 2000, "p99": 3000})]
    assert reference("x", runs).levels == {0.5: [0.1, 0.001], 0.95: [0.2, 0.002], 0.99: [0.003]}
