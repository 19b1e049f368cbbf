"""What judging costs: time and memory for a million pairs, and what the planner says beside what is needed."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np

from judging.runs import CONFIDENCE, seed
from judging.streams import TIMEOUT, WARM_UP, Stream
from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.judge.power import plan
from seatrial.judge.sequential import SequentialJudge, SequentialRule
from seatrial.load.live import at_the_end, sequential_rule


def _undecided(pairs: int, piece: int, *, block: int = 10) -> float:
    """Seconds of CPU to judge so many pairs, fed by the piece, that never come to a verdict."""
    generator = np.random.default_rng(1)
    judge = SequentialJudge(
        # On the margin itself neither is shown, however many pairs there are.
        SequentialRule(confidence=1 - 1e-12, tolerated=1.0, block=block),
        0.1 * np.exp(0.5 * generator.standard_normal(WARM_UP)),
    )
    seconds, n = 0.0, 0
    for _ in range(pairs // piece):
        stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(piece)) for _ in range(2))
        begun = time.process_time()
        n = judge.feed(stable, candidate * 1.10).n
        seconds += time.process_time() - begun
    if n != pairs // block * block:
        raise AssertionError(f"expected {pairs} pairs judged; seen {n}")
    return seconds


def _peak(pairs: int, *, block: int = 10) -> int:
    """Most bytes that judging held at once, beyond the piece of a thousand pairs that it was given."""
    tracemalloc.start()
    try:
        _undecided(pairs, 1000, block=block)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def million() -> dict[str, Any]:
    """A million pairs by the thousand; peak memory by number of pairs and by size of block; the end, once."""
    _undecided(10_000, 1000)
    seconds = min(_undecided(1_000_000, 1000) for _ in range(3))
    generator = np.random.default_rng(2)
    stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(1_000_000)) for _ in range(2))
    begun = time.process_time()
    compare_latency(stable, candidate, LatencyRule())
    return {
        "pairs": 1_000_000,
        "CPU seconds": seconds,
        "seconds at the end": time.process_time() - begun,
        "peak kB by pairs": {pairs: _peak(pairs) // 1000 for pairs in (100_000, 400_000)},
        "peak kB by block": {block: _peak(100_000, block=block) // 1000 for block in (10, 1000, 10_000, 50_000)},
    }


def planned(runs: int) -> list[dict[str, Any]]:
    """What the planner says of 1,500 pairs of equal releases takes +25 %, and the share of so many that see it."""
    rows = []
    rule = sequential_rule(Objectives(), confidence=CONFIDENCE, timeout=TIMEOUT)
    end = at_the_end(CONFIDENCE)
    for spread, rho, shared in ((0.25, 0.7, 0.5), (0.5, 0.0, 0.5), (0.5, 0.0, 0.0), (0.5, 0.7, 0.5)):
        how: dict[str, Any] = {"truth": "seen", "spread": spread, "rho": rho, "shared": shared}
        generator = seed(f"plan {spread} {rho} {shared}")
        said = []
        for _ in range(15):
            warm_up, *pair = Stream(name="plan", pairs=1500 - WARM_UP, **how).draw(generator)
            both = [np.concatenate((warm_up, each)) for each in pair]
            said.append(plan(*both, rule, pairs=600, at_the_end=end).needed or 0)
        pairs = int(np.median(said))
        found = 0
        for _ in range(runs):
            warm_up, *pair = Stream(name="slower", pairs=pairs, effect=1.25, **how).draw(generator)
            look = SequentialJudge(rule, warm_up).feed(*pair)
            verdict = look.verdict
            if not look.decided:
                verdict = compare_latency(*pair, LatencyRule(confidence=end, ceiling=TIMEOUT)).verdict
            found += verdict is Outcome.FAIL
        rows.append({"spread": spread, "rho": rho, "shared": shared, "planned": pairs, "seen": found / runs})
    return rows
