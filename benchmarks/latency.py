"""Whether the latencies that are measured are those that users have; a table and `results/latency.json`.

    python benchmarks/latency.py [--wrk PATH] [--hey PATH] [--autocannon PATH] [--quick]

A server on loopback answers after 50 ms and freezes for one second in every ten. At 100 requests a second each tool
measures it for 20 seconds. The truth is computed from the schedule: what a user has who asks at that moment, whether or
not an earlier question was answered. seatrial sends when a request is due and times from then; `wrk` and `hey` send
when the last answer has come, as most tools do.

Then a server answers 10 ms after it was asked. `autocannon` keeps 10 and 50 requests in flight; seatrial sends as many
a second as autocannon reached, so that as many are in flight. What the mean is above 10 ms is the client's own and
loopback's.

Last, the rate is raised against a server that answers at once, until the sending processes are late. Exits 1 where ours
is further than 5 % from the truth, left a request unsent, takes more of its own than autocannon and half a millisecond,
or one process cannot keep 5,000 requests a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seatrial.environment.model import LoadLimits, Service
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.outcome import Role
from seatrial.load.measurement import Measurement, measure
from seatrial.load.profile import Profile

RESULTS = Path(__file__).parent / "results" / "latency.json"
RATE = 100
SERVICE = 0.05
EVERY, FREEZE = 10.0, 1.0
LEVELS = (0.5, 0.95, 0.99)
ENOUGH = 5000
"""Requests a second that one process must keep."""
LIMITS = LoadLimits.model_validate(
    {"allowed": True, "max_rate": 20_000, "max_duration": "120s", "max_requests": 200_000}
)
ANSWER = json.dumps({"choices": [{"message": {"role": "assistant", "content": "At nine."}}]}).encode()


def serve(announce: Any, service: float, freeze: float) -> None:
    """Answer after ``service`` seconds; frozen for ``freeze`` at the end of every ten seconds."""
    from aiohttp import web

    begun = 0.0

    async def answer(request: web.Request) -> web.Response:
        nonlocal begun
        await request.read()
        now = time.monotonic()
        begun = begun or now
        into = (now - begun) % EVERY
        held = EVERY - into if freeze and into >= EVERY - freeze else 0.0
        if held or service:
            await asyncio.sleep(held + service)
        return web.Response(body=ANSWER, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        announce.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


@contextlib.contextmanager
def server(service: float, freeze: float, run: Callable[[Any, float, float], None] = serve) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    announce = context.Queue()
    process = context.Process(target=run, args=(announce, service, freeze), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{announce.get(timeout=30)}"
    finally:
        process.kill()
        process.join()


@dataclass(frozen=True, kw_only=True)
class Pair:
    name: str
    subject: ServiceTarget
    control: ServiceTarget | None = None


def ours(url: str, folder: Path, *, rate: float, seconds: float, workers: int = 1) -> Measurement:
    service = Service.model_validate({"url": {"stable": url}})
    target = ServiceTarget(name="bench", track="stable", role=Role.SUBJECT, base_url=url, service=service)
    profile = Profile.model_validate(
        {
            "rate": rate,
            "duration": f"{seconds:g}s",
            "warm_up": "0s",
            "prompts": ["When do you open?"],
            "workers": workers,
            "bounds": {"lateness_p99": "60s", "achieved": 0.01, "cpu": 2.0, "unsent": 0.99},
        }
    )
    return measure(Pair(name="bench", subject=target), profile, run_id="bench", directory=folder, limits=LIMITS)


def truth(seconds: float) -> list[float]:
    """Quantiles of what users have: a request that is due in a freeze waits for its end."""
    due = np.arange(0, seconds, 1 / RATE)
    into = due % EVERY
    latencies = SERVICE + np.where(into >= EVERY - FREEZE, EVERY - into, 0.0)
    return [float(np.quantile(latencies, level)) for level in LEVELS]


def wrk(command: str, url: str, seconds: int) -> list[float | None]:
    told = _output([command, "-t1", "-c10", f"-d{seconds}s", "--latency", url])
    found = dict(re.findall(r"^\s+(\d+)%\s+([\d.]+\w+)$", told, re.MULTILINE))
    return [_seconds(found["50"]), None, _seconds(found["99"])]


def hey(command: str, url: str, seconds: int) -> list[float | None]:
    told = _output([command, "-z", f"{seconds}s", "-c", "10", "-q", str(RATE // 10), url])
    found = dict(re.findall(r"(\d+)%+ in ([\d.]+) secs", told))
    return [float(found[str(round(level * 100))]) for level in LEVELS]


def autocannon(command: str, url: str, seconds: int) -> list[float | None]:
    told = json.loads(_output([command, "-c", "10", "-R", str(RATE), "-d", str(seconds), "--json", url]))
    return [told["latency"]["p50"] / 1000, None, told["latency"]["p99"] / 1000]


class SlowAnswer(asyncio.Protocol):
    """Answers each request after a fixed time, with as little work as there can be."""

    after = 0.0
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport, self.seen = transport, b""
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self.seen += data
        while (end := self.seen.find(b"\r\n\r\n")) >= 0:
            length = re.search(rb"content-length: *(\d+)", self.seen[:end].lower())
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.seen) < whole:
                return
            self.seen = self.seen[whole:]
            self.loop.call_later(self.after, self.transport.write, self.answer)


def serve_after(announce: Any, service: float, _: float) -> None:
    """Answer after ``service`` seconds."""

    async def main() -> None:
        kind = type("Answer", (SlowAnswer,), {"after": service})
        listening = await asyncio.get_running_loop().create_server(kind, "127.0.0.1", 0, backlog=1024)
        announce.put(listening.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(main())


def overhead(command: str, url: str, folder: Path, in_flight: int, service: float) -> dict[str, float]:
    """Milliseconds of the mean beyond ``service``, autocannon's and ours at the same rate.

    What autocannon reports is cut to whole milliseconds. Its connections are never idle, so the mean of what they wait
    follows from how many answers came (Little's law); that is the fair figure.
    """
    told = json.loads(_output([command, "-c", str(in_flight), "-d", "6", "--json", url]))
    rate = told["requests"]["total"] / told["duration"]
    samples = ours(url, folder, rate=rate, seconds=6).of("stable")
    row = {
        "in flight": in_flight,
        "rate": rate,
        "autocannon, reported": told["latency"]["average"] - service * 1000,
        "autocannon": (in_flight / rate - service) * 1000,
        "seatrial, from sending": (float((samples.end - samples.sent).mean()) - service) * 1000,
        "seatrial, from due": (float(samples.latencies(30.0).mean()) - service) * 1000,
    }
    print(
        f"{in_flight:>3} in flight, {rate:.0f}/s: above {service * 1000:.0f} ms autocannon {row['autocannon']:.2f} ms "
        f"(it reports {row['autocannon, reported']:.2f}), seatrial {row['seatrial, from sending']:.2f} ms from "
        f"sending, {row['seatrial, from due']:.2f} ms from when it was due"
    )
    return row


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _seconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[unit]


def show(name: str, values: list[float | None] | list[float], true: list[float]) -> dict[str, Any]:
    cells = []
    for value, right in zip(values, true, strict=True):
        cells.append(f"{'':>18}" if value is None else f"{value * 1000:>9.0f} ms {value / right:>5.0%}")
    print(f"{name:<12}" + "".join(cells))
    return {"tool": name, **{f"p{level * 100:g}": value for level, value in zip(LEVELS, values, strict=True)}}


def ladder(url: str, folder: Path, rates: tuple[int, ...], workers: int) -> list[dict[str, Any]]:
    """Rates, as long as the sender keeps up with them: lateness p99 below 50 ms and nothing unsent."""
    rows = []
    for rate in rates:
        soundness = ours(url, folder, rate=rate, seconds=4, workers=workers).soundness
        rows.append(
            {"workers": workers, "rate": rate, "achieved": soundness.achieved, "lateness p99": soundness.lateness_p99}
        )
        kept = soundness.lateness_p99 < 0.05 and soundness.unsent == 0 and soundness.achieved > 0.99
        rows[-1]["kept"] = kept
        print(
            f"{workers} process{'es' if workers > 1 else ''}, {rate} requests/s: {soundness.achieved:.1%} of the rate, "
            f"lateness p99 {soundness.lateness_p99 * 1000:.1f} ms, {soundness.unsent} unsent, "
            f"{soundness.cpu:.0%} of a core"
        )
        if not kept:
            break
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for tool in ("wrk", "hey", "autocannon"):
        parser.add_argument(f"--{tool}", default=shutil.which(tool), metavar="PATH")
    parser.add_argument("--quick", action="store_true", help="10 seconds each, and writes nothing")
    arguments = parser.parse_args()
    seconds = 10 if arguments.quick else 20
    true = truth(seconds)
    rows = []
    print(f"{'':<12}" + "".join(f"{f'p{level * 100:g} of the truth':>18}" for level in LEVELS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows.append(show("truth", true, true))
        with server(SERVICE, FREEZE) as url:
            measured = ours(url, folder, rate=RATE, seconds=seconds)
        latencies = measured.of("stable").latencies(30.0)
        mine = [float(np.quantile(latencies, level)) for level in LEVELS]
        rows.append(show("seatrial", mine, true))
        print(f"{'':<12}{measured.soundness}; {measured.stalls()}")
        for tool, run in (("wrk", wrk), ("hey", hey), ("autocannon", autocannon)):
            command = getattr(arguments, tool)
            if command is None:
                print(f"{tool:<12}not installed")
                continue
            with server(SERVICE, FREEZE) as url:
                rows.append(show(tool, run(command, url, seconds), true))
        beyond = []
        if arguments.autocannon:
            with server(0.01, 0.0, serve_after) as url:
                beyond = [overhead(arguments.autocannon, url, folder, count, 0.01) for count in (10, 50)]
        with server(0.0, 0.0, serve_after) as url:
            steps = ladder(url, folder, (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000), 1)
            steps += ladder(url, folder, (4000, 5000, 6000, 7000, 8000, 10000), 2)
    near = all(abs(value - right) <= 0.05 * right for value, right in zip(mine, true, strict=True))
    kept = [step["rate"] for step in steps if step["workers"] == 1 and step["kept"]]
    failed = [
        *([] if near else ["seatrial is further than 5 % from the truth"]),
        *(["seatrial left requests unsent"] if measured.soundness.unsent else []),
        *(
            f"with {row['in flight']:.0f} in flight seatrial takes more of its own than autocannon"
            for row in beyond
            if row["seatrial, from sending"] > row["autocannon"] + 0.5
        ),
        *(["one process cannot keep 5,000 requests a second"] if max(kept, default=0) < ENOUGH else []),
    ]
    for words in failed:
        print(f"does not hold: {words}")
    if not arguments.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(
            json.dumps({"stalling": rows, "overhead, ms": beyond, "rates": steps}, indent=1) + "\n", encoding="utf-8"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
