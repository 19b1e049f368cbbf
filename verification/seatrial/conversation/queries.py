"""JSONPath as RFC 9535 has it, behind two functions; the library is loaded when the first query is met."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonpath import CompoundJSONPath, JSONPath


@lru_cache(maxsize=512)
def _compiled(query: str) -> JSONPath | CompoundJSONPath:
    from jsonpath import JSONPathEnvironment
    from jsonpath.exceptions import JSONPathError

    try:
        # Strict: without the library's own additions, so that a script means the same to any implementation.
        return JSONPathEnvironment(strict=True).compile(query)
    except JSONPathError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"expected a JSONPath such as $.choices[0].finish_reason, seen {query!r}: {reason}") from None


def check_query(query: str) -> str:
    """``query``, unchanged. Raises ValueError where it is no JSONPath."""
    _compiled(query)
    return query


def select(query: str, document: Any) -> Sequence[Any]:
    """Every value that ``query`` selects in ``document``, in document order."""
    return _compiled(query).findall(document)
