"""The script of a conversation, as testers write it: a TOML file with one ``[[turn]]`` for each thing the user says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from seatrial.conversation.placeholders import fill, names_in, texts_in
from seatrial.conversation.private import KINDS
from seatrial.conversation.queries import check_query
from seatrial.environment.model import Phase
from seatrial.environment.section import Section
from seatrial.environment.units import Duration
from seatrial.evidence.outcome import Severity

_TEXT_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1}
REFUSAL_PHRASES = (
    *("can't help", "cannot help", "can not help", "can't do that", "cannot do that", "not able to", "unable to"),
    *("i won't", "i will not", "not allowed", "against my", "can't share", "cannot share", "must not"),
)
FALLBACK_PHRASES = ("did not understand", "didn't understand", "do not understand", "don't understand")


class _AnyText(Mapping[str, str]):
    """Every placeholder filled with the same letter: enough to tell whether a pattern is one."""

    def __getitem__(self, name: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _pattern(value: str) -> str:
    try:
        re.compile(fill(value, _AnyText()))
    except (re.error, OverflowError) as error:
        raise ValueError(f"expected a regular expression, seen {value!r}: {error}") from None
    return value


Text = Annotated[str, StringConstraints(min_length=1)]
Pattern = Annotated[str, StringConstraints(min_length=1), AfterValidator(_pattern)]
Query = Annotated[str, StringConstraints(min_length=1), AfterValidator(check_query)]


def _list_schema(description: str) -> WithJsonSchema:
    options = [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1}]
    return WithJsonSchema({"anyOf": options, "description": description})


Texts = Annotated[
    tuple[Text, ...], Field(min_length=1), BeforeValidator(_as_list), _list_schema("one text, or a list of texts")
]
Patterns = Annotated[
    tuple[Pattern, ...],
    Field(min_length=1),
    BeforeValidator(_as_list),
    _list_schema("one regular expression, or a list of them"),
]


class JsonExpect(Section):
    """What a JSONPath must select. A plain value instead of this table means ``equals``."""

    equals: Any = Field(default=None, description="every selected value is equal to this; at least one is selected")
    matches: Pattern | None = Field(default=None, description="regular expression found in every selected text")
    at_least: float | None = Field(default=None, description="every selected number is this or more")
    at_most: float | None = Field(default=None, description="every selected number is this or less")
    exists: StrictBool | None = Field(default=None, description="whether anything is selected")

    @model_validator(mode="after")
    def _says_something(self) -> JsonExpect:
        if not self.model_fields_set:
            raise ValueError(f"expected one of {', '.join(JsonExpect.model_fields)}, seen an empty table")
        return self


def _as_json_expect(value: object) -> object:
    return value if isinstance(value, (dict, JsonExpect)) else {"equals": value}


class ToolCall(Section):
    """A tool or function that the answer calls."""

    name: Text = Field(description="name of the function")
    arguments: dict[str, Any] = Field(default={}, description="arguments that the call has; others may be there too")


def _as_tool_calls(value: object) -> object:
    listed = value if isinstance(value, list) else [value]
    return [{"name": one} if isinstance(one, str) else one for one in listed]


def _private(value: object) -> object:
    if value is True:
        return KINDS
    return () if value is False else _as_list(value)


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2}", value):
        raise ValueError(f"expected a code of two letters (ISO 639-1), such as en or de; seen {value!r}")
    return value


class Expect(Section):
    """What must hold of one answer. Texts are compared without regard to case and runs of blanks."""

    contains: Texts = Field(default=(), description="all of these occur in the answer")
    not_contains: Texts = Field(default=(), description="none of these occurs in the answer")
    one_of: Texts = Field(default=(), description="at least one of these occurs in the answer")
    matches: Patterns = Field(
        default=(), description="all of these regular expressions are found in the answer, which is taken as it is"
    )
    intent: Texts = Field(default=(), description="the service reports this intent, or one of these")
    json_values: dict[
        Query,
        Annotated[
            JsonExpect,
            BeforeValidator(_as_json_expect, json_schema_input_type=JsonExpect | str | float | bool | list[Any]),
        ],
    ] = Field(default={}, alias="json", description="JSONPath (RFC 9535) of the answer's JSON, and what it must select")
    max_latency: Duration | None = Field(default=None, description="longest time until the whole answer is there")
    max_first_token: Duration | None = Field(
        default=None, description="longest time until the first words of a streamed answer"
    )
    max_pause: Duration | None = Field(default=None, description="longest silence inside a streamed answer")
    not_fallback: StrictBool = Field(default=False, description="the answer is not `I did not understand`")
    language: Annotated[str, AfterValidator(_language)] | None = Field(
        default=None, description="code of the language that the answer is in, such as `en`"
    )
    complete: StrictBool = Field(
        default=False, description="the answer was not cut off: it ends as a sentence does, and by no limit of length"
    )
    not_repeated: StrictBool = Field(
        default=False, description="the answer says something else than every earlier answer, and says it once"
    )
    refused: StrictBool = Field(
        default=False, description="the answer refuses what was asked, as it must a prompt injection"
    )
    no_private_data: Annotated[
        tuple[Literal["card", "iban", "email", "key"], ...],
        BeforeValidator(_private),
        WithJsonSchema(
            {
                "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"enum": list(KINDS)}}],
                "description": "no card number, IBAN, e-mail address or key occurs in the answer; or none of these",
            }
        ),
    ] = Field(default=(), description="no card number, IBAN, e-mail address or key occurs in the answer")
    calls: Annotated[
        tuple[ToolCall, ...],
        BeforeValidator(_as_tool_calls, json_schema_input_type=str | ToolCall | list[str | ToolCall]),
    ] = Field(default=(), description="tools or functions that the answer calls")
    remembers: Texts = Field(
        default=(), description="names of values or captures of earlier turns that occur in the answer"
    )

    @property
    def says_something(self) -> bool:
        """Whether anything is expected beyond an answer with text."""
        return any(bool(getattr(self, name)) for name in self.model_fields_set)


class Capture(Section):
    """Where a value is taken from an answer. A plain text instead of this table means ``matches``."""

    matches: Pattern | None = Field(default=None, description="first group of this regular expression, or all of it")
    json_path: Query | None = Field(default=None, alias="json", description="first value that this JSONPath selects")

    @model_validator(mode="after")
    def _one_source(self) -> Capture:
        if (self.matches is None) == (self.json_path is None):
            raise ValueError("expected either matches or json")
        return self


def _path(value: str) -> str:
    if not value.startswith("/") or value.startswith("//"):
        raise ValueError(f"expected a path from /, such as /v1/orders; seen {value!r}")
    return value


def _as_capture(value: object) -> object:
    return {"matches": value} if isinstance(value, str) else value


def _value_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise ValueError(f"expected a name of small letters, digits and _, such as order_number; seen {value!r}")
    return value


ValueName = Annotated[str, AfterValidator(_value_name)]


class Step(Section):
    """A request beside the conversation."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="POST", description="method of the request"
    )
    path: Annotated[str, AfterValidator(_path)] = Field(description="path at the service, from /; may use ${name}")
    body: dict[str, Any] | None = Field(default=None, description="JSON that is sent; its texts may use ${name}")
    status: tuple[StrictInt, ...] = Field(
        default=(200, 201, 202, 204), min_length=1, description="HTTP statuses that are right"
    )
    capture: dict[ValueName, Query] = Field(
        default={}, description="values taken from the JSON of the answer, by name: the first that a JSONPath selects"
    )


