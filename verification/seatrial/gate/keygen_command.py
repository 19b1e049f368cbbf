"""`seatrial approve keygen`: a key to approve with. 0 made, 2 wrong use."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from seatrial.gate import keys
from seatrial.gate.approve_command import PASSPHRASE
from seatrial.gate.asking import UsageProblem, guarded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="FILE", help="the private key to write; it must not be there yet")
    parser.add_argument("--identity", metavar="NAME", default="NAME", help="your name, for the lines of the policy")
    parser.add_argument(
        "--passphrase", action="store_true", help=f"keep it under a passphrase, asked for or in {PASSPHRASE}"
    )
    parser.add_argument("--traceback", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Make it, and print what goes into the policy."""
    return guarded("approve keygen", arguments, lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    passphrase = _passphrase() if arguments.passphrase else ""
    try:
        public = keys.make(Path(arguments.key), passphrase)
    except keys.KeyProblem as problem:
        raise UsageProblem(str(problem)) from None
    quoted = arguments.identity.replace("\\", "\\\\").replace('"', '\\"')
    print(f"the private key is in {arguments.key}: keep it to yourself. Into the policy goes the public one:\n")
    print(f'[[approval.identities]]\nname = "{quoted}"\nkey = "{public}"')
    return 0


def _passphrase() -> str:
    if given := os.environ.get(PASSPHRASE, ""):
        return given
    if not sys.stdin.isatty():
        raise UsageProblem(f"--passphrase: there is no terminal to ask at; set {PASSPHRASE}")
    first, again = getpass.getpass("passphrase: "), getpass.getpass("once more: ")
    if first != again or not first:
        raise UsageProblem("--passphrase: the two are not the same" if first else "--passphrase: it is empty")
    return first
