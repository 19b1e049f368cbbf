from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from seatrial.demo import platform
from seatrial.demo.platform import Platform

BODY = {"model": "chatbot", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A demo whose weights the tests here may change."""
    with platform.start(with_kube=False) as running:
        yield running


def put(demo: Platform, stable: float, candidate: float) -> None:
    content = {"stable": stable, "candidate": candidate}
    response = httpx.put(demo.variables["router_admin_url"] + "/weights", json=content)
    assert (response.status_code, response.json()) == (200, content)


def served(demo: Platform, n: int) -> dict[str, int]:
    """How often each track serves ``n`` users who come for the first time."""
    seen = {"stable": 0, "candidate": 0}
    with httpx.Client(base_url=demo.variables["public_url"]) as client:
        for _ in range(n):
            client.cookies.clear()
            seen[client.get("/version").json()["track"]] += 1
    return seen


def test_the_weights_at_the_start(demo: Platform) -> None:
    assert httpx.get(demo.variables["router_admin_url"] + "/weights").json() == {"stable": 95, "candidate": 5}


@pytest.mark.parametrize(("stable", "candidate"), [(100, 0), (0, 100), (95, 5), (1, 1)])
def test_shares_follow_the_weights(own: Platform, stable: float, candidate: float) -> None:
    put(own, stable, candidate)
    n = 200
    assert abs(served(own, n)["candidate"] - n * candidate / (stable + candidate)) <= 3


@pytest.mark.parametrize("how", ["header", "cookie"])
def test_a_user_stays_on_a_track(own: Platform, how: str) -> None:
    put(own, 1, 1)
    tracks: set[str] = set()
    for user in range(12):
        headers = {"X-Session-Id": f"user-{user}"} if how == "header" else {}
        with httpx.Client(base_url=own.variables["public_url"], headers=headers) as client:
            answers = [client.get("/version") for _ in range(5)]
        seen = {answer.headers["x-router-track"] for answer in answers}
        assert len(seen) == 1
        assert ["set-cookie" in answer.headers for answer in answers] == [how == "cookie", *[False] * 4]
        tracks |= seen
    assert tracks == {"stable", "candidate"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"stable": 1}', b'{"stable": 0, "candidate": 0}', b'{"stable": -1, "candidate": 1}']
)
def test_bad_weights_change_nothing(own: Platform, content: bytes) -> None:
    url = own.variables["router_admin_url"] + "/weights"
    before = httpx.get(url).json()
    response = httpx.put(url, content=content)
    assert response.status_code == 400
    assert "expected" in response.json()["error"]["message"] or "Expecting" in response.json()["error"]["message"]
    assert httpx.get(url).json() == before


def test_weights_cannot_be_changed_through_the_public_port(own: Platform) -> None:
    assert httpx.put(own.variables["public_url"] + "/weights", json={"stable": 0, "candidate": 1}).status_code == 404


def test_answers_and_refusals_pass_through(public: httpx.Client) -> None:
    whole = public.post("/v1/chat/completions", json=BODY)
    assert whole.json()["choices"][0]["message"]["metadata"] == {"intent": "greeting"}
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-length"] == str(len(whole.content))
    assert public.post("/v1/chat/completions", content=b"{").status_code == 400
    assert public.get("/no%2Fthing?a=%20b").status_code == 404
    assert public.head("/version").status_code == 200


def test_streams_pass_through_token_by_token(public: httpx.Client) -> None:
    reads = []
    with public.stream("POST", "/v1/chat/completions", json=BODY | {"stream": True}) as response:
        reads = list(response.iter_raw())
    assert len(reads) > 3
    assert b"".join(reads).endswith(b"data: [DONE]\n\n")


def test_sessions_through_the_router_keep_their_memory(public: httpx.Client) -> None:
    for text in ("Where is order 4711?", "When will it arrive?"):
        message = {"role": "user", "content": text}
        answer = public.post("/v1/chat/completions", json={"model": "chatbot", "user": "me", "messages": [message]})
    assert "4711" in answer.text


def test_a_refusing_upstream_is_a_502_that_names_it() -> None:
    with platform.start(faults=["candidate-down"], with_kube=False) as running:
        put(running, 0, 1)
        response = httpx.get(running.variables["public_url"] + "/version")
        assert response.status_code == 502
        error = response.json()["error"]
        assert error["code"] == "upstream_unreachable"
        assert running.variables["candidate_url"] in error["message"]
        put(running, 1, 0)
        assert httpx.get(running.variables["public_url"] + "/version").json()["track"] == "stable"
        metrics = httpx.get(running.variables["router_admin_url"] + "/metrics").text
        assert 'router_requests_total{track="candidate",code="502"} 1' in metrics
        assert "router_candidate_share 0" in metrics


def test_an_upstream_that_dies_in_the_middle_of_a_stream_cuts_the_answer() -> None:
    with platform.start(faults=["stalled-stream"], with_kube=False) as running, contextlib.ExitStack() as stack:
        put(running, 0, 1)
        client = stack.enter_context(httpx.Client(base_url=running.variables["public_url"], timeout=5))
        response = stack.enter_context(client.stream("POST", "/v1/chat/completions", json=BODY | {"stream": True}))
        pieces = response.iter_raw()
        first = next(pieces)
        assert json.loads(first.split(b"\n\n")[0].removeprefix(b"data: "))["object"] == "chat.completion.chunk"
        os.kill(int(running.variables["candidate_pid"]), signal.SIGKILL)
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
