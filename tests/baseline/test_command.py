"""`seatrial baseline` as it is used: runs enter or are refused, are compared, anchored, listed and removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatrial import cli
from support.baselines import FINGERPRINT, after, decide, measured, project, promoted

Spoil = Callable[[Path], object]


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project(tmp_path))
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


def baseline(*words: object) -> int:
    return cli.main(["baseline", *map(str, words)])


def history(reports: Path, count: int = 12, p50: float = 0.1) -> None:
    """Promoted runs, a day apart, that differ by a few per cent."""
    for number in range(count):
        promoted(reports, number, p50=p50 * (1.02 if number % 2 else 0.98))
    assert baseline("update", reports, "--now", after(count)) == 0


def change(name: str, how: Callable[[Any], object]) -> Spoil:
    def apply(path: Path) -> None:
        content = json.loads((path / name).read_text())
        how(content)
        (path / name).write_text(json.dumps(content))

    return apply


SUMMARY = "samples/latency/chat.summary.json"


def test_promoted_runs_enter_once(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promoted(reports, 0)
    (reports / "latest").symlink_to("run-000")
    capsys.readouterr()
    assert baseline("update", reports, "--now", after(1)) == 0
    assert capsys.readouterr().out == (
        "entered  run-000: chat: chat under baseline in qa: 1 run, 2026-05-01 to 2026-05-01; does not decide yet: "
        "9 more to come\n"
    )
    (file,) = (reports.parent / "fixtures" / "baselines" / "qa").glob("*.json")
    before = file.read_bytes()
    assert baseline("update", reports / "run-000", "--now", after(1)) == 0
    assert "kept     run-000: chat: the run run-000 is there already" in capsys.readouterr().out
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "spoil", "told"),
    [
        ({"regression": "fail"}, None, "it was not promoted: the decision is 'hold'"),
        ({"errors": "error"}, None, "it was not promoted: the decision is 'hold'"),
        ({}, lambda path: (path / "decision.json").unlink(), "it was not decided: there is no /"),
        ({}, lambda path: (path / "decision.json").write_text("{"), "decision.json cannot be read"),
        ({}, change("evidence.json", lambda c: c.update(more=1)), "evidence.json has changed since"),
        ({}, change("decision.json", lambda c: c.update(runs=["other"])), "the decision is about ['other']"),
        ({"sound": False, "problems": ["late"]}, None, "the measurement was not sound: late"),
        ({"control": "stable"}, None, "it was measured beside stable, under twice the load"),
        ({"requests": 499}, None, "499 of 500 requests count: it ended early"),
        ({"run": "run-other"}, None, "its measurement is that of the run 'run-other'"),
        ({"environment": "production"}, None, "in 'production'"),
        ({}, lambda path: (path / "samples/latency/chat.ndjson").write_text("x"), "the summary is not that of"),
        ({}, lambda path: (path / SUMMARY).unlink(), "it measured no latencies that can be compared"),
        ({}, lambda path: (path / SUMMARY).write_text("[]"), "chat.summary.json holds no object"),
        ({}, change(SUMMARY, lambda c: c.pop("tracks")), "not a summary of a measurement: KeyError('tracks')"),
        ({}, change(SUMMARY, lambda c: c["tracks"]["stable"].update(latency={"p50": 1})), "too few for p95"),
        ({}, change(SUMMARY, lambda c: c["tracks"]["stable"]["latency"].update(p50=-1)), "not usable"),
    ],
)
def test_what_may_not_enter_is_refused_with_the_reason(
    reports: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], spoil: Spoil | None, told: str
) -> None:
    path = measured(reports, 0, **changes)
    decide(path)
    if spoil is not None:
        spoil(path)
    capsys.readouterr()
    assert baseline("update", path, "--now", after(1)) == 10
    assert told in (out := capsys.readouterr().out), out
    assert out.startswith("refused  run-000: ")
    assert not list((reports.parent / "fixtures" / "baselines").glob("*/*.json"))


def test_a_decision_may_lie_elsewhere(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = promoted(reports, 0).joinpath("decision.json").rename(reports.parent / "kept.json")
    assert baseline("update", reports, "--decision", moved, "--now", after(1)) == 0
    measured(reports, 1)
    assert baseline("update", reports, "--decision", moved, "--now", after(1)) == 2
    assert "--decision: expected one run, seen 2" in capsys.readouterr().err
    assert baseline("update", reports / "run-001", "--decision", moved, "--now", after(1)) == 10
    assert "the decision is about ['run-000'], and not about this run, 'run-001'" in capsys.readouterr().out


def test_an_old_run_is_refused(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promoted(reports, 0)
    assert baseline("update", reports, "--now", after(200)) == 10
    assert "it ended on 2026-05-01T12:00:00Z, longer ago than `max_age` of [baseline]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("p50", "code", "told"),
    [
        (0.099, 0, "pass: chat in 1 run: not slower by the margin than the runs promoted before it: p"),
        (0.2, 20, "fail: chat in 1 run: slower than the runs that were promoted before it: p"),
        (0.122, 10, "inconclusive: chat in 1 run: neither shown slower"),
    ],
)
def test_compare_explains(reports: Path, capsys: pytest.CaptureFixture[str], p50: float, code: int, told: str) -> None:
    history(reports)
    new = measured(reports, 20, p50=p50)
    capsys.readouterr()
    assert baseline("compare", new, "--now", after(20)) == code
    out = capsys.readouterr().out
    assert out.startswith(told)
    for part in ("which differ by 2.1%) (99% confidence)", "12 latest runs, 9 to 20 days old", "margin "):
        assert part in out
    assert "  anchor    10 runs, set 2026-05-13T14:00:00Z: the first 10 promoted runs" in out


def test_several_runs_are_compared_together(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(reports)
    new = [measured(reports, number, p50=0.119) for number in range(20, 24)]
    assert baseline("compare", new[0], "--now", after(24)) == 10
    assert baseline("compare", *new, "--now", after(24)) == 0
    assert "pass: chat in 4 runs: " in capsys.readouterr().out


def test_a_run_is_not_compared_with_itself(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(reports, 10)
    capsys.readouterr()
    assert baseline("compare", reports / "run-009", "--now", after(12)) == 10
    assert "9 promoted runs before it, and it takes 10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "now", "told"),
    [
        ({"fingerprint": {**FINGERPRINT, "path": "/v2"}}, 20, "there is one of chat under baseline in qa: path '/v1"),
        ({"profile": "smoke"}, 20, "of another profile"),
        ({}, 300, "0 promoted runs before it, and it takes 10 to know how much they differ: 10 more"),
        ({"sound": False, "problems": ["late"]}, 20, "was not sound: late"),
    ],
)
def test_what_cannot_be_compared_is_not_decided(
    reports: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], now: int, told: str
) -> None:
    history(reports)
    new = measured(reports, 20, **changes)
    capsys.readouterr()
    assert baseline("compare", new, "--now", after(now)) == 10
    assert told in capsys.readouterr().out


def test_small_steps_do_not_add_up_unseen(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each run is 3 % slower than the one before it; the latest alone would take every one of them."""
    history(reports, 10)
    for number in range(10, 40):
        new = measured(reports, number, p50=0.1 * 1.03 ** (number - 9))
        if baseline("compare", new, "--now", after(number)) == 20:
            assert "over the anchor (n=10" in capsys.readouterr().out
            break
        assert decide(new) == 0
        assert baseline("update", new, "--now", after(number)) == 0
    else:
        pytest.fail("nothing was noticed")
    assert 1.03 ** (number - 9) < 1.6
    assert baseline("anchor", "--env=qa", "--reason=new nodes", "--now", after(number)) == 0
    assert baseline("compare", new, "--now", after(number)) != 20


