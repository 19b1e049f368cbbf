"""The golden signals of one service: of the track under test, and of what it is compared with."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from seatrial.environment.metrics_model import Saturation, ServiceMetrics
from seatrial.environment.model import Metrics
from seatrial.environment.selection import ServiceTarget
from seatrial.environment.selector import Matcher, Selector
from seatrial.evidence.outcome import CannotLook
from seatrial.metrics.alerts import Alert
from seatrial.metrics.increase import bucketed, counted
from seatrial.metrics.series import NoEvidence, Series, Window
from seatrial.metrics.source import ScrapeSource, Source
from seatrial.metrics.windows import Spans, spans

_UP: Final = Selector(name="up")

_POD: Final = 'namespace="{namespace}",pod=~"{workload}{suffix}",container!=""'
_SUFFIXES: Final = {"deployment": "-[a-z0-9]+-[a-z0-9]+", "statefulset": "-[0-9]+", "daemonset": "-[a-z0-9]+"}
"""How pods of a workload are called after it, so that those of `chatbot-candidate` are not taken for `chatbot`'s."""
_TEMPLATES: Final = {
    "cpu": (
        "max by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{{{pod}}}[{rate:.0f}s])) "
        "/ on (namespace, pod, container) max by (namespace, pod, container) "
        '(kube_pod_container_resource_limits{{resource="cpu",{pod}}})'
    ),
    "memory": (
        "max by (namespace, pod, container) (container_memory_working_set_bytes{{{pod}}}) "
        "/ on (namespace, pod, container) max by (namespace, pod, container) "
        '(kube_pod_container_resource_limits{{resource="memory",{pod}}})'
    ),
}
"""Use as a share of the container's limit: cAdvisor's metrics over those of kube-state-metrics."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One track over one window."""

    target: ServiceTarget
    window: Window

    def __str__(self) -> str:
        return f"{self.target.name} on {self.target.track}, {self.window}"


@dataclass(frozen=True, kw_only=True)
class Level:
    """What a gauge or a query was over a window, of the series in which its median was ``worst``."""

    median: float
    least: float
    most: float
    n: int
    series: str


