"""A pod is really deleted through the API, and something else, here a thread, makes another one, or does not."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from drill.conftest import Stage
from support import envtest

LABELS = {"app": "chat"}
SPEC = {"automountServiceAccountToken": False, "containers": [{"name": "chat", "image": "registry.example/chat:1.5.0"}]}


class Controller:
    """Two ready pods of a Deployment in a namespace of the test's own; `mends` makes those anew that are lost."""

    def __init__(self, cluster: envtest.Cluster) -> None:
        self.cluster = cluster
        self.client = config.new_client_from_config(config_file=cluster.kubeconfig, context=cluster.context)
        self.core = client.CoreV1Api(self.client)
        self.namespace = self.core.create_namespace({"metadata": {"generateName": "drill-"}}).metadata.name
        with contextlib.suppress(client.ApiException):
            self.core.create_namespaced_service_account(self.namespace, {"metadata": {"name": "default"}})
        template = {"metadata": {"labels": LABELS}, "spec": SPEC}
        spec = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template}
        client.AppsV1Api(self.client).create_namespaced_deployment(
            self.namespace, {"metadata": {"name": "chat"}, "spec": spec}
        )
        for _ in range(2):
            self.make()

    def make(self, ready: str = "True") -> None:
        body = {"metadata": {"generateName": "chat-", "labels": LABELS}, "spec": SPEC}
        name = self.core.create_namespaced_pod(self.namespace, body).metadata.name
        status = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}}
        self.core.patch_namespaced_pod_status(name, self.namespace, status)

    def names(self) -> set[str]:
        return {pod.metadata.name for pod in self.core.list_namespaced_pod(self.namespace).items}

    @contextlib.contextmanager
    def mends(self) -> Iterator[None]:
        over = threading.Event()

        def see_to_it() -> None:
            while not over.wait(0.1):
                if len(self.names()) < 2:
                    self.make()

        thread = threading.Thread(target=see_to_it)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        self.core.delete_namespace(self.namespace)
        self.client.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    with envtest.running(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def controller(cluster: envtest.Cluster) -> Iterator[Controller]:
    made = Controller(cluster)
    yield made
    made.close()


@pytest.fixture
def written(stage: Stage, controller: Controller) -> Callable[..., None]:
    """Writes an environment with the Deployment; ``cluster`` is more of [cluster]."""

    def write(*, cluster: str = "", workload: str = "deployment/chat", **changes: Any) -> None:
        lines = ["[cluster]", f"namespaces = [{json.dumps(controller.namespace)}]", cluster]
        if controller.cluster.kubeconfig:
            lines.append(f"kubeconfig = {json.dumps(controller.cluster.kubeconfig)}")
        service = f'workload = "{workload}"\nnamespace = "{controller.namespace}"'
        stage.environment(service=service, more="\n".join(lines), **changes)

    return write


def test_a_lost_pod_comes_back(stage: Stage, controller: Controller, written: Callable[..., None]) -> None:
    written()
    before = controller.names()
    with controller.mends():
        assert stage.drill("recovery") == 0
    assert len(before & controller.names()) == 1
    assert len(controller.names()) == 2
    record = stage.record()
    assert (record["drill"], record["outcome"], record["left"]) == ("recovery", "pass", "")
    (subject,) = record["subjects"]
    assert subject["name"] == "chat"
    assert 0 < subject["seconds"] < 3


def test_a_pod_that_does_not_come_back(
    stage: Stage, controller: Controller, written: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    written(within="1s", time_objective="1s")
    assert stage.drill("recovery") == 20
    assert "deployment/chat was not whole again within 1s: 1 of 2 pods ready" in stage.record()["message"]
    assert "NOT AS IT WAS: deployment/chat has 1 of 2 pods ready" in capsys.readouterr().out
    assert len(controller.names()) == 1


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"allowed": False}, 2, "drills.allowed is false"),
        ({"classification": "production"}, 2, "counts as production"),
        ({"workload": "deployment/caht"}, 10, "404"),
        ({"cluster": 'uid = "another"'}, 10, "another cluster was reached"),
        ({"cluster": 'server = "https://10.0.0.1"'}, 10, "another cluster was reached"),
    ],
)
def test_no_pod_is_lost(
    changes: dict[str, Any],
    code: int,
    message: str,
    stage: Stage,
    controller: Controller,
    written: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(**changes)
    before = controller.names()
    assert stage.drill("recovery") == code
    assert message in capsys.readouterr().err
    assert controller.names() == before


def test_what_is_not_whole_loses_nothing_more(
    stage: Stage, controller: Controller, written: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    controller.make(ready="False")
    written()
    assert stage.drill("recovery") == 10
    assert "deployment/chat is not whole before the drill, so none is held: chat-" in capsys.readouterr().err
    assert len(controller.names()) == 3


def test_without_a_cluster(stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stage.environment()
    assert stage.drill("recovery") == 2
    assert "[cluster]: where the pods are" in capsys.readouterr().err
