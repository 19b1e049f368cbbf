"""Reports made to harm: whatever is in them, the gate ends with a hold and says why, in bounded memory."""

import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.gate import Decision, allure, collection, junit, record, results
from seatrial.gate.evidence import Reading
from seatrial.report import summary, terminal
from support.gate import ask, policy, question

REPOSITORY = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "samples"
LAX: dict[str, Any] = {"evidence": {"identity": "optional", "max_age": "any"}, "required": {}}
MEMORY = 400 * 1024 * 1024


def decided(folder: Path) -> Decision:
    """The decision under a policy that asks for next to nothing, after all that people read of it has been made."""
    decision = ask(folder, LAX)
    record.dumps(record.document(decision, policy(**LAX), question()))
    for text in (terminal.render(decision), summary.render(decision)):
        assert not [c for c in text if (c != "\n" and ord(c) < 32) or ord(c) in (0x7F, 0x9B, 0x202E, 0x2028)]
    return decision


def suite(inside: str) -> str:
    return f'<testsuite name="s" timestamp="2026-05-04T11:00:00Z">{inside}</testsuite>'


FINE = suite('<testcase name="a"/>')
BOMB = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
HOSTILE_XML: dict[str, str | bytes] = {
    "entities": f'<!DOCTYPE x [<!ENTITY a "a">{BOMB}]>' + suite('<testcase name="&i;"/>'),
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    + suite('<testcase name="a">&a;</testcase>'),
    "external definition": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + FINE,
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>' + FINE,
    "depth": suite("<a>" * 100_000),
    "one long attribute": suite(f'<testcase name="{"a" * 20_000_000}"/>'),
    "attribute twice": suite('<testcase name="a" name="b"/>'),
    "not UTF-8": suite("<testcase name='\xff'/>").encode("latin-1"),
    "another encoding": b'<?xml version="1.0" encoding="utf-7"?>' + FINE.encode(),
    "no such encoding": b'<?xml version="1.0" encoding="../../etc/passwd"?>' + FINE.encode(),
    "NUL": suite('<testcase name="a\0b"/>'),
    "NULs alone": b"\0" * 1_000_000,
    "case in a case": suite('<testcase name="a"><testcase name="b"/></testcase>'),
    "suite in a case": suite(f'<testcase name="a">{FINE}</testcase>'),
    "case in no suite": '<testsuites><testcase name="a"/></testsuites>',
    "two roots": FINE + FINE,
    "another document": "<html><testsuite><testcase name='a'/></testsuite></html>",
    "counts that are none": FINE.replace("<testsuite ", '<testsuite tests="1e999" '),
    "counts below nothing": FINE.replace("<testsuite ", '<testsuite failures="-1" '),
    "more tests declared": FINE.replace("<testsuite ", '<testsuite tests="2" '),
    "fewer tests declared": FINE.replace("<testsuite ", '<testsuite tests="0" '),
    "a failure declared": FINE.replace("<testsuite ", '<testsuite failures="1" '),
    "an error of the suite": suite('<testcase name="a"/><error message="collection failed"/>'),
    "status alone": suite('<testcase name="a" status="notrun"/>'),
}
DEEP = 200_000
HOSTILE_JSON: dict[str, str | bytes] = {
    "depth": "[" * DEEP,
    "depth in a field that is skipped": '{"status":"passed","steps":' + "[" * DEEP + "]" * DEEP + "}",
    "depth in labels": '{"status":"passed","labels":' + "[" * DEEP + "]" * DEEP + "}",
    "number out of range": '{"status":"passed","stop":1e999}',
    "digits": '{"status":"passed","stop":' + "9" * 100_000 + "}",
    "not a number": '{"status":"passed","stop":NaN}',
    "a list": "[]",
    "labels are text": '{"status":"passed","labels":"x"}',
    "status is a list": '{"name":"a","status":["passed"],"stop":1}',
    "status unknown": '{"name":"a","status":"PASSED","stop":1}',
    "no status": '{"name":"a","stop":1}',
    "half a character": '{"name":"\\ud800","status":"failed","stop":1}',
    "not UTF-8": b'{"name":"\xff","status":"passed"}',
    "byte order mark": b'\xef\xbb\xbf{"name":"a","status":"passed"}',
    "NUL": '{"name":"a\0","status":"passed"}',
    "cut": '{"name":"a","status":"passed"',
    "labels without end": '{"status":"passed","labels":[' + "{}," * 2_000_000,
}


