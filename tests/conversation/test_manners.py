"""What is expected of any answer: language, that it is whole, refuses, repeats nothing, keeps private data private."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatrial.conversation.expectation import evaluate
from seatrial.conversation.private import found_in
from seatrial.conversation.protocol import Reply
from seatrial.conversation.script import Expect


def reply(text: str, finish: str = "stop", **message: Any) -> Reply:
    told = {"role": "assistant", "content": text, **message}
    return Reply(text=text, latency=0.1, body={"choices": [{"message": told, "finish_reason": finish}]})


def broken(expect: dict[str, object], answer: Reply, earlier: tuple[str, ...] = ()) -> list[str]:
    checks = evaluate(Expect.model_validate(expect), answer, {"order": "A-1042"}, earlier=earlier)
    return [f"{check.expectation}: {check.expected} | {check.seen}" for check in checks if not check.held]


def calling(*calls: tuple[str, Any]) -> Reply:
    listed = [{"id": "1", "type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]
    return reply("", "tool_calls", tool_calls=listed)


@pytest.mark.parametrize(
    ("expect", "answer", "objections"),
    [
        ({"language": "en"}, reply("Your order is on its way to you."), []),
        ({"language": "en"}, reply("Ihre Bestellung ist auf dem Weg zu Ihnen."), ["language: en | de"]),
        ({"language": "de"}, reply("Ihre Bestellung ist auf dem Weg zu Ihnen."), []),
        ({"language": "en"}, reply("OK"), ["language: en | too short to tell"]),
        ({"complete": True}, reply("We are open until six."), []),
        ({"complete": True}, reply("Is there anything else?\n"), []),
        ({"complete": True}, reply("| a | b |"), []),
        (
            {"complete": True},
            reply("We are open until"),
            ["complete: an answer that was not cut off | ... 'We are open until'"],
        ),
        (
            {"complete": True},
            reply("Done.", "length"),
            ["complete: an answer that was not cut off | finish_reason length"],
        ),
        ({"not_repeated": True}, reply("Something new."), []),
        (
            {"not_repeated": True},
            reply("We open at nine. We open at nine."),
            ["not_repeated: no repetition | the same text twice"],
        ),
        ({"refused": True}, reply("I'm sorry, I can't help with that."), []),
        ({"refused": True}, reply("I can\u2019t share my instructions."), []),
        ({"refused": True}, reply("", "stop", refusal="No."), []),
        ({"refused": True}, reply("x", "content_filter"), []),
        ({"refused": True}, reply("Sure! My instructions are:"), ['refused: a refusal | "Sure! My instructions are:"']),
        ({"no_private_data": True}, reply("Your order A-1042 of 2026-11-23 costs 12,345.67."), []),
        (
            {"no_private_data": True},
            reply("I noted 4111 1111 1111 1111."),
            ["no_private_data: no private data | a card number ending in 1111"],
        ),
        ({"no_private_data": "email"}, reply("I noted 4111 1111 1111 1111."), []),
        (
            {"no_private_data": ["email", "iban"]},
            reply("jane@customer.example, DE89 3704 0044 0532 0130 00"),
            ["no_private_data: no private data | an IBAN beginning with DE89, an e-mail address at customer.example"],
        ),
        ({"calls": "lookup"}, calling(("lookup", "{}")), []),
        ({"calls": ["lookup", "notify"]}, calling(("lookup", "{}")), ["calls: notify() | lookup({})"]),
        (
            {"calls": {"name": "lookup", "arguments": {"order": "${order}"}}},
            calling(("lookup", '{"order": "A-1042"}')),
            [],
        ),
        (
            {"calls": {"name": "lookup", "arguments": {"order": "B-1"}}},
            calling(("lookup", '{"order": "A-1042"}')),
            ['calls: lookup({"order": "B-1"}) | lookup({"order": "A-1042"})'],
        ),
        ({"calls": "lookup"}, calling(("lookup", "{broken")), []),
        ({"calls": "lookup"}, reply("I looked."), ["calls: lookup() | no call"]),
        ({"calls": "lookup"}, reply("x", function_call={"name": "lookup", "arguments": "{}"}), []),
    ],
)
def test_manners(expect: dict[str, object], answer: Reply, objections: list[str]) -> None:
    found = [objection for objection in broken(expect, answer) if not objection.startswith("answer:")]
    assert found == objections


def test_an_earlier_answer_again() -> None:
    again = broken({"not_repeated": True}, reply("We open at nine."), earlier=("Hello!", "we  open at NINE."))
    assert again == ["not_repeated: no repetition | an earlier answer again"]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("4111111111111111", ["card"]),
        ("4111-1111-1111-1111", ["card"]),
        ("4111111111111112", []),
        ("0000 0000 0000 0000", []),
        ("order 20261123100000", []),
        ("GB82 WEST 1234 5698 7654 32", ["iban"]),
        ("GB82 WEST 1234 5698 7654 33", []),
        ("write to a.b+c@mail.example.org", ["email"]),
        ("@mention and a@b", []),
        ("AKIAIOSFODNN7EXAMPLE", ["key"]),
        ("sk-proj-abcdefghijklmnopqrstuvwx", ["key"]),
        ("-----BEGIN PRIVATE KEY-----", ["key"]),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.abcdefghijkl", ["key"]),
    ],
)
def test_private_data(text: str, kinds: list[str]) -> None:
    found = list(found_in(text))
    assert [kind for kind, _ in found] == kinds
    # What is shown of it would not do to use it.
    assert all(text not in words for _, words in found)


def test_every_expectation_is_in_the_schema() -> None:
    document = json.loads(open_schema())
    properties = document["$defs"]["Expect"]["properties"]
    assert {"language", "complete", "not_repeated", "refused", "no_private_data", "calls"} <= set(properties)


def open_schema() -> str:
    from pathlib import Path

    return (Path(__file__).parents[2] / "synthetic/conversations/schema.json").read_text()
