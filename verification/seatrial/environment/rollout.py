"""How an environment brings releases out, and how a rollout is watched."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seatrial.environment.section import Section
from seatrial.environment.units import Count, Duration, Flag, Number, PositiveDuration
from seatrial.environment.values import Name, Text

Percent = Annotated[Number, Field(gt=0, le=100)]


class Rollout(Section):
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


class Shifter(Section):
    """The object in the cluster that shifts the traffic of a service: a watched rollout takes its steps from it.

    One of `httproute`, `argo_rollout` and `service`.
    """

    httproute: Name | None = None
    """HTTPRoute of the Gateway API whose weights are the steps of a canary; `candidate` is the new backend"""
    argo_rollout: Name | None = None
    """Rollout of Argo, canary or blue-green"""
    service: Name | None = None
    """Service whose selector is switched to the `labels` of the candidate, for blue-green"""
    candidate: Name | None = None
    """with `httproute`: name of the Service that is the candidate's backend"""
    labels: dict[Text, Text] = Field(default={})
    """with `service`: what its selector asks for once it has switched"""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("httproute", "argo_rollout", "service") if getattr(self, name) is not None]
        if len(given) != 1:
            seen = " and ".join(given) or "none of them"
            raise ValueError(f"expected one of httproute, argo_rollout and service, seen {seen}")
        if (self.candidate is not None) != (self.httproute is not None):
            raise ValueError("httproute and candidate go together: candidate is the backend that is the new version")
        if bool(self.labels) != (self.service is not None):
            raise ValueError(
                "service and labels go together: labels are what the selector asks for once it has switched"
            )
        return self
