"""Steps of a rollout as the objects say them that make them: read from recorded shapes, and followed through an API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rollout.driver import MERGE, Driver
from seatrial.environment.model import Cluster
from seatrial.environment.rollout import Shifter
from seatrial.evidence.outcome import CannotLook
from seatrial.rollout.cluster_words import ClusterWords
from seatrial.rollout.weights import argo_word, route_weight, selector_weight
from seatrial.rollout.words import Word
from support import envtest

WITHIN = 15.0


def route(*rules: list[tuple[str, Any]]) -> dict[str, Any]:
    backends = [
        [{"name": name, **({} if weight is None else {"weight": weight}), "port": 80} for name, weight in rule]
        for rule in rules
    ]
    return {"spec": {"rules": [{"backendRefs": rule} for rule in backends]}}


@pytest.mark.parametrize(
    ("item", "weight"),
    [
        (route([("blue", 95), ("green", 5)]), 5.0),
        (route([("blue", None), ("green", None)]), 50.0),
        (route([("blue", 1), ("green", 0)]), 0.0),
        (route([("blue", 0), ("green", 1)]), 100.0),
        (route([("blue", 0), ("green", 0)]), 0.0),
        (route([("green", 3), ("blue", 6), ("green", 3)]), 50.0),
        (route([("blue", 50), ("green", 50)], [("blue", 90), ("green", 10)]), 10.0),
        (route([("blue", 50), ("green", 50)], [("admin", 1)]), 50.0),
        (route([("blue", 1)]), 0.0),
        ({}, 0.0),
        ({"spec": {"rules": "x"}}, 0.0),
        (route([("blue", 1), ("green", "5")]), None),
        (route([("blue", 1), ("green", -5)]), None),
        (route([("blue", 1), ("green", True)]), None),
    ],
)
def test_weight_of_a_route(item: dict[str, Any], weight: float | None) -> None:
    assert route_weight(item, "green") == weight


STEPS = [{"setWeight": 5}, {"pause": {}}, {"setWeight": 40}, {"analysis": {}}, {"setWeight": 100}]


def argo(strategy: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    known = {"observedGeneration": "3", "currentPodHash": "new", "stableRS": "old", **status}
    return {"spec": {"strategy": strategy or {"canary": {"steps": STEPS}}}, "status": known}


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ({"spec": {"strategy": {"canary": {"steps": STEPS}}}}, None),
        (argo(currentStepIndex=0), Word(weight=5.0)),
        (argo(currentStepIndex=1), Word(weight=5.0)),
        (argo(currentStepIndex=3), Word(weight=40.0)),
        (argo(currentStepIndex=5), Word(weight=100.0)),
        (argo(), Word(weight=0.0)),
        (argo(currentStepIndex=3, canary={"weights": {"canary": {"weight": 33}}}), Word(weight=33.0)),
        (argo(currentPodHash="old"), Word(weight=100.0)),
        (argo(abort=True, currentStepIndex=2), Word(weight=0.0, abort=True)),
        (argo({"blueGreen": {}}, blueGreen={"activeSelector": "old"}), Word(weight=0.0)),
        (argo({"blueGreen": {}}, blueGreen={"activeSelector": "new"}), Word(weight=100.0)),
        (argo({"canary": {}}), Word(weight=0.0)),
    ],
)
def test_word_of_a_rollout(item: dict[str, Any], word: Word | None) -> None:
    assert argo_word(item) == word


@pytest.mark.parametrize(
    ("selector", "weight"),
    [({"app": "chat", "slot": "green"}, 100.0), ({"app": "chat", "slot": "blue"}, 0.0), (None, 0.0), ("x", 0.0)],
)
def test_weight_of_a_selector(selector: Any, weight: float) -> None:
    assert selector_weight({"spec": {"selector": selector}}, {"slot": "green"}) == weight


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "expected one of httproute, argo_rollout and service, seen none of them"),
        ({"httproute": "a", "argo_rollout": "b"}, "seen httproute and argo_rollout"),
        ({"httproute": "a"}, "httproute and candidate go together"),
        ({"service": "a"}, "service and labels go together"),
        ({"argo_rollout": "a", "labels": {"x": "y"}}, "service and labels go together"),
    ],
)
def test_a_shifter_that_is_none(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Shifter.model_validate(given)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[envtest.Cluster]:
    with envtest.running(tmp_path_factory.mktemp("api")) as cluster:
        yield cluster


@pytest.fixture
def driver(api: envtest.Cluster) -> Iterator[Driver]:
    made = Driver(api)
    yield made
    made.close()


@contextmanager
def custom(driver: Driver, group: str, version: str, kind: str, plural: str) -> Iterator[str]:
    """A kind that is not part of Kubernetes, as its operator installs it; the path of its objects."""
    root = f"/apis/{group}/{version}/namespaces/{driver.namespace}/{plural}"
    if served(driver, root):
        yield root
        return
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    driver.must("POST", definitions, body)
    try:
        deadline = time.monotonic() + WITHIN
        while not served(driver, root):
            assert time.monotonic() < deadline, f"{kind} is not served"
        yield root
    finally:
        driver.must("DELETE", f"{definitions}/{plural}.{group}")


def served(driver: Driver, root: str) -> bool:
    try:
        driver.must("GET", root)
    except AssertionError:
        return False
    return True


def heard(words: ClusterWords, count: int) -> list[Word]:
    found: list[Word] = []
    deadline = time.monotonic() + WITHIN
    while len(found) < count:
        found += words.new()
        assert time.monotonic() < deadline, f"expected {count} words, heard {found}"
    return found


def listen(driver: Driver, **shifter: Any) -> ClusterWords:
    cluster = Cluster(kubeconfig=driver.cluster.kubeconfig, context=driver.cluster.context)
    return ClusterWords(cluster, Shifter.model_validate(shifter), driver.namespace, within=60.0)


def test_a_route_is_followed(driver: Driver) -> None:
    with custom(driver, "gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes") as path:
        follow_route(driver, path)


def follow_route(driver: Driver, path: str) -> None:
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "chat"}}
    driver.must("POST", path, {**body, **route([("blue", 100), ("green", 0)])})
    driver.must("POST", path, {**body, "metadata": {"name": "other"}, **route([("blue", 0), ("green", 100)])})
    with listen(driver, httproute="chat", candidate="green") as words:
        assert words.new() == []
        for blue, green in ((95, 5), (95, 5), (50, 50), (100, 0), (0, 100)):
            change = {**route([("blue", blue), ("green", green)]), "metadata": {"labels": {"seen": f"{green}"}}}
            driver.must("PATCH", f"{path}/chat", change, kind=MERGE)
        # What comes after it was taken back is another release's.
        assert heard(words, 3) == [Word(weight=5.0), Word(weight=50.0), Word(weight=0.0, abort=True)]
        driver.must("DELETE", f"{path}/chat")
        with pytest.raises(CannotLook, match=r"HTTPRoute .*/chat was deleted while it was followed"):
            heard(words, 1)


def test_a_rollout_of_argo_is_followed(driver: Driver) -> None:
    with custom(driver, "argoproj.io", "v1alpha1", "Rollout", "rollouts") as path:
        follow_argo(driver, path)


def follow_argo(driver: Driver, path: str) -> None:
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "chat"}}
    driver.must("POST", path, {**body, **argo(currentPodHash="old")})
    with listen(driver, argo_rollout="chat") as words:
        for status in (
            {"currentPodHash": "new", "currentStepIndex": 0},
            {"currentStepIndex": 3},
            {"stableRS": "new", "currentStepIndex": 5},
        ):
            driver.must("PATCH", f"{path}/chat", {"status": status}, kind=MERGE)
        assert heard(words, 3) == [Word(weight=5.0), Word(weight=40.0), Word(weight=100.0)]


def test_a_switched_selector_is_followed(driver: Driver) -> None:
    spec = {"selector": {"app": "chat", "slot": "blue"}, "ports": [{"port": 80}]}
    driver.must("POST", driver.core("services"), {"metadata": {"name": "chat"}, "spec": spec})
    with listen(driver, service="chat", labels={"slot": "green"}) as words:
        driver.must("PATCH", driver.core("services", "chat"), {"spec": {"selector": {"slot": "green"}}}, kind=MERGE)
        assert heard(words, 1) == [Word(weight=100.0)]
    with pytest.raises(CannotLook, match="gives all traffic to the candidate already"):
        listen(driver, service="chat", labels={"slot": "green"}).__enter__()


def test_what_is_not_there_is_not_waited_for(driver: Driver) -> None:
    with pytest.raises(CannotLook, match=r"Service .*/chatt: not found"):
        listen(driver, service="chatt", labels={"slot": "green"}).__enter__()
    with pytest.raises(CannotLook, match=r"(could not be followed: .*404|not found)"):
        listen(driver, argo_rollout="chat").__enter__()


def test_a_kubeconfig_that_leads_nowhere_is_no_crash(tmp_path: Path) -> None:
    cluster = Cluster(kubeconfig=str(tmp_path / "none"))
    shifter = Shifter.model_validate({"argo_rollout": "chat"})
    with pytest.raises(CannotLook, match=r"Rollout .*/chat: .*none"):
        ClusterWords(cluster, shifter, "chatbot", within=5).__enter__()
