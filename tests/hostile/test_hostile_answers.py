"""Whatever the API answers for one kind, that kind alone is unread, with the reason in one line."""

import gzip
import re
import threading
import time
from types import SimpleNamespace

import pytest

from seatrial.cluster import connection
from support.hostile import GOOD, TOKEN, Answer, listed, refusal, serving, thing

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"
SECRETS = "/api/v1/namespaces/shop/secrets"
MONITORS = "/apis/monitoring.coreos.com/v1/namespaces/shop/servicemonitors"
GROUP = "/apis/monitoring.coreos.com"
KINDS = ("Deployment", "ConfigMap", "Secret", "ClusterRole", "ServiceMonitor", "Namespace")


def names(snapshot, kind="ConfigMap"):
    return [item["metadata"].get("name") for item in snapshot.objects[kind]]


def others_are_read(snapshot, but="ConfigMap"):
    others = [kind for kind in KINDS if kind != but]
    assert all(snapshot.objects[kind] for kind in others)
    assert set(snapshot.objects) | set(snapshot.unread) | snapshot.absent == set(KINDS)
    assert (set(snapshot.unread) | snapshot.absent) <= {but}


@pytest.fixture
def waits(monkeypatch):
    """Pauses that were asked for and would have been made."""
    found = []
    pause = SimpleNamespace(wait=found.append)
    monkeypatch.setattr(connection, "threading", SimpleNamespace(Event=lambda: pause))
    return found


def raw(*lines, body=b""):
    """Bytes on the wire, and the end of the connection."""

    def send(handler):
        handler.wfile.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        handler.wfile.flush()
        handler.close_connection = True

    return send


def hang_up(handler):
    handler.close_connection = True


def say_nothing(handler):
    handler.close_connection = True
    assert handler.server.over.wait(20)


