"""Machines and containers through testinfra: what listens, and as whom processes run."""

from __future__ import annotations

from typing import Any, Final

from seatrial.checks.check import Check, check
from seatrial.environment.model import Host
from seatrial.evidence.assessment import Assessment, Finding


def _listens(host: Host) -> bool:
    return bool(host.listening)


@check(
    "smoke/listening",
    suite="smoke",
    severity="critical",
    trigger="health",
    per="host",
    needs=("host",),
    applies=_listens,
)
def listening(host: Host, machine: Any) -> Assessment:
    """The declared sockets listen on the host.

    Why: a process that runs without its socket serves nobody.

    Remedy: look at the process' log; see whether another one holds the port.
    """
    silent = [
        Finding(where=host.spec, path=socket, expected="listening", seen="not listening")
        for socket in host.listening
        if not machine.socket(socket).is_listening
    ]
    count = len(host.listening)
    held = f"all {count} declared sockets listen"
    return Assessment.of_findings(silent, held=held, broken="{count} declared socket(s) do not listen", n=count)


def _has_processes(host: Host) -> bool:
    return bool(host.not_root)


@check("smoke/process-user", suite="smoke", severity="major", per="host", needs=("host",), applies=_has_processes)
def process_user(host: Host, machine: Any) -> Assessment:
    """The declared processes do not run as root.

    Why: what breaks out of a process has its rights.

    Remedy: run the service under a user of its own; in a pod, set runAsNonRoot and runAsUser.
    """
    findings, seen = [], 0
    for wanted in host.not_root:
        filters = {"pid": int(wanted)} if wanted.isdigit() else {}
        processes = machine.process.filter(**filters)
        if not filters:
            processes = [process for process in processes if wanted in process.args]
        if not processes:
            findings.append(Finding(where=host.spec, path=wanted, expected="a process", seen="none"))
        for process in processes:
            seen += 1
            if str(process.euid) == "0":
                findings.append(Finding(where=host.spec, path=f"process {wanted}", expected="not root", seen="root"))
    held = f"none of {seen} processes runs as root"
    return Assessment.of_findings(findings, held=held, broken="{count} process(es) missing or root", n=seen)


CHECKS: Final[tuple[Check, ...]] = (listening, process_user)
