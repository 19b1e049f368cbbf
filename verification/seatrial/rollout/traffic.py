"""What users get while a release is brought out: small requests to the public address, and which version answers them.

Three kinds of users ask. *Fresh* ones come once, on a connection of their own and without a cookie: they tell the share
of traffic and the moment of a switch. *Staying* ones keep connection and cookies: they tell whether users are thrown
from one version to the other. *Talking* ones have an answer streamed to them, so that there is always one in flight:
they tell whether conversations are cut.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Self, TextIO

from seatrial.environment.selection import ServiceTarget
from seatrial.http.concurrent import AsyncClient, ExchangeError, diagnose, was_not_heard

Kind = Literal["fresh", "staying", "talking"]

KEPT: Final = 60.0
"""Seconds for which users who stay keep a connection that is idle; browsers keep theirs for minutes."""
TALK: Final = "What are your opening hours?"
"""Asked by users who talk; harmless, and answered at some length."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request and what came of it. ``at`` and ``took`` are seconds, ``at`` since the watch began.

    ``version`` is empty where the answer does not say. ``error`` is empty where there was a whole answer below 400.
    ``again`` says that it was asked twice, as browsers do: a kept connection had ended before a byte of the answer.
    """

    kind: Kind
    user: int
    at: float
    took: float
    status: int = 0
    version: str = ""
    error: str = ""
    again: bool = False

    @property
    def end(self) -> float:
        """When it was answered."""
        return self.at + self.took


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Who asks: ``rate`` fresh users per second, and so many who stay; each of them asks once a second.

    ``talking`` of those who stay have answers streamed; 0 where the environment does not allow load.
    """

    rate: float = 5.0
    staying: int = 4
    talking: int = 0
    timeout: float = 5.0


class Traffic:
    """Asks from a thread of its own for as long as its block lasts. What was seen so far is in ``seen``, by its end.

    Every request is also a line of ``path``, at once, so that an interrupted watch leaves evidence that holds.
    """

    def __init__(
        self, target: ServiceTarget, audience: Audience, *, run_id: str, path: Path, bearer: str | None = None
    ) -> None:
        self._target = target
        self._audience = audience
        self._run_id = run_id
        self._bearer = bearer
        self._path = path
        self.seen: list[Seen] = []
        self._start = time.monotonic()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="seatrial-traffic", daemon=True)

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def now(self) -> float:
        """Seconds since the watch began."""
        return time.monotonic() - self._start

    def check(self) -> None:
        """Raise what ended the thread, if something did."""
        if self._failure is not None:
            raise self._failure

    def since(self, moment: float, kind: Kind | None = None) -> list[Seen]:
        """What was asked at ``moment`` or later and has been answered, in the order of the answers."""
        return [one for one in list(self.seen) if one.at >= moment and (kind is None or one.kind == kind)]

    def _run(self) -> None:
        try:
            asyncio.run(self._ask_all())
        except BaseException as failure:  # noqa: BLE001  told to whoever watches
            self._failure = failure
        finally:
            self._ready.set()

    async def _ask_all(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        audience = self._audience
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("w", encoding="utf-8", buffering=1) as stream:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fresh(group, stream))
                for user in range(1, audience.staying + 1):
                    group.create_task(self._stay(user, "talking" if user <= audience.talking else "staying", stream))
                self._ready.set()

    async def _wait(self, until: float) -> bool:
        """Wait for a moment since the beginning; False where it is over."""
        assert self._stop is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), max(until - self.now, 0.0))
        return not self._stop.is_set()

    async def _fresh(self, group: asyncio.TaskGroup, stream: TextIO) -> None:
        number = 0
        while await self._wait(number / self._audience.rate):
            group.create_task(self._come_once(stream))
            number += 1

    async def _come_once(self, stream: TextIO) -> None:
        async with AsyncClient(self._target, run_id=self._run_id, bearer=self._bearer) as client:
            self._note(await self._version(client, "fresh", 0), stream)

    async def _stay(self, user: int, kind: Kind, stream: TextIO) -> None:
        # Not all at the same moment.
        turn = user / (self._audience.staying + 1)
        async with AsyncClient(self._target, run_id=self._run_id, bearer=self._bearer, idle=KEPT) as client:
            while await self._wait(turn):
                self._note(await self._version(client, "staying", user), stream)
                if kind == "talking":
                    self._note(await self._talk(client, user), stream)
                turn = max(turn + 1.0, self.now)

    def _note(self, seen: Seen, stream: TextIO) -> None:
        stream.write(json.dumps(asdict(seen), separators=(",", ":")) + "\n")
        self.seen.append(seen)

    async def _version(self, client: AsyncClient, kind: Kind, user: int) -> Seen:
        health = self._target.service.health

        async def ask() -> tuple[int, str, str]:
            async with client.request("GET", health.version) as answer:
                body = await answer.read()
                if answer.status >= 400:
                    return answer.status, "", f"http-{answer.status}"
                return answer.status, *_version_in(body, health.version_field)

        return await self._timed(ask(), kind, user)

    async def _talk(self, client: AsyncClient, user: int) -> Seen:
        service = self._target.service
        body = {"model": service.model, "stream": True, "messages": [{"role": "user", "content": TALK}]}

        async def ask() -> tuple[int, str, str]:
            async with client.request("POST", "/v1/chat/completions", json=body) as answer:
                last = b""
                try:
                    async for line in answer.content:
                        last = line.strip() or last
                except ExchangeError as failure:
                    # With its status: an answer that was cut is told from one that never began.
                    return answer.status, "", diagnose(failure).words
                if answer.status >= 400:
                    return answer.status, "", f"http-{answer.status}"
                return answer.status, "", "" if last == b"data: [DONE]" else "truncated"

        again = False

        async def ask_as_browsers_do() -> tuple[int, str, str]:
            nonlocal again
            try:
                return await ask()
            except ExchangeError as failure:
                # What only reads is asked again by the client itself.
                again = was_not_heard(failure)
                if not again:
                    raise
                return await ask()

        return replace(await self._timed(ask_as_browsers_do(), "talking", user), again=again)

    async def _timed(self, asking: Any, kind: Kind, user: int) -> Seen:
        seen = Seen(kind=kind, user=user, at=self.now, took=0.0)
        status, version, error = 0, "", ""
        try:
            async with asyncio.timeout(self._audience.timeout):
                status, version, error = await asking
        except TimeoutError:
            error = "timeout"
        except ExchangeError as failure:
            error = diagnose(failure).words
        return replace(seen, took=self.now - seen.at, status=status, version=version, error=error)


def _version_in(body: bytes, field: str) -> tuple[str, str]:
    """The version that an answer names, or what is wrong with it."""
    try:
        version = json.loads(body)[field]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", f"no field {field!r} in the answer"
    return str(version)[:100], ""


def read_traffic(path: Path) -> Iterator[Seen]:
    """The lines of a watch, as far as they are whole."""
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.endswith("\n"):
                yield Seen(**json.loads(line))
