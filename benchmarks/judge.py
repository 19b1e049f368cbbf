"""How often the judges are right: simulated runs with fixed seeds, as a table, a picture and `results/judge.*`.

    python benchmarks/judge.py [--quick]

Latencies are lognormal around 100 ms. `spread` is the standard deviation of the logarithm, `rho` its autocorrelation
(AR(1)) from pair to pair, `shared` the part of the variance that both tracks have in common. The margin is 10 % or
10 ms, half of it is tolerated, the confidence 99 %, the budget 600 pairs where nothing else is said. Beside ours, on
the same streams:

* `fixed` is the test at the end of a run, `seatrial.judge.latency`;
* `kayenta` restates its Mann-Whitney classifier with the defaults of its code (confidence 0.98, tolerance 0.25: high is
  what has the interval of its Hodges-Lehmann shift above a quarter of the baseline's estimate), once, on the latencies
  of 300 pairs (github.com/spinnaker/kayenta, MannWhitneyClassifier);
* `threshold`: the candidate's p95 is more than a fifth above stable's at the end, or its errors above the objective at
  any look.

Exits 1 where a criterion does not hold: false rollbacks at most 1 % of runs, wrong promotions at most 1 %, at least
99 % of +25 % seen at a spread of 0.5, half of it shared.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.signal import lfilter

from seatrial.judge.errors import ErrorRule, judge_errors
from seatrial.judge.latency import LatencyRule, compare_latency
from seatrial.judge.power import plan
from seatrial.judge.proportions import Counts
from seatrial.judge.sequential import SequentialJudge, SequentialRule
from seatrial.judge.sequential_errors import look_at_errors

Floats = NDArray[np.float64]
Truth = Literal["equal", "between", "slower", "seen"]
"""`equal`: no rollback; `slower`: no promotion; `seen`: rolled back as well; `between`: either may be shown."""
RULE = SequentialRule(ceiling=5.0)
WARM_UP = 150
LOOKS = 200


@dataclass(frozen=True, kw_only=True)
class Latency:
    name: str
    truth: Truth
    pairs: int = 600
    spread: float = 0.5
    rho: float = 0.7
    shared: float = 0.5
    effect: float = 1.0
    tail: float = 1.0
    """Factor on the slowest tenth of the candidate's requests."""
    drift: float = 0.0
    """How much slower both tracks get, in units of the logarithm, from begin to end."""
    timeouts: float = 0.0

    def draw(self, generator: np.random.Generator) -> tuple[Floats, Floats]:
        count = self.pairs + WARM_UP
        common, *own = (self._noise(generator, count) for _ in range(3))
        weights = math.sqrt(self.shared), math.sqrt(1 - self.shared)
        trend = self.drift * np.linspace(0, 1, count)
        stable, candidate = (
            0.1 * np.exp(self.spread * (weights[0] * common + weights[1] * noise) + trend) for noise in own
        )
        candidate = candidate * self.effect
        candidate[candidate > np.quantile(candidate, 0.9)] *= self.tail
        candidate[generator.random(count) < self.timeouts] = 5.0
        return stable, candidate

    def _noise(self, generator: np.random.Generator, count: int) -> Floats:
        innovations = generator.standard_normal(count + 400) * math.sqrt(1 - self.rho**2)
        return np.asarray(lfilter([1.0], [1.0, -self.rho], innovations)[400:])


@dataclass(frozen=True, kw_only=True)
class Errors:
    name: str
    truth: Truth
    requests: int
    stable: float
    candidate: float
    objective: float = 0.01


