"""How files come together."""

import hashlib
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment.loading import digest, known, load, merge
from seatrial.environment.locations import FixtureDirectory, data_folders, fixture_directories, shipped
from seatrial.environment.model import Environment

REPOSITORY = Path(__file__).parents[2]
URL = "url.stable = 'https://a.example'\n"

keys = st.sampled_from(["a", "b", "c"])
tables = st.recursive(
    st.dictionaries(keys, st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2), max_size=3),
    lambda inner: st.dictionaries(keys, inner | st.integers(0, 3), max_size=3),
    max_leaves=8,
)


@given(tables)
def test_merging_with_nothing_or_itself_changes_nothing(table: dict[str, Any]) -> None:
    assert merge(table, {}) == merge({}, table) == merge(table, table) == table


@given(tables, tables)
def test_what_lies_on_top_is_all_there(base: dict[str, Any], over: dict[str, Any]) -> None:
    def holds(whole: Any, part: Any) -> bool:
        if isinstance(part, dict):
            return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
        return bool(whole == part)

    merged = merge(base, over)
    assert holds(merged, over)
    assert set(merged) == set(base) | set(over)
    assert {key: base[key] for key in base if key not in over}.items() <= merged.items()


@given(tables, tables)
def test_merging_leaves_both_sides_alone(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = (repr(base), repr(over))
    merge(base, over)
    assert (repr(base), repr(over)) == before


def test_tables_are_merged_lists_replaced(write: Callable[..., Any]) -> None:
    directory = write(
        base="[services.chat]\n" + URL + "required_headers = ['a', 'b']\ntimeout = '1s'\nmodel = 'm'\n",
        t="extends = 'base'\n[services.chat]\nrequired_headers = ['c']\ntimeout = '2s'\n",
    )
    chat = load("t", [directory]).environment.services["chat"]
    assert (chat.required_headers, chat.timeout, chat.model) == (("c",), 2.0, "m")


def test_the_later_of_two_bases_wins_and_a_shared_one_lies_below_both(write: Callable[..., Any]) -> None:
    directory = write(
        base="description = 'base'\n[rollout]\nmax_restarts = 1\nkeep_revisions = 1\n",
        _a="extends = 'base'\n[rollout]\nmax_restarts = 2\n[load]\nmax_rate = 2\n",
        _b="extends = 'base'\n[load]\nmax_rate = 3\n",
        t="extends = ['_a', '_b']\n",
    )
    loaded = load("t", [directory])
    environment = loaded.environment
    assert environment.rollout.max_restarts == 2, "_b extends base too, and does not bring its value back over _a's"
    assert (environment.load.max_rate, environment.rollout.keep_revisions, environment.description) == (3, 1, "base")
    assert [path.stem for path in loaded.files] == ["t", "_b", "_a", "base"]


def test_origin_of_every_value(write: Callable[..., Any]) -> None:
    directory = write(
        base="[services.chat]\n"
        + URL
        + "timeout = '1s'\n[[waivers]]\ncheck = 'a'\nreason = 'r'\nowner = 'o'\nexpires = 2027-01-31\n",
        t="extends = 'base'\n[services.chat]\ntimeout = '2s'\n",
    )
    chain = load("t", [directory]).chain
    folder = directory.path / "environments"
    assert chain.origin(("services", "chat", "timeout")) == f"{folder / 't.toml'}:3"
    assert chain.origin(("services", "chat", "url", "stable")) == f"{folder / 'base.toml'}:2"
    assert chain.origin(("waivers", 0, "owner")) == f"{folder / 'base.toml'}:7"
    assert chain.origin(("services", "chat", "model")) is None


def test_hash_is_of_what_is_said_not_of_how(write: Callable[..., Any]) -> None:
    directory = write(
        base="[services.chat]\n" + URL,
        one="extends = 'base'\n[services.chat]\ntimeout = '2000ms'\nauth = { env = 'TOKEN' }\n",
    )
    other = write(
        "other", one="services.chat = { auth = { env = 'TOKEN' }, timeout = '2s', url.stable = 'https://a.example/' }\n"
    )
    changed = write(
        "changed",
        one="services.chat = { auth = { env = 'TOKEM' }, timeout = '2s', url.stable = 'https://a.example' }\n",
    )
    first, second, third = (load("one", [where]).sha256 for where in (directory, other, changed))
    assert first == second != third
    canonical = json.dumps(Environment(name="x").model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    assert digest(Environment(name="x")) == hashlib.sha256(canonical.encode()).hexdigest()


def test_own_files_win_and_only_the_demo_is_shipped(tmp_path: Path) -> None:
    directories = fixture_directories(tmp_path)
    assert known(directories) == ["demo"]
    own = tmp_path / "fixtures" / "environments"
    own.mkdir(parents=True)
    (own / "staging.toml").write_text("description = 'ours'")
    (own / "base.toml").write_text("description = 'our base'\n[services.ours]\n" + URL)
    assert known(directories) == ["demo", "staging"]
    assert load("staging", directories).environment.description == "ours"
    # The demo stands on the base beside it, never on that of the project.
    assert list(load("demo", directories).environment.services) == ["chat"]
    (own / "mine.toml").write_text("extends = 'base'")
    assert list(load("mine", directories).environment.services) == ["ours"]
    (own / "demo.toml").write_text("description = 'our demo'")
    assert load("demo", directories).environment.description == "our demo"


def test_a_project_may_extend_the_shipped_base_and_demo(tmp_path: Path) -> None:
    own = tmp_path / "fixtures" / "environments"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text("extends = 'demo'\n[services.chat]\ntimeout = '9s'\n")
    environment = load("mine", fixture_directories(tmp_path)).environment
    assert environment.name == "mine"
    assert environment.services["chat"].timeout == 9
    assert environment.cluster is not None


def test_in_a_clone_all_are_offered_once() -> None:
    directories = fixture_directories(REPOSITORY)
    assert [directory.path for directory in directories] == [REPOSITORY / "fixtures"]
    assert known(directories) == ["demo", "dev", "production", "qa", "staging"]
    assert shipped() == REPOSITORY
    assert data_folders(REPOSITORY, "load/profiles") == (REPOSITORY / "load" / "profiles",)


def test_a_given_folder_takes_the_place_of_the_projects_own(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "x.toml").write_text("")
    assert known(fixture_directories(REPOSITORY, str(tmp_path))) == ["demo", "x"]


@pytest.mark.parametrize("name", ["base", "demo", "dev", "qa", "staging", "production"])
def test_shipped_names_are_reserved(name: str) -> None:
    text = (REPOSITORY / "fixtures" / "environments" / f"{name}.toml").read_text()
    assert text.startswith("#:schema ./schema.json\n")
    for host in _hosts(tomllib.loads(text)):
        assert host.endswith(".example") or host.startswith("${target."), f"{host} may belong to somebody (RFC 2606)"


def _hosts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [host for inner in value.values() for host in _hosts(inner)]
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        return [value.split("/")[2]]
    return []


def test_what_is_allowed_narrows_towards_production() -> None:
    directories: list[FixtureDirectory] = fixture_directories(REPOSITORY)
    dev, qa, staging, production = (
        load(name, directories).environment for name in ("dev", "qa", "staging", "production")
    )
    stages = (dev, qa, staging, production)
    assert [stage.data.classification for stage in stages] == [
        "experimental",
        "synthetic",
        "production-like",
        "production",
    ]
    assert [stage.data.allow_writes for stage in stages] == [True, True, True, False]
    assert [stage.data.accounts for stage in stages] == ["any", "synthetic", "synthetic", "synthetic-read-only"]
    rates = [stage.load.max_rate for stage in stages]
    assert rates == sorted(rates, reverse=True)
    errors = [stage.services["chat"].objectives.error_rate for stage in stages]
    assert errors == sorted(errors, reverse=True)
    restarts = [stage.rollout.max_restarts for stage in stages]
    assert restarts == sorted(restarts, reverse=True)
    assert all(stage.rollout.rollback_command for stage in stages)
