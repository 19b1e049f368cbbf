"""People who approve, and what they have signed."""

import base64
import datetime as dt
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seatrial.gate import collection, keys
from seatrial.gate.approval import Approval, Subject
from seatrial.gate.canonical import evidence_sha256
from support.gate import policy
from support.reports import NOW, Reports


@dataclass(frozen=True)
class Person:
    name: str
    secret: Ed25519PrivateKey

    @property
    def public(self) -> str:
        return keys.public_of(self.secret)

    def pem(self) -> bytes:
        return self.secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_pem(self) -> bytes:
        return self.secret.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def person(name: str, number: int) -> Person:
    """Always the same key, so that what is signed is always the same."""
    return Person(name, Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


ALICE, BOB, MALLORY = person("alice@example", 1), person("bob@example", 2), person("mallory@example", 3)


def identity(who: Person, **more: Any) -> dict[str, Any]:
    """The entry of a policy."""
    return {"name": who.name, "key": base64.b64encode(base64.b64decode(who.public)).decode(), **more}


def subject(reports: Reports, changes: Mapping[str, Any]) -> Subject:
    """What there is to approve of these reports under the policy with these changes."""
    with tempfile.TemporaryDirectory() as folder:
        files = collection.read([reports.write(Path(folder))]).files
    return Subject(
        evidence=evidence_sha256(files),
        policy=policy(**changes).sha256(),
        environment=reports.run.environment,
        release=reports.run.release_wanted,
        digests=tuple(sorted(reports.run.digests)),
    )


def approval(who: Person, about: Subject, **changes: Any) -> Approval:
    """Given a minute ago, for an hour."""
    issued = NOW - dt.timedelta(minutes=1)
    made = Approval(
        identity=who.name, issued=issued, expires=issued + dt.timedelta(hours=1), decision="d" * 64, subject=about
    )
    return replace(made, **changes)


def approved(who: Person, reports: Reports, changes: Mapping[str, Any]) -> str:
    return approval(who, subject(reports, changes)).sealed(who.secret)
