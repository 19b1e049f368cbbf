"""A small chat server for the tests, in a process of its own: `python server.py '{"delay": 0.02}'` prints its port."""

import asyncio
import json
import random
import ssl
import sys

from aiohttp import web

SETTINGS = {
    "delay": 0.02,
    "spread": 0.1,
    "errors": 0.0,
    "status": 500,
    "stall": 0.0,
    "stall_at": 1e9,
    "cut": False,
    "token": None,
    "seed": 0,
    "tls": None,
    **json.loads(sys.argv[1]),
}
GENERATOR = random.Random(SETTINGS["seed"])
SEEN = {"requests": 0, "user_agents": [], "runs": [], "prompts": [], "talks": []}
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "We open at nine."}}]}


async def complete(request: web.Request) -> web.StreamResponse:
    loop = asyncio.get_running_loop()
    SEEN.setdefault("started", loop.time())
    SEEN["requests"] += 1
    SEEN["user_agents"] = sorted({*SEEN["user_agents"], request.headers["User-Agent"]})
    SEEN["runs"] = sorted({*SEEN["runs"], request.headers["X-Seatrial-Run"]})
    if SETTINGS["token"] and request.headers.get("Authorization") != f"Bearer {SETTINGS['token']}":
        return web.json_response({"error": "who are you?"}, status=401)
    question = await request.json()
    SEEN["prompts"].append(question["messages"][0]["content"])
    if len(question["messages"]) > 1:
        SEEN["talks"].append([message["content"] for message in question["messages"]])
    into = loop.time() - SEEN["started"] - SETTINGS["stall_at"]
    if 0 <= into < SETTINGS["stall"]:
        await asyncio.sleep(SETTINGS["stall"] - into)
    delay = SETTINGS["delay"] * GENERATOR.lognormvariate(0, SETTINGS["spread"])
    if GENERATOR.random() < SETTINGS["errors"]:
        return web.json_response({"error": "no"}, status=SETTINGS["status"])
    if not question.get("stream"):
        await asyncio.sleep(delay)
        if SETTINGS["cut"]:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"choices"')
            request.transport.close()
            return response
        return web.json_response(ANSWER)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for _ in range(2):
        await asyncio.sleep(delay / 2)
        await response.write(b'data: {"choices": [{"delta": {"content": "nine"}}]}\n\n')
    if not SETTINGS["cut"]:
        await response.write(b"data: [DONE]\n\n")
    return response


async def seen(_: web.Request) -> web.Response:
    return web.json_response(SEEN)


async def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/seen", seen)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = None
    if SETTINGS["tls"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*SETTINGS["tls"])
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent goes


asyncio.run(main())
