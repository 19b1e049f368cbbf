"""``python -m seatrial.demo.kubeapi``: serves manifests on a free loopback port until it is told to end."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from seatrial.demo import process
from seatrial.demo.kubeapi import kubeconfig, manifests, tls
from seatrial.demo.kubeapi.rbac import MASTERS, User
from seatrial.demo.kubeapi.server import Api
from seatrial.demo.kubeapi.store import Store

NAME: Final = "seatrial-demo"
NAMESPACE: Final = "chatbot-demo"
VERIFIER: Final = User.service_account(NAMESPACE, "seatrial-verifier")
ADMINISTRATOR: Final = User(name="kubernetes-admin", groups=(MASTERS, "system:authenticated"))


def main() -> int:
    """Load, write the kubeconfigs, serve."""
    parser = argparse.ArgumentParser(prog="seatrial.demo.kubeapi", description=__doc__)
    process.add_arguments(parser)
    parser.add_argument("--manifests", type=Path, required=True, metavar="DIR", help="folder of manifests to serve")
    parser.add_argument("--patches", type=Path, nargs="*", default=[], metavar="FILE", help="patches of the manifests")
    parser.add_argument("--port", type=int, default=0, help="port [a free one]")
    arguments = parser.parse_args()
    bound = process.bound_socket(arguments.port)
    url = process.url_of(bound).replace("http://", "https://")
    identity = tls.create()

    async def start() -> Callable[[], Awaitable[None]]:
        store = Store()
        manifests.load(store, arguments.manifests, arguments.patches)
        tokens = {}
        for user, file in ((VERIFIER, "kubeconfig"), (ADMINISTRATOR, "admin.kubeconfig")):
            token = secrets.token_urlsafe(24)
            tokens[token] = user
            path = arguments.state / file
            authority = identity.authority
            kubeconfig.write(
                path, server=url, authority=authority, token=token, user=user.name, namespace=NAMESPACE, name=NAME
            )
        runner = web.AppRunner(
            Api(store, tokens).application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await runner.setup()
        bound.setblocking(False)
        context = identity.context(arguments.state)
        await web.SockSite(runner, bound, backlog=process.BACKLOG, ssl_context=context).start()
        return runner.cleanup

    return process.run(arguments, name="kubeapi", content={"url": url}, start=start)


if __name__ == "__main__":
    sys.exit(main())
