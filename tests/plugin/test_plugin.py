"""`pytest --env=NAME` in a team's own repository: what it says, what it leaves, and when it stays out of the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.project import Project

CHECKS = """
    import pytest
    from seatrial.evidence.assessment import Assessment, Finding
    from seatrial.evidence.outcome import CannotLook, Inconclusive, Outcome, Role

    pytestmark = pytest.mark.smoke

    @pytest.mark.check("smoke/pass", severity="critical", trigger="health")
    def test_pass(record):
        record(Assessment.passed("it holds", seen="200", limit="200", n=3))

    def test_plain_assert():
        assert 1 == 2

    def test_fail_with_numbers(record):
        finding = Finding(where="Deployment a/b", path="spec", expected="2", seen="1")
        record(Assessment.of_findings([finding], held="", broken="{count} broken", n=1, remedy="mend it"))

    def test_cannot_look():
        raise CannotLook("the cluster is not reachable")

    def test_inconclusive():
        raise Inconclusive("3 of 40 requests")

    def test_crash():
        {}["absent"]

    @pytest.fixture
    def broken():
        raise RuntimeError("no such thing")

    def test_setup(broken):
        pass

    @pytest.fixture
    def leaks():
        yield
        raise RuntimeError("could not clean up")

    def test_teardown(leaks):
        pass

    def test_skip():
        pytest.skip("not here")

    @pytest.mark.xfail(reason="known", strict=False)
    def test_xfail():
        assert False

    @pytest.mark.xfail(reason="known", strict=True)
    def test_xpass():
        pass

    def test_services(service_target):
        assert service_target.base_url.startswith("http")
