"""The language of a text, by py3langid's model of 100 and more languages. The model is read at the first use."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {"nb": "no", "nn": "no"}
"""Languages that a tester calls by another code."""
_LEAST_LETTERS: Final = 12
"""Below this many letters a text is as good as any language's."""


def load() -> None:
    """Read the model, which takes most of a second."""
    language_of("any text of letters")


def language_of(text: str) -> str:
    """ISO 639-1 code of the language of ``text``; empty where it is too short to tell."""
    if sum(character.isalpha() for character in text) < _LEAST_LETTERS:
        return ""
    import py3langid

    code = str(py3langid.classify(text)[0])
    return _NAMES.get(code, code)
