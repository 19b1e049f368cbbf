"""Where no cluster is reached, everything is unread for the one reason, and hardly anything is asked."""

import datetime as dt
import ipaddress
import re
import socket
import ssl

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from seatrial.cluster.reading import read
from seatrial.environment.model import Cluster
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, SELF_ACCESS
from support.hostile import TOKEN, Answer, refusal, serving, thing, write_kubeconfig

KINDS = ("ConfigMap", "Secret", "ServiceMonitor", "Namespace", SELF_ACCESS, ACCOUNT_ACCESS)
SELF = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OTHER = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def the_reason(snapshot):
    """Why everything is unread."""
    assert snapshot.objects == {}
    assert snapshot.absent == frozenset()
    assert set(snapshot.unread) == set(KINDS)
    (reason,) = set(snapshot.unread.values())
    assert "\n" not in reason
    assert len(reason) <= 300
    assert TOKEN not in reason
    return reason


def test_an_environment_without_a_cluster():
    assert the_reason(read(None, KINDS)) == "the environment declares no [cluster] with namespaces"


def test_a_cluster_without_namespaces_is_not_even_asked(api, reading):
    snapshot = reading(KINDS, namespaces=())
    assert the_reason(snapshot) == "the environment declares no [cluster] with namespaces"
    assert api.requests == []


def test_an_expired_token_is_tried_once(api, reading):
    api.on("/version", refusal(401, "Unauthorized"))
    snapshot = reading(KINDS)
    assert the_reason(snapshot) == "401 Unauthorized"
    assert snapshot.server == api.url
    assert len(api.requests) == 1


def test_an_api_that_does_not_answer_costs_one_timeout(api, reading):
    api.on("/version", lambda handler: handler.server.over.wait(20))
    assert "no answer: " in the_reason(reading(KINDS, timeout="0.2s"))
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (refusal(403, "forbidden"), ""),
        (refusal(404), ""),
        (Answer(body={"gitVersion": "v1.36.2+k3s1"}), "1.36.2+k3s1"),
        (Answer(body={}), ""),
        (Answer(body={"gitVersion": None}), ""),
    ],
)
def test_a_cluster_that_hides_its_version_is_read(api, reading, answer, version):
    api.on("/version", answer)
    snapshot = reading(("ConfigMap",))
    assert snapshot.unread == {}
    assert snapshot.version == version


def test_nobody_listens(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{taken.getsockname()[1]}")
        reason = the_reason(read(Cluster(kubeconfig=str(kubeconfig), namespaces=("shop",)), KINDS))
    assert re.match("no answer: .*refused", reason)


def test_a_name_that_nobody_knows(tmp_path):
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "http://nowhere.invalid:6443")
    assert "no answer: " in the_reason(read(Cluster(kubeconfig=str(kubeconfig), namespaces=("shop",)), KINDS))


@pytest.mark.parametrize(
    "address", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://[::1", "", "http://", "https:///path"]
)
def test_an_address_that_is_none(tmp_path, address):
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", address)
    assert the_reason(read(Cluster(kubeconfig=str(kubeconfig), namespaces=("shop",)), KINDS))


KUBECONFIGS = {
    "empty": b"",
    "no mapping": b"- a\n- b\n",
    "text": b"kubeconfig",
    "broken YAML": b"clusters: [\n  {name: a",
    "two documents": b"a: 1\n---\nb: 2\n",
    "an unknown tag": b"clusters: !!python/object:os.system {}",
    "binary": b"\x00\xff\xfe\x01",
    "not Unicode": b"current-context: \xff\n",
    "contexts null": b"current-context: a\ncontexts: null\nclusters: null\nusers: null\n",
    "contexts are text": b"current-context: a\ncontexts: oops\nclusters: oops\nusers: oops\n",
    "contexts of text": b"current-context: a\ncontexts: [oops]\nclusters: []\nusers: []\n",
    "a context of nothing": b"current-context: a\ncontexts: [{name: a, context: null}]\nclusters: []\nusers: []\n",
    "no cluster": b"current-context: a\ncontexts: [{name: a, context: {cluster: b, user: c}}]\nclusters: []\n",
}


