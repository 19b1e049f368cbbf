"""A chat service that answers as each test tells it, over real sockets."""

import threading
from collections.abc import Iterator

import pytest

from support.chat import Chat, Handler, Server


@pytest.fixture
def chat() -> Iterator[Chat]:
    server = Server(("127.0.0.1", 0), Handler)
    server.chat = Chat(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.chat
    server.chat.over.set()
    server.shutdown()
    thread.join()
    server.server_close()
