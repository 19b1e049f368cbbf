"""Drills: what may be broken on purpose, how the release is brought out again, and how old the last one may be."""

from __future__ import annotations

from pydantic import Field

from seatrial.environment.section import Section
from seatrial.environment.units import Flag, Number, PositiveDuration
from seatrial.environment.values import Name, Text


class Drills(Section):
    """Rollbacks and lost pods on purpose, by `seatrial drill`: permission, bounds, what is asked of the records."""

    allowed: Flag = False
    """whether drills may be held here at all"""
    allowed_in_production: Flag = False
    """asked for as well where `data.classification` is `production` or the environment is called so"""
    services: tuple[Name, ...] = ()
    """services that a drill is about; all of them where absent"""
    promote_command: tuple[str, ...] = ()
    """the single command that brings the release out again after a rollback drill, as a list of words"""
    command_within: PositiveDuration = 600.0
    """longest time that either command may take; it is stopped then"""
    within: PositiveDuration | None = None
    """longest time that a return is waited for; twice `recovery.time_objective` where absent"""
    probe_rate: Number = Field(default=4.0, gt=0, le=50)
    """looks per second at each address during a drill"""
    left_at_most: Number = Field(default=0.1, gt=0, lt=1)
    """share of users who may still get another version, unseen, when one counts as back; 29 answers for a tenth"""
    error_rate: Number | None = Field(default=None, ge=0, le=1)
    """share of users' requests that may fail in a rollback drill; that of the service's objectives where absent"""
    max_gap: PositiveDuration | None = None
    """longest time without a good answer of an address in a rollback drill; `recovery.time_objective` where absent"""
    records: Text = "reports"
    """folder of runs whose drills count as evidence"""
    max_age: PositiveDuration | None = None
    """oldest tolerated last rollback drill; drills are not asked for where absent"""
