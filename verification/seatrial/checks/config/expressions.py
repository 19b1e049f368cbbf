"""Checks as data: CEL expressions over objects, as a team writes them into its environment file."""

from __future__ import annotations

from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, assess, finding
from seatrial.environment.model import Environment
from seatrial.environment.strategy import Expression
from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import Severity
from seatrial.snapshot.kinds import KINDS
from seatrial.snapshot.objects import Item

VARIABLE: Final = "object"


class ExpressionProblem(ValueError):
    """An expression that cannot be what it should; the message names it and says why."""


def compiled(expression: Expression) -> Any:
    """The program of an expression. Raises ExpressionProblem for a mistake in it, or a kind that is not read."""
    unknown = [kind for kind in expression.kinds if kind not in KINDS]
    if unknown:
        raise ExpressionProblem(
            f"config.expressions: {expression.id}: unknown kind {unknown[0]}; known: {', '.join(KINDS)}"
        )
    # Costs a third of a second, which only those pay who have expressions.
    import cel

    try:
        return cel.compile(expression.expression)
    except (ValueError, RuntimeError, TypeError) as error:
        problem = " ".join(str(error).split())
        raise ExpressionProblem(f"config.expressions: {expression.id}: {problem}") from None


def check_of(expression: Expression) -> Check:
    """The check that an expression is. Raises ExpressionProblem."""
    program = compiled(expression)

    def judge(item: Item, view: View) -> Findings:
        try:
            answer = program.execute({VARIABLE: item})
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"the expression has no answer for it: {error}; guard fields with has()") from None
        if not isinstance(answer, bool):
            raise ValueError(f"expected true or false, seen {type(answer).__name__}")
        if not answer:
            yield finding(item, "", expression.message, "not so", view=view)

    def run(view: View) -> Assessment:
        return assess(check, judge, view)

    check = Check(
        id=expression.id,
        suite="config",
        severity=Severity(expression.severity),
        trigger=None,
        per="object",
        needs=expression.kinds,
        title=expression.message,
        why=expression.why,
        remedy=expression.remedy,
        run=run,
        kinds=expression.kinds,
    )
    return check


def checks_of(environment: Environment) -> tuple[Check, ...]:
    """The checks that an environment brings itself. Raises ExpressionProblem."""
    return tuple(check_of(expression) for expression in environment.config.expressions)
