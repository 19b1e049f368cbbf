"""Each kind of expectation, met and not met."""

import pytest

from seatrial.conversation.expectation import duration, evaluate, shown
from seatrial.conversation.protocol import Reply
from seatrial.conversation.script import FALLBACK_PHRASES, Expect

TEXT = "Your order A-1042\n  arrives on Thursday."
BODY = {
    "object": "chat.completion",
    "usage": {"total": 12},
    "stop": True,
    "one": 1,
    "tags": ["a", "b"],
    "note": "A-1042",
    "nested": {"x": [1, 2]},
}
VALUES = {"order": "A-1042", "other": "B-1", "dots": "A.1042"}


def reply(**more: object) -> Reply:
    facts = {"text": TEXT, "latency": 0.25, "body": BODY, "intent": "order_status"} | more
    return Reply(**facts)  # type: ignore[arg-type]


def broken(expect: dict[str, object], answer: Reply) -> list[str]:
    checks = evaluate(Expect.model_validate(expect), answer, VALUES, FALLBACK_PHRASES)
    return [f"{check.expectation}: {check.expected} | {check.seen}" for check in checks if not check.held]


SAID = '"Your order A-1042 arrives on Thursday."'


@pytest.mark.parametrize(
    ("expect", "objections"),
    [
        ({}, []),
        ({"contains": "ORDER a-1042 arrives"}, []),
        ({"contains": ["order", "Friday"]}, [f'contains: "Friday" | {SAID}']),
        ({"contains": "${order}"}, []),
        ({"not_contains": ["Friday", "thursday"]}, [f'not_contains: no "thursday" | {SAID}']),
        ({"one_of": ["Friday", "Thursday"]}, []),
        ({"one_of": ["Friday", "Monday"]}, [f'one_of: "Friday" or "Monday" | {SAID}']),
        ({"matches": r"A-\d{4}\s"}, []),
        ({"matches": "order ${dots}"}, [rf"matches: /order A\.1042/ | {SAID}"]),
        ({"matches": "^your"}, [f"matches: /^your/ | {SAID}"]),
        ({"matches": ["(?i)^your", r"\.$"]}, []),
        ({"intent": "order_status"}, []),
        ({"intent": ["greeting", "order_status"]}, []),
        ({"intent": ["greeting", "thanks"]}, ["intent: greeting or thanks | order_status"]),
        ({"remembers": "order"}, []),
        ({"remembers": ["order", "other"]}, [f'remembers: other from before: "B-1" | {SAID}']),
        ({"not_fallback": True}, []),
        ({"max_latency": "250ms"}, []),
        ({"max_latency": "100ms"}, ["max_latency: at most 100 ms | 250 ms"]),
        ({"max_first_token": "1s"}, ["max_first_token: at most 1.00 s | none"]),
        ({"json": {"$.object": "chat.completion", "$.stop": True, "$.one": 1, "$.note": "${order}"}}, []),
        ({"json": {"$.nested": {"equals": {"x": [1, 2]}}, "$.tags": ["a", "b"]}}, []),
        ({"json": {"$.object": "chat"}}, ['json $.object: "chat" | "chat.completion"']),
        ({"json": {"$.stop": 1}}, ["json $.stop: 1 | true"]),
        ({"json": {"$.one": True}}, ["json $.one: true | 1"]),
        ({"json": {"$.tags[*]": "a"}}, ['json $.tags[*]: "a" | "a", "b"']),
        ({"json": {"$.tags[*]": {"matches": "^[ab]$"}}}, []),
        ({"json": {"$.one": {"matches": "1"}}}, ["json $.one: /1/ | 1"]),
        ({"json": {"$.none": {"matches": "1"}}}, ["json $.none: /1/ | nothing selected"]),
        ({"json": {"$.usage.total": {"at_least": 1, "at_most": 12}}}, []),
        ({"json": {"$.usage.total": {"at_most": 11}}}, ["json $.usage.total: at most 11 | 12"]),
        ({"json": {"$.stop": {"at_least": 0}}}, ["json $.stop: at least 0 | true"]),
        ({"json": {"$.none": {"exists": False}, "$.one": {"exists": True}}}, []),
        ({"json": {"$.one": {"exists": False}}}, ["json $.one: nothing | 1"]),
        ({"json": {"$.none": {"exists": True}}}, ["json $.none: something | nothing selected"]),
    ],
)
def test_expectations(expect: dict[str, object], objections: list[str]) -> None:
    assert broken(expect, reply()) == objections


@pytest.mark.parametrize(
    ("more", "expect", "objections"),
    [
        ({"text": " \n"}, {}, ["answer: an answer with text | no text"]),
        ({"intent": None}, {"intent": "x"}, ["intent: x | no intent reported"]),
        ({"intent": "fallback"}, {"not_fallback": True}, [f"not_fallback: no fallback | {SAID}"]),
        (
            {"text": "I do NOT  understand.", "intent": None},
            {"not_fallback": True},
            ['not_fallback: no fallback | "I do NOT understand."'],
        ),
        ({"first_token": 0.1, "longest_pause": 0.2}, {"max_first_token": "100ms", "max_pause": "200ms"}, []),
        ({"longest_pause": 0.3}, {"max_pause": "200ms"}, ["max_pause: at most 200 ms | 300 ms"]),
        ({"body": None}, {"json": {"$.x": {"exists": False}}}, []),
        ({"text": "cafe\N{COMBINING ACUTE ACCENT}"}, {"contains": "CAFÉ"}, []),
    ],
)
def test_replies(more: dict[str, object], expect: dict[str, object], objections: list[str]) -> None:
    assert broken(expect, reply(**more)) == objections


def test_what_people_read_is_short() -> None:
    assert shown("a\n b") == '"a b"'
    assert len(shown("x" * 1000)) == 305
    assert [duration(seconds) for seconds in (None, 0.0414, 2.5)] == ["none", "41 ms", "2.50 s"]
