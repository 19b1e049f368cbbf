"""Giving up root: a demo process that was started by root goes on as nobody."""

from __future__ import annotations

import codecs
import logging
import os
import pwd
from typing import Final

_NOBODY: Final = 65534
"""Linux's overflow user, for systems without an entry for nobody."""

_LOG = logging.getLogger(__name__)


def drop() -> bool:
    """Become nobody for good, if the process is root; whether it is unprivileged afterwards.

    Everything that root alone can open or import must have been opened and imported. Where the system does not let us
    (a container without the capability, a user namespace that does not map nobody) the process stays what it is, says
    so in its log, and whoever looks at its owner sees the truth.
    """
    if os.geteuid() != 0:
        return True
    # Codecs are modules that are imported when first used, perhaps from where nobody may not read.
    for codec in ("ascii", "idna", "latin-1", "utf-8"):
        codecs.lookup(codec)
    try:
        entry = pwd.getpwnam("nobody")
        user, group = entry.pw_uid, entry.pw_gid
    except KeyError:
        user = group = _NOBODY
    try:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    except OSError as error:
        _LOG.warning("stays uid %d: cannot become uid %d: %s", os.geteuid(), user, error)
        return False
    return True
