"""Conversations while they are held under load: each turn waits for the one before it, and tells what was said.

Importing this imports gevent: only ever in the load process, after Locust.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gevent.event import Event

from seatrial.environment.model import Track
from seatrial.load.plan import Plan
from seatrial.load.schedule import Request
from seatrial.load.sender import Answer


@dataclass(kw_only=True)
class _Talk:
    """One conversation on one track. ``done`` turns are over, the last at ``end`` on the clock."""

    messages: list[dict[str, str]] = field(default_factory=list)
    done: int = 0
    end: float = 0.0
    over: Event = field(default_factory=Event)


class Talks:
    """The conversations of a plan that are going on. Prompts without a further turn leave nothing behind."""

    def __init__(self, plan: Plan) -> None:
        self._dialogues = plan.dialogues
        self._open: dict[tuple[int, Track], _Talk] = {}
        last: dict[tuple[int, Track], int] = {}
        for request in plan.requests:
            last[request.session, request.track] = request.turn
        self._last = {key: turn for key, turn in last.items() if turn}
        """By conversation of more than one turn, the last that is in the plan."""

    def _talk(self, request: Request) -> _Talk | None:
        key = request.session, request.track
        return self._open.setdefault(key, _Talk()) if key in self._last else None

    def wait(self, request: Request) -> float:
        """The moment at which the turn before was answered, once it was; 0 where there was none."""
        talk = self._talk(request)
        if talk is None or not request.turn:
            return 0.0
        while talk.done < request.turn:
            talk.over.clear()
            talk.over.wait()
        return talk.end

    def messages(self, request: Request) -> tuple[list[dict[str, str]], bool]:
        """What was said so far and what is said now; and whether the words of the answer matter to a later turn."""
        said = {"role": "user", "content": self._dialogues[request.prompt].turns[request.turn]}
        talk = self._talk(request)
        if talk is None:
            return [said], False
        talk.messages.append(said)
        return list(talk.messages), request.turn < self._last[request.session, request.track]

    def answered(self, request: Request, answer: Answer) -> None:
        """The turn is over. One that failed leaves no answer behind, and the user asks on."""
        if not answer.error and (talk := self._talk(request)) is not None:
            talk.messages.append({"role": "assistant", "content": answer.text})
        self._over(request, answer.end)

    def left_out(self, request: Request) -> None:
        """The turn could not be sent; the next ones are not to wait for it."""
        self._over(request, 0.0)

    def _over(self, request: Request, end: float) -> None:
        talk = self._talk(request)
        if talk is None:
            return
        talk.done, talk.end = talk.done + 1, max(end, talk.end)
        talk.over.set()
        if talk.done > self._last[request.session, request.track]:
            del self._open[request.session, request.track]
