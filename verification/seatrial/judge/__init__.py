"""Statistics of the verdict: pure functions of samples and margins, no I/O, no clock, no hidden seed.

Three-valued throughout: a regression is shown (*fail*), shown to be absent (*pass*), or neither (*inconclusive*, with
the number of requests that would decide it).
"""
