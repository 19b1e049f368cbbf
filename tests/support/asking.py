"""One request to a Kubernetes API by the official client's transport, whatever is sent and comes back."""

import json
from typing import Any


def ask(client: Any, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> tuple[int, Any]:
    """Status and answer. What is no JSON, as the words for a path that nothing serves, is the answer's message."""
    headers = {"Accept": "application/json", "Content-Type": kind}
    sent = client.param_serialize(
        method=method, resource_path=path, header_params=headers, body=body, auth_settings=["BearerToken"]
    )
    answer = client.call_api(*sent)
    answer.read()
    try:
        found = json.loads(answer.data or b"{}")
    except ValueError:
        found = {"message": answer.data.decode("utf-8", "replace").strip()}
    return answer.status, found


def must(client: Any, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> Any:
    """The answer. Raises AssertionError with the API's own words where it refuses."""
    status, answer = ask(client, method, path, body, kind=kind)
    assert status in (200, 201, 202), f"{method} {path}: {status} {answer.get('message')}"
    return answer
