from __future__ import annotations

import pytest

from seatrial.demo.intents import INTENTS, Memory, replay, respond


@pytest.mark.parametrize(
    ("text", "intent", "contains"),
    [
        ("Hello", "greeting", "Hello"),
        ("  good morning!", "greeting", "Hello"),
        ("Hi, when are you open?", "opening_hours", "9:00 to 18:00"),
        ("What are your opening hours?", "opening_hours", "Saturday"),
        ("do you close at noon", "opening_hours", "18:00"),
        ("Where is my order?", "order_status", "order number"),
        ("Where is order 4711?", "order_status", "4711"),
        ("what about order #a-1042", "order_status", "A-1042"),
        ("I want to talk to a human", "human_handover", "human colleague"),
        ("Can I speak with someone about my order 4711", "human_handover", "human"),
        ("My name is Ada.", "name_given", "Ada"),
        ("Hello, my name is Зоя", "name_given", "Зоя"),
        ("What is my name?", "name_asked", "not told"),
        ("please call me back", "fallback", "not understand"),
        ("thanks, bye", "thanks", "welcome"),
        ("colourless green ideas", "fallback", "not understand"),
        ("", "fallback", "not understand"),
        ("4711", "fallback", "not understand"),
        ("my card is 4111111111111111", "private_data", "not kept"),
    ],
)
def test_one_turn(text: str, intent: str, contains: str) -> None:
    reply, _ = respond(text, Memory())
    assert (reply.intent, contains in reply.text) == (intent, True), reply
    assert intent in INTENTS


@pytest.mark.parametrize(
    ("said", "intent", "contains"),
    [
        (["Where is order 4711?", "Hello", "When will it arrive?"], "order_status", "4711"),
        (["Where is my order?", "4711"], "order_status", "4711"),
        (["Where is my order?", "it is A-1042"], "order_status", "A-1042"),
        (["Where is order 4711?", "and order 4712?", "which order did I ask about?"], "order_status", "4712"),
        (["My name is Ada", "When are you open?", "What's my name?"], "name_asked", "Ada"),
        (["My name is Ada", "hello"], "greeting", "Ada"),
        (["blah", "blah"], "fallback", "ask for a human"),
        (["blah", "hello", "blah"], "fallback", "differently"),
        (["Where is my order?", "blah", "4711"], "fallback", "understand"),
    ],
)
def test_several_turns(said: list[str], intent: str, contains: str) -> None:
    reply, _ = respond(said[-1], replay(said[:-1], Memory()))
    assert (reply.intent, contains in reply.text) == (intent, True), reply


def test_a_lost_intent_falls_back_and_leaves_the_others() -> None:
    lost = frozenset({"opening_hours"})
    assert respond("When are you open?", Memory(), lost=lost)[0].intent == "fallback"
    assert respond("Where is order 4711?", Memory(), lost=lost)[0].intent == "order_status"


def test_a_card_number_is_never_said_back() -> None:
    for text in ("order 4111111111111111", "order 4111-1111-1111-1111", "my name is 4111111111111111"):
        assert "1111" not in respond(text, Memory())[0].text
