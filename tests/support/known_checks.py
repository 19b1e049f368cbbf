"""Writes the ids of all checks that ship, which the gate cannot import: ``python -m support.known_checks``."""

import json
import re
import sys
from pathlib import Path

from seatrial import generated
from seatrial.checks.catalogue import catalogue

SOURCE = Path(__file__).parents[2] / "verification" / "seatrial"
_DECLARED = re.compile(r'check\(\s*"([a-z-]+/[a-z-]+)",\s*suite="([a-z]+)"')
"""Checks that are no part of the catalogue: those of latencies and of a watched rollout."""


def text() -> str:
    found = {check.id: check.suite for check in catalogue()}
    for path in sorted(SOURCE.rglob("*.py")):
        found.update(_DECLARED.findall(path.read_text(encoding="utf-8")))
    return json.dumps(dict(sorted(found.items())), indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(generated.main({Path("verification/seatrial/gate/known_checks.json"): text()}))
