"""What a conversation needs of a protocol: to say something and get a reply, or to learn why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from seatrial.evidence.outcome import Outcome

REQUEST_ID_HEADER: Final = "X-Request-Id"
"""By which a request is found in the service's logs: ours, or the one with which the service answers."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it is sent, without what would be secret; enough to write a curl line."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. Times are in seconds from the moment the request was sent.

    ``body`` is the JSON of the answer; that of a stream is put together as if it had come whole.
    """

    text: str
    latency: float
    body: Any = None
    intent: str | None = None
    status: int | None = None
    request_id: str = ""
    first_token: float | None = None
    """Time of the first words of a stream; None where the answer came whole."""
    longest_pause: float | None = None
    """Longest silence inside a stream, after its first words; None where the answer came whole."""
    tokens: int = 0
    """Pieces of text in which a stream came."""


@dataclass(kw_only=True)
class NoReply(Exception):
    """There is no usable answer. ``fail``: the service is at fault; ``error``: we could not look.

    ``partial`` is the text that had come by then.
    """

    outcome: Outcome
    expected: str
    seen: str
    remedy: str = ""
    latency: float = 0.0
    partial: str = ""
    status: int | None = None
    request_id: str = ""
    retry_after: float | None = None
    """Seconds after which the service asks us to come again."""
    waited: bool = False
    """Whether nothing but our patience ended."""

    def __post_init__(self) -> None:
        super().__init__(f"expected {self.expected}, seen {self.seen}")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait, in seconds."""

    answer: float
    """For the whole of an answer, or for the first piece of a stream."""
    silence: float
    """For the next piece of a stream."""
    stream: float
    """For the whole of a stream."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who talks: the run, and this conversation on this track, used nowhere else."""

    run_id: str
    session_id: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """One conversation over one protocol. It remembers what was said, as the protocol wants it."""

    def prepare(self, text: str) -> Request:
        """The request that says ``text`` next. Changes nothing."""

    async def send(self, request: Request, patience: Patience) -> Reply:
        """Send a prepared request, and remember it and its answer. Raises NoReply."""

    async def close(self) -> None:
        """Give back what the channel itself holds; the client is not its own."""
