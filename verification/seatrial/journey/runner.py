"""Makes a journey in a browser and says how it went."""

from __future__ import annotations

import importlib.resources
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from seatrial.conversation.expectation import duration
from seatrial.conversation.placeholders import Values, fill
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.assessment import Assessment, Finding
from seatrial.evidence.outcome import Outcome
from seatrial.http.marks import identity_headers
from seatrial.journey.browser import Browser, NoBrowser
from seatrial.journey.script import ACTIONS, SIZES, Journey, Step

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route

_GROWTH: Final = "([name, times]) => (window.__seatrialGrowth?.[name] ?? []).length >= times"
_FOCUSED: Final = "field => field === document.activeElement"
_OURS: Final = ("ERR_NAME_NOT_RESOLVED", "ERR_CERT_", "ERR_INTERNET_DISCONNECTED", "ERR_PROXY_", "ERR_ADDRESS_UN")
"""Errors of Chromium's net stack that say that we could not look."""
_MOST: Final = 20


class Unmet(Exception):
    """A step did not hold: what was expected, what was seen instead."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}, seen {seen}")
        self.expected = expected
        self.seen = seen


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a journey is made with. ``screenshot`` is where the page is kept as it looked when a step failed."""

    run_id: str
    bearer: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    screenshot: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """A step that was made; ``seconds`` is how long it took."""

    step: str
    seconds: float
    held: bool


@dataclass(kw_only=True)
class Trip:
    """A journey as it went."""

    journey: str
    title: str
    service: str
    track: str
    url: str
    steps: list[Done] = field(default_factory=list)
    planned: int = 0
    complaints: list[str] = field(default_factory=list)
    """What the page itself complained of: errors on its console, and requests that failed or went elsewhere."""
    text: str = ""
    """What the page showed in the end."""
    screenshot: Path | None = None

    def __str__(self) -> str:
        lines = [f"journey {self.journey} with {self.service} {self.track} ({self.url})"]
        for number, done in enumerate(self.steps, 1):
            lines.append(f"{number:>3} {'ok    ' if done.held else 'FAILED'} {done.step}  ({duration(done.seconds)})")
        left = self.planned - len(self.steps)
        if left:
            lines.append(f"    {left} more step{'' if left == 1 else 's'} not made")
        lines += [f"    the page: {complaint}" for complaint in self.complaints]
        if self.text:
            lines.append("    it showed:")
            lines += [f"      {line}" for line in self.text.splitlines()[:_MOST]]
        if self.screenshot is not None:
            lines.append(f"    screenshot: {self.screenshot}")
        return "\n".join(lines)


def make(journey: Journey, target: ServiceTarget, setting: Setting, browser: Browser) -> tuple[Trip, Assessment]:
    """Make the journey in a window of its own. Never raises for what page, network or browser do."""
    base = target.base_url.rstrip("/") + (target.service.page or "/").rstrip("/")
    trip = Trip(
        journey=journey.id,
        title=journey.title,
        service=target.name,
        track=target.track,
        url=base + "/",
        planned=len(journey.steps),
    )
    try:
        running = browser.running()
    except NoBrowser as error:
        return trip, Assessment.error(f"no browser: {error}", remedy=error.remedy)
    from playwright.sync_api import Error

    width, height = SIZES[journey.screen]
    try:
        context = running.new_context(
            viewport={"width": width, "height": height},
            is_mobile=journey.screen == "phone",
            user_agent=f"{browser.user_agent} {identity_headers(setting.run_id)['User-Agent']}",
        )
        try:
            return trip, _travel(journey, target, setting, trip, context, base)
        finally:
            context.close()
    except Error as error:
        return trip, Assessment.error(f"the browser broke down: {_line(error)}", remedy="run it again")


def _travel(
    journey: Journey, target: ServiceTarget, setting: Setting, trip: Trip, context: BrowserContext, base: str
) -> Assessment:
    from playwright.sync_api import Error

    page = context.new_page()
    page.add_init_script(importlib.resources.files("seatrial.journey").joinpath("growth.js").read_text("utf-8"))
    context.route("**/*", lambda route: _let(route, base, identity_headers(setting.run_id, setting.bearer), trip))
    _listen(page, trip)
    values = Values({"run.id": setting.run_id, "session.id": f"seatrial-{setting.run_id}-{journey.id}"})
    values |= {f"env.{name}": text for name, text in setting.variables.items()}
    for number, step in enumerate(journey.steps, 1):
        begun = time.perf_counter()
        try:
            _take(page, step, base, values)
        except KeyError as error:
            message = (
                f"expected a value for ${{{error.args[0]}}} in the table [variables] of the environment, seen none"
            )
            return Assessment.error(message, remedy="add it there")
        except (Unmet, Error) as error:
            trip.steps.append(Done(step=str(step), seconds=time.perf_counter() - begun, held=False))
            return _failed(page, trip, number, step, error, setting)
        trip.steps.append(Done(step=str(step), seconds=time.perf_counter() - begun, held=True))
    if trip.complaints and journey.console == "clean":
        _keep(page, trip, setting)
        return Assessment(
            outcome=Outcome.FAIL,
            message=f"every step held, and the page complained: {trip.complaints[0]}",
            seen=f"{len(trip.complaints)} complaints" if len(trip.complaints) > 1 else trip.complaints[0],
            limit="none",
            n=len(trip.steps),
            remedy="see the console of the browser on that page",
            findings=tuple(
                Finding(where=f"{target.name} {target.track}", path="console", expected="nothing", seen=complaint)
                for complaint in trip.complaints
            ),
        )
    slowest = max(done.seconds for done in trip.steps)
    words = f"{len(trip.steps)} steps held, the slowest in {duration(slowest)}"
    return Assessment.passed(words, seen="every step held", limit="every step holds", n=len(trip.steps))


