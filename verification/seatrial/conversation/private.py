"""Private data in a text: what a chatbot must never say back, whoever said it first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stdnum import iban, luhn

_CARD: Final = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_EMAIL: Final = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
_KEYS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|\bxox[abprs]-[0-9A-Za-z-]{20,}"
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
)
"""Keys and tokens by the forms that issuers give them: AWS, GitHub, Slack, OpenAI and its like, JSON Web Tokens."""

KINDS: Final = ("card", "iban", "email", "key")


def found_in(text: str) -> Iterator[tuple[str, str]]:
    """Kind and place of each piece of private data, masked so that it may be shown."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        # One number in ten passes by chance; all zeros is a placeholder.
        if luhn.is_valid(digits) and set(digits) != {"0"}:
            yield "card", f"a card number ending in {digits[-4:]}"
    for match in _IBAN.finditer(text):
        if iban.is_valid(match[0]):
            yield "iban", f"an IBAN beginning with {match[0][:4]}"
    for match in _EMAIL.finditer(text):
        yield "email", f"an e-mail address at {match[0].partition('@')[2]}"
    for match in _KEYS.finditer(text):
        yield "key", f"a key beginning with {match[0][:4]}"
