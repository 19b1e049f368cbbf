"""What `seatrial policy show` prints is a policy file that comes to the same policy, whatever stands in it."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import io
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import cli
from seatrial.gate import policy_file
from seatrial.gate.policy import DEFAULT_EFFECTS, SUITES, TRIGGERS, Effects, Policy

POLICIES = Path(__file__).parents[2] / "fixtures" / "policies"


def shown(*words: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert cli.main(["policy", "show", *words]) == 0
    return told.getvalue()


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_policies(path: Path, tmp_path: Path) -> None:
    text = shown(str(path))
    again = tmp_path / path.name
    again.write_text(text)
    wanted = policy_file.load(path, policy_file.folders())
    assert policy_file.load(again) == wanted
    # The first line is a comment, and names the same hash.
    assert text.splitlines()[0] == f"# {path.stem}, sha256 {wanted.sha256()}"


# Whatever TOML can hold, and no more: half of a surrogate pair is no text.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
WORDS = st.lists(TEXT, max_size=3)
DAYS = st.dates(dt.date(1900, 1, 1))
TIMES = st.integers(0, 2**32).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
EXEMPTIONS = st.lists(
    st.fixed_dictionaries({"match": TEXT, "owner": TEXT, "reason": TEXT, "expires": DAYS}), max_size=2
)
WEEKLY = st.fixed_dictionaries({"reason": TEXT, "weekly": st.just("Fri 16:00 to Mon 06:00")})
WINDOW = st.tuples(TEXT, TIMES, st.timedeltas(dt.timedelta(seconds=1), dt.timedelta(days=99)), st.booleans()).map(
    lambda drawn: {
        "reason": drawn[0],
        "from": drawn[1],
        "until": (drawn[1] + drawn[2]).astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45))),
        "allow_rollback": drawn[3],
    }
)
PEOPLE = st.lists(
    st.tuples(TEXT, st.binary(min_size=32, max_size=32), WORDS), max_size=2, unique_by=lambda drawn: drawn[1]
).map(
    lambda people: [
        {"name": name, "key": base64.b64encode(key).decode(), "accounts": accounts} for name, key, accounts in people
    ]
)
EFFECTS = st.dictionaries(
    st.sampled_from(["critical", "major", "minor"]), st.sampled_from(["rollback", "hold", "note"])
)
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "environment": TEXT,
        "required": st.dictionaries(st.sampled_from(SUITES), st.builds(dict, minimum=st.integers(1, 999))),
        "effects": EFFECTS,
        "suite_effects": st.dictionaries(st.sampled_from(SUITES), EFFECTS, max_size=3),
        "rollback": st.builds(dict, requires=WORDS),
        "trigger_rules": st.dictionaries(st.sampled_from(TRIGGERS), st.builds(dict, requires=WORDS)),
        "approval": st.builds(dict, required=st.booleans(), identities=PEOPLE),
        "acting": st.builds(dict, promote=WORDS, rollback=WORDS),
        "audit": st.builds(dict, log=TEXT),
        "manifest": st.builds(dict, expected=WORDS),
        "freeze": st.lists(WEEKLY | WINDOW, max_size=3),
        "waivers": EXEMPTIONS,
        "quarantine": EXEMPTIONS,
        "foreign": st.lists(st.fixed_dictionaries({"match": TEXT}, optional={"trigger": st.just("")}), max_size=2),
        "dry_run": WORDS,
    },
)


@settings(max_examples=150, deadline=None)
@given(content=CONTENT)
def test_any_policy(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    policy = msgspec.convert({**content, "name": "drawn"}, Policy)
    folder = tmp_path_factory.mktemp("policy")
    with pytest.MonkeyPatch.context() as patch:
        # The file that it would come from is what is tested, so the policy is given without one.
        patch.setattr(policy_file, "load", lambda *_: policy)
        text = shown("drawn.toml")
    tomllib.loads(text)
    (folder / "drawn.toml").write_text(text, encoding="utf-8")
    assert policy_file.load(folder / "drawn.toml") == _said(policy)


def _said(policy: Policy) -> Policy:
    """The policy with its general effects said, which is what is shown of those that are left to their defaults."""
    general = {key: getattr(policy.effects, key) or default for key, default in DEFAULT_EFFECTS.items()}
    return msgspec.structs.replace(policy, effects=Effects(**general))
