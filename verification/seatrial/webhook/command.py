"""`seatrial webhook`: serve recorded decisions to what rolls out: Flagger's gates, Argo Rollouts' web metric.

200 lets something happen, so it is answered for nothing but the one decision that allows it.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from seatrial.gate.audit import DEFAULT_LOG
from seatrial.report.text import plain
from seatrial.webhook.decisions import Answer, Asked, answer
from seatrial.webhook.recorded import AuditLog

MAX_BODY: Final = 64 * 1024
WITHIN: Final = 10.0
"""Seconds for one request, its body included."""
_GATES: Final = {"confirm-promotion": "promote", "rollback": "rollback"}
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
REPORTS: Final = web.AppKey("reports", Path)
LOG: Final = web.AppKey("log", AuditLog)
MAX_AGE: Final = web.AppKey("max_age", dt.timedelta)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--reports", type=Path, required=True, metavar="DIR", help="folder of runs, each decided")
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 8080), metavar="HOST:PORT")
    parser.add_argument(
        "--audit",
        type=Path,
        metavar="FILE",
        help=f"log that every decision must be in [DIR/{DEFAULT_LOG.name} where it is there]",
    )
    parser.add_argument("--max-age", type=_age, default=_age("1h"), metavar="DURATION", help="of a decision [1h]")


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT such as 127.0.0.1:8080, seen {text!r}")
    return host.strip("[]"), int(port)


def _age(text: str) -> dt.timedelta:
    match = re.fullmatch(r"([1-9]\d{0,5})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected a duration such as 30m or 4h, seen {text!r}")
    return dt.timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM (0); 2 for a folder that is none, or an address that is taken."""
    if not arguments.reports.is_dir():
        print(f"seatrial webhook: --reports: {arguments.reports} is no folder", file=sys.stderr)
        return 2
    log = AuditLog.beside(arguments.reports, arguments.audit)
    app = application(arguments.reports, max_age=arguments.max_age, log=log)
    try:
        asyncio.run(_serve(app, *arguments.listen))
    except OSError as error:
        host, port = arguments.listen
        print(f"seatrial webhook: {host}:{port} cannot be listened on: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


async def _serve(app: web.Application, host: str, port: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        print(f"decisions of {app[REPORTS]} on http://{bound[0]}:{bound[1]}", flush=True)
        await ended.wait()
    finally:
        await runner.cleanup()


def application(reports: Path, *, max_age: dt.timedelta, log: AuditLog) -> web.Application:
    """The routes. Decisions are read anew for each request."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_guarded])
    app[REPORTS], app[MAX_AGE], app[LOG] = reports, max_age, log
    app.router.add_get("/healthz", _health)
    app.router.add_get("/decision", _decision)
    for gate in _GATES:
        app.router.add_post(f"/{gate}", _gate)
    return app


@web.middleware
async def _guarded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """No request lasts for ever, and none gets a 200 by a crash."""
    try:
        async with asyncio.timeout(WITHIN):
            return await handler(request)
    except TimeoutError:
        return _json(408, decision="none", reason=f"the request took longer than {WITHIN:g} s")
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, it allows nothing
        print(f"seatrial webhook: {plain(f'{type(error).__name__}: {error}')}", file=sys.stderr, flush=True)
        return _json(500, decision="none", reason="the webhook itself failed")


async def _health(request: web.Request) -> web.Response:
    return _json(200 if request.app[REPORTS].is_dir() else 503)


async def _decision(request: web.Request) -> web.Response:
    """For Argo Rollouts' web metric: always an answer, since to Argo anything but 200 is an error, and aborts."""
    try:
        asked = Asked(environment=request.query.get("environment", ""), release=request.query.get("release", ""))
    except ValueError as problem:
        return _json(400, decision="none", reason=str(problem))
    found = await _answer(request, asked)
    _told(request, asked, found, 200)
    return _json(200, **vars(found))


async def _gate(request: web.Request) -> web.Response:
    """For Flagger: the canary's name, namespace, phase and checksum, and the metadata of the hook."""
    try:
        payload = json.loads(await request.read())
        metadata = payload["metadata"]
        asked = Asked(environment=metadata["environment"], release=metadata["release"])
    except ValueError as problem:
        return _json(400, decision="none", reason=f"expected Flagger's JSON with metadata: {problem}")
    except (KeyError, TypeError, RecursionError) as problem:
        words = f"expected Flagger's JSON with metadata.environment and metadata.release: {problem!r:.100}"
        return _json(400, decision="none", reason=words)
    found = await _answer(request, asked)
    status = 200 if found.decision == _GATES[request.path.strip("/")] else 403
    _told(request, asked, found, status)
    return _json(status, **vars(found))


async def _answer(request: web.Request, asked: Asked) -> Answer:
    app = request.app
    now = dt.datetime.now(dt.UTC)
    return await asyncio.to_thread(answer, app[REPORTS], asked, now=now, max_age=app[MAX_AGE], log=app[LOG])


def _told(request: web.Request, asked: Asked, found: Answer, status: int) -> None:
    words = f"{request.path} {asked.release} in {asked.environment}: {status} {found.decision}: {found.reason}"
    print(plain(words, 600), flush=True)


def _json(status: int, **values: str) -> web.Response:
    return web.json_response(values, status=status, headers={"Cache-Control": "no-store"})
