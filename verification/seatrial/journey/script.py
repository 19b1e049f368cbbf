"""A journey: what somebody does on a page, and what they must see. Read from TOML."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from seatrial.conversation.script import Described, Text
from seatrial.environment.section import Section
from seatrial.environment.units import Duration

ACTIONS: Final = ("open", "fill", "click", "press")
EXPECTATIONS: Final = ("see", "not_see", "focused", "grows")
SIZES: Final = {"desktop": (1280, 800), "phone": (390, 844)}
"""Width and height in CSS pixels."""


class Step(Section):
    """One thing that is done, or one that must hold. Things are found as people find them: by label, name and text."""

    open: Annotated[str, Field(pattern="^/")] | None = Field(
        default=None, description="path to open, seen from the service's `page`"
    )
    fill: Text | None = Field(default=None, description="label of the field that `text` is typed into")
    text: Text | None = Field(default=None, description="what is typed, with `fill`")
    click: Text | None = Field(default=None, description="name of the button or link that is clicked")
    press: Text | None = Field(default=None, description="key that is pressed, such as `Enter` or `Tab`")
    see: Text | None = Field(default=None, description="text that must come to be seen")
    not_see: Text | None = Field(default=None, description="text that must not be seen now")
    focused: Text | None = Field(default=None, description="label of the field that must come to have the focus")
    grows: Text | None = Field(
        default=None,
        description="name (`aria-label`) of the live region whose text must have grown since the last thing done",
    )
    times: int = Field(default=3, ge=1, le=1000, description="how often it must have grown, with `grows`")
    within: Annotated[Duration, Field(gt=0)] = Field(
        default=5.0, description="time in which it must be possible, or come to hold"
    )

    @property
    def kind(self) -> str:
        """The key that says what kind of step this is; empty where none or several do."""
        named = [key for key in (*ACTIONS, *EXPECTATIONS) if getattr(self, key) is not None]
        return named[0] if len(named) == 1 else ""

    def __str__(self) -> str:
        kind = self.kind
        value = getattr(self, kind)
        if kind == "fill":
            return f'fill "{value}" with "{self.text}"'
        if kind == "grows":
            return f'"{value}" grows {self.times} times'
        return f'{kind.replace("_", " ")} "{value}"'


class Journey(Described):
    """A journey through a page in a real browser."""

    screen: Literal["desktop", "phone"] = Field(
        default="desktop", description="size of the window: 1280 by 800, or a phone's 390 by 844"
    )
    console: Literal["clean", "any"] = Field(
        default="clean", description="whether errors of the page, and requests of its own that failed, fail the journey"
    )
    steps: tuple[Step, ...] = Field(alias="step", min_length=1, max_length=200, description="in their order")
