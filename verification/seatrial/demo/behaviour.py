"""How one chat process behaves: what a fault changes, and nothing about how the change is made visible."""

from __future__ import annotations

import math
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
    first_token_delay: float = 0.0
    """Seconds that every first token comes later."""
    tail_share: float = 0.0
    """Share of answers that take ``tail_factor`` times as long, from 0 to 1."""
    tail_factor: float = 1.0
    freeze_every: float = 0.0
    """Seconds from one standstill of the whole process to the next, as of a garbage collector; 0 for none."""
    freeze_for: float = 0.0
    """Seconds that each standstill lasts."""
    busy_above: float = math.inf
    """Requests per second above which answers take ``busy_factor`` times as long."""
    busy_factor: float = 1.0
    sour_after: float = math.inf
    """Seconds after its first completion from which on a tenth of them fails."""
    leak: int = 0
    """Bytes that each request leaves behind."""
    ages: float = 0.0
    """Seconds by which everything but completions takes longer with each second, once it has worked for a while."""
    cut_share: float = 0.0
    """Share of streams whose connection is cut midway, from 0 to 1."""
    error_share: float = 0.0
    """Share of chat completions answered with ``error_status``, from 0 to 1."""
    error_status: int = 500
    lost_intents: frozenset[str] = frozenset()
    """Intents that are no longer understood."""
    remembers: bool = True
    """False: every turn is answered as if it were the first."""
    stalls: bool = False
    """True: a stream stops midway and keeps the connection open."""
    echoes_private_data: bool = False
    """True: says card numbers, addresses and keys back."""
    obeys_injections: bool = False
    """True: does what instructions inside a question ask for."""
    mixes_languages: bool = False
    """True: answers questions about returns in German."""
    truncates: bool = False
    """True: cuts the answer about shipping in the middle, as a limit of tokens does."""
    page_works: bool = True
    """False: the script of the chat page answers 404."""
    duplicates: bool = False
    """True: says the answer about the warranty twice."""
    turns_allowed: int | None = None
    """Turns of a conversation that are answered; later ones get 429."""
    exposes_metrics: bool = True
    """False: ``/metrics`` answers 404."""