class Repeat(Section):
    """How often a conversation is held, and which share of the times must hold."""

    times: Annotated[StrictInt, Field(ge=2, le=1_000)] = Field(description="how often it is held")
    at_least: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="share of conversations that must hold, which is proved by a binomial bound"
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        default=0.95, description="confidence of the bound, in each direction"
    )


class Turn(Section):
    """The user says something, and the answer must hold."""

    say: Text = Field(description="what the user says; may use ${name}")
    expect: Expect = Field(default=Expect(), description="what must hold of the answer")
    capture: dict[
        ValueName,
        Annotated[Capture, BeforeValidator(_as_capture, json_schema_input_type=Capture | str)],
    ] = Field(default={}, description="values taken from the answer for later turns, by name")


def _script_id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value) or len(value) > 64:
        raise ValueError(
            f"expected small letters, digits and single hyphens, such as order-status; seen {value!r} "
            "(without this key it is the name of the file)"
        )
    return value


class Described(Section):
    """What every script says of itself: who answers for it, and where it runs."""

    id: Annotated[str, AfterValidator(_script_id)] = Field(
        description="identity in every report: `synthetic/<id>`; the name of the file without .toml where absent"
    )
    title: Text = Field(description="what it proves, in one sentence")
    owner: str = Field(default="", description="who is asked when it fails")
    severity: Severity = Field(default=Severity.MAJOR, description="how much a failure weighs")
    tags: tuple[Text, ...] = Field(default=(), description="words that `pytest -k` selects it by")
    phases: tuple[Phase, ...] = Field(
        default=("pre", "canary", "post"), min_length=1, description="phases in which it runs"
    )
    environments: tuple[Text, ...] = Field(
        default=(), description="environments in which it runs; every one where absent"
    )
    service: Text | None = Field(
        default=None, description="service that it talks to; where absent the only one there is, or `chat`"
    )
    writes: StrictBool = Field(default=False, description="whether it leaves something behind in the environment")


