"""The gate's contract as a table: reports, a policy and a question, and the decision that follows. By theme."""

from support.decisions import (
    completeness,
    contradictions,
    exemptions,
    fail_open,
    foreign,
    identity,
    outcomes,
    promotion,
    rollback,
    rules,
    unreadable,
)

THEMES = (
    fail_open,
    outcomes,
    completeness,
    identity,
    rollback,
    exemptions,
    foreign,
    contradictions,
    unreadable,
    rules,
    promotion,
)
TABLE = [row for theme in THEMES for row in theme.ROWS]
