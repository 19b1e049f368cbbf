"""What Secrets hold is nowhere in a snapshot, and neither in its file."""

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.snapshot import helm
from seatrial.snapshot.intake import LAST_APPLIED, Intake
from seatrial.snapshot.manifests import read as read_manifests
from seatrial.snapshot.storage import StorageProblem, load, save
from support.hostile import Answer, listed, refusal, thing

SECRETS = "/api/v1/namespaces/shop/secrets"
VALUE = "correct-horse-battery"
OTHER = "staple-of-the-other"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


FORMS = [form for text in (VALUE, OTHER) for form in (text, encoded(text))]


def everything(snapshot, tmp_path):
    """The snapshot as text, in memory and from its file, and with all that is packed in it."""
    path = tmp_path / "snapshot.json.gz"
    save(snapshot, path)
    assert load(path).objects == snapshot.objects
    return repr(snapshot), gzip.decompress(path.read_bytes()).decode(), repr(load(path))


def release(**fields):
    manifest = "\n---\n".join(
        [
            f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{password: {VALUE}}}",
            f"apiVersion: v1\nkind: Secret\nmetadata: {{name: b}}\ndata: {{password: {encoded(OTHER)}}}",
            (
                "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: c}\n"
                f"  stringData: {{password: {VALUE}}}"
            ),
            (
                "apiVersion: v1\nkind: SecretList\nitems:\n- apiVersion: v1\n  metadata: {name: c}\n"
                f"  data: {{password: {encoded(VALUE)}}}"
            ),
        ]
    )
    return {
        "name": "chat",
        "version": 3,
        "info": {"status": "deployed", "notes": f"your password is {VALUE}"},
        "chart": {"metadata": {"name": "chat", "version": "1.0.0"}, "values": {"password": OTHER}},
        "config": {"auth": {"password": VALUE, "all": [OTHER, {"inner": VALUE}]}},
        "manifest": manifest,
        "hooks": [{"name": "h", "kind": "Secret", "manifest": f"stringData: {VALUE}", "events": ["pre-install"]}],
        **fields,
    }


def record(content, name="sh.helm.release.v1.chat.v3", version="3"):
    labels = {"owner": "helm", "name": "chat", "version": version}
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "type": helm.SECRET_TYPE,
        "data": {"release": content if isinstance(content, str) else helm.encode(content)},
    }


def applied(**annotations):
    item = thing("applied", data={"password": encoded(VALUE)}, type="Opaque")
    copy = json.dumps({**item, "stringData": {"password": VALUE}})
    item["metadata"]["annotations"] = {name.replace("__", "/"): copy for name in annotations} or {LAST_APPLIED: copy}
    return item


HELD = {
    "data": thing(data={"password": encoded(VALUE), "other": encoded(OTHER)}),
    "stringData": thing(stringData={"password": VALUE}),
    "both": thing(data={"password": encoded(VALUE)}, stringData={"other": OTHER}),
    "last applied": applied(),
    "kept by kapp": applied(kapp_original=""),
    "data are text": thing(data=VALUE),
    "data are a list": thing(data=[encoded(VALUE), VALUE]),
    "data are nested": thing(data={"a": {"b": [VALUE]}}),
    "stringData are text": thing(stringData=VALUE),
    "stringData are a list": thing(stringData=[VALUE]),
    "stringData are nested": thing(stringData={"a": {"b": [VALUE]}}),
    "a field with a typing error": thing(stringdata={"password": VALUE}, Data={"password": encoded(VALUE)}),
    "a certificate that is none": thing(type="kubernetes.io/tls", data={"tls.crt": encoded(VALUE), "tls.key": VALUE}),
    "a certificate that is not encoded": thing(data={"tls.crt": VALUE}),
    "no metadata": {"data": {"password": encoded(VALUE)}},
    "metadata are text": {"metadata": "oops", "data": {"password": encoded(VALUE)}},
    "a field manager that holds values": {
        "metadata": {"name": "a", "namespace": "shop", "managedFields": ["oops", {"fieldsV1": {"f:data": {}}}]},
        "data": {"password": encoded(VALUE)},
    },
    "a release of Helm": record(release()),
    "a release that is broken": record(VALUE),
    "a release that is encoded once": record(encoded(VALUE)),
    "a release that is no object": record(base64.b64encode(base64.b64encode(json.dumps([VALUE]).encode())).decode()),
    "a release with a broken manifest": record(release(manifest=f"a: {VALUE}: {OTHER}\n  - b: [")),
    "a release whose version is text": record(release(version=VALUE)),
    "a release of odd fields": record(release(hooks=[VALUE], chart=VALUE, info=VALUE)),
    "a release whose values are text": record(release(config=VALUE)),
    "a release whose revision is odd": record(release(), version="²"),
    "another type of a release": {**record(release()), "type": "helm.sh/release.v2"},
    "an array in the place of data": thing(type=helm.SECRET_TYPE, data=[VALUE]),
}
HELD["kept by kapp"]["metadata"]["annotations"] = {
    "kapp.k14s.io/original": json.dumps({"stringData": {"password": VALUE}}),
    "banzaicloud.com/last-applied": json.dumps({"stringData": {"password": VALUE}}),
    "objectset.rio.cattle.io/applied": json.dumps({"stringData": {"password": VALUE}}),
}