class Reading:
    """Questions about one service at one moment. Every one may raise CannotLook, and NoEvidence.

    ``changed`` is when the release began to run, where somebody has said so; otherwise the start of the oldest process
    that runs is taken.
    """

    def __init__(
        self,
        *,
        source: Source,
        settings: Metrics,
        subject: ServiceTarget,
        control: ServiceTarget | None,
        now: float,
        changed: float | None = None,
        alerts: Callable[[ServiceTarget], tuple[Alert, ...]] | None = None,
    ) -> None:
        assert subject.service.metrics is not None, "only services with metrics are read"
        self.settings, self.now, self.declared_change = settings, now, changed
        self.metrics: ServiceMetrics = subject.service.metrics
        self.target = subject
        self._source, self._stable, self._alerts = source, control, alerts

    @cached_property
    def changed(self) -> float | None:
        """When the release began to run: as declared, or as its oldest running process says."""
        if self.declared_change is not None:
            return self.declared_change
        recent = Window(start=self.now - self.settings.stale_after, end=self.now)
        selector = Selector.parse(self.metrics.restarts)
        starts = [one.values[-1] for one in self._samples(selector, self.target, recent) if one.values]
        return min((start for start in starts if math.isfinite(start) and 0 < start <= self.now), default=None)

    @cached_property
    def _spans(self) -> Spans:
        if self._source.since is not None:
            # Two scrapes are what there is: nothing is known of before, and the release was there at the first.
            window = Window(start=self._source.since, end=self.now, words="between two scrapes")
            return Spans(subject=window, control=window if self._stable else None)
        return spans(
            now=self.now,
            length=self.settings.window,
            settle=self.settings.settle,
            changed=self.changed,
            beside=self._stable is not None,
        )

    @property
    def subject(self) -> Side:
        """The track under test."""
        return Side(target=self.target, window=self._spans.subject)

    @property
    def control(self) -> Side | None:
        """Stable beside a candidate, or the same track before the change."""
        window = self._spans.control
        return None if window is None else Side(target=self._stable or self.target, window=window)

    @property
    def beside(self) -> bool:
        """Whether the control runs at the same time, so that it must be there to be compared with."""
        return self._stable is not None

    def _samples(self, selector: Selector, target: ServiceTarget, window: Window) -> tuple[Series, ...]:
        return tuple(one for one in self._source.samples(selector, target, window) if one.times)

    def _fresh(self, selector: Selector, side: Side) -> tuple[Series, ...]:
        """Samples within the window, the newest of them recent enough. Raises NoEvidence."""
        found = self._samples(selector, side.target, side.window)
        if not found:
            raise NoEvidence(f"{side}: there is no series {selector}")
        age = side.window.end - max(one.times[-1] for one in found)
        if age > self.settings.stale_after:
            raise NoEvidence(f"{side}: {selector} is stale: its newest sample is {age:.0f} s old")
        return found

    def up(self, side: Side) -> tuple[Series, ...]:
        """Whether each process of a track could be scraped, as Prometheus noted; nothing of direct scrapes."""
        return () if isinstance(self._source, ScrapeSource) else self._samples(_UP, side.target, side.window)

    def up_now(self, side: Side) -> tuple[Series, ...]:
        """The same of the processes that are there at the end of the window, without those that have been removed."""
        if isinstance(self._source, ScrapeSource):
            return ()
        end = Window(start=side.window.end, end=side.window.end)
        return self._source.values(f"{_UP}{{${{select}}}}", side.target, end)

    def processes(self, side: Side) -> tuple[Series, ...]:
        """Fresh series of the counter of requests, by which a track is known to be watched."""
        return self._fresh(Selector.parse(self.metrics.requests), side)

    def requests(self, side: Side) -> tuple[int, int]:
        """Failed and all requests."""
        whole = Selector.parse(self.metrics.requests)
        if self.metrics.errors is not None:
            part = Selector.parse(self.metrics.errors)
        else:
            part = whole.where((Matcher(label=self.metrics.code_label, operator="=~", value="5.."),))
        return self.share(part, whole, side)

    def share(self, part: Selector, whole: Selector, side: Side) -> tuple[int, int]:
        """Events of ``part`` and of ``whole``.

        A part that has no series has not happened, but only where its labels are known: a misspelt label would
        otherwise be a perfect result.
        """
        total = self._fresh(whole, side)
        some = self._samples(part, side.target, side.window)
        if not some:
            missing = self._unknown(part, whole, total, side)
            if missing:
                raise NoEvidence(f"{side}: nothing says whether {part} has happened: {missing}")
        among = (*total, *self.up(side))
        failed, all_of_them = counted(some, among=among), counted(total, among=among)
        if failed > all_of_them:
            raise NoEvidence(
                f"{side}: {part} counts {failed} events, and {whole}, which should hold them, {all_of_them}"
            )
        return failed, all_of_them

    def _unknown(self, part: Selector, whole: Selector, total: Sequence[Series], side: Side) -> str:
        family = total
        if part.name != whole.name:
            family = self._samples(Selector(name=part.name), side.target, side.window)
            if not family:
                return f"there is no series {part.name}"
        known = {label for one in family for label in one.labels}
        absent = sorted({matcher.label for matcher in part.matchers} - known)
        return f"no series {part.name} has the label {', '.join(absent)}" if absent else ""

    def latencies(self, side: Side) -> Mapping[tuple[float, float], int]:
        """Requests by range of seconds."""
        selector = Selector.parse(self.metrics.latency)
        found = self._fresh(selector if self.metrics.native else selector.suffixed("_bucket"), side)
        if self.metrics.native and not any(one.histograms for one in found):
            raise NoEvidence(f"{side}: {selector} is no native histogram")
        return bucketed(found, among=self.up(side))

    def restarts(self, side: Side) -> dict[str, int]:
        """How often each process began anew within the whole window, by its series.

        Where nobody has said when the release began to run, the first change of each series is taken for that.
        """
        window = Window(start=self.now - self.settings.window, end=self.now, words="until now")
        since = None if self.declared_change is None else self.declared_change + self.settings.settle
        forgiven = 1 if since is None and self._source.since is None else 0
        found: dict[str, int] = {}
        for one in self._fresh(Selector.parse(self.metrics.restarts), Side(target=side.target, window=window)):
            changes = [after for before, after in zip(one.values, one.values[1:], strict=False) if after != before]
            if since is not None:
                changes = [start for start in changes if start > since]
            found[str(one)] = max(0, len(changes) - forgiven)
        return found

    def level(self, name: str, declared: Saturation, side: Side) -> Level:
        """How full a resource was, of the process that was fullest."""
        if declared.gauge is not None:
            selector = Selector.parse(declared.gauge)
            if isinstance(self._source, ScrapeSource):
                return worst(self._source.gauges(selector, side.target, side.window), f"{side}: {selector}")
            return worst(self._fresh(selector, side), f"{side}: {selector}")
        return self.query(declared.query or self._template(name), side)

    def query(self, query: str, side: Side, *, largest: bool = True) -> Level:
        """What PromQL says over the window, of the series with the largest median, or the smallest."""
        return worst(self._source.values(query, side.target, side.window), f"{side}: {query}", largest=largest)

    def _template(self, name: str) -> str:
        place = f"services.{self.target.name}"
        if name not in _TEMPLATES:
            known = " and ".join(_TEMPLATES)
            raise CannotLook(f"{place}.metrics.saturation.{name}: expected gauge or query; only {known} need none")
        kind, _, workload = (self.target.workload or "").partition("/")
        namespace, suffix = self.target.service.namespace, _SUFFIXES.get(kind.lower())
        if suffix is None or namespace is None:
            known = ", ".join(_SUFFIXES)
            raise CannotLook(f"{place}: saturation.{name} expects a namespace and a workload that is a {known}")
        pod = _POD.format(namespace=namespace, workload=workload.replace(".", "[.]"), suffix=suffix)
        return _TEMPLATES[name].format(pod=pod, rate=max(60.0, 4 * self.settings.step))

    def alerts(self) -> tuple[Alert, ...]:
        """Alerts that fire for the service now."""
        assert self._alerts is not None, "planned only where somebody can be asked"
        return self._alerts(self.target)


def worst(series: Sequence[Series], what: str, *, largest: bool = True) -> Level:
    """The series with the largest median, or the smallest. NaN and infinities are no values.

    Raises NoEvidence where nothing is left of a series, or less than half of it.
    """
    found: list[Level] = []
    for one in series:
        finite = [value for value in one.values if math.isfinite(value)]
        if 2 * len(finite) < len(one.values) or not finite:
            seen = f"{len(one.values) - len(finite)} of {len(one.values)} samples"
            raise NoEvidence(f"{what}: {one} is not a number in {seen}")
        median = statistics.median(finite)
        found.append(Level(median=median, least=min(finite), most=max(finite), n=len(finite), series=str(one)))
    if not found:
        raise NoEvidence(f"{what}: there is no such series")
    return (max if largest else min)(found, key=lambda level: level.median)
