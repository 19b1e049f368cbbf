"""What environment files may say, and the words for what they may not."""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment import documentation, loading
from seatrial.environment.loading import merge
from seatrial.environment.locations import FixtureDirectory, fixture_directories
from seatrial.environment.units import parse_duration

REPOSITORY = Path(__file__).parents[2]
SHIPPED = [FixtureDirectory(path=REPOSITORY / "fixtures")]
NAMES = ("demo", "dev", "production", "qa", "staging")
URL = '[services.chat]\nurl.stable = "https://a.example"\n'

NEVER = (
    'here.toml:3: services.chat.auth: expected a reference, { env = "NAME" } or { file = "PATH" }, '
    "never the secret itself"
)

BAD = [
    (
        "extra_key",
        URL + 'protocoll = "http"',
        "here.toml:3: services.chat.protocoll: unknown key; did you mean protocol?",
    ),
    ("extra_table", "[clutser]", "here.toml:1: clutser: unknown key; did you mean cluster?"),
    (
        "strange_key",
        "[data]\nzzz = 1",
        "here.toml:2: data.zzz: unknown key; known here: accounts, allow_writes, classification",
    ),
    ("no_url", "[services.chat]\nmodel = 'x'", "here.toml:1: services.chat.url: is missing"),
    (
        "no_scheme",
        '[services.chat]\nurl.stable = "a.example"',
        "here.toml:2: services.chat.url.stable: expected a URL that begins with http:// or https://, seen 'a.example'",
    ),
    (
        "password_in_url",
        '[services.chat]\nurl.stable = "https://me:hunter2@a.example"',
        (
            "here.toml:2: services.chat.url.stable: "
            "expected a URL without user and password: write a secret reference where there is one"
        ),
    ),
    (
        "bare_duration",
        URL + "timeout = 3",
        "here.toml:3: services.chat.timeout: the unit is missing: write 3s or 3ms",
    ),
    (
        "odd_duration",
        URL + 'timeout = "3 weeks"',
        (
            "here.toml:3: services.chat.timeout: "
            "expected a number with a unit (ms, s, m, h, d), such as 250ms; seen '3 weeks'"
        ),
    ),
    (
        "long_duration",
        URL + f'timeout = "{"9" * 400}d"',
        "here.toml:3: services.chat.timeout: expected at most 36500d, seen",
    ),
    (
        "wrong_choice",
        '[run]\ntrack = "blue"',
        "here.toml:2: run.track: input should be 'stable' or 'candidate', seen 'blue'",
    ),
    ("negative", "[load]\nmax_rate = -1", "here.toml:2: load.max_rate: input should be greater than 0, seen -1"),
    (
        "secret_as_text",
        URL + 'auth = "hunter2"',
        NEVER,
    ),
    (
        "secret_with_more",
        URL + 'auth = { env = "A", value = "hunter2" }',
        NEVER,
    ),
    (
        "secret_as_table",
        '[databases]\nsessions = "postgres://me:hunter2@db"',
        "here.toml:2: databases.sessions: expected a table, seen str",
    ),
    (
        "workload",
        URL + 'workload = "chatbot"',
        "here.toml: services.chat.workload: expected kind/name such as deployment/chatbot, seen 'chatbot'",
    ),
    (
        "two_ways_in",
        '[cluster]\nkubeconfig = "x"\nin_cluster = true',
        "here.toml: cluster: kubeconfig and in_cluster exclude each other",
    ),
    (
        "load_not_allowed",
        URL + 'latency.profile = "smoke"',
        "here.toml: services.chat.latency: a profile is declared, but load.allowed is false",
    ),
    (
        "no_target",
        '[services.chat]\nurl.stable = "${target.stable_url}"',
        "here.toml: ${target.NAME} is used, but no [target] is declared that could fill it",
    ),
    ("other_name", 'name = "there"', "here.toml: name: expected 'here', the name of the file, seen 'there'"),
    (
        "waiver",
        '[[waivers]]\ncheck = "a"\nowner = "me"\nexpires = 2030-01-01',
        "here.toml:1: waivers.0.reason: is missing",
    ),
    (
        "waiver_two",
        (
            '[[waivers]]\ncheck = "a"\nowner = "me"\nreason = "r"\nexpires = 2030-01-01\n'
            '[[waivers]]\ncheck = "a"\nowner = ""\nreason = "r"\nexpires = 2030-01-01'
        ),
        "here.toml:8: waivers.1.owner: string should have at least 1 character, seen ''",
    ),
    ("not_toml", "= 3", "here.toml: not readable as TOML: Invalid statement (at line 1, column 1)"),
    (
        "extends_nobody",
        'extends = "nobody"',
        "here.toml: extends: expected the name of an environment file, seen 'nobody'",
    ),
    ("extends_number", "extends = 3", "here.toml: extends: expected a name or a list of names, seen 3"),
    ("extends_itself", 'extends = "here"', "here.toml: extends: goes round in a circle: here -> here"),
]


