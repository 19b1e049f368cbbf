"""Thin entry for Locust's own command line.

`SEATRIAL_LOAD_PLAN=plan.json locust -f load/locustfile.py --headless -u 1`

From several machines, where the plan's profile has `workers = N`; the plan lies at the same path on each:

`SEATRIAL_LOAD_PLAN=plan.json locust -f load/locustfile.py --master --headless -u N --expect-workers N`
`SEATRIAL_LOAD_PLAN=plan.json locust -f load/locustfile.py --worker --master-host HOST`

Only ever run in a process of its own: importing Locust patches the standard library.
"""

import sys
from pathlib import Path

try:
    from seatrial.load.distributed import SharedDispatcher
except ModuleNotFoundError as missing:
    if missing.name != "seatrial":
        raise
    # In a clone that is not installed, the package lies beside this folder.
    sys.path.append(str(Path(__file__).resolve().parents[1] / "verification"))
    from seatrial.load.distributed import SharedDispatcher

__all__ = ["SharedDispatcher"]
