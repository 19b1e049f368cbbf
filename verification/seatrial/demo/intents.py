"""What the bot understands and says: pure functions of the text and of what is remembered of the conversation."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What the bot keeps of a conversation."""

    name: str | None = None
    order: str | None = None
    awaits_order: bool = False
    """The bot's last sentence asked for an order number."""
    fallbacks: int = 0
    """How many turns in a row were not understood."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the bot says, and as what it understood the user."""

    intent: str
    text: str


Turn = tuple[Reply, Memory]
Rule = Callable[[str, Memory], Turn | None]

# Letters and digits as shops write them (A-1042, 4711); 13 digits and more are card or account numbers, not orders.
_ORDER_NUMBER: Final = re.compile(r"(?<![\w-])#?((?:[a-z]{1,3}-?)?\d{3,12})(?![\w-])", re.IGNORECASE)
_ORDER: Final = re.compile(
    r"\b(orders?|ordered|parcel|package|shipment|deliver(?:y|ed)|track(?:ing)?|arrives?|where is (?:it|my))\b",
    re.IGNORECASE,
)
_HUMAN: Final = re.compile(
    r"\b(human|agent|operator|representative|real person|(?:talk|speak) (?:to|with) (?:a person|someone|somebody))\b",
    re.IGNORECASE,
)
_HOURS: Final = re.compile(r"\b(open|opens|opening|hours|close|closes|closed|closing)\b", re.IGNORECASE)
_NAME_GIVEN: Final = re.compile(
    r"\b(?:my name is|i am called|you can call me)\s+([^\W\d_][^\W\d_'’-]{0,39})", re.IGNORECASE
)
_NAME_ASKED: Final = re.compile(
    r"\b(what(?:'s|’s| is) my name|who am i|(?:know|remember) my name|remember me)\b", re.IGNORECASE
)
_GREETING: Final = re.compile(r"^\W*(hi|hello|hey|good (?:morning|afternoon|evening|day))\b", re.IGNORECASE)
_THANKS: Final = re.compile(r"\b(thanks|thank you|bye|goodbye)\b", re.IGNORECASE)

_INJECTION: Final = re.compile(
    r"\bignore (?:all |any )?(?:previous|prior|earlier|your) (?:instructions|rules)\b|\bsystem prompt\b"
    r"|\bdeveloper mode\b|\bpretend (?:to be|you are)\b",
    re.IGNORECASE,
)
_PRIVATE: Final = re.compile(
    r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])|[\w.+-]+@[\w-]+\.[\w.-]+|\b(?:AKIA|sk-)[\w-]{12,}"
)
_RETURNS: Final = re.compile(r"\b(returns?|refunds?|send back|exchange)\b", re.IGNORECASE)
_SHIPPING: Final = re.compile(r"\b(shipping|postage)\b", re.IGNORECASE)
_WARRANTY: Final = re.compile(r"\b(warranty|guarantee|repair)\b", re.IGNORECASE)
_PAYMENT: Final = re.compile(r"\b(pay|payment|invoice)\b", re.IGNORECASE)

_STATES: Final = (
    "is being packed and leaves our warehouse tomorrow",
    "is on its way and arrives on Thursday",
    "was delivered on Monday",
    "waits at the pick-up point in your street",
)


def _says(pattern: re.Pattern[str], intent: str, text: str) -> Rule:
    """A rule that answers whatever matches with the same words."""

    def rule(said: str, memory: Memory) -> Turn | None:
        return (Reply(intent=intent, text=text), memory) if pattern.search(said) else None

    return rule


def _human(text: str, memory: Memory) -> Turn | None:
    if not _HUMAN.search(text):
        return None
    return Reply(intent="human_handover", text="I am handing you over to a human colleague, please hold on."), memory


def _order_status(text: str, memory: Memory) -> Turn | None:
    number = _ORDER_NUMBER.search(text)
    if not _ORDER.search(text) and not (number and memory.awaits_order):
        return None
    order = number.group(1).upper() if number else memory.order
    if order is None:
        reply = "I can look that up. What is your order number?"
        return Reply(intent="order_status", text=reply), replace(memory, awaits_order=True)
    # The state follows from the number, so that stable, candidate and the next run all say the same.
    state = _STATES[zlib.crc32(order.encode()) % len(_STATES)]
    reply = f"Your order {order} {state}."
    return Reply(intent="order_status", text=reply), replace(memory, order=order, awaits_order=False)


