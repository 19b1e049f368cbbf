"""Protobuf bodies of reviews: kubectl asks who it is and what it may in no other form. Other kinds are not decoded.

Field numbers are those of ``k8s.io/api/authorization/v1/generated.proto`` and, for the envelope, of
``k8s.io/apimachinery/pkg/runtime/generated.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seatrial.demo.kubeapi.failure import Failure

TYPE: Final = "application/vnd.kubernetes.protobuf"

_MAGIC: Final = b"k8s\x00"
_RESOURCE: Final = dict(
    enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), start=1)
)
_ATTRIBUTES: Final = {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", {1: "path", 2: "verb"})}
_SPECS: Final[Mapping[str, Mapping[int, Any]]] = {
    "SelfSubjectAccessReview": _ATTRIBUTES,
    "SelfSubjectRulesReview": {1: "namespace"},
    "SelfSubjectReview": {},
}


def review(raw: bytes, kind: str) -> dict[str, Any]:
    """A review of ``kind``. Raises Failure 415 for another kind, or for bytes that are none."""
    refusal = Failure(415, "UnsupportedMediaType", f"{TYPE} is accepted for reviews of oneself only: use JSON")
    if kind not in _SPECS or not raw.startswith(_MAGIC):
        raise refusal
    try:
        content = dict(_fields(raw[len(_MAGIC) :])).get(2, b"")
        return {"spec": _read(dict(_fields(content)).get(2, b""), _SPECS[kind])}
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise refusal from error


def _read(raw: bytes, names: Mapping[int, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, value in _fields(raw):
        name = names.get(number)
        if isinstance(name, str):
            result[name] = value.decode()
        elif name is not None:
            result[name[0]] = _read(value, name[1])
    return result


def _fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Fields of a message that consist of bytes; numbers are passed over."""
    at = 0
    while at < len(raw):
        tag, at = _number(raw, at)
        if tag & 7 == 0:
            _, at = _number(raw, at)
        elif tag & 7 == 2:
            length, at = _number(raw, at)
            yield tag >> 3, raw[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {tag & 7} is in no review")


def _number(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 0x80:
            return value, at
