"""``seatrial demo``: serve the embedded demo in the foreground, or list the faults that it can show."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

from seatrial.demo import platform
from seatrial.demo.faults import FAULTS, UnknownFault
from seatrial.demo.platform import Platform
from seatrial.evidence.outcome import CannotLook

_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at whether the processes still run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``seatrial demo``."""
    parser.add_argument(
        "--demo-fault", action="append", default=[], metavar="NAME", help="switch a fault on; repeatable"
    )
    parser.add_argument("--faults", action="store_true", help="list the faults, what must catch them and what follows")
    parser.add_argument("--without-cluster", action="store_true", help="leave the Kubernetes API out")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM (0); 2 is an unknown fault, 1 a demo that cannot start or breaks down."""
    if arguments.faults:
        print(describe_faults())
        return 0
    with _ending() as end:
        try:
            running = platform.start(faults=arguments.demo_fault, with_kube=not arguments.without_cluster)
        except UnknownFault as error:
            print(f"seatrial demo: {error}", file=sys.stderr)
            return 2
        except CannotLook as error:
            print(f"seatrial demo: {error}", file=sys.stderr)
            return 1
        with running:
            print(describe(running, arguments.demo_fault), flush=True)
            while not end.wait(_LOOK_EVERY):
                ended = running.ended()
                if ended:
                    print(f"seatrial demo: ended by themselves: {', '.join(ended)}", file=sys.stderr)
                    return 1
    return 0


def describe_faults() -> str:
    """The detection matrix: each fault, the decision that must follow, the checks that must catch it."""
    lines = []
    for fault in FAULTS:
        checks = ", ".join(fault.expected)
        lines += [f"{fault.name:<21} {fault.decision:<9} {fault.outcome} of {checks}", f"    {fault.description}"]
    return "\n".join(lines)


def describe(running: Platform, faults: list[str]) -> str:
    """Where the demo answers, and lines to try."""
    known = running.variables
    question = '{"model": "chatbot", "messages": [{"role": "user", "content": "When are you open?"}]}'
    weights = '{"stable": 50, "candidate": 50}'
    places = {
        f"stable {known['previous_release']}": known["stable_url"],
        f"candidate {known['release']}": known["candidate_url"],
        "public": f"{known['public_url']} (95 % stable, 5 % candidate; a chat page is at /)",
        "router admin": f"{known['router_admin_url']}/weights",
        "logs": known["state"],
        "faults": ", ".join(faults) or "none",
    }
    lines = [
        *(f"{name:<16} {value}" for name, value in places.items()),
        "",
        f"curl {known['candidate_url']}/version",
        f"curl {known['candidate_url']}/v1/chat/completions -H 'Content-Type: application/json' -d '{question}'",
        f"curl -X PUT {known['router_admin_url']}/weights -d '{weights}'",
    ]
    if "kubeconfig" in known:
        path = shlex.quote(known["kubeconfig"])
        lines.append(f"KUBECONFIG={path} kubectl --namespace chatbot-demo get deployments,pods")
    return "\n".join([*lines, "", "Ctrl-C ends it."])


@contextlib.contextmanager
def _ending() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set while the block runs."""
    end = threading.Event()

    def handle(_: int, __: FrameType | None) -> None:
        end.set()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield end
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
