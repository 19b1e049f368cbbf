"""The API as the official client and kubectl see it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from support.kubeapi import NAMESPACE, Api


def refusal(error: pytest.ExceptionInfo[ApiException]) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(error.value.body)
    assert status["kind"] == "Status"
    assert status["code"] == error.value.status
    return status


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "a", "image": "i:1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "i:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


def config_maps(admin: client.ApiClient, space: str, count: int) -> client.CoreV1Api:
    core = client.CoreV1Api(admin)
    for number in range(count):
        body = {"metadata": {"name": f"c{number}", "labels": {"n": str(number), "odd": str(number % 2)}}}
        core.create_namespaced_config_map(space, body)
    return core


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("odd=1", "c1 c3"),
        ("odd!=1", "c0 c2"),
        ("n in (0, 3)", "c0 c3"),
        ("n notin (0,3),odd", "c1 c2"),
        ("!odd", ""),
        ("absent!=x", "c0 c1 c2 c3"),
    ],
)
def test_label_selectors_choose(admin: client.ApiClient, space: str, selector: str, expected: str) -> None:
    core = config_maps(admin, space, 4)
    found = core.list_namespaced_config_map(space, label_selector=selector).items
    assert [item.metadata.name for item in found] == expected.split()


def test_a_label_selector_that_is_none_is_refused(admin: client.ApiClient) -> None:
    with pytest.raises(ApiException) as error:
        client.CoreV1Api(admin).list_namespaced_pod(NAMESPACE, label_selector="a in")
    assert refusal(error)["reason"] == "BadRequest"


def test_field_selectors_choose_and_unknown_fields_are_refused(admin: client.ApiClient) -> None:
    core = client.CoreV1Api(admin)
    found = core.list_pod_for_all_namespaces(field_selector="spec.nodeName=demo-node-1,status.phase=Running").items
    assert len(found) == 3
    with pytest.raises(ApiException) as error:
        core.list_namespaced_pod(NAMESPACE, field_selector="spec.colour=red")
    assert refusal(error)["message"] == "field label not supported: spec.colour"


def test_pages_show_one_moment(admin: client.ApiClient, space: str) -> None:
    core = config_maps(admin, space, 5)
    page = core.list_namespaced_config_map(space, limit=2)
    assert page.metadata.remaining_item_count == 3
    core.create_namespaced_config_map(space, {"metadata": {"name": "c25"}})
    core.delete_namespaced_config_map("c3", space)
    names = [item.metadata.name for item in page.items]
    while page.metadata._continue:
        page = core.list_namespaced_config_map(space, limit=2, _continue=page.metadata._continue)
        names += [item.metadata.name for item in page.items]
    assert names == ["c0", "c1", "c2", "c3", "c4"]


def test_a_page_of_a_forgotten_moment_is_gone(admin: client.ApiClient, space: str) -> None:
    core = config_maps(admin, space, 3)
    page = core.list_namespaced_config_map(space, limit=1)
    for number in range(61):
        core.patch_namespaced_config_map("c0", space, {"data": {"n": str(number)}})
    with pytest.raises(ApiException) as error:
        core.list_namespaced_config_map(space, limit=1, _continue=page.metadata._continue)
    assert refusal(error)["reason"] == "Expired"
    with pytest.raises(ApiException) as gone:
        list(watch.Watch().stream(core.list_namespaced_config_map, space, resource_version="1", timeout_seconds=5))
    assert gone.value.status == 410


def test_a_watch_sees_changes_as_the_selector_lets_it(admin: client.ApiClient, api: Api, space: str) -> None:
    core = config_maps(admin, space, 2)
    version = core.list_namespaced_config_map(space).metadata.resource_version
    seen: list[tuple[str, str]] = []

    def look() -> None:
        with api.connect() as connection:
            listing = client.CoreV1Api(connection).list_namespaced_config_map
            watching = watch.Watch()
            for event in watching.stream(
                listing, space, resource_version=version, label_selector="odd=1", timeout_seconds=10
            ):
                seen.append((event["type"], event["object"].metadata.name))
                if event["type"] == "DELETED" and len(seen) == 4:
                    watching.stop()

    thread = threading.Thread(target=look)
    thread.start()
    core.patch_namespaced_config_map("c1", space, {"data": {"a": "b"}})
    core.patch_namespaced_config_map("c0", space, {"metadata": {"labels": {"odd": "1"}}})
    core.patch_namespaced_config_map("c0", space, {"metadata": {"labels": {"odd": "0"}}})
    core.delete_namespaced_config_map("c1", space)
    thread.join(10)
    assert seen == [("MODIFIED", "c1"), ("ADDED", "c0"), ("DELETED", "c0"), ("DELETED", "c1")]


def test_patches_of_each_kind(admin: client.ApiClient, space: str) -> None:
    apps = client.AppsV1Api(admin)
    apps.create_namespaced_deployment(space, deployment("d"))

    def patched(change: Any, kind: str) -> list[Any]:
        answer = apps.patch_namespaced_deployment("d", space, change, _content_type=kind)
        return list(answer.spec.template.spec.containers)

    def containers(*items: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"containers": list(items)}}}}

    strategic = "application/strategic-merge-patch+json"
    found = patched(containers({"name": "a", "env": [{"name": "Y", "value": "2"}]}), strategic)
    assert [(env.name, env.value) for env in found[0].env] == [("X", "1"), ("Y", "2")]
    assert [item.name for item in found] == ["a", "b"]
    assert [item.name for item in patched(containers({"name": "b", "$patch": "delete"}), strategic)] == ["a"]
    merged = patched(containers({"name": "c", "image": "i:2"}), "application/merge-patch+json")
    assert [item.name for item in merged] == ["c"]
    path = "/spec/template/spec/containers/0/image"
    operations = [{"op": "test", "path": path, "value": "i:2"}, {"op": "replace", "path": path, "value": "i:3"}]
    assert patched(operations, "application/json-patch+json")[0].image == "i:3"
    with pytest.raises(ApiException) as error:
        patched(operations, "application/json-patch+json")
    assert refusal(error)["code"] == 422
    assert apps.read_namespaced_deployment("d", space).metadata.generation == 5


def test_status_and_scale_are_subresources(admin: client.ApiClient, space: str) -> None:
    apps = client.AppsV1Api(admin)
    created = apps.create_namespaced_deployment(space, {**deployment("d", replicas=1), "status": {"replicas": 9}})
    assert created.status.replicas is None
    apps.patch_namespaced_deployment_status("d", space, {"spec": {"replicas": 7}, "status": {"replicas": 1}})
    scaled = apps.patch_namespaced_deployment_scale("d", space, {"spec": {"replicas": 3}})
    assert (scaled.spec.replicas, scaled.status.replicas, scaled.status.selector) == (3, 1, "app=d")
    found = apps.read_namespaced_deployment("d", space)
    assert (found.spec.replicas, found.status.replicas, found.metadata.generation) == (3, 1, 2)


def test_a_change_of_an_older_version_conflicts(admin: client.ApiClient, space: str) -> None:
    core = config_maps(admin, space, 1)
    old = core.read_namespaced_config_map("c0", space)
    core.patch_namespaced_config_map("c0", space, {"data": {"a": "b"}})
    with pytest.raises(ApiException) as error:
        core.replace_namespaced_config_map("c0", space, old)
    assert refusal(error)["reason"] == "Conflict"
    with pytest.raises(ApiException) as error:
        core.create_namespaced_config_map(space, {"metadata": {"name": "c0"}})
    assert refusal(error)["reason"] == "AlreadyExists"


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "Upper"}},
        {"metadata": {}},
        {"metadata": {"name": "a" * 254}},
    ],
)
def test_what_is_invalid_is_refused(admin: client.ApiClient, space: str, body: dict[str, Any]) -> None:
    with pytest.raises(ApiException) as error:
        client.CoreV1Api(admin).create_namespaced_config_map(space, body)
    assert refusal(error)["reason"] == "Invalid"


def test_a_deployment_whose_selector_misses_its_pods_is_refused(admin: client.ApiClient, space: str) -> None:
    with pytest.raises(ApiException) as error:
        client.AppsV1Api(admin).create_namespaced_deployment(
            space, deployment("d", selector={"matchLabels": {"app": "other"}})
        )
    assert refusal(error)["details"]["causes"][0]["field"] == "spec.template.metadata.labels"


def test_dry_runs_store_nothing(admin: client.ApiClient, space: str) -> None:
    core = client.CoreV1Api(admin)
    core.create_namespaced_config_map(space, {"metadata": {"name": "c"}}, dry_run="All")
    with pytest.raises(ApiException) as error:
        core.read_namespaced_config_map("c", space)
    assert refusal(error)["reason"] == "NotFound"


def test_string_data_becomes_data(admin: client.ApiClient, space: str) -> None:
    core = client.CoreV1Api(admin)
    core.create_namespaced_secret(space, {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    found = core.read_namespaced_secret("s", space)
    assert (found.data, found.string_data) == ({"a": "Yg=="}, None)


def test_deletion_takes_what_is_owned_and_collections(admin: client.ApiClient, space: str) -> None:
    core = config_maps(admin, space, 4)
    owner = core.read_namespaced_config_map("c0", space).metadata
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c0", "uid": owner.uid}
    core.create_namespaced_secret(space, {"metadata": {"name": "s", "ownerReferences": [reference]}})
    core.delete_namespaced_config_map("c0", space)
    assert core.list_namespaced_secret(space).items == []
    core.delete_collection_namespaced_config_map(space, label_selector="odd=1")
    assert [item.metadata.name for item in core.list_namespaced_config_map(space).items] == ["c2"]


def test_custom_resources_are_served_once_defined(admin: client.ApiClient, space: str) -> None:
    group, names = "demo.example", {"kind": "Probe", "plural": "probes", "shortNames": ["pb"]}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    extensions, custom = client.ApiextensionsV1Api(admin), client.CustomObjectsApi(admin)
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    extensions.create_custom_resource_definition({"metadata": {"name": "probes.demo.example"}, "spec": spec})
    custom.create_namespaced_custom_object(group, "v1", space, "probes", {"metadata": {"name": "p"}, "spec": {}})
    assert len(custom.list_namespaced_custom_object(group, "v1", space, "probes")["items"]) == 1
    extensions.delete_custom_resource_definition("probes.demo.example")
    with pytest.raises(ApiException) as error:
        custom.list_namespaced_custom_object(group, "v1", space, "probes")
    assert (error.value.status, error.value.body) == (404, "404 page not found\n")
    extensions.create_custom_resource_definition({"metadata": {"name": "probes.demo.example"}, "spec": spec})
    assert custom.list_namespaced_custom_object(group, "v1", space, "probes")["items"] == []
    extensions.delete_custom_resource_definition("probes.demo.example")


def test_a_definition_that_would_serve_nothing_is_refused(admin: client.ApiClient) -> None:
    custom = client.CustomObjectsApi(admin)
    with pytest.raises(ApiException) as error:
        custom.create_cluster_custom_object(
            "apiextensions.k8s.io", "v1", "customresourcedefinitions", {"metadata": {"name": "a.b"}, "spec": {}}
        )
    fields = [cause["field"] for cause in refusal(error)["details"]["causes"]]
    assert fields == ["spec.group", "spec.names.plural", "spec.names.kind", "spec.versions"]


def test_the_verifier_reads_and_changes_nothing(verifier: client.ApiClient) -> None:
    core = client.CoreV1Api(verifier)
    assert core.list_namespaced_pod(NAMESPACE).items
    with pytest.raises(ApiException) as error:
        core.delete_namespaced_config_map("chatbot-config", NAMESPACE)
    status = refusal(error)
    assert status["reason"] == "Forbidden"
    assert 'cannot delete resource "configmaps" in API group "" in the namespace "chatbot-demo"' in status["message"]
    with pytest.raises(ApiException) as error:
        core.list_namespaced_secret("kube-system")
    assert refusal(error)["code"] == 403


def test_reviews_tell_what_the_rules_do(verifier: client.ApiClient) -> None:
    reviews = client.AuthorizationV1Api(verifier)

    def may(verb: str, resource: str) -> bool:
        asked = {"verb": verb, "resource": resource, "group": "apps", "namespace": NAMESPACE}
        answer = reviews.create_self_subject_access_review({"spec": {"resourceAttributes": asked}})
        return bool(answer.status.allowed)

    assert may("list", "deployments")
    assert not may("patch", "deployments")
    rules = reviews.create_self_subject_rules_review({"spec": {"namespace": NAMESPACE}}).status.resource_rules
    assert {verb for rule in rules for verb in rule.verbs} == {"get", "list", "create"}
    who = client.AuthenticationV1Api(verifier).create_self_subject_review({}).status.user_info.username
    assert who == f"system:serviceaccount:{NAMESPACE}:seatrial-verifier"


def test_somebody_else_is_asked_as_by_those_who_may(admin: client.ApiClient, verifier: client.ApiClient) -> None:
    for connection in (admin, verifier):
        connection.set_default_header("Impersonate-User", "somebody")
        with pytest.raises(ApiException) as error:
            client.CoreV1Api(connection).list_namespace()
        refused = "list" if connection is admin else "impersonate"
        assert f"cannot {refused} resource" in refusal(error)["message"]


def test_an_unknown_token_is_unauthorized(api: Api, tmp_path: Path) -> None:
    content = yaml.safe_load((api.state / "kubeconfig").read_text())
    content["users"][0]["user"]["token"] = "wrong"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    with (
        config.new_client_from_config(str(tmp_path / "kubeconfig")) as connection,
        pytest.raises(ApiException) as error,
    ):
        client.CoreV1Api(connection).list_namespace()
    assert refusal(error)["reason"] == "Unauthorized"


@pytest.fixture
def kubectl(api: Api, need: Callable[[str], str]) -> Callable[..., str]:
    program = need("kubectl")

    def run(*arguments: str, user: str = "admin.kubeconfig") -> str:
        command = [
            program,
            f"--kubeconfig={api.state / user}",
            f"--cache-dir={api.state / 'cache'}",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_kubectl_gets_tables_by_short_names(kubectl: Callable[..., str]) -> None:
    lines = kubectl("get", "deploy", "chatbot").splitlines()
    assert lines[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert lines[1].split()[:4] == ["chatbot", "2/2", "2", "2"]
    assert "deployment.apps/chatbot-candidate" in kubectl("get", "all")


def test_kubectl_sees_rollouts_and_yaml(kubectl: Callable[..., str]) -> None:
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/chatbot-candidate", "--timeout=10s")
    assert kubectl("rollout", "history", "deploy/chatbot").split("\n")[2].startswith("6")
    assert yaml.safe_load(kubectl("get", "cm", "chatbot-config", "-o", "yaml"))["data"]["LOG_LEVEL"] == "info"


def test_kubectl_asks_who_it_is_and_what_it_may(kubectl: Callable[..., str]) -> None:
    assert "seatrial-verifier" in kubectl("auth", "whoami", user="kubeconfig")
    assert kubectl("auth", "can-i", "list", "pods", user="kubeconfig").strip() == "yes"
