"""``python -m seatrial.demo.kubeapi``: serve the demo's Kubernetes API until told to end."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from seatrial.demo import process
from seatrial.demo.kubeapi import kubeconfig, manifests, tls
from seatrial.demo.kubeapi.catalogue import Catalogue
from seatrial.demo.kubeapi.rbac import ADMIN, Gatekeeper, service_account
from seatrial.demo.kubeapi.server import Server
from seatrial.demo.kubeapi.store import HISTORY, Store

NAMESPACE: Final = "chatbot-demo"
VERIFIER: Final = "seatrial-verifier"


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the exit code is 0, or 2 for manifests that cannot be loaded."""
    parser = argparse.ArgumentParser(prog="python -m seatrial.demo.kubeapi", description=__doc__)
    process.add_arguments(parser)
    parser.add_argument("--manifests", type=Path, required=True, metavar="DIR", help="folder of YAML files")
    parser.add_argument("--patches", type=Path, nargs="+", default=[], metavar="FILE", help="patches of the manifests")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0, the default, takes a free one")
    parser.add_argument(
        "--history", type=int, default=HISTORY, metavar="N", help=f"changes kept for watches (default {HISTORY})"
    )
    arguments = parser.parse_args(argv)
    store = Store(history=arguments.history)
    catalogue, gatekeeper = Catalogue(store), Gatekeeper(store)
    try:
        manifests.load(store, catalogue, arguments.manifests, arguments.patches)
    except manifests.BadManifest as error:
        print(error, file=sys.stderr)
        return 2
    identity = tls.issue()
    arguments.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    bound = process.bound_socket(arguments.port)
    url = process.url_of(bound, scheme="https")
    for file, name, user in (
        ("kubeconfig", VERIFIER, service_account(NAMESPACE, VERIFIER)),
        ("admin.kubeconfig", "admin", ADMIN),
    ):
        kubeconfig.write(
            arguments.state / file,
            url=url,
            authority=identity.authority,
            user=name,
            token=gatekeeper.admit(user),
            namespace=NAMESPACE,
        )

    async def start() -> Callable[[], Awaitable[None]]:
        app = Server(store, catalogue, gatekeeper).application()
        return await process.serve_application(app, bound, ssl_context=identity.context)

    # What was loaded stays for good: the collector need not look at it again.
    gc.freeze()
    return process.run(arguments, name="kubeapi", content={"url": url}, start=start)


if __name__ == "__main__":
    sys.exit(main())
