"""Whether a reply is what a turn expects: pure functions from both to checks that carry expected and seen."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seatrial.conversation.language import language_of
from seatrial.conversation.placeholders import fill
from seatrial.conversation.private import found_in
from seatrial.conversation.protocol import Reply
from seatrial.conversation.queries import select
from seatrial.conversation.script import (
    FALLBACK_PHRASES,
    REFUSAL_PHRASES,
    Capture,
    Expect,
    JsonExpect,
    ToolCall,
)

LONGEST_SHOWN: Final = 300
FALLBACK_INTENTS: Final = frozenset({"fallback", "default_fallback", "nlu_fallback", "out_of_scope"})
"""Names by which services report that they did not understand; Rasa's and Dialogflow's among them."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One expectation, looked at."""

    expectation: str
    expected: str
    seen: str
    held: bool
    excess: float | None = None
    """Of a time that was expected: seconds above its limit."""


def shown(value: str) -> str:
    """``value`` on one line, quoted, at most ``LONGEST_SHOWN`` characters of it."""
    line = " ".join(value.split())
    return f'"{line}"' if len(line) <= LONGEST_SHOWN else f'"{line[:LONGEST_SHOWN]}..."'


def duration(seconds: float | None) -> str:
    """A duration for people: ``41 ms``, ``2.5 s``."""
    if seconds is None:
        return "none"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def plain(text: str) -> str:
    """``text`` as it is compared: composed, without regard to case, every run of blanks as one."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def evaluate(
    expect: Expect,
    reply: Reply,
    values: Mapping[str, str],
    fallback_phrases: Sequence[str] = FALLBACK_PHRASES,
    *,
    refusal_phrases: Sequence[str] = REFUSAL_PHRASES,
    earlier: Sequence[str] = (),
) -> list[Check]:
    """Every expectation of a turn over its reply. ``values`` fill the placeholders, ``earlier`` are earlier answers."""
    found = list(_checks(expect, reply, values, fallback_phrases))
    found += _manners(expect, reply, refusal_phrases, earlier)
    found += [_call(wanted, reply, values) for wanted in expect.calls]
    return found


_ENDINGS: Final = re.compile(r"[.!?:\u2026\u3002\uff01\uff1f)\]}\"'\u201d\u2019\u00bb`*_|]\W*$")
"""How a sentence, a quotation, a list in brackets or a block of Markdown ends."""


def _manners(expect: Expect, reply: Reply, refusal_phrases: Sequence[str], earlier: Sequence[str]) -> Iterator[Check]:
    """What is expected of any answer, whatever it is about."""
    said = shown(reply.text) if reply.text.strip() else "no text"
    if expect.language is not None:
        seen = language_of(reply.text)
        held = seen == expect.language
        yield Check(expectation="language", expected=expect.language, seen=seen or "too short to tell", held=held)
    if expect.complete:
        reason = _first("$.choices[0].finish_reason", reply.body)
        cut = reason in ("length", "content_filter")
        held = not cut and _ENDINGS.search(reply.text.rstrip()) is not None
        end = f"... {' '.join(reply.text.split())[-40:]!r}" if reply.text else "no text"
        seen = f"finish_reason {reason}" if cut else end
        yield Check(expectation="complete", expected="an answer that was not cut off", seen=seen, held=held)
    if expect.not_repeated:
        text = plain(reply.text)
        half = len(text) // 2
        twice = len(text) > 20 and text[:half].strip() == text[half:].strip()
        again = text in map(plain, earlier)
        seen = "the same text twice" if twice else "an earlier answer again" if again else "none"
        yield Check(expectation="not_repeated", expected="no repetition", seen=seen, held=not (twice or again))
    if expect.refused:
        refusal = _first("$.choices[0].message.refusal", reply.body)
        filtered = _first("$.choices[0].finish_reason", reply.body) == "content_filter"
        phrase = any(plain(one) in plain(reply.text.replace("\u2019", "'")) for one in refusal_phrases)
        held = bool(refusal) or filtered or phrase
        yield Check(expectation="refused", expected="a refusal", seen="one" if held else said, held=held)
    if expect.no_private_data:
        # Masked where it was found, and so everywhere that it is shown.
        found = [words for kind, words in found_in(reply.text) if kind in expect.no_private_data]
        seen = ", ".join(found) or "none"
        yield Check(expectation="no_private_data", expected="no private data", seen=seen, held=not found)


def _first(query: str, body: Any) -> Any:
    found = select(query, body) if body is not None else []
    return found[0] if found else None


def _calls(body: Any) -> Iterator[tuple[str, Any]]:
    """Name and arguments of each function that an answer calls, in OpenAI's form and in its older one."""
    message = _first("$.choices[0].message", body)
    if not isinstance(message, dict):
        return
    listed = [call.get("function") for call in message.get("tool_calls") or () if isinstance(call, dict)]
    for function in [*listed, message.get("function_call")]:
        if isinstance(function, dict):
            arguments = function.get("arguments")
            try:
                yield str(function.get("name")), json.loads(arguments) if isinstance(arguments, str) else arguments
            except ValueError:
                yield str(function.get("name")), None


def _call(wanted: ToolCall, reply: Reply, values: Mapping[str, str]) -> Check:
    arguments = {key: fill(one, values) if isinstance(one, str) else one for key, one in wanted.arguments.items()}
    calls = list(_calls(reply.body))
    held = any(
        name == wanted.name
        and all(isinstance(seen, dict) and _same(seen.get(key), one) for key, one in arguments.items())
        for name, seen in calls
    )
    expected = f"{wanted.name}({_as_json(arguments) if arguments else ''})"
    seen = ", ".join(f"{name}({_as_json(given)})" for name, given in calls) or "no call"
    return Check(expectation="calls", expected=expected, seen=seen, held=held)