def stop_in_mid_body(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"items": [')
    handler.wfile.flush()
    say_nothing(handler)


def drip(start, part):
    """Sends ``part`` again and again, so that no single read of the client's ever times out."""

    def send(handler):
        handler.close_connection = True
        handler.wfile.write(start)
        while not handler.server.over.wait(0.02):
            handler.wfile.write(part)
            handler.wfile.flush()

    return send


OK = b"HTTP/1.1 200 OK"
REFUSED = {
    "forbidden": (refusal(403, "configmaps is forbidden: User cannot list"), "403 configmaps is forbidden", 1),
    "token expired meanwhile": (refusal(401, "Unauthorized"), "401 Unauthorized", 1),
    "not found": (refusal(404, "page not found"), "404 page not found", 1),
    "not a Status": (Answer(403, b"<html>\n<h1>no\n\nway</h1>"), "403 <html> <h1>no way</h1>", 1),
    "an error without a word": (Answer(500), "500", 1),
    "an error that is a list": (Answer(500, [1]), "500", 1),
    "an error of bytes": (Answer(500, b"\xff\xfe\x00"), "500", 1),
    "an endless error": (refusal(500, "x" * 100_000), "500 x+", 1),
    "too many requests for ever": (refusal(429, "slow down", Retry_After="0"), "429 slow down", 4),
    "too many requests, and not when to come again": (refusal(429, "slow down"), "429 slow down", 1),
    "unavailable": (refusal(503, "starting"), "503 starting", 1),
    "unavailable for ever": (refusal(503, "starting", Retry_After="0"), "503 starting", 4),
    "only 429 and 503 are asked again": (refusal(500, "broken", Retry_After="0"), "500 broken", 1),
    "expired for ever": (refusal(410, "expired"), "410 expired", 4),
    "no content": (Answer(204), "204", 1),
    "empty": (Answer(), "not whole JSON", 1),
    "not JSON": (Answer(body=b"<html>"), "not whole JSON", 1),
    "half of it": (Answer(body=b'{"items": [{"metadata":'), "not whole JSON", 1),
    "not Unicode": (Answer(body=b'{"items": [{"metadata": {"name": "\xff"}}]}'), "not whole JSON", 1),
    "no number of JSON": (Answer(body=b'{"items": [NaN]}'), "not whole JSON", 1),
    "nested without end": (Answer(body=b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "not whole JSON", 1),
    "a list of JSON": (Answer(body=[thing()]), "no object", 1),
    "a string": (Answer(body='"oops"'), "no object", 1),
    "null": (Answer(body=None), "no object", 1),
    "items are text": (Answer(body={"items": "oops"}), "items are no list", 1),
    "items are an object": (Answer(body={"items": {"a": thing()}}), "items are no list", 1),
    "items are a number": (Answer(body={"items": 0}), "items are no list", 1),
    "metadata is text": (Answer(body={"items": [], "metadata": "oops"}), "more pages cannot be read", 1),
    "metadata is a list": (Answer(body={"items": [], "metadata": ["oops"]}), "more pages cannot be read", 1),
    "a token that is no text": (
        Answer(body={"items": [], "metadata": {"continue": [7]}}),
        "more pages cannot be read",
        1,
    ),
    "one page for ever": (listed(thing(), token="again"), "the same page for ever", 2),
    "hangs up": (hang_up, "no answer: ", 2),
    "hangs up in mid-body": (raw(OK, b"Content-Length: 1000", body=b'{"items": ['), "no answer: ", 1),
    "hangs up in mid-chunk": (raw(OK, b"Transfer-Encoding: chunked", body=b"ff\r\n{"), "no answer: ", 1),
    "no chunk": (raw(OK, b"Transfer-Encoding: chunked", body=b"zz\r\n{}"), "no answer: ", 1),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.9"), "no answer: ", 1),
    "a header without end": (raw(OK, b"X: " + b"x" * 100_000, body=b"{}"), "no answer: ", 1),
    "more headers than anybody reads": (raw(OK, *[b"X: x"] * 1000, body=b"{}"), "no answer: ", 1),
    "not the encoding that it says": (Answer(body=b"{}", headers={"Content-Encoding": "gzip"}), "no answer: ", 1),
}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(("script", "reason", "requests"), REFUSED.values(), ids=list(REFUSED))
def test_an_answer_that_cannot_be_read_leaves_one_kind_unread(api, reading, script, reason, requests):
    api.on(CONFIGMAPS, script)
    snapshot = reading(KINDS)
    others_are_read(snapshot)
    seen = snapshot.unread["ConfigMap"]
    assert re.search(reason, seen)
    assert "\n" not in seen
    assert len(seen) <= 300
    assert TOKEN not in seen
    assert len(api.asked(CONFIGMAPS)) == requests


RETRY_AFTER = {
    "at once": ("0", [0.0]),
    "a second": ("1", [1.0]),
    "with room around it": ("  2 ", [2.0]),
    "the most that is borne": ("10", [10.0]),
    "longer than that": ("11", None),
    "a day": ("86400", None),
    "for ever": ("9" * 400, None),
    "a date": ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    "negative": ("-1", None),
    "a fraction": ("1.5", None),
    "nothing": ("", None),
    "words": ("soon", None),
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "expected"), RETRY_AFTER.values(), ids=list(RETRY_AFTER))
def test_the_api_is_asked_again_when_it_says_so(api, reading, waits, status, header, expected):
    api.on(CONFIGMAPS, refusal(status, "slow down", Retry_After=header), listed(thing()))
    snapshot = reading(KINDS, read_within="60s")
    if expected is None:
        assert snapshot.unread == {"ConfigMap": f"{status} slow down"}
        assert waits == []
    else:
        assert names(snapshot) == [GOOD]
        assert waits == expected
    others_are_read(snapshot)


def test_nobody_waits_longer_than_for_everything(api, reading, waits):
    api.on(CONFIGMAPS, refusal(429, "slow down", Retry_After="8"))
    snapshot = reading(KINDS, read_within="5s")
    assert snapshot.unread == {"ConfigMap": "429 slow down: asked to wait for 8 s"}
    assert waits == []


ACCEPTED = {
    "items are null": ((Answer(body={"items": None}),), []),
    "no items": ((Answer(body={}),), []),
    "metadata is null": ((Answer(body={"items": [thing()], "metadata": None}),), [GOOD]),
    "what is no object": ((listed(None, 7, "oops", [thing("inner")], thing()),), [GOOD]),
    "fields that nobody knows": ((Answer(body={"items": [thing(future={"a": [1]})], "future": 1}),), [GOOD]),
    "two pages": ((listed(thing("a"), token="2"), listed(thing("b"))), ["a", "b"]),
    "an empty page between two": ((listed(thing("a"), token="2"), listed(token="3"), listed(thing("b"))), ["a", "b"]),
    "pages that expire once": (
        (listed(thing("a"), token="2"), refusal(410, "expired"), listed(thing("a"), token="3"), listed(thing("c"))),
        ["a", "c"],
    ),
    "compressed": (
        (
            Answer(
                body=gzip.compress(b'{"items": [{"metadata": {"name": "a"}}]}'), headers={"Content-Encoding": "gzip"}
            ),
        ),
        ["a"],
    ),
    "in chunks": (
        (raw(OK, b"Transfer-Encoding: chunked", body=b'5\r\n{"ite\r\n9\r\nms": null\r\n1\r\n}\r\n0\r\n\r\n'),),
        [],
    ),
    "not at first, where a kept connection was ended": ((hang_up, listed(thing())), [GOOD]),
    "until the connection ends": ((raw(OK, b"Connection: close", body=b'{"items": null}'),), []),
    "no JSON by its header": ((Answer(body={"items": [thing()]}, headers={"Content-Type": "text/html"}),), [GOOD]),
    "created": ((Answer(201, {"items": [thing()]}),), [GOOD]),
}


@pytest.mark.parametrize(("script", "expected"), ACCEPTED.values(), ids=list(ACCEPTED))
def test_an_odd_answer_that_can_be_read_is_read(api, reading, script, expected):
    api.on(CONFIGMAPS, *script)
    snapshot = reading(KINDS)
    assert snapshot.unread == {}
    assert names(snapshot) == expected


def test_every_script_and_a_megabyte_come_through(api, reading):
    words = [
        "größe",
        "шлюз",
        "网关",
        "ゲートウェイ",
        "بوابة",
        "שער",
        "द्वार",
        "𝒈𝒂𝒕𝒆",
        "👩‍🚀",
        "a\u202eb",
        "nul\x00",
        "\ud7ff",
    ]
    items = [thing(word, data={word: word}) for word in words]
    large = thing("large")
    large["metadata"]["annotations"] = {"note": "é" * 2**19}
    api.on(CONFIGMAPS, listed(*items, large))
    snapshot = reading(KINDS)
    assert names(snapshot) == [*words, "large"]
    assert [item["data"] for item in snapshot.objects["ConfigMap"][:-1]] == [{word: word} for word in words]
    assert snapshot.objects["ConfigMap"][-1]["metadata"]["annotations"]["note"] == "é" * 2**19


def test_pages_are_asked_for_with_the_token_and_never_more_at_a_time(api, reading):
    api.on(CONFIGMAPS, listed(thing("a"), token="a b&c=ü"), listed(thing("b")))
    assert names(reading(KINDS)) == ["a", "b"]
    first, second = api.asked(CONFIGMAPS)
    assert first.query == {"limit": ["500"]}
    assert second.query == {"limit": ["500"], "continue": ["a b&c=ü"]}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_more_objects_than_allowed_are_not_read(api, reading, kind):
    path = {"ConfigMap": CONFIGMAPS, "Secret": SECRETS}[kind]
    pages = [listed(thing(f"{number}"), token=f"{number}") for number in range(50)]
    api.on(path, *pages, listed())
    snapshot = reading(KINDS, max_objects=3)
    assert snapshot.unread == {kind: "more than 3 objects in shop (cluster.max_objects)"}
    assert len(api.asked(path)) == 4
    others_are_read(snapshot, kind)


def test_as_many_objects_as_allowed_are_read(api, reading):
    api.on(CONFIGMAPS, listed(thing("a"), thing("b"), token="2"), listed(thing("c")))
    assert names(reading(KINDS, max_objects=3)) == ["a", "b", "c"]


@pytest.mark.parametrize("script", [say_nothing, stop_in_mid_body], ids=["before it", "in it"])
def test_a_slow_answer_costs_its_timeout(api, reading, script):
    api.on(CONFIGMAPS, script)
    snapshot = reading(KINDS, timeout="0.3s")
    assert "no answer: " in snapshot.unread["ConfigMap"]
    assert len(api.asked(CONFIGMAPS)) == 1
    others_are_read(snapshot)


def test_a_slow_page_costs_the_kind(api, reading):
    api.on(CONFIGMAPS, listed(thing(), token="2"), say_nothing)
    snapshot = reading(KINDS, timeout="0.3s")
    assert "no answer: " in snapshot.unread["ConfigMap"]
    others_are_read(snapshot)


DRIPS = {
    "in the body": drip(OK + b"\r\nContent-Length: 100000\r\n\r\n{", b" "),
    "in chunks": drip(OK + b"\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "until the end": drip(OK + b"\r\n\r\n", b" "),
}


@pytest.mark.parametrize("script", DRIPS.values(), ids=list(DRIPS))
def test_an_answer_that_comes_byte_by_byte_costs_its_timeout(api, reading, script):
    api.on(CONFIGMAPS, script)
    stopper = threading.Timer(8, api.over.set)
    stopper.start()
    begun = time.monotonic()
    snapshot = reading(KINDS, timeout="0.3s")
    stopper.cancel()
    stopper.join()
    assert time.monotonic() - begun < 5
    assert snapshot.unread == {"ConfigMap": "no answer: not whole after 0.3 s"}
    others_are_read(snapshot)


def test_an_answer_larger_than_anybody_sends_is_not_read(api, reading, monkeypatch):
    monkeypatch.setattr(connection, "MAX_ANSWER", 2**20)
    api.on(CONFIGMAPS, Answer(body=gzip.compress(b" " * 2**24), headers={"Content-Encoding": "gzip"}))
    snapshot = reading(KINDS)
    assert snapshot.unread == {"ConfigMap": "the answer is larger than 1 MiB"}
    others_are_read(snapshot)


def test_everything_together_is_bounded(api, reading):
    paths = [CONFIGMAPS, SECRETS, "/apis/apps/v1/namespaces/shop/deployments"]
    for path in paths:
        endless = iter(range(10**9))
        api.on(path, lambda handler, endless=endless: listed(token=f"{next(endless)}").send(handler))
    snapshot = reading(KINDS, read_within="0.5s")
    for kind in ("ConfigMap", "Secret", "Deployment"):
        assert re.search(r"longer than 0\.5 s \(cluster\.read_within\)|no answer", snapshot.unread[kind])
    assert names(snapshot, "ClusterRole") == [GOOD]


def test_a_redirect_is_not_followed_and_gives_the_token_to_nobody(api, reading):
    with serving() as elsewhere:
        api.on(CONFIGMAPS, refusal(302, "over there", Location=f"{elsewhere.url}{CONFIGMAPS}"))
        snapshot = reading(KINDS)
        assert elsewhere.requests == []
    assert snapshot.unread == {"ConfigMap": "302 over there"}
    others_are_read(snapshot)


def test_only_reading_is_asked_for(api, reading):
    reading(KINDS)
    assert {request.method for request in api.requests} == {"GET"}
    assert {request.headers["authorization"] for request in api.requests} == {f"Bearer {TOKEN}"}


CUSTOM = {
    "no such group": ({MONITORS: refusal(404), GROUP: refusal(404)}, "absent", ""),
    "the group in the version that was asked for, without the kind": (
        {MONITORS: refusal(404), GROUP: Answer(body={"preferredVersion": {"version": "v1"}})},
        "absent",
        "",
    ),
    "another version": (
        {
            MONITORS: refusal(404),
            GROUP: Answer(body={"preferredVersion": {"version": "v1alpha1"}}),
            MONITORS.replace("v1/", "v1alpha1/"): listed(thing("older")),
        },
        "read",
        "older",
    ),
    "another version, without the kind": (
        {
            MONITORS: refusal(404),
            GROUP: Answer(body={"preferredVersion": {"version": "v2"}}),
            MONITORS.replace("v1/", "v2/"): refusal(404),
        },
        "absent",
        "",
    ),
    "another version, forbidden": (
        {
            MONITORS: refusal(404),
            GROUP: Answer(body={"preferredVersion": {"version": "v2"}}),
            MONITORS.replace("v1/", "v2/"): refusal(403, "forbidden"),
        },
        "unread",
        "403 forbidden",
    ),
    "forbidden": ({MONITORS: refusal(403, "forbidden")}, "unread", "403 forbidden"),
    "the group forbidden": ({MONITORS: refusal(404), GROUP: refusal(403, "forbidden")}, "unread", "403 forbidden"),
    "the group without an answer": ({MONITORS: refusal(404), GROUP: hang_up}, "unread", "no answer"),
    "the group without a version": ({MONITORS: refusal(404), GROUP: Answer(body={})}, "absent", ""),
    "the version is text": ({MONITORS: refusal(404), GROUP: Answer(body={"preferredVersion": "v2"})}, "absent", ""),
    "the version leads elsewhere": (
        {MONITORS: refusal(404), GROUP: Answer(body={"preferredVersion": {"version": "v1/../../../api/v1"}})},
        "absent",
        "",
    ),
}


@pytest.mark.parametrize(("scripts", "outcome", "what"), CUSTOM.values(), ids=list(CUSTOM))
def test_a_custom_kind_is_read_absent_or_unread(api, reading, scripts, outcome, what):
    for path, script in scripts.items():
        api.on(path, script)
    snapshot = reading(KINDS)
    others_are_read(snapshot, "ServiceMonitor")
    if outcome == "absent":
        assert snapshot.absent == {"ServiceMonitor"}
    elif outcome == "unread":
        assert what in snapshot.unread["ServiceMonitor"]
    else:
        assert names(snapshot, "ServiceMonitor") == [what]
    assert {request.path for request in api.requests if "monitoring" in request.path} <= set(scripts)


def test_a_namespace_that_is_not_there_is_left_out(api, reading):
    api.on("/api/v1/namespaces/shop", refusal(404))
    api.on("/api/v1/namespaces/kube-system", Answer(body=thing("kube-system")))
    snapshot = reading(KINDS)
    assert snapshot.unread == {}
    assert names(snapshot, "Namespace") == ["kube-system"]


def test_one_namespace_that_is_forbidden_leaves_the_kind_unread(api, reading):
    api.on(CONFIGMAPS.replace("shop", "till"), refusal(403, "forbidden in till"))
    snapshot = reading(KINDS, namespaces=("shop", "till"))
    assert snapshot.unread == {"ConfigMap": "403 forbidden in till"}


def test_a_kind_asked_for_twice_is_read_once(api, reading):
    assert names(reading(("ConfigMap", "ConfigMap"))) == [GOOD]
    assert len(api.asked(CONFIGMAPS)) == 1
