"""What happens to objects on their way into a snapshot: secrets are hidden, and what no check reads is dropped."""

from __future__ import annotations

import base64
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
from seatrial.snapshot.objects import Item, controlled, get, labels_of, members, moment, name_of, namespace_of
from seatrial.snapshot.yaml import YamlProblem, documents

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_COPIES: Final = (
    LAST_APPLIED,
    "kapp.k14s.io/original",
    "banzaicloud.com/last-applied",
    "objectset.rio.cattle.io/applied",
)
"""Annotations with a copy of the object, in which a Secret's values stand in plain text."""
_SECRET_FIELDS: Final = frozenset(("apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData"))
_POD_FIELDS: Final = ("nodeName", "serviceAccountName", "readinessGates")
_TLS_KEY: Final = "tls.crt"
_NO_CERTIFICATE: Final = (
    ValueError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
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

    def take(self, kind: str, items: Iterable[Any], namespace: str = "") -> tuple[Item, ...]:
        """The objects of one list. What is no object is left out; it has no name to be spoken of by.

        ``namespace`` is where they were found, for those that do not say it themselves.
        """
        found = [item for item in items if isinstance(item, dict)]
        for item in found:
            item.setdefault("kind", kind)
            if kind in KINDS:
                item.setdefault("apiVersion", KINDS[kind].api_version)
            self._common(kind, item, namespace)
            if kind == "Pod" and controlled(item):
                _narrow_pod(item)
        if kind == "Secret":
            self._secrets(found)
        return tuple(found)

    def _common(self, kind: str, item: dict[str, Any], namespace: str) -> None:
        if not isinstance(item.get("metadata"), dict):
            item["metadata"] = {}
        metadata = item["metadata"]
        if namespace and not isinstance(metadata.get("namespace"), str):
            metadata["namespace"] = namespace
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            for name in _COPIES:
                annotations.pop(name, None)
        fields = metadata.get("managedFields")
        if fields is None:
            return
        if not isinstance(fields, list) or kind in ("Pod", "ReplicaSet", "EndpointSlice", "Node"):
            del metadata["managedFields"]
            return
        metadata["managedFields"] = [_packed(entry) for entry in fields if isinstance(entry, dict)]

    def _secrets(self, items: list[dict[str, Any]]) -> None:
        records: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            # A value under a name that was mistyped is a value too.
            for name in item.keys() - _SECRET_FIELDS:
                del item[name]
            if item.get("type") == helm.SECRET_TYPE:
                records.setdefault((namespace_of(item), str(labels_of(item).get("name", ""))), []).append(item)
        whole = {id(item) for group in records.values() for item in helm.newest_first(group)[:_WHOLE_RECORDS]}
        for item in items:
            if item.get("type") == helm.SECRET_TYPE:
                try:
                    item["helm"] = helm.summarise(item, self.digest, self.objects, whole=id(item) in whole)
                except ValueError as error:
                    item["helm"] = {"problem": str(error), "name": str(labels_of(item).get("name", ""))}
            self._hide(item)

    def _hide(self, item: dict[str, Any]) -> None:
        given, plain = item.get("data") or {}, item.pop("stringData", None) or {}
        if not isinstance(given, dict) or not isinstance(plain, dict):
            # Malformed it stays, for checks to say so.
            item["data"] = self.digest([given, plain])
            return
        data = {**given, **_encoded(plain)}
        if _TLS_KEY in data:
            item["certificate"] = _certificate(str(data[_TLS_KEY]))
        item["data"] = {key: self.digest(value) for key, value in data.items()}

    def objects(self, text: str) -> list[Item]:
        """Objects of a YAML text, taken in. Raises ValueError where it is no YAML."""
        found: list[Item] = []
        try:
            parsed = documents(text)
        except YamlProblem as problem:
            # What the parser says may quote the text, and with it a Secret.
            raise ValueError(f"its manifest is no YAML: see line {problem.line}") from None
        for document in parsed:
            for value in members(document.value):
                found += self.take(str(get(value, "kind", default="")), [value])
        return found


def _packed(entry: dict[str, Any]) -> dict[str, Any]:
    fields = entry.pop("fieldsV1", None)
    return {**entry, "fields": msgspec.json.encode(fields or {}).decode()}


def _encoded(data: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64encode(str(value).encode()).decode() for key, value in data.items()}


def _narrow_pod(item: dict[str, Any]) -> None:
    """Leave of the spec what is not in its owner's template."""
    spec = get(item, "spec", default={})
    if not isinstance(spec, dict):
        return
    narrow = {key: spec[key] for key in _POD_FIELDS if key in spec}
    for sort in ("containers", "initContainers"):
        if spec.get(sort):
            narrow[sort] = _named(spec[sort])
    if spec.get("ephemeralContainers"):
        # Not in the template: somebody attached a debugger, and what it may do is to be judged here.
        narrow["ephemeralContainers"] = spec["ephemeralContainers"]
    item["spec"] = narrow


def _named(containers: Any) -> Any:
    if not isinstance(containers, list):
        return containers
    return [{key: one.get(key) for key in ("name", "image")} if isinstance(one, dict) else one for one in containers]


def _certificate(encoded: str) -> dict[str, Any]:
    """Public facts of the first certificate in a PEM text."""
    try:
        found = x509.load_pem_x509_certificate(base64.b64decode(encoded))
        return {
            "notBefore": found.not_valid_before_utc.isoformat(),
            "notAfter": found.not_valid_after_utc.isoformat(),
            "names": _hosts(found),
        }
    except _NO_CERTIFICATE as error:
        return {"problem": " ".join(str(error).split())[:120]}


def _hosts(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


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
