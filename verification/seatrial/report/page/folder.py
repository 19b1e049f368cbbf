"""What lies in the reports' folder that the page shows or points to, beside what was decided from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from seatrial.report.page.histogram import Histogram, HistogramProblem, read

MAX_EVIDENCE: Final = 32 * 1024 * 1024
MAX_FILES: Final = 50
"""Of one kind in one folder."""
_KNOWN: Final = (
    ("allure-report/index.html", "Allure report"),
    ("allure-report.html", "Allure report"),
    ("allure-results", "Allure results"),
    ("junit.xml", "JUnit"),
    ("evidence.json", "evidence"),
    ("findings.sarif", "findings (SARIF)"),
    ("samples", "raw samples"),
)
_SAMPLES: Final = (
    ("latency", "*.ndjson", "every request of"),
    ("latency", "*.timeline.svg", "requests over time,"),
    ("rollout", "*/story.json", "rollout of"),
)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A file below the page's own folder."""

    href: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check objects to about one object of a cluster."""

    check: str
    severity: str
    outcome: str
    owner: str
    where: str
    path: str
    expected: str
    seen: str
    waived: bool


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What was found. ``problems`` are files that could not be shown."""

    histograms: tuple[Histogram, ...] = ()
    findings: tuple[Finding, ...] = ()
    links: tuple[Link, ...] = ()
    problems: tuple[str, ...] = ()


def look(page: Path, places: Sequence[Path], sources: Iterable[str]) -> Contents:
    """Everything that can be shown of the runs whose reports are ``sources``, as a decision names them.

    ``page`` is the folder that the page is written into: links never lead out of it.
    """
    folders = list(_folders(places, sources))
    histograms: list[Histogram] = []
    findings: list[Finding] = []
    problems: list[str] = []
    for folder in folders:
        for path in sorted((folder / "samples" / "latency").glob("*.histograms.json"))[:MAX_FILES]:
            try:
                histograms += read(path)
            except HistogramProblem as problem:
                problems.append(f"{path.name} {problem}")
        found, said = _findings(folder / "evidence.json")
        findings += found
        problems += [said] if said else []
    return Contents(
        histograms=tuple(histograms),
        findings=tuple(findings),
        links=tuple(link for folder in folders for link in _links(page, folder)),
        problems=tuple(problems),
    )


def _folders(places: Sequence[Path], sources: Iterable[str]) -> Iterator[Path]:
    """The folders of the runs, each once."""
    several = len(places) > 1
    known: set[Path] = set()
    # Of a hundred thousand results the folder is looked at once.
    for parent in dict.fromkeys(source.rpartition("/")[0] for source in sources):
        number, _, rest = parent.partition("/") if several else ("1", "", parent)
        place = places[int(number) - 1]
        inside = place / rest if place.is_dir() else place.parent
        folder = inside.parent if inside.name == "allure-results" else inside
        if folder not in known:
            known.add(folder)
            yield folder


def _links(page: Path, folder: Path) -> Iterator[Link]:
    root = page.resolve()
    where = "" if folder.resolve() == root else f" of {folder.name}"
    for name, text in _KNOWN:
        if link := _link(root, folder / name, text + where):
            yield link
    for kind, pattern, text in _SAMPLES:
        for path in sorted((folder / "samples" / kind).glob(pattern))[:MAX_FILES]:
            named = path.parent.name if path.name == "story.json" else path.name.partition(".")[0]
            if link := _link(root, path, f"{text} {named}{where}"):
                yield link


def _link(root: Path, target: Path, text: str) -> Link | None:
    try:
        real = target.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    if not real.is_relative_to(root):
        return None
    relative = Path(os.path.relpath(real, root)).as_posix()
    # The dot keeps a name with a colon from being read as a scheme.
    return Link(href="./" + quote(relative) + ("/" if real.is_dir() else ""), text=text)


def _findings(path: Path) -> tuple[list[Finding], str]:
    """Findings about objects of a cluster; what a probe saw is told by its case."""
    try:
        if path.stat().st_size > MAX_EVIDENCE:
            return [], f"findings are not listed: {path.name} is larger than {MAX_EVIDENCE >> 20} MiB"
        document = json.loads(path.read_bytes())
        return [found for case in document["outcomes"] for found in _of_case(case)], ""
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"{path.name} cannot be read: {error.strerror or error}"
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return [], f"findings are not listed: {path.name} is not what it should be"


def _of_case(case: Mapping[str, Any]) -> Iterator[Finding]:
    for found in case.get("findings") or ():
        if found.get("kind"):
            words = {name: str(found.get(name) or "") for name in ("owner", "where", "path", "expected", "seen")}
            of_case = {name: str(case.get(name) or "") for name in ("check", "severity", "outcome")}
            yield Finding(**of_case, **words, waived=bool(found.get("waived")))
