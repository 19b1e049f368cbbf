"""Change points, found by Apache Otava in the environment of its own that `make history` makes.

That takes a minute to install, so these tests are among the long ones.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from seatrial.baseline import history
from seatrial.baseline.series import Series, StoredRun
from seatrial.baseline.store import Store
from seatrial.load.place import Folder
from support.baselines import FINGERPRINT, after, project
from support.project import REPOSITORY
from support.required import python_of


@pytest.fixture
def its_python() -> str:
    return str(python_of("history"))


def keep(folder: Path, levels: list[float]) -> None:
    """A series of runs, a day apart, with these medians in seconds."""
    from support.baselines import BEGIN

    series = Series(environment="qa", service="chat", profile="baseline", fingerprint=FINGERPRINT)
    for number, p50 in enumerate(levels):
        moment = BEGIN.replace(day=1).timestamp() + 86_400 * number
        run = StoredRun(
            run=f"run-{number:03}",
            finished=np.datetime64(int(moment), "s").item().strftime("%Y-%m-%dT%H:%M:%SZ"),
            release=f"1.{number}.0",
            requests=500,
            failed=0,
            levels={"p50": round(p50 * 1e6), "p95": 200_000},
            samples="0" * 64,
            decision="0" * 64,
        )
        series = series.add(run, now=BEGIN)
    Store(place=Folder(folder / "fixtures" / "baselines")).change(series, lambda empty: empty)


def show(python: str, folder: Path) -> str:
    ended = subprocess.run(
        [python, "-m", "seatrial.cli", "baseline", "show", "--env=qa", f"--now={after(40)}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def noisy(*levels: float) -> list[float]:
    generator = np.random.default_rng(5)
    return [level * float(np.exp(0.02 * generator.standard_normal())) for level in levels]


@pytest.mark.long
def test_a_change_that_stays_is_marked_where_it_began(tmp_path: Path, its_python: str) -> None:
    keep(project(tmp_path), noisy(*[0.1] * 20, *[0.13] * 15))
    lines = show(its_python, tmp_path).splitlines()
    (marked,) = [number for number, line in enumerate(lines) if line.startswith("  ~ ")]
    assert lines[marked].startswith("  ~ p50 99.")
    assert "(+30" in lines[marked] or "(+31" in lines[marked] or "(+29" in lines[marked]
    assert lines[marked].endswith("from run-020 on")
    assert lines[marked + 1].endswith("run-020")


@pytest.mark.long
@pytest.mark.parametrize("count", [5, 35])
def test_what_only_wavers_is_not_marked(tmp_path: Path, its_python: str, count: int) -> None:
    keep(project(tmp_path), noisy(*[0.1] * count))
    assert "  ~ " not in show(its_python, tmp_path)


def test_without_it_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "otava.analysis", None)
    monkeypatch.setitem(__import__("sys").modules, "otava", None)
    with pytest.raises(history.NotInstalled, match=r"change points need otava\S*: pip install 'seatrial\[history\]'"):
        history.change_points(())
