"""A platform in which nothing is wrong, and ways to spoil it: as a snapshot, or on a real API."""

from __future__ import annotations

import base64
import copy
import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seatrial.checks.catalogue import CONFIG
from seatrial.checks.rule import View
from seatrial.environment.model import Cluster, Environment
from seatrial.evidence.assessment import Assessment
from seatrial.snapshot import helm
from seatrial.snapshot.intake import Intake
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, KINDS, SELF_ACCESS
from seatrial.snapshot.snapshot import Snapshot
from seatrial.snapshot.workload import Workload

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
NAMESPACE = "shop"
UID = "uid-of-kube-system"
DIGEST = "sha256:" + "1" * 64
CHECKS = {check.id: check for check in CONFIG}

STRATEGY = {
    "cpu_limits": "required",
    "guaranteed": ["deployment/chat"],
    "registries": ["registry.example/shop"],
    "image_digests": True,
    "pull_policy": "IfNotPresent",
    "priority_classes": ["serving"],
    "runtime_class": "gvisor",
    "autoscaled": ["deployment/chat"],
    "external_secrets": True,
    "secrets_as_files": True,
    "max_secret_age": "90d",
    "keep_revisions": 1,
    "other_environments": ["staging.shop.example", "shop-staging"],
    "keys": {"ConfigMap/settings": ["LOG_LEVEL", "API_TOKEN_FILE", "MAX_TOKENS"]},
    "helm_values": {"chat": ["values.yaml"]},
    "chart_versions": {"chat": "2.1.0"},
}
VALUES = "image:\n  tag: 1.5.0\nreplicas: 2\n"
"""The reviewed values of the Helm release."""


