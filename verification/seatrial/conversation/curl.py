"""A request as a curl line that anybody may paste: secrets stand in it as references, never as values."""

from __future__ import annotations

import json
import shlex

from seatrial.conversation.protocol import REQUEST_ID_HEADER, Request
from seatrial.environment.model import SecretFromEnv, SecretFromFile
from seatrial.environment.selection import ServiceTarget
from seatrial.http.marks import identity_headers


def curl_line(request: Request, target: ServiceTarget, run_id: str) -> str:
    """The line that repeats ``request`` from a shell in which the environment's secrets are set."""
    words = ["curl", "-sS", "-i", "--max-time", f"{target.service.timeout:g}"]
    if request.body.get("stream"):
        words.append("-N")
    if target.service.tls.ca_file and target.base_url.startswith("https://"):
        words += ["--cacert", shlex.quote(target.service.tls.ca_file)]
    words += ["-X", request.method, shlex.quote(request.url)]
    match target.service.auth:
        case SecretFromEnv(env=name):
            words += ["-H", f'"Authorization: Bearer ${{{name}}}"']
        case SecretFromFile(file=path):
            # Double quotes, so that the shell reads the file; the path itself stays quoted inside.
            words += ["-H", f'"Authorization: Bearer $(cat {shlex.quote(path)})"']
        case None:
            pass
    headers = {**identity_headers(run_id), **request.headers, "Content-Type": "application/json"}
    # Its id stays that of our request: two requests under one id would mislead whoever reads the logs.
    headers.pop(REQUEST_ID_HEADER, None)
    for name, value in headers.items():
        words += ["-H", shlex.quote(f"{name}: {value}")]
    words += ["--data-raw", shlex.quote(json.dumps(request.body, ensure_ascii=False))]
    return " ".join(words)
