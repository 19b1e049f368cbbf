"""What a good release must have beside good evidence: the environments before, and people who agree."""

from typing import Any

from seatrial.gate.change import Change
from seatrial.gate.precedent import Precedent
from support.approvals import ALICE, BOB, approved, identity
from support.decisions.golden import GOOD, Golden, minutes

IMAGE = "sha256:" + "a1" * 32
OTHER = "sha256:" + "b2" * 32
PINNED = GOOD.of_run(digests=(IMAGE,))
CHAIN = {"promotion": {"after": ["staging"], "max_age": "7d"}}
DEPLOYER = Change(actor="dave", actor_from="--actor")
APPROVAL = {"approval": {"required": True, "identities": [identity(ALICE), identity(BOB)]}}


def before(**changes: Any) -> dict[str, Any]:
    """The question, with a promotion in staging an hour ago."""
    return {"precedents": (precedent(**changes),)}


def precedent(**changes: Any) -> Precedent:
    values: dict[str, Any] = {
        "source": "staging/decision.json",
        "decision": "5" * 64,
        "verdict": "promote",
        "environment": "staging",
        "release": "1.5.0",
        "digests": (IMAGE,),
        "decided": minutes(-60),
    }
    return Precedent(**{**values, **changes})


def chained(name: str, words: str, asked: dict[str, Any]) -> Golden:
    causes = (("no-promotion", words),) if words else ()
    return Golden(name, PINNED, "hold" if words else "promote", causes, policy=CHAIN, asked=asked)


ROWS = [
    chained("promoted before", "", before()),
    chained("digests in another order", "", {"precedents": (precedent(),)}),
    chained("never promoted before", "staging does not vouch for 1.5.0: no decision of it is known", {}),
    chained("promoted in another environment", "no decision of it is known", before(environment="qa")),
    chained("held before", "it decided hold at", before(verdict="hold")),
    chained("another release promoted before", "another release: 1.4.0, asked is 1.5.0", before(release="1.4.0")),
    chained("other images promoted before", f"other images: {OTHER} there, {IMAGE} here", before(digests=(OTHER,))),
    chained("more images promoted before", "other images", before(digests=(IMAGE, OTHER))),
    chained("unknown images promoted before", "none are known there", before(digests=())),
    chained("promoted too long ago", "longer ago than 7d", before(decided=minutes(-8 * 24 * 60))),
    chained("promoted at the edge of the age", "", before(decided=minutes(-7 * 24 * 60))),
    chained("promoted in the future", "it was decided in the future", before(decided=minutes(10))),
    chained("promoted at no time", "it does not say when", before(decided="soon")),
    chained("promoted in shadow", "in shadow, which only tries a policy out", before(shadow=True)),
    chained("promotion that was changed", "was changed since", before(problem="it was changed since")),
    chained(
        "promoted and taken back since",
        f"promoted at {minutes(-60)}, and taken back at {minutes(-30)}",
        {"precedents": (precedent(), precedent(verdict="rollback", decided=minutes(-30)))},
    ),
    chained(
        "taken back, then promoted",
        "",
        {"precedents": (precedent(), precedent(verdict="rollback", decided=minutes(-90)))},
    ),
    chained(
        "another release taken back since",
        "",
        {"precedents": (precedent(), precedent(verdict="rollback", release="1.6.0", decided=minutes(-30)))},
    ),
    chained(
        "promoted, then held",
        "",
        {"precedents": (precedent(), precedent(verdict="hold", decided=minutes(-30)))},
    ),
    Golden(
        "chain without digests",
        GOOD,
        "hold",
        (("no-promotion", "the image digests are not known"),),
        policy=CHAIN,
        asked=before(),
    ),
    Golden(
        "chain by version alone",
        GOOD,
        "promote",
        policy={"promotion": {"after": ["staging"], "same": "release"}},
        asked=before(digests=()),
    ),
    Golden(
        "each environment before",
        PINNED,
        "hold",
        (("no-promotion", "qa does not vouch"),),
        policy={"promotion": {"after": ["qa", "staging"]}},
        asked=before(),
    ),
    Golden(
        "a bad release is taken back whoever vouches",
        PINNED.but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"),),
        policy={**CHAIN, **APPROVAL},
        asked={"change": DEPLOYER},
    ),
    Golden(
        "approved",
        GOOD,
        "promote",
        policy=APPROVAL,
        asked={"change": DEPLOYER, "approvals": (approved(ALICE, GOOD, APPROVAL),)},
    ),
    Golden(
        "not approved",
        GOOD,
        "hold",
        (("no-approval", "needs 1 approval of this evidence"),),
        policy=APPROVAL,
        asked={"change": DEPLOYER},
    ),
    Golden(
        "an approval is no use to what holds",
        GOOD.but("smoke/ready", "error"),
        "hold",
        (("check-errors", "smoke/ready"),),
        policy=APPROVAL,
        asked={"change": DEPLOYER},
    ),
    Golden(
        "approval of other evidence",
        GOOD,
        "hold",
        (("void-approval", "given for another evidence"), ("no-approval", "there is none")),
        policy=APPROVAL,
        asked={"change": DEPLOYER, "approvals": (approved(ALICE, GOOD.of_run(host="other"), APPROVAL),)},
    ),
    Golden(
        "approval without a known deployer",
        GOOD,
        "hold",
        (("no-deployer", "it is not known who deploys"),),
        policy=APPROVAL,
        asked={"approvals": (approved(ALICE, GOOD, APPROVAL),)},
    ),
    Golden(
        "a spoilt approval beside a good one",
        GOOD,
        "promote",
        (("void-approval", "it is no signed file"),),
        policy=APPROVAL,
        asked={"change": DEPLOYER, "approvals": ("nonsense", approved(ALICE, GOOD, APPROVAL))},
    ),
]