@pytest.mark.parametrize("name", HOSTILE_XML)
def test_xml(name: str, tmp_path: Path) -> None:
    content = HOSTILE_XML[name]
    (tmp_path / "a.xml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert decided(tmp_path).verdict == "hold"


@pytest.mark.parametrize("file", ["a-result.json", "evidence.json", "seatrial-run.json"])
@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_json(name: str, file: str, tmp_path: Path) -> None:
    content = HOSTILE_JSON[name]
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    assert decided(tmp_path).verdict == "hold"


EVIL = (
    "<script>alert(1)</script>",
    "\x1b[2J\x1b]8;;http://x\x07",
    "\u202egnp",
    "../../../etc/passwd",
    "a`b|c\n# d",
    "@all",
)


@pytest.mark.parametrize("words", EVIL)
def test_words_that_would_do_something(words: str, tmp_path: Path) -> None:
    result = {
        "name": words,
        "fullName": words,
        "status": "failed",
        "stop": 1,
        "statusDetails": {"message": words},
        "attachments": [{"name": words, "source": words, "type": words}],
    }
    (tmp_path / "a-result.json").write_text(json.dumps(result))
    assert decided(tmp_path).verdict == "hold"


def test_nothing_outside_is_opened(tmp_path: Path) -> None:
    """Whatever a report names, a link points at or an entity asks for: an audit hook sees every file that is opened."""
    inside = tmp_path / "reports"
    inside.mkdir()
    for number, content in enumerate(HOSTILE_XML.values()):
        (inside / f"{number}.xml").write_bytes(content if isinstance(content, bytes) else content.encode())
    evil = {"name": "a", "status": "failed", "attachments": [{"source": "../secret"}, {"source": "/etc/passwd"}]}
    (inside / "a-result.json").write_text(json.dumps(evil))
    (tmp_path / "secret-result.json").write_text("{}")
    (inside / "b-result.json").symlink_to(tmp_path / "secret-result.json")
    (inside / "c.xml").symlink_to("/etc/passwd")
    (inside / "more").symlink_to(tmp_path)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from seatrial.gate import collection\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(f'{event} {args[0]}') if event in\n"
        "    ('open', 'socket.connect', 'socket.getaddrinfo', 'subprocess.Popen', 'os.system') else None)\n"
        "collection.read([Path(sys.argv[1])])\n"
        "print(*(line for line in seen if not line.startswith('open ' + sys.argv[1] + '/')), sep='\\n')\n"
    )
    ended = run([sys.executable, "-c", code, str(inside)])
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "", "")


