"""The latency suite by path: `pytest load/`."""

from seatrial.suites.latency.test_latency import *  # noqa: F403
