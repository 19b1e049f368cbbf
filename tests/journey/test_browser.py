"""Journeys in a real Chromium, through pages over real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seatrial.environment import model
from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Outcome, Role
from seatrial.journey.browser import Browser, NoBrowser, find
from seatrial.journey.loading import parse
from seatrial.journey.runner import Setting, Trip, make

PAGE = """<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,">
<h1>Shop</h1><label>Your message <input id="m"></label><button id="b">Send</button>
<ol aria-live="polite" aria-label="Conversation" id="log"></ol>
<script>
document.getElementById("b").onclick = async () => {
  const item = document.createElement("li");
  document.getElementById("log").append(item);
  for (const word of ("You said " + document.getElementById("m").value).split(" ")) {
    item.textContent += word + " ";
    await new Promise(done => setTimeout(done, 10));
  }
  document.getElementById("m").focus();
};
</script>SCRIPT</html>"""


class Site:
    """A page, and the requests that were made for it."""

    def __init__(self) -> None:
        self.more = ""
        self.status = 200
        self.seen: list[dict[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.seen.append({"path": self.path, **{key.lower(): value for key, value in self.headers.items()}})
                content = PAGE.replace("SCRIPT", site.more).encode()
                self.send_response(site.status if self.path == "/" else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def target(self, **service: object) -> ServiceTarget:
        described = Service.model_validate({"url": {"stable": self.url}, "page": "/", **service})
        return ServiceTarget(name="web", track="stable", role=Role.SUBJECT, base_url=self.url, service=described)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(scope="module")
def browsing() -> Iterator[Browser]:
    browser = Browser(model.Browser())
    yield browser
    browser.close()


@pytest.fixture
def browser(need: Callable[[str], str], browsing: Browser) -> Browser:
    need("chromium")
    return browsing


def steps(*words: str) -> str:
    return 'title = "t"\n[[step]]\nopen = "/"\n' + "".join(f"[[step]]\n{word}\n" for word in words)


ASK = ('fill = "Your message"\ntext = "hello there"', 'click = "Send"')


def made(site: Site, browser: Browser, text: str, **setting: object) -> tuple[Trip, Assessment]:
    journey = parse(text, name="try", shown="try.toml")
    return make(journey, site.target(), Setting(run_id="r1", **setting), browser)  # type: ignore[arg-type]


def test_a_journey_that_holds(site: Site, browser: Browser) -> None:
    text = steps(
        *ASK,
        'grows = "Conversation"',
        'see = "You said hello there"',
        'focused = "Your message"',
        'not_see = "Sorry"',
    )
    trip, assessment = made(site, browser, text, bearer="t0ken")
    assert assessment.outcome is Outcome.PASS, assessment.message
    assert assessment.message.startswith("7 steps held, the slowest in ")
    assert [done.held for done in trip.steps] == [True] * 7
    first = site.seen[0]
    assert first["x-seatrial-run"] == "r1"
    assert first["authorization"] == "Bearer t0ken"
    assert "Mozilla" in first["user-agent"]
    assert "seatrial/" in first["user-agent"]


def test_a_step_that_fails_leaves_the_page_as_it_was(site: Site, browser: Browser, tmp_path: Path) -> None:
    shot = tmp_path / "deep" / "page.png"
    text = steps(*ASK, 'see = "Something else"\nwithin = "300ms"', 'see = "never looked at"')
    trip, assessment = made(site, browser, text, screenshot=shot)
    assert assessment.outcome is Outcome.FAIL
    assert assessment.message == (
        'step 4 of 5, see "Something else", failed: expected it within 300 ms, seen a page without it'
    )
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert str(shot) in assessment.remedy
    assert "1 more step not made" in str(trip)
    assert "You said" in trip.text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("<script>nothing.there()</script>", "script: nothing is not defined"),
        ("<script>console.error('too bad')</script>", "console: too bad"),
        ("<script src='/gone.js'></script>", "console: Failed to load resource: the server responded with"),
        (
            "<img src='http://elsewhere.example/x.png'>",
            "a request to another place was held back: GET http://elsewhere",
        ),
    ],
)
def test_what_the_page_complains_of_fails_it(site: Site, browser: Browser, more: str, words: str) -> None:
    site.more = more
    trip, assessment = made(site, browser, steps('see = "Shop"'))
    assert assessment.outcome is Outcome.FAIL
    assert any(complaint.startswith(words) for complaint in trip.complaints), trip.complaints
    lenient = 'console = "any"\n' + steps('see = "Shop"')
    assert made(site, browser, lenient)[1].outcome is Outcome.PASS


def test_a_secret_goes_nowhere_else(site: Site, browser: Browser) -> None:
    other = Site()
    try:
        site.more = f"<img src='{other.url}/x.png'>"
        made(site, browser, steps('see = "Shop"'), bearer="t0ken")
        assert other.seen == []
    finally:
        other.server.shutdown()
        other.server.server_close()


def test_a_page_that_answers_an_error(site: Site, browser: Browser) -> None:
    site.status = 503
    _, assessment = made(site, browser, steps('see = "Shop"'))
    assert assessment.outcome is Outcome.FAIL
    assert "expected a page, seen HTTP 503" in assessment.message


def test_a_service_that_is_down_fails_and_a_name_that_does_not_resolve_is_an_error(browser: Browser) -> None:
    journey = parse(steps('see = "Shop"'), name="try", shown="try.toml")
    for url, outcome, words in (
        ("http://127.0.0.1:9", Outcome.FAIL, "net::ERR_"),
        ("http://no-such-host.invalid", Outcome.ERROR, "could not be looked at"),
    ):
        service = Service.model_validate({"url": {"stable": url}, "page": "/"})
        target = ServiceTarget(name="web", track="stable", role=Role.SUBJECT, base_url=url, service=service)
        _, assessment = make(journey, target, Setting(run_id="r1"), browser)
        assert assessment.outcome is outcome, assessment.message
        assert words in assessment.message


def test_a_text_that_the_environment_does_not_have(site: Site, browser: Browser) -> None:
    text = steps('see = "${env.shop}"')
    _, assessment = made(site, browser, text)
    assert assessment.outcome is Outcome.ERROR
    assert "${env.shop}" in assessment.message
    assert made(site, browser, text, variables={"shop": "Shop"})[1].outcome is Outcome.PASS


def test_a_browser_that_was_killed_is_an_error_and_the_next_journey_has_another(site: Site, browser: Browser) -> None:
    assert made(site, browser, steps('see = "Shop"'))[1].outcome is Outcome.PASS
    os.kill(_chromium_below(os.getpid()), signal.SIGKILL)
    # That it died is noticed at the latest when it is used.
    first, second = (made(site, browser, steps('see = "Shop"'))[1].outcome for _ in range(2))
    assert first in (Outcome.ERROR, Outcome.PASS)
    assert second is Outcome.PASS


def _chromium_below(parent: int) -> int:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    below = {parent}
    for _ in range(6):
        below |= {int(pid) for pid, above, *_ in rows if int(above) in below}
    return next(
        int(pid)
        for pid, _, command in (row for row in rows if len(row) == 3)
        if int(pid) in below and "--type=" not in command and "chrom" in command.split()[0]
    )


class TestNoBrowser:
    def test_none_on_the_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(NoBrowser, match=r"none of chromium, .* is on the PATH"):
            find(model.Browser())

    def test_none_where_it_should_be(self) -> None:
        with pytest.raises(NoBrowser, match="there is no browser at /nowhere/chrome"):
            find(model.Browser(executable="/nowhere/chrome"))

    def test_one_that_does_not_start_is_an_error(self, site: Site, tmp_path: Path) -> None:
        broken = tmp_path / "chromium"
        broken.write_text("#!/bin/sh\nexit 3\n")
        broken.chmod(0o755)
        # In a thread of its own: Playwright runs once in each.
        with ThreadPoolExecutor(1) as thread:
            browser = Browser(model.Browser(executable=str(broken)))
            _, assessment = thread.submit(made, site, browser, steps('see = "Shop"')).result()
            thread.submit(browser.close).result()
        assert assessment.outcome is Outcome.ERROR
        assert f"{broken} did not start" in assessment.message
