"""The story of a watch as a file: what was told, reached and found, and how many requests it rests on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seatrial.evidence.assessment import Assessment
from seatrial.evidence.run import write_atomically
from seatrial.rollout.replay import Rolled
from seatrial.rollout.story import Story


def write_story(story: Story, path: Path) -> None:
    """Write ``story`` without its single requests, which are in files of their own beside it."""
    content = {
        "strategy": story.strategy,
        "stable": story.stable,
        "candidate": story.candidate,
        "ending": story.ending,
        "ended": round(story.ended, 3),
        "settle_began": story.settle_began,
        "requests": len(story.seen),
        "failed": sum(bool(one.error) for one in story.seen),
        "exposed_requests": sum(one.version == story.candidate for one in story.seen),
        "exposed_users": len({one.user for one in story.seen if one.version == story.candidate and one.user})
        + sum(one.version == story.candidate for one in story.seen if not one.user),
        **({"rolling": _rolling(story.rolled, story)} if story.rolled is not None else {}),
        "memory": [[round(at, 1), size] for at, size in story.memory],
        "steps": [
            {
                "weight": step.weight,
                "told": round(step.told, 3),
                "by_word": step.by_word,
                "abort": step.abort,
                "reached": step.reached,
                "ended": step.ended,
                "errors": _told(step.errors),
                "latency": _told(step.latency),
            }
            for step in story.steps
        ],
    }
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def _rolling(rolled: Rolled, story: Story) -> dict[str, Any]:
    moments = [one for one in rolled.moments if one.at >= (rolled.began or 0.0)]
    return {
        "workload": f"{rolled.workload.kind}/{rolled.workload.name}",
        "state": str(rolled),
        "began": rolled.began,
        "complete": rolled.complete,
        "stuck": rolled.workload.stuck,
        "reasons": rolled.reasons(),
        "notes": list(story.rolling_notes),
        "least_available": min((one.available for one in moments), default=None),
        "batches": [asdict(batch) for batch in rolled.batches],
    }


def _told(found: Assessment | None) -> dict[str, Any] | None:
    return None if found is None else {"outcome": found.outcome.value, "message": found.message, "n": found.n}
