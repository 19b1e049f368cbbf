"""Thin entry for Locust's own command line.

`SEATRIAL_LOAD_PLAN=plan.json locust -f load/locustfile.py --headless -u 1`

Only ever run in a process of its own: importing Locust patches the standard library.
"""

import sys
from pathlib import Path

try:
    from seatrial.load.dispatcher import Dispatcher
except ModuleNotFoundError as missing:
    if missing.name != "seatrial":
        raise
    # In a clone that is not installed, the package lies beside this folder.
    sys.path.append(str(Path(__file__).resolve().parents[1] / "verification"))
    from seatrial.load.dispatcher import Dispatcher

__all__ = ["Dispatcher"]
