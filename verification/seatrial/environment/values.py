"""Values that more than one key takes: addresses, names, paths, sockets, digests.

The messages say what was expected, and repeat what was seen only where it cannot hold a secret.
"""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What an environment, a service, a host may be called: it becomes part of file names and of the identity of cases."""

TARGET: Final = "${target."
"""Begins a placeholder, ``${target.NAME}``, whose value is not known before the target has started."""

HOST_SCHEMES: Final = ("local", "ssh", "kubectl", "docker")


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://", TARGET)):
        # What was seen is repeated without the part that may be a password.
        raise ValueError(f"expected a URL that begins with http:// or https://, seen {value.split('@')[-1]!r}")
    if re.match(r"https?://[^/]*@", value):
        raise ValueError("expected a URL without user and password; a secret is given as a reference")
    if TARGET in value:
        return value.rstrip("/")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # The message of urlsplit repeats what it took for a port, which may be half a password.
        raise ValueError("expected a URL with a host and, where there is one, a port of 0 to 65535") from None
    if not host or re.search(r"\s", value):
        raise ValueError(f"expected a URL with a host and without blanks, seen {value!r}")
    if parts.query or parts.fragment:
        raise ValueError("expected a URL without query and fragment, since paths are added to it")
    return value.rstrip("/")


def _host_spec(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in HOST_SCHEMES:
        known = ", ".join(f"{name}://" for name in HOST_SCHEMES)
        raise ValueError(f"expected one of {known}, seen {scheme!r}")
    if ":" in rest.rpartition("@")[0]:
        raise ValueError("expected no password; ssh takes keys from its agent or configuration")
    return value


def _socket(value: str) -> str:
    if not value.startswith(("tcp://", "udp://", "unix://")):
        raise ValueError(f"expected a socket such as tcp://127.0.0.1:80, udp:// or unix://, seen {value!r}")
    return value


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"expected a path that begins with /, seen {value!r}")
    return value


def _workload(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]+/[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value):
        raise ValueError(f"expected kind/name such as deployment/chatbot, seen {value!r}")
    return value


def _digest(value: str) -> str:
    if TARGET not in value and not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise ValueError(f"expected sha256: and 64 hexadecimal digits, seen {value!r}")
    return value


def _variable(value: str) -> str:
    # What was seen is not repeated: somebody may have pasted the secret.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("expected the name of a variable")
    return value


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(f"expected a name of letters, digits, dots, dashes and underscores, seen {value!r}")
    return value


# The patterns are for editors, which read the schema; the validators judge, and say more.
Url = Annotated[
    str, AfterValidator(_http_url), Field(json_schema_extra={"pattern": r"^(https?://[^/\s?#]|\$\{target\.)"})
]
HostSpec = Annotated[
    str, AfterValidator(_host_spec), Field(json_schema_extra={"pattern": f"^({'|'.join(HOST_SCHEMES)})://"})
]
Socket = Annotated[str, AfterValidator(_socket), Field(json_schema_extra={"pattern": "^(tcp|udp|unix)://"})]
UrlPath = Annotated[str, AfterValidator(_path), Field(json_schema_extra={"pattern": "^/"})]
Workload = Annotated[
    str, AfterValidator(_workload), Field(json_schema_extra={"pattern": "^[A-Za-z]+/[a-z0-9][-a-z0-9.]*$"})
]
Digest = Annotated[str, AfterValidator(_digest)]
Name = Annotated[str, AfterValidator(_name)]
Variable = Annotated[str, AfterValidator(_variable)]
Text = Annotated[str, StringConstraints(min_length=1)]
