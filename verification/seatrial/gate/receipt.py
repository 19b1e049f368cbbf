"""What the audit log gave for a decision: the line that it became, to know later that the line is still there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from seatrial.gate.audit import Entry
from seatrial.gate.canonical import canonical

NAME: Final = "receipt.json"
SCHEMA: Final = 1


class ReceiptProblem(ValueError):
    """A file that is no receipt."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Where in which log a decision stands. Kept beside ``decision.json``, which it is no part of:

    the same evidence, policy and question give the same decision, and each asking a line of its own.
    """

    log: str
    seq: int
    hash: str
    decision: str

    @classmethod
    def of(cls, log: Path, entry: Entry) -> Receipt:
        """For a line that was just written."""
        return cls(log=log.name, seq=entry.seq, hash=entry.hash, decision=entry.decision)

    @classmethod
    def beside(cls, decision: Path) -> Receipt | None:
        """The receipt in the folder of a decision, None where there is none. Raises OSError and ReceiptProblem."""
        path = decision.with_name(NAME)
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_bytes())
            del values["schema"]
            receipt = cls(**values)
        except (KeyError, TypeError, ValueError):
            raise ReceiptProblem(f"{NAME} beside it is no receipt") from None
        if not all(isinstance(v, str) for v in (receipt.log, receipt.hash, receipt.decision)):
            raise ReceiptProblem(f"{NAME} beside it is no receipt")
        return receipt

    def dumps(self) -> str:
        """The file's text."""
        return canonical({"schema": SCHEMA, **asdict(self)}) + "\n"
