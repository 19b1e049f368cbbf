"""Where secrets are to be found: references, never values."""

from __future__ import annotations

from seatrial.environment.section import Section
from seatrial.environment.values import Text, Variable


class SecretFromEnv(Section):
    """A secret taken from a variable of the process environment."""

    env: Variable
    """name of the variable"""


class SecretFromFile(Section):
    """A secret read from a file, trailing newline removed."""

    file: Text
    """path of the file; a trailing newline is removed"""


SecretRef = SecretFromEnv | SecretFromFile
"""Where a secret is to be found; never the secret. An unset one is an error that names it."""