@pytest.mark.parametrize(("text", "words"), [(t, w) for _, t, w in BAD], ids=[name for name, _, _ in BAD])
def test_wrong_files_say_so(problems: Callable[..., str], text: str, words: str) -> None:
    said = problems(text)
    assert said.startswith(words)
    assert said == words or words.endswith(", seen")
    assert "hunter2" not in said


def test_all_problems_at_once(problems: Callable[..., str]) -> None:
    assert problems("[run]\ntrack = 'x'\n[load]\nmax_rat = 1").splitlines() == [
        "here.toml:2: run.track: input should be 'stable' or 'candidate', seen 'x'",
        "here.toml:4: load.max_rat: unknown key; did you mean max_rate?",
    ]


def test_a_problem_is_told_where_it_stands(problems: Callable[..., str]) -> None:
    assert problems('extends = "low"', low="[run]\ntrack = 'x'").startswith("low.toml:2: run.track: ")


def test_a_longer_circle(problems: Callable[..., str]) -> None:
    said = problems('extends = "a"', a='extends = "b"', b='extends = "a"')
    assert said == "a.toml: extends: goes round in a circle: here -> a -> b -> a"


def test_not_utf8(tmp_path: Path, write: Callable[..., list[FixtureDirectory]]) -> None:
    directories = write()
    (tmp_path / "fixtures" / "environments" / "here.toml").write_bytes(b'description = "\xff"')
    with pytest.raises(loading.EnvironmentProblem, match="not readable as TOML"):
        loading.load("here", directories)


@pytest.mark.parametrize("name", ["base", "../here", "", ".", "a/b", "hree"])
def test_unknown_names(write: Callable[..., list[FixtureDirectory]], name: str) -> None:
    directories = write(here="", base="")
    with pytest.raises(loading.EnvironmentProblem) as caught:
        loading.load(name, directories)
    assert f"unknown environment {name!r}." in str(caught.value)
    assert "Known are: here (looked in " in str(caught.value)
    assert ("Did you mean here?" in str(caught.value)) is (name in ("../here", "hree"))


def test_an_empty_project_is_told_of_init(tmp_path: Path) -> None:
    with pytest.raises(loading.EnvironmentProblem, match="none; `seatrial init` writes one"):
        loading.load("here", [FixtureDirectory(path=tmp_path)])


def test_extends_in_order(write: Callable[..., list[FixtureDirectory]], tmp_path: Path) -> None:
    directories = write(
        one=URL + 'model = "one"\nrequired_headers = ["a", "b"]\ntimeout = "1s"',
        two='[services.chat]\nmodel = "two"',
        here='extends = ["one", "two"]\n[services.chat]\nrequired_headers = ["c"]',
    )
    loaded = loading.load("here", directories)
    chat = loaded.environment.services["chat"]
    assert (chat.model, chat.required_headers, chat.timeout) == ("two", ("c",), 1.0)
    assert [path.stem for path in loaded.files] == ["here", "one", "two"]


def test_the_same_file_twice_is_no_circle(write: Callable[..., list[FixtureDirectory]]) -> None:
    directories = write(low="", a='extends = "low"', b='extends = "low"', here='extends = ["a", "b"]')
    assert len(loading.load("here", directories).files) == 5


def test_the_nearest_folder_wins(write: Callable[..., list[FixtureDirectory]], tmp_path: Path) -> None:
    own = write(demo='description = "ours"')
    found = [*own, *SHIPPED]
    assert loading.load("demo", found).environment.description == "ours"
    assert loading.known(found) == sorted(NAMES)
    assert [directory.only for directory in fixture_directories(tmp_path)] == [None, frozenset({"demo", "base"})]
    assert loading.known(fixture_directories(tmp_path)) == ["demo"]
    assert len(fixture_directories(REPOSITORY)) == 1


TARGET = '[target]\nstart = "demo"\n[services.chat]\nurl.stable = "${target.url}/x/"\n[hosts.a]\nspec="local://"\n'


def test_placeholders(write: Callable[..., list[FixtureDirectory]]) -> None:
    directories = write(here=TARGET + 'listening = ["tcp://127.0.0.1:${target.port}"]')
    bare = loading.load("here", directories)
    full = loading.load("here", directories, variables={"url": "http://b", "port": "1"})
    assert bare.environment.services["chat"].url.stable == "${target.url}/x"
    assert full.environment.services["chat"].url.stable == "http://b/x"
    assert full.environment.hosts["a"].listening == ("tcp://127.0.0.1:1",)
    assert bare.sha256 == full.sha256


def test_placeholders_that_nobody_fills(problems: Callable[..., str]) -> None:
    said = problems(TARGET + 'listening = ["${target.prot}"]', variables={"url": "http://b", "port": "1"})
    assert said == "here.toml: hosts.a.listening[0]: the target has no variable 'prot'; it has port, url"
    assert problems(URL, variables={"url": "x"}) == (
        "here.toml: target: expected a [target] table, since the run brings a target up"
    )


