"""How fast conversations are held, beside tools that hold one after the other; a table and `results/synthetic.json`.

    python benchmarks/synthetic.py [--count 1000] [--tavern PATH] [--newman PATH]

Each tool holds the same `count` conversations of three turns with a server on loopback that answers after 50 ms, and is
timed as a whole process, from its start to its exit. `one by one` is seatrial itself with `concurrency = 1`: its items
must come to the same. Tavern (the pytest beside which it is installed) and Newman take part where their commands are
given.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "synthetic.json"
WAIT = 0.050
SAYS = ("Hello!", "Where is my order A-1042?", "Thank you!")
ANSWER = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "How can I help?"}, "finish_reason": "stop"}],
}


def serve(announce: Any) -> None:
    import asyncio

    from aiohttp import web

    body = json.dumps(ANSWER).encode()

    async def post(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(WAIT)
        return web.Response(body=body, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", post)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=512)
        await site.start()
        announce.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


@contextlib.contextmanager
def server() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    announce = context.Queue()
    process = context.Process(target=serve, args=(announce,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{announce.get(timeout=30)}"
    finally:
        process.kill()
        process.join()


def write_seatrial(folder: Path, url: str, count: int, concurrency: int | None) -> None:
    environments, scripts = folder / "fixtures" / "environments", folder / "synthetic" / "conversations"
    environments.mkdir(parents=True)
    scripts.mkdir(parents=True)
    bound = f"concurrency = {concurrency}\n" if concurrency else ""
    (environments / "bench.toml").write_text(f'[services.chat]\nurl.stable = "{url}"\n{bound}')
    turns = "".join(f'[[turn]]\nsay = "{said}"\nexpect.contains = "help"\n' for said in SAYS)
    for number in range(count):
        (scripts / f"c{number}.toml").write_text(f'title = "conversation {number}"\n{turns}')


def write_plain(folder: Path, url: str, count: int) -> None:
    (folder / "test_plain.py").write_text(
        f"""
import httpx, pytest

@pytest.fixture(scope="session")
def client():
    with httpx.Client(base_url={url!r}) as client:
        yield client

@pytest.mark.parametrize("number", range({count}))
def test_conversation(number, client):
    messages = []
    for said in {SAYS!r}:
        messages.append({{"role": "user", "content": said}})
        answer = client.post("/v1/chat/completions", json={{"model": "m", "messages": messages}})
        assert answer.status_code == 200
        text = answer.json()["choices"][0]["message"]["content"]
        assert "help" in text
        messages.append({{"role": "assistant", "content": text}})
"""
    )


def write_tavern(folder: Path, url: str, count: int) -> None:
    stages = [
        {
            "name": said,
            "request": {
                "url": f"{url}/v1/chat/completions",
                "method": "POST",
                "json": _body(said),
            },
            "response": {"status_code": 200, "json": ANSWER},
        }
        for said in SAYS
    ]
    for number in range(count):
        document = {"test_name": f"conversation {number}", "stages": stages}
        (folder / f"test_{number}.tavern.yaml").write_text(json.dumps(document))


def _body(said: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": said}]}


def write_newman(folder: Path, url: str, count: int) -> None:
    script = ['pm.test("helps", () => pm.expect(pm.response.text()).to.include("help"))']
    items = [
        {
            "name": said,
            "event": [{"listen": "test", "script": {"exec": script}}],
            "request": {
                "method": "POST",
                "url": f"{url}/v1/chat/completions",
                "header": [{"key": "Content-Type", "value": "application/json"}],
                "body": {
                    "mode": "raw",
                    "raw": json.dumps({"model": "m", "messages": [{"role": "user", "content": said}]}),
                },
            },
        }
        for said in SAYS
    ]
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    folders = [{"name": f"conversation {number}", "item": items} for number in range(count)]
    (folder / "collection.json").write_text(json.dumps({"info": {"name": "bench", "schema": schema}, "item": folders}))


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and peak memory in megabytes of a command that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    begun = time.perf_counter()
    # As on a machine that keeps bytecode: where it may not be written, every run compiles the tool anew.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environ)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def outcomes(folder: Path) -> dict[str, Any]:
    evidence = json.loads((folder / "reports" / "latest" / "evidence.json").read_text())
    return {case["key"]: case["outcome"] for case in evidence["outcomes"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--tavern", help="pytest of an environment with tavern")
    parser.add_argument("--newman", help="the command newman")
    arguments = parser.parse_args()
    count = arguments.count
    without = [word for name in ("locust", "cacheprovider", "hypothesispytest") for word in ("-p", f"no:{name}")]
    pytest = [sys.executable, "-m", "pytest", "-q", *without]
    ours = [*pytest, "-p", "seatrial.plugin", "--env=bench", "synthetic"]
    rows: list[dict[str, Any]] = []
    with server() as url, tempfile.TemporaryDirectory() as name:
        places = {tool: Path(name, tool) for tool in ("seatrial", "one by one", "plain", "tavern", "newman")}
        for place in places.values():
            place.mkdir()
        write_seatrial(places["seatrial"], url, count, None)
        write_seatrial(places["one by one"], url, count, 1)
        write_plain(places["plain"], url, count)
        write_tavern(places["tavern"], url, count)
        write_newman(places["newman"], url, count)
        commands = {"seatrial": ours, "one by one": ours, "plain": [*pytest, "test_plain.py"]}
        if arguments.tavern:
            commands["tavern"] = [arguments.tavern, "-q", "."]
        if arguments.newman:
            commands["newman"] = [arguments.newman, "run", "collection.json", "--reporters", "json"]
        for tool, command in commands.items():
            seconds, memory = timed(command, places[tool])
            rows.append({"tool": tool, "count": count, "seconds": seconds, "megabytes": memory})
            ratio = seconds / rows[0]["seconds"]
            peak = f"{memory:5.0f} MB" if tool == "seatrial" else ""
            speed = f"{count / seconds:7.1f} conversations/s"
            print(f"{tool:<11} {seconds:7.1f} s  {speed}  {ratio:5.1f} times as long  {peak}")
        same = outcomes(places["seatrial"]) == outcomes(places["one by one"])
        print(f"the outcomes of {count} items are {'' if same else 'NOT '}those of one after the other")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
