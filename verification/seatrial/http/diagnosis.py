"""What an exchange that went wrong means, whichever library says it."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Why a request got no whole answer. ``ours``: the environment or this machine is to blame, not the service."""

    words: str
    ours: bool
    waited: bool = False
    """Whether nothing but our patience ended."""


NO_CONNECTION: Final = Diagnosis(words="no connection within the connect timeout", ours=False, waited=True)
_NETWORK_IS_OURS: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EMFILE})
_OUT_OF_DATE: Final = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def diagnose_cause(error: BaseException) -> Diagnosis | None:
    """What lies at the bottom of ``error`` in the system's own terms; None where only the library can say.

    A service that refuses is at fault, and so is one whose certificate has expired. A name that does not resolve, or a
    certificate that we do not trust, is not the service's doing.
    """
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return Diagnosis(words=f"the name of the host does not resolve ({cause.strerror or cause})", ours=True)
        # The library may wrap one in an exception of the same kind that has nothing to say.
        if isinstance(cause, ssl.SSLCertVerificationError) and hasattr(cause, "verify_code"):
            words = f"the certificate is not valid: {cause.verify_message}"
            return Diagnosis(words=words, ours=cause.verify_code not in _OUT_OF_DATE)
        if isinstance(cause, ssl.SSLError) and hasattr(cause, "reason"):
            return Diagnosis(words=f"no TLS connection: {cause.reason or cause}", ours=True)
        if isinstance(cause, ConnectionRefusedError):
            return Diagnosis(words="the connection was refused", ours=False)
        if isinstance(cause, OSError) and cause.errno in _NETWORK_IS_OURS:
            return Diagnosis(words=f"the network does not reach the service: {cause.strerror}", ours=True)
    return None


def closed_early(error: BaseException) -> Diagnosis:
    """What is left when nothing else is known."""
    detail = f" ({error})" if str(error) else ""
    return Diagnosis(words=f"the connection was closed before the answer was complete{detail}", ours=False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error``, what it was raised from, and the members of groups among them."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        link = pending.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            pending.extend(link.exceptions)
        pending.extend(cause for cause in (link.__cause__, link.__context__) if cause is not None)