def _name_given(text: str, memory: Memory) -> Turn | None:
    given = _NAME_GIVEN.search(text)
    if not given:
        return None
    name = given.group(1)
    return Reply(intent="name_given", text=f"Nice to meet you, {name}. How can I help?"), replace(memory, name=name)


def _name_asked(text: str, memory: Memory) -> Turn | None:
    if not _NAME_ASKED.search(text):
        return None
    known = f"Your name is {memory.name}." if memory.name else "You have not told me your name yet."
    return Reply(intent="name_asked", text=known), memory


def _opening_hours(text: str, memory: Memory) -> Turn | None:
    if not _HOURS.search(text):
        return None
    hours = "We are open Monday to Friday from 9:00 to 18:00 and on Saturday from 10:00 to 14:00."
    return Reply(intent="opening_hours", text=hours), memory


def _thanks(text: str, memory: Memory) -> Turn | None:
    if not _THANKS.search(text):
        return None
    return Reply(intent="thanks", text="You are welcome. Have a good day."), memory


def _greeting(text: str, memory: Memory) -> Turn | None:
    if not _GREETING.search(text):
        return None
    whom = f", {memory.name}" if memory.name else ""
    return Reply(intent="greeting", text=f"Hello{whom}! How can I help you today?"), memory


REFUSAL: Final = "I am sorry, I cannot help with that. Ask me about orders and opening hours."
RETURNS: Final = "You can return anything within 30 days, and we refund you within a week."
SHIPPING: Final = "Shipping inside the country costs 4.90, and nothing above 50. To other countries it costs 9.90."

# The first rule that matches answers: what is said beside a greeting matters more than the greeting.
RULES: Final[tuple[tuple[str, Rule], ...]] = (
    (
        "refusal",
        _says(_INJECTION, "refusal", "I am sorry, I cannot help with that. Ask me about orders and opening hours."),
    ),
    ("private_data", _says(_PRIVATE, "private_data", "Please do not send me such details; I have not kept them.")),
    ("human_handover", _human),
    ("name_asked", _name_asked),
    ("name_given", _name_given),
    ("shipping", _says(_SHIPPING, "shipping", SHIPPING)),
    ("returns", _says(_RETURNS, "returns", RETURNS)),
    ("warranty", _says(_WARRANTY, "warranty", "Everything that we sell has a warranty of two years.")),
    ("payment", _says(_PAYMENT, "payment", "You can pay by card, by invoice or when the parcel comes.")),
    ("order_status", _order_status),
    ("opening_hours", _opening_hours),
    ("thanks", _thanks),
    ("greeting", _greeting),
)
INTENTS: Final = (*(intent for intent, _ in RULES), "fallback")


def respond(text: str, memory: Memory, *, lost: frozenset[str] = frozenset()) -> Turn:
    """The bot's reply to ``text``, and what it remembers afterwards; intents in ``lost`` are not understood."""
    for intent, rule in RULES:
        if intent in lost:
            continue
        turn = rule(text, memory)
        if turn is not None:
            reply, after = turn
            return reply, replace(after, fallbacks=0)
    # A bot that repeats its fallback word for word drives people away; the second one offers a way out.
    if memory.fallbacks == 0:
        sorry = "Sorry, I did not understand that. Could you say it differently?"
    else:
        sorry = "I still do not understand. You can ask about an order or our opening hours, or ask for a human."
    return Reply(intent="fallback", text=sorry), replace(memory, fallbacks=memory.fallbacks + 1, awaits_order=False)


def replay(texts: Iterable[str], memory: Memory, *, lost: frozenset[str] = frozenset()) -> Memory:
    """What is remembered after the user said ``texts``, starting from ``memory``."""
    for text in texts:
        _, memory = respond(text, memory, lost=lost)
    return memory