SCENES: tuple[Latency, ...] = (
    *(
        Latency(name=f"equal, spread {spread}, rho {rho}, {kind}", truth="equal", spread=spread, rho=rho, shared=shared)
        for spread in (0.25, 0.5, 1.0)
        for rho in (0.0, 0.7, 0.9)
        for kind, shared in (("shared 0.9", 0.9), ("separate", 0.0))
    ),
    Latency(name="equal, rho 0.9, separate, 2000 pairs", truth="equal", rho=0.9, shared=0.0, pairs=2000),
    Latency(name="equal, drifting by half", truth="equal", drift=0.5),
    Latency(name="20 % faster", truth="equal", effect=0.8, spread=0.25),
    Latency(name="+5 %, at what is tolerated", truth="equal", effect=1.05, spread=0.25),
    Latency(name="+10 %, at the margin", truth="slower", effect=1.10, spread=0.25),
    Latency(name="+15 %, spread 0.25", truth="slower", effect=1.15, spread=0.25),
    Latency(name="+25 %, spread 0.25, rho 0.7", truth="slower", effect=1.25, spread=0.25),
    Latency(name="+25 %, spread 0.5, rho 0, shared 0.5", truth="seen", effect=1.25, rho=0.0),
    Latency(name="+25 %, spread 0.5, rho 0, separate", truth="slower", effect=1.25, rho=0.0, shared=0.0),
    Latency(name="+25 %, spread 0.5, rho 0.7, shared 0.5", truth="slower", effect=1.25),
    Latency(name="+50 %, spread 0.5, rho 0, separate", truth="seen", effect=1.5, rho=0.0, shared=0.0),
    Latency(name="+50 %, spread 1.0, rho 0, shared 0.5", truth="slower", effect=1.5, spread=1.0, rho=0.0),
    Latency(name="+100 %, spread 0.5, rho 0.7", truth="seen", effect=2.0),
    Latency(name="slowest tenth twice as slow, 2000 pairs", truth="slower", tail=2.0, rho=0.0, pairs=2000),
    Latency(name="10 % time out", truth="slower", timeouts=0.1, rho=0.0),
)
ERRORS: tuple[Errors, ...] = (
    Errors(name="errors 0.1 % -> 0.1 %", truth="equal", requests=3000, stable=0.001, candidate=0.001),
    Errors(name="errors 1 % -> 1 %", truth="equal", requests=3000, stable=0.01, candidate=0.01),
    Errors(name="errors 10 % -> 10 %, both", truth="equal", requests=3000, stable=0.1, candidate=0.1),
    Errors(name="errors 0.1 % -> 0.5 %", truth="between", requests=3000, stable=0.001, candidate=0.005),
    Errors(name="errors 0.1 % -> 1 %", truth="slower", requests=3000, stable=0.001, candidate=0.01),
    Errors(name="errors 0.1 % -> 2 %", truth="seen", requests=3000, stable=0.001, candidate=0.02),
    Errors(name="errors 0.1 % -> 5 %", truth="seen", requests=3000, stable=0.001, candidate=0.05),
)


def kayenta(stable: Floats, candidate: Floats) -> bool:
    """Whether Kayenta's classifier calls the candidate's latencies high."""
    shifts = np.sort((candidate[:, None] - stable[None, :]).ravel())
    n, m = len(candidate), len(stable)
    z = stats.norm.isf((1 - 0.98) / 2)
    low = int(n * m / 2 - z * math.sqrt(n * m * (n + m + 1) / 12))
    return bool(shifts[max(low, 0)] > 0.25 * np.median(stable))


def judge_latency(scene: Latency, runs: int) -> dict[str, Any]:
    generator = np.random.default_rng(list(scene.name.encode()))
    ours: dict[str, list[int]] = {"fail": [], "pass": [], "inconclusive": []}
    others = {"fixed rollback": 0, "fixed promote": 0, "kayenta": 0, "threshold": 0}
    for _ in range(runs):
        stable, candidate = scene.draw(generator)
        look = SequentialJudge(RULE, stable[:WARM_UP]).feed(stable[WARM_UP:], candidate[WARM_UP:])
        ours[look.verdict.value].append(look.n)
        stable, candidate = stable[WARM_UP:], candidate[WARM_UP:]
        fixed = compare_latency(stable, candidate, LatencyRule(ceiling=5.0)).verdict.value
        others["fixed rollback"] += fixed == "fail"
        others["fixed promote"] += fixed == "pass"
        others["kayenta"] += kayenta(stable[:300], candidate[:300])
        others["threshold"] += bool(np.quantile(candidate, 0.95) > 1.2 * np.quantile(stable, 0.95))
    return {
        "situation": scene.name,
        "truth": scene.truth,
        "rollback": len(ours["fail"]) / runs,
        "promote": len(ours["pass"]) / runs,
        "pairs to rollback": float(np.median(ours["fail"])) if ours["fail"] else None,
        **{name: count / runs for name, count in others.items()},
    }


