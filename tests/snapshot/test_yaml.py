"""YAML as Kubernetes reads it, whichever of the two parsers is taken."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.snapshot.yaml import YamlProblem, documents


def values(text: str) -> list[Any]:
    return [document.value for document in documents(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", [{"a": 1}]),
        ('{"a": [1, 2.5, null, true]}', [{"a": [1, 2.5, None, True]}]),
        ("a: 1\n---\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("# only a comment\n", []),
        ("", []),
        ("a: 1\r\nb: |\r\n  x\r\n  y\r\n", [{"a": 1, "b": "x\ny\n"}]),
        ("a: &x {b: 1}\nc: *x\n", [{"a": {"b": 1}, "c": {"b": 1}}]),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", [{"a": {"b": 1}, "c": {"b": 1, "d": 2}}]),
        ("a: yes\nb: off\nc: 'yes'\nd: y\n", [{"a": True, "b": False, "c": "yes", "d": True}]),
        ("- on\n- no\n", [[True, False]]),
        ("a: 0644\nb: 0o644\nc: 0x1F\nd: 1_000\n", [{"a": 420, "b": 420, "c": 31, "d": 1000}]),
        ("a: 2026-11-23\nb: 2026-11-23T10:00:00Z\n", [{"a": "2026-11-23", "b": "2026-11-23T10:00:00Z"}]),
        ("a: 1e3\nb: .5\nc: 12:30\n", [{"a": 1000.0, "b": 0.5, "c": "12:30"}]),
        ("a: ~\nb: null\nc:\n", [{"a": None, "b": None, "c": None}]),
        ("1: a\ntrue: b\n", [{"1": "a", "true": "b"}]),
        ("on: push\n", [{"true": "push"}]),
        ("a: |\n  x: yes\n  y: 010\n", [{"a": "x: yes\ny: 010\n"}]),
        ("a: !!python/object/apply:os.system [ls]\n", None),
        ("image: registry.example/a:1.5\n", [{"image": "registry.example/a:1.5"}]),
        ("a: ünïcödé 日本語\n", [{"a": "ünïcödé 日本語"}]),
    ],
)
def test_values(text: str, expected: list[Any] | None) -> None:
    if expected is None:
        # Whatever becomes of it, nothing is executed and no object of a class of ours is made.
        assert values(text) == [{"a": ["ls"]}]
    else:
        assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands there twice"),
        ("a: 1\n---\nb:\n  c: 1\n  c: 2\n", 5, "the key 'c' stands there twice"),
        ("a:\n  b: [1, 2\nc: 3\n", 3, "did not find expected"),
        ("a:\n\tb: 1\n", 2, "found character"),
        ("a: *nobody\n", 1, "undefined alias"),
        ("a: 'open\n", 2, "unexpected end"),
        ("{{ .Values.image }}\n", 1, ""),
    ],
)
def test_what_is_no_yaml(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlProblem) as caught:
        documents(text)
    assert words in str(caught.value)
    assert caught.value.line == line
    assert "\n" not in str(caught.value)


def test_where_documents_begin() -> None:
    text = "# first\na: 1\n---\nb: 2\n---\n# third\nc: 3\n"
    assert [document.line for document in documents(text)] == [1, 4, 6]
    assert [document.line for document in documents("---\na: 1\n---\nb: 2\n")] == [2, 4]


def test_many_aliases_are_no_bomb() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with contextlib.suppress(YamlProblem):
        documents("\n".join(lines))


def test_deep_nesting_is_no_crash() -> None:
    with pytest.raises(YamlProblem):
        documents("[" * 5_000 + "]" * 5_000)


# Line breaks that only YAML 1.1 knows, and control characters, stand in no manifest.
letters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"))
scalars = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(letters, max_size=12)
objects = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(letters, max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(objects)
def test_json_comes_back(value: Any) -> None:
    assert values(json.dumps(value)) == ([] if value is None else [value])


@given(objects)
def test_a_flow_of_yaml_comes_back(value: Any) -> None:
    text = "# JSON is YAML, but for what comes before it\n" + json.dumps(value, ensure_ascii=False) + "\n"
    assert values(text) == ([] if value is None else [value])
