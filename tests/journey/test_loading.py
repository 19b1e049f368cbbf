"""What a journey may say, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.conversation import command
from seatrial.conversation.loading import BrokenScript
from seatrial.journey.loading import load, parse

KINDS = "open, fill, click, press, see, not_see, focused, grows"
HEAD = 'title = "t"\n'
OPEN = '[[step]]\nopen = "/"\n'
SEE = '[[step]]\nsee = "Hello"\n'
SHIPPED = sorted(Path("synthetic/journeys").resolve().glob("*.toml")) or sorted(
    (Path(__file__).parents[2] / "synthetic" / "journeys").glob("*.toml")
)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_shipped_is_in_order(path: Path) -> None:
    assert load(path).id == path.stem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "try.toml:1: step: expected this key, seen nothing"),
        (HEAD + "step = 3", "try.toml:2: step: expected one or more [[step]], seen a number (3)"),
        (HEAD + SEE, 'try.toml:2: step 1: expected the first step to open a page, such as open = "/"'),
        (
            HEAD + OPEN + '[[step]]\nsee = "a"\nclick = "b"\n',
            f"try.toml:4: step 2: expected one of {KINDS}; seen click and see",
        ),
        (
            HEAD + OPEN + SEE + "[[step]]\nwithin = '1s'\n",
            f"try.toml:6: step 3: expected one of {KINDS}; seen none of them",
        ),
        (
            HEAD + OPEN + SEE + '[[step]]\nfill = "a"\n',
            "try.toml:6: step 3: expected fill and text together: a label, and what is typed",
        ),
        (
            HEAD + OPEN,
            "try.toml:2: step: expected at least one expectation; a journey that expects nothing always passes",
        ),
        (HEAD + OPEN + '[[step]]\nsees = "a"\n', "try.toml:5: step 2, sees: unknown key; did you mean see?"),
        (HEAD + 'screen = "watch"\n' + OPEN + SEE, "try.toml:2: screen: expected 'desktop' or 'phone', seen 'watch'"),
        (
            HEAD + OPEN + '[[step]]\nsee = "${unique}"\n',
            "try.toml:5: step 2, see: nothing is called 'unique'; there are: ",
        ),
        (HEAD + OPEN + '[[step]]\nsee = "a"\nwithin = 3\n', "within: the unit is missing: write 3s or 3ms"),
        (HEAD + '[[step]]\nopen = "shop"\n' + SEE, "step 1, open: "),
        ("title = ", "try.toml:1: expected TOML, seen a mistake"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BrokenScript) as broken:
        parse(text, name="try", shown="try.toml")
    assert words in str(broken.value)


def test_the_command_checks_journeys_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "good.toml").write_text(HEAD + OPEN + SEE)
    assert command.check([tmp_path]) == 0
    (folder / "bad.toml").write_text(HEAD + SEE)
    assert command.check([tmp_path]) == 2
    assert "expected the first step to open a page" in capsys.readouterr().out