def judge_error_rate(scene: Errors, runs: int) -> dict[str, Any]:
    generator = np.random.default_rng(list(scene.name.encode()))
    rule = ErrorRule(objective=scene.objective)
    found: dict[str, list[int]] = {"fail": [], "pass": [], "inconclusive": []}
    others = {"fixed rollback": 0, "fixed promote": 0, "threshold": 0}
    for _ in range(runs):
        failed = [generator.random(scene.requests) < rate for rate in (scene.candidate, scene.stable)]
        alone = [np.cumsum(failed[0] & ~failed[1]), np.cumsum(failed[1] & ~failed[0])]
        sums = [np.cumsum(each) for each in failed]
        above = False
        done = 0
        for n in np.linspace(scene.requests / LOOKS, scene.requests, LOOKS).astype(int):
            counts = [Counts(failed=int(each[n - 1]), total=int(n)) for each in sums]
            above = above or counts[0].rate > scene.objective
            if not done:
                look = look_at_errors(*counts, rule, alone=(int(alone[0][n - 1]), int(alone[1][n - 1])))
                done = int(n) if look.decided else 0
        found[look.verdict.value].append(done)
        fixed = judge_errors(*counts, rule).verdict.value
        others["fixed rollback"] += fixed == "fail"
        others["fixed promote"] += fixed == "pass"
        others["threshold"] += above
    return {
        "situation": scene.name,
        "truth": scene.truth,
        "rollback": len(found["fail"]) / runs,
        "promote": len(found["pass"]) / runs,
        "pairs to rollback": float(np.median(found["fail"])) if found["fail"] else None,
        **{name: count / runs for name, count in others.items()},
    }


def broken(row: dict[str, Any]) -> str:
    """The criterion that a row does not meet; empty where it meets all."""
    if row["truth"] == "equal" and row["rollback"] > 0.01:
        return "false rollbacks above 1 %"
    if row["truth"] in ("slower", "seen") and row["promote"] > 0.01:
        return "wrong promotions above 1 %"
    if row["truth"] == "seen" and row["rollback"] < 0.99:
        return "seen in less than 99 %"
    return ""


def planned(runs: int) -> list[dict[str, Any]]:
    """What the planner says of 1,500 pairs of equal releases, beside the pairs that nine runs in ten take."""
    rows = []
    for spread, rho, shared in ((0.25, 0.7, 0.5), (0.5, 0.0, 0.5), (0.5, 0.0, 0.0)):
        scene = Latency(name=f"plan {spread} {rho} {shared}", truth="seen", spread=spread, rho=rho, shared=shared)
        generator = np.random.default_rng(list(scene.name.encode()))
        said = []
        for _ in range(20):
            long = Latency(**{**vars(scene), "pairs": 1500 - WARM_UP})
            said.append(plan(*long.draw(generator), RULE, pairs=600).needed or 0)
        slower = Latency(**{**vars(scene), "effect": 1.25, "pairs": 4000})
        took = []
        for _ in range(runs):
            stable, candidate = slower.draw(generator)
            took.append(SequentialJudge(RULE, stable[:WARM_UP]).feed(stable[WARM_UP:], candidate[WARM_UP:]).n)
        rows.append(
            {
                "spread": spread,
                "rho": rho,
                "shared": shared,
                "planned": float(np.median(said)),
                "nine in ten": float(np.quantile(took, 0.9)),
            }
        )
    return rows


