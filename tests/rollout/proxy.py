"""A real nginx in front of two releases: split by weight, switched, and broken in the ways that proxies are."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HEAD = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream stable {{ server {stable}; }}
  upstream candidate {{ server {candidate}; }}
  upstream other {{ server {other}; }}
"""
SERVER = """
  server {{
    listen 127.0.0.1:{port};
    location / {{
      {extra}
      proxy_pass http://$track;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      {cookie}
    }}
  }}
}}
"""


class Proxy:
    """nginx with a share of users on the candidate. ``sticky`` users keep their place by a cookie."""

    def __init__(self, folder: Path, stable: str, candidate: str, *, other: str = "", sticky: bool = True) -> None:
        self._folder = folder
        self._stable, self._candidate = (url.removeprefix("http://") for url in (stable, candidate))
        self._other = (other or stable).removeprefix("http://")
        self._sticky = sticky
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._config = folder / "nginx.conf"
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, weight: float, *, other: float = 0.0, extra: str = "") -> None:
        """The configuration for a weight in percent; ``other`` percent get a third version."""
        parts = []
        if other:
            parts.append(f"{other:g}% other;")
        if weight:
            parts.append(f"{min(weight, 99.99) if weight < 100 else 100:g}% candidate;")
        everybody = "candidate" if weight >= 100 else "stable"
        parts = [part for part in parts if not part.startswith("100%")]
        split = f"split_clients $place $track {{ {' '.join(parts)} * {everybody}; }}"
        place = 'map $cookie_place $place { "" $request_id; default $cookie_place; }'
        if not self._sticky:
            place = "map $request_id $place { default $request_id; }"
        text = HEAD.format(folder=self._folder, stable=self._stable, candidate=self._candidate, other=self._other)
        cookie = 'add_header Set-Cookie "place=$place; Path=/" always;' if self._sticky else ""
        self._config.write_text(
            f"{text}\n  {place}\n  {split}\n{SERVER.format(port=self._port, extra=extra, cookie=cookie)}"
        )

    def start(self, weight: float = 0.0) -> Proxy:
        self.write(weight)
        self._process = subprocess.Popen(
            [shutil.which("nginx") or "nginx", "-p", str(self._folder), "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "error.log").read_text()
        return self

    def _answers(self) -> bool:
        try:
            urlopen(f"{self.url}/healthz", timeout=1).read()
        except (URLError, ConnectionError):
            return False
        return True

    def weight(self, weight: float, **more: object) -> None:
        """Split anew, as an operator does: write, and reload."""
        self.write(weight, **more)  # type: ignore[arg-type]
        subprocess.run(
            [shutil.which("nginx") or "nginx", "-p", str(self._folder), "-c", str(self._config), "-s", "reload"],
            check=True,
            capture_output=True,
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
