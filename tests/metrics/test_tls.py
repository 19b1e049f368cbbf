"""Own certificates are trusted where they are declared, and nowhere else."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seatrial.http.bounded import NoAnswer, open_address
from seatrial.metrics.prometheus import Bounds, Prometheus
from support.metrics import says, scripted

EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}


def _certificate(folder: Path) -> Path:
    """A self-signed certificate of loopback with its key, in one file; ``ca.pem`` beside it has the certificate."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "prometheus")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    public = certificate.public_bytes(encoding)
    (folder / "ca.pem").write_bytes(public)
    both = folder / "server.pem"
    both.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + public)
    return both


def test_a_certificate_of_our_own(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    with scripted(says(EMPTY), tls=context) as (url, _):
        trusting = open_address(url, run_id="r", connect_timeout=2, timeout=2, ca_file=str(tmp_path / "ca.pem"))
        with trusting as client:
            assert Prometheus(client, Bounds()).instant("up", at=1) == ()
        with (
            open_address(url, run_id="r", connect_timeout=2, timeout=2) as client,
            pytest.raises(NoAnswer, match="the certificate is not valid") as problem,
        ):
            Prometheus(client, Bounds()).instant("up", at=1)
    assert problem.value.ours
