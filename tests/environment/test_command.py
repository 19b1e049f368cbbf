"""`seatrial env` and `seatrial init`, as a user runs them."""

import io
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import cli
from seatrial.environment import template
from seatrial.environment.loading import digest, load
from seatrial.environment.locations import FixtureDirectory, fixture_directories
from seatrial.environment.model import Environment
from seatrial.gate import policy_file

REPOSITORY = Path(__file__).parents[2]
SHIPPED = ("demo", "dev", "production", "qa", "staging")
INIT = ["init", "mine", "--url", "https://chat.example", "--yes"]

MINE = """\
[services.chat]
url.stable = "https://chat.example"
auth = { env = "CHAT_TOKEN" }
timeout = "1500ms"

[services."v2.chat"]
url.stable = "https://two.example"
tls.min_days_left = 3

[[waivers]]
check = "image/tag"
reason = 'a "quoted" reason \\ ü'
owner = "us"
expires = 2027-01-31
"""

SHOWN = """\
# mine, sha256 HASH
# FOLDER/mine.toml
# track: stable (default)
# phase: post (SEATRIAL_PHASE)
# release: any (default)
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team's own repository, entered."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEATRIAL_ENV", "SEATRIAL_TRACK", "SEATRIAL_PHASE", "SEATRIAL_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return tmp_path


def mine(project: Path, text: str = MINE) -> None:
    folder = project / "fixtures" / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.toml").write_text(text, encoding="utf-8")


def test_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine(project, "description = 'ours'")
    (project / "fixtures/environments/broken.toml").write_text("x")
    assert cli.main(["env", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "broken       (not valid: see `seatrial env check broken`)",
        "demo         the embedded demo, with a candidate beside stable",
        "mine         ours",
    ]


@pytest.mark.parametrize("words", [["--all"], [], list(SHIPPED)], ids=["all", "none named", "named"])
def test_check_of_what_is_shipped(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert cli.main(["env", "check", *words]) == 0
    out = capsys.readouterr()
    assert [line.split(":")[0] for line in out.out.splitlines()] == list(SHIPPED)
    assert out.err == ""


def test_check_goes_on_after_a_wrong_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine(project, "[runn]")
    assert cli.main(["env", "check", "nowhere", "mine", "demo"]) == 2
    out = capsys.readouterr()
    assert out.out.startswith("demo: valid, 1 service, sha256 ")
    assert "unknown environment 'nowhere'" in out.err
    assert "mine.toml:1: runn: unknown key; did you mean run?" in out.err


def test_check_finds_names_that_lead_nowhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine(
        project,
        "policy = 'dmeo'\n[load]\nallowed = true\n[services.c]\nurl.stable = 'https://a'\nlatency.profile = 'cnary'",
    )
    assert cli.main(["env", "check", "mine"]) == 2
    lines = [line.removeprefix(f"{project}/fixtures/environments/") for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "mine.toml:1: policy: expected the name of a policy, seen 'dmeo'; did you mean demo?",
        (
            "mine.toml:6: services.c.latency.profile: expected the name of a load profile, seen 'cnary'; "
            "did you mean canary?"
        ),
    ]
    (project / "load/profiles").mkdir(parents=True)
    (project / "load/profiles/cnary.toml").touch()
    (project / "fixtures/policies").mkdir(parents=True)
    (project / "fixtures/policies/dmeo.toml").touch()
    assert cli.main(["env", "check", "mine"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show"], "name one environment"),
        (["show", "a", "b"], "name one environment"),
        (["show", "nowhere"], "unknown environment 'nowhere'"),
        (["check", "demo", "--all"], "expected names or --all, seen both"),
    ],
)
def test_wrong_use(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["env", *words]) == 2
    assert message in capsys.readouterr().err


def test_show_names_the_place_of_every_value_and_no_secret(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHAT_TOKEN", "hunter2")
    monkeypatch.setenv("SEATRIAL_PHASE", "post")
    mine(project)
    assert cli.main(["env", "show", "mine"]) == 0
    out = capsys.readouterr().out
    loaded = load("mine", fixture_directories(project))
    folder = str(project / "fixtures" / "environments")
    assert out.startswith(SHOWN.replace("HASH", loaded.sha256).replace("FOLDER", folder))
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in (
        'services.chat.url.stable = "https://chat.example" # mine.toml:2',
        'services.chat.auth = { env = "CHAT_TOKEN" } # mine.toml:3',
        'services.chat.timeout = "1500ms" # mine.toml:4',
        'services.chat.connect_timeout = "2s" # default',
        'services."v2.chat".tls.min_days_left = 3 # mine.toml:8',
    ):
        assert line in lines
    assert "hunter2" not in out


@pytest.mark.parametrize("name", [*SHIPPED, "mine"])
def test_what_is_shown_is_an_environment_of_the_same_hash(
    name: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine(project)
    fixtures = project / "fixtures" if name == "mine" else REPOSITORY / "fixtures"
    assert cli.main(["env", "show", name, "--fixtures", str(fixtures)]) == 0
    (tmp_path / "again" / "environments").mkdir(parents=True)
    (tmp_path / "again" / "environments" / f"{name}.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    again = load(name, [FixtureDirectory(path=tmp_path / "again")])
    assert again.sha256 == load(name, [FixtureDirectory(path=fixtures)]).sha256


def test_show_as_json(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHAT_TOKEN", "hunter2")
    mine(project)
    assert cli.main(["env", "show", "mine", "--json"]) == 0
    out = capsys.readouterr().out
    document = json.loads(out)
    assert document["environment"]["services"]["chat"]["auth"] == {"env": "CHAT_TOKEN"}
    assert document["origins"]["services.chat.timeout"].endswith("mine.toml:4")
    assert document["origins"]["services.chat.model"] == "default"
    assert document["settled"]["track"] == {"value": "stable", "origin": "default"}
    assert digest(Environment.model_validate(document["environment"])) == document["sha256"]
    assert "hunter2" not in out


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["env", "schema"]) == 0
    assert capsys.readouterr().out == (REPOSITORY / "fixtures/environments/schema.json").read_text()


FLAGS = {
    "url alone": [],
    "candidate": ["--candidate-url", "http://candidate.example:8080"],
    "cluster": ["--namespace", "chat", "--workload", "deployment/chat", "--context", "ours"],
    "namespace alone": ["--namespace", "chat"],
    "context alone": ["--context", 'arn:aws:"odd" \\ name'],
    "everything": [
        *("--candidate-url", "https://c.example", "--namespace", "n", "--workload", "statefulset/w"),
        *("--context", "x", "--token-env", "CHAT_TOKEN"),
    ],
}


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_init_writes_what_check_accepts(flags: list[str], project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*INIT, *flags]) == 0
    assert cli.main(["env", "check", "mine"]) == 0, capsys.readouterr().err
    assert sorted(str(path.relative_to(project)) for path in project.rglob("*.*") if path.is_file()) == [
        "fixtures/environments/mine.toml",
        "fixtures/policies/mine.toml",
        "verification/test_smoke.py",
    ]
    policy = policy_file.load(
        project / "fixtures/policies/mine.toml", [policy_file.Folder(path=REPOSITORY / "fixtures/policies")]
    )
    assert policy.environment == "mine"
    compile((project / "verification/test_smoke.py").read_text(), "test_smoke.py", "exec")
    given = dict(zip(flags[::2], flags[1::2], strict=True))
    environment = load("mine", fixture_directories(project)).environment
    service = environment.services["chat"]
    assert service.url.stable == "https://chat.example"
    assert service.url.candidate == given.get("--candidate-url")
    assert environment.run.track == ("candidate" if "--candidate-url" in given else "stable")
    assert (service.namespace, service.workload) == (given.get("--namespace"), given.get("--workload"))
    assert (environment.cluster.context if environment.cluster else None) == given.get("--context")
    assert (environment.data.allow_writes, environment.load.allowed) == (False, False)


def test_every_comment_that_is_a_key_may_be_switched_on() -> None:
    lines = template.environment(template.Answers(name="mine", url="https://chat.example")).splitlines()
    switched = [line.removeprefix("# ") if " = " in line and "{ file" not in line else line for line in lines]
    switched = [line.removeprefix("# ") if line == "# [cluster]" else line for line in switched]
    switched = [line for line in switched if not line.startswith("latency")]
    data = tomllib.loads("\n".join(switched))
    environment = Environment.model_validate({"name": "mine", **data})
    service = environment.services["chat"]
    assert service.url.candidate
    assert service.auth
    assert service.workload
    assert service.health.metrics
    assert environment.cluster
    assert environment.cluster.context


WRONG = {
    "no name": (["init", "--url", "https://a.example"], "NAME is missing"),
    "no url": (["init", "mine"], "--url is missing"),
    "base": (["init", "base", "--url", "https://a.example"], "no base; seen 'base'"),
    "path": (["init", "../x", "--url", "https://a.example"], "seen '../x'"),
    "url": (["init", "mine", "--url", "a.example"], "services.chat.url.stable: expected a URL that begins with"),
    "secret in url": (
        ["init", "mine", "--url", "https://u:hunter2@a.example"],
        "expected a URL without user and password",
    ),
    "secret for its variable": ([*INIT, "--token-env", "hunter2-hunter2"], "services.chat.auth: expected a reference"),
    "workload": ([*INIT, "--workload", "chat"], "services.chat.workload: expected kind/name"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_init_refuses_and_writes_nothing(
    words: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "hunter2" not in err
    assert list(project.iterdir()) == []


def test_init_replaces_nothing_unless_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(INIT) == 0
    written = project / "fixtures/environments/mine.toml"
    module = project / "verification/test_smoke.py"
    written.write_text("# mine now\n")
    module.write_text("# mine too\n")
    assert cli.main(INIT) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert written.read_text() == "# mine now\n"
    assert cli.main(["init", "other", "--url", "https://b.example"]) == 0, "a second environment needs no force"
    assert cli.main([*INIT, "--force"]) == 0
    assert "chat.example" in written.read_text()
    assert module.read_text() == "# mine too\n", "the module is not the environment's to replace"


def test_init_asks_on_a_terminal(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter(["https://chat.example", "", "chat", "deployment/chat", "", "CHAT_TOKEN"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: next(asked))
    assert cli.main(["init", "mine"]) == 0
    service = load("mine", fixture_directories(project)).environment.services["chat"]
    assert (service.workload, service.url.candidate) == ("deployment/chat", None)


def test_init_ends_when_the_answers_do(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert cli.main(["init"]) == 2
    assert "seatrial init:" in capsys.readouterr().err
    assert list(project.iterdir()) == []


def test_init_says_how_to_keep_locusts_plugin_out_where_nothing_does(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(INIT) == 0
    assert 'addopts = ["-p", "no:locust"]' in capsys.readouterr().out
    (project / "pytest.ini").write_text("[pytest]\naddopts = -p no:locust\n")
    assert cli.main([*INIT, "--force"]) == 0
    assert "addopts" not in capsys.readouterr().out


# Blanks of any kind may be cut off by a terminal; what TOML cannot hold is refused, see above.
odd = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@settings(max_examples=50)
@given(context=odd)
def test_answers_are_quoted(context: str) -> None:
    text = template.environment(template.Answers(name="mine", url="https://chat.example", context=context))
    assert tomllib.loads(text)["cluster"]["context"] == context
