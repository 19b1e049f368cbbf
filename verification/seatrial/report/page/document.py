"""The page from top to bottom: the verdict, why, the numbers, then everything that they rest on."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from seatrial import __version__
from seatrial.gate.decision import Verdict
from seatrial.report.page import findings, latency, looked, trace, why
from seatrial.report.page.markup import Child, Html, facts, joined, tag
from seatrial.report.page.material import Material
from seatrial.report.page.words import utc
from seatrial.report.terminal import MEANING, shadow

_SIGNS: Final = {
    Verdict.PROMOTE: "M5 13l5 5L20 6",
    Verdict.HOLD: "M8 5v14M16 5v14",
    Verdict.ROLLBACK: "M9 6l-5 5 5 5M4 11h10a5 5 0 0 1 0 10h-3",
}
"""A tick, a pause, an arrow back: strokes in a square of 24."""

_SECTIONS: Final = (
    ("why", "Why", why.why),
    ("next", "What to do next", why.what_next),
    ("noted", "Also noted", why.noted),
    ("looked", "What was looked at", looked.looked),
    ("latency", "Latency", latency.latency),
    ("measured", "Rates and other measurements", latency.measurements),
    ("findings", "Configuration findings", findings.findings),
    ("timeline", "Timeline", trace.timeline),
    ("evidence", "Evidence", trace.evidence),
)


def render(material: Material) -> str:
    """The page, with a trailing newline. The same material gives the same bytes."""
    sections = [(name, title, content) for name, title, make in _SECTIONS if (content := make(material)) is not None]
    body = tag(
        "body",
        tag("a", "Skip to why", href="#why", class_="skip"),
        _banner(material),
        tag("nav", *(tag("a", title, href=f"#{name}") for name, title, _ in sections), aria_label="On this page"),
        tag("main", *(_section(*section) for section in sections)),
        tag("footer", tag("p", f"Written by seatrial {__version__} from the reports alone. No script, no network.")),
        class_=material.decision.verdict.value,
    )
    return f"<!doctype html>\n{tag('html', _head(material), body, lang='en')}\n"


def _head(material: Material) -> Html:
    decision = material.decision
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    # The style is the only thing that may be used, and only as it stands here.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    title = f"{decision.verdict.value.upper()} {decision.release_wanted} in {decision.environment}"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=allowed),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="robots", content="noindex"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    )


def _banner(material: Material) -> Html:
    decision = material.decision
    verdict = decision.verdict
    sign = tag(
        "svg", tag("path", d=_SIGNS[verdict]), viewBox="0 0 24 24", class_="sign", aria_hidden="true", focusable="false"
    )
    about: list[tuple[str, Child]] = [
        ("release", decision.release_wanted or "not known"),
        ("seen running", decision.release_seen or "not seen"),
        ("environment", decision.environment or "not known"),
        ("track", decision.track),
        ("phase", decision.phase),
        ("decided", utc(material.question.now)),
    ]
    meaning = MEANING[verdict]
    return tag(
        "header",
        tag("p", "seatrial decision", class_="kind"),
        tag("h1", sign, tag("span", verdict.value.capitalize())),
        tag("p", f"{meaning[0].upper()}{meaning[1:]}.", class_="meaning"),
        tag("p", shadow(decision), class_="shadow") if material.shadow else None,
        facts(about),
    )


def _section(name: str, title: str, content: Html) -> Html:
    heading = tag("h2", title, id=name, tabindex="-1")
    return tag("section", joined([heading, content]), aria_labelledby=name)
