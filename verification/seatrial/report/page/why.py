"""Why the decision is what it is: its causes with their cases and numbers, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from seatrial.gate.cause import Cause
from seatrial.gate.decision import Verdict
from seatrial.gate.evidence import GateCase
from seatrial.report.page.markup import SPACE, Html, joined, tag
from seatrial.report.page.material import Material
from seatrial.report.page.words import badge, key, measured, message, state

MAX_CASES: Final = 50


def why(material: Material) -> Html:
    """What decided. A promotion is told by what it rests on."""
    decision = material.decision
    causes = decision.of_effect("rollback", "hold")
    if decision.verdict is Verdict.PROMOTE:
        counts = decision.suites.values()
        passed, expected = sum(count.passed for count in counts), sum(count.expected for count in counts)
        nothing = sum(count.not_applicable for count in counts)
        aside = f", {nothing} had nothing to be about" if nothing else ""
        words = f"Of {expected} planned checks on the track under test {passed} passed{aside}."
        rest = f" The policy {material.policy.name} asks for no more." if material.policy.name else ""
        return tag("p", words + rest, class_="lead")
    return _list(causes)


def noted(material: Material) -> Html | None:
    """What calls for nothing, and that people should know of."""
    causes = material.decision.of_effect("note")
    return _list(causes) if causes else None


def what_next(material: Material) -> Html | None:
    """Commands that bring what is missing or repeat what failed, and advice where no command does."""
    decision = material.decision
    if not decision.next and not decision.advice:
        return None
    commands = [tag("li", tag("pre", tag("code", command))) for command in decision.next]
    advice = tag("ul", *(tag("li", words) for words in decision.advice)) if decision.advice else None
    return joined([tag("ul", *commands, class_="commands") if commands else None, advice])


def _list(causes: Iterable[Cause]) -> Html:
    return joined(_cause(cause) for cause in causes)


def _cause(cause: Cause) -> Html:
    style = {"rollback": "bad", "hold": "odd", "note": "plain"}[cause.effect]
    sentence = tag("h3", f"{cause.sentence[:1].upper()}{cause.sentence[1:]}")
    kind = tag("p", badge(cause.effect), SPACE, cause.kind.value, SPACE, tag("code", cause.reason.code), class_="kind")
    more = len(cause.cases) - MAX_CASES
    rest = tag("p", f"... and {more} more, all in decision.json", class_="aside") if more > 0 else None
    cases = tag("ul", *(_case(case) for case in cause.cases[:MAX_CASES]), class_="cases") if cause.cases else None
    return tag("article", kind, sentence, cases, rest, class_=f"cause {style}")


def _case(case: GateCase) -> Html:
    weight = [badge(case.severity.value)] if case.outcome is not None and not case.foreign else []
    remedy = tag("p", tag("b", "Do:"), SPACE, case.remedy, class_="remedy") if case.remedy and case.outcome else None
    head = tag("p", key(case), SPACE, badge(state(case)), SPACE, *weight, class_="head")
    return tag("li", head, message(case), measured(case), remedy)
