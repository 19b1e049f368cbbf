"""What a deployer says to a watch that runs: by the command, or by appending lines."""

from pathlib import Path

import pytest

from seatrial.cli import main
from seatrial.rollout.words import NoWord, Word, Words, parse_word

WORDS = {
    "weight 25": Word(weight=25.0),
    "  Weight  2.5 % ": Word(weight=2.5),
    "weight 0": Word(weight=0.0),
    "weight 100": Word(weight=100.0),
    "switch": Word(weight=100.0),
    "abort": Word(weight=0.0, abort=True),
    "done": Word(done=True),
}
NONE = ["", "weight", "weight -1", "weight 101", "weight 25 now", "weight=25", "switched", "1" * 10_000]


@pytest.mark.parametrize(("line", "word"), WORDS.items())
def test_a_step_that_is_said_is_heard(line: str, word: Word, tmp_path: Path) -> None:
    file = tmp_path / "words"
    heard = Words(file)
    assert heard.new() == []
    assert main(["watch-rollout", "--words", str(file), "--step", line]) == 0
    assert heard.new() == [word]
    assert main(["watch-rollout", "--words", str(file), "--step", "done"]) == 0
    assert heard.new() == [Word(done=True)]


@pytest.mark.parametrize("line", NONE)
def test_what_is_no_step_reaches_no_watch(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "words"
    assert main(["watch-rollout", "--words", str(file), "--step", line]) == 2
    assert not file.exists()
    told = capsys.readouterr().err
    assert told.startswith("seatrial watch-rollout: --step: expected ")
    assert len(told) < 250
    with pytest.raises(NoWord):
        parse_word(line)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--step", "done"], "--step: expected --words FILE"),
        (
            ["--step", "done", "--words", "none/words"],
            "--words: none/words cannot be written: No such file or directory",
        ),
        (["--words", "words"], "expected --env NAME, or --words FILE and --step STEP"),
    ],
)
def test_wrong_use_says_what_is_missing(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch-rollout", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_lines_are_heard_once_whole_and_a_wrong_one_has_a_number(tmp_path: Path) -> None:
    file = tmp_path / "words"
    heard = Words(file)
    file.write_text("# begun\n\nweight 5\nweight 2")
    assert heard.new() == [Word(weight=5.0)]
    with file.open("a") as more:
        more.write("5\nweigth 50\n")
    with pytest.raises(
        NoWord, match=r"words:5: expected `weight PERCENT`, `switch`, `abort` or `done`, seen 'weigth 50'"
    ):
        heard.new()