"""

OUTCOMES = {
    "smoke/pass": "pass",
    "smoke/plain-assert": "fail",
    "smoke/fail-with-numbers": "fail",
    "smoke/cannot-look": "error",
    "smoke/inconclusive": "inconclusive",
    "smoke/crash": "error",
    "smoke/setup": "error",
    "smoke/teardown": "error",
    "smoke/skip": None,
    "smoke/xfail": None,
    "smoke/xpass": "error",
    "smoke/services": "pass",
}


def test_inert_without_an_environment(project: Project) -> None:
    project.pytester.makepyfile("def test_theirs(): pass")
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*seatrial:*")
    assert not (project.pytester.path / "reports").exists()


@pytest.mark.parametrize("name", ["nowhere", "min", "../mine"])
def test_unknown_environment_is_a_usage_error(project: Project, name: str) -> None:
    project.environment()
    project.pytester.makepyfile(CHECKS)
    result = project.run(f"--env={name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*mine*"])
    assert not (project.pytester.path / "reports").exists()


@pytest.mark.parametrize("option", ["--track=canary", "--phase=later"])
def test_a_wrong_word_is_a_usage_error(project: Project, option: str) -> None:
    project.environment()
    result = project.run("--env=mine", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*expected one of*"])


def test_header_says_what_is_verified(project: Project) -> None:
    project.environment(more='[release]\nversion = "2.0.0"')
    project.pytester.makepyfile(CHECKS)
    result = project.run("--env=mine", "--phase=pre")
    result.stdout.fnmatch_lines(
        [
            "seatrial: *environment mine (command line), phase pre (command line), track stable (file)",
            "seatrial: release wanted: 2.0.0 (file)",
            "seatrial: release seen: chat stable 2.0.1",
            "seatrial: evidence goes to reports/*-mine-*",
        ]
    )


FIRST, SECOND = (f"sha256:{digit * 64}" for digit in "ab")


@pytest.mark.parametrize(
    ("words", "variable", "expected"),
    [
        ([f"--digest={FIRST}", f"--digest={SECOND}"], "", [FIRST, SECOND]),
        ([], f"{FIRST}, {SECOND}", [FIRST, SECOND]),
        ([f"--digest={FIRST}"], SECOND, [FIRST]),
        ([], "", [SECOND]),
    ],
    ids=["command line", "variable", "command line before variable", "file"],
)
def test_digests_that_are_asked_for(
    project: Project, monkeypatch: pytest.MonkeyPatch, words: list[str], variable: str, expected: list[str]
) -> None:
    monkeypatch.setenv("SEATRIAL_DIGESTS", variable)
    project.pytester.makepyfile("""
        def test_what_checks_see(run):
            print(*run.environment.release.digests, *run.release.digests)
    """)
    project.environment(more=f'[release]\ndigests = ["{SECOND}"]')
    result = project.run("--env=mine", "-s", *words)
    result.stdout.fnmatch_lines([f"*{' '.join([*expected, *expected])}*"])
    assert project.evidence()["run"]["digests"].split(",") == expected


def test_a_digest_that_is_none(project: Project) -> None:
    project.environment()
    result = project.run("--env=mine", "--digest=latest")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--digest: expected sha256: and 64 hexadecimal digits, seen 'latest'"])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_outcomes_and_reports(project: Project, workers: str) -> None:
    project.environment()
    project.pytester.makepyfile(CHECKS)
    result = project.run("--env=mine", "--release=2.0.1", "-n", workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert project.outcomes() == OUTCOMES
    document = project.evidence()
    assert document["state"] == "finished"
    assert {case["check"] for case in document["expected"]} == set(OUTCOMES)
    assert document["run"]["release-seen"] == document["run"]["release-wanted"] == "2.0.1"
    by_check = {case["check"]: case for case in document["outcomes"]}
    assert by_check["smoke/pass"]["n"] == "3"
    assert by_check["smoke/pass"]["trigger"] == "health"
    assert by_check["smoke/skip"]["skip_reason"] == "not here"
    assert by_check["smoke/fail-with-numbers"]["findings"][0]["where"] == "Deployment a/b"
    assert by_check["smoke/services"]["object"] == "chat"
    assert by_check["smoke/crash"]["message"].startswith("the check itself crashed: KeyError")
    assert "--env=mine" in by_check["smoke/crash"]["reproduce"]

    junit = project.junit()
    assert set(json.loads(junit.suite["seatrial.expected"])) == {case["key"] for case in document["expected"]}
    assert junit.suite["seatrial.environment"] == "mine"
    written = {case["seatrial.check"]: case.get("seatrial.outcome") for case in junit.cases}
    assert written == OUTCOMES

    labels = {}
    for path in project.latest.glob("allure-results/*-result.json"):
        values = {label["name"]: label["value"] for label in json.loads(path.read_text())["labels"]}
        labels[values["seatrial.check"]] = values.get("seatrial.outcome")
        assert values["seatrial.run-id"] == document["run"]["run-id"]
    assert labels == OUTCOMES
    shared = json.loads((project.latest / "allure-results" / "seatrial-run.json").read_text())
    assert shared["seatrial.expected"] == junit.suite["seatrial.expected"]


def test_failures_read_like_sentences(project: Project) -> None:
    project.environment()
    project.pytester.makepyfile(CHECKS)
    result = project.run("--env=mine", "-k", "fail_with_numbers")
    result.stdout.fnmatch_lines(
        [
            "1 broken",
            "  expected  2",
            "  seen      1",
            "  n         1",
            "  - Deployment a/b spec: *",
            "  next      mend it",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_suite_that_runs_in_part_answers_for_the_rest(project: Project) -> None:
    project.environment()
    project.pytester.makepyfile(CHECKS)
    project.run("--env=mine", "-k", "pass")
    document = project.evidence()
    assert {case["check"] for case in document["expected"]} == set(OUTCOMES)
    assert "missing" in project.run("--env=mine", "-k", "test_pass").stdout.str()


def test_two_items_for_one_case_are_refused(project: Project) -> None:
    project.environment()
    same = '@pytest.mark.check("smoke/same", suite="smoke", object="chat")'
    project.pytester.makepyfile(f"import pytest\n{same}\ndef test_a(): pass\n{same}\ndef test_b(): assert False\n")
    result = project.run("--env=mine")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*two items stand for the case smoke/same*"])


def test_secrets_are_in_no_file_and_not_on_the_screen(project: Project) -> None:
    project.environment()
    project.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.smoke
        def test_leak(secrets, environment, tmp_path):
            token = secrets.resolve(environment.services["chat"].auth, "services.chat.auth")
            print("printed", token)
            assert token == "something else", f"token {token} is refused"
        """
    )
    result = project.run("--env=mine")
    result.assert_outcomes(failed=1)
    assert "s3cret-t0ken" not in result.stdout.str() + result.stderr.str()
    for path in project.latest.rglob("*"):
        assert not path.is_file() or b"s3cret-t0ken" not in path.read_bytes(), path


