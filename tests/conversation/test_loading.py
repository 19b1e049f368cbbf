"""Scripts that are in order, and every mistake with its line and its remedy."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.conversation.loading import LARGEST, BrokenScript, load, parse
from seatrial.environment.positions import line_numbers
from seatrial.evidence.outcome import Severity

HEAD = 'title = "t"\n'
TURN = '[[turn]]\nsay = "x"\nexpect.contains = "y"\n'


def mistakes(text: str, name: str = "try") -> list[str]:
    with pytest.raises(BrokenScript) as raised:
        parse(text, name=name, shown="f.toml")
    return str(raised.value).splitlines()


def test_a_script_in_order() -> None:
    script = parse(HEAD + 'severity = "critical"\r\n' + TURN, name="order-status", shown="f")
    assert (script.id, script.severity, script.phases) == ("order-status", Severity.CRITICAL, ("pre", "canary", "post"))
    assert script.turns[0].expect.contains == ("y",)


BROKEN = {
    "unknown key": (HEAD + 'sevrity = "minor"\n' + TURN, ["f.toml:2: sevrity: unknown key; did you mean severity?"]),
    "unknown expectation": (
        HEAD + '[[turn]]\nsay = "x"\n\n[turn.expect]\ncontians = "y"\n',
        ["f.toml:6: turn 1, expect.contians: unknown key; did you mean contains or not_contains?"],
    ),
    "no title": (TURN, ["f.toml:1: title: expected this key, seen nothing"]),
    "empty": (
        "",
        ["f.toml:1: title: expected this key, seen nothing", "f.toml:1: turn: expected this key, seen nothing"],
    ),
    "no turn": (HEAD + "turn = []\n", ["f.toml:2: turn: expected at least 1, seen 0"]),
    "turn is no table": (HEAD + "turn = 3\n", ["f.toml:2: turn: expected one or more [[turn]], seen a number (3)"]),
    "no say": (HEAD + TURN + "[[turn]]\n", ["f.toml:5: turn 2, say: expected this key, seen nothing"]),
    "types": (
        HEAD + 'writes = "yes"\nowner = 7\n' + TURN.replace('"y"', '["y",\n 3]'),
        [
            "f.toml:2: writes: expected true or false, without quotes, seen 'yes'",
            "f.toml:3: owner: expected a text in quotes, seen a number (7)",
            "f.toml:7: turn 1, expect.contains: expected a text in quotes, seen a number (3)",
        ],
    ),
    "severity": (
        HEAD + 'severity = "criticl"\n' + TURN,
        ["f.toml:2: severity: expected 'critical', 'major' or 'minor', seen 'criticl'; did you mean critical?"],
    ),
    "phase": (
        HEAD + 'phases = ["pre", "after"]\n' + TURN,
        ["f.toml:2: phases: expected 'pre', 'canary' or 'post', seen 'after'"],
    ),
    "empty text": (
        HEAD + TURN.replace('"y"', '""'),
        ["f.toml:4: turn 1, expect.contains: expected a text that is not empty, seen ''"],
    ),
    "empty list": (
        HEAD + TURN.replace('"y"', "[]"),
        ["f.toml:4: turn 1, expect.contains: expected at least 1, seen 0"],
    ),
    "unit": (
        HEAD + TURN + "expect.max_latency = 3\n",
        ["f.toml:5: turn 1, expect.max_latency: the unit is missing: write 3s or 3ms"],
    ),
    "pattern": (
        HEAD + TURN + "expect.matches = '('\n",
        [
            (
                "f.toml:5: turn 1, expect.matches: expected a regular expression, seen '(': "
                "missing ), unterminated subpattern at position 0"
            )
        ],
    ),
    "JSONPath": (
        HEAD + TURN + 'expect.json."choices[0]" = 1\n',
        [
            (
                "f.toml:5: turn 1, expect.json.choices[0]: expected a JSONPath such as $.choices[0].finish_reason, "
                "seen 'choices[0]': expected 'TOKEN_ROOT', found 'TOKEN_NAME'"
            )
        ],
    ),
    "operator": (
        HEAD + TURN + 'expect.json."$.x" = { equal = 1 }\n',
        ["f.toml:5: turn 1, expect.json.$.x.equal: unknown key; did you mean equals?"],
    ),
    "capture": (
        HEAD + TURN + "capture.Order = 'x'\ncapture.b = {}\n",
        [
            (
                "f.toml:5: turn 1, capture.Order: expected a name of small letters, digits and _, "
                "such as order_number; seen 'Order'"
            ),
            "f.toml:6: turn 1, capture.b: expected either matches or json",
        ],
    ),
    "unknown name": (
        HEAD + '[values]\nnumber = "1"\n' + TURN.replace('"x"', '"${nummer}"'),
        ["f.toml:5: turn 1, say: nothing is called 'nummer'; did you mean number?"],
    ),
    "used too early": (
        HEAD + TURN.replace('"y"', '"${order}"') + "capture.order = 'x'\n" + TURN,
        [
            (
                "f.toml:4: turn 1, expect.contains: expected a value known by now, seen 'order', "
                "which is captured from this turn's own answer"
            )
        ],
    ),
    "a cycle of captures": (
        HEAD
        + TURN.replace('"x"', '"${second}"')
        + "capture.first = 'x'\n"
        + TURN.replace('"x"', '"${first}"')
        + "capture.second = 'x'\n",
        [
            (
                "f.toml:3: turn 1, say: expected a value known by now, seen 'second', "
                "which is captured from the answer of turn 2, which is later"
            )
        ],
    ),
    "value of a value": (
        HEAD + '[values]\na = "${b}"\nb = "1"\n' + TURN,
        ["f.toml:3: values.a: expected only ${run.id} and ${session.id} inside a value, seen ${b}"],
    ),
    "taken name": (
        HEAD + '[values]\na = "1"\n' + TURN + "capture.a = 'x'\n",
        ["f.toml:7: turn 1, capture.a: the name 'a' is taken already; choose another"],
    ),
    "stream timing without stream": (
        HEAD + TURN + "expect.max_pause = '1s'\n",
        [
            (
                "f.toml:5: turn 1, expect.max_pause: is only there in a streamed answer; "
                "set stream = true at the top of the file"
            )
        ],
    ),
    "nothing expected": (
        HEAD + '[[turn]]\nsay = "x"\n',
        ["f.toml:2: turn: expected at least one expectation; a conversation that expects nothing always passes"],
    ),
    "no TOML": (HEAD + "turn = \n", ["f.toml:2: expected TOML, seen a mistake in column 8: invalid value"]),
    "open list": (HEAD + "tags = [\n", ["f.toml:2: expected TOML, seen a mistake at the end: invalid value"]),
    "twice": (HEAD + HEAD, ["f.toml:2: expected TOML, seen a mistake in column 12: cannot overwrite a value"]),
    "nested": (
        "a = " + "[" * 5000 + "]" * 5000,
        ["f.toml: expected TOML, seen something that cannot be read: nested too deeply"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_mistakes(text: str, expected: list[str]) -> None:
    assert mistakes(text) == expected


def test_a_file_name_that_is_no_id() -> None:
    (line,) = mistakes(HEAD + TURN, name="Order Status")
    assert line.startswith("f.toml:1: id: expected small letters, digits and single hyphens")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"title = 't'\nowner = '\xff'\n", ":2: expected UTF-8, seen byte 0xff; save the file as UTF-8"),
        (b"\x89PNG\n\x00", ":2: expected text, seen a binary file"),
        (b"#" * (LARGEST + 1), ": expected at most 1,000,000 bytes, seen more; split the conversation into several"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(BrokenScript) as raised:
        load(path, shown="x.toml")
    assert str(raised.value) == f"x.toml{expected}"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BrokenScript, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(BrokenScript, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "greeting.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + TURN).encode())
    assert load(path).id == "greeting"


def test_lines_of_everything() -> None:
    text = '''# comment
a = """
[no]
x = 1"""
"quoted # key".b = { c = [1, # one
  2], d = '[[no]]' }
[[t]]
k = 1
[t.sub]
"\\u00e9" = true
[[t]]
[[t.deep]]
k.l = 1979-05-27 07:32:00
'''
    tomllib.loads(text)
    lines = line_numbers(text)
    assert lines == {
        ("a",): 2,
        ("quoted # key",): 5,
        ("quoted # key", "b"): 5,
        ("quoted # key", "b", "c"): 5,
        ("quoted # key", "b", "c", 0): 5,
        ("quoted # key", "b", "c", 1): 6,
        ("quoted # key", "b", "d"): 6,
        ("t",): 7,
        ("t", 0): 7,
        ("t", 0, "k"): 8,
        ("t", 0, "sub"): 9,
        ("t", 0, "sub", "é"): 10,
        ("t", 1): 11,
        ("t", 1, "deep"): 12,
        ("t", 1, "deep", 0): 12,
        ("t", 1, "deep", 0, "k"): 13,
        ("t", 1, "deep", 0, "k", "l"): 13,
    }


@settings(deadline=None)
@given(st.text(st.sampled_from("a.=[]{}\"'#,\\ \n1"), max_size=60))
def test_no_text_makes_it_loop_or_break(text: str) -> None:
    line_numbers(text)
    try:
        parsed: Any = parse(text, name="x", shown="f")
    except BrokenScript:
        return
    assert parsed
