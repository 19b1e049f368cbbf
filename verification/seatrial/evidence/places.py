"""Paths in what a run says: as they are from the repository or the reports, not as one machine has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path


def shortener(folders: Iterable[Path]) -> Callable[[str], str]:
    """A function that takes ``folders`` off the front of the paths in a text; of several that fit, the first one given.

    A folder by itself becomes ``./``. The root of the file system, and what is in none of them, stays as it is.
    """
    fronts = dict.fromkeys(str(form) for folder in folders for form in (folder.absolute(), folder.resolve()))
    kept = [front for front in fronts if front != Path(front).anchor]
    if not kept:
        return lambda text: text
    # Not in the middle of another path or of an address, and only where the folder's name ends.
    front = "|".join(map(re.escape, kept))
    inside = re.compile(rf"(?<![\w.~/%-])(?:{front})(?:/(?=[\w.~%@+-])|(?=\.?(?:$|[\s\"'`,;:)\]>])))")

    def short(text: str) -> str:
        # Most texts hold no path at all, which is known far faster.
        return inside.sub(lambda found: "" if found[0].endswith("/") else "./", text) if "/" in text else text

    return short
