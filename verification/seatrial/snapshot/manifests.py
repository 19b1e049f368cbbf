"""Rendered manifests as a snapshot: what `helm template` or `kubectl kustomize` prints, before it is deployed."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seatrial.snapshot.intake import Intake
from seatrial.snapshot.kinds import KINDS
from seatrial.snapshot.memory import undisturbed
from seatrial.snapshot.objects import Item, members
from seatrial.snapshot.snapshot import Snapshot
from seatrial.snapshot.yaml import Document, YamlProblem, documents

SUFFIXES: Final = (".yaml", ".yml", ".json")
MAX_FILE: Final = 64 * 2**20
"""Bytes of one file; nobody renders more."""
SOURCE: Final = "seatrial.io/source"
"""Annotation under which an object keeps its file and line."""
_STDIN: Final = "-"


class ManifestProblem(ValueError):
    """The place that should hold manifests does not exist, or holds none."""


@dataclass(frozen=True, kw_only=True)
class _Text:
    name: str
    content: str


@undisturbed()
def read(place: str, *, namespace: str, complete: bool = False, stdin: str = "") -> Snapshot:
    """The manifests in a file, in a folder and those below it, or on standard input (``-``) as a snapshot.

    Objects without a namespace get ``namespace``, as `kubectl apply --namespace` gives it. ``complete`` says that the
    set is whole, so that what it refers to and does not hold does not exist. A file that cannot be read is in
    ``problems`` with its line, and every kind is unread then: what stood in it is not known. Raises ManifestProblem.
    """
    intake = Intake()
    objects: dict[str, list[Item]] = {kind: [] for kind in KINDS}
    problems: list[str] = []
    seen: dict[tuple[str, str, str, str], str] = {}
    for text in _texts(place, stdin, problems):
        try:
            found = list(_flat(documents(text.content)))
        except YamlProblem as error:
            problems.append(f"{text.name}:{error.line}: {error}")
            continue
        for document in found:
            where = f"{text.name}:{document.line}"
            problem = _settle(document.value, where, namespace, seen)
            if problem:
                problems.append(problem)
                continue
            kind = document.value["kind"]
            objects.setdefault(kind, []).extend(intake.take(kind, [document.value]))
    if not any(objects.values()) and not problems:
        raise ManifestProblem(f"{place}: expected Kubernetes manifests, seen none")
    unread = {}
    broken = [problem for problem in problems if not problem.endswith(_TWICE)]
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        unread = dict.fromkeys(objects, f"a manifest could not be read: {broken[0]}{more}")
    return Snapshot(
        objects={} if unread else {kind: tuple(items) for kind, items in objects.items()},
        unread=unread,
        source="manifests",
        complete=complete,
        namespaces=tuple(dict.fromkeys(_namespaces(objects.values()))),
        taken=dt.datetime.now(dt.UTC),
        problems=tuple(problems),
        digest=intake.digest,
    )


_TWICE: Final = "the last one counts when they are applied"


def _texts(place: str, stdin: str, problems: list[str]) -> Iterator[_Text]:
    if place == _STDIN:
        yield _Text(name="standard input", content=stdin)
        return
    root = Path(place)
    if not root.exists():
        raise ManifestProblem(f"{place}: expected a file or folder of manifests, seen nothing there")
    files = [root] if root.is_file() else list(_files(root))
    for path in files:
        try:
            if path.stat().st_size > MAX_FILE:
                problems.append(f"{path}:1: larger than {MAX_FILE >> 20} MiB")
                continue
            yield _Text(name=str(path), content=path.read_bytes().decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path}:1: {' '.join(str(error).split())}")


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and name not in ("kustomization.yaml", "kustomization.yml"):
                yield Path(folder, name)


def _flat(found: Iterable[Document]) -> Iterator[Document]:
    """The documents, with those of a ``List`` one by one."""
    for document in found:
        for value in members(document.value):
            yield Document(value=value, line=document.line)


def _settle(value: Any, where: str, namespace: str, seen: dict[tuple[str, str, str, str], str]) -> str:
    """Complete one object in place, and say what is wrong with it, or nothing."""
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or not value.get("apiVersion"):
        return f"{where}: expected a Kubernetes object with apiVersion and kind"
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        return f"{where}: {value['kind']}: expected metadata.name"
    kind = KINDS.get(value["kind"])
    if kind is None or kind.namespaced:
        metadata["namespace"] = metadata.get("namespace") or namespace
    metadata["annotations"] = {**(metadata.get("annotations") or {}), SOURCE: where}
    identity = (value["apiVersion"], value["kind"], str(metadata.get("namespace", "")), str(metadata.get("name", "")))
    if identity in seen and metadata.get("name"):
        return f"{where}: {value['kind']} {metadata['name']} stands already in {seen[identity]}; {_TWICE}"
    seen[identity] = where
    return ""


def _namespaces(objects: Iterable[list[Item]]) -> Iterator[str]:
    for items in objects:
        for item in items:
            found = (item.get("metadata") or {}).get("namespace")
            if found:
                yield str(found)