def million() -> dict[str, float]:
    """A million pairs that stay undecided, fed by the thousand."""
    generator = np.random.default_rng(1)
    judge = SequentialJudge(
        # On the margin itself neither is shown, however many pairs there are.
        SequentialRule(confidence=1 - 1e-12, tolerated=1.0),
        0.1 * np.exp(0.5 * generator.standard_normal(WARM_UP)),
    )
    seconds, n = 0.0, 0
    for _ in range(1000):
        stable, candidate = (0.1 * np.exp(0.5 * generator.standard_normal(1000)) for _ in range(2))
        begun = time.perf_counter()
        n = judge.feed(stable, candidate * 1.10).n
        seconds += time.perf_counter() - begun
    return {"pairs": n, "seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def picture(rows: list[dict[str, Any]]) -> str:
    """Share of runs that each judge rolls back, a row for each situation, as an SVG."""
    judges = (("rollback", "#0b6", "seatrial"), ("kayenta", "#c60", "Kayenta"), ("threshold", "#66c", "p95 > 1.2"))
    left, width, height = 300, 420, 22
    total = 50 + height * len(rows)
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {total}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12"><title>Share of runs rolled back</title>'
        f'<rect width="{left + width + 40}" height="{total}" fill="#fff"/>'
    )
    parts = [begin]
    for number, (_, colour, label) in enumerate(judges):
        x = left + number * 120
        parts.append(f'<circle cx="{x}" cy="14" r="5" fill="{colour}"/><text x="{x + 9}" y="18">{label}</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + share * width
        parts.append(f'<line x1="{x}" x2="{x}" y1="30" y2="{total - 16}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{total - 3}" text-anchor="middle" fill="#555">{share:.0%}</text>')
    for number, row in enumerate(rows):
        y = 42 + number * height
        parts.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{row["situation"]}</text>')
        parts += [
            f'<circle cx="{left + row[key] * width:.1f}" cy="{y}" r="5" fill="{colour}" fill-opacity="0.75"/>'
            for key, colour, _ in judges
            if row.get(key) is not None
        ]
    return "\n".join([*parts, "</svg>\n"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 runs a situation instead of 500; writes nothing")
    quick = parser.parse_args().quick
    runs = 60 if quick else 500
    rows = []
    names = ("rollback", "promote", "fixed rollback", "fixed promote", "kayenta", "threshold")
    print(f"{'situation':<40}{'truth':>8}{'pairs':>7}" + "".join(f"{name:>16}" for name in names))
    for scene in (*SCENES, *ERRORS):
        row = judge_latency(scene, runs) if isinstance(scene, Latency) else judge_error_rate(scene, runs // 4)
        rows.append(row)
        pairs = "" if row["pairs to rollback"] is None else f"{row['pairs to rollback']:.0f}"
        shares = "".join(f"{row[name]:>16.1%}" if name in row else f"{'':>16}" for name in names)
        print(f"{row['situation']:<40}{row['truth']:>8}{pairs:>7}{shares}  {broken(row)}".rstrip(), flush=True)
    plans, cost = planned(runs // 10), million()
    for one in plans:
        print(
            f"+25 % at spread {one['spread']}, rho {one['rho']}, shared {one['shared']}: planned {one['planned']:.0f} "
            f"pairs, nine runs in ten take {one['nine in ten']:.0f}"
        )
    print(f"{cost['pairs']:,} pairs judged in {cost['seconds']:.2f} s, {cost['megabytes']:.0f} MB in all")
    if not quick:
        results = Path(__file__).with_name("results")
        results.mkdir(exist_ok=True)
        document = {"runs": runs, "rows": rows, "plans": plans, "million": cost}
        (results / "judge.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (results / "judge.svg").write_text(picture(rows), encoding="utf-8")
    return 1 if not quick and any(map(broken, rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