@pytest.mark.parametrize("content", KUBECONFIGS.values(), ids=list(KUBECONFIGS))
@pytest.mark.parametrize("context", [None, "a"])
def test_a_kubeconfig_that_is_none(tmp_path, content, context):
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)
    reason = the_reason(read(Cluster(kubeconfig=str(path), context=context, namespaces=("shop",)), KINDS))
    assert reason.startswith(f"{path}: ")


def test_a_kubeconfig_that_is_not_there(tmp_path):
    path = tmp_path / "nowhere"
    assert the_reason(read(Cluster(kubeconfig=str(path), namespaces=("shop",)), KINDS)).startswith(f"{path}: ")


def test_a_kubeconfig_that_is_a_folder(tmp_path):
    reason = the_reason(read(Cluster(kubeconfig=str(tmp_path), namespaces=("shop",)), KINDS))
    assert reason.startswith(f"{tmp_path}: ")


def test_a_context_that_is_not_there(api, tmp_path):
    path = write_kubeconfig(tmp_path / "kubeconfig", api.url)
    reason = the_reason(read(Cluster(kubeconfig=str(path), context="elsewhere", namespaces=("shop",)), KINDS))
    assert reason.startswith(f"{path}: ")
    assert "elsewhere" in reason
    assert api.requests == []


USERS = {
    "a login that is not installed": {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "seatrial-no-such-login", "args": []}
    },
    "a certificate that is not there": {"client-certificate": "/nowhere/a.crt", "client-key": "/nowhere/a.key"},
    "a certificate that is not base64": {"client-certificate-data": "%%%", "client-key-data": "%%%"},
    "a certificate that is none": {"client-certificate-data": "b29wcw==", "client-key-data": "b29wcw=="},
    "a token from a file that is not there": {"tokenFile": "/nowhere/token"},
}


@pytest.mark.parametrize("user", USERS.values(), ids=list(USERS))
def test_a_login_that_does_not_work_raises_nothing(api, tmp_path, user):
    path = write_kubeconfig(tmp_path / "kubeconfig", api.url.replace("http:", "https:"))
    config = yaml.safe_load(path.read_text("utf-8"))
    config["users"][0]["user"] = user
    path.write_text(yaml.safe_dump(config), "utf-8")
    assert the_reason(read(Cluster(kubeconfig=str(path), namespaces=("shop",), timeout="2s"), KINDS))
    assert api.requests == []


