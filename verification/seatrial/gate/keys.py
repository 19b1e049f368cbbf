"""Ed25519 keys of people who approve: made, read, and used to sign and to verify.

`cryptography` is imported only where something is signed or verified: reading a policy must be quick.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LENGTH: Final = 32
"""Bytes of a public key."""
_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
"""What comes before those bytes in a PEM file of an Ed25519 key: RFC 8410."""
_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----\s(.*?)-----END PUBLIC KEY-----", re.DOTALL)
_LARGEST_FILE: Final = 64 * 1024


class KeyProblem(ValueError):
    """A key that cannot be used; the message never holds any of it."""


def public(text: str) -> str:
    """A public key in the one form in which it is compared, base64 of its 32 bytes. Raises KeyProblem."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyProblem("expected a public Ed25519 key in base64, or the name of a .pem file") from None
    if len(raw) != LENGTH:
        raise KeyProblem(f"expected the {LENGTH} bytes of a public Ed25519 key in base64, seen {len(raw)} bytes")
    return base64.b64encode(raw).decode()


def public_of_file(path: Path) -> str:
    """The public key in a PEM file, in that form. Raises KeyProblem."""
    match = _PEM.search(_read(path))
    if match is None:
        raise KeyProblem(f"{path}: expected `-----BEGIN PUBLIC KEY-----`")
    try:
        encoded = base64.b64decode(b"".join(match[1].split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeyProblem(f"{path}: the key in it is not readable") from None
    if not encoded.startswith(_PREFIX) or len(encoded) != len(_PREFIX) + LENGTH:
        raise KeyProblem(f"{path}: expected an Ed25519 key, seen another kind")
    return public(base64.b64encode(encoded[len(_PREFIX) :]).decode())


def key_id(key: str) -> str:
    """A short name of a public key, by which a signature says whose it is."""
    return hashlib.sha256(base64.b64decode(key)).hexdigest()


def resolved(identity: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """An entry of a policy with its key in the form in which it is compared. Raises KeyProblem."""
    key = str(identity["key"])
    return {**identity, "key": public_of_file(folder / key) if key.endswith(".pem") else public(key)}


def make(path: Path, passphrase: str = "") -> str:
    """Write a new private key, readable by its owner alone, and return the public one.

    Raises KeyProblem where there is a file already, or none can be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    pem = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
    except OSError as error:
        raise KeyProblem(f"{path}: {error.strerror or error}") from None
    return public_of(secret)


def private(path: Path, passphrase: str = "") -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises KeyProblem."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    content = _read(path)
    if b"PRIVATE KEY-----" not in content:
        raise KeyProblem(f"{path}: expected a private key in PEM, as `seatrial approve keygen` makes it")
    try:
        key = serialization.load_pem_private_key(content, passphrase.encode() or None)
    except TypeError:
        words = "a passphrase was given, and it needs none" if passphrase else "it needs its passphrase"
        raise KeyProblem(f"{path}: {words}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem(f"{path}: not a readable private key, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyProblem(f"{path}: expected an Ed25519 key, seen another kind")
    return key


def public_of(secret: Ed25519PrivateKey) -> str:
    """The public half of a private key."""
    return base64.b64encode(secret.public_key().public_bytes_raw()).decode()


def verifies(key: str, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is that of ``message`` by the owner of the public ``key``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_FILE)
    except OSError as error:
        raise KeyProblem(f"{path}: {error.strerror or error}") from None