def certificate(ends: dt.datetime) -> str:
    """A self-signed certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.shop.example")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(ends - dt.timedelta(days=90)).not_valid_after(ends)
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def release(revision: int, **changes: Any) -> dict[str, Any]:
    """Helm's record of the release, in the Secret that it keeps it in."""
    manifest = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  template: {spec: {containers: [{name: chat, resources: {requests: {cpu: 0.25}}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {LOG_LEVEL: info}
"""
    record = {
        "name": "chat",
        "namespace": NAMESPACE,
        "version": revision,
        "info": {"status": "deployed" if revision == 2 else "superseded", "last_deployed": "2026-11-20T10:00:00Z"},
        "chart": {"metadata": {"name": "chat", "version": "2.1.0", "appVersion": "1.5.0"}},
        "config": {"image": {"tag": "1.5.0"}, "replicas": 2},
        "manifest": manifest,
        "hooks": [
            {
                "name": "migrate",
                "kind": "Job",
                "events": ["pre-upgrade"],
                "last_run": {"phase": "Succeeded", "started_at": "2026-11-20T10:00:00Z"},
            }
        ],
        **changes,
    }
    status = record["info"]["status"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": helm.SECRET_TYPE,
        "metadata": {
            "name": f"sh.helm.release.v1.chat.v{revision}",
            "namespace": NAMESPACE,
            "labels": {"owner": "helm", "name": "chat", "version": str(revision), "status": status},
        },
        "data": {"release": helm.encode(record)},
    }


def access(verb: str, resource: str, *, need: str, allowed: bool, subject: str = "the verifier") -> dict[str, Any]:
    """A row of an access review."""
    metadata = {"name": subject, "namespace": NAMESPACE}
    row = {"verb": verb, "group": "", "resource": resource, "need": need, "allowed": allowed, "reason": ""}
    return {"metadata": metadata, **row}


_TEXT = (Path(__file__).parent / "world.yaml").read_text(encoding="utf-8")
_TLS = certificate(NOW + dt.timedelta(days=60))


@dataclass(kw_only=True)
class World:
    """Objects by kind and name, and the strategy that they are held against. Change what you like."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    strategy: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    uid: str = UID
    version: str = "1.35.2"
    server: str = "https://10.0.0.1:6443"
    unread: dict[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    def __getitem__(self, key: tuple[str, str]) -> Any:
        return self.objects[key]

    def add(self, kind: str, name: str, **content: Any) -> Any:
        """A new object in the namespace, or of the cluster where its kind is."""
        known = KINDS.get(kind)
        place = {"namespace": NAMESPACE} if known is None or known.namespaced else {}
        version = {"apiVersion": known.api_version} if known is not None else {}
        metadata = {"name": name, **place, **content.pop("metadata", {})}
        self.objects[kind, name] = {**version, "kind": kind, "metadata": metadata, **content}
        return self.objects[kind, name]

    def drop(self, kind: str, name: str) -> None:
        del self.objects[kind, name]

    @property
    def deployment(self) -> Any:
        return self["Deployment", "chat"]

    @property
    def pod(self) -> Any:
        """Spec of the Deployment's pods."""
        return self.deployment["spec"]["template"]["spec"]

    @property
    def container(self) -> Any:
        return self.pod["containers"][0]

    def snapshot(self) -> Snapshot:
        intake = Intake()
        by_kind: dict[str, list[Any]] = {kind: [] for kind in (*KINDS, SELF_ACCESS, ACCOUNT_ACCESS)}
        for (kind, _), item in self.objects.items():
            by_kind[kind].append(copy.deepcopy(item))
        objects = {kind: intake.take(kind, items) for kind, items in by_kind.items()}
        gone = {*self.unread, *self.absent}
        return Snapshot(
            objects={kind: items for kind, items in objects.items() if kind not in gone},
            unread=self.unread,
            absent=self.absent,
            namespaces=(NAMESPACE,),
            taken=NOW,
            server=self.server,
            version=self.version,
            problems=self.problems,
            digest=intake.digest,
        )

    def settings(self) -> Environment:
        cluster = Cluster(namespaces=(NAMESPACE,), uid=self.uid, server=self.server)
        document = {"name": NAMESPACE, "config": {**STRATEGY, **self.strategy}, **self.environment}
        document.setdefault("release", {"digests": [DIGEST]})
        return Environment.model_validate({"cluster": cluster, **document})


def world() -> World:
    """A fresh one."""
    made = World()
    for item in yaml.load_all(_TEXT, Loader=yaml.CSafeLoader):
        made.objects[item["kind"], item["metadata"]["name"]] = item
    made.add("Namespace", "kube-system", metadata={"uid": UID}, status={"phase": "Active"})
    tls = {"tls.crt": encoded(_TLS), "tls.key": encoded("none")}
    managed = {"labels": {"reconcile.external-secrets.io/managed": "true"}}
    made.add("Secret", "chat-tls", type="kubernetes.io/tls", metadata=managed, data=tls)
    for revision in (1, 2):
        record = release(revision)
        made.objects["Secret", record["metadata"]["name"]] = record
    made.objects[SELF_ACCESS, "read"] = access("list", "pods", need="read", allowed=True)
    made.objects[SELF_ACCESS, "write"] = access("create", "pods", need="write", allowed=False)
    made.objects[ACCOUNT_ACCESS, "chat"] = access("list", "secrets", need="", allowed=False, subject="chat")
    for item in made.objects.values():
        item["metadata"].setdefault("creationTimestamp", "2026-11-20T10:00:00Z")
    return made


def assess(
    identity: str, spoilt: World, directory: Path, *, snapshot: Snapshot | None = None, only: bool = False
) -> Assessment:
    """Run one check over all of a world, over its Deployment alone, or over another snapshot of it."""
    seen = snapshot or spoilt.snapshot()
    item = seen.find("Deployment", NAMESPACE, "chat") if only else None
    view = View(
        snapshot=seen,
        environment=spoilt.settings(),
        now=NOW,
        directory=directory,
        only=Workload(kind="Deployment", item=item, snapshot=seen) if item is not None else None,
    )
    return CHECKS[identity].run(view)