def socket_file(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory() as short:
        # Their names may only be short.
        server.bind(f"{short}/s")
        Path(f"{short}/s").rename(path)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        socket_file,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path.name),
        lambda path: path.symlink_to("/proc/self/environ"),
    ],
    ids=["pipe", "socket", "device", "link to itself", "outside"],
)
@pytest.mark.parametrize("name", ["x.xml", "x-result.json", "evidence.json"])
def test_files_that_are_none(make: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    (tmp_path / "fine.xml").write_text(FINE)
    make(tmp_path / name)
    decision = decided(tmp_path)
    assert decision.verdict == "hold"
    assert [cause.reason.code for cause in decision.causes] == ["unreadable-report"]


def test_more_files_than_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MAX_FILES", 20)
    for number in range(30):
        (tmp_path / f"{number:02}.xml").write_text(FINE)
    decision = decided(tmp_path)
    assert [cause.reason.code for cause in decision.causes] == ["untrusted-report"]
    assert "beyond the 20 files" in decision.causes[0].sentence


def run(words: list[str], memory: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")}
    return subprocess.run(
        words, env=environ, capture_output=True, text=True, check=False, preexec_fn=limit, timeout=120
    )


@pytest.mark.parametrize("megabytes", [128, pytest.param(1024, marks=pytest.mark.long)])
def test_any_length_of_text_in_bounded_memory(megabytes: int) -> None:
    code = (
        "from seatrial.gate import junit\n"
        "text = b'<system-out>' + b'a line of output\\n' * 65536 + b'</system-out>'\n"
        "def chunks():\n"
        f"    yield b'<testsuite tests=\"{megabytes}\">'\n"
        f"    for n in range({megabytes}):\n"
        "        yield b'<testcase name=\"t%d\"><failure>' % n + text + b'</failure></testcase>'\n"
        "    yield b'</testsuite>'\n"
        "reading = junit.read(chunks(), 'a.xml')\n"
        "print(len(reading.cases), reading.problems)\n"
    )
    ended = run([sys.executable, "-c", code], memory=MEMORY)
    assert (ended.stdout, ended.stderr) == (f"{megabytes} ()\n", "")


def test_bombs_in_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text("[" + "[]," * 12_000_000 + "[]]")
    (tmp_path / "a-result.json").write_text('{"status":"passed","labels":[' + "{}," * 5_000_000 + "{}]}")
    (tmp_path / "b-result.json").write_text('{"status":"passed","steps":[' + "{}," * 5_000_000 + "{}]}")
    (tmp_path / "a.xml").write_bytes(b"<testsuite>" + b"<testcase name='a'/>" * 200_000 + b"<x y='" + b"y" * 30_000_000)
    words = [sys.executable, "-m", "seatrial.cli", "gate", str(tmp_path), "--policy=base", "--now=2026-05-04T12:00:00Z"]
    ended = run(words, memory=MEMORY)
    assert ended.returncode == 10, ended.stderr
    for source in ("a.xml", "a-result.json", "evidence.json"):
        assert f"{source}: " in ended.stdout


READERS: dict[str, Callable[[bytes], Reading]] = {
    "junit": lambda content: junit.read(iter([content]), "a.xml"),
    "allure": lambda content: allure.read([(content, "a-result.json")]),
    "run": lambda content: results.read_run(content, "seatrial-run.json"),
    "evidence": lambda content: results.read_evidence(content, "evidence.json"),
}
TOKENS = st.sampled_from(
    [
        *("<testsuite>", "</testsuite>", "<testsuites>", "</testsuites>", "<testcase name='a'>", "</testcase>"),
        *("<failure/>", "<error>", "</error>", "<skipped/>", "<flakyFailure/>", "<rerunError/>", "<a:testcase/>"),
        *("<properties>", "</properties>", "<property name='seatrial.key' value='a[b]'/>", "<![CDATA[", "]]>"),
        *("<property name='seatrial.schema' value='1'/>", "<property name='seatrial.expected' value='[1]'/>"),
        *("<!--", "-->", "<?x?>", "&#0;", "&lt;", "<testsuite tests='9' failures='x'>", "\ufffe", "text"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=200))
def test_no_bytes_raise(reader: str, content: bytes) -> None:
    assert isinstance(READERS[reader](content), Reading)


@settings(max_examples=200, deadline=None)
@given(st.lists(TOKENS, max_size=25), st.booleans())
def test_no_elements_raise(tokens: list[str], whole: bool) -> None:
    text = "".join(tokens)
    READERS["junit"]((suite(text) if whole else text).encode("utf-8", "surrogatepass"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("name", "fullName", "historyId", "status", "statusDetails", "labels", "start", "stop")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8), min_size=1, max_size=3))
def test_no_results_raise(written: list[dict[str, Any]]) -> None:
    allure.read((json.dumps(result).encode(), f"{n}-result.json") for n, result in enumerate(written))


def failing() -> Iterator[Path]:
    """Samples with a failure or an error in them."""
    for path in sorted(SAMPLES.glob("*/expected.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["fail"] or told["error"]:
            yield path.parent


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "expected.json"}


FAILING = {folder.name: contents(folder) for folder in failing()}


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The file cut short, with a piece gone, overwritten, or with bytes put in."""
    start = draw(st.integers(0, len(content)))
    length = draw(st.integers(1, 300))
    kind = draw(st.sampled_from(["cut", "remove", "overwrite", "insert", "flip"]))
    if kind == "cut":
        return content[:start]
    if kind == "remove":
        return content[:start] + content[start + length :]
    if kind == "flip" and start < len(content):
        return content[:start] + bytes([content[start] ^ (1 << draw(st.integers(0, 7)))]) + content[start + 1 :]
    new = draw(st.binary(min_size=1, max_size=12))
    return content[:start] + new + content[start + (len(new) if kind == "overwrite" else 0) :]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(FAILING)), st.data())
def test_damage_to_a_report_that_fails_never_promotes(name: str, data: st.DataObject) -> None:
    files = dict(FAILING[name])
    chosen = data.draw(st.sampled_from(sorted(files)))
    files[chosen] = data.draw(damaged(files[chosen]))
    assert verdict(files.items()) != "promote"


@pytest.mark.parametrize("name", sorted(FAILING))
def test_lines_that_are_gone_never_promote(name: str) -> None:
    """A part that leaves the rest well formed: every element of a failure, one at a time, and every case with one."""

    elements = re.compile(rb"<(failure|error)\b[^>]*?(/>|>.*?</\1>)|<testcase\b[^>]*[^/]>.*?</testcase>", re.DOTALL)
    for file, content in FAILING[name].items():
        for found in elements.finditer(content) if file.endswith(".xml") else ():
            files = {**FAILING[name], file: content[: found.start()] + content[found.end() :]}
            assert verdict(files.items()) != "promote"


def verdict(files: Iterable[tuple[str, bytes]]) -> str:
    with tempfile.TemporaryDirectory() as name:
        for path, content in files:
            (Path(name) / path).write_bytes(content)
        return ask(Path(name), LAX).verdict
