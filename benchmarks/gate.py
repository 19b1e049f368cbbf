"""How fast the gate decides: 100,000 tests in JUnit and in Allure results, beside what others take for reading them.

    python benchmarks/gate.py [--tests N] [--runs N] [--without-peers]

Each program runs in a process of its own, which is timed whole, its start with it; `min` and `median` are of the
seconds of all runs, `cpu` is the least CPU time, the peak memory is the kernel's. The peers only parse: junitparser
and xunitparser into their objects, junit2json into JSON; `allure` reads the same results and writes its report,
once, and may take three minutes. They are installed below `.cache/gate-peers`. `bare loop` is Python that opens and
reads each file in the order of their names, and nothing else; `bare expat` feeds the JUnit file to the XML parser that
the gate uses and listens to nothing, and `told expat` has Python told of each element and does nothing with it: what
reading by that parser alone would cost at least. `bare Python` starts and ends.

Exits 1 where a criterion does not hold: the JUnit decision within 1 s, below 100 MB, faster than every peer's
parse; the Allure decision at most four times the bare loop; the help and the decision about ten tests within 0.25
s.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PEERS = REPOSITORY / ".cache" / "gate-peers"
RESULT = Path(__file__).parent / "results" / "gate.json"
POLICY = """[evidence]
identity = "optional"
max_age = "any"
[required.smoke]
minimum = 5
[[foreign]]
match = "suite_0*"
suite = "smoke"
severity = "critical"
"""
OUTPUT = "charged 12.50 EUR, order stored\n" * 6
START = 1_777_892_400_000


@dataclass(kw_only=True)
class Row:
    """One program: seconds of each run, megabytes of the largest."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    said: str = ""

    @property
    def best(self) -> float:
        return min(self.seconds)


def timed(name: str, words: Sequence[str], runs: int, *, codes: Sequence[int] = (0,), within: float = 180) -> Row:
    """Run the program several times. Raises RuntimeError where it fails; one that takes too long has `within`."""
    row = Row(name=name)
    for _ in range(runs):
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            try:
                said = process.communicate(timeout=within)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                row.seconds.append(within)
                row.cpu.append(within)
                row.said = f"stopped after {within:.0f} s"
                return row
        row.seconds.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        row.cpu.append(after.ru_utime - used.ru_utime + after.ru_stime - used.ru_stime)
        if process.returncode not in codes:
            raise RuntimeError(f"{name}: exit {process.returncode}: {said[-2_000:]}")
    return row


def peak(words: Sequence[str]) -> float:
    """Megabytes that the program takes at most, by a parent of its own, whose only child it is."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return int(ended.stdout) / 1024


def write_junit(path: Path, tests: int) -> None:
    """As many tools write it: a suite for each fifty tests, some with output, one of them skipped."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f'<?xml version="1.0" encoding="utf-8"?><testsuites name="all" tests="{tests}" failures="0">\n')
        for suite in range(0, tests, 50):
            name = f"suite_{suite // 50:04}"
            count = min(50, tests - suite)
            stream.write(
                f'<testsuite name="{name}" tests="{count}" failures="0" errors="0" skipped="1" '
                f'timestamp="2026-05-04T11:00:00Z" time="1.5" hostname="builder">\n'
            )
            for number in range(count):
                line = (
                    f'<testcase classname="{name}.TestCheckout" name="test_a_basket_is_paid_for[{number}-card-EUR]" '
                    f'file="tests/{name}/test_checkout.py" line="{number}" time="0.0312"'
                )
                if number == 49:
                    stream.write(f'{line}><skipped message="not in this region"/></testcase>\n')
                elif number % 2:
                    stream.write(f"{line}><system-out>{OUTPUT}</system-out></testcase>\n")
                else:
                    stream.write(f"{line}/>\n")
            stream.write("</testsuite>\n")
        stream.write("</testsuites>\n")


def write_allure(folder: Path, tests: int) -> None:
    """One result a test, of about a kilobyte, with a step and labels as allure-pytest writes them."""
    folder.mkdir()
    for number in range(tests):
        name = f"suite_{number // 50:04}"
        result = {
            "name": f"test_a_basket_is_paid_for[{number}]",
            "status": "passed",
            "steps": [{"name": "pay", "status": "passed", "start": START + number, "stop": START + number + 20}],
            "parameters": [{"name": "currency", "value": "'EUR'"}],
            "start": START + number,
            "stop": START + number + 31,
            "uuid": f"{number:032x}",
            "historyId": f"{number:032x}",
            "testCaseId": f"{number:032x}",
            "fullName": f"{name}.test_checkout.TestCheckout#test_a_basket_is_paid_for[{number}]",
            "labels": [
                {"name": key, "value": value}
                for key, value in (
                    ("parentSuite", "tests"),
                    ("suite", name),
                    ("subSuite", "TestCheckout"),
                    ("host", "builder"),
                    ("framework", "pytest"),
                    ("language", "cpython3"),
                    ("package", f"tests.{name}"),
                )
            ],
        }
        (folder / f"{number:032x}-result.json").write_text(json.dumps(result))


EXPAT = """import sys
from xml.parsers import expat
parser = expat.ParserCreate()
if sys.argv[2:]:
    parser.StartElementHandler = parser.EndElementHandler = lambda *_: None
with open(sys.argv[1], "rb") as stream:
    parser.ParseFile(stream)
"""
PYTHON_PEERS = ("junitparser==5.0.3", "lxml==6.1.3", "xunitparser==1.3.4")
"""junitparser parses by lxml where that is installed."""
BARE = """import os, sys
for entry in sorted(os.scandir(sys.argv[1]), key=lambda entry: entry.name):
    descriptor = os.open(entry.path, os.O_RDONLY)
    while os.read(descriptor, 262144):
        pass
    os.close(descriptor)
"""


