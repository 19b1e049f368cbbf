"""One situation, many runs: how often each judge rolls back and promotes, and after how many requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from judging.others import ends_after, failed_checks, kayenta
from judging.streams import TIMEOUT, Failures, Floats, Stream
from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import Outcome
from seatrial.judge.errors import ErrorRule, judge_errors
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.judge.proportions import Counts, rate_interval
from seatrial.judge.sequential import SequentialJudge
from seatrial.judge.sequential_errors import look_at_errors
from seatrial.load.live import PairedLooks, at_the_end, error_rule, sequential_rule

CONFIDENCE = 0.99
LOOKS = 200
FLAGGER = 5
"""Failed checks that Flagger allows for by its documentation's examples; the fifth rolls back."""


def seed(name: str) -> np.random.Generator:
    """The same numbers for a situation, whatever runs before it."""
    return np.random.default_rng(list(name.encode()))


def bound(count: int, runs: int) -> float:
    """Clopper and Pearson's upper bound at 95 %."""
    return rate_interval(Counts(failed=count, total=runs), alpha=0.05)[1]


def _objectives(stream: Stream) -> Objectives:
    return Objectives.model_validate(
        {"relative_margin": stream.margin, "absolute_margin": f"{stream.margin * 100:g}ms"}
    )


def _end_rule(stream: Stream) -> LatencyRule:
    return LatencyRule(
        relative_margin=stream.margin,
        absolute_margin=stream.margin / 10,
        confidence=at_the_end(CONFIDENCE),
        ceiling=TIMEOUT,
    )


def _row(
    scene: Stream | Failures, runs: int, verdicts: Sequence[tuple[Outcome, int, bool]], others: dict[str, Any]
) -> dict[str, Any]:
    """``verdicts`` are those of the whole, after how many pairs, and whether a look gave it."""
    rolled = [verdict is Outcome.FAIL for verdict, _, _ in verdicts]
    after = [n for verdict, n, _ in verdicts if verdict is Outcome.FAIL]
    return {
        "situation": scene.name,
        "truth": scene.truth,
        "runs": runs,
        "rollback": sum(rolled) / runs,
        "rollback at most": bound(sum(rolled), runs),
        "promote": sum(verdict is Outcome.PASS for verdict, _, _ in verdicts) / runs,
        "pairs to rollback": float(np.median(after)) if after else None,
        "rollback by looks": sum(verdict is Outcome.FAIL and early for verdict, _, early in verdicts) / runs,
        "promote by looks": sum(verdict is Outcome.PASS and early for verdict, _, early in verdicts) / runs,
        **others,
    }


def judge_latencies(stream: Stream, runs: int) -> dict[str, Any]:
    """The latency check as a user gets it: looks while it runs, then the end."""
    generator = seed(stream.name)
    rule = sequential_rule(_objectives(stream), confidence=CONFIDENCE, timeout=TIMEOUT)
    verdicts: list[tuple[Outcome, int, bool]] = []
    told = {"oracle": 0, "kayenta": 0, "threshold": 0}
    for _ in range(runs):
        warm_up, stable, candidate = stream.draw(generator)
        look = SequentialJudge(rule, warm_up).feed(stable, candidate)
        end = Outcome.INCONCLUSIVE if look.decided else compare_latency(stable, candidate, _end_rule(stream)).verdict
        verdicts.append((look.verdict, look.n, True) if look.decided else (end, stream.pairs, False))
        told["oracle"] += stream.parametric and stream.oracle(stable, candidate)
        told["kayenta"] += kayenta(stream, stable, candidate)
        told["threshold"] += bool(np.quantile(candidate, 0.95) > 1.2 * np.quantile(stable, 0.95))
    shares: dict[str, Any] = {name: count / runs for name, count in told.items()}
    if not stream.parametric:
        shares["oracle"] = None
    return _row(stream, runs, verdicts, shares)


