"""From a file to a journey, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seatrial.conversation.loading import nearest, parse_as, read
from seatrial.conversation.placeholders import BUILT_IN, is_open, names_in
from seatrial.environment import positions
from seatrial.journey.script import ACTIONS, EXPECTATIONS, Journey, Step

FOLDER: Final = "journeys"
"""Name of the folders in which every ``*.toml`` is a journey."""


def load(path: Path, *, shown: str | None = None) -> Journey:
    """The journey in ``path``; messages call the file ``shown``. Raises BrokenScript."""
    return parse(read(path, shown or str(path)), name=path.stem, shown=shown or str(path))


def parse(text: str, *, name: str, shown: str) -> Journey:
    """The journey in ``text``, whose id is ``name`` unless it says otherwise. Raises BrokenScript."""
    return parse_as(Journey, text, name=name, shown=shown, review=review, keys_at=_keys_at)


def review(journey: Journey) -> Iterator[tuple[positions.Path, str]]:
    """What the types cannot tell."""
    for index, step in enumerate(journey.steps):
        named = [key for key in (*ACTIONS, *EXPECTATIONS) if getattr(step, key) is not None]
        if len(named) != 1:
            seen = " and ".join(named) or "none of them"
            yield ("step", index), f"expected one of {', '.join((*ACTIONS, *EXPECTATIONS))}; seen {seen}"
        if (step.text is not None) != (step.fill is not None):
            yield ("step", index), "expected fill and text together: a label, and what is typed"
        if index == 0 and step.open is None:
            yield ("step", index), 'expected the first step to open a page, such as open = "/"'
        for key in ("text", "see", "not_see"):
            for used in names_in(getattr(step, key) or ""):
                if used not in BUILT_IN and not is_open(used):
                    yield ("step", index, key), f"nothing is called {used!r}{nearest(used, BUILT_IN)}"
    if not any(step.kind in EXPECTATIONS for step in journey.steps):
        yield ("step",), "expected at least one expectation; a journey that expects nothing always passes"


def _keys_at(path: positions.Path) -> list[str]:
    model = Step if path[:1] == ("step",) else Journey
    return [field.alias or name for name, field in model.model_fields.items()]
