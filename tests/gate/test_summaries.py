"""The summaries, character by character. `SEATRIAL_REWRITE_GOLDEN=1` writes what is compared; read the diff then."""

import difflib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from seatrial.report import summary, terminal
from support.gate import ask
from support.reports import Reports, good, told

GOLDEN = Path(__file__).parent / "golden"
GOOD = good()
SAMPLES: dict[str, Reports] = {
    "promote": GOOD.but("helm/release-deployed", "fail", track="", message="release chatbot is pending-upgrade"),
    "rollback": GOOD.but("smoke/ready", "fail", message="503 after 3 attempts").plus(
        told(
            "latency/p95",
            "fail",
            message="slower than stable",
            seen="0.41",
            limit="0.25",
            interval="0.37 to 0.45",
            n="900",
            unit="s",
            reproduce="pytest --env=demo -k 'latency and p95'",
        )
    ),
    "hold": GOOD.but("smoke/live", "error", message="name cannot be resolved").but(
        "latency/regression", None, message="load"
    ),
    "killed": replace(GOOD, state="running", cases=(), expected=GOOD.cases).of_run(finished="").only("evidence"),
    "hostile": GOOD.plus(
        *(
            told("smoke/x", "fail", obj=f"{n}|<b>`\x1b[31m", message="**bold** <script>\u202e | $x$ @all\nnext")
            for n in range(30)
        )
    )
    .of_run(release_wanted="1.5.0\x1b[2J")
    .only("evidence"),
}


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("SEATRIAL_REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text != expected:
        diff = difflib.unified_diff(expected.splitlines(), text.splitlines(), "golden", "now", lineterm="")
        pytest.fail(f"{path.name} differs (SEATRIAL_REWRITE_GOLDEN=1 rewrites it):\n" + "\n".join(diff), pytrace=False)


@pytest.mark.parametrize("name", SAMPLES)
def test_terminal(name: str, tmp_path: Path) -> None:
    compare(f"{name}.txt", terminal.render(ask(SAMPLES[name].write(tmp_path))) + "\n")


@pytest.mark.parametrize("name", SAMPLES)
def test_markdown(name: str, tmp_path: Path) -> None:
    compare(f"{name}.md", summary.render(ask(SAMPLES[name].write(tmp_path))))


def test_colour_is_the_verdict_alone(tmp_path: Path) -> None:
    decision = ask(GOOD.write(tmp_path))
    coloured = terminal.render(decision, colour=True)
    assert coloured.startswith("\x1b[1;32mPROMOTE\x1b[0m ")
    assert coloured.count("\x1b") == 2