def test_hash_is_of_what_is_said_not_of_how(write: Callable[..., list[FixtureDirectory]]) -> None:
    directories = write(a=URL + 'timeout = "1s"', b=URL + 'timeout = "1000ms"  # the same', c=URL + 'timeout = "2s"')
    said = {name: loading.load(name, directories) for name in "abc"}
    dumps = {name: {**loaded.environment.model_dump(), "name": ""} for name, loaded in said.items()}
    assert dumps["a"] == dumps["b"] != dumps["c"]
    assert len({loaded.sha256 for loaded in said.values()}) == 3


TREES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


@given(TABLES, TABLES, TABLES)
def test_merge(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    before = json.dumps([a, b])
    merged = merge(a, b)
    assert json.dumps([a, b]) == before
    assert merge(a, {}) == merge({}, a) == merge(a, a) == a
    assert merge(merged, b) == merged
    assert set(merged) == set(a) | set(b)
    assert lies_on_top(b, merged)
    for key in set(a) - set(b):
        assert merged[key] == a[key]


def lies_on_top(over: Mapping[str, Any], merged: Mapping[str, Any]) -> bool:
    return all(
        lies_on_top(value, merged[key]) if isinstance(value, dict) else merged[key] == value
        for key, value in over.items()
    )


@given(
    st.integers(0, 10**5),
    st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]),
    st.sampled_from(["", " "]),
)
def test_durations(number: int, unit: tuple[str, float], space: str) -> None:
    assert parse_duration(f"{space}{number}{space}{unit[0]}{space}") == pytest.approx(number * unit[1])


@pytest.mark.parametrize(
    "value", ["", "s", "1", "-1s", "1S", "1 s s", "1e3s", "\u0663s", ".5s", "1.s", "infs", True, None, [], 7, 0.5]
)
def test_no_durations(value: object) -> None:
    with pytest.raises(ValueError, match="unit"):
        parse_duration(value)


@given(st.text(max_size=8))
def test_durations_of_the_schema_are_those_of_the_loader(text: str) -> None:
    definition = documentation.schema()["$defs"]["Service"]["properties"]["timeout"]
    try:
        parse_duration(text)
    except ValueError:
        assert not jsonschema.Draft202012Validator(definition).is_valid(text) or not text.isascii() or "\n" in text
    else:
        assert jsonschema.Draft202012Validator(definition).is_valid(text)


# What ships.


@pytest.mark.parametrize("name", NAMES)
def test_shipped_environments_load(name: str) -> None:
    assert loading.load(name, SHIPPED).environment.description


def test_all_that_ships_is_tested() -> None:
    assert loading.known(SHIPPED) == sorted(NAMES)


@pytest.mark.parametrize("name", ["base", *NAMES])
def test_shipped_environments_fit_the_schema(name: str) -> None:
    schema = json.loads((REPOSITORY / "fixtures/environments/schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = tomllib.loads((REPOSITORY / f"fixtures/environments/{name}.toml").read_text(encoding="utf-8"))
    plain = json.loads(json.dumps(data, default=str))
    errors = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(plain)]
    assert errors == []


@pytest.mark.parametrize(
    "text",
    [
        t
        for name, t, _ in BAD
        if name
        in (
            "extra_key",
            "extra_table",
            "bare_duration",
            "wrong_choice",
            "negative",
            "secret_as_text",
            "secret_with_more",
        )
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str) -> None:
    assert not jsonschema.Draft202012Validator(documentation.schema()).is_valid(tomllib.loads(text))


@pytest.mark.parametrize("path", documentation.files(), ids=str)
def test_generated_files_are_in_sync(path: Path) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == documentation.files()[path], "run make docs"


def test_environments_rise_in_strictness() -> None:
    loaded = [loading.load(name, SHIPPED).environment for name in ("dev", "qa", "staging", "production")]
    chats = [environment.services["chat"] for environment in loaded]
    falling: dict[str, list[float]] = {
        "error_rate": [chat.objectives.error_rate for chat in chats],
        "latency_p95": [chat.objectives.latency_p95 or 0 for chat in chats],
        "relative_margin": [chat.objectives.relative_margin for chat in chats],
        "max_restarts": [environment.rollout.max_restarts for environment in loaded],
        "max_rate": [environment.load.max_rate for environment in loaded],
        "allow_writes": [environment.data.allow_writes for environment in loaded],
    }
    rising: dict[str, list[float]] = {
        "min_days_left": [chat.tls.min_days_left for chat in chats],
        "keep_revisions": [environment.rollout.keep_revisions for environment in loaded],
    }
    assert {name: values for name, values in falling.items() if values != sorted(values, reverse=True)} == {}
    assert {name: values for name, values in rising.items() if values != sorted(values)} == {}
    kinds = ["experimental", "synthetic", "production-like", "production"]
    assert [environment.data.classification for environment in loaded] == kinds
    assert not loaded[-1].data.allow_writes
    assert all(environment.rollout.rollback_command for environment in loaded)
