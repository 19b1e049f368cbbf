"""Alerts that fire for a service, told by Prometheus or, with silences taken into account, by Alertmanager.

APIs: https://prometheus.io/docs/prometheus/latest/querying/api/#alerts and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.environment.selector import Matcher
from seatrial.http.bounded import ask
from seatrial.http.sync import Client
from seatrial.metrics.answer import Malformed, Refused
from seatrial.metrics.prometheus import Bounds
from seatrial.metrics.windows import moment


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert that fires. ``since`` is when its condition began to hold, in seconds since 1970."""

    labels: Mapping[str, str]
    since: float
    silenced: bool = False

    @property
    def name(self) -> str:
        """What the alerting rule is called."""
        return self.labels.get("alertname", "an alert without a name")

    def __str__(self) -> str:
        inside = ", ".join(f'{key}="{value}"' for key, value in sorted(self.labels.items()) if key != "alertname")
        return f"{self.name}{{{inside}}}"


def firing(listed: Sequence[Mapping[str, Any]], where: str, conditions: Sequence[Matcher]) -> tuple[Alert, ...]:
    """The firing alerts of either API that meet ``conditions``. Raises Malformed."""
    found = []
    for item in listed:
        labels = item.get("labels")
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            raise Malformed(f"{where}: expected an alert with labels; seen {str(item)[:120]}")
        state = item.get("state") if "state" in item else _state(item.get("status"))
        if state not in ("firing", "pending", "inactive", "active", "suppressed", "unprocessed"):
            raise Malformed(f"{where}: expected the state of an alert; seen {state!r} of {str(labels)[:120]}")
        if state in ("pending", "inactive") or not all(one.holds(labels) for one in conditions):
            continue
        began = item.get("activeAt", item.get("startsAt"))
        try:
            since = moment(began if isinstance(began, str) else "")
        except ValueError:
            raise Malformed(f"{where}: expected when the alert began; seen {began!r} of {str(labels)[:120]}") from None
        found.append(Alert(labels=labels, since=since, silenced=state == "suppressed"))
    return tuple(found)


def _state(status: object) -> object:
    return status.get("state") if isinstance(status, dict) else None


def ask_alertmanager(client: Client, bounds: Bounds) -> tuple[Mapping[str, Any], ...]:
    """The alerts of an Alertmanager. Raises NoAnswer, Refused and Malformed."""
    answer = ask(client, "GET", "/api/v2/alerts", within=bounds.within, max_bytes=bounds.max_bytes)
    if answer.status != 200:
        raise Refused(f"{answer.where}: expected HTTP 200; seen HTTP {answer.status}")
    try:
        listed = json.loads(answer.body)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Malformed(f"{answer.where}: expected a list of alerts in JSON; seen {answer.body[:120]!r}")
    return tuple(listed)
