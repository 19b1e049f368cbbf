"""What was said in one conversation, what was expected, and how it reads."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from seatrial.conversation.expectation import Check, duration, shown
from seatrial.conversation.protocol import NoReply, Reply
from seatrial.evidence.outcome import Outcome

_WIDTH: Final = 96
_INDENT: Final = " " * 8


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One turn as it went. Either ``reply`` or ``trouble`` is there."""

    said: str
    reply: Reply | None
    trouble: NoReply | None
    checks: Sequence[Check]
    curl: str
    lost: float = 0.0
    """Seconds of the turn in which our own process stood still; of a wait that was in vain, at its very end."""

    @property
    def broken(self) -> tuple[Check, ...]:
        """The expectations that did not hold; the missing answer is one."""
        return tuple(check for check in self.checks if not check.held)

    @property
    def outcome(self) -> Outcome:
        """Outcome of this turn alone."""
        if self.untimed:
            return Outcome.ERROR
        if self.trouble is not None:
            return self.trouble.outcome
        return Outcome.FAIL if self.broken else Outcome.PASS

    @property
    def untimed(self) -> bool:
        """Whether all that is wrong with this turn is a time that we lost ourselves."""
        if not self.lost or not self.broken:
            return False
        if self.trouble is not None:
            return self.trouble.waited
        return all(check.excess is not None and check.excess <= self.lost for check in self.broken)


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """A conversation as far as it went: it ends with the first turn that does not hold."""

    conversation: str
    title: str
    service: str
    track: str
    url: str
    run_id: str
    session_id: str
    planned: int
    """Number of turns in the script."""
    exchanges: Sequence[Exchange]
    keeps_session: bool = False
    """Whether the service is told earlier turns by its session only, so that repeating one takes repeating them all."""

    def as_json(self) -> dict[str, Any]:
        """Everything, for the run's samples; times in seconds."""
        return {
            "conversation": self.conversation,
            "title": self.title,
            "service": self.service,
            "track": self.track,
            "url": self.url,
            "run": self.run_id,
            "session": self.session_id,
            "planned": self.planned,
            "turns": [
                {
                    "said": exchange.said,
                    "outcome": exchange.outcome.value,
                    "reply": dict(vars(exchange.reply)) if exchange.reply else None,
                    "trouble": _trouble(exchange.trouble),
                    "checks": [dict(vars(check)) for check in exchange.checks],
                    "curl": exchange.curl,
                    "lost": exchange.lost,
                }
                for exchange in self.exchanges
            ],
        }

    def __str__(self) -> str:
        head = f"conversation {self.conversation} with {self.service} {self.track} ({self.url})"
        lines = [head, f"  session {self.session_id}"]
        for number, exchange in enumerate(self.exchanges, 1):
            lines += _turn(number, exchange)
        left = self.planned - len(self.exchanges)
        if left:
            lines.append(f"  {left} more turn{'' if left == 1 else 's'} not said")
        failed = [exchange for exchange in self.exchanges if exchange.outcome is not Outcome.PASS]
        if failed:
            again = self.exchanges if self.keeps_session else failed
            lines += ["  repeat it:", *(f"    {exchange.curl}" for exchange in again)]
        return "\n".join(lines)


def _trouble(trouble: NoReply | None) -> dict[str, Any] | None:
    if trouble is None:
        return None
    names = ("expected", "seen", "latency", "partial", "status", "request_id")
    return {name: getattr(trouble, name) for name in names}


def _turn(number: int, exchange: Exchange) -> list[str]:
    reply, trouble = exchange.reply, exchange.trouble
    lines = [*_said(f"{number:>3} user", exchange.said)]
    if reply is not None:
        facts = [duration(reply.latency)]
        if reply.first_token is not None:
            facts.append(f"first token {duration(reply.first_token)}, {reply.tokens} tokens")
        if reply.intent:
            facts.append(f"intent {reply.intent}")
        lines += _said("    bot ", reply.text or "(no text)")
    else:
        assert trouble is not None
        facts = [duration(trouble.latency)]
        if trouble.partial:
            lines += _said("    bot ", f"{trouble.partial} [broken off]")
    status = reply.status if reply is not None else trouble.status if trouble is not None else None
    request_id = reply.request_id if reply is not None else trouble.request_id if trouble is not None else ""
    if status is not None:
        facts.append(f"HTTP {status}")
    if request_id:
        facts.append(f"request {request_id}")
    lines.append(f"{_INDENT} ({', '.join(facts)})")
    if exchange.untimed:
        lines.append(f"{_INDENT} our own process stood still for {duration(exchange.lost)} of it")
    answer = shown(reply.text) if reply is not None else ""
    width = max((len(check.expectation) for check in exchange.broken), default=0)
    for check in exchange.broken:
        begin = f"{_INDENT} FAILED {check.expectation:<{width}}"
        seen = "the answer above" if check.seen == answer else check.seen
        line = f"{begin}  expected {check.expected}  |  seen {seen}"
        if len(line) <= _WIDTH + len(_INDENT):
            lines.append(line)
        else:
            lines.append(begin.rstrip())
            lines += _said(f"{_INDENT}   expected", check.expected) + _said(f"{_INDENT}   seen    ", seen)
    return lines


def _said(who: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(text, _WIDTH - len(who)) or [""]
    return [f"{who} {wrapped[0]}", *(f"{' ' * len(who)} {line}" for line in wrapped[1:])]
