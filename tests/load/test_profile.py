import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from seatrial.environment.loading import load
from seatrial.environment.locations import fixture_directories
from seatrial.environment.model import LoadLimits
from seatrial.load import documentation
from seatrial.load.profile import ProfileError, check_limits, load_profile, parse_profile

REPOSITORY = Path(__file__).parents[2]
GOOD = 'rate = 40\nduration = "10s"\nprompts = ["hello"]\n'


@pytest.mark.parametrize("name", ["trickle", "smoke", "baseline", "streamed", "thorough", "canary", "stress", "soak"])
def test_the_shipped_profiles_are_valid(name):
    assert load_profile(name).requests(2) > 0


def test_the_default_fits_the_demo():
    baseline = load_profile("streamed")
    assert baseline.warm_up + baseline.duration <= 11
    assert baseline.rate * baseline.duration >= 459  # clean requests that prove less than 1 % failures


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate = \n", "p.toml: not TOML: Invalid value (at line 1, column 8)"),
        (
            'rate = 40\nduration = 10\nprompts = ["hello"]\n',
            "p.toml:2: duration: the unit is missing: write 10s or 10ms",
        ),
        (GOOD.replace("40", "-1"), "p.toml:1: rate: Input should be greater than 0; seen -1"),
        (GOOD + "warmup = '1s'\n", "p.toml:4: warmup: no such key, did you mean 'warm_up'?"),
        (GOOD + "[bounds]\ncpu = 0.5\nunsend = 0.1\n", "p.toml:6: bounds.unsend: no such key, did you mean 'unsent'?"),
        (
            GOOD + "arrival = 'random'\n",
            "p.toml:4: arrival: Input should be 'constant', 'poisson', 'ramp' or 'replay'; seen 'random'",
        ),
        ('duration = "10s"\nprompts = ["hello"]\n', "p.toml: rate: is missing"),
        (GOOD.replace('["hello"]', "[]"), "p.toml:3: prompts: expected a list of texts, at least one; seen []"),
        (GOOD.replace("40", "0.05"), "p.toml: the profile: rate x duration is 0.5: not one request would be sent"),
    ],
)
def test_mistakes_are_shown_with_line_and_key(text, message):
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "p.toml")
    assert message in str(caught.value)


def test_all_mistakes_are_shown_at_once():
    with pytest.raises(ProfileError) as caught:
        parse_profile("rate = 0\nduration = '3'\n", "p.toml")
    assert len(str(caught.value).splitlines()) == 3


def test_the_repository_comes_before_what_is_shipped(tmp_path):
    folder = tmp_path / "load" / "profiles"
    folder.mkdir(parents=True)
    (folder / "baseline.toml").write_text(GOOD)
    assert load_profile("baseline", tmp_path).rate == 40


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(
        ProfileError,
        match=r"baseline, canary, smoke, soak, streamed, stress, thorough, trickle; seen 'nope'; looked in ",
    ):
        load_profile("nope")


def test_what_is_generated_is_current(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert documentation.SCHEMA.read_text(encoding="utf-8") == documentation.schema()
    assert documentation.tables() in documentation.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((REPOSITORY / "load" / "profiles").glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_profiles_are_as_the_schema_says(path):
    schema = json.loads((REPOSITORY / "load" / "profiles" / "schema.json").read_text(encoding="utf-8"))
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(content)) == []
    assert list(Draft202012Validator(schema).iter_errors({**content, "prompts": []}))


def test_limits_name_every_excess():
    profile = parse_profile(GOOD, "p.toml")
    allowed = {"allowed": True, "max_rate": 80, "max_duration": "11s", "max_requests": 880}
    check_limits(profile, LoadLimits.model_validate(allowed), tracks=2, environment="qa")
    with pytest.raises(ProfileError) as caught:
        check_limits(
            profile,
            LoadLimits.model_validate({"allowed": True, "max_rate": 79, "max_duration": "10s", "max_requests": 879}),
            tracks=2,
            environment="qa",
        )
    for part in ("'qa'", "80 requests/s over 2 track(s), load.max_rate is 79", "11 s", "880 requests"):
        assert part in str(caught.value)
    with pytest.raises(ProfileError, match=r"'qa' does not allow load"):
        check_limits(profile, LoadLimits(), tracks=1, environment="qa")


@pytest.mark.parametrize("name", ["demo", "dev", "qa", "staging", "production"])
def test_the_shipped_environments_allow_the_load_that_they_ask_for(name):
    environment = load(name, fixture_directories(Path.cwd())).environment
    for service in environment.services.values():
        if service.latency:
            profile = load_profile(service.latency.profile)
            check_limits(profile, environment.load, tracks=2, environment=name)
