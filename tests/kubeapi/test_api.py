"""What the official client and kubectl see of the embedded API, as they would of a real one."""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, dynamic, watch

from kubeapi.conftest import NAMESPACE, REPOSITORY, Served, serve, stop
from seatrial.demo.kubeapi.manifests import ManifestProblem, load
from seatrial.demo.kubeapi.store import Store

FAULTS = sorted(path.stem for path in (REPOSITORY / "fixtures" / "manifests" / "demo-faults").glob("*.yaml"))


@pytest.fixture
def core(api: Served) -> client.CoreV1Api:
    return client.CoreV1Api(api.client())


@pytest.fixture
def apps(api: Served) -> client.AppsV1Api:
    return client.AppsV1Api(api.client())


def _config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"made-by": "test"}), data=data)


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("track=candidate", 2),
        ("track!=candidate", 5),
        ("track in (stable, candidate)", 5),
        ("track notin (stable)", 4),
        ("track", 7),
        ("!track", 0),
        ("track=stable,app.kubernetes.io/name=chat", 3),
    ],
)
def test_label_selectors(core: client.CoreV1Api, selector: str, count: int) -> None:
    assert len(core.list_namespaced_pod(NAMESPACE, label_selector=selector).items) == count


@pytest.mark.parametrize(
    ("selector", "count"),
    [("status.phase=Running", 7), ("status.phase!=Running", 0), ("spec.nodeName=node-1", 4), ("metadata.name=x", 0)],
)
def test_field_selectors(core: client.CoreV1Api, selector: str, count: int) -> None:
    assert len(core.list_namespaced_pod(NAMESPACE, field_selector=selector).items) == count


def test_pages_show_one_state(core: client.CoreV1Api) -> None:
    whole = [pod.metadata.name for pod in core.list_namespaced_pod(NAMESPACE).items]
    first = core.list_namespaced_pod(NAMESPACE, limit=3)
    assert first.metadata.remaining_item_count == len(whole) - 3
    core.create_namespaced_config_map(NAMESPACE, _config_map("between-pages"))
    rest = core.list_namespaced_pod(NAMESPACE, limit=10, _continue=first.metadata._continue)
    assert [pod.metadata.name for pod in [*first.items, *rest.items]] == whole
    assert rest.metadata.resource_version == first.metadata.resource_version
    core.delete_namespaced_config_map("between-pages", NAMESPACE)
    with pytest.raises(client.ApiException) as expired:
        core.list_namespaced_pod(NAMESPACE, limit=3, _continue=first.metadata._continue)
    assert (expired.value.status, json.loads(expired.value.body)["reason"]) == (410, "Expired")


def test_life_of_an_object(core: client.CoreV1Api) -> None:
    made = core.create_namespaced_config_map(NAMESPACE, _config_map("life", a="1"))
    assert made.metadata.uid
    assert made.metadata.creation_timestamp
    stale = made.metadata.resource_version
    made.data = {"a": "2"}
    changed = core.replace_namespaced_config_map("life", NAMESPACE, made)
    assert int(changed.metadata.resource_version) > int(stale)
    made.metadata.resource_version = stale
    codes = {}
    for name, call in {
        "conflict": lambda: core.replace_namespaced_config_map("life", NAMESPACE, made),
        "exists": lambda: core.create_namespaced_config_map(NAMESPACE, _config_map("life")),
        "namespace": lambda: core.create_namespaced_config_map("nowhere", _config_map("x")),
        "name": lambda: core.create_namespaced_config_map(NAMESPACE, _config_map("Not A Name")),
    }.items():
        with pytest.raises(client.ApiException) as refused:
            call()
        codes[name] = (refused.value.status, json.loads(refused.value.body)["reason"])
    assert codes == {
        "conflict": (409, "Conflict"),
        "exists": (409, "AlreadyExists"),
        "namespace": (404, "NotFound"),
        "name": (422, "Invalid"),
    }
    core.delete_namespaced_config_map("life", NAMESPACE)
    with pytest.raises(client.ApiException) as gone:
        core.read_namespaced_config_map("life", NAMESPACE)
    assert gone.value.status == 404


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/merge-patch+json", {"data": {"a": None, "b": "2"}}, {"b": "2", "keep": "x"}),
        ("application/strategic-merge-patch+json", {"data": {"a": "3"}}, {"a": "3", "keep": "x"}),
        ("application/json-patch+json", [{"op": "replace", "path": "/data/a", "value": "4"}], {"a": "4", "keep": "x"}),
    ],
)
def test_patches(api: Served, core: client.CoreV1Api, content_type: str, body: Any, expected: dict[str, str]) -> None:
    core.create_namespaced_config_map(NAMESPACE, _config_map("patched", a="1", keep="x"))
    try:
        maps = dynamic.DynamicClient(api.client()).resources.get(api_version="v1", kind="ConfigMap")
        changed = maps.patch(name="patched", namespace=NAMESPACE, body=body, content_type=content_type)
        assert changed.data.to_dict() == expected
    finally:
        core.delete_namespaced_config_map("patched", NAMESPACE)