@pytest.mark.parametrize("secret", HELD.values(), ids=list(HELD))
def test_values_are_nowhere(api, reading, tmp_path, secret):
    api.on(SECRETS, listed(json.loads(json.dumps(secret)), thing("plain", data={"password": encoded(VALUE)})))
    snapshot = reading(("Secret", "ConfigMap"))
    assert snapshot.unread == {}
    assert len(snapshot.objects["Secret"]) == 2
    for text in everything(snapshot, tmp_path):
        assert not any(form in text for form in FORMS)


def test_values_are_in_no_reason(api, reading, tmp_path):
    api.on(SECRETS, Answer(body=f'{{"items": [{{"data": {{"password": "{VALUE}"}}}}'.encode()))
    snapshot = reading(("Secret", "ConfigMap"))
    assert set(snapshot.unread) == {"Secret"}
    for text in everything(snapshot, tmp_path):
        assert not any(form in text for form in FORMS)


def test_values_of_a_list_in_manifests_are_nowhere(tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text(release()["manifest"], "utf-8")
    snapshot = read_manifests(str(path), namespace="shop")
    for text in everything(snapshot, tmp_path):
        assert not any(form in text for form in FORMS)


def test_equal_values_have_equal_digests(api, reading):
    first = thing("first", data={"password": encoded(VALUE), "other": encoded(OTHER)})
    second = thing("second", stringData={"again": VALUE})
    api.on(SECRETS, listed(first, token="2"), listed(second))
    snapshot = reading(("Secret",))
    first, second = (item["data"] for item in snapshot.objects["Secret"])
    assert first["password"] == second["again"] == snapshot.digest(encoded(VALUE))
    assert first["password"] != first["other"]
    assert first["password"].startswith("hidden:")


def test_digests_of_two_snapshots_have_nothing_in_common(api, reading):
    api.on(SECRETS, listed(thing(data={"password": encoded(VALUE)})))
    seen = {reading(("Secret",)).objects["Secret"][0]["data"]["password"] for _ in range(2)}
    assert len(seen) == 2


def test_the_key_of_the_digests_is_not_told():
    intake = Intake()
    assert intake.key.hex() not in repr(intake)
    assert repr(intake.key) not in repr(intake)


def test_a_release_keeps_what_checks_need(api, reading):
    api.on(SECRETS, listed(record(release())))
    snapshot = reading(("Secret",))
    (secret,) = snapshot.objects["Secret"]
    found = secret["helm"]
    assert (found["name"], found["revision"], found["status"], found["chart"]) == ("chat", 3, "deployed", "chat")
    assert set(found["values"]) == {"auth.password", "auth.all[0]", "auth.all[1].inner"}
    assert found["values"]["auth.password"] == found["values"]["auth.all[1].inner"] == snapshot.digest(VALUE)
    assert [item["metadata"]["name"] for item in found["objects"]] == ["a", "b", "c", "c"]


def test_only_the_manifests_of_the_newest_records_are_kept(api, reading):
    pages = [
        listed(record(release(version=number), f"v{number}", str(number)), token=f"{number}") for number in range(1, 12)
    ]
    api.on(SECRETS, *pages, listed())
    kept = [item["helm"] for item in reading(("Secret",)).objects["Secret"]]
    assert [found["revision"] for found in kept if "objects" in found] == [10, 11]


def test_a_release_that_unpacks_for_ever_is_no_release(api, reading):
    bomb = gzip.compress(b" " * (helm.MAX_RELEASE + 2**20))
    api.on(SECRETS, listed(record(base64.b64encode(base64.b64encode(bomb)).decode())))
    (secret,) = reading(("Secret",)).objects["Secret"]
    assert "unpacks to more than 64 MiB" in secret["helm"]["problem"]


def test_a_release_nested_without_end_is_no_release(api, reading):
    deep = gzip.compress(b'{"config":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    api.on(SECRETS, listed(record(base64.b64encode(base64.b64encode(deep)).decode())))
    (secret,) = reading(("Secret",)).objects["Secret"]
    assert "is no record of Helm" in secret["helm"]["problem"]


def test_a_file_keeps_what_could_not_be_read(api, reading, tmp_path):
    api.on("/apis/apps/v1/namespaces/shop/deployments", refusal(403, "forbidden"))
    api.on("/apis/velero.io/v1/namespaces/shop/schedules", refusal(404))
    api.on("/apis/velero.io", refusal(404))
    api.on("/api/v1/namespaces/shop/configmaps", listed(thing("größe\u202e👩‍🚀\x00", data={"a": "é\r\n\t"})))
    snapshot = reading(("Deployment", "Schedule", "ConfigMap"))
    save(snapshot, tmp_path / "a")
    assert load(tmp_path / "a") == snapshot
    assert snapshot.unread == {"Deployment": "403 forbidden"}
    assert snapshot.absent == {"Schedule"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "kubeconfig"]


FILES = {
    "empty": b"",
    "not packed": b"{}",
    "cut off": gzip.compress(b"{}" * 1000)[:-9],
    "broken": gzip.compress(b"{}")[:10] + b"\xff" * 20,
    "no JSON": gzip.compress(b"oops"),
    "no Unicode": gzip.compress(b'{"format": "\xff"}'),
    "another object": gzip.compress(b"{}"),
    "nested without end": gzip.compress(b'{"objects":{"a":[{"b":' + b"[" * 100_000),
    "a time that is none": None,
}


@pytest.mark.parametrize("content", FILES.values(), ids=list(FILES))
def test_a_file_that_is_no_snapshot_is_refused(api, reading, tmp_path, content):
    path = tmp_path / "snapshot"
    if content is None:
        save(reading(("ConfigMap",)), path)
        whole = json.loads(gzip.decompress(path.read_bytes()))
        content = gzip.compress(json.dumps({**whole, "taken": "yesterday"}).encode())
    path.write_bytes(content)
    with pytest.raises(StorageProblem, match=r"no whole snapshot") as caught:
        load(path)
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("kind", "metadata", "spec", "data", "stringData", "type", "status", "helm")
METADATA = ("name", "namespace", "labels", "annotations", "managedFields", "ownerReferences")
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FIELDS, JSON),
        "metadata": JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(METADATA, JSON)),
        "type": JSON | st.just(helm.SECRET_TYPE),
        "spec": JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("containers", "ephemeralContainers"), JSON)),
        "data": JSON | JSON.map(lambda value: {"release": helm.encode({"config": value, "chart": value})}),
    },
)


@given(kind=st.sampled_from(["Pod", "Secret", "ConfigMap", "Unknown"]), items=st.lists(JSON | OBJECTS, max_size=4))
def test_whatever_comes_is_taken_in(kind, items):
    expected = sum(isinstance(item, dict) for item in items)
    assert len(Intake().take(kind, items)) == expected