class Script(Described):
    """A conversation: who answers for it, where it runs, and its turns."""

    stream: StrictBool = Field(default=False, description="whether answers are asked for as a stream")
    memory: Literal["messages", "session"] = Field(
        default="messages",
        description="how the service is to know of earlier turns: all `messages` are sent again, or only the last one "
        "is and the service keeps the `session`",
    )
    fallback_phrases: tuple[Text, ...] = Field(
        default=FALLBACK_PHRASES, description="by which `not_fallback` knows a fallback, beside the reported intent"
    )
    refusal_phrases: tuple[Text, ...] = Field(
        default=REFUSAL_PHRASES,
        description="by which `refused` knows a refusal, beside what the service reports",
    )
    values: dict[ValueName, Text] = Field(default={}, description="texts that turns use as ${name}")
    rows: tuple[dict[ValueName, Text], ...] = Field(
        default=(),
        alias="row",
        max_length=1_000,
        description="the conversation is held once for each of these, whose texts come before those of `values`",
    )
    setup: tuple[Step, ...] = Field(default=(), description="requests before the first turn")
    cleanup: tuple[Step, ...] = Field(
        default=(), description="requests after the last turn, whatever happened; they remove what was made"
    )
    repeat: Repeat | None = Field(
        default=None, description="for answers that differ from time to time: how often, and how many must hold"
    )
    turns: tuple[Turn, ...] = Field(
        alias="turn", min_length=1, max_length=200, description="what the user says, one after the other"
    )


ROW_NAME = "name"
"""Key of a row by which it is called in reports."""


def row_name(row: Mapping[str, str], index: int) -> str:
    """What the row at ``index`` is called: its ``name``, or its number from 1."""
    return row.get(ROW_NAME) or str(index + 1)


def rows_of(script: Script) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Name and texts of each time that the script is held; once, without a name, where it has no rows."""
    if not script.rows:
        yield "", {}
    for index, row in enumerate(script.rows):
        yield row_name(row, index), {key: text for key, text in row.items() if key != ROW_NAME}


def texts_of(turn: Turn) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of ``turn`` that may use ``${name}``, with the key under which it stands."""
    yield ("say",), turn.say
    for key in ("contains", "not_contains", "one_of", "matches", "intent"):
        for text in getattr(turn.expect, key):
            yield ("expect", key), text
    for call in turn.expect.calls:
        for text in texts_in(call.arguments):
            yield ("expect", "calls"), text
    for query, wanted in turn.expect.json_values.items():
        for text in (wanted.equals, wanted.matches):
            if isinstance(text, str):
                yield ("expect", "json", query), text


def names_used(turn: Turn) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every name that ``turn`` uses, with the key under which it does."""
    for key, text in texts_of(turn):
        for name in names_in(text):
            yield key, name
    for name in turn.expect.remembers:
        yield ("expect", "remembers"), name
