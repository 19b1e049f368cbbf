"""The gate's page is what the code says."""

import tomllib
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest

from seatrial.gate import policy_schema
from seatrial.gate.documentation import page
from seatrial.gate.policy_file import Folder, load
from support.decisions import page as cases

REPOSITORY = Path(__file__).parents[2]
POLICIES = REPOSITORY / "fixtures" / "policies"


def test_page_is_in_sync() -> None:
    assert (REPOSITORY / "docs" / "gate.md").read_text(encoding="utf-8") == page(), "run make docs"


def test_cases_are_in_sync() -> None:
    assert (REPOSITORY / "docs" / "gate-cases.md").read_text(encoding="utf-8") == cases.page(), "run make docs"


def test_schema_is_in_sync() -> None:
    assert (POLICIES / "schema.json").read_text(encoding="utf-8") == policy_schema.text(), "run make docs"


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_policies_are_as_the_schema_says(path: Path) -> None:
    jsonschema.validate(tomllib.loads(path.read_text()), policy_schema.schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "text",
    [
        "enviroment = 'x'",
        "[required.smok]",
        "[required.smoke]\nminimum = 0",
        "[effects.smoke.smoke]\nminor = 'hold'",
        "[effects.confg]\nminor = 'hold'",
        "[rollback.speed]\nrequires = []",
        "[triggers]\nrollback = ['speed']",
        "[[freeze]]\nweekly = 'Fri to Mon'\nreason = 'x'",
        "[[waivers]]\nmatch = 'x'",
        "[evidence]\ndigests = 'none'",
    ],
)
def test_the_schema_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), policy_schema.schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_policies_load(path: Path) -> None:
    assert load(path, [Folder(path=POLICIES)]).environment == ("" if path.stem == "base" else path.stem)


def test_shipped_policies_rise_in_strictness() -> None:
    policies = [
        load(POLICIES / f"{name}.toml", [Folder(path=POLICIES)]) for name in ("dev", "qa", "staging", "production")
    ]
    ages = [policy.evidence.max_age_seconds for policy in policies]
    assert ages == sorted(ages, reverse=True)
    rank = ["note", "hold", "rollback"]
    for lax, strict in pairwise(policies):
        for suite, rule in lax.required.items():
            assert strict.required[suite].minimum >= rule.minimum
        for suite in ("smoke", "synthetic", "config", "latency", "rollout"):
            for severity in ("critical", "major", "minor"):
                assert rank.index(strict.effect(suite, severity)) >= rank.index(lax.effect(suite, severity))
    assert policies[-1].budgets == type(policies[-1].budgets)()