@pytest.mark.parametrize("token", ["a-secret\r\nX-Evil: b", "a-secret-größe", "a-secret-шлюз", "a-secret\x00"])
def test_a_token_that_is_no_header_is_not_told(api, tmp_path, token):
    path = write_kubeconfig(tmp_path / "kubeconfig", api.url)
    config = yaml.safe_load(path.read_text("utf-8"))
    config["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config), "utf-8")
    snapshot = read(Cluster(kubeconfig=str(path), namespaces=("shop",), timeout="2s"), KINDS)
    assert not any("a-secret" in reason for reason in snapshot.unread.values())
    assert not any("x-evil" in request.headers for request in api.requests)


def test_outside_of_a_cluster_there_is_no_account_of_a_pod(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert the_reason(read(Cluster(in_cluster=True, namespaces=("shop",)), KINDS))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hostile")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=False,
                encipher_only=None,
                decipher_only=None,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def encrypted(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serving(lambda plain: context.wrap_socket(plain, server_side=True))


def test_a_certificate_that_nobody_vouches_for_gets_no_token(certificate, tmp_path):
    with encrypted(certificate) as api:
        path = write_kubeconfig(tmp_path / "kubeconfig", api.url)
        reason = the_reason(read(Cluster(kubeconfig=str(path), namespaces=("shop",)), KINDS))
        assert api.requests == []
    assert reason.startswith("no answer: ")
    assert "certificate verify failed" in reason


def test_a_certificate_for_another_name_gets_no_token(certificate, tmp_path):
    with encrypted(certificate) as api:
        path = write_kubeconfig(
            tmp_path / "kubeconfig",
            api.url,
            **{"certificate-authority": str(certificate), "tls-server-name": "elsewhere.example"},
        )
        reason = the_reason(read(Cluster(kubeconfig=str(path), namespaces=("shop",)), KINDS))
        assert api.requests == []
    assert "elsewhere.example" in reason


def test_a_certificate_that_the_kubeconfig_trusts_is_read(certificate, tmp_path):
    with encrypted(certificate) as api:
        path = write_kubeconfig(tmp_path / "kubeconfig", api.url, **{"certificate-authority": str(certificate)})
        snapshot = read(Cluster(kubeconfig=str(path), namespaces=("shop",)), ("ConfigMap", "Secret"))
    assert snapshot.unread == {}
    assert snapshot.server == api.url


def test_plain_text_where_encryption_was_expected(api, tmp_path):
    path = write_kubeconfig(tmp_path / "kubeconfig", api.url.replace("http:", "https:"))
    assert "no answer: " in the_reason(read(Cluster(kubeconfig=str(path), namespaces=("shop",)), KINDS))
    assert api.requests == []


def review(allowed=True, **status):
    return Answer(201, {"status": {"allowed": allowed, **status}})


def test_reviews_are_asked_for_what_is_read_and_what_must_not_be_written(api, reading):
    api.on(SELF, review())
    snapshot = reading(("ConfigMap", SELF_ACCESS))
    assert {(row["need"], row["allowed"]) for row in snapshot.objects[SELF_ACCESS]} == {("read", True), ("write", True)}
    assert [row["resource"] for row in snapshot.objects[SELF_ACCESS] if row["need"] == "read"] == ["configmaps"]
    assert {request.method for request in api.requests if request.path != SELF} == {"GET"}


REVIEWS = {
    "no status": (Answer(body={}), "read"),
    "status null": (Answer(body={"status": None}), "read"),
    "status is text": (Answer(body={"status": "oops"}), "read"),
    "allowed is text": (Answer(body={"status": {"allowed": "true"}}), "read"),
    "forbidden": (refusal(403, "forbidden"), "403 forbidden"),
    "not JSON": (Answer(body=b"oops"), "not whole JSON"),
}


@pytest.mark.parametrize("path", [SELF, OTHER])
@pytest.mark.parametrize(("answer", "outcome"), REVIEWS.values(), ids=list(REVIEWS))
def test_a_review_that_is_none_allows_nothing(api, reading, path, answer, outcome):
    kind = SELF_ACCESS if path == SELF else ACCOUNT_ACCESS
    api.on(SELF, review())
    api.on(OTHER, review())
    api.on(path, answer)
    snapshot = reading(("ServiceAccount", SELF_ACCESS, ACCOUNT_ACCESS))
    if outcome == "read":
        assert snapshot.unread == {}
        assert not any(row["allowed"] for row in snapshot.objects[kind])
    else:
        assert set(snapshot.unread) == {kind}
        assert outcome in snapshot.unread[kind]


def test_accounts_that_cannot_be_read_cannot_be_asked_about(api, reading):
    api.on("/api/v1/namespaces/shop/serviceaccounts", refusal(403, "forbidden"))
    snapshot = reading(("ServiceAccount", ACCOUNT_ACCESS))
    assert snapshot.unread[ACCOUNT_ACCESS] == "the service accounts could not be read"
    assert api.asked(OTHER) == []


def test_accounts_that_are_asked_about_are_bounded(api, reading):
    api.on("/api/v1/namespaces/shop/serviceaccounts", Answer(body={"items": [thing(f"a{n}") for n in range(60)]}))
    api.on(OTHER, review(allowed=False))
    snapshot = reading(("ServiceAccount", ACCOUNT_ACCESS))
    assert len({row["metadata"]["name"] for row in snapshot.objects[ACCOUNT_ACCESS]}) == 50
