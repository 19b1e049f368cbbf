"""The parser of server-sent events: the standard's examples, and any way of cutting the bytes."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.conversation import sse
from seatrial.conversation.sse import Event, EventParser


def parse(*chunks: bytes) -> list[Event]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b"data: a\ndata: b\n\n", [Event("a\nb")]),
        (b"data:a\r\n\r\ndata: b\r\r", [Event("a"), Event("b")]),
        (b"data:  a\n\n", [Event(" a")]),
        (b": comment\n\ndata: a\n\n", [Event("a")]),
        (b"event: ping\ndata: {}\nid: 3\n\ndata: x\n\n", [Event("{}", "ping"), Event("x")]),
        (b"event: ping\n\ndata: x\n\n", [Event("x")]),
        (b"data\n\ndata\ndata\n\n", [Event(""), Event("\n")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"data: a\n", []),
        (b"data: \xff\n\n", [Event("\ufffd")]),
    ],
)
def test_events(raw: bytes, events: list[Event]) -> None:
    assert parse(raw) == events


LINES = st.sampled_from(
    ["data: a", "data: é€😀", "data:", "data", "event: e", ": c", "", "", "id: 1", "retry: 1", "x:y"]
)


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=20),
    cuts=st.sets(st.integers(0, 200)),
)
def test_cutting_the_bytes_changes_nothing(lines: list[tuple[str, str]], cuts: set[int]) -> None:
    raw = "".join(line + ending for line, ending in lines).encode()
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    pieces = [raw[start:end] for start, end in itertools.pairwise(edges)]
    assert parse(*pieces) == parse(raw)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=30)))
def test_no_bytes_break_it(chunks: list[bytes]) -> None:
    assert parse(*chunks) == parse(b"".join(chunks))


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_what_is_written_is_read(texts: list[str]) -> None:
    raw = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert [event.data for event in parse(raw)] == texts


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_LINE", 100)
    with pytest.raises(ValueError, match="more than 100 characters"):
        parse(b"data: " + b"x" * 200)