def peers(path: Path, results: Path, runs: int) -> tuple[list[Row], list[Row]]:
    """Those that parse JUnit, and the one that reads Allure results."""
    python = PEERS / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PYTHON_PEERS], check=True)
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(PEERS)]
    subprocess.run([*npm, "junit2json@3", "allure@3.18.0"], check=True)
    parse = {
        "junitparser": f"from junitparser import JUnitXml; JUnitXml.fromfile({str(path)!r})",
        "xunitparser": f"import xunitparser; xunitparser.parse(open({str(path)!r}, encoding='utf-8'))",
    }
    words = {name: [str(python), "-c", code] for name, code in parse.items()}
    script = f"require('fs').promises.readFile({json.dumps(str(path))}).then(require('junit2json').parse)"
    words["junit2json"] = ["node", "-e", script]
    os.environ["NODE_PATH"] = str(PEERS / "node_modules")
    junit = []
    for name, command in words.items():
        row = timed(name, command, runs)
        row.megabytes = peak(command)
        junit.append(row)
    with tempfile.TemporaryDirectory() as output:
        command = [str(PEERS / "node_modules" / ".bin" / "allure"), "generate", str(results), "-o", output]
        allure = timed("allure generate", command, 1, codes=(0, 1))
    return junit, [allure]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--without-peers", action="store_true")
    given = parser.parse_args()
    # As where it is installed: where bytecode may not be kept, every run would compile the gate anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    work = Path(tempfile.mkdtemp(prefix="gate-bench-"))
    try:
        return measure(work, given)
    finally:
        shutil.rmtree(work)


def measure(work: Path, given: argparse.Namespace) -> int:
    (work / "policy.toml").write_text(POLICY)
    large, small, results = work / "large.xml", work / "small.xml", work / "allure-results"
    write_junit(large, given.tests)
    write_junit(small, 10)
    write_allure(results, given.tests)
    seatrial = [sys.executable, "-m", "seatrial.cli"]
    more = [f"--policy={work / 'policy.toml'}", "--now=2026-05-04T12:00:00Z", f"--output={work / 'out'}"]
    more.append(f"--audit={work / 'audit.jsonl'}")

    def gate(name: str, place: Path) -> Row:
        command = [*seatrial, "gate", str(place), *more]
        row = timed(name, command, given.runs)
        row.megabytes = peak(command)
        return row

    own = gate("seatrial gate: JUnit", large)
    ten = gate("seatrial gate: ten tests", small)
    help_ = timed("seatrial gate --help", [*seatrial, "gate", "--help"], given.runs)
    folder = gate("seatrial gate: Allure", results)
    floors = [
        timed("bare expat over the JUnit file", [sys.executable, "-c", EXPAT, str(large)], given.runs),
        timed("told expat over the JUnit file", [sys.executable, "-c", EXPAT, str(large), "told"], given.runs),
        timed("bare Python", [sys.executable, "-c", "pass"], given.runs),
    ]
    bare = timed("bare loop over the Allure results", [sys.executable, "-c", BARE, str(results)], given.runs)
    junit, allure = ([], []) if given.without_peers else peers(large, results, max(2, given.runs // 2))
    rows = [own, *junit, *floors[:2], folder, bare, *allure, ten, help_, floors[2]]
    ratios = {row.name: row.best / own.best for row in junit} | {row.name: row.best / folder.best for row in allure}
    print(f"{given.tests} tests, JUnit {large.stat().st_size / 1e6:.0f} MB; {given.runs} runs\n")
    print(f"{'':<36}{'min s':>8}{'median s':>10}{'cpu s':>8}{'MB':>7}{'to ours':>9}")
    for row in rows:
        memory = f"{row.megabytes:.0f}" if row.megabytes else ""
        ratio = f"{ratios[row.name]:.1f}" if row.name in ratios else ""
        median = statistics.median(row.seconds)
        print(f"{row.name:<36}{row.best:>8.2f}{median:>10.2f}{min(row.cpu):>8.2f}{memory:>7}{ratio:>9}  {row.said}")
    criteria = {
        "JUnit decision within 1 s": own.best < 1.0,
        "JUnit decision below 100 MB": own.megabytes < 100,
        "Allure decision at most 4 times the bare loop": folder.best <= 4 * bare.best,
        "decision about ten tests within 0.25 s": ten.best < 0.25,
        "help within 0.25 s": help_.best < 0.25,
        **{f"faster than {row.name}": own.best < row.best for row in (*junit,)},
        **{f"Allure decision faster than {row.name}": folder.best < row.best for row in allure},
    }
    print()
    for words, holds in criteria.items():
        print(f"{'ok  ' if holds else 'FAIL'} {words}")
    RESULT.parent.mkdir(exist_ok=True)
    document = {
        "tests": given.tests,
        "junit_bytes": large.stat().st_size,
        "rows": [
            {
                "name": row.name,
                "min_s": round(row.best, 3),
                "median_s": round(statistics.median(row.seconds), 3),
                "cpu_s": round(min(row.cpu), 3),
                "runs": len(row.seconds),
                "peak_mb": round(row.megabytes, 1),
                "said": row.said,
            }
            for row in rows
        ],
        "ratios_to_ours": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "allure_to_bare_loop": round(folder.best / bare.best, 2),
        "criteria": criteria,
    }
    if given.tests == 100_000 and not given.without_peers:
        RESULT.write_text(json.dumps(document, indent=1) + "\n")
    return 0 if all(criteria.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
