"""The short way through large JUnit reports: it says what the parser says, or that it does not know."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.gate import collection, junit
from seatrial.gate.evidence import Reading
from seatrial.gate.junit_plain import PlainCases
from seatrial.gate.xml import XmlProblem

SAMPLES = Path(__file__).parent / "samples"
CASE = '<testcase classname="c" name="n{}" time="0.1"/>'


def suite(*inside: str, more: str = "") -> str:
    return f'<testsuite name="s"{more}>' + "\n".join(inside) + "</testsuite>"


def cases(first: int, last: int) -> str:
    return "".join(CASE.format(number) for number in range(first, last))


def taken(content: str) -> list[tuple[str, str]]:
    """Names and files of the cases that the parser does not see."""
    plain = PlainCases(not_run={"notrun", "skipped"})
    list(plain.replaced([content.encode()]))
    return [case for names, files in plain.waiting for case in zip(names, files, strict=True)]


@pytest.mark.parametrize(
    ("case", "name", "file"),
    [
        ('<testcase classname="c.T" name="t[1-a]" file="t.py" line="8" time="0.0"/>', "c.T::t[1-a]", "t.py"),
        ('<testcase name="t" classname="c.T" time="0.0" />', "c.T::t", ""),
        ('<testcase name="t" time="0.0"></testcase>', "t", ""),
        ('<testcase classname="c" time="0.0">\n  </testcase>', "c", ""),
        ('<testcase name="t > u" classname=""/>', "t > u", ""),
        ('<testcase name="t"><system-out>a "b" [c] d\n\te</system-out></testcase>', "t", ""),
        ('<testcase name="t">\n<system-out></system-out>\n<system-err>e</system-err>\n</testcase>\n', "t", ""),
        ('<testcase name="t" line="3" status="run" result="completed" classname="c" />', "c::t", ""),
    ],
)
def test_plain_cases(case: str, name: str, file: str) -> None:
    assert taken(suite(case)) == [(name, file)]
    quick = junit.read_quickly([suite(case).encode()], "a.xml")
    assert quick is not None
    assert quick.passes[0].tests == {name: file}


@pytest.mark.parametrize(
    "case",
    [
        '<testcase name="a &lt; b"/>',
        '<testcase name="\u2713"/>',
        '<testcase name="a\tb"/>',
        '<testcase name="a<b"/>',
        "<testcase name='a'/>",
        '<testcase name="a" name="b"/>',
        '<testcase name="a" x:name="b"/>',
        '<testcase name="a"  time="1"/>',
        '<testcase name="a" status="notrun"/>',
        '<testcase name="a" result="skipped"/>',
        f'<testcase name="{"a" * 301}"/>',
        '<testcase name="a"><failure/></testcase>',
        '<testcase name="a"><skipped/></testcase>',
        '<testcase name="a"><properties/></testcase>',
        '<testcase name="a">text</testcase>',
        '<testcase name="a"><system-out>a &amp; b</system-out></testcase>',
        '<testcase name="a"><system-out>\u2713</system-out></testcase>',
        '<testcase name="a"><system-out>\x00</system-out></testcase>',
        '<testcase name="a"><system-out>]]></system-out></testcase>',
        '<testcase name="a"><system-out>a > b</system-out></testcase>',
        '<testcase name="a"><system-out><![CDATA[a]]></system-out></testcase>',
        '<testcase name="a"><system-out>a</system-err></testcase>',
        '<testcase name="a"><system-out>a<!-- b --></system-out></testcase>',
        '<testcase name="a">',
    ],
)
def test_cases_that_are_left_to_the_parser(case: str) -> None:
    assert taken(suite(case)) == []


UNSURE = {
    "in a comment": suite("<!--", cases(0, 3), "-->", CASE.format(9)),
    "in an instruction": suite("<?x", cases(0, 3), "?>", CASE.format(9)),
    "in a CDATA section": suite("<system-out><![CDATA[", cases(0, 3)) + "]]></system-out></testsuite>",
    "in an attribute": suite(f'<x y="{cases(0, 1)}"/>', CASE.format(9)),
    "in a broken tag": suite(f"<x {cases(0, 1)} />", CASE.format(9)),
    "in a case": suite('<testcase name="outer">', cases(0, 3), "</testcase>"),
    "in what befell a suite": suite("<error>", cases(0, 3), "</error>"),
    "in no suite": "<testsuites>" + cases(0, 3) + suite(CASE.format(9)) + "</testsuites>",
    "outermost": cases(0, 3),
    "behind the end": suite(CASE.format(9)) + cases(0, 3),
    "end of a suite missing": "<testsuite>" + cases(0, 3),
    "document type": "<!DOCTYPE testsuite>" + suite(cases(0, 3)),
    "too deep": suite("<a>" * 99, cases(0, 3), "</a>" * 99),
}


@pytest.mark.parametrize("name", UNSURE)
def test_reports_that_are_read_again(name: str, tmp_path: Path) -> None:
    content = UNSURE[name].encode()
    chunks = [content[: len(content) // 2], content[len(content) // 2 :]]
    assert junit.read_quickly([content], "a.xml") in (None, junit.read([content], "a.xml"))
    assert junit.read_quickly(chunks, "a.xml") in (None, junit.read([content], "a.xml"))
    assert junit.read_quickly([content], "a.xml") is None
    (tmp_path / "a.xml").write_bytes(content)
    found = collection.read([tmp_path])
    assert found.files == {"a.xml": hashlib.sha256(content).hexdigest()}
    assert found == Reading.joined([junit.read([content], "a.xml"), Reading(files=found.files)])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "utf-8-sig"])
def test_encodings(encoding: str) -> None:
    declared = {"latin-1": '<?xml version="1.0" encoding="iso-8859-1"?>'}.get(encoding, "")
    content = (declared + suite(cases(0, 5), '<testcase name="\u00e9"/>')).encode(encoding)
    assert junit.read_quickly([content], "a.xml") in (None, junit.read([content], "a.xml"))
    # Cases of single bytes inside text of two are no cases.
    mixed = suite("<a>").encode("utf-16") + cases(0, 2).encode()
    assert junit.read_quickly([mixed], "a.xml") is None


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.xml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_samples(path: Path) -> None:
    content = path.read_bytes()
    assert junit.read_quickly([content], "a.xml") in (None, junit.read([content], "a.xml"))


def test_what_waits_does_not_grow() -> None:
    plain = PlainCases(not_run=())
    chunks = iter([suite(cases(0, 3)).encode()] * 3)
    with pytest.raises(XmlProblem):
        list(plain.replaced(chunks))
    assert len(list(chunks)) == 1


PIECES = st.sampled_from(
    [
        *(CASE.format(number) for number in (1, 1, 2, 3)),
        CASE.format(4) + "\n",
        '<testcase classname="c" name="n1" time="0.1"><system-out>o</system-out></testcase>',
        '<testcase classname="c" name="n5" time="0.1"><failure message="m"/></testcase>',
        '<testcase classname="c" name="n6" time="0.1"><skipped/></testcase>',
        '<testcase classname="c" name="n7" time="0.1">',
        '<testcase name="n8" classname="c"/>',
        '<testcase classname="c" name="\u00e9" time="0.1"/>',
        "</testcase>",
        '<testsuite name="i" file="f.py" tests="2">',
        '<testsuite name="pytest">',
        "</testsuite>",
        "<error>",
        "</error>",
        "<system-out>",
        "</system-out>",
        "<properties>",
        "</properties>",
        '<property name="seatrial.run-id" value="r"/>',
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?x",
        "?>",
        '<x y="',
        '"/>',
        "&amp;",
        "\n",
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=30), st.booleans(), st.lists(st.integers(1, 120), max_size=12))
def test_it_says_what_the_parser_says(pieces: list[str], whole: bool, sizes: list[int]) -> None:
    text = "".join(pieces)
    content = (suite(text) if whole else text).encode()
    cuts = sorted({min(sum(sizes[:count]), len(content)) for count in range(len(sizes) + 1)} | {0, len(content)})
    chunks = [content[start:end] for start, end in pairwise(cuts)]
    assert junit.read_quickly(chunks, "a.xml") in (None, junit.read([content], "a.xml"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=20))
def test_a_large_report_is_read_the_short_way_however_it_comes(sizes: list[int]) -> None:
    content = suite(cases(0, 60), '<testcase classname="c" name="n1" time="1"/>', cases(60, 90)).encode()
    cuts = sorted({min(sum(sizes[:count]), len(content)) for count in range(len(sizes) + 1)} | {0, len(content)})
    chunks = [content[start:end] for start, end in pairwise(cuts)]
    assert junit.read_quickly(chunks, "a.xml") == junit.read([content], "a.xml")
