"""Building large snapshots without the garbage collector walking them again and again."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No cyclic collection inside, and afterwards none of what was made inside.

    Decoded objects hold no cycles. With millions of them every full collection takes seconds, and reading would grow
    faster than what is read.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