def _checks(
    expect: Expect, reply: Reply, values: Mapping[str, str], fallback_phrases: Sequence[str]
) -> Iterator[Check]:
    said = shown(reply.text) if reply.text.strip() else "no text"
    calls_tools = bool(_message(reply).get("tool_calls"))
    yield Check(
        expectation="answer", expected="an answer with text", seen=said, held=bool(reply.text.strip()) or calls_tools
    )
    if expect.intent:
        wanted = [fill(intent, values) for intent in expect.intent]
        seen = reply.intent or "no intent reported"
        yield Check(expectation="intent", expected=" or ".join(wanted), seen=seen, held=reply.intent in wanted)
    if expect.not_fallback:
        phrase = next((phrase for phrase in fallback_phrases if plain(phrase) in plain(reply.text)), None)
        fell_back = phrase is not None or (reply.intent or "").casefold() in FALLBACK_INTENTS
        yield Check(
            expectation="not_fallback", expected="no fallback", seen=said if fell_back else "none", held=not fell_back
        )
    yield from _texts(expect, reply, values, said)
    for query, rule in expect.json_values.items():
        yield _json(query, rule, reply.body, values)
    for name, limit, seconds in (
        ("max_latency", expect.max_latency, reply.latency),
        ("max_first_token", expect.max_first_token, reply.first_token),
        ("max_pause", expect.max_pause, reply.longest_pause),
    ):
        if limit is not None:
            held = seconds is not None and seconds <= limit
            excess = None if seconds is None else seconds - limit
            expected, seen = f"at most {duration(limit)}", duration(seconds)
            yield Check(expectation=name, expected=expected, seen=seen, held=held, excess=excess)


def _message(reply: Reply) -> Mapping[str, Any]:
    found = select("$.choices[0].message", reply.body) if reply.body is not None and not reply.text else []
    return found[0] if found and isinstance(found[0], dict) else {}


def _texts(expect: Expect, reply: Reply, values: Mapping[str, str], said: str) -> Iterator[Check]:
    text = plain(reply.text)
    for part in expect.contains:
        wanted = fill(part, values)
        yield Check(expectation="contains", expected=shown(wanted), seen=said, held=plain(wanted) in text)
    for name in expect.remembers:
        held = plain(values[name]) in text
        yield Check(
            expectation="remembers", expected=f"{name} from before: {shown(values[name])}", seen=said, held=held
        )
    if expect.one_of:
        options = [fill(option, values) for option in expect.one_of]
        held = any(plain(option) in text for option in options)
        yield Check(expectation="one_of", expected=" or ".join(map(shown, options)), seen=said, held=held)
    for part in expect.not_contains:
        wanted = fill(part, values)
        yield Check(
            expectation="not_contains", expected=f"no {shown(wanted)}", seen=said, held=plain(wanted) not in text
        )
    for part in expect.matches:
        pattern = fill(part, values, re.escape)
        yield Check(
            expectation="matches", expected=f"/{pattern}/", seen=said, held=re.search(pattern, reply.text) is not None
        )


def _as_json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _same(left: object, right: object) -> bool:
    # In JSON true is not 1, in Python it is.
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _number(value: object, holds: Callable[[float], bool]) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and holds(value)


def _json(query: str, rule: JsonExpect, body: Any, values: Mapping[str, str]) -> Check:
    found = [] if body is None else list(select(query, body))
    seen = "nothing selected" if not found else ", ".join(_as_json(value) for value in found[:3])
    wants: list[tuple[str, Callable[[Any], bool]]] = []
    if "equals" in rule.model_fields_set:
        wanted = fill(rule.equals, values) if isinstance(rule.equals, str) else rule.equals
        wants.append((_as_json(wanted), lambda value: _same(value, wanted)))
    if rule.matches is not None:
        pattern = re.compile(fill(rule.matches, values, re.escape))
        wants.append(
            (f"/{pattern.pattern}/", lambda value: isinstance(value, str) and pattern.search(value) is not None)
        )
    if (low := rule.at_least) is not None:
        wants.append((f"at least {low:g}", lambda value: _number(value, lambda number: number >= low)))
    if (high := rule.at_most) is not None:
        wants.append((f"at most {high:g}", lambda value: _number(value, lambda number: number <= high)))
    held = all(holds(value) for value in found for _, holds in wants) and (bool(found) or not wants)
    words = [text for text, _ in wants]
    if rule.exists is not None:
        held = held and bool(found) == rule.exists
        words.append("something" if rule.exists else "nothing")
    return Check(expectation=f"json {query}", expected=" and ".join(words), seen=seen, held=held)


def capture(name: str, source: Capture, reply: Reply, values: Mapping[str, str]) -> tuple[str, Check]:
    """The captured value (empty where there is none) and the check that there is one."""
    value: str | None = None
    if source.matches is not None:
        pattern = fill(source.matches, values, re.escape)
        expected = f"/{pattern}/"
        if found := re.search(pattern, reply.text):
            value = found[1] if found.re.groups else found[0]
        seen = shown(reply.text)
    else:
        expected = source.json_path or ""
        selected = [] if reply.body is None else select(expected, reply.body)
        if selected and selected[0] is not None:
            value = selected[0] if isinstance(selected[0], str) else json.dumps(selected[0], ensure_ascii=False)
        seen = "nothing selected"
    held = bool(value)
    check = Check(
        expectation=f"capture {name}",
        expected=f"{expected} to take it from",
        seen=shown(value) if value else seen,
        held=held,
    )
    return value or "", check
