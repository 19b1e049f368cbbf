"""What the demo's processes have in common: sockets, the announcement, and knowing when to end."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import ssl
import stat
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from seatrial.demo import privileges

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 512
"""Connections that may wait to be accepted; a full queue makes a client of a load test wait a second to retry."""

SHUTDOWN: Final = 0.2
"""Seconds that requests in flight get when the process is told to end."""

_LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that every process of the demo takes."""
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="where the announcement is written")
    parser.add_argument(
        "--die-with-parent", action="store_true", help="end when standard input, a pipe from the parent, is closed"
    )


def bound_socket(port: int = 0, *, inherited: int | None = None) -> socket.socket:
    """A socket bound to loopback, not yet listening; ``inherited`` is a file descriptor that the parent has bound."""
    if inherited is not None:
        return socket.socket(fileno=inherited)
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    return bound


def url_of(bound: socket.socket, *, scheme: str = "http") -> str:
    """Address of ``bound`` as a URL."""
    host, port = bound.getsockname()[:2]
    return f"{scheme}://{host}:{port}"


async def serve_application(
    app: web.Application, bound: socket.socket, *, ssl_context: ssl.SSLContext | None = None
) -> Callable[[], Awaitable[None]]:
    """Serve ``app`` on a bound socket, with TLS if there is a context; returns what stops it."""
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN)
    await runner.setup()
    bound.setblocking(False)
    await web.SockSite(runner, bound, backlog=BACKLOG, ssl_context=ssl_context).start()
    return runner.cleanup


async def warm_up(bound: socket.socket, path: str) -> None:
    """Have one ``GET`` of ``path`` answered, so that what is imported lazily is there before root is given up."""
    reader, writer = await asyncio.open_connection(*bound.getsockname()[:2])
    writer.write(f"GET {path} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n".encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()


def run(
    arguments: argparse.Namespace,
    *,
    name: str,
    content: Mapping[str, object],
    start: Callable[[], Awaitable[Callable[[], Awaitable[None]]]],
) -> int:
    """Serve until told to end: ``start`` begins to serve and returns what stops it. The exit code is 0.

    Once ``start`` is done root is given up, and then ``content`` and the process id are written as JSON to
    ``name``.json in the state folder. That file is there before and empty until then: nobody could not create it in a
    folder of root's. It is filled by one write, so that a reader sees nothing or everything.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def serve() -> None:
        end = _ending(die_with_parent=arguments.die_with_parent)
        stop = await start()
        with (arguments.state / f"{name}.json").open("wb", buffering=0) as announcement:
            privileges.drop()
            announcement.write(json.dumps({**content, "pid": os.getpid()}).encode())
        _LOG.info("%s serves as uid %d: %s", name, os.geteuid(), dict(content))
        await end.wait()
        await stop()

    asyncio.run(serve())
    return 0


def _ending(*, die_with_parent: bool) -> asyncio.Event:
    """An event that is set by SIGTERM, by SIGINT and, if wanted, when the parent is gone."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if die_with_parent:
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            raise SystemExit("--die-with-parent needs a pipe as standard input, so that its end can be noticed")

        def readable() -> None:
            # Whoever holds the other end may write; only its closing means anything.
            if not os.read(descriptor, 4096):
                loop.remove_reader(descriptor)
                end.set()

        loop.add_reader(descriptor, readable)
    return end
