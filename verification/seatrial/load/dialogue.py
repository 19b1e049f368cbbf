"""What is said to the service: single prompts, and conversations of several turns that keep their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seatrial.conversation.loading import BrokenScript, load
from seatrial.conversation.placeholders import fill, names_in
from seatrial.conversation.script import Script, rows_of

PLAIN: Final = "default"
"""Class of prompts that are given without one."""


class DialogueError(Exception):
    """Conversations cannot serve as load; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """What one user says, turn by turn; ``prompt_class`` is what its requests are counted under."""

    prompt_class: str
    turns: tuple[str, ...]


def as_dialogues(value: object) -> tuple[Dialogue, ...]:
    """What is said according to a profile: a list of prompts, or a table of such lists by class.

    A prompt is a text, or a list of texts: the turns of a conversation. Raises ValueError.
    """
    if isinstance(value, tuple) and all(isinstance(one, Dialogue) for one in value):
        return value
    classes = value if isinstance(value, dict) else {PLAIN: value}
    if not classes:
        raise ValueError("expected a class with its prompts, seen an empty table")
    dialogues = []
    for name, prompts in classes.items():
        where = "" if classes is not value else f" under {name!r}"
        if not isinstance(prompts, list | tuple) or not prompts:
            raise ValueError(f"expected a list of texts, at least one{where}; seen {prompts!r}")
        for said in prompts:
            turns = (said,) if isinstance(said, str) else tuple(said) if isinstance(said, list | tuple) else ()
            if not turns or not all(isinstance(turn, str) and turn for turn in turns):
                raise ValueError(f"expected a text, or a list of texts that are asked in turn{where}; seen {said!r}")
            dialogues.append(Dialogue(prompt_class=name, turns=turns))
    return tuple(dialogues)


def read_conversations(folder: Path, chosen: Sequence[str]) -> dict[str, list[list[str]]]:
    """User turns by id of conversation, of those in ``folder`` whose id or tag is among ``chosen``.

    A conversation with rows comes once for each. Expectations are left out: load measures time and failures. Raises
    DialogueError where nothing is chosen by a name, or what is chosen needs more than its turns: a value that is
    captured or known only to a run, requests beside it, or permission to write.
    """
    scripts: list[Script] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            scripts.append(load(path))
        except BrokenScript as broken:
            raise DialogueError(str(broken)) from None
    known = sorted({name for script in scripts for name in (script.id, *script.tags)})
    problems = [
        f"conversations: expected an id or tag of a conversation in {folder}, {', '.join(known) or '(none)'}; "
        f"seen {name!r}"
        for name in chosen
        if name not in known
    ]
    found: dict[str, list[list[str]]] = {}
    for script in scripts:
        if script.id not in chosen and not set(script.tags) & set(chosen):
            continue
        reason = next(_unfit(script), None)
        if reason is None:
            found[script.id] = [
                [fill(turn.say, {**script.values, **row}) for turn in script.turns] for _, row in rows_of(script)
            ]
        elif script.id in chosen:
            problems.append(f"conversations: {script.id} cannot serve as load: {reason}; choose another")
    if not problems and not found:
        problems.append(f"conversations: none of those tagged {', '.join(chosen)} can serve as load")
    if problems:
        raise DialogueError("\n".join(problems))
    return found


def _unfit(script: Script) -> Iterator[str]:
    if script.setup or script.cleanup:
        yield "it has requests before or after its turns"
    if script.writes:
        yield "it says writes = true"
    for _, row in rows_of(script):
        for number, turn in enumerate(script.turns, 1):
            for name in names_in(turn.say):
                if name not in script.values and name not in row:
                    yield f"turn {number} needs ${{{name}}}, which is known only while it is held"
