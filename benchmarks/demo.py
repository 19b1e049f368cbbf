"""Whether equal releases are promoted and slow or failing ones rolled back, by the whole way; a table and results.

    python benchmarks/demo.py [--equal N] [--only equal|faults] [--quick]

Each run is `pytest --env=demo -m "smoke or latency or rollout"` against real processes on loopback and `seatrial gate`
on its reports, under a policy that asks for these suites. First two equal releases, N times; then every fault of the
demo that the load is to see, three times each. Seconds are from the start of the load to its last answer: what a
decision cost. With `--only` the results of the other part stay as they are. Exits 1 where a decision is wrong, or a
fault took more than 60 seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.demo.faults import FAULTS

REPOSITORY = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "demo.json"
MOST = 60.0
EQUAL = "equal"
POLICY = """
extends = "base"
environment = "demo"

[evidence]
expected = "required-suites"

[required]
smoke = {minimum = 1}
latency = {minimum = 2}
rollout = {minimum = 4}
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One decision: what it was, what the load took, and why."""

    decision: str
    seconds: float
    pairs: int
    reasons: tuple[str, ...]


def prepare(folder: Path) -> None:
    """A policy, and an environment in which half a percent of errors is what is tolerated, after up to 40 seconds."""
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "demo.toml").write_text(POLICY)
    demo = (REPOSITORY / "fixtures" / "environments" / "demo.toml").read_text()
    thorough = demo.replace('profile = "streamed"', 'profile = "thorough"').replace("= 0.02", "= 0.005")
    (folder / "thorough" / "environments").mkdir(parents=True)
    (folder / "thorough" / "environments" / "demo.toml").write_text(thorough)


def verify(folder: Path, *arguments: str) -> Run:
    """Run the suites and let the gate decide."""
    reports = folder / "reports"
    command = [sys.executable, "-m", "pytest", "--env=demo", "-q", f"--seatrial-reports={reports}"]
    subprocess.run(
        [*command, "-p", "no:cacheprovider", "-m", "smoke or latency or rollout", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    latest = (reports / "latest").resolve()
    gate = [sys.executable, "-m", "seatrial.cli", "gate", str(latest), "--policy", str(folder / "policies/demo.toml")]
    gate += ["--audit", str(folder / "audit.jsonl")]
    subprocess.run(gate, cwd=REPOSITORY, capture_output=True, check=False)
    decision = json.loads((latest / "decision.json").read_text())
    samples = [json.loads(line) for line in (latest / "samples" / "latency" / "chat.ndjson").open()][1:-1]
    ends = [one["end"] for one in samples if one.get("end") is not None]
    counted = {one["pair"] for one in samples if not one["warm_up"]}
    return Run(
        decision=decision["decision"],
        seconds=max(ends),
        pairs=len(counted),
        reasons=tuple(
            cause["code"] + ": " + "; ".join(f"{case['key']}: {case.get('message', '')}" for case in cause["cases"])
            for cause in decision["causes"]
            if cause["effect"] == decision["decision"]
        ),
    )


def row(name: str, expected: str, runs: list[Run]) -> dict[str, Any]:
    """Tell one situation."""
    right = sum(run.decision == expected for run in runs)
    seconds, pairs = statistics.median(run.seconds for run in runs), statistics.median(run.pairs for run in runs)
    longest = max(run.seconds for run in runs)
    print(
        f"{name:<24}{expected:<10}{right:>3} of {len(runs):<4} median {seconds:5.1f} s, {pairs:6.0f} pairs, "
        f"longest {longest:5.1f} s",
        flush=True,
    )
    for run in runs:
        if run.decision != expected:
            print(f"    {run.decision}: {'; '.join(run.reasons)}", flush=True)
    return {
        "situation": name,
        "expected": expected,
        "runs": len(runs),
        "decisions": dict(Counter(run.decision for run in runs)),
        "median seconds": seconds,
        "longest seconds": longest,
        "median pairs": pairs,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--equal", type=int, default=50, metavar="N", help="runs of two equal releases [50]")
    parser.add_argument("--quick", action="store_true", help="two equal ones, each fault once, and writes nothing")
    parser.add_argument("--only", choices=("equal", "faults"), help="equal releases, or faults, alone")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        if arguments.only != "faults":
            equal = 2 if arguments.quick else arguments.equal
            rows.append(row(EQUAL, "promote", [verify(folder) for _ in range(equal)]))
        for fault in FAULTS:
            if fault.decision != "rollback" or not any(check.startswith("latency/") for check in fault.expected):
                continue
            if arguments.only == "equal":
                break
            options = [f"--demo-fault={fault.name}"]
            if fault.load:
                options.append(f"--seatrial-fixtures={folder / 'thorough'}")
            runs = [verify(folder, *options) for _ in range(1 if arguments.quick else 3)]
            rows.append(row(fault.name, fault.decision, runs))
    wrong = [one["situation"] for one in rows if one["decisions"] != {one["expected"]: one["runs"]}]
    slow = [one["situation"] for one in rows if one["longest seconds"] > MOST]
    if wrong:
        print(f"decided otherwise than expected: {', '.join(wrong)}")
    if slow:
        print(f"took more than {MOST:.0f} s: {', '.join(slow)}")
    if not arguments.quick:
        kept = json.loads(RESULTS.read_text(encoding="utf-8")) if arguments.only and RESULTS.exists() else []
        done = {one["situation"] for one in rows}
        rows = [*rows, *(one for one in kept if one["situation"] not in done)]
        rows.sort(key=lambda one: one["situation"] != EQUAL)
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong or slow else 0


if __name__ == "__main__":
    sys.exit(main())