def _let(route: Route, base: str, headers: Mapping[str, str], trip: Trip) -> None:
    """Let the page's requests to its own service go, marked as ours; nothing of ours goes anywhere else."""
    request = route.request
    if urlsplit(request.url)[:2] != urlsplit(base)[:2] and urlsplit(request.url).scheme not in ("data", "blob"):
        trip.complaints.append(f"a request to another place was held back: {request.method} {_short(request.url)}")
        route.abort()
        return
    # The browser's own user agent, which names us too, is kept.
    marks = {name: value for name, value in headers.items() if name != "User-Agent"}
    route.continue_(headers={**request.headers, **marks})


def _listen(page: Page, trip: Trip) -> None:
    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            trip.complaints.append(f"console: {_short(message.text)}")

    def failed(request: Request) -> None:
        if request.failure not in (None, "net::ERR_ABORTED", "net::ERR_FAILED"):
            trip.complaints.append(f"{request.method} {_short(request.url)} failed: {request.failure}")

    page.on("console", console)
    page.on("pageerror", lambda error: trip.complaints.append(f"script: {_short(str(error))}"))
    page.on("requestfailed", failed)


def _take(page: Page, step: Step, base: str, values: Values) -> None:
    """One step. Raises Unmet, KeyError for a text that is not known, or Playwright's Error."""
    from playwright.sync_api import TimeoutError as TooLate

    within = step.within * 1000
    kind = step.kind
    if kind in ACTIONS:
        page.evaluate("for (const name in window.__seatrialGrowth ?? {}) delete window.__seatrialGrowth[name]")
    try:
        if step.open is not None:
            answer = page.goto(base + step.open, timeout=within)
            if answer is not None and not answer.ok:
                raise Unmet("a page", f"HTTP {answer.status} {answer.status_text}".rstrip())
        elif step.fill is not None:
            page.get_by_label(step.fill, exact=True).fill(fill(step.text or "", values), timeout=within)
        elif step.click is not None:
            named = page.get_by_role("button", name=step.click, exact=True)
            named.or_(page.get_by_role("link", name=step.click, exact=True)).click(timeout=within)
        elif step.press is not None:
            page.keyboard.press(step.press)
        elif step.see is not None:
            page.get_by_text(fill(step.see, values)).last.wait_for(state="visible", timeout=within)
        elif step.not_see is not None:
            count = page.get_by_text(fill(step.not_see, values)).locator("visible=true").count()
            if count:
                raise Unmet("it nowhere", f"it {count} times")
        elif step.focused is not None:
            found = page.get_by_label(step.focused, exact=True).element_handle(timeout=within)
            page.wait_for_function(_FOCUSED, arg=found, timeout=within)
        elif step.grows is not None:
            page.wait_for_function(_GROWTH, arg=[step.grows, step.times], timeout=within)
    except TooLate:
        raise Unmet(f"it within {duration(step.within)}", _instead(page, step)) from None


def _instead(page: Page, step: Step) -> str:
    if step.grows is not None:
        times = page.evaluate("name => (window.__seatrialGrowth?.[name] ?? []).length", step.grows)
        return f"that it grew {times} time{'' if times == 1 else 's'}"
    if step.focused is not None:
        return f"the focus on {page.evaluate('document.activeElement?.tagName.toLowerCase() ?? null')}"
    if step.click is not None and page.get_by_role("button", name=step.click, exact=True).count():
        return "it, but it cannot be clicked"
    return "a page without it" if step.kind in ("see", "fill", "click") else "nothing"


def _failed(page: Page, trip: Trip, number: int, step: Step, error: Exception, setting: Setting) -> Assessment:
    _keep(page, trip, setting)
    if isinstance(error, Unmet):
        expected, seen, ours = error.expected, error.seen, False
    else:
        expected, seen = "it to be possible", _line(error)
        ours = any(word in seen for word in _OURS) or "has been closed" in seen
    place = f"step {number} of {trip.planned}"
    told = f"{place}, {step}, {'could not be looked at' if ours else 'failed'}: expected {expected}, seen {seen}"
    if trip.complaints:
        told += f"; the page: {trip.complaints[0]}"
    where = f"{trip.service} {trip.track} {place}"
    return Assessment(
        outcome=Outcome.ERROR if ours else Outcome.FAIL,
        message=told,
        seen=seen,
        limit=expected,
        n=len(trip.steps),
        remedy=f"look at the page as it was: {trip.screenshot}" if trip.screenshot else f"open {trip.url} in a browser",
        findings=(Finding(where=where, path=step.kind, expected=expected, seen=seen),),
    )


def _keep(page: Page, trip: Trip, setting: Setting) -> None:
    """The page as it is now, for people; whatever of it can be had."""
    from playwright.sync_api import Error

    try:
        trip.text = page.locator("body").inner_text(timeout=1000).strip()
        if setting.screenshot is not None:
            setting.screenshot.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=setting.screenshot, full_page=True, timeout=5000)
            trip.screenshot = setting.screenshot
    except (Error, OSError):
        return


def _line(error: Exception) -> str:
    first = str(error).strip().splitlines()[0]
    return _short(first.removeprefix("Page.").partition(": ")[2] or first)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:197]}..."
