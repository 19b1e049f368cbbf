"""What judging costs: time and memory for a million pairs, and what the planner says beside what is needed."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any, Final

import numpy as np

from judging.runs import CONFIDENCE, seed
from judging.streams import TIMEOUT, WARM_UP, Stream
from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.judge.kept import Kept
from seatrial.judge.latency import LatencyRule, compare_kept, compare_latency
from seatrial.judge.power import plan
from seatrial.judge.scores import SequentialRule
from seatrial.judge.sequential import SequentialJudge
from seatrial.load.live import at_the_end, sequential_rule

MILLION: Final = 1_000_000
PIECE: Final = 1000
MOST_SECONDS: Final = 1.0
MOST_BYTES: Final = 32_000_000


def _undecided(pairs: int, *, block: int = 10) -> tuple[float, float]:
    """Seconds of CPU for the looks at so many pairs that they never decide, and for the end, fed by the piece."""
    generator = np.random.default_rng(1)
    judge = SequentialJudge(
        # On the margin itself neither is shown, however many pairs there are.
        SequentialRule(confidence=1 - 1e-12, tolerated=1.0, block=block),
        0.1 * np.exp(0.5 * generator.standard_normal(WARM_UP)),
    )
    kept = Kept()
    looks = end = 0.0
    n = 0
    for _ in range(pairs // PIECE):
        stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(PIECE)) for _ in range(2))
        candidate *= 1.10
        begun = time.process_time()
        n = judge.feed(stable, candidate).n
        looked = time.process_time()
        kept.add(stable, candidate)
        looks += looked - begun
        end += time.process_time() - looked
    begun = time.process_time()
    verdict = compare_kept(kept, LatencyRule(tolerated=1.0))
    end += time.process_time() - begun
    if n != pairs // block * block or verdict.n != pairs or verdict.verdict is not Outcome.INCONCLUSIVE:
        raise AssertionError(f"expected {pairs} pairs judged and undecided; seen {n}, and at the end {verdict}")
    return looks, end


def _peak(pairs: int, *, block: int = 10) -> int:
    """Most bytes that judging held at once, the looks and the end, beside the piece that it was given."""
    tracemalloc.start()
    try:
        _undecided(pairs, block=block)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def million() -> dict[str, Any]:
    """A million pairs by the thousand, looks and end; peak memory by number of pairs and by size of block."""
    _undecided(10_000)
    looks, end = min((_undecided(MILLION) for _ in range(3)), key=sum)
    return {
        "pairs": MILLION,
        "CPU seconds": looks + end,
        "of them at the end": end,
        "peak kB by pairs": {pairs: _peak(pairs) // 1000 for pairs in (50_000, MILLION // 2, MILLION)},
        "peak kB by block": {block: _peak(MILLION, block=block) // 1000 for block in (10, 1000, 10_000, 50_000)},
    }


def broken(spent: dict[str, Any]) -> list[str]:
    """The criteria of cost that do not hold."""
    _, half, whole = spent["peak kB by pairs"].values()
    largest = max(spent["peak kB by block"].values())
    return [
        *(["a million pairs took more than a second"] if spent["CPU seconds"] > MOST_SECONDS else []),
        *(["memory grows with the number of pairs"] if whole > 1.1 * half else []),
        *([f"memory above {MOST_BYTES // 1_000_000} MB"] if largest * 1000 > MOST_BYTES else []),
    ]


def told(spent: dict[str, Any]) -> str:
    """In a line."""
    return (
        f"{spent['pairs']:,} pairs judged in {spent['CPU seconds']:.2f} s of CPU, {spent['of them at the end']:.2f} s "
        f"of them at the end; peak kB by pairs {spent['peak kB by pairs']}, by block {spent['peak kB by block']}"
    )


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
