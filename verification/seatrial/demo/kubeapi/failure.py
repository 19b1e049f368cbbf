"""What the API answers when it cannot do what was asked: a ``Status`` object with its HTTP code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Failure(Exception):
    """A request that is refused; ``code`` is the HTTP status, ``reason`` the word that clients branch on."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})

    def status(self) -> dict[str, Any]:
        """The ``Status`` object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **({"details": self.details} if self.details else {}),
            "code": self.code,
        }


def _details(resource: str, name: str, group: str = "") -> dict[str, Any]:
    return {"name": name, "kind": resource.partition(".")[0], **({"group": group} if group else {})}


def not_found(resource: str, name: str, group: str = "") -> Failure:
    """404 for an object; ``resource`` is ``plural.group``."""
    return Failure(404, "NotFound", f'{resource} "{name}" not found', _details(resource, name, group))


class NoSuchPath(Exception):
    """Nothing is served at a path: the one refusal that is plain text, of the server and not of a resource."""

    text = "404 page not found\n"


def already_exists(resource: str, name: str) -> Failure:
    """409 for a creation."""
    return Failure(409, "AlreadyExists", f'{resource} "{name}" already exists', _details(resource, name))


def conflict(resource: str, name: str, why: str) -> Failure:
    """409 for a change based on an older version."""
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return Failure(409, "Conflict", message, _details(resource, name))


def expired(oldest: int, asked: int) -> Failure:
    """410 for a version that is no longer remembered."""
    return Failure(410, "Expired", f"too old resource version: {asked} ({oldest})")


def bad_request(message: str) -> Failure:
    """400."""
    return Failure(400, "BadRequest", message)


def invalid(kind: str, name: str, causes: Sequence[tuple[str, str]]) -> Failure:
    """422; ``causes`` are pairs of a field and what is wrong with it."""
    text = ", ".join(f"{field}: {message}" for field, message in causes)
    listed = [{"reason": "FieldValueInvalid", "message": message, "field": field} for field, message in causes]
    details = {"name": name, "kind": kind, "causes": listed}
    return Failure(422, "Invalid", f'{kind} "{name}" is invalid: {text}', details)


def method_not_allowed(method: str) -> Failure:
    """405."""
    return Failure(405, "MethodNotAllowed", f"the server does not allow {method} on the requested resource")
