"""Globs over names out of reports: `*` is any text, `/` included, `?` one character; everything else is itself.

No regular expressions: a name out of a hostile report must not make a match take for ever, and people read policies.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Final

MAX_LENGTH: Final = 300
"""Characters that a glob may have."""


def compiled(glob: str) -> Callable[[str], bool]:
    """Whether a name is what ``glob`` asks for, upper and lower case told apart.

    Time grows with the length of the name times the number of stars: what one star has taken is never given back.
    """
    # Brackets are part of our keys, `smoke/ready[chat]`, and no choice of characters.
    matches = re.compile(fnmatch.translate(glob.replace("[", "[[]"))).match
    return lambda name: matches(name) is not None
