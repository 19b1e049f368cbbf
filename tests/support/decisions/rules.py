"""What else a policy may ask for: freezes, waivers, a manifest of checks, image digests, triggers."""

import datetime as dt
from typing import Any

from seatrial.evidence.outcome import Trigger
from seatrial.gate.calendar_file import CalendarLook, Window
from support.decisions.golden import ALONE, GOOD, IDENTITY_OPTIONAL, Golden, both, foreign
from support.reports import NOW, junit_case

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
IMAGES = GOOD.of_run(digests=(ONE, TWO))


BERLIN = "Europe/Berlin"


def waiver(match: str, days: int = 0, **more: Any) -> dict[str, Any]:
    """A policy that waives ``match`` until ``days`` after the day of the decision, and asks for no number of checks."""
    entry = {"match": match, "owner": "kim", "reason": "CHAT-7", "expires": NOW.date() + dt.timedelta(days=days)}
    return {"waivers": [entry], "required": {}, **more}


def frozen(start: int, end: int, **more: Any) -> dict[str, Any]:
    """A policy with a freeze from ``start`` to ``end`` minutes from the decision."""
    window = {"from": NOW + dt.timedelta(minutes=start), "until": NOW + dt.timedelta(minutes=end), "reason": "sale"}
    return {"freeze": [{**window, **more}]}


def weekly(text: str, zone: str = "") -> dict[str, Any]:
    """A policy with a freeze of every week; the decisions are made on a Monday, 12:00 UTC, 14:00 in Berlin."""
    return {"freeze": [{"weekly": text, "zone": zone, "reason": "no hands"}]}


def manifest(*globs: str) -> dict[str, Any]:
    return {"manifest": {"expected": list(globs)}}


QUARTER_END = CalendarLook(
    calendar="changes.ics",
    windows=(Window(begin=NOW - dt.timedelta(minutes=30), end=NOW + dt.timedelta(minutes=30), summary="quarter end"),),
)

