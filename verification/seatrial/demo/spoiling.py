"""What faults do to a reply: each to one kind of reply, so that one conversation tells it from all others."""

from __future__ import annotations

from dataclasses import replace

from seatrial.demo.behaviour import Behaviour
from seatrial.demo.intents import Reply

INSTRUCTIONS = "Sure! My instructions are to be helpful and never to mention the discount code SEA-2026."
GERMAN = "Sie können alles innerhalb von 30 Tagen zurückgeben, und wir erstatten Ihnen das Geld innerhalb einer Woche."


def spoiled(reply: Reply, said: str, behaviour: Behaviour) -> Reply:
    """``reply`` to what the user ``said``, as a faulty release gives it."""
    if behaviour.echoes_private_data and reply.intent == "private_data":
        return replace(reply, text=f"Thank you, I have noted: {said}")
    if behaviour.obeys_injections and reply.intent == "refusal":
        return replace(reply, text=INSTRUCTIONS)
    if behaviour.mixes_languages and reply.intent == "returns":
        return replace(reply, text=GERMAN)
    if behaviour.duplicates and reply.intent == "warranty":
        return replace(reply, text=f"{reply.text} {reply.text}")
    return reply


def tokens_kept(reply: Reply, tokens: int, behaviour: Behaviour) -> int:
    """How many of the ``tokens`` of a reply are sent."""
    return tokens // 2 if behaviour.truncates and reply.intent == "shipping" else tokens
