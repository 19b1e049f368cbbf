"""Conversations as pytest items, in a repository of a team's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.fixtures import conversations
from seatrial.plugin import items
from support.chat import Chat, says

REPOSITORY = Path(__file__).parents[2]
IMPORTED = (conversations, items)
"""Here and once: what a run in this process imports is forgotten after it."""

# The hooks are the plugin's own; only what the environment file would say is given here.
CONFTEST = """
import json
from pathlib import Path

from seatrial.environment.model import Environment
from seatrial.evidence.run import Run, RunFolder
from seatrial.fixtures.session import KEY, Context
from seatrial.plugin.items import Items

TOLD = json.loads(Path("told.json").read_text())


class Secrets:
    def resolve(self, ref, where):
        raise ValueError(f"{where}: the variable {ref.env} is not set")

    def values(self):
        return ["s3cret"]


def pytest_configure(config):
    environment = Environment.model_validate(TOLD["environment"])
    run = Run(id="r1", environment=environment.name, phase="post", track=TOLD["track"], started="")
    folder = RunFolder(path=Path("reports"))
    folder.path.mkdir(exist_ok=True)
    here = Context(environment=environment, track=TOLD["track"], phase="post", release=environment.release, origins={},
                   run=run, folder=folder, secrets=Secrets(), load=None)
    config.stash[KEY] = here
    config.addinivalue_line("markers", "synthetic: conversations")
    config.addinivalue_line("markers", "check: a check")
    config.pluginmanager.register(Items(here))


def pytest_runtest_logreport(report):
    if case := getattr(report, "seatrial_case", None):
        with Path("outcomes.jsonl").open("a") as stream:
            stream.write(json.dumps(case) + "\\n")
