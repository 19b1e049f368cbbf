"""Whatever is done to reports, the gate decides; and neither damage nor a worse outcome makes a decision better."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.evidence.outcome import Outcome
from seatrial.gate import collection, junit, record
from seatrial.gate.decision import Decision, Verdict, decide
from seatrial.gate.evidence import GateCase, Reading, own_values
from seatrial.report import summary, terminal
from support.gate import ask, policy, question
from support.reports import Reports, Told, good, told

NAMES = (
    "junit.xml",
    "evidence.json",
    "a-result.json",
    "allure-results/seatrial-run.json",
    "allure-results/0-result.json",
)
GOOD = good()
BAD = {
    "hold": GOOD.but("smoke/ready", "error").but("synthetic/greeting", None),
    "rollback": GOOD.but("smoke/ready", "fail"),
}


def shown(decision: Decision) -> Decision:
    """The decision, after everything that people or programs read of it has been made."""
    terminal.render(decision, colour=True)
    summary.render(decision)
    record.dumps(record.document(decision, policy(), question()))
    return decision


def decided(files: dict[str, bytes]) -> Verdict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, content in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
        return shown(ask(folder, asked={"environment": "", "release": ""})).verdict


def contents(reports: Reports) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = reports.write(Path(name))
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=200), min_size=1))
def test_random_bytes_never_promote(files: dict[str, bytes]) -> None:
    assert decided(files) is Verdict.HOLD


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["schema", "state", "run", "expected", "outcomes", "key", "outcome", "labels", "name", "value"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([name for name in NAMES if name.endswith("json")]), JSON, st.booleans())
def test_random_json_never_promotes(name: str, value: object, own: bool) -> None:
    if own and isinstance(value, dict):
        value = {"schema": 1, "state": "finished", "run": {}, "expected": [], "outcomes": [], **value}
    assert decided({name: json.dumps(value).encode()}) is Verdict.HOLD


@st.composite
def damages(draw: st.DrawFn, content: bytes) -> bytes:
    """One file cut short, with a piece taken out, overwritten or written twice."""
    start = draw(st.integers(0, len(content)))
    length = draw(st.integers(0, 200))
    kind = draw(st.sampled_from(["cut", "remove", "overwrite", "repeat"]))
    if kind == "cut":
        return content[:start]
    if kind == "remove":
        return content[:start] + content[start + length :]
    if kind == "repeat":
        return content[: start + length] + content[start:]
    new = draw(st.binary(min_size=1, max_size=20))
    return content[:start] + new + content[start + len(new) :]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(BAD)), st.data())
def test_damage_never_promotes(kind: str, data: st.DataObject) -> None:
    files = contents(BAD[kind])
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = data.draw(damages(files[name]))
    assert decided(files) is not Verdict.PROMOTE


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["junit", "allure", "evidence"]), st.sampled_from(sorted(BAD)), st.data())
def test_a_single_report_that_lost_a_piece_never_promotes(only: str, kind: str, data: st.DataObject) -> None:
    files = contents(BAD[kind].only(only))
    name = data.draw(st.sampled_from(sorted(files)))
    start = data.draw(st.integers(0, len(files[name])))
    files[name] = files[name][:start]
    assert decided(files) is not Verdict.PROMOTE


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(contents(BAD["rollback"])))))
def test_taking_files_away_never_promotes(gone: set[str]) -> None:
    assert decided({name: content for name, content in contents(BAD["rollback"]).items() if name not in gone}) is not (
        Verdict.PROMOTE
    )


def reading() -> Reading:
    with tempfile.TemporaryDirectory() as name:
        return collection.read([GOOD.only("evidence").write(Path(name))])


def gate_case(case: Told, source: str = "more") -> GateCase:
    """The case as the gate reads it."""
    return GateCase.of_properties(own_values(case.properties())[1], source=source)


READING = reading()
OUTCOMES = st.sampled_from([*Outcome, None])


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """The good run with other outcomes."""
    outcomes = draw(st.lists(OUTCOMES, min_size=len(READING.cases), max_size=len(READING.cases)))
    some = draw(st.sets(st.integers(0, len(READING.cases) - 1), max_size=4))
    cases = [
        replace(c, outcome=o) if i in some else c for i, (c, o) in enumerate(zip(READING.cases, outcomes, strict=True))
    ]
    return replace(READING, cases=tuple(cases))


def with_cases(base: Reading, cases: Sequence[GateCase]) -> Verdict:
    return shown(decide(replace(base, cases=tuple(cases)), policy(), question())).verdict


@settings(max_examples=150, deadline=None)
@given(readings())
def test_a_failing_critical_check_never_promotes(base: Reading) -> None:
    case = told("smoke/more", "fail", severity="critical")
    assert with_cases(base, [*base.cases, gate_case(case)]) is not Verdict.PROMOTE


@settings(max_examples=150, deadline=None)
@given(readings(), st.data())
def test_a_pass_that_becomes_worse_never_promotes(base: Reading, data: st.DataObject) -> None:
    subjects = [i for i, c in enumerate(base.cases) if c.role == "subject"]
    index = data.draw(st.sampled_from(subjects))
    worse = data.draw(st.sampled_from([Outcome.ERROR, Outcome.INCONCLUSIVE, None]))
    cases = list(base.cases)
    cases[index] = replace(cases[index], outcome=worse)
    assert with_cases(base, cases) is not Verdict.PROMOTE


@settings(max_examples=150, deadline=None)
@given(readings(), st.data())
def test_what_does_not_promote_does_not_when_a_case_gets_worse(base: Reading, data: st.DataObject) -> None:
    order = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.ERROR]
    index = data.draw(st.integers(0, len(base.cases) - 1))
    case = base.cases[index]
    if case.outcome not in order or with_cases(base, base.cases) is Verdict.PROMOTE:
        return
    worse = data.draw(st.sampled_from([o for o in Outcome if o.rank >= (case.outcome or Outcome.PASS).rank]))
    if case.severity == "minor" and worse is Outcome.FAIL:
        return  # A minor failure is noted where an error holds: the failure was looked at.
    cases = list(base.cases)
    cases[index] = replace(case, outcome=worse)
    assert with_cases(base, cases) is not Verdict.PROMOTE or case.role == "control"


@settings(max_examples=100, deadline=None)
@given(readings(), st.randoms(use_true_random=False))
def test_the_order_of_reports_does_not_matter(base: Reading, random: object) -> None:
    cases = list(base.cases)
    random.shuffle(cases)  # type: ignore[attr-defined]
    assert with_cases(base, cases) is with_cases(base, base.cases)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_any_words_can_be_shown(name: str, message: str, release: str) -> None:
    case = told("smoke/x", "fail", obj=name, message=message)
    base = replace(READING, cases=(*READING.cases, gate_case(case, source=name)))
    decision = shown(decide(base, policy(), question(release=release)))
    text = terminal.render(decision)
    assert not [c for c in text if (c != "\n" and ord(c) < 32) or ord(c) in (0x7F, 0x9B, 0x202E, 0x2028)]
    assert "<" not in "".join(line for line in summary.render(decision).splitlines() if "`" not in line)


def rank(verdict: Verdict) -> int:
    return [Verdict.PROMOTE, Verdict.HOLD, Verdict.ROLLBACK].index(verdict)


@settings(max_examples=300, deadline=None)
@given(
    readings(),
    st.sampled_from([Outcome.FAIL, Outcome.ERROR]),
    st.sampled_from(["critical", "major", "minor"]),
    st.sampled_from(["smoke", "rollout", "config", "foreign"]),
    st.sampled_from([{}, {"critical": "note"}, {"major": "note"}, {"minor": "rollback"}]),
    st.integers(0, 20),
    st.booleans(),
)
def test_one_more_bad_case_never_makes_it_better(
    base: Reading,
    outcome: Outcome,
    severity: str,
    suite: str,
    effects: dict[str, str],
    minimum: int,
    dry: bool,
) -> None:
    """Not even where it would complete what a suite must have executed, and whatever the policy makes of it."""
    changes = {
        "effects": effects,
        "required": {suite: {"minimum": max(1, minimum)}},
        "dry_run": ["other/more"] if dry else [],
    }
    more = replace(gate_case(told("other/more", str(outcome), severity=severity)), suite=suite)
    before = decide(base, policy(**changes), question()).verdict
    after = decide(replace(base, cases=(*base.cases, more)), policy(**changes), question()).verdict
    assert rank(after) >= rank(before)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["<testsuite>", "<testsuite><testcase name='a'>", "<testsuites>", ""]))
def test_any_bytes_are_read_or_a_problem(content: bytes, before: str) -> None:
    read = junit.read([before.encode(), content], "x.xml")
    assert read.cases or read.problems or read.runs


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=20))
def test_the_size_of_the_chunks_does_not_matter(sizes: list[int]) -> None:
    content = GOOD.junit().encode()
    cuts = sorted({min(sum(sizes[:count]), len(content)) for count in range(len(sizes) + 1)} | {0, len(content)})
    chunks = [content[start:end] for start, end in pairwise(cuts)]
    assert junit.read(chunks, "x.xml") == junit.read([content], "x.xml")
