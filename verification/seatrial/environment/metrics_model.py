"""Which metrics of a service say what: selectors and templates for the golden signals, PromQL for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from seatrial.environment.section import Section
from seatrial.environment.selector import MatchersText, SelectorText
from seatrial.environment.units import Flag, Number
from seatrial.environment.values import Name, Text


class TrackMatchers(Section):
    """Conditions on labels that tell the series of one track; `${release}` is the version that is asked for."""

    stable: MatchersText = 'track="stable"'
    """of the stable copy, for example `version!="${release}"`"""
    candidate: MatchersText = 'track="candidate"'
    """of the candidate"""


class Saturation(Section):
    """How full a resource may be. Without `gauge` and `query`, `cpu` and `memory` are those of the pods by cAdvisor."""

    gauge: SelectorText | None = None
    """gauge that is held against the limit as it is; the only form that direct scraping can answer"""
    query: Text | None = None
    """PromQL of the share or amount in use; `${select}` is replaced by the labels of service and track"""
    limit: Number = Field(default=0.9, gt=0)
    """largest tolerated value, as a median over the window; of cpu and memory a share of the container's limit"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.gauge is not None and self.query is not None:
            raise ValueError("expected either gauge or query, not both")
        return self


class Business(Section):
    """What the service is there for, as a share of counted events or as a level by PromQL."""

    part: SelectorText | None = None
    """counter of the events in question, for example `orders_total{state="refused"}`"""
    whole: SelectorText | None = None
    """counter of all events that they are a part of"""
    max_share: Number | None = Field(default=None, gt=0, lt=1)
    """largest tolerated share of `part` in `whole`"""
    query: Text | None = None
    """PromQL instead, where there is a Prometheus; `${select}` is replaced by the labels of service and track"""
    min: Number | None = None
    """smallest tolerated value of `query`, as a median over the window"""
    max: Number | None = None
    """largest tolerated value of `query`, as a median over the window"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        counted = (self.part, self.whole, self.max_share)
        if self.query is None and None in counted:
            raise ValueError("expected part, whole and max_share, or query with min or max")
        if self.query is not None and (
            any(part is not None for part in counted) or (self.min, self.max) == (None,) * 2
        ):
            raise ValueError("expected query with min or max, and nothing else")
        return self


class ServiceMetrics(Section):
    """Where the golden signals of a service are. What has a default needs no word where the usual names are used."""

    select: MatchersText | None = None
    """conditions on labels that tell its series in Prometheus; `job="NAME"` where absent"""
    tracks: TrackMatchers = TrackMatchers()
    """conditions that tell its tracks"""
    requests: SelectorText = "http_requests_total"
    """counter of requests"""
    code_label: Name = "code"
    """label of that counter which holds the status code; `5..` are errors where `errors` is absent"""
    errors: SelectorText | None = None
    """counter of failed requests; its series must be among those of `requests`"""
    latency: SelectorText = "http_request_duration_seconds"
    """histogram of latencies in seconds, named without `_bucket`"""
    native: Flag = False
    """whether it is a native histogram, which Prometheus alone has"""
    restarts: SelectorText = "process_start_time_seconds"
    """gauge that changes when a process starts anew"""
    saturation: dict[Name, Saturation] = Field(default={})
    """resources by name"""
    business: dict[Name, Business] = Field(default={})
    """business metrics by name"""
    alerts: MatchersText | None = None
    """conditions on the labels of its alerts; those of `select` where absent"""

    def needs_server(self) -> Iterator[tuple[str, ...]]:
        """Keys of what nobody can answer who only scrapes pages: PromQL, and native histograms."""
        if self.native:
            yield ("native",)
        for name, resource in self.saturation.items():
            if resource.gauge is None:
                yield ("saturation", name)
        for name, metric in self.business.items():
            if metric.query is not None:
                yield ("business", name)
