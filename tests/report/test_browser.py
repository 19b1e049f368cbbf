"""The page in a real Chromium: nothing runs over, nothing is asked of anybody, nothing is complained of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from report.test_histogram import encoded, written
from report.test_page import SAMPLES, rendered


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name in ("promote", "hold", "rollback", "hostile"):
        folder = SAMPLES[name].write(tmp_path_factory.mktemp(name))
        (folder / "samples" / "latency").mkdir(parents=True)
        tracks = {
            track: {
                metric: encoded([factor * (n % 90 + 10) for n in range(500)]) for metric in ("latency", "first-token")
            }
            for track, factor in (("stable", 1_000), ("candidate", 1_800))
        }
        written(folder / "samples" / "latency", tracks)
        document = json.loads((folder / "evidence.json").read_text())
        words = {"where": "Deployment " + "x" * 200, "path": "spec." * 40, "expected": "y" * 90, "seen": "z" * 90}
        document["outcomes"][0]["findings"] = [{"kind": "Deployment", "owner": "team-a", **words}]
        (folder / "evidence.json").write_text(json.dumps(document))
        rendered(folder)
        made[name] = folder / "decision.html"
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[[str], Browser]]:
    with sync_playwright() as playwright:
        started: list[Browser] = []

        def start(path: str) -> Browser:
            if not started:
                started.append(playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]))
            return started[0]

        yield start
        for browser in started:
            browser.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        *(("rollback", width, scheme) for width in (1280, 360) for scheme in ("light", "dark")),
        ("promote", 360, "light"),
        ("hold", 360, "dark"),
        ("hostile", 360, "light"),
    ],
)
def test_page(
    need: Callable[[str], str],
    chromium: Callable[[str], Browser],
    pages: dict[str, Path],
    tmp_path: Path,
    name: str,
    width: int,
    scheme: str,
) -> None:
    browser = chromium(need("chromium"))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        shown, said, asked = context.new_page(), [], []
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("request", lambda request: asked.append(request.url))
        address = pages[name].as_uri()
        shown.goto(address)
        # Also with everything open that can be opened.
        for summary in shown.locator("summary").all():
            summary.click()
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        assert said == []
        assert asked == [address]
        dark = shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
        assert dark is (scheme == "dark")
        assert shown.locator("h1").inner_text() == name.replace("hostile", "hold").capitalize()
        assert shown.locator("main figure").count() == 2
        assert shown.screenshot(full_page=True, path=tmp_path / "page.png")[:4] == b"\x89PNG"
    finally:
        context.close()


def test_print(need: Callable[[str], str], chromium: Callable[[str], Browser], pages: dict[str, Path]) -> None:
    context = chromium(need("chromium")).new_context(color_scheme="dark")
    try:
        shown = context.new_page()
        shown.goto(pages["rollback"].as_uri())
        shown.emulate_media(media="print", color_scheme="dark")
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert shown.locator("nav").is_hidden()
        assert shown.pdf()[:5] == b"%PDF-"
    finally:
        context.close()
