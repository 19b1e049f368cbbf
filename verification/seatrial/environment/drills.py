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
    records: Text = "reports"
    """folder of runs whose drills count as evidence"""
    max_age: PositiveDuration | None = None
    """oldest tolerated last rollback drill; drills are not asked for where absent"""
