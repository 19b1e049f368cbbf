"""HTML put together from words: what is no markup of ours is text, wherever it comes from."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from seatrial.report.text import plain

LONGEST: Final = 2_000
"""Characters of one text; a report says no more in one place."""
_VOID: Final = frozenset({"meta", "link", "br", "line", "rect", "circle", "path"})


class Html(str):
    """Markup that is safe as it stands. Only this module and constants of ours make it."""

    __slots__ = ()


SPACE: Final = Html(" ")
"""Between two elements of a line; the space around a text is taken off."""

Child = str | None
"""Html is taken as it is, other text is escaped, None is left out."""
Value = str | int | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Value) -> Html:
    """An element. A trailing underscore of an attribute's name is dropped, inner ones become dashes."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID and not children:
        return Html(f"<{name}{written}>" if name in {"meta", "link", "br"} else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Html:
    """Children one after the other."""
    return Html("".join(_safe(child) for child in children if child is not None))


def table(caption: str, header: Iterable[str], rows: Iterable[Iterable[Child]], *, class_: str | None = None) -> Html:
    """A table whose first column names the row. It scrolls by itself where a screen is too narrow for it."""
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in header)))
    body = []
    for row in rows:
        first, *others = row
        body.append(tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in others)))
    content = tag("table", tag("caption", caption), head, tag("tbody", *body), class_=class_)
    # A region that scrolls must be reachable by keyboard, and have a name.
    return tag("div", content, class_="scroll", tabindex="0", role="region", aria_label=caption)


def facts(pairs: Iterable[tuple[str, Child]], *, class_: str = "facts") -> Html:
    """Names and values; those without a value are left out."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value), class_=class_)


def _safe(child: str) -> str:
    return child if isinstance(child, Html) else html.escape(plain(child, LONGEST))


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    text = value if isinstance(value, Html) else _safe(str(value))
    return f" {key}" if value is True else f' {key}="{text}"'