"""

GREETING = 'title = "greets"\ntags = ["welcome"]\n[[turn]]\nsay = "Hello!"\nexpect.contains = "help"\n'


class Team:
    def __init__(self, pytester: pytest.Pytester, chat: Chat) -> None:
        self.pytester = pytester
        self.folder = pytester.mkdir("synthetic") / "conversations"
        self.folder.mkdir()
        self.url = chat.url
        pytester.makeconftest(CONFTEST)
        pytester.makefile(".toml", pytest='[pytest]\nstrict = true\nfilterwarnings = ["error"]\n')

    def script(self, name: str, text: str = GREETING) -> None:
        (self.folder / f"{name}.toml").write_text(text)

    def run(self, *args: str, track: str = "stable", **environment: Any) -> pytest.RunResult:
        service = {"url": {"stable": self.url, "candidate": self.url}, "timeout": "2s"}
        told = {"environment": {"name": "mine", "services": {"chat": service}} | environment, "track": track}
        (self.pytester.path / "told.json").write_text(json.dumps(told))
        without = (f"-pno:{name}" for name in ("locust", "cacheprovider", "hypothesispytest", "xdist"))
        return self.pytester.runpytest_inprocess(*without, "--tb=short", "-rA", *args)

    def outcomes(self) -> dict[str, dict[str, str]]:
        lines = (self.pytester.path / "outcomes.jsonl").read_text().splitlines()
        return {case["key"]: case for case in map(json.loads, lines)}


@pytest.fixture
def team(pytester: pytest.Pytester, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "verification"))
    return Team(pytester, chat)


def test_one_item_for_each_track(team: Team) -> None:
    team.script("greeting")
    result = team.run("-v", track="candidate")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["synthetic/conversations/greeting.toml::greeting@candidate PASSED*"])
    cases = team.outcomes()
    assert {key: (case["role"], case["outcome"]) for key, case in cases.items()} == {
        "synthetic/greeting[chat]@candidate": ("subject", "pass"),
        "synthetic/greeting[chat]@stable": ("control", "pass"),
    }
    kept = team.pytester.path / "reports" / "samples" / "conversations" / "greeting@candidate.json"
    assert json.loads(kept.read_text())["turns"][0]["reply"]["text"] == "Hello, how can I help you?"


def test_items_are_chosen_by_marker_tag_and_name(team: Team) -> None:
    team.script("greeting")
    team.script("other", GREETING.replace("welcome", "bye"))
    team.run("-m", "synthetic").assert_outcomes(passed=2)
    team.run("-k", "welcome").assert_outcomes(passed=1, deselected=1)
    team.run("synthetic/conversations/other.toml::other@stable").assert_outcomes(passed=1)


def test_a_failing_turn_prints_the_transcript_and_no_traceback(team: Team, chat: Chat) -> None:
    chat.answer = says("Go away. s3cret", "rude")
    team.script("greeting")
    result = team.run("--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            'turn 1 of 1, "Hello!", failed: contains: expected "help", seen "Go away. [[]redacted[]]"',
            "conversation greeting with chat stable (http://127.0.0.1:*",
            "    bot  Go away. [[]redacted[]]",
            '*FAILED contains  expected "help"  |  seen the answer above',
            "*curl -sS*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "conversations.py" not in result.stdout.str()
    assert "curl -sS" in (team.pytester.path / "junit.xml").read_text()
    (case,) = team.outcomes().values()
    assert (case["outcome"], case["limit"], case["n"]) == ("fail", '"help"', "1")


def test_a_broken_script_is_an_error_and_the_others_run(team: Team) -> None:
    team.script("greeting")
    team.script("broken", GREETING.replace("title", "titel"))
    team.script("twin", f'id = "greeting"\n{GREETING}')
    team.script("elsewhere", f'service = "chta"\n{GREETING}')
    (team.folder / "binary.toml").write_bytes(b"\x00\xff")
    team.run().assert_outcomes(passed=1, failed=4)
    cases = team.outcomes()
    assert {key: case["outcome"] for key, case in cases.items()} == {
        "synthetic/greeting[chat]@stable": "pass",
        "synthetic/broken[broken.toml]": "error",
        "synthetic/greeting[twin.toml]": "error",
        "synthetic/elsewhere[elsewhere.toml]": "error",
        "synthetic/binary[binary.toml]": "error",
    }
    folder = "synthetic/conversations"
    assert (
        cases["synthetic/broken[broken.toml]"]["message"]
        == f"{folder}/broken.toml:1: title: expected this key, seen nothing"
    )
    assert "did you mean chat?" in cases["synthetic/elsewhere[elsewhere.toml]"]["message"]


def test_scripts_for_elsewhere_are_not_collected(team: Team) -> None:
    team.script("greeting")
    team.script("staging-only", f'environments = ["staging"]\n{GREETING}')
    team.script("before", f'phases = ["pre"]\n{GREETING}')
    team.run().assert_outcomes(passed=1)


def test_writing_is_skipped_where_it_is_not_allowed(team: Team) -> None:
    team.script("order", f"writes = true\n{GREETING}")
    result = team.run("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*data.allow_writes is false in the environment mine*"])
    (case,) = team.outcomes().values()
    assert "outcome" not in case or case["outcome"] is None
    team.run(data={"allow_writes": True}).assert_outcomes(passed=1)


def test_a_secret_that_is_not_set_is_an_error(team: Team) -> None:
    team.script("greeting")
    service = {"url": {"stable": team.url}, "auth": {"env": "CHAT_TOKEN"}}
    team.run(services={"chat": service}).assert_outcomes(failed=1)
    (case,) = team.outcomes().values()
    assert (case["outcome"], case["message"]) == ("error", "services.chat.auth: the variable CHAT_TOKEN is not set")


def test_without_an_environment_nothing_is_collected(team: Team) -> None:
    team.script("greeting")
    team.pytester.makeconftest(
        "def pytest_collect_file(file_path, parent):\n"
        "    from seatrial.fixtures.conversations import collect_conversations\n"
        "    return collect_conversations(file_path, parent) if file_path.suffix == '.toml' else None\n"
    )
    assert team.run().ret == pytest.ExitCode.NO_TESTS_COLLECTED
