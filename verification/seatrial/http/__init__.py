"""The one room that knows HTTP libraries: clients that carry our mark, verify TLS and never wait forever.

`sync` asks one thing at a time, with httpx. `concurrent` holds many exchanges in one event loop, with aiohttp, whose
requests cost a fifth of httpx's time on the CPU, so that our own work does not end up in the latencies.
"""
