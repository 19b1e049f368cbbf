"""The demo as a whole: chat on two tracks, a router and a Kubernetes API, brought up and taken down together."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import seatrial
from seatrial.demo import faults as registry
from seatrial.demo.child import Child
from seatrial.demo.faults import Fault
from seatrial.evidence.outcome import CannotLook

STABLE_RELEASE: Final = "1.4.2"
CANDIDATE_RELEASE: Final = "1.5.0"

START_WITHIN: Final = 20.0
"""Seconds; it takes about one, the rest is for machines that are busy otherwise."""
STOP_WITHIN: Final = 3.0
"""Seconds until a process that was told to end is killed."""

_LOOPBACK: Final = "127.0.0.1"


class Platform:
    """The running demo. ``variables`` are the values for ``${target.NAME}``; ``state`` holds logs and announcements."""

    def __init__(self, state: Path, *, temporary: bool) -> None:
        self.state = state
        self.variables: dict[str, str] = {}
        self._children: list[Child] = []
        self._reserved: list[socket.socket] = []
        self._owner = os.getpid()
        self._cleaner = _cleaner(state) if temporary else None
        atexit.register(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ended(self) -> tuple[str, ...]:
        """Names of processes that have ended although nobody stopped them."""
        return tuple(child.name for child in self._children if child.ended() is not None)

    def stop(self) -> None:
        """End all processes and remove a state folder of our own. Idempotent; a fork of the owner changes nothing."""
        if os.getpid() != self._owner:
            return
        for child in self._children:
            child.tell_to_end()
        deadline = time.monotonic() + STOP_WITHIN
        for child in self._children:
            child.stop(max(0.0, deadline - time.monotonic()))
        for reserved in self._reserved:
            reserved.close()
        if self._cleaner is not None:
            self._cleaner.communicate()
        self._children, self._reserved, self._cleaner = [], [], None
        atexit.unregister(self.stop)

    def launch(self, faults: Sequence[Fault], *, with_kube: bool) -> None:
        """Start everything at once and wait until it serves. Raises CannotLook."""
        kubeconfig = self._start_cluster(faults) if with_kube else None
        sockets = {name: self._reserve() for name in ("stable", "candidate", "public")}
        ports = {name: str(bound.getsockname()[1]) for name, bound in sockets.items()}
        urls = {name: f"http://{_LOOPBACK}:{port}" for name, port in ports.items()}
        for track, version in (("stable", STABLE_RELEASE), ("candidate", CANDIDATE_RELEASE)):
            own = [f"--fault={fault.name}" for fault in faults if track in fault.tracks]
            arguments = [f"--version={version}", f"--track={track}", *own]
            self._spawn(f"chat-{track}", "chat", arguments, listen=sockets[track])
        upstreams = [f"--stable-url={urls['stable']}", f"--candidate-url={urls['candidate']}"]
        self._spawn("router", "router", upstreams, listen=sockets["public"])
        # The children hold the sockets now; with ours closed, a process that has died refuses connections.
        for bound in sockets.values():
            self._reserved.remove(bound)
            bound.close()
        announced = self._await_all()
        self.variables = {
            **{f"{name}_url": url for name, url in urls.items()},
            **{f"{name}_port": port for name, port in ports.items()},
            "router_admin_url": str(announced["router"]["admin_url"]),
            "stable_pid": str(announced["chat-stable"]["pid"]),
            "candidate_pid": str(announced["chat-candidate"]["pid"]),
            "router_pid": str(announced["router"]["pid"]),
            "release": CANDIDATE_RELEASE,
            "previous_release": STABLE_RELEASE,
            "state": str(self.state),
        }
        if kubeconfig is not None:
            self.variables["kubeconfig"] = str(kubeconfig)

    def _reserve(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._reserved.append(bound)
        bound.bind((_LOOPBACK, 0))
        return bound

    def _spawn(self, name: str, module: str, arguments: Sequence[str], *, listen: socket.socket | None = None) -> None:
        descriptors = () if listen is None else (listen.fileno(),)
        inherited = [f"--listen-fd={descriptor}" for descriptor in descriptors]
        child = Child(name, f"seatrial.demo.{module}", [*inherited, *arguments], state=self.state, pass_fds=descriptors)
        self._children.append(child)

    def _start_cluster(self, faults: Sequence[Fault]) -> Path:
        if any(fault.name == "cluster-down" for fault in faults):
            return self._refusing_cluster()
        manifests = _manifests()
        patches = [str(manifests / fault.patch) for fault in faults if fault.patch is not None]
        self._spawn(
            "kubeapi", "kubeapi", [f"--manifests={manifests / 'demo'}", *(["--patches", *patches] if patches else [])]
        )
        return self.state / "kubeconfig"

    def _refusing_cluster(self) -> Path:
        """A kubeconfig whose server is a port of ours on which nobody listens, until the demo is stopped."""
        port = self._reserve().getsockname()[1]
        name = "seatrial-demo"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"https://{_LOOPBACK}:{port}"}}],
            "users": [{"name": "verifier", "user": {"token": "nobody-reads-this"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "verifier"}}],
            "current-context": name,
        }
        path = self.state / "kubeconfig"
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")  # JSON is YAML
        return path

    def _await_all(self) -> dict[str, Mapping[str, Any]]:
        deadline = time.monotonic() + START_WITHIN
        announced: dict[str, Mapping[str, Any]] = {}
        while True:
            for child in self._children:
                if child.name not in announced:
                    content = child.announced()
                    if content is not None:
                        announced[child.name] = content
            missing = [child for child in self._children if child.name not in announced]
            if not missing:
                return announced
            if time.monotonic() > deadline:
                tails = "\n".join(child.tail() for child in missing)
                names = ", ".join(child.name for child in missing)
                raise CannotLook(f"the demo's {names} did not serve within {START_WITHIN:g} s\n{tails}")
            time.sleep(0.005)


def start(*, faults: Sequence[str] = (), state: Path | None = None, with_kube: bool = True) -> Platform:
    """Bring the demo up, with the named faults, and return once it serves.

    ``state`` is an empty folder that stays the caller's and keeps the logs; without one a temporary folder is taken,
    and removed at the end. Raises :class:`seatrial.demo.faults.UnknownFault` before anything is started, and
    :class:`seatrial.evidence.outcome.CannotLook` with the end of the logs where the demo cannot be brought up; nothing
    is left running then.
    """
    chosen = registry.find_all(faults)
    if state is None:
        platform = Platform(Path(tempfile.mkdtemp(prefix="seatrial-demo-")), temporary=True)
    else:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
        platform = Platform(state.resolve(), temporary=False)
    try:
        platform.launch(chosen, with_kube=with_kube)
    except BaseException:
        platform.stop()
        raise
    return platform


def _cleaner(folder: Path) -> subprocess.Popen[bytes]:
    """A process that waits for our end, even by kill -9, and then removes ``folder``."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'cat >/dev/null; exec rm -rf -- "$1"', "sh", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _manifests() -> Path:
    """The folder of manifests: beside the package where it is installed, in the repository where it is a clone."""
    package = Path(seatrial.__file__).resolve().parent
    places = (package / "shipped" / "fixtures" / "manifests", package.parent.parent / "fixtures" / "manifests")
    for place in places:
        if (place / "demo").is_dir():
            return place
    looked = " or ".join(str(place / "demo") for place in places)
    raise CannotLook(f"the demo's manifests are missing: expected them in {looked}")
