"""One process of the demo, seen from its parent: started, awaited, stopped, never left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import seatrial
from seatrial.evidence.outcome import CannotLook

LOG_TAIL: Final = 20
"""Lines of a log shown when its process could not start."""

# The demo has no business with the rest of its parent's environment, where a pipeline keeps its secrets.
_INHERITED: Final = frozenset(
    {
        "COVERAGE_PROCESS_START",
        "DYLD_LIBRARY_PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONHOME",
        "PYTHONPYCACHEPREFIX",
        "TMPDIR",
        "VIRTUAL_ENV",
    }
)


class Child:
    """A process that runs ``python -m module``, ends when its standard input is closed, and logs into ``state``.

    Closing happens by :meth:`stop` or, the parent being killed, by the system. It has a session of its own, so that a
    Ctrl-C in the terminal reaches the parent alone, which then stops its children in order.
    """

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], *, state: Path, pass_fds: Sequence[int] = ()
    ) -> None:
        self.name = name
        self._announcement = state / f"{name}.json"
        self._log = state / f"{name}.log"
        source = str(Path(seatrial.__file__).resolve().parent.parent)
        environment = {key: value for key, value in os.environ.items() if key in _INHERITED}
        # What the parent imports seatrial from may be known to its sys.path only, as under pytest's `pythonpath`.
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # -P: the working directory is no place to import from.
                [sys.executable, "-P", "-m", module, "--state", str(state), "--die-with-parent", *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                pass_fds=pass_fds,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ended(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._process.poll()

    def announced(self) -> Mapping[str, Any] | None:
        """What the process has announced; None as long as it is starting. Raises CannotLook when it has ended."""
        # Asked first: a process that announces itself and then ends has announced itself.
        code = self.ended()
        text = self._announcement.read_bytes() if self._announcement.exists() else b""
        if text:
            content: dict[str, Any] = json.loads(text)
            return content
        if code is None:
            return None
        raise CannotLook(f"the demo's {self.name} ended with exit code {code} at its start\n{self.tail()}")

    def tail(self) -> str:
        """The end of the log, with its path."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL:]
        return "\n".join([f"{self._log}:", *(f"  {line}" for line in lines or ["(empty)"])])

    def tell_to_end(self) -> None:
        """Close the pipe that keeps the process alive; does not wait."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def stop(self, within: float) -> None:
        """Wait up to ``within`` seconds for the end of a process that was told to, then kill it."""
        self.tell_to_end()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
