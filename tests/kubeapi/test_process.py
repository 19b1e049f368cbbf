"""The API's process, and the manifests and patches that it starts with."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kubernetes import client

from seatrial.demo.faults import FAULTS
from seatrial.demo.kubeapi import manifests
from seatrial.demo.kubeapi.catalogue import Catalogue
from seatrial.demo.kubeapi.resource import BUILTIN, Object
from seatrial.demo.kubeapi.store import Store
from support.kubeapi import MANIFESTS, NAMESPACE, Api

WORKLOADS = ("chat-router", "chatbot", "chatbot-candidate")


_PARENT = """
import pathlib, sys, time
from seatrial.demo.child import Child
child = Child("kubeapi", "seatrial.demo.kubeapi", [f"--manifests={sys.argv[1]}"], state=pathlib.Path(sys.argv[2]))
while child.announced() is None:
    time.sleep(0.01)
print(child.announced()["url"], flush=True)
time.sleep(60)
"""


def loaded(*patches: str) -> dict[tuple[str, str], Object]:
    store = Store()
    manifests.load(store, Catalogue(store), MANIFESTS / "demo", [MANIFESTS / patch for patch in patches])
    return {(item["kind"], item["metadata"]["name"]): item for _, item in store.every()}


def test_the_process_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _PARENT,
            str(MANIFESTS / "demo"),
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(MANIFESTS.parents[1] / "verification")},
    )
    assert parent.stdout is not None
    with parent.stdout:
        address = urlsplit(parent.stdout.readline().strip())
    place = (address.hostname, address.port)
    socket.create_connection(place, timeout=5).close()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(place, timeout=5).close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < deadline, "the API still accepts connections"
        time.sleep(0.02)


def test_kubeconfigs_are_for_their_owner_only(api: Api) -> None:
    for name in ("kubeconfig", "admin.kubeconfig"):
        assert (api.state / name).stat().st_mode & 0o777 == 0o600


def test_deployments_are_rolled_out_and_have_a_previous_revision(verifier: client.ApiClient) -> None:
    apps = client.AppsV1Api(verifier)
    found = apps.list_namespaced_deployment(NAMESPACE).items
    assert [item.metadata.name for item in found] == list(WORKLOADS)
    sets = apps.list_namespaced_replica_set(NAMESPACE).items
    for item in found:
        status = item.status
        assert status.observed_generation == item.metadata.generation
        assert {status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas} == {2}
        owned = [each for each in sets if each.metadata.owner_references[0].uid == item.metadata.uid]
        assert sorted(each.spec.replicas for each in owned) == [0, 2]


def test_every_stored_resource_can_be_listed(admin: client.ApiClient) -> None:
    for resource in BUILTIN:
        if resource.stored:
            prefix = f"/apis/{resource.group}" if resource.group else "/api"
            answer = admin.call_api(
                *admin.param_serialize(
                    method="GET",
                    resource_path=f"{prefix}/{resource.version}/{resource.plural}",
                    auth_settings=["BearerToken"],
                )
            )
            assert json.loads(answer.read())["kind"] == f"{resource.kind}List"


def test_helm_releases_are_encoded_as_helm_does() -> None:
    secret = loaded()["Secret", "sh.helm.release.v1.chatbot.v2"]
    assert secret["metadata"]["labels"] == {"owner": "helm", "name": "chatbot", "version": "2", "status": "deployed"}
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    assert (release["name"], release["version"], release["info"]["status"]) == ("chatbot", 2, "deployed")
    assert release["chart"]["metadata"]["appVersion"] == "1.5.0"


def test_every_fault_of_the_cluster_has_a_patch_that_changes_something() -> None:
    def states(*patches: str) -> dict[tuple[str, str], Object]:
        return {
            key: {field: value for field, value in item.items() if field != "metadata"}
            for key, item in loaded(*patches).items()
        }

    clean = states()
    names = [fault.patch for fault in FAULTS if fault.patch is not None]
    assert sorted(names) == sorted(f"demo-faults/{path.name}" for path in (MANIFESTS / "demo-faults").iterdir())
    assert [name for name in names if states(name) == clean] == []


def test_patches_do_what_their_faults_say() -> None:
    every = loaded(*(f"demo-faults/{name}.yaml" for name in ("missing-probe", "missing-limit", "root-container")))
    for kind, name in every:
        if kind in ("Deployment", "Pod") and name.startswith("chatbot-candidate"):
            item = every[kind, name]
            spec = item["spec"]["template"]["spec"] if kind == "Deployment" else item["spec"]
            (container,) = spec["containers"]
            assert "readinessProbe" not in container
            assert "livenessProbe" in container
            assert "memory" not in container["resources"]["limits"]
            assert container["securityContext"]["runAsUser"] == 0
    stuck = loaded("demo-faults/rollout-stuck.yaml")["Deployment", "chatbot-candidate"]["status"]
    assert stuck["readyReplicas"] == 1
    assert [item["reason"] for item in stuck["conditions"] if item["type"] == "Progressing"] == [
        "ProgressDeadlineExceeded"
    ]
    gone = loaded("demo-faults/no-previous-revision.yaml")
    assert sum(kind == "ReplicaSet" for kind, _ in gone) == 3
    assert "DATABASE_PASSWORD" in loaded("demo-faults/plaintext-secret.yaml")["ConfigMap", "chatbot-config"]["data"]
    image = loaded("demo-faults/latest-tag.yaml")["Deployment", "chatbot-candidate"]["spec"]["template"]["spec"]
    assert image["containers"][0]["image"].endswith(":latest")


def test_a_patch_of_nothing_is_refused(tmp_path: Path) -> None:
    patch = tmp_path / "patch.yaml"
    patch.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: absent, namespace: chatbot-demo}}")
    store = Store()
    with pytest.raises(manifests.BadManifest, match="which the manifests do not have"):
        manifests.load(store, Catalogue(store), MANIFESTS / "demo", [patch])
