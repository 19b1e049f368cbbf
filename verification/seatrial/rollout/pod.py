"""Asks a pod at its own address which version it is, as whoever is inside the cluster can."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from seatrial.environment.model import Service
from seatrial.http.marks import identity_headers


def asker(service: Service, run_id: str) -> Callable[[str, int], tuple[str, str]]:
    """A function from address and port to the version that is answered, and what is wrong with the answer.

    It asks in the clear, so no token goes with it.
    """
    headers = identity_headers(run_id)

    def ask(address: str, port: int) -> tuple[str, str]:
        host = f"[{address}]" if ":" in address else address
        try:
            answer = httpx.get(
                f"http://{host}:{port}{service.health.version}",
                headers=headers,
                timeout=httpx.Timeout(service.timeout, connect=service.connect_timeout),
                trust_env=False,
            )
            if answer.status_code >= 400:
                return "", f"HTTP {answer.status_code}"
            return str(answer.json()[service.health.version_field])[:100], ""
        except httpx.HTTPError as error:
            return "", f"{type(error).__name__}: {error}".rstrip(": ")[:200]
        except (ValueError, KeyError, TypeError):
            return "", f"no field {service.health.version_field!r} in the answer"

    return ask
