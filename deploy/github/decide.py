"""The script of the composite action: runs the gate, and tells GitHub of its decision in outputs and annotations.

Whatever comes from a report is escaped as GitHub's workflow commands want it, so that no report can give a command.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LEVELS = {"rollback": "error", "hold": "error", "note": "notice"}
MAX_ANNOTATIONS = 10
"""GitHub shows no more of one kind in one step."""
DECISIONS = {0: "promote", 10: "hold", 20: "rollback"}


def main(environ: Mapping[str, str]) -> int:
    """Decide, and return the gate's exit code."""
    reports = [line.strip() for line in environ["INPUT_REPORTS"].splitlines() if line.strip()]
    if not reports or not environ["INPUT_ENVIRONMENT"]:
        print("::error title=seatrial::the inputs reports and environment must not be empty")
        return 2
    words = [sys.executable, "-m", "seatrial.cli", "gate", f"--env={environ['INPUT_ENVIRONMENT']}"]
    given = ((option, environ[f"INPUT_{option.upper()}"]) for option in ("release", "policy", "output"))
    words += [f"--{option}={value}" for option, value in given if value]
    folder = Path(environ["INPUT_OUTPUT"] or _folder(reports))
    for name in ("decision.json", "decision.html"):
        # One that is left over from an earlier decision must not be taken for this one.
        (folder / name).unlink(missing_ok=True)
    sys.stdout.flush()
    code = subprocess.run([*words, "--", *reports], check=False).returncode
    record = folder / "decision.json"
    document = json.loads(record.read_bytes()) if record.is_file() else {}
    # The exit code is the contract; the record is only asked for words.
    decided = DECISIONS.get(code, "hold") if document.get("exit_code") == code else "hold"
    page = folder / "decision.html"
    _output(
        environ,
        {
            "decision": decided,
            "exit-code": str(code),
            "decision-file": str(record) if document else "",
            "page": str(page) if page.is_file() else "",
        },
    )
    for line in _annotations(document):
        print(line)
    if code not in DECISIONS:
        print(f"::error title=seatrial::the gate made no decision (exit {code}): treat as hold")
    return code


def _folder(reports: list[str]) -> Path:
    """Where the gate writes without `--output`: the first folder of reports, or that of the first file."""
    for place in map(Path, reports):
        if place.is_dir():
            return place
        if place.is_file():
            return place.parent
    return Path()


def _annotations(document: Mapping[str, Any]) -> Iterator[str]:
    shown = dict.fromkeys(LEVELS.values(), 0)
    for cause in document.get("causes", []):
        level = LEVELS[cause["effect"]]
        for title, message, file in _told(cause):
            if shown[level] < MAX_ANNOTATIONS:
                shown[level] += 1
                place = f"file={_property(file)}," if file else ""
                yield f"::{level} {place}title={_property(title)}::{_data(message)}"


def _told(cause: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    cases = cause.get("cases", [])
    if not cases:
        yield cause["kind"], cause["sentence"], ""
    for case in cases:
        yield (
            f"{cause['kind']}: {case['key']}",
            case.get("message") or cause["sentence"],
            _file(case.get("reproduce", "")),
        )


def _file(command: str) -> str:
    """The file that the command of a case names, where there is such a file in the workspace."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    if len(words) < 2 or words[0] != "pytest":
        return ""
    path = Path(words[1].partition("::")[0])
    inside = not path.is_absolute() and ".." not in path.parts
    return path.as_posix() if inside and path.is_file() else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _output(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    if path := environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as stream:
            for name, value in values.items():
                # Between two lines that nobody can guess, as GitHub asks for values that might hold a newline.
                end = secrets.token_hex(16)
                stream.write(f"{name}<<{end}\n{value}\n{end}\n")


if __name__ == "__main__":
    sys.exit(main(os.environ))
