"""Helm's records of releases, kept in Secrets: base64 of base64 of gzip of JSON, as Helm 3 and 4 write them."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from seatrial.snapshot.objects import Item, get, labels_of, name_of

SECRET_TYPE: Final = "helm.sh/release.v1"
_REVISION: Final = re.compile(r"[0-9]{1,18}")
MAX_RELEASE: Final = 64 * 2**20
"""Bytes that a record may grow to when it is unpacked; etcd holds less than 2 MiB packed."""


def decode(packed: str, name: str) -> dict[str, Any]:
    """The record in ``data.release``. Raises ValueError for anything else, naming the Secret."""
    try:
        inner = base64.b64decode(base64.b64decode(packed, validate=True), validate=True)
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        text = unpacker.decompress(inner, MAX_RELEASE) if inner[:2] == b"\x1f\x8b" else inner
        if unpacker.unconsumed_tail:
            raise ValueError(f"unpacks to more than {MAX_RELEASE >> 20} MiB")
        release = msgspec.json.decode(text)
    except RecursionError:
        raise ValueError(f"Secret {name} is no record of Helm: it is nested too deep") from None
    except (binascii.Error, zlib.error, msgspec.DecodeError, ValueError) as error:
        raise ValueError(f"Secret {name} is no record of Helm: {error}") from None
    if not isinstance(release, dict):
        raise ValueError(f"Secret {name} is no record of Helm: expected an object")
    return release


def encode(release: Item) -> str:
    """The inverse of `decode`: what stands in ``data.release``."""
    packed = gzip.compress(msgspec.json.encode(release), mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()


def leaves(values: Any, path: str = "") -> dict[str, Any]:
    """Values by dotted path; empty tables and lists are leaves too."""
    if isinstance(values, dict) and values:
        return {
            found: value
            for key, inner in values.items()
            for found, value in leaves(inner, f"{path}.{key}" if path else str(key)).items()
        }
    if isinstance(values, list) and values:
        return {
            found: value
            for index, inner in enumerate(values)
            for found, value in leaves(inner, f"{path}[{index}]").items()
        }
    return {path: values}


def summarise(
    secret: Item, digest: Callable[[Any], str], parse: Callable[[str], list[Item]], *, whole: bool
) -> dict[str, Any]:
    """What checks need of a record. Values are digests; with ``whole`` the objects of its manifest come too.

    ``digest`` hides a value, ``parse`` turns YAML into objects whose secrets are hidden. Raises ValueError.
    """
    found = decode(str(get(secret, "data", "release", default="")), name_of(secret))
    try:
        return _summary(found, digest, parse, whole=whole)
    except (AttributeError, RecursionError, TypeError):
        raise ValueError(f"Secret {name_of(secret)} is no record of Helm: it has not the fields of one") from None


def _summary(
    release: dict[str, Any], digest: Callable[[Any], str], parse: Callable[[str], list[Item]], *, whole: bool
) -> dict[str, Any]:
    metadata = get(release, "chart", "metadata", default={})
    hooks = [
        {
            "name": hook.get("name"),
            "kind": hook.get("kind"),
            "events": hook.get("events") or [],
            "phase": get(hook, "last_run", "phase", default=""),
            "started": get(hook, "last_run", "started_at", default=""),
        }
        for hook in get(release, "hooks", default=[])
    ]
    found: dict[str, Any] = {
        "name": release.get("name"),
        "revision": version if isinstance(version := release.get("version"), int) else 0,
        "status": get(release, "info", "status", default="unknown"),
        "deployed": get(release, "info", "last_deployed", default=""),
        "chart": metadata.get("name", ""),
        "chartVersion": metadata.get("version", ""),
        "appVersion": metadata.get("appVersion", ""),
        "values": {path: digest(value) for path, value in leaves(get(release, "config", default={})).items() if path},
        "hooks": hooks,
    }
    if whole:
        found["objects"] = parse(str(release.get("manifest") or ""))
    return found


def newest_first(secrets: list[Item]) -> list[Item]:
    """Records of one release, the newest revision first, by the label that Helm gives them."""
    return sorted(secrets, key=lambda secret: -_revision(secret))


def _revision(secret: Item) -> int:
    text = str(labels_of(secret).get("version", ""))
    return int(text) if _REVISION.fullmatch(text) else int(get(secret, "helm", "revision", default=0))
