"""The gate's page is what the code says."""

from itertools import pairwise
from pathlib import Path

import pytest

from seatrial.gate.documentation import page
from seatrial.gate.policy_file import Folder, load

REPOSITORY = Path(__file__).parents[2]
POLICIES = REPOSITORY / "fixtures" / "policies"


def test_page_is_in_sync() -> None:
    assert (REPOSITORY / "docs" / "gate.md").read_text(encoding="utf-8") == page(), "run make docs"


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