def judge_failures(scene: Failures, runs: int) -> dict[str, Any]:
    """The error check as a user gets it, looked at two hundred times."""
    generator = seed(scene.name)
    objectives = Objectives(error_rate=scene.objective)
    looking = error_rule(objectives, confidence=CONFIDENCE)
    ending = ErrorRule(objective=scene.objective, confidence=at_the_end(CONFIDENCE))
    verdicts: list[tuple[Outcome, int, bool]] = []
    above = 0
    known: dict[tuple[int, int], Outcome] = {}
    for _ in range(runs):
        failed = [generator.random(scene.requests) < rate for rate in (scene.candidate, scene.stable)]
        alone = [np.cumsum(failed[0] & ~failed[1]), np.cumsum(failed[1] & ~failed[0])]
        sums = [np.cumsum(each) for each in failed]
        points = np.linspace(scene.requests / LOOKS, scene.requests, LOOKS).astype(int)
        above += bool((sums[0][points - 1] > scene.objective * points).any())
        last, verdict = 0, None
        for number, n in enumerate(points):
            # Only a further failure of the candidate adds to the evidence against it: in between every tenth will do.
            if sums[0][n - 1] == last and number % 10:
                continue
            last = int(sums[0][n - 1])
            counts = [Counts(failed=int(each[n - 1]), total=int(n)) for each in sums]
            look = look_at_errors(*counts, looking, alone=(int(alone[0][n - 1]), int(alone[1][n - 1])))
            if look.decided:
                verdict = (look.verdict, int(n), True)
                break
        if verdict is None:
            totals = (int(sums[0][-1]), int(sums[1][-1]))
            if totals not in known:
                counts = [Counts(failed=each, total=scene.requests) for each in totals]
                known[totals] = judge_errors(*counts, ending).verdict
            verdict = (known[totals], scene.requests, False)
        verdicts.append(verdict)
    return _row(scene, runs, verdicts, {"oracle": None, "kayenta": None, "threshold": above / runs})


def _rollout(stream: Stream, warm_up: Floats, stable: Floats, candidate: Floats) -> tuple[Outcome, int, bool]:
    """Latencies and failures together, as `seatrial.load` looks at them while a load runs and when it ends."""
    objectives = _objectives(stream)
    looks = PairedLooks(
        latency_rule=sequential_rule(objectives, confidence=CONFIDENCE, timeout=TIMEOUT),
        failure_rule=error_rule(objectives, confidence=CONFIDENCE),
        warm_up=warm_up.tolist(),
    )
    step = max(stream.pairs // LOOKS, 10)
    for begin in range(0, stream.pairs, step):
        looks.feed(stable[begin : begin + step], candidate[begin : begin + step])
        if looks.decided:
            verdicts = [look.verdict for look in (looks.latency, looks.errors) if look is not None]
            return (Outcome.FAIL if Outcome.FAIL in verdicts else Outcome.PASS), begin + step, True
    found = []
    if looks.latency is None or not looks.latency.decided:
        found.append(compare_latency(stable, candidate, _end_rule(stream)).verdict)
    if looks.errors is None or not looks.errors.decided:
        counts = [Counts(failed=int((each >= TIMEOUT).sum()), total=len(each)) for each in (candidate, stable)]
        found.append(judge_errors(*counts, ErrorRule(confidence=at_the_end(CONFIDENCE))).verdict)
    for verdict in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        if verdict in found:
            return verdict, stream.pairs, False
    return Outcome.PASS, stream.pairs, False


def judge_rollout(stream: Stream, runs: int) -> dict[str, Any]:
    """A rollout with our judge of both, Kayenta's at its end, and static checks in each window."""
    generator = seed(f"rollout {stream.name}")
    window = stream.pairs // stream.windows
    verdicts = []
    high = oracle = 0
    ends: dict[str, list[int]] = {"argo": [], "flagger": [], "success": []}
    for _ in range(runs):
        warm_up, stable, candidate = stream.draw(generator)
        verdicts.append(_rollout(stream, warm_up, stable, candidate))
        oracle += stream.parametric and stream.oracle(stable, candidate)
        high += kayenta(stream, stable, candidate)
        either, success = failed_checks(stream, candidate)
        for name, checks, allowed in (("argo", either, 0), ("flagger", either, FLAGGER - 1), ("success", success, 0)):
            after = ends_after(checks, allowed, window)
            if after is not None:
                ends[name].append(after)
    others: dict[str, Any] = {
        "oracle": oracle / runs if stream.parametric else None,
        "kayenta": high / runs,
        "kayenta after": stream.pairs,
    }
    for name, after_all in ends.items():
        others[name] = len(after_all) / runs
        others[f"{name} after"] = float(np.median(after_all)) if after_all else None
    return _row(stream, runs, verdicts, others)


def broken(row: dict[str, Any]) -> str:
    """The criterion that a row does not meet; empty where it meets all."""
    if row["truth"] == "equal" and row["rollback"] > 0.01:
        return "false rollbacks above 1 %"
    if row["truth"] in ("slower", "seen") and row["promote"] > 0.01:
        return "wrong promotions above 1 %"
    if row["truth"] == "seen" and row["rollback"] < 0.99:
        return "seen in less than 99 %"
    return ""
