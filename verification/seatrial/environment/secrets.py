"""Secret references become secrets here, and only here; the store remembers them so that every report can mask them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from seatrial.environment.model import SecretFromEnv, SecretRef


class SecretProblem(ValueError):
    """A reference that leads to no secret; the message names the reference, never a value."""


class SecretStore:
    """Resolves references, and knows every secret that it has handed out."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._values: set[str] = set()

    def resolve(self, reference: SecretRef, where: str) -> str:
        """The secret behind ``reference``; ``where`` is its key in the environment file, for the error.

        Raises SecretProblem where the variable is unset or empty, or the file cannot be read or is empty.
        """
        if isinstance(reference, SecretFromEnv):
            value = self._environ.get(reference.env, "")
            if not value:
                raise SecretProblem(f"{where}: expected a secret in the variable {reference.env}, which is not set")
        else:
            try:
                value = Path(reference.file).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not text"
                raise SecretProblem(f"{where}: expected a secret in the file {reference.file}: {reason}") from None
            if not value:
                raise SecretProblem(f"{where}: expected a secret in the file {reference.file}, which is empty")
        self._values.add(value)
        return value

    def remember(self, value: str) -> None:
        """Count ``value`` among the secrets although it was resolved elsewhere (in another process of the run)."""
        self._values.add(value)

    def values(self) -> frozenset[str]:
        """Every secret handed out so far."""
        return frozenset(self._values)
