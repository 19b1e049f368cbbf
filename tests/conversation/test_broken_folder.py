"""A folder in which everything is wrong that a tester can get wrong, and one script that is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seatrial.cli import main

TURN = '[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'
GOOD = f'title = "t"\n{TURN}'
HEAD = 'title = "t"\n'

TEXTS = {
    "empty": "",
    "comment": "# nothing\n",
    "no-title": TURN,
    "no-turns": HEAD,
    "turns-no-list": HEAD + 'turn = "Hello!"\n',
    "turn-as-table": HEAD + '[turn]\nsay = "x"\nexpect.contains = "y"\n',
    "turn-without-say": HEAD + '[[turn]]\nexpect.contains = "x"\n',
    "empty-say": HEAD + '[[turn]]\nsay = ""\nexpect.contains = "x"\n',
    "expects-nothing": HEAD + '[[turn]]\nsay = "x"\n',
    "misspelt-title": 'titel = "t"\n' + TURN,
    "misspelt-expect": GOOD.replace("expect", "expects"),
    "misspelt-contains": GOOD.replace("contains", "contain"),
    "misspelt-severity": 'severity = "critcal"\n' + GOOD,
    "unknown-phase": 'phases = ["after"]\n' + GOOD,
    "empty-phases": "phases = []\n" + GOOD,
    "bad-id": 'id = "Not An Id"\n' + GOOD,
    "number-as-title": "title = 7\n" + TURN,
    "text-as-flag": 'stream = "yes"\n' + GOOD,
    "list-as-flag": "writes = [true]\n" + GOOD,
    "empty-contains": GOOD.replace('"help"', "[]"),
    "number-in-contains": GOOD.replace('"help"', '["help", 7]'),
    "no-unit": GOOD + "expect.max_latency = 2\n",
    "unknown-unit": GOOD + 'expect.max_latency = "2 fortnights"\n',
    "negative-latency": GOOD + 'expect.max_latency = "-2s"\n',
    "first-token-unstreamed": GOOD + 'expect.max_first_token = "1s"\n',
    "pause-unstreamed": GOOD + 'expect.max_pause = "1s"\n',
    "bad-pattern": GOOD + "expect.matches = '('\n",
    "bad-capture-pattern": GOOD + "capture.order = '('\n",
    "bad-jsonpath": GOOD + 'expect.json."$.." = 1\n',
    "bad-capture-path": GOOD + 'capture.order = { json = "$[" }\n',
    "capture-of-nothing": GOOD + "capture.order = {}\n",
    "capture-of-both": GOOD + "capture.order = { json = '$', matches = '.' }\n",
    "capture-bad-name": GOOD + "capture.Order-Number = '.'\n",
    "unknown-name": GOOD.replace("Hello!", "${nobody}"),
    "unknown-remembered": GOOD + 'expect.remembers = "nobody"\n',
    "own-capture": GOOD.replace("Hello!", "${order}") + "capture.order = '.'\n",
    "later-capture": HEAD + '[[turn]]\nsay = "${order}"\nexpect.contains = "x"\n' + TURN + "capture.order = '.'\n",
    "captures-in-a-circle": HEAD
    + TURN.replace("Hello!", "${b}")
    + "capture.a = '.'\n"
    + TURN.replace("Hello!", "${a}")
    + "capture.b = '.'\n",
    "captured-twice": GOOD + "capture.a = '.'\n" + TURN + "capture.a = '.'\n",
    "value-of-value": HEAD + '[values]\na = "${b}"\nb = "x"\n' + TURN,
    "value-bad-name": HEAD + '[values]\nA = "x"\n' + TURN,
    "value-no-text": HEAD + "[values]\na = 7\n" + TURN,
    "rows-differ": HEAD + '[[row]]\na = "x"\n[[row]]\nb = "y"\n' + TURN,
    "rows-same-name": HEAD + '[[row]]\nname = "x"\n[[row]]\nname = "x"\n' + TURN,
    "row-bad-name": HEAD + '[[row]]\nname = "a/b"\n' + TURN,
    "repeat-once": HEAD + "[repeat]\ntimes = 1\nat_least = 0.5\n" + TURN,
    "repeat-all": HEAD + "[repeat]\ntimes = 5\nat_least = 1.0\n" + TURN,
    "repeat-half": HEAD + "[repeat]\ntimes = 5\n" + TURN,
    "setup-without-leave": HEAD + '[[setup]]\npath = "/x"\n' + TURN,
    "setup-no-path": HEAD + 'writes = true\n[[setup]]\nmethod = "PUT"\n' + TURN,
    "setup-full-url": HEAD + 'writes = true\n[[setup]]\npath = "http://x/"\n' + TURN,
    "cleanup-bad-method": HEAD + 'writes = true\n[[cleanup]]\nmethod = "ERASE"\npath = "/x"\n' + TURN,
    "cleanup-unknown-name": HEAD + 'writes = true\n[[cleanup]]\npath = "/x/${number}"\n' + TURN,
    "bad-language": GOOD + 'expect.language = "english"\n',
    "bad-private": GOOD + 'expect.no_private_data = ["phone"]\n',
    "bad-memory": 'memory = "elephant"\n' + GOOD,
    "toml-open-text": 'title = "t\n' + TURN,
    "toml-twice": 'title = "t"\ntitle = "u"\n' + TURN,
    "toml-no-value": "title =\n" + TURN,
}
BYTES = {
    "binary": b"\x89PNG\r\n\x1a\n\x00\x00",
    "latin-1": 'title = "Größe"\n'.encode("latin-1") + TURN.encode(),
    "utf-16": GOOD.encode("utf-16"),
    "ten-megabytes": GOOD.encode() + b"# " + b"x" * 10_000_000,
    "nested": b"a = " + b"[" * 10_000,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.toml").write_text(text)
    for name, content in BYTES.items():
        (tmp_path / f"{name}.toml").write_bytes(content)
    (tmp_path / "right.toml").write_text(GOOD)
    return tmp_path


def test_each_has_its_lines_and_the_right_one_is_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(TEXTS) + len(BYTES)
    assert count >= 60
    assert main(["conversation", "check", str(folder)]) == 2
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == f"{count} of {count + 1} scripts cannot be used"
    told: dict[str, list[str]] = {}
    for line in lines:
        match = re.fullmatch(rf"{re.escape(str(folder))}/([\w-]+)\.toml(?::\d+)?: (.+)", line)
        assert match is not None, line
        told.setdefault(match[1], []).append(match[2])
    assert set(told) == {*TEXTS, *BYTES}
    for name, found in told.items():
        # A few words each, with what was expected or what to do, and nothing of the inside of the program.
        assert len(found) <= 3, (name, found)
        for words in found:
            assert 10 < len(words) < 300, (name, words)
            assert not re.search(r"Traceback|pydantic|Error\b|object at 0x|for further information", words), (
                name,
                words,
            )


@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"empty", "comment", "no-title", "no-turns"}))
def test_mistakes_in_a_text_have_their_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conversation", "check", str(folder / f"{name}.toml")]) == 2
    assert re.search(rf"{name}\.toml:\d+: ", capsys.readouterr().out)
