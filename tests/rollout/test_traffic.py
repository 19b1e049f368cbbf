"""What users of ours see at a public address that ends connections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.environment.model import Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role
from seatrial.rollout.traffic import Audience, Seen, Traffic, read_traffic
from support.metrics import Quiet, eventually, scripted

Behave = Callable[[Quiet], None]
WORDS = b'data: {"choices": [{"delta": {"content": "At nine."}}]}\n\ndata: [DONE]\n\n'


def well(request: Quiet) -> None:
    request.reply(200, WORDS)


def end_what_was_kept(request: Quiet) -> None:
    """As a proxy that was reloaded, or a pod that is drained, at the moment in which it is asked."""
    if "answered" in vars(request):
        request.close_connection = True
    else:
        well(request)


def end_always(request: Quiet) -> None:
    request.close_connection = True


def cut(request: Quiet) -> None:
    request.reply(200, WORDS[:20], {"Content-Length": str(len(WORDS))})
    request.close_connection = True


@pytest.fixture
def ask(tmp_path: Path) -> Callable[[Behave], Seen]:
    """The first answer that a user gets who talks, where what is posted is answered as told."""

    def go(behave: Behave) -> Seen:
        def answer(request: Quiet) -> None:
            if request.command == "POST":
                behave(request)
            else:
                vars(request)["answered"] = True
                request.reply(200, b'{"version": "1.5.0"}')

        path = tmp_path / "traffic.ndjson"
        audience = Audience(rate=0.1, staying=1, talking=1, timeout=5.0)
        with scripted(answer, kept=True) as (url, _):
            service = Service.model_validate({"url": {"stable": url}, "health": {"version": "/version"}})
            target = ServiceTarget(name="chat", track="stable", role=Role.SUBJECT, base_url=url, service=service)
            with Traffic(target, audience, run_id="r1", path=path) as traffic:
                eventually(lambda: traffic.since(0.0, "talking"), lambda seen: len(seen) > 0, within=10)
        kept = [one for one in read_traffic(path) if one.kind == "talking"]
        assert kept == traffic.since(0.0, "talking")
        return kept[0]

    return go


@pytest.mark.parametrize(
    ("behave", "error", "again"),
    [
        (well, "", False),
        (end_what_was_kept, "", True),
        (end_always, "the connection was closed before the answer was complete (Server disconnected)", True),
        (cut, "the connection was closed before the answer was complete", False),
    ],
)
def test_only_what_was_not_heard_is_asked_again(
    ask: Callable[[Behave], Seen], behave: Behave, error: str, again: bool
) -> None:
    seen = ask(behave)
    assert seen.error.startswith(error)
    assert bool(seen.error) == bool(error)
    assert seen.again is again