def test_strategic_patches_merge_containers_by_name(apps: client.AppsV1Api) -> None:
    container = {"name": "router", "env": [{"name": "EXTRA", "value": "1"}]}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    changed = apps.patch_namespaced_deployment("chat-router", NAMESPACE, body)
    (only,) = changed.spec.template.spec.containers
    assert only.image.startswith("registry.demo.example/")
    assert {variable.name for variable in only.env} == {"EXTRA", "LOG_LEVEL"}
    assert changed.metadata.generation == 2


def test_status_and_scale(apps: client.AppsV1Api) -> None:
    before = apps.read_namespaced_deployment("chatbot-candidate", NAMESPACE)
    scaled = apps.patch_namespaced_deployment_scale("chatbot-candidate", NAMESPACE, {"spec": {"replicas": 5}})
    assert scaled.spec.replicas == 5
    after = apps.read_namespaced_deployment("chatbot-candidate", NAMESPACE)
    assert (after.spec.replicas, after.metadata.generation) == (5, before.metadata.generation + 1)
    assert after.status.observed_generation == before.metadata.generation
    status = {"status": {"observedGeneration": after.metadata.generation, "readyReplicas": 5}}
    told = apps.patch_namespaced_deployment_status("chatbot-candidate", NAMESPACE, status)
    assert (told.status.ready_replicas, told.metadata.generation) == (5, after.metadata.generation)
    kept = apps.patch_namespaced_deployment("chatbot-candidate", NAMESPACE, {"status": {"readyReplicas": 0}})
    assert kept.status.ready_replicas == 5


def test_watch_tells_changes_from_a_version_on(core: client.CoreV1Api) -> None:
    version = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    core.create_namespaced_config_map(NAMESPACE, _config_map("watched", a="1"))
    core.patch_namespaced_config_map("watched", NAMESPACE, {"data": {"a": "2"}})
    core.delete_namespaced_config_map("watched", NAMESPACE)
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        NAMESPACE,
        resource_version=version,
        label_selector="made-by=test",
        timeout_seconds=1,
    )
    seen = [(event["type"], event["object"].metadata.name) for event in stream]
    assert seen == [("ADDED", "watched"), ("MODIFIED", "watched"), ("DELETED", "watched")]


def test_watch_of_a_forgotten_version_is_gone(core: client.CoreV1Api) -> None:
    core.create_namespaced_config_map(NAMESPACE, _config_map("busy", n="0"))
    for number in range(2100):
        core.patch_namespaced_config_map("busy", NAMESPACE, {"data": {"n": str(number)}})
    core.delete_namespaced_config_map("busy", NAMESPACE)
    with pytest.raises(client.ApiException) as gone:
        list(watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version="2", timeout_seconds=1))
    assert gone.value.status == 410


def test_secrets_convert_and_helm_records_decode(core: client.CoreV1Api) -> None:
    secret = core.read_namespaced_secret("chatbot-credentials", NAMESPACE)
    assert base64.b64decode(secret.data["model-token"]) == b"demo-only"
    records = core.list_namespaced_secret(NAMESPACE, label_selector="owner=helm").items
    assert [record.metadata.labels["status"] for record in records] == ["superseded", "deployed"]
    packed = base64.b64decode(base64.b64decode(records[1].data["release"]))
    release = json.loads(gzip.decompress(packed))
    assert (release["version"], release["chart"]["metadata"]["appVersion"]) == (2, "1.5.0")
    assert "kind: Deployment" in release["manifest"]


