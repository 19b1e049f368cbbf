"""A server that answers at once, whatever is asked: ``python -I null_server.py [stream]`` prints its port.

What a request to it takes is what our own client and this machine take. It ends when its standard input does. It
imports nothing of seatrial, so that it is there within a tenth of a second.
"""

from __future__ import annotations

import asyncio
import re
import sys

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)", re.IGNORECASE | re.MULTILINE)
_WHOLE = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "."}, "finish_reason": "stop"}]}'
_EVENTS = b'data: {"choices": [{"index": 0, "delta": {"content": "."}}]}\n\ndata: [DONE]\n\n'


def _answer(content: bytes, kind: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(content), content)


class _Connection(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._read, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            assert self._transport is not None
            self._transport.write(self._answer)


async def _serve(answer: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answer), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(
        _serve(_answer(_EVENTS, b"text/event-stream") if "stream" in sys.argv else _answer(_WHOLE, b"application/json"))
    )
