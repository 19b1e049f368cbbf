"""How one chat process behaves: what a fault changes, and nothing about how the change is made visible."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """The knobs that chat faults turn; the defaults are a healthy service."""

    listening: bool = True
    """False: the port stays reserved but refuses connections."""
    ready: bool = True
    """False: ``/readyz`` answers 503."""
    version: str | None = None
    """Version that runs instead of the one asked for."""
    slowdown: float = 1.0
    """Factor on the time to the first token and on the gaps between tokens."""
    error_share: float = 0.0
    """Share of chat completions answered with ``error_status``, from 0 to 1."""
    error_status: int = 500
    lost_intents: frozenset[str] = frozenset()
    """Intents that are no longer understood."""
    remembers: bool = True
    """False: every turn is answered as if it were the first."""
    stalls: bool = False
    """True: a stream stops midway and keeps the connection open."""
    exposes_metrics: bool = True
    """False: ``/metrics`` answers 404."""
