"""Where each key of a TOML document stands: the line numbers that ``tomllib`` does not keep."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

Path = tuple[str | int, ...]
"""A key from the root of the document; elements of arrays by index, from 0."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}#\n]+")
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SIMPLE_ESCAPES: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def line_numbers(text: str) -> dict[Path, int]:
    """Lines, from 1, of every table, key and element in ``text``, which must be valid TOML.

    It is no parser: what is no TOML gives wrong lines, never an endless loop.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [index for index, character in enumerate(text) if character == "\n"]
        self._lines: dict[Path, int] = {}
        self._last: dict[Path, int] = {}
        """Index of the last element of each array of tables."""

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip_blank():
            if self._take("[["):
                keys = self._keys()
                array = (*self._absolute(keys[:-1]), *keys[-1:])
                self._last[array] = self._last.get(array, -1) + 1
                self._note(array)
                table = (*array, self._last[array])
                self._note(table)
                self._take("]]")
            elif self._take("["):
                table = self._absolute(self._keys())
                self._note(table)
                self._take("]")
            else:
                self._pair(table)
        return self._lines

    def _absolute(self, keys: Path) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _note(self, path: Path) -> None:
        self._lines.setdefault(path, bisect_right(self._newlines, self._at - 1) + 1)

    def _skip_blank(self) -> bool:
        """Go on to the next sign that means something; False at the end."""
        if blank := _BLANK.match(self._text, self._at):
            self._at = blank.end()
        return self._at < len(self._text)

    def _take(self, sign: str) -> bool:
        if self._text.startswith(sign, self._at):
            self._at += len(sign)
            return True
        return False

    def _keys(self) -> Path:
        keys: list[str] = []
        while self._skip_blank():
            if self._text[self._at] in "\"'":
                keys.append(self._string())
            elif bare := _BARE.match(self._text, self._at):
                keys.append(bare[0])
                self._at = bare.end()
            else:
                break
            self._skip_blank()
            if not self._take("."):
                break
        return tuple(keys)

    def _pair(self, table: Path) -> None:
        before = self._at
        keys = self._keys()
        for end in range(1, len(keys) + 1):
            self._note((*table, *keys[:end]))
        self._skip_blank()
        self._take("=")
        self._value((*table, *keys))
        if self._at == before:
            self._at += 1

    def _value(self, path: Path) -> None:
        if not self._skip_blank():
            return
        if self._text[self._at] in "\"'":
            self._string()
        elif self._take("["):
            index = 0
            while self._skip_blank() and not self._take("]"):
                before = self._at
                self._note((*path, index))
                self._value((*path, index))
                self._skip_blank()
                self._take(",")
                index += 1
                self._at += self._at == before
        elif self._take("{"):
            while self._skip_blank() and not self._take("}"):
                self._pair(path)
                self._skip_blank()
                self._take(",")
        elif scalar := _SCALAR.match(self._text, self._at):
            self._at = scalar.end()

    def _string(self) -> str:
        quote = self._text[self._at]
        closing = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(closing)
        content: list[str] = []
        while self._at < len(self._text):
            if self._take(closing):
                # A multi-line string may end in up to two quotes of its own.
                while len(closing) == 3 and self._take(quote):
                    content.append(quote)
                break
            character = self._text[self._at]
            self._at += 1
            if character == "\\" and quote == '"' and self._at < len(self._text):
                escape = self._text[self._at]
                self._at += 1
                character = _SIMPLE_ESCAPES.get(escape, escape)
                if escape in "uU":
                    digits = 4 if escape == "u" else 8
                    character = chr(int(self._text[self._at : self._at + digits], 16))
                    self._at += digits
            content.append(character)
        return "".join(content)
