"""What differs between what was deployed and what runs, and what only looks so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatrial.checks.config.drift import by_hand, differences, owned_by_scaler


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [
        pytest.param({"spec": {"a": 1}}, {"spec": {"a": 1, "b": 2}}, [], id="filled in by defaults"),
        pytest.param({"spec": {"a": 1}}, {"spec": {"a": 2}}, [("spec.a", 1, 2)], id="changed"),
        pytest.param({"spec": {"a": 1}}, {"spec": {}}, [("spec.a", 1, "absent")], id="gone"),
        pytest.param({"spec": {"a": {}}}, {"spec": {}}, [], id="empty and dropped"),
        pytest.param({"spec": {"a": False}}, {"spec": {}}, [], id="false and dropped"),
        pytest.param({"spec": {"a": None}}, {"spec": {"a": 5}}, [], id="left to the default"),
        pytest.param({"spec": {"cpu": "1000m"}}, {"spec": {"cpu": "1"}}, [], id="the same quantity"),
        pytest.param({"spec": {"cpu": 0.5}}, {"spec": {"cpu": "500m"}}, [], id="a number and a quantity"),
        pytest.param({"spec": {"port": 80}}, {"spec": {"port": "80"}}, [], id="a number and its text"),
        pytest.param({"metadata": {"uid": "a"}}, {"metadata": {"uid": "b"}}, [], id="owned by the server"),
        pytest.param({"status": {"a": 1}}, {"status": {"a": 2}}, [], id="status"),
        pytest.param(
            {"spec": {"c": [{"name": "a", "image": "x"}]}},
            {"spec": {"c": [{"name": "istio-proxy"}, {"name": "a", "image": "x", "y": 1}]}},
            [],
            id="an injected sidecar, in another order",
        ),
        pytest.param(
            {"spec": {"c": [{"name": "a", "image": "x"}]}},
            {"spec": {"c": [{"name": "a", "image": "z"}]}},
            [("spec.c[name=a].image", "x", "z")],
            id="an image in a list",
        ),
        pytest.param(
            {"spec": {"c": [{"name": "a"}, {"name": "b"}]}},
            {"spec": {"c": [{"name": "a"}]}},
            [("spec.c[name=b]", "there", "absent")],
            id="an entry that is gone",
        ),
        pytest.param(
            {"spec": {"args": ["a", "b"]}},
            {"spec": {"args": ["a"]}},
            [("spec.args", "2 entries", "1 entries")],
            id="list",
        ),
        pytest.param({"spec": {"args": ["a"]}}, {"spec": {"args": ["b"]}}, [("spec.args[0]", "a", "b")], id="entry"),
        pytest.param({"spec": {"a": {"b": 1}}}, {"spec": {"a": "x"}}, [("spec.a", "an object", "x")], id="form"),
    ],
)
def test_differences(wanted: Any, live: Any, expected: list[Any]) -> None:
    assert list(differences(wanted, live)) == expected


def managed(manager: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    entry = {"manager": manager, "time": "2026-11-22T10:00:00Z", "fields": json.dumps(fields), **more}
    return {"metadata": {"managedFields": [entry]}}


REPLICAS = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (managed("kube-controller-manager", REPLICAS, subresource="scale"), True),
        (managed("kube-controller-manager", REPLICAS), True),
        (managed("keda-operator", REPLICAS), True),
        (managed("helm", REPLICAS), False),
        (managed("kube-controller-manager", {"f:status": {}}), False),
        ({"metadata": {}}, False),
    ],
)
def test_who_owns_the_replicas(item: Any, expected: bool) -> None:
    assert owned_by_scaler(item) is expected


def test_what_somebody_changed_by_hand() -> None:
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}}}}}}}
    ((path, manager, when),) = by_hand(managed("kubectl-edit", fields))
    assert path == 'spec.template.spec.f:containers[{"name":"a"}].image'.replace("f:containers", "containers")
    assert (manager, when) == ("kubectl-edit", "2026-11-22T10:00:00Z")
    assert not list(by_hand(managed("helm", fields)))
    assert not list(by_hand(managed("kubectl-edit", {"f:status": {}}, subresource="status")))


def test_a_restart_is_no_change_of_configuration() -> None:
    restart = {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}
    assert not list(by_hand(managed("kubectl-patch", restart)))
