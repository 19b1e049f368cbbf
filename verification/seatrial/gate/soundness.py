"""Whether an audit log is as it was written: which line was altered, removed, inserted or moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from seatrial.gate.audit import BEGINNING, LONGEST_LINE, Entry, LineProblem

HALF_WRITTEN: Final = (
    "half-written: a writer was killed, or the end was cut off; `seatrial audit repair` moves it aside"
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something wrong with one line."""

    line: int
    """Counted from 1; one beyond the last line where the end is missing."""
    message: str


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """What is known of the log from elsewhere: a line that must be in it."""

    source: str
    """Where it is known from, for the reader."""
    hash: str = ""
    """Hash of the line; empty where only the decision is known."""
    seq: int = 0
    decision: str = ""
    """Hash of a decision that a line of the log must be about."""


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """What was found."""

    lines: int
    head: Entry | None
    """The last line that is as it was written."""
    findings: tuple[Finding, ...]
    anchored: int
    """Up to which line the anchors prove that nothing was cut off or written anew; 0 without any."""


@dataclass(kw_only=True)
class _Lines:
    """What was read: whole lines by their number, and what is wrong with the others."""

    whole: dict[int, Entry] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    count: int = 0

    def find(self, line: int, message: str) -> None:
        self.findings.append(Finding(line=line, message=message))


def examine(lines: Iterable[bytes], anchors: Sequence[Anchor] = ()) -> Soundness:
    """Look at every line, each with its end, as a binary file gives them."""
    read = _read(lines)
    chosen = _without_duplicates(read)
    _order(read, chosen)
    _links(read, chosen)
    anchored = _anchors(read, anchors)
    head = read.whole[max(read.whole)] if read.whole else None
    findings = tuple(sorted(read.findings, key=lambda finding: finding.line))
    return Soundness(lines=read.count, head=head, findings=findings, anchored=anchored)


def _read(lines: Iterable[bytes]) -> _Lines:
    read = _Lines()
    for number, line in enumerate(lines, start=1):
        read.count = number
        if not line.endswith(b"\n"):
            read.find(number, HALF_WRITTEN)
        elif len(line) > LONGEST_LINE:
            read.find(number, f"altered: it is longer than {LONGEST_LINE} bytes")
        else:
            try:
                read.whole[number] = Entry.parse(line[:-1])
            except LineProblem as problem:
                read.find(number, f"altered: {problem}")
    return read


def _without_duplicates(read: _Lines) -> dict[int, int]:
    """The line of each sequence number. Of several with one number, the true one is what its neighbours fit."""
    places: dict[int, list[int]] = defaultdict(list)
    for number, entry in read.whole.items():
        places[entry.seq].append(number)
    wanted = {entry.previous for entry in read.whole.values()}
    known = {entry.hash for entry in read.whole.values()} | {BEGINNING}
    chosen: dict[int, int] = {}
    for seq, numbers in places.items():
        entries = {number: read.whole[number] for number in numbers}
        true = min(numbers, key=lambda n: (entries[n].previous not in known, entries[n].hash not in wanted, n))
        chosen[seq] = true
        for number in numbers:
            if number != true:
                read.find(number, f"inserted: line {true} is already number {seq}")
    return chosen


def _order(read: _Lines, chosen: Mapping[int, int]) -> None:
    """Numbers must rise by one from line to line; a line that cannot be read may stand for one number."""
    inserted = set(read.whole) - set(chosen.values())
    expected, unread = 1, 0
    for number in range(1, read.count + 1):
        if number in inserted:
            continue
        entry = read.whole.get(number)
        if entry is None:
            unread += 1
            continue
        if entry.seq < expected:
            read.find(number, f"out of order: number {entry.seq} stands after number {expected - 1}")
            continue
        if entry.seq > expected + unread:
            absent = [seq for seq in range(expected, min(entry.seq, expected + 10_000)) if seq not in chosen]
            if len(absent) > unread:
                gone = f"number {expected}" if entry.seq == expected + 1 else f"numbers {expected} to {entry.seq - 1}"
                read.find(
                    number, f"removed: before this line {gone} should stand, and {_be(entry.seq - expected)} not there"
                )
            else:
                read.find(number, f"out of order: number {entry.seq} stands where number {expected} belongs")
        expected, unread = entry.seq + 1, 0


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _links(read: _Lines, chosen: Mapping[int, int]) -> None:
    """Each line names the hash of the one before. One that was altered and hashed anew breaks that on both sides."""
    broken = [seq for seq in sorted(chosen) if _broken(read, chosen, seq)]
    blamed: set[int] = set()
    for seq in broken:
        if seq in blamed:
            continue
        if seq == 1:
            read.find(chosen[1], "replaced: it is number 1, and says that it follows another line")
        elif seq + 1 in broken:
            # Neither neighbour fits it.
            blamed.add(seq + 1)
            read.find(chosen[seq], "replaced: it was altered or put in, and hashed anew: neither neighbour fits it")
        else:
            before = chosen[seq - 1]
            last = chosen[seq] if seq + 1 not in chosen else 0
            words = f"replaced: it was altered and hashed anew: line {chosen[seq]} follows one of another hash"
            read.find(before, f"{words}, or that last line was" if last else words)


def _broken(read: _Lines, chosen: Mapping[int, int], seq: int) -> bool:
    """Whether line ``seq`` does not follow the line before it, where both can be read."""
    entry = read.whole[chosen[seq]]
    if seq == 1:
        return entry.previous != BEGINNING
    return seq - 1 in chosen and entry.previous != read.whole[chosen[seq - 1]].hash


def _anchors(read: _Lines, anchors: Iterable[Anchor]) -> int:
    hashes = {entry.hash: number for number, entry in read.whole.items()}
    decisions = {entry.decision: number for number, entry in read.whole.items() if entry.kind == "decision"}
    anchored = 0
    for anchor in anchors:
        number = hashes.get(anchor.hash) if anchor.hash else decisions.get(anchor.decision)
        if number is not None:
            anchored = max(anchored, number)
            continue
        what = f"the line with the hash {anchor.hash}" if anchor.hash else f"a line of the decision {anchor.decision}"
        if anchor.seq and anchor.seq <= read.count:
            read.find(anchor.seq, f"another than {anchor.source} knows: {what} should be number {anchor.seq}")
        else:
            cut = "the end was cut off, or everything was written anew"
            read.find(read.count + 1, f"missing: {anchor.source} knows {what}, and it is not there: {cut}")
    return anchored


def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Every line that is as it was written, in order; the others are left out."""
    for line in lines:
        if line.endswith(b"\n"):
            try:
                yield Entry.parse(line[:-1])
            except LineProblem:
                continue
