"""Takes the plain passing cases out of a JUnit report before the XML parser sees it, a run of them at a time.

Nearly all of a large report is `<testcase classname="..." name="..." time="..."/>`, perhaps with some output, and
telling Python of each such element costs more than parsing it. So each run of them is replaced by one element, the
mark, whose name is drawn by chance and is in no file; when the parser comes to it, the handler takes the run's cases.

This is exact, since the parser stays the judge of the whole file:

- A case is taken only where every byte of it is understood: its attributes are those of the chunk's first case, in that
  order and each once; values and output are printable ASCII without references. Such an element is well-formed
  wherever an element may be, so a file with marks in their places is well-formed exactly if the report is.
- In a comment, a CDATA section, another encoding or a broken tag the mark is no element, and the parser never tells of
  it. Then :attr:`PlainCases.waiting` is not empty when it should be, and nothing that was read this way counts.
- Whoever reads this way and meets any problem at all reads the file again without: problems and their lines are told
  by the one way alone.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from seatrial.gate.junit_cases import full_name
from seatrial.gate.xml import XmlProblem

Run = tuple[list[str], list[str]]
"""Names, made of class name and name, and files of cases that passed, one after the other."""

_VALUE: Final = r"[ !#-%'-;=-~]{0,300}+"
"""Of an attribute, short enough that no name is cut: printable ASCII but `"`, `&` and `<`."""
_SPACE: Final = r"[ \t\r\n]*+"
_TEXT: Final = r"[\t\r\n -%'-;=?-~]*+"
"""Of output: also quotes and ends of lines, and no `>`, since `]]>` may not be there; tools write it as a reference."""
_OUTPUT: Final = rf"{_SPACE}(?:<system-out>{_TEXT}</system-out>|<system-err>{_TEXT}</system-err>)"
_FIRST: Final = re.compile(rf'<testcase((?: [A-Za-z_]+="{_VALUE}")+) ?/?>')
_ATTRIBUTE: Final = re.compile(r' ([A-Za-z_]+)="[^"]*"')
_KEPT: Final = ("classname", "name", "file")
_STATES: Final = frozenset({"status", "result"})
_MAX_SHAPES: Final = 20
"""Orders of attributes that a file may have; one that has more is no tool's."""


class PlainCases:
    """The plain cases of one report; one whose `status` or `result` is in ``not_run`` is none."""

    def __init__(self, not_run: Iterable[str]) -> None:
        self.mark = f"plain{os.urandom(16).hex()}"
        self.waiting: deque[Run] = deque()
        """Runs whose mark the parser has not told of yet."""
        self._ran = f'(?!(?:{"|".join(sorted(not_run))})")'
        self._shapes: dict[str, _Shape | None] = {}

    def replaced(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """``chunks`` with marks in the places of the plain cases. One that spans two chunks is left to the parser.

        Raises XmlProblem once the parser has passed over a mark.
        """
        for chunk in chunks:
            if self.waiting:
                # The end would tell as well; but what waits must not grow with the file.
                raise XmlProblem("marks that are no elements")
            # Bytes as characters, whatever the encoding is: only such below 128 are ever taken out.
            text = chunk.decode("latin-1")
            shape = self._shape(text)
            yield chunk if shape is None else self._without(shape, text).encode("latin-1")

    def _shape(self, text: str) -> _Shape | None:
        first = _FIRST.search(text)
        if first is None:
            return None
        names = _ATTRIBUTE.findall(first[1])
        key = " ".join(names)
        if key not in self._shapes and len(self._shapes) < _MAX_SHAPES:
            self._shapes[key] = _Shape(names, self._ran) if len(set(names)) == len(names) else None
        return self._shapes.get(key)

    def _without(self, shape: _Shape, text: str) -> str:
        between, names, files = shape.split(text)
        # As deep as a case with its output is, so that the parser's limit of depth is met in the same place.
        mark = f"<{self.mark}><o/></{self.mark}>"
        parts = [between[0]]
        begin = 0
        for end, rest in enumerate(between[1:], start=1):
            if rest or end == len(names):
                self.waiting.append((names[begin:end], files[begin:end]))
                parts += (mark, rest)
                begin = end
        return "".join(parts)


class _Shape:
    """How one tool writes a plain case: which attributes, in which order."""

    def __init__(self, names: Sequence[str], ran: str) -> None:
        kept = [name for name in names if name in _KEPT]
        self._columns = [kept.index(name) + 1 if name in kept else 0 for name in _KEPT]
        attributes = "".join(
            f' {name}="({_VALUE})"' if name in kept else f' {name}="{ran if name in _STATES else ""}{_VALUE}"'
            for name in names
        )
        self._pattern = re.compile(rf"<testcase{attributes}(?: ?/>|>(?:{_OUTPUT})*+{_SPACE}</testcase>){_SPACE}")
        self._width = self._pattern.groups + 1

    def split(self, text: str) -> tuple[list[str], list[str], list[str]]:
        """What is before, between and behind the plain cases, and their names and files.

        The one call of the regular expression is what makes all this quick: there is no step of Python for a case.
        """
        pieces = self._pattern.split(text)
        between = pieces[:: self._width]
        nothing = [""] * (len(between) - 1)
        classnames, names, files = (pieces[at :: self._width] if at else nothing for at in self._columns)
        return between, [full_name(*each) for each in zip(classnames, names, strict=True)], files
