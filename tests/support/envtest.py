"""A Kubernetes API to test against: the demo's own, a real kube-apiserver with etcd, or a cluster that is at hand.

With ``KUBEBUILDER_ASSETS``, the convention of Kubernetes' envtest, the real binaries in that folder are started. With
``SEATRIAL_TEST_CLUSTER=1`` the tests run against the current context of ``KUBECONFIG``, and write to it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from seatrial.demo.kubeapi import kubeconfig
from support import kubeapi

READY_WITHIN = 60.0
_TOKEN = "only-for-this-test"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where the API is: a kubeconfig whose user may do everything."""

    kubeconfig: str | None
    context: str | None
    real: bool


@contextlib.contextmanager
def running(state: Path) -> Iterator[Cluster]:
    """An API for as long as the context lasts."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        with _binaries(Path(assets), state) as path:
            yield Cluster(kubeconfig=str(path), context=kubeconfig.NAME, real=True)
    elif os.environ.get("SEATRIAL_TEST_CLUSTER"):
        yield Cluster(kubeconfig=None, context=None, real=True)
    else:
        api = kubeapi.start(state)
        try:
            yield Cluster(kubeconfig=str(state / "admin.kubeconfig"), context=kubeconfig.NAME, real=False)
        finally:
            api.child.stop(3)


def _port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _certificate(state: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, which is its own authority, and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = state / "api.crt", state / "api.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@contextlib.contextmanager
def _binaries(assets: Path, state: Path) -> Iterator[Path]:
    clients, peers, secure = _port(), _port(), _port()
    certificate, key = _certificate(state)
    (state / "tokens.csv").write_text(f'{_TOKEN},admin,admin,"system:masters"\n')
    store = [
        str(assets / "etcd"),
        f"--data-dir={state / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{clients}",
        f"--advertise-client-urls=http://127.0.0.1:{clients}",
        f"--listen-peer-urls=http://127.0.0.1:{peers}",
        "--unsafe-no-fsync",
    ]
    server = [
        str(assets / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{clients}",
        "--bind-address=127.0.0.1",
        f"--secure-port={secure}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--cert-dir={state / 'certs'}",
        f"--token-auth-file={state / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--allow-privileged=true",
    ]
    with contextlib.ExitStack() as stack:
        processes = []
        for name, command in (("etcd", store), ("kube-apiserver", server)):
            log = stack.enter_context((state / f"{name}.log").open("wb"))
            process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
            stack.callback(process.kill)
            processes.append(process)
        url = f"https://127.0.0.1:{secure}"
        _await(url, certificate, processes, state)
        path = state / "kubeconfig"
        authority = certificate.read_bytes()
        kubeconfig.write(path, url=url, authority=authority, user="admin", token=_TOKEN, namespace="default")
        yield path


def _await(url: str, authority: Path, processes: list[subprocess.Popen[bytes]], state: Path) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    deadline = time.monotonic() + READY_WITHIN
    while True:
        ended = [process for process in processes if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            tails = "\n".join(path.read_text(errors="replace")[-2_000:] for path in sorted(state.glob("*.log")))
            raise AssertionError(f"the API server did not get ready\n{tails}")
        with contextlib.suppress(OSError):
            request = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {_TOKEN}"})
            with urllib.request.urlopen(request, timeout=1, context=context):
                return
        time.sleep(0.05)
