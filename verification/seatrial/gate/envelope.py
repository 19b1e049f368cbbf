"""A signed text in the envelope of DSSE, which other tools read too: https://github.com/secure-systems-lab/dsse."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.gate import keys
from seatrial.gate.canonical import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class EnvelopeProblem(ValueError):
    """A text that is no envelope, or not in the form in which one is written."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One text, its type, and one signature over both."""

    kind: str
    payload: bytes
    key_id: str
    signature: bytes

    @classmethod
    def sealed(cls, kind: str, payload: bytes, secret: Ed25519PrivateKey) -> Envelope:
        """Sign ``payload``."""
        return cls(
            kind=kind,
            payload=payload,
            key_id=keys.key_id(keys.public_of(secret)),
            signature=secret.sign(_signed(kind, payload)),
        )

    @classmethod
    def parse(cls, text: str) -> Envelope:
        """Out of a file. Raises EnvelopeProblem for anything but exactly what :meth:`dumps` writes."""
        try:
            values = json.loads(text)
            (signature,) = values["signatures"]
            envelope = cls(
                kind=str(values["payloadType"]),
                payload=base64.b64decode(values["payload"], validate=True),
                key_id=str(signature["keyid"]),
                signature=base64.b64decode(signature["sig"], validate=True),
            )
        except (KeyError, TypeError, ValueError, binascii.Error, RecursionError):
            raise EnvelopeProblem("it is no signed file") from None
        if envelope.dumps() != text:
            raise EnvelopeProblem("it is not in the form in which it was written")
        return envelope

    def dumps(self) -> str:
        """The file's text."""
        values = {
            "payloadType": self.kind,
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [{"keyid": self.key_id, "sig": base64.b64encode(self.signature).decode()}],
        }
        return canonical(values) + "\n"

    def signed_by(self, key: str) -> bool:
        """Whether the owner of the public ``key`` signed exactly this."""
        return self.key_id == keys.key_id(key) and keys.verifies(key, self.signature, _signed(self.kind, self.payload))


def _signed(kind: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)