def test_list_and_show(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("list") == 0
    assert "no baselines in fixtures/baselines" in capsys.readouterr().out
    history(reports)
    capsys.readouterr()
    assert baseline("list", "--now", after(12)) == baseline("list", "--env=qa", "--now", after(12)) == 0
    out = capsys.readouterr().out
    assert out.count("chat under baseline in qa: 12 runs, 2026-05-01 to 2026-05-12; decides") == 2
    assert baseline("show", "--env=qa", "--now", after(12)) == 0
    out = capsys.readouterr().out
    assert "2026-05-01T12:00:00Z 1.0.0" in out
    assert "98.0    196.0        -      0 of 500  anchor, latest  run-000" in out
    assert "anchor of 10 runs, set 2026-05-13T14:00:00Z: the first 10 promoted runs" in out


def test_prune_lists_first(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(reports, 15)
    (file,) = (reports.parent / "fixtures" / "baselines" / "qa").glob("*.json")
    before = file.read_bytes()
    capsys.readouterr()
    assert baseline("prune", "--env=qa", "--keep=3", "--now", after(15)) == 0
    out = capsys.readouterr().out
    assert "2 of 15 runs would be removed; the anchor stays" in out
    assert "2026-05-11T12:00:00Z  1.10.0          run-010" in out
    assert "nothing was removed: say --yes" in out
    assert file.read_bytes() == before
    assert baseline("prune", "--env=qa", "--keep=3", "--yes", "--now", after(15)) == 0
    assert len(json.loads(file.read_text())["runs"]) == 13


def test_a_folder_of_its_own(reports: Path, tmp_path: Path) -> None:
    promoted(reports, 0)
    assert baseline("update", reports, "--store", tmp_path / "elsewhere", "--now", after(1)) == 0
    assert len(list((tmp_path / "elsewhere" / "qa").glob("chat.baseline.*.json"))) == 1
    project(tmp_path, more='[baseline]\nstore = "kept"\n')
    assert baseline("update", reports, "--now", after(1)) == 0
    assert len(list((tmp_path / "kept" / "qa").glob("*.json"))) == 1


@pytest.mark.parametrize("words", [["list"], ["show", "--env=qa"], ["compare", "reports/run-001"]])
def test_a_damaged_file_is_refused_by_every_command(
    reports: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    promoted(reports, 0)
    assert baseline("update", reports, "--now", after(1)) == 0
    measured(reports, 1)
    (file,) = (reports.parent / "fixtures" / "baselines" / "qa").glob("*.json")
    file.write_text(file.read_text().replace("100000", "900000"))
    assert baseline(*words) == 10
    told = capsys.readouterr().err
    assert "edited by hand, or damaged; bring it back from version control, or remove it and begin anew" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "--env=nowhere"], "nowhere"),
        (["show", "--env=../x"], "expected the name of an environment"),
        (["show", "--env=qa", "--service=shop"], "no such baseline of qa in fixtures/baselines; there are: none"),
        (["update", "nothing"], "there is no run (evidence.json) in nothing"),
        (["list", "--now=today"], "--now: expected a time with its zone"),
        (["prune", "--env=qa"], "say what goes"),
        (["prune", "--env=qa", "--older-than=3"], "--older-than: "),
        (["prune", "--env=qa", "--keep=-1"], "--keep: expected 0 or more"),
        (["anchor", "--env=qa", "--reason=x"], "there are: none"),
    ],
)
def test_wrong_use(reports: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert baseline(*words) == 2
    assert told in capsys.readouterr().err
