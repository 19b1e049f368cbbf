"""How often the judges are right: simulated runs with fixed seeds, as a table, a picture and `results/judge.*`.

    python benchmarks/judge.py [--quick | --cost | --only trend]

The verdict is the one that a user gets: looks while the load runs, and where none decides, the end. The margin is 10 %
or 10 ms around 100 ms, half of it is tolerated, the confidence 99 %, the budget 600 pairs where nothing else is said.
`judging/streams.py` says what is simulated. Beside ours, on the same streams:

* `oracle`: a z-test at the end, at 1 %, that is told the distribution and all of its dependence: more than it sees is
  not in the data;
* `Kayenta`: its Mann-Whitney classifier with the defaults of its code, on means of 30 windows, once, at the end;
* `threshold`: the candidate's p95 is more than a fifth above stable's at the end, or its errors above the objective at
  any look;
* `any check`, `5 checks`: at least 99 % succeed and p95 is at most half above what is known of stable, in each of the
  windows; one failed check rolls back, as by Argo Rollouts' default, or five, as in Flagger's examples. `99 % of each`
  is the former without latencies.

Exits 1 where a criterion does not hold: false rollbacks at most 1 % of runs, wrong promotions at most 1 %, at least
99 % of what is marked `seen`, a million pairs in a second of CPU, looks and end together, in memory that is bounded and
does not grow with them. `--cost` measures this last one alone.

`--only trend` are the watches of a release that settles (`judging/trends.py`), and renews their part of the results.

How often the stored baseline is right is told by `baseline.py` beside this.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")

from judging import cost, runs, streams, tables, trends  # noqa: E402 - after the threads of its libraries are set

MANY, OTHER, QUICK = 1000, 300, 40
CLOSE = ("errors 0.1 % -> 1 %",)
"""Situations so near to their criterion that few runs would leave it to luck."""

Task = tuple[Callable[[Any, int], dict[str, Any]], Any, int]


def tasks(*, quick: bool) -> list[Task]:
    def count(scene: Any) -> int:
        return QUICK if quick else MANY if scene.truth == "equal" or scene.name in CLOSE else OTHER

    found: list[Task] = [(runs.judge_latencies, scene, count(scene)) for scene in streams.LATENCIES]
    found += [(runs.judge_failures, scene, count(scene)) for scene in streams.FAILURES]
    found += [(runs.judge_rollout, scene, count(scene)) for scene in streams.ROLLOUTS]
    return found


def work(task: Task) -> dict[str, Any]:
    judge, scene, count = task
    return judge(scene, count)


def show(
    rows: list[dict[str, Any]], columns: tables.Columns, broken: Callable[[dict[str, Any]], str] = runs.broken
) -> None:
    print(f"\n{'situation':<48}{'truth':>8}{'runs':>6}" + "".join(f"{heading:>15}" for _, heading in columns))
    for row in rows:
        shares = "".join(f"{cell:>15}" for cell in tables.cells(row, columns))
        print(f"{row['situation']:<48}{row['truth']:>8}{row['runs']:>6}{shares}  {broken(row)}".rstrip())


def settled(*, quick: bool) -> list[dict[str, Any]]:
    """The rows of watches while a release settles."""

    def count(scene: trends.Settling) -> int:
        return QUICK if quick else MANY if scene.truth == "level" else OTHER

    found: list[dict[str, Any]] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for row in pool.map(work, [(trends.judge_watch, scene, count(scene)) for scene in trends.WATCHES]):
            found.append(row)
            print(f"\r{len(found)} of {len(trends.WATCHES)} watches", end="", file=sys.stderr, flush=True)
    show(found, tables.WATCHES, trends.broken)
    return found


def trend(*, quick: bool) -> int:
    """Those rows alone, in their place among the results."""
    rows = settled(quick=quick)
    if not quick:
        path = Path(__file__).with_name("results") / "judge.json"
        write({**json.loads(path.read_text(encoding="utf-8")), "watches": rows})
    return ended([f"{row['situation']}: {words}" for row in rows if (words := trends.broken(row))])


def write(document: dict[str, Any]) -> None:
    """All results: numbers, tables and the picture."""
    results = Path(__file__).with_name("results")
    (results / "judge.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    parts = (("rows", tables.LATENCIES), ("rollouts", tables.ROLLOUTS), ("watches", tables.WATCHES))
    text = "\n\n".join(tables.markdown(document[part], columns) for part, columns in parts)
    (results / "judge.md").write_text(f"{text}\n", encoding="utf-8")
    (results / "judge.svg").write_text(tables.picture(document["rows"], document["rollouts"]), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} runs a situation; writes nothing")
    parser.add_argument("--cost", action="store_true", help="a million pairs alone: time and memory; writes nothing")
    parser.add_argument("--only", choices=("trend",), help="a part of it alone")
    arguments = parser.parse_args()
    quick = arguments.quick
    if arguments.only == "trend":
        return trend(quick=quick)
    begun = time.perf_counter()
    spent = cost.million()
    if arguments.cost:
        print(cost.told(spent))
        return ended(cost.broken(spent))
    rows: list[dict[str, Any]] = []
    every = tasks(quick=quick)
    with ProcessPoolExecutor(max_workers=2) as pool:
        for row in pool.map(work, every):
            rows.append(row)
            print(f"\r{len(rows)} of {len(every)} situations", end="", file=sys.stderr, flush=True)
        plans = pool.submit(cost.planned, QUICK if quick else 200).result()
    alone, rollouts = rows[: -len(streams.ROLLOUTS)], rows[-len(streams.ROLLOUTS) :]
    show(alone, tables.LATENCIES)
    show(rollouts, tables.ROLLOUTS)
    watches = settled(quick=quick)
    print()
    for one in plans:
        print(
            f"+25 % at spread {one['spread']}, rho {one['rho']}, shared {one['shared']}: planned {one['planned']} "
            f"pairs, which see it in {one['seen']:.0%} of runs, where 90 % was asked for"
        )
    print(cost.told(spent))
    seconds = time.perf_counter() - begun
    print(f"{seconds:.0f} s in all")
    if not quick:
        document = {"rows": alone, "rollouts": rollouts, "watches": watches, "plans": plans, "million": spent}
        write({**document, "seconds": round(seconds)})
    failed = [f"{row['situation']}: {words}" for row in rows if (words := runs.broken(row))]
    failed += [f"{row['situation']}: {words}" for row in watches if (words := trends.broken(row))]
    return ended(failed + cost.broken(spent))


def ended(failed: list[str]) -> int:
    """Say what does not hold; the exit code."""
    for words in failed:
        print(f"does not hold: {words}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