def test_the_verifier_may_read_and_nothing_else(api: Served) -> None:
    verifier = api.client("kubeconfig")
    core, access = client.CoreV1Api(verifier), client.AuthorizationV1Api(verifier)
    assert core.list_namespaced_pod(NAMESPACE).items
    for call in (
        lambda: core.list_pod_for_all_namespaces(),
        lambda: core.list_namespaced_pod("kube-system"),
        lambda: core.delete_namespaced_pod("x", NAMESPACE),
        lambda: core.create_namespaced_config_map(NAMESPACE, _config_map("x")),
    ):
        with pytest.raises(client.ApiException) as refused:
            call()
        assert (refused.value.status, json.loads(refused.value.body)["reason"]) == (403, "Forbidden")
    for verb, allowed in (("list", True), ("delete", False)):
        attributes = client.V1ResourceAttributes(verb=verb, resource="pods", namespace=NAMESPACE)
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        review = access.create_self_subject_access_review(client.V1SelfSubjectAccessReview(spec=spec))
        assert review.status.allowed is allowed


def test_without_a_token_nobody(api: Served) -> None:
    nobody = api.client()
    nobody.configuration.api_key = {}
    nobody.default_headers.pop("authorization", None)
    settings = client.Configuration(host=nobody.configuration.host)
    settings.ssl_ca_cert = nobody.configuration.ssl_ca_cert
    with pytest.raises(client.ApiException) as refused:
        client.CoreV1Api(client.ApiClient(settings)).list_namespaced_pod(NAMESPACE)
    assert refused.value.status == 401


def test_custom_resources_are_served_once_defined(api: Served) -> None:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wg"]}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}
    spec = {"group": "shop.example", "scope": "Namespaced", "names": names, "versions": [version]}
    connection = api.client()
    definitions = dynamic.DynamicClient(connection).resources.get(kind="CustomResourceDefinition")
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    definitions.create(body={**body, "metadata": {"name": "widgets.shop.example"}, "spec": spec})
    custom = client.CustomObjectsApi(connection)
    widget = {"apiVersion": "shop.example/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {"size": 3}}
    custom.create_namespaced_custom_object("shop.example", "v1", NAMESPACE, "widgets", widget)
    listed = custom.list_namespaced_custom_object("shop.example", "v1", NAMESPACE, "widgets")
    assert [item["spec"]["size"] for item in listed["items"]] == [3]
    definitions.delete(name="widgets.shop.example")
    with pytest.raises(client.ApiException) as gone:
        custom.list_namespaced_custom_object("shop.example", "v1", NAMESPACE, "widgets")
    assert gone.value.status == 404


def test_what_an_owner_owns_goes_with_it(core: client.CoreV1Api, apps: client.AppsV1Api) -> None:
    apps.delete_namespaced_deployment("chatbot", NAMESPACE)
    assert core.list_namespaced_pod(NAMESPACE, label_selector="track=stable").items == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("get", "pods", "-n", NAMESPACE), "Running"),
        (("get", "deploy,rs,svc,hpa,pdb,ing,netpol,cm", "-A"), "chat-router"),
        (("get", "ns"), "Active"),
        (("get", "po", "-n", NAMESPACE, "-o", "json"), '"kind": "List"'),
        (("rollout", "status", "deploy/chat-router", "-n", NAMESPACE, "--watch=false"), "deployment"),
        (("describe", "svc", "chat-router", "-n", NAMESPACE), "ClusterIP"),
        (("api-resources",), "horizontalpodautoscalers"),
        (("version",), "v1.34.0"),
    ],
)
def test_kubectl(api: Served, need: Callable[[str], str], words: tuple[str, ...], shown: str) -> None:
    result = api.kubectl(need("kubectl"), *words)
    assert result.returncode == 0, result.stderr
    assert shown in result.stdout


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_a_patch_that_applies(tmp_path: Path, fault: str) -> None:
    served = serve(tmp_path, fault)
    try:
        assert client.AppsV1Api(served.client()).list_namespaced_deployment(NAMESPACE).items
    finally:
        assert stop(served) == 0


def test_a_patch_of_nothing_says_so(tmp_path: Path) -> None:
    patch = tmp_path / "bad.yaml"
    patch.write_text("- {apiVersion: v1, kind: Pod, namespace: x, name: z, type: merge, patch: {}}\n")
    manifests = REPOSITORY / "fixtures" / "manifests" / "demo"
    with pytest.raises(ManifestProblem, match="there is no Pod x/z to patch"):
        load(Store(), manifests, [patch])
