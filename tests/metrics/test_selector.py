"""Selectors of series: written, read, matched."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment.selector import Matcher, Operator, Selector, parse_matchers

names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,10}", fullmatch=True)
plain = st.builds(Matcher, label=names, operator=st.sampled_from(["=", "!="]), value=st.text(max_size=12))
patterns = st.builds(
    Matcher, label=names, operator=st.sampled_from(["=~", "!~"]), value=st.sampled_from(["5..", "a|b", "", ".+", r"\d"])
)
selectors = st.builds(Selector, name=names, matchers=st.lists(plain | patterns, max_size=3).map(tuple))


@given(selectors)
def test_what_is_written_is_read_back(selector: Selector) -> None:
    assert Selector.parse(str(selector)) == selector


@given(st.text(max_size=40))
def test_any_text_is_a_selector_or_a_value_error(text: str) -> None:
    try:
        selector = Selector.parse(text)
    except ValueError:
        return
    assert Selector.parse(str(selector)) == selector


ESCAPES = {
    r'"\a\b\f\n\r\t\v\\\""': '\a\b\f\n\r\t\v\\"',
    r"'\''": "'",
    r'"\101\x42\u0043\U00000044"': "ABCD",
    r'"\u00e9\U0001F600"': "é😀",
    r'"\000\x7f"': "\0\x7f",
}


@pytest.mark.parametrize(("literal", "value"), ESCAPES.items())
def test_escapes_are_those_of_promql(literal: str, value: str) -> None:
    assert parse_matchers(f"label={literal}")[0].value == value


@pytest.mark.parametrize("escape", ["'", "d", "x4", "u004", "U0000004", "8", "07", "400", "xff", "ud800", "U00110000"])
def test_what_is_no_escape_is_refused(escape: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"seen \\{escape[0]}")):
        parse_matchers(f'label="\\{escape}"')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a selector such as"),
        ("5xx", "expected a selector such as"),
        ("a b", "expected labels in braces after a; seen 'b'"),
        ("a{b='1'", "expected labels in braces"),
        ("a{b=1}", "expected label="),
        ("a{b='1' c='2'}", "expected a comma"),
        ("a{b=~'('}", "not a regular expression"),
        (r"a{b='\q'}", "expected an escape"),
        ("rate(a[5m])", "expected labels in braces"),
    ],
)
def test_what_is_none_says_where(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Selector.parse(text)


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ("code='500'", {"code": "500"}, True),
        ("code='500'", {}, False),
        ("code=''", {}, True),
        ("code!='500'", {}, True),
        ("code=~'5..'", {"code": "503"}, True),
        ("code=~'5'", {"code": "503"}, False),
        ("code!~'5..'", {"code": "200"}, True),
        ("code=~'5..',", {"code": "503"}, True),
    ],
)
def test_matching_is_that_of_prometheus(text: str, labels: dict[str, str], holds: bool) -> None:
    assert all(matcher.holds(labels) for matcher in parse_matchers(text)) is holds


def test_all_operators_are_tried() -> None:
    assert set(get_args(Operator)) == {"=", "!=", "=~", "!~"}
