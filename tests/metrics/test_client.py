"""The client against servers that refuse, stall, flood, redirect and tell half of it."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from seatrial.environment.selector import Selector
from seatrial.evidence.outcome import CannotLook
from seatrial.http.bounded import NoAnswer, open_address
from seatrial.metrics.answer import Malformed, Refused
from seatrial.metrics.prometheus import Bounds, Prometheus
from seatrial.metrics.series import NoEvidence, Series, Window
from support.metrics import Quiet, says, scripted

EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}


def ask(url: str, *, within: float = 5.0, max_bytes: int = 100_000, **more: Any) -> tuple[Series, ...]:
    with open_address(url, run_id="r1", connect_timeout=1, timeout=within, **more) as client:
        bounds = Bounds(within=within, max_bytes=max_bytes, max_series=2)
        return Prometheus(client, bounds).instant("up", at=1.5)


def test_queries_travel_in_the_body() -> None:
    with scripted(says(EMPTY)) as (url, asked):
        ask(url)
        ((command, path, headers, body),) = asked
    assert (command, path) == ("POST", "/api/v1/query")
    assert parse_qs(body) == {"query": ["up"], "time": ["1.500"], "timeout": ["5s"]}
    assert headers["X-Seatrial-Run"] == "r1"


def test_raw_samples_are_asked_for_in_milliseconds() -> None:
    with scripted(says(EMPTY)) as (url, asked), open_address(url, run_id="r", connect_timeout=1, timeout=1) as client:
        server = Prometheus(client, Bounds())
        server.samples(Selector.parse("a{b='c'}"), Window(start=10, end=12.5))
        server.range("b", Window(start=10, end=12.5), step=0.5)
    assert parse_qs(asked[0][3])["query"] == ['a{b="c"}[2500ms]']
    assert parse_qs(asked[1][3]) == {
        "query": ["b"], "start": ["10.000"], "end": ["12.500"], "step": ["0.5"], "timeout": ["15s"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "header"),
    [({"bearer": "t0ken"}, "Bearer t0ken"), ({"basic": ("ann", "secret")}, "Basic YW5uOnNlY3JldA==")],
)
def test_credentials(options: dict[str, Any], header: str) -> None:
    with scripted(says(EMPTY)) as (url, asked):
        ask(url, **options)
        assert asked[0][2]["Authorization"] == header


def _redirects(request: Quiet) -> None:
    request.reply(302, b"", {"Location": "http://elsewhere.invalid/"})


def _trickles(request: Quiet) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(1_000_000):
            request.wfile.write(b" ")
            request.wfile.flush()
    except OSError:
        pass


def _breaks_off(request: Quiet) -> None:
    request.reply(200, b"{", {"Content-Length": "100"})


ERROR = {"status": "error", "errorType": "bad_data", "error": "parse error"}
MANY = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}] * 3}}


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        (says(ERROR, 400), Refused, "HTTP 400: bad_data: parse error"),
        (says(ERROR, 401), Refused, "not allowed to ask"),
        (says({}, 404), Malformed, "expected an object with status"),
        (says(MANY), Refused, "max_series allows 2"),
        (says({**EMPTY, "warnings": ["one store is gone"]}), NoEvidence, "one store is gone"),
        (lambda request: request.reply(200, b"<html>"), Malformed, "expected JSON"),
        (lambda request: request.reply(200, b"1" * 200_000), NoAnswer, "larger than 100000 bytes"),
        (_trickles, NoAnswer, "larger than 100000 bytes"),
        (_breaks_off, NoAnswer, "closed before the answer was complete"),
        (_redirects, Refused, "declare the address that it redirects to"),
    ],
)
def test_what_is_no_answer_says_what_it_was(script: Callable[[Quiet], None], kind: type[Exception], words: str) -> None:
    with scripted(script) as (url, asked):
        with pytest.raises(kind) as problem:
            ask(url)
        assert words in str(problem.value)
        assert len(asked) == 1, "nothing was followed and nothing repeated"


def test_informations_speak_of_the_query_alone() -> None:
    with scripted(says({**EMPTY, "infos": ["metric might not be a counter"]})) as (url, _):
        assert ask(url) == ()


def test_a_server_that_says_nothing_is_waited_for_and_no_longer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s"):
            ask(f"http://127.0.0.1:{silent.getsockname()[1]}", within=0.2)


def test_an_answer_that_never_ends_is_left() -> None:
    with scripted(_trickles) as (url, _), pytest.raises(NoAnswer, match=r"no whole answer within 0\.2 s"):
        ask(url, within=0.2, max_bytes=1 << 40)


def test_certificates_that_are_not_there() -> None:
    with pytest.raises(CannotLook, match="expected certificates in PEM"):
        ask("https://127.0.0.1:1", ca_file="/nowhere/ca.pem")
