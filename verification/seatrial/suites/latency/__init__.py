"""Latency and failures under load of our own: the candidate against stable, or stable against its objectives."""
