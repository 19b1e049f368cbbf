"""What happens to objects on their way into a snapshot: secrets are hidden, and what no check reads is dropped."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from cryptography import x509

from seatrial.snapshot import helm
from seatrial.snapshot.kinds import KINDS
from seatrial.snapshot.objects import Item, controlled, get, labels_of, moment, name_of, namespace_of
from seatrial.snapshot.yaml import documents

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_POD_FIELDS: Final = ("nodeName", "serviceAccountName", "readinessGates")
_TLS_KEY: Final = "tls.crt"
_WHOLE_RECORDS: Final = 2
"""Records of a Helm release of which the manifest is kept: the newest, and the one to roll back to."""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Takes objects in. Values of Secrets become digests under a key that lives as long as this object.

    Equal values have equal digests within one snapshot; without the key, which is never written, a digest of a short
    secret cannot be guessed.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def digest(self, value: Any) -> str:
        """``hidden:`` and 128 bits of HMAC-SHA-256 of the value as JSON."""
        text = msgspec.json.encode(value)
        return "hidden:" + hmac.new(self.key, text, hashlib.sha256).hexdigest()[:32]

    def take(self, kind: str, items: Iterable[Any]) -> tuple[Item, ...]:
        """The objects of one list. What is no object is left out; it has no name to be spoken of by."""
        found = [item for item in items if isinstance(item, dict)]
        for item in found:
            item.setdefault("kind", kind)
            if kind in KINDS:
                item.setdefault("apiVersion", KINDS[kind].api_version)
            self._common(kind, item)
            if kind == "Pod" and controlled(item):
                _narrow_pod(item)
        if kind == "Secret":
            self._secrets(found)
        return tuple(found)

    def _common(self, kind: str, item: dict[str, Any]) -> None:
        metadata = item.get("metadata")
        if not isinstance(metadata, dict):
            item["metadata"] = {}
            return
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            # A copy of the object, in which a Secret's values stand in plain text.
            annotations.pop(LAST_APPLIED, None)
        fields = metadata.get("managedFields")
        if fields is None:
            return
        if kind in ("Pod", "ReplicaSet", "EndpointSlice", "Node"):
            del metadata["managedFields"]
            return
        metadata["managedFields"] = [_packed(entry) for entry in fields if isinstance(entry, dict)]

    def _secrets(self, items: list[dict[str, Any]]) -> None:
        records: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            if item.get("type") == helm.SECRET_TYPE:
                records.setdefault((namespace_of(item), labels_of(item).get("name", "")), []).append(item)
        whole = {id(item) for group in records.values() for item in helm.newest_first(group)[:_WHOLE_RECORDS]}
        for item in items:
            if item.get("type") == helm.SECRET_TYPE:
                try:
                    item["helm"] = helm.summarise(item, self.digest, self.objects, whole=id(item) in whole)
                except ValueError as error:
                    item["helm"] = {"problem": str(error), "name": labels_of(item).get("name", "")}
            self._hide(item)

    def _hide(self, item: dict[str, Any]) -> None:
        data = {**(item.get("data") or {}), **_encoded(item.pop("stringData", None))}
        if _TLS_KEY in data:
            item["certificate"] = _certificate(str(data[_TLS_KEY]))
        item["data"] = {key: self.digest(value) for key, value in data.items()}

    def objects(self, text: str) -> list[Item]:
        """Objects of a YAML text, taken in. Raises ValueError where it is no YAML."""
        found: list[Item] = []
        for document in documents(text):
            if isinstance(document.value, dict):
                found += self.take(str(document.value.get("kind", "")), [document.value])
        return found


def _packed(entry: dict[str, Any]) -> dict[str, Any]:
    fields = entry.pop("fieldsV1", None)
    return {**entry, "fields": msgspec.json.encode(fields or {}).decode()}


def _encoded(data: Any) -> dict[str, str]:
    return {key: base64.b64encode(str(value).encode()).decode() for key, value in (data or {}).items()}


def _narrow_pod(item: dict[str, Any]) -> None:
    """Leave of the spec what is not in its owner's template."""
    spec = get(item, "spec", default={})
    narrow = {key: spec[key] for key in _POD_FIELDS if key in spec}
    for sort in ("containers", "initContainers"):
        if spec.get(sort):
            narrow[sort] = [{"name": c.get("name"), "image": c.get("image")} for c in spec[sort]]
    if spec.get("ephemeralContainers"):
        # Not in the template: somebody attached a debugger, and what it may do is to be judged here.
        narrow["ephemeralContainers"] = spec["ephemeralContainers"]
    item["spec"] = narrow


def _certificate(encoded: str) -> dict[str, Any]:
    """Public facts of the first certificate in a PEM text."""
    try:
        found = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    except (ValueError, binascii.Error) as error:
        return {"problem": " ".join(str(error).split())[:120]}
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        hosts = []
    return {
        "notBefore": found.not_valid_before_utc.isoformat(),
        "notAfter": found.not_valid_after_utc.isoformat(),
        "names": hosts,
    }


def data_changed(item: Item) -> dt.datetime | None:
    """When the data of a Secret or ConfigMap last changed, as its field managers tell; else when it was made."""
    times = [
        moment(entry.get("time"))
        for entry in get(item, "metadata", "managedFields", default=[])
        if any(field in entry.get("fields", "") for field in ('"f:data"', '"f:binaryData"', '"f:stringData"'))
    ]
    known = [time for time in times if time is not None]
    return max(known) if known else moment(get(item, "metadata", "creationTimestamp"))


def describe(item: Item) -> str:
    """``Kind namespace/name``."""
    place = f"{namespace_of(item)}/" if namespace_of(item) else ""
    return f"{item.get('kind', 'object')} {place}{name_of(item)}"