def test_an_unset_secret_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAT_TOKEN")
    project.environment()
    result = project.run("--env=mine")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*CHAT_TOKEN*"])


def test_a_worker_that_dies_loses_its_check_visibly(project: Project) -> None:
    project.environment()
    project.pytester.makepyfile(
        """
        import os, signal
        import pytest

        pytestmark = pytest.mark.smoke

        @pytest.mark.parametrize("i", range(6))
        def test_one(i):
            if i == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    project.run("--env=mine", "-n", "2")
    outcomes = {case["object"]: case["outcome"] for case in project.evidence()["outcomes"]}
    assert outcomes == {"0": "pass", "1": "pass", "2": "pass", "3": "error", "4": "pass", "5": "pass"}


HANGS = """
    import pathlib, time
    import pytest

    pytestmark = pytest.mark.smoke

    def test_first():
        pass

    def test_second():
        pathlib.Path("here").touch()
        time.sleep(60)

    def test_third():
        pass
"""


def _until_it_hangs(project: Project) -> "subprocess.Popen[bytes]":
    project.environment()
    project.pytester.makepyfile(HANGS)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *project.base, "--env=mine"],
        cwd=project.pytester.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not (project.pytester.path / "here").exists():
        assert process.poll() is None, "pytest ended before its second check"
        assert time.monotonic() < deadline, "pytest did not get to its second check"
    return process


def test_kill_leaves_what_was_expected(project: Project) -> None:
    process = _until_it_hangs(project)
    process.kill()
    process.wait(timeout=30)
    document = project.evidence()
    assert document["state"] == "running"
    assert [case["check"] for case in document["expected"]] == ["smoke/first", "smoke/second", "smoke/third"]
    assert not (project.latest / "junit.xml").exists()


def test_interruption_is_written_down(project: Project) -> None:
    process = _until_it_hangs(project)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == pytest.ExitCode.INTERRUPTED
    document = project.evidence()
    assert document["state"] == "interrupted"
    assert {case["check"]: case["outcome"] for case in document["outcomes"]}["smoke/first"] == "pass"


@pytest.mark.parametrize("option", ["--collect-only", "--help", "--fixtures"])
def test_what_only_tells_touches_nothing(project: Project, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.delenv("CHAT_TOKEN")
    project.environment()
    project.pytester.makepyfile(CHECKS)
    result = project.run("--env=mine", option, "-q")
    assert result.ret == pytest.ExitCode.OK
    assert not (project.pytester.path / "reports").exists()


def test_reports_that_cannot_be_written_are_a_usage_error(project: Project) -> None:
    project.environment()
    project.pytester.path.joinpath("taken").write_text("a file")
    result = project.run("--env=mine", "--seatrial-reports=taken")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--seatrial-reports*"])


def test_a_junit_file_asked_for_elsewhere_is_also_evidence(project: Project, tmp_path: Path) -> None:
    project.environment()
    project.pytester.makepyfile(CHECKS)
    project.run("--env=mine", "--junitxml=elsewhere.xml")
    assert (project.latest / "junit.xml").read_bytes() == (project.pytester.path / "elsewhere.xml").read_bytes()


def test_what_is_kept_names_no_folder_of_the_machine(project: Project) -> None:
    project.environment()
    project.pytester.makepyfile("""
        import pytest
        from pathlib import Path
        from seatrial.evidence.assessment import Assessment, Finding, Outcome

        @pytest.mark.check("smoke/paths", suite="smoke", severity="major")
        def test_paths(record, request):
            here = request.config.rootpath
            found = Finding(where=f"{here}/a.yaml", path="spec", expected="2", seen=f"1 in {here}/b.yaml")
            words = {"broken": f"broken in {here}", "remedy": f"see {here}/c.txt"}
            record(Assessment.of_findings([found], held="", n=1, **words))
    """)
    result = project.run("--env=mine", "--track=stable")
    result.assert_outcomes(failed=1)
    here = str(project.pytester.path)
    assert here not in result.stdout.str().partition("FAILURES")[2].partition("generated xml file")[0]
    (outcome,) = project.evidence()["outcomes"]
    assert here not in json.dumps(outcome)
    assert (outcome["message"], outcome["remedy"]) == ("broken in ./", "see c.txt")
    junit = (project.latest / "junit.xml").read_text()
    assert "see c.txt" in junit
    assert here not in junit