ROWS = [
    # Freezes.
    Golden("frozen", GOOD, "hold", (("frozen", "until 2026-05-04T12:30:00Z"),), policy=frozen(-30, 30)),
    Golden(
        "a calendar that was not read",
        GOOD,
        "hold",
        (("no-calendar", "calendar changes.ics cannot be relied on"),),
        policy={"freeze": [{"calendar": "changes.ics", "reason": "sale"}]},
    ),
    Golden(
        "an event of a calendar",
        GOOD,
        "hold",
        (("frozen", "until 2026-05-04T12:30:00Z (calendar changes.ics, quarter end): sale"),),
        policy={"freeze": [{"calendar": "changes.ics", "reason": "sale"}]},
        asked={"calendars": (QUARTER_END,)},
    ),
    Golden("the first moment of a freeze", GOOD, "hold", (("frozen", "sale"),), policy=frozen(0, 30)),
    Golden("the end of a freeze is outside", GOOD, "promote", policy=frozen(-30, 0)),
    Golden("before a freeze", GOOD, "promote", policy=frozen(1, 30)),
    Golden(
        "a bad release is taken back in a freeze",
        GOOD.but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"), ("frozen", "sale")),
        policy=frozen(-30, 30),
    ),
    Golden(
        "a freeze of rollbacks too",
        GOOD.but("smoke/ready", "fail"),
        "hold",
        (("frozen-whole", "sale"), ("failed-checks", "which is withheld")),
        policy=frozen(-30, 30, allow_rollback=False),
    ),
    Golden(
        "frozen every week, over the weekend",
        GOOD,
        "hold",
        (("frozen", "every week Fri 16:00 to Mon 15:00 Europe/Berlin"),),
        policy=weekly("Fri 16:00 to Mon 15:00", BERLIN),
    ),
    Golden(
        "a weekly freeze by another clock", GOOD, "promote", policy=weekly("Fri 16:00 to Mon 14:00", "Europe/Berlin")
    ),
    Golden(
        "a weekly freeze by UTC",
        GOOD,
        "hold",
        (("frozen", "until 2026-05-04T14:00:00Z (every week Fri 16:00 to Mon 14:00 UTC)"),),
        policy=weekly("Fri 16:00 to Mon 14:00"),
    ),
    Golden("a weekly freeze within a day", GOOD, "promote", policy=weekly("Mon 09:00 to Mon 12:00")),
    Golden(
        "two freezes",
        GOOD,
        "hold",
        (("frozen", "sale"), ("frozen", "sale")),
        policy={"freeze": [*frozen(-1, 1)["freeze"], *frozen(-9, 9)["freeze"]]},
    ),
    # Waivers.
    Golden(
        "waived failure",
        GOOD.but("latency/regression", "fail"),
        "promote",
        (("waived", "1 check waived (latency/regression, of kim, until 2026-05-04: CHAT-7)"),),
        policy=waiver("latency/regression"),
    ),
    Golden(
        "waived critical failure",
        GOOD.but("smoke/ready", "fail"),
        "promote",
        (("waived", "smoke/ready"),),
        policy=waiver("smoke/ready[chat]@candidate"),
    ),
    Golden(
        "waived, could not decide",
        GOOD.but("latency/regression", "inconclusive"),
        "promote",
        (("waived", "latency/regression"),),
        policy=waiver("latency/*"),
    ),
    Golden(
        "a waiver hides no error",
        GOOD.but("latency/regression", "error"),
        "hold",
        (("check-errors", "latency/regression"), ("unused-waiver", "waives nothing")),
        policy=waiver("latency/*"),
    ),
    Golden(
        "a waiver is for nothing that is missing",
        GOOD.without("latency/regression"),
        "hold",
        (("missing-checks", "latency/regression"), ("unused-waiver", "waives nothing")),
        policy=waiver("latency/*"),
    ),
    Golden(
        "the waiver is over",
        GOOD.but("latency/regression", "fail"),
        "hold",
        (("failed-checks", "latency/regression"), ("expired-waiver", "counts again")),
        policy=waiver("latency/*", days=-1),
    ),
    Golden(
        "the waiver is over, and the failure rolls back",
        GOOD.but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"), ("expired-waiver", "counts again")),
        policy=waiver("smoke/ready", days=-1),
    ),
    Golden(
        "a waiver that nothing needs",
        GOOD,
        "promote",
        (("unused-waiver", "waives nothing"),),
        policy=waiver("latency/*", days=-1),
    ),
    Golden(
        "a waiver of what none may waive",
        GOOD.but("smoke/ready", "fail"),
        "rollback",
        (("failed-checks", "smoke/ready"), ("forbidden-waiver", "1 check that none may waive")),
        policy=waiver("smoke/*", waivable={"never": ["smoke/ready"]}),
    ),
    Golden(
        "a waiver of what none may waive, and of what may be",
        GOOD.but("smoke/ready", "fail").but("smoke/live", "fail"),
        "rollback",
        (("failed-checks", "1 check failed"), ("forbidden-waiver", "smoke/ready"), ("waived", "smoke/live")),
        policy=waiver("smoke/*", waivable={"never": ["*/ready"]}),
    ),
    Golden(
        "what is waived completes no suite",
        GOOD.but("smoke/ready", "fail"),
        "hold",
        (("too-few-checks", "suite smoke"), ("waived", "smoke/ready")),
        policy=waiver("smoke/ready", required={"smoke": {"minimum": 4}}),
    ),
    Golden(
        "what is waived is no way back",
        GOOD.but("smoke/ready", "fail").but("rollback/history", "fail", track=""),
        "hold",
        (("no-way-back", "rollback/history"), ("failed-checks", "smoke/ready"), ("waived", "rollback/history")),
        policy=waiver("rollback/history"),
    ),
    # A manifest of checks.
    Golden(
        "all of the manifest was planned", GOOD, "promote", policy={"manifest": {"expected": ["smoke/*", "helm/*"]}}
    ),
    Golden(
        "a check of the manifest was deleted",
        GOOD,
        "hold",
        (("unplanned-checks", "1 entry of the manifest not planned by any run: smoke/dns"),),
        policy={"manifest": {"expected": ["smoke/dns", "smoke/ready[chat]@candidate"]}},
    ),
    Golden(
        "an object of the manifest was deleted",
        GOOD,
        "hold",
        (("unplanned-checks", "smoke/ready[billing]@*"),),
        policy={"manifest": {"expected": ["smoke/ready[billing]@*"]}},
    ),
    Golden(
        "a control is not in the manifest's sense planned",
        GOOD,
        "hold",
        (("unplanned-checks", "smoke/ready[chat]@stable"),),
        policy={"manifest": {"expected": ["smoke/ready[chat]@stable"]}},
    ),
    Golden(
        "planned by the manifest, and skipped",
        GOOD.but("smoke/ready", None),
        "hold",
        (("missing-checks", "smoke/ready"), ("too-few-checks", "suite smoke")),
        policy={"manifest": {"expected": ["smoke/ready"]}},
    ),
    Golden(
        "a foreign test of the manifest was deleted",
        foreign(junit_case("a")),
        "hold",
        (("unplanned-checks", "foreign:t::b"),),
        policy=IDENTITY_OPTIONAL | {"manifest": {"expected": ["foreign:t::a", "foreign:t::b"]}},
    ),
    # Image digests.
    Golden("the images that were asked about", IMAGES, "promote", asked={"digests": (TWO, ONE)}),
    Golden(
        "other images",
        IMAGES,
        "hold",
        (("other-digests", "of others: sha256:222222222222; asked about 1"),),
        asked={"digests": (ONE,)},
    ),
    Golden(
        "one image of two",
        GOOD.of_run(digests=(ONE,)),
        "hold",
        (("other-digests", "not of sha256:222222222222; asked about 2"),),
        asked={"digests": (ONE, TWO)},
    ),
    Golden(
        "other images, and failed",
        IMAGES.but("smoke/ready", "fail"),
        "hold",
        (("other-digests", "of others"), ("failed-checks", "smoke/ready")),
        asked={"digests": (ONE,)},
    ),
    Golden(
        "images asked about, and not told",
        GOOD,
        "hold",
        (("no-digests", "does not say which image digests it was to verify"),),
        asked={"digests": (ONE,)},
    ),
    Golden("images wanted by the policy", IMAGES, "promote", policy={"evidence": {"digests": "same"}}),
    Golden(
        "images wanted by the policy, and not told",
        GOOD,
        "hold",
        (("no-digests", "does not say"),),
        policy={"evidence": {"digests": "same"}},
    ),
    Golden(
        "two runs of other images",
        both(IMAGES, GOOD.of_run(id="b", digests=(ONE,))),
        "hold",
        (("other-digests", "another run about 2"),),
        policy={"evidence": {"digests": "same"}},
    ),
    Golden("two runs of other images, and nobody asks", both(IMAGES, GOOD.of_run(id="b", digests=(ONE,))), "promote"),
    # Which triggers may roll back.
    Golden(
        "a trigger that may not roll back",
        GOOD.but("smoke/ready", "fail", trigger=Trigger.HEALTH),
        "hold",
        (("failed-checks", "the policy says hold"),),
        policy={"triggers": {"rollback": ["latency", "other"]}},
    ),
    Golden(
        "a trigger that may",
        GOOD.but("smoke/ready", "fail", trigger=Trigger.HEALTH),
        "rollback",
        (("failed-checks", "the policy says rollback"),),
        policy={"triggers": {"rollback": ["health"]}},
    ),
    Golden(
        "no trigger, and triggers alone roll back",
        GOOD.but("smoke/ready", "fail"),
        "hold",
        (("failed-checks", "the policy says hold"),),
        policy={"triggers": {"rollback": ["health", "error-rate", "latency"]}},
    ),
    Golden(
        "nothing rolls back by itself",
        ALONE["junit"].but("smoke/ready", "fail"),
        "hold",
        (("failed-checks", "the policy says hold"),),
        policy={"triggers": {"rollback": []}},
    ),
]
