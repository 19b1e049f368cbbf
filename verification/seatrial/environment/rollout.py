"""How an environment brings releases out, and how a rollout is watched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from seatrial.environment.strategy import Rules
from seatrial.environment.units import Count, Duration, Flag, Number, PositiveDuration
from seatrial.environment.values import Name

Percent = Annotated[Number, Field(gt=0, le=100)]


class Rollout(Rules):
    """How new versions are brought out, the single command that takes one back, and how a rollout is watched."""

    strategy: Literal["rolling", "blue-green", "canary"] = "rolling"
    """how new versions are brought out"""
    rollback_command: tuple[str, ...] = ()
    """the single command that takes a release back, as a list of words"""
    keep_revisions: Count = Field(default=2, ge=1)
    """revisions that must be kept to roll back to"""
    max_restarts: Count = Field(default=0, ge=0)
    """restarts of a container that are still tolerated"""
    steps: tuple[Percent, ...] = (5, 25, 50, 100)
    """percentages of the traffic that a canary gets, one after the other"""
    profile: Name | None = None
    """load profile that judges the candidate at each step; that of the service's `latency` where absent"""
    probe_rate: Number = Field(default=5.0, gt=0, le=100)
    """requests per second of new users to the public address while a rollout is watched"""
    probe_users: Count = Field(default=4, ge=0, le=100)
    """users who stay meanwhile, each asking once a second; half of them talk where load is allowed"""
    step_within: PositiveDuration = 600.0
    """longest time from the word of a step until the traffic is seen to follow"""
    settle: Duration = 600.0
    """time after the last step in which it is still watched"""
    ask_pods: Flag = False
    """whether each new pod of a rolling update is asked for its version at its own address; from inside the cluster"""
    mixed_within: PositiveDuration = 30.0
    """longest time of a blue-green switch in which both versions answer"""
