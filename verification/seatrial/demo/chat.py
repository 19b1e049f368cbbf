"""The demo's chat service: one release on one track, ``python -m seatrial.demo.chat``."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import hashlib
import importlib.resources
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from seatrial.demo import exposition, faults, process
from seatrial.demo.behaviour import Behaviour
from seatrial.demo.completions import Completions
from seatrial.demo.request import MODELS
from seatrial.demo.sessions import Sessions
from seatrial.demo.strain import Strain
from seatrial.demo.telemetry import Telemetry, add_security_headers, json_response

MAX_BODY: Final = 256 * 1024
"""Largest request in bytes; a conversation of text is far below."""

STALL: Final = 120.0
"""Seconds that a stalled stream stays open: longer than any timeout that somebody would wait for a chatbot."""

_PAGE: Final = {
    "/": ("index.html", "text/html"),
    "/chat.js": ("chat.js", "text/javascript"),
    "/chat.css": ("chat.css", "text/css"),
}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which release a process runs, and on which track."""

    version: str
    commit: str
    track: str

    @classmethod
    def of(cls, version: str, track: str) -> Identity:
        """The release ``version``; its commit follows from the version, there being no repository behind it."""
        return cls(version=version, commit=hashlib.sha256(version.encode()).hexdigest()[:40], track=track)


def application(identity: Identity, behaviour: Behaviour, *, seed: str = "0", stall: float = STALL) -> web.Application:
    """The service as an aiohttp application. Everything it serves is read here, none of it later."""
    sessions = Sessions()
    telemetry = Telemetry(
        version=identity.version, commit=identity.commit, track=identity.track, sessions=lambda: len(sessions)
    )
    strain = Strain(behaviour)
    completions = Completions(
        behaviour=behaviour,
        sessions=sessions,
        telemetry=telemetry,
        fingerprint=f"fp_{identity.commit[:10]}",
        seed=f"{seed}/{identity.track}",
        stall=stall,
        strain=strain,
    )
    app = web.Application(middlewares=[telemetry.middleware(), strain.middleware()], client_max_size=MAX_BODY)
    app.on_response_prepare.append(add_security_headers)
    app.router.add_post("/v1/chat/completions", completions.post)
    app.router.add_delete("/v1/sessions/{session}", completions.end_session)
    started = datetime.datetime.now(datetime.UTC)
    models = [
        {"id": name, "object": "model", "created": int(started.timestamp()), "owned_by": "demo"} for name in MODELS
    ]
    _add_constant(app, "/v1/models", {"object": "list", "data": models})
    for model in models:
        _add_constant(app, f"/v1/models/{model['id']}", model)
    _add_constant(app, "/healthz", {"status": "ok"})
    if behaviour.ready:
        _add_constant(app, "/readyz", {"status": "ready", "checks": {"model": "ok", "sessions": "ok"}})
    else:
        _add_constant(app, "/readyz", {"status": "not ready", "checks": {"model": "loading", "sessions": "ok"}}, 503)
    _add_constant(
        app,
        "/version",
        {
            "version": identity.version,
            "commit": identity.commit,
            "track": identity.track,
            "started": started.isoformat(timespec="seconds"),
        },
    )
    if behaviour.freeze_every:
        app.cleanup_ctx.append(_freezing(behaviour))
    if behaviour.exposes_metrics:

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(body=telemetry.exposition().encode(), headers={"Content-Type": exposition.CONTENT_TYPE})

        app.router.add_get("/metrics", metrics)
    page = importlib.resources.files("seatrial.demo").joinpath("page")
    for path, (name, content_type) in _PAGE.items():
        if name.endswith(".js") and not behaviour.page_works:
            continue
        _add_text(app, path, page.joinpath(name).read_text(encoding="utf-8"), content_type)
    return app


def _freezing(behaviour: Behaviour) -> Callable[[web.Application], AsyncIterator[None]]:
    """Stops the whole process now and then, while the requests wait."""

    async def freeze() -> None:
        while True:
            await asyncio.sleep(behaviour.freeze_every - behaviour.freeze_for)
            time.sleep(behaviour.freeze_for)

    async def context(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(freeze())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return context


def _add_constant(app: web.Application, path: str, content: object, status: int = 200) -> None:
    async def constant(_: web.Request) -> web.Response:
        return json_response(content, status)

    app.router.add_get(path, constant)


def _add_text(app: web.Application, path: str, text: str, content_type: str) -> None:
    async def constant(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type)

    app.router.add_get(path, constant)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to end; 2 is wrong use."""
    parser = argparse.ArgumentParser(prog="python -m seatrial.demo.chat", description=__doc__)
    process.add_arguments(parser)
    parser.add_argument("--version", required=True, help="release that is served")
    parser.add_argument("--track", choices=("stable", "candidate"), default="candidate")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME", help="repeatable; see `seatrial demo --faults`"
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--listen-fd", type=int, metavar="FD", help="socket bound by the parent, instead of --port")
    parser.add_argument("--seed", default="0", help="of latencies and errors")
    parser.add_argument("--stall", type=float, default=STALL, metavar="SECONDS", help="how long a stalled stream hangs")
    arguments = parser.parse_args(argv)
    try:
        behaviour = faults.behaviour(faults.find_all(arguments.fault), arguments.track)
    except faults.UnknownFault as error:
        parser.error(str(error))
    identity = Identity.of(behaviour.version or arguments.version, arguments.track)
    bound = process.bound_socket(arguments.port, inherited=arguments.listen_fd)
    url = process.url_of(bound)

    async def start() -> Callable[[], Awaitable[None]]:
        if not behaviour.listening:
            # Bound but not listening: connections are refused, and nobody else can take the port.
            return _nothing
        app = application(identity, behaviour, seed=arguments.seed, stall=arguments.stall)
        stop = await process.serve_application(app, bound)
        for path in ("/healthz", "/metrics"):
            await process.warm_up(bound, path)
        return stop

    content = {"url": url, "version": identity.version, "track": identity.track, "listening": behaviour.listening}
    return process.run(arguments, name=f"chat-{identity.track}", content=content, start=start)


async def _nothing() -> None:
    await asyncio.sleep(0)


if __name__ == "__main__":
    sys.exit(main())
