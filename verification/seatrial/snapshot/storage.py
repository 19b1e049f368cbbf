"""Snapshots as files, to look at again later, elsewhere, and without the cluster."""

from __future__ import annotations

import datetime as dt
import gzip
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec

from seatrial.snapshot.snapshot import Snapshot, Source

FORMAT: Final = 1
"""Version of the file's format; another one is refused."""


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    format: int
    source: Source
    complete: bool
    namespaces: list[str]
    taken: str
    server: str
    version: str
    objects: dict[str, list[dict[str, Any]]]
    unread: dict[str, str]
    absent: list[str]
    problems: list[str]


class StorageProblem(ValueError):
    """The file is no snapshot, or not a whole one."""


def save(snapshot: Snapshot, path: Path) -> None:
    """Write ``snapshot`` to ``path``, gzipped JSON. What Secrets hold is not in it. Raises OSError."""
    content = _File(
        format=FORMAT,
        source=snapshot.source,
        complete=snapshot.complete,
        namespaces=list(snapshot.namespaces),
        taken=snapshot.taken.isoformat() if snapshot.taken else "",
        server=snapshot.server,
        version=snapshot.version,
        objects={kind: [dict(item) for item in items] for kind, items in snapshot.objects.items()},
        unread=dict(snapshot.unread),
        absent=sorted(snapshot.absent),
        problems=list(snapshot.problems),
    )
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_bytes(gzip.compress(msgspec.json.encode(content, order="deterministic"), mtime=0))
    unfinished.replace(path)


def load(path: Path) -> Snapshot:
    """Read what `save` wrote. Raises OSError, and StorageProblem with what is wrong."""
    packed = path.read_bytes()
    try:
        content = msgspec.json.decode(gzip.decompress(packed), type=_File)
        taken = dt.datetime.fromisoformat(content.taken) if content.taken else None
    except (OSError, EOFError, zlib.error, msgspec.DecodeError, RecursionError, ValueError) as error:
        raise StorageProblem(f"{path}: no whole snapshot of `seatrial snapshot save`: {error}") from None
    if content.format != FORMAT:
        raise StorageProblem(f"{path}: expected format {FORMAT}, seen {content.format}: save it anew with this version")
    return Snapshot(
        objects={kind: tuple(items) for kind, items in content.objects.items()},
        unread=content.unread,
        absent=frozenset(content.absent),
        source=content.source,
        complete=content.complete,
        namespaces=tuple(content.namespaces),
        taken=taken,
        server=content.server,
        version=content.version,
        problems=tuple(content.problems),
    )
