"""Reading a cluster that refuses, expires, dawdles and lies: what cannot be read is recorded, the rest is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.conftest import Answer, Api, write_kubeconfig
from seatrial.checks.catalogue import CONFIG, needs
from seatrial.checks.rule import View
from seatrial.cluster import connection
from seatrial.cluster.connection import RETRIES
from seatrial.cluster.reading import RESTARTS, read
from seatrial.environment.model import Cluster, Environment
from seatrial.evidence.outcome import Outcome
from seatrial.snapshot import storage
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, KINDS, SELF_ACCESS
from seatrial.snapshot.snapshot import Absent, Snapshot, Unread
from support.world import NAMESPACE, NOW, certificate, encoded, release, world

SOME = ("Pod", "Service", "Deployment")


def item(name: str, **content: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": NAMESPACE}, **content}


def names(snapshot: Snapshot, kind: str = "Pod") -> list[str]:
    return [one["metadata"]["name"] for one in snapshot.of(kind)]


def of_pods(api: Api, given: Answer) -> None:
    api.answer = lambda path, query: given if path.endswith("/pods") else None


def test_pages_are_followed(api: Api, cluster: Cluster) -> None:
    def answer(path: str, query: dict[str, list[str]]) -> Answer | None:
        if not path.endswith("/pods"):
            return None
        assert query["limit"] == ["500"]
        first = "continue" not in query
        return 200, {"items": [item("a" if first else "b")], "metadata": {"continue": "next"} if first else {}}

    api.answer = answer
    snapshot = read(cluster, SOME)
    assert names(snapshot) == ["a", "b"]
    assert (snapshot.unread, snapshot.version, snapshot.namespaces) == ({}, "1.35.2", ("shop",))
    assert snapshot.server == f"http://127.0.0.1:{api.server_address[1]}"
    assert snapshot.taken is not None


def test_only_what_is_asked_for_is_read(api: Api, cluster: Cluster) -> None:
    snapshot = read(cluster, ["Service"])
    assert sorted(path.partition("?")[0] for path in api.asked) == ["/api/v1/namespaces/shop/services", "/version"]
    with pytest.raises(Unread, match="nobody asked for it"):
        snapshot.of("Pod")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((403, {"message": "pods is forbidden"}), "403 pods is forbidden"),
        ((404, {"message": "no such page"}), "404 no such page"),
        ((410, {"message": "too old"}), "410 too old"),
        ((429, {"message": "slow down"}), "429 slow down"),
        ((500, b"<html>\n oops</html>"), "500 <html> oops</html>"),
        ((503, {"message": "down"}), "503 down"),
        ((200, b'{"items": ['), "the answer is not whole JSON"),
        ((200, b"\xff\xfe"), "the answer is not whole JSON"),
        ((200, b'{"a":' * 100_000), "the answer is not whole JSON"),
        ((200, []), "the answer is no object"),
        ((200, {"items": 3}), "the answer's items are no list"),
        ((200, {"items": [], "metadata": {"continue": "again"}}), "the same page for ever"),
        ((0, b""), "no answer: "),
        ((-1, b""), "no answer: "),
        ((-2, b""), "no answer: TimeoutError"),
    ],
)
def test_one_kind_that_cannot_be_read_leaves_the_others(given: Answer, reason: str, api: Api, cluster: Cluster) -> None:
    of_pods(api, given)
    snapshot = read(cluster, SOME)
    assert reason in snapshot.unread["Pod"]
    assert "\n" not in snapshot.unread["Pod"]
    assert set(snapshot.objects) == {"Service", "Deployment"}


def test_pages_that_expire_are_begun_anew(api: Api, cluster: Cluster) -> None:
    expired = [True]

    def answer(path: str, query: dict[str, list[str]]) -> Answer | None:
        if not path.endswith("/pods"):
            return None
        if "continue" not in query:
            return 200, {"items": [item("a")], "metadata": {"continue": "next"}}
        if expired:
            expired.pop()
            return 410, {"message": "too old"}
        return 200, {"items": [item("b")], "metadata": {}}

    api.answer = answer
    assert names(read(cluster, SOME)) == ["a", "b"]


def test_pages_that_always_expire_are_given_up(api: Api, cluster: Cluster) -> None:
    of_pods(api, (410, {"message": "too old"}))
    read(cluster, ["Pod"])
    assert sum("/pods" in path for path in api.asked) == RESTARTS + 1


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_asked_to_wait_waits(status: int, api: Api, cluster: Cluster) -> None:
    refusals = [1, 1]

    def answer(path: str, _: object) -> Answer | None:
        if path.endswith("/pods") and refusals:
            refusals.pop()
            return status, {"message": "busy"}, {"Retry-After": "0"}
        return (200, {"items": [item("a")]}) if path.endswith("/pods") else None

    api.answer = answer
    assert names(read(cluster, SOME)) == ["a"]


def test_nobody_waits_for_ever(api: Api, cluster: Cluster) -> None:
    of_pods(api, (429, {"message": "busy"}, {"Retry-After": "0"}))
    assert read(cluster, ["Pod"]).unread["Pod"] == "429 busy"
    assert sum("/pods" in path for path in api.asked) == RETRIES + 1


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("3600", "429 busy"),
        ("tomorrow", "429 busy"),
        ("-1", "429 busy"),
        ("9", "429 busy: asked to wait for 9 s"),
    ],
)
def test_a_pause_that_is_too_long_is_not_made(after: str, reason: str, api: Api, cluster: Cluster) -> None:
    of_pods(api, (429, {"message": "busy"}, {"Retry-After": after}))
    assert read(cluster, ["Pod"]).unread["Pod"] == reason
    assert sum("/pods" in path for path in api.asked) == 1


def test_an_expired_token_is_told_once(api: Api, cluster: Cluster) -> None:
    api.answer = lambda path, query: (401, {"message": "Unauthorized"})
    snapshot = read(cluster, SOME)
    assert snapshot.unread == dict.fromkeys(SOME, "401 Unauthorized")
    assert len(api.asked) == 1


def test_a_cluster_that_does_not_answer_is_asked_once(api: Api, cluster: Cluster) -> None:
    api.answer = lambda path, query: (0, b"")
    snapshot = read(cluster, SOME)
    assert set(snapshot.unread) == set(SOME)
    assert all(reason.startswith("no answer") for reason in snapshot.unread.values())
    assert len(api.asked) == 1


def test_reading_ends_in_time(api: Api, cluster: Cluster) -> None:
    def answer(path: str, query: dict[str, list[str]]) -> Answer | None:
        if not path.endswith("/pods"):
            return None
        # Always another page, each with another token.
        token = str(int(query.get("continue", ["0"])[0]) + 1)
        return 200, {"items": [], "metadata": {"continue": token}}

    api.answer = answer
    hurried = cluster.model_copy(update={"read_within": 0.5})
    assert read(hurried, SOME).unread["Pod"] == "reading took longer than 0.5 s (cluster.read_within)"


def test_an_answer_that_trickles_is_given_up(api: Api, cluster: Cluster) -> None:
    of_pods(api, (-3, b""))
    snapshot = read(cluster.model_copy(update={"timeout": 0.3}), SOME)
    assert snapshot.unread["Pod"] == "no answer: not whole after 0.3 s"
    assert set(snapshot.objects) == {"Service", "Deployment"}


@pytest.mark.parametrize("metadata", ["text", [1], {"continue": 7}])
def test_pages_of_which_the_end_cannot_be_told(metadata: Any, api: Api, cluster: Cluster) -> None:
    of_pods(api, (200, {"items": [], "metadata": metadata}))
    assert "cannot be read in the answer's metadata" in read(cluster, SOME).unread["Pod"]


def test_an_answer_without_end_is_not_held(api: Api, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_ANSWER", 2**20)
    of_pods(api, (200, {"items": [item("x" * 2**21)]}))
    assert read(cluster, SOME).unread["Pod"] == "the answer is larger than 1 MiB"


def test_too_many_objects_are_not_held(api: Api, cluster: Cluster) -> None:
    of_pods(api, (200, {"items": [item(str(number)) for number in range(11)]}))
    bounded = cluster.model_copy(update={"max_objects": 10})
    assert read(bounded, SOME).unread["Pod"] == "more than 10 objects in shop (cluster.max_objects)"


def test_odd_objects_are_no_trouble(api: Api, cluster: Cluster) -> None:
    odd = [
        item("имя-名前-نام", unknown={"field": 1}),
        item("large", spec={}, status={"note": "x" * 2**20}),
        None,
        "text",
        {"metadata": None},
        {},
    ]
    api.answer = lambda path, query: (
        (200, {"items": odd, "unknown": 1}) if path.endswith("/pods") else (200, {"items": None})
    )
    snapshot = read(cluster, SOME)
    assert names(snapshot.__class__(objects={"Pod": snapshot.of("Pod")[:2]})) == ["имя-名前-نام", "large"]
    assert len(snapshot.of("Pod")) == 4
    assert snapshot.of("Service") == ()


class TestCustomKinds:
    def test_one_that_is_not_installed_is_absent(self, api: Api, cluster: Cluster) -> None:
        api.answer = lambda path, query: (404, {"message": "not found"}) if "external-secrets" in path else None
        snapshot = read(cluster, ["ExternalSecret", "Pod"])
        assert snapshot.absent == {"ExternalSecret"}
        with pytest.raises(Absent, match="the cluster has no kind ExternalSecret"):
            snapshot.of("ExternalSecret")

    def test_one_of_another_version_is_read_in_it(self, api: Api, cluster: Cluster) -> None:
        def answer(path: str, _: object) -> Answer | None:
            if path == "/apis/external-secrets.io":
                return 200, {"preferredVersion": {"version": "v1beta1"}}
            if path.startswith("/apis/external-secrets.io/v1/"):
                return 404, {"message": "not found"}
            return (200, {"items": [item("a")]}) if "v1beta1" in path else None

        api.answer = answer
        assert names(read(cluster, ["ExternalSecret"]), "ExternalSecret") == ["a"]

    def test_one_that_may_not_be_read_is_not_absent(self, api: Api, cluster: Cluster) -> None:
        api.answer = lambda path, query: (403, {"message": "forbidden"}) if "external-secrets" in path else None
        snapshot = read(cluster, ["ExternalSecret"])
        assert snapshot.unread == {"ExternalSecret": "403 forbidden"}
        assert not snapshot.absent


def test_reviews_that_are_refused_are_unread(api: Api, cluster: Cluster) -> None:
    def answer(path: str, _: object) -> Answer | None:
        if "accessreviews" in path:
            return 403, {"message": "no reviews"}
        return (200, {"items": [item("chat")]}) if path.endswith("/serviceaccounts") else None

    api.answer = answer
    snapshot = read(cluster, ["ServiceAccount", SELF_ACCESS, ACCOUNT_ACCESS])
    assert snapshot.unread == {SELF_ACCESS: "403 no reviews", ACCOUNT_ACCESS: "403 no reviews"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (None, "the environment declares no [cluster] with namespaces"),
        ({"namespaces": ()}, "the environment declares no [cluster] with namespaces"),
        ({"context": "other"}, "other"),
        ({"kubeconfig": "/no/such/file"}, "/no/such/file"),
        ({"in_cluster": True}, "the default kubeconfig"),
    ],
)
def test_a_cluster_that_is_not_known(settings: dict[str, Any] | None, reason: str, cluster: Cluster) -> None:
    changed = None if settings is None else cluster.model_copy(update=settings)
    if settings == {"in_cluster": True}:
        changed = Cluster(in_cluster=True, namespaces=("shop",))
    snapshot = read(changed, SOME)
    assert set(snapshot.unread) == set(SOME)
    assert reason in snapshot.unread["Pod"]


@pytest.mark.parametrize("text", ["", "{", "a: [", "kind: Config\n", "[]", "\x00"])
def test_a_kubeconfig_that_is_none(text: str, cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text(text)
    snapshot = read(cluster.model_copy(update={"kubeconfig": str(tmp_path / "broken")}), SOME)
    assert set(snapshot.unread) == set(SOME)
    assert "\n" not in snapshot.unread["Pod"]


@pytest.mark.parametrize("url", ["", "shop", "ftp://127.0.0.1", "https://"])
def test_an_address_that_is_none(url: str, cluster: Cluster, tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "odd", url)
    snapshot = read(cluster.model_copy(update={"kubeconfig": str(path)}), SOME)
    assert "expected https://host:port as the address of the cluster" in snapshot.unread["Pod"]


def test_a_token_that_cannot_be_sent_is_not_shown(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "odd", f"http://127.0.0.1:{api.server_address[1]}")
    document = json.loads(path.read_text())
    document["users"][0]["user"]["token"] = "s3cret\r\nX-Evil: 1"
    path.write_text(json.dumps(document))
    snapshot = read(cluster.model_copy(update={"kubeconfig": str(path)}), SOME)
    assert set(snapshot.unread) == set(SOME)
    assert "s3cret" not in str(snapshot.unread)


def test_a_certificate_of_nobody_we_know(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    # A server that speaks TLS with a certificate that no authority of ours has signed.
    from seatrial.demo.kubeapi import tls

    identity = tls.issue()
    api.socket = identity.context.wrap_socket(api.socket, server_side=True, do_handshake_on_connect=False)
    url = f"https://127.0.0.1:{api.server_address[1]}"
    path = write_kubeconfig(tmp_path / "tls", url)
    snapshot = read(cluster.model_copy(update={"kubeconfig": str(path)}), SOME)
    assert "certificate verify failed" in snapshot.unread["Pod"].lower()


class TestSecrets:
    def snapshot(self, api: Api, cluster: Cluster) -> Snapshot:
        plain = {"password": encoded("hunter2"), "again": encoded("hunter2"), "other": encoded("swordfish")}
        copy = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData": {"password": "hunter2"}}'}
        secret = item("credentials", type="Opaque", data=plain)
        secret["metadata"]["annotations"] = copy
        tls = item(
            "tls", type="kubernetes.io/tls", data={"tls.crt": encoded(certificate(NOW)), "tls.key": encoded("k3y")}
        )
        values = {"password": "hunter2", "list": [{"token": "swordfish"}]}
        manifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {password: hunter2}\n"
        items = [secret, tls, release(2, config=values, manifest=manifest)]
        api.answer = lambda path, query: (200, {"items": items}) if path.endswith("/secrets") else None
        return read(cluster, ["Secret"])

    def test_no_value_is_held_or_written(self, api: Api, cluster: Cluster, tmp_path: Path) -> None:
        snapshot = self.snapshot(api, cluster)
        storage.save(snapshot, tmp_path / "x")
        for told in (str(snapshot), str(storage.load(tmp_path / "x"))):
            for value in ("hunter2", "swordfish", "k3y"):
                assert value not in told
                assert encoded(value) not in told

    def test_equal_values_have_equal_digests(self, api: Api, cluster: Cluster) -> None:
        data = self.snapshot(api, cluster).of("Secret")[0]["data"]
        assert data["password"] == data["again"] != data["other"]
        # The key is the snapshot's own.
        assert self.snapshot(api, cluster).of("Secret")[0]["data"]["password"] != data["password"]

    def test_what_is_public_stays(self, api: Api, cluster: Cluster) -> None:
        _, tls, record = self.snapshot(api, cluster).of("Secret")
        assert tls["certificate"]["notAfter"] == NOW.isoformat()
        assert sorted(record["helm"]["values"]) == ["list[0].token", "password"]
        assert record["helm"]["chartVersion"] == "2.1.0"
        assert "release" in record["data"]


def test_checks_over_a_cluster_that_may_not_be_read_vouch_for_nothing(api: Api, cluster: Cluster) -> None:
    api.answer = lambda path, query: (403, {"message": "forbidden"}) if path != "/version" else None
    snapshot = read(cluster, needs(CONFIG))
    assert set(snapshot.unread) == {*KINDS, SELF_ACCESS, ACCOUNT_ACCESS} & set(needs(CONFIG))
    environment = Environment(name="shop", cluster=cluster)
    for check in CONFIG:
        assessment = check.run(View(snapshot=snapshot, environment=environment, now=NOW))
        vouched = assessment.outcome is Outcome.PASS and assessment.applicable
        # What is told from the environment alone needs nobody's leave.
        assert not vouched or check.id == "ns/default", check.id


def test_checks_over_a_whole_world_that_was_read(api: Api, cluster: Cluster) -> None:
    here = world()

    def answer(path: str, _: object) -> Answer | None:
        kind = next((kind for kind in KINDS.values() if path == kind.path(NAMESPACE)), None)
        if kind is None:
            return None
        return 200, {"items": [one for (name, _), one in here.objects.items() if name == kind.name]}

    api.answer = answer
    snapshot = read(cluster, [kind for kind in needs(CONFIG) if kind in KINDS])
    assert len(snapshot.of("Pod")) == 2
    # What is in the owner's template is not kept a second time.
    assert set(snapshot.of("Pod")[0]["spec"]) == {"serviceAccountName", "containers"}
