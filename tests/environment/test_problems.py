"""What is wrong with an environment file, word for word: the golden table of messages."""

from collections.abc import Callable
from typing import Any

import pytest

from seatrial.environment.loading import load

S = '[services.c]\nurl.stable = "https://a.example"\n'
REFERENCE = 'expected a reference, { env = "NAME" } or { file = "PATH" }, never the secret itself'
HUGE = "9" * 400

BAD = {
    # Keys
    "unknown section": ("[service.c]", "t.toml:1: service: unknown key; did you mean services?"),
    "unknown key": (S + "timeuot = '1s'", "t.toml:3: services.c.timeuot: unknown key; did you mean timeout?"),
    "unknown key, nothing near": (
        "[run]\nzzz = 1",
        "t.toml:2: run.zzz: unknown key; known here: phase, track",
    ),
    "unknown key of a region's addresses": (
        S + "[regions.eu.services.c]\nstable = 'https://a.example'\npubic = 'x'",
        "t.toml:5: regions.eu.services.c.pubic: unknown key; did you mean public?",
    ),
    "unknown key of a list's element": (
        "[[waivers]]\ncheck = 'a'\nreason = 'b'\nowner = 'c'\nexpires = 2027-01-31\nobjct = 'd'",
        "t.toml:6: waivers[0].objct: unknown key; did you mean object?",
    ),
    "name": ("name = 't'", "t.toml:1: name: unknown key; the environment is called 't', as its file is"),
    "missing": ("[services.c]\nprotocol = 'http'", "t.toml:1: services.c.url: is missing"),
    "name with a bracket": (
        "[services.'a[b]']\nurl.stable = 'https://a.example'",
        "t.toml:1: services.\"a[b]\": expected a name of letters, digits, dots, dashes and underscores, seen 'a[b]'",
    ),
    # Types are TOML's, nothing is converted
    "text for a flag": (
        "[data]\nallow_writes = 'yes'",
        "t.toml:2: data.allow_writes: expected true or false, seen 'yes'",
    ),
    "number for a flag": ("[data]\nallow_writes = 1", "t.toml:2: data.allow_writes: expected true or false, seen 1"),
    "text for a whole number": (
        "[rollout]\nmax_restarts = '3'",
        "t.toml:2: rollout.max_restarts: expected a whole number, seen '3'",
    ),
    "flag for a number": ("[load]\nmax_rate = true", "t.toml:2: load.max_rate: expected a number, seen true"),
    "number for a text": ("description = 3", "t.toml:1: description: expected a text, seen 3"),
    "number for a table": ("services.c = 3", "t.toml:1: services.c: expected a table, seen a number"),
    "list for a table": ("services = [1]", "t.toml:1: services: expected a table, seen a list"),
    "text for a list": ("[release]\ndigests = 'x'", "t.toml:2: release.digests: expected a list, seen a text"),
    "element of a list": (
        "[cluster]\nnamespaces = [\n  'a',\n  3,\n]",
        "t.toml:4: cluster.namespaces[1]: expected a text, seen 3",
    ),
    "date": (
        "[[waivers]]\ncheck = 'a'\nreason = 'b'\nowner = 'c'\nexpires = 'soon'",
        "t.toml:5: waivers[0].expires: expected a date such as 2027-01-31, seen 'soon'",
    ),
    # Values
    "one of": (
        "[run]\ntrack = 'canidate'",
        "t.toml:2: run.track: expected one of stable, candidate; seen 'canidate'; did you mean candidate?",
    ),
    "negative": ("[rollout]\nmax_restarts = -1", "t.toml:2: rollout.max_restarts: expected at least 0, seen -1"),
    "share above one": (
        S + "objectives.error_rate = 2.5",
        "t.toml:3: services.c.objectives.error_rate: expected at most 1, seen 2.5",
    ),
    "infinite": ("[load]\nmax_rate = inf", "t.toml:2: load.max_rate: expected a finite number, seen inf"),
    "no number": (
        S + "objectives.relative_margin = nan",
        "t.toml:3: services.c.objectives.relative_margin: expected a finite number, seen nan",
    ),
    "empty": (
        "[[waivers]]\ncheck = 'a'\nreason = ''\nowner = 'c'\nexpires = 2027-01-31",
        "t.toml:3: waivers[0].reason: expected a text that is not empty, seen ''",
    ),
    "duration without unit": (S + "timeout = 5", "t.toml:3: services.c.timeout: the unit is missing: write 5s or 5ms"),
    "duration of an unknown unit": (
        S + "timeout = '5 sec'",
        "t.toml:3: services.c.timeout: expected a number with a unit (ms, s, m, h, d), such as 250ms; seen '5 sec'",
    ),
    "no time to wait": (S + "timeout = '0s'", "t.toml:3: services.c.timeout: expected more than 0, seen '0s'"),
    "endless": (S + f"timeout = '{HUGE}s'", "t.toml:3: services.c.timeout: expected a duration that is finite"),
    "path": (
        S + "health.live = 'healthz'",
        "t.toml:3: services.c.health.live: expected a path that begins with /, seen 'healthz'",
    ),
    "workload": (
        S + "workload = 'chatbot'",
        "t.toml:3: services.c.workload: expected kind/name such as deployment/chatbot, seen 'chatbot'",
    ),
    "digest": (
        "[release]\ndigests = ['sha256:abc']",
        "t.toml:2: release.digests[0]: expected sha256: and 64 hexadecimal digits, seen 'sha256:abc'",
    ),
    "host": (
        "[hosts.h]\nspec = 'shh://a'",
        "t.toml:2: hosts.h.spec: expected one of local://, ssh://, kubectl://, docker://, seen 'shh'",
    ),
    "socket": (
        "[hosts.h]\nspec = 'local://'\nlistening = ['80']",
        "t.toml:3: hosts.h.listening[0]: expected a socket such as tcp://127.0.0.1:80, udp:// or unix://, seen '80'",
    ),
    # URLs
    "scheme": (
        "services.c.url.stable = 'a.example'",
        "t.toml:1: services.c.url.stable: expected a URL that begins with http:// or https://, seen 'a.example'",
    ),
    "no host": (
        "services.c.url.stable = 'https://'",
        "t.toml:1: services.c.url.stable: expected a URL with a host and without blanks, seen 'https://'",
    ),
    "blank": (
        "services.c.url.stable = 'https://a b'",
        "t.toml:1: services.c.url.stable: expected a URL with a host and without blanks, seen 'https://a b'",
    ),
    "port": (
        "services.c.url.stable = 'https://a:99999'",
        "t.toml:1: services.c.url.stable: expected a URL with a host and, where there is one, a port of 0 to 65535",
    ),
    "query": (
        "services.c.url.stable = 'https://a?b=c'",
        "t.toml:1: services.c.url.stable: expected a URL without query and fragment, since paths are added to it",
    ),
    # Secrets: what was seen is not repeated
    "secret": (S + "auth = 'hunter2'", f"t.toml:3: services.c.auth: {REFERENCE}"),
    "secret under a wrong key": (S + "auth = { value = 'hunter2' }", f"t.toml:3: services.c.auth: {REFERENCE}"),
    "secret for its variable": (S + "auth = { env = 'hunter2-hunter2' }", f"t.toml:3: services.c.auth: {REFERENCE}"),
    "two references": (S + "auth = { env = 'A', file = 'hunter2' }", f"t.toml:3: services.c.auth: {REFERENCE}"),
    "no variable": (S + "auth = { env = '' }", f"t.toml:3: services.c.auth: {REFERENCE}"),
    "unknown key with a secret": (
        S + "token = 'hunter2'",
        (
            "t.toml:3: services.c.token: unknown key; known here: auth, candidate_workload, concurrency, "
            "connect_timeout, health, helm_release, http, latency, metrics, model, namespace, objectives, page, "
            "protocol, rate_limit_wait, required_headers, shifter, timeout, tls, url, websocket, workload"
        ),
    ),
    "connection string": (
        "databases.d = 'postgres://u:hunter2@h'",
        "t.toml:1: databases.d: expected a table, seen a text",
    ),
    "password in a URL": (
        "services.c.url.stable = 'https://u:hunter2@a.example'",
        "t.toml:1: services.c.url.stable: expected a URL without user and password; a secret is given as a reference",
    ),
    "password in a URL of another scheme": (
        "services.c.url.stable = 'ftp://u:hunter2@a.example'",
        "t.toml:1: services.c.url.stable: expected a URL that begins with http:// or https://, seen 'a.example'",
    ),
    "password in a URL with a slash": (
        "services.c.url.stable = 'https://u:hunter2/3@a.example'",
        "t.toml:1: services.c.url.stable: expected a URL with a host and, where there is one, a port of 0 to 65535",
    ),
    "password in a URL with a placeholder": (
        "target.start = 'demo'\nservices.c.url.stable = 'https://u:hunter2@${target.host}'",
        "t.toml:2: services.c.url.stable: expected a URL without user and password; a secret is given as a reference",
    ),
    "password of a host": (
        "[hosts.h]\nspec = 'ssh://u:hunter2@a'",
        "t.toml:2: hosts.h.spec: expected no password; ssh takes keys from its agent or configuration",
    ),
    # What no single field can tell
    "two clusters": (
        "[cluster]\nin_cluster = true\ncontext = 'a'",
        "t.toml:2: cluster.in_cluster: expected either in_cluster or kubeconfig and context, seen both",
    ),
    "profile without permission": (
        S + "latency.profile = 'smoke'",
        "t.toml:3: services.c.latency: a profile is declared, but load.allowed is false",
    ),
    "candidate's workload alone": (
        S + "candidate_workload = 'deployment/b'",
        "t.toml:3: services.c.candidate_workload: expected services.c.workload beside it, the one of stable",
    ),
    "foreign namespace": (
        S + "namespace = 'theirs'\n[cluster]\nnamespaces = ['ours', 'more']",
        "t.toml:3: services.c.namespace: expected one of cluster.namespaces (ours, more), seen 'theirs'",
    ),
    "region of no service": (
        S.replace(".c]", ".chat]") + "[regions.eu]\nservices.chta.stable = 'https://a.example'",
        "t.toml:4: regions.eu.services.chta: expected the name of a service; did you mean chat?",
    ),
    # Metrics
    "promql without a server": (
        S + "[services.c.metrics.saturation.cpu]\n[metrics]\n",
        (
            "t.toml:3: services.c.metrics.saturation.cpu: expected metrics.prometheus, "
            "since a page alone cannot answer this"
        ),
    ),
    "native histogram without a server": (
        S + "[services.c.metrics]\nnative = true\n[metrics]\n",
        "t.toml:4: services.c.metrics.native: expected metrics.prometheus, since a page alone cannot answer this",
    ),
    "gauge and query": (
        S + "[services.c.metrics.saturation.q]\ngauge = 'a'\nquery = 'b'\n",
        "t.toml:3: services.c.metrics.saturation.q: expected either gauge or query, not both",
    ),
    "half a share": (
        S + "[services.c.metrics.business.b]\npart = 'a'\n",
        "t.toml:3: services.c.metrics.business.b: expected part, whole and max_share, or query with min or max",
    ),
    "no selector": (
        S + "[services.c.metrics]\nrequests = 'rate(a[5m])'\n",
        "t.toml:4: services.c.metrics.requests: expected labels in braces after rate; seen '(a[5m])'",
    ),
    "token and password": (
        "[metrics]\nauth = { env = 'A' }\nbasic = { user = 'u', password = { env = 'B' } }\n",
        "t.toml:1: metrics: expected either auth or basic, not both",
    ),
    # Placeholders
    "placeholder without target": (
        "services.c.url.stable = '${target.x}'",
        "t.toml:1: services.c.url.stable: expected a [target] table that could fill ${target.x}",
    ),
    "crooked placeholder": (
        S + "model = '${target.a-b}'\n[target]\nstart = 'demo'",
        "t.toml:3: services.c.model: expected ${target.NAME}, seen ${target.a-b}",
    ),
    "open placeholder": (
        S + "model = 'x ${target.a y'\n[target]\nstart = 'demo'",
        "t.toml:3: services.c.model: expected ${target.NAME}, seen ${target.a",
    ),
    # Files
    "no TOML": ("a = ", "t.toml: not readable as TOML: Invalid value (at end of document)"),
    "twice": ("[run]\n[run]", "t.toml: not readable as TOML: Cannot declare ('run',) twice (at line 2, column 5)"),
    "byte order mark and CRLF": (
        "\ufeff[run]\r\n\r\nphase = 'x'\r\n",
        "t.toml:3: run.phase: expected one of pre, canary, post; seen 'x'",
    ),
    "looks like keys inside a text": (
        'description = """\n[services.c]\ntimeout = 1\n"""\n' + S + "timeout = 2",
        "t.toml:7: services.c.timeout: the unit is missing: write 2s or 2ms",
    ),
    "extends nothing": ("extends = 'bass'", "t.toml:1: extends: expected the name of a file, seen 'bass'"),
    "extends a path": ("extends = '../x'", "t.toml:1: extends: expected the name of a file, seen '../x'"),
    "extends a number": ("extends = 3", "t.toml:1: extends: expected a name or a list of names, seen 3"),
    "extends itself": ("extends = 't'", "t.toml: extends: goes round in a circle: t -> t"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_message(text: str, message: str, write: Callable[..., Any], problem: Callable[..., str]) -> None:
    assert problem("t", write(t=text)) == message
    assert "hunter2" not in message


def test_all_at_once_each_with_the_file_that_says_it(write: Callable[..., Any], problem: Callable[..., str]) -> None:
    directory = write(
        base="[services.chat]\ntimeout = 3\nurl.stable = 'https://a.example'\nworkload = 'chatbot'\n",
        t="extends = 'base'\n[services.chat]\nworkload = 'Chatbot'\n[data]\nallow_writes = 'no'\n[runn]\n",
    )
    assert problem("t", directory).splitlines() == [
        "t.toml:3: services.chat.workload: expected kind/name such as deployment/chatbot, seen 'Chatbot'",
        "base.toml:2: services.chat.timeout: the unit is missing: write 3s or 3ms",
        "t.toml:5: data.allow_writes: expected true or false, seen 'no'",
        "t.toml:6: runn: unknown key; did you mean run?",
    ]


def test_every_file_that_cannot_be_read_is_named(write: Callable[..., Any], problem: Callable[..., str]) -> None:
    directory = write(a="x = ", b="extends = ['t']", t="extends = ['a', 'b', 'c']")
    assert problem("t", directory).splitlines() == [
        "a.toml: not readable as TOML: Invalid value (at end of document)",
        "b.toml: extends: goes round in a circle: t -> b -> t",
        "t.toml:1: extends: expected the name of a file, seen 'c'",
    ]


def test_unknown_environment_names_known_and_nearest(write: Callable[..., Any], problem: Callable[..., str]) -> None:
    directory = write(base="", _regions="", staging=S, qa=S)
    assert problem("stagign", directory) == (
        "unknown environment 'stagign'. Did you mean staging? Known are: qa, staging (looked in project/environments)."
    )
    assert "It is a base for others to extend." in problem("base", directory)
    assert "It is a base for others to extend." in problem("_regions", directory)
    for name in ("", "../staging", "a/b", "a\nb", ".", ".."):
        assert problem(name, directory).startswith(f"unknown environment {name!r}.")


def test_none_at_all_says_what_to_do(write: Callable[..., Any], problem: Callable[..., str]) -> None:
    assert "Known are: none; `seatrial init` writes one" in problem("x", write())


def test_what_the_target_reports_is_validated_too(write: Callable[..., Any], problem: Callable[..., str]) -> None:
    text = "[target]\nstart = 'demo'\n[services.c]\nurl.stable = '${target.url}'\nmodel = '${target.modle}'\n"
    directory = write(t=text + "url.public = '${target.open}'\n")
    assert problem("t", directory, variables={"url": "x", "model": "m"}).splitlines() == [
        "t.toml:6: services.c.url.public: the target has no variable 'open'; it has model, url",
        "t.toml:5: services.c.model: the target has no variable 'modle'; did you mean model?",
    ]
    variables = {"url": "nowhere", "modle": "m", "open": "http://b.example"}
    assert problem("t", directory, variables=variables) == (
        "t.toml:4: services.c.url.stable: expected a URL that begins with http:// or https://, seen 'nowhere'"
    )
    variables["url"] = "http://127.0.0.1:1234/"
    loaded = load("t", [directory], variables=variables)
    assert loaded.environment.services["c"].url.stable == "http://127.0.0.1:1234"
    assert loaded.sha256 == load("t", [directory]).sha256


def test_no_variable_reported_is_not_the_same_as_not_started(
    write: Callable[..., Any], problem: Callable[..., str]
) -> None:
    directory = write(t=S + "model = '${target.m}'\n[target]\nstart = 'demo'", plain=S)
    assert load("t", [directory]).environment.services["c"].model == "${target.m}"
    assert "the target has no variable 'm'; it has none" in problem("t", directory, variables={})
    assert load("plain", [directory], variables={}).environment.name == "plain"
    assert "expected a [target] table" in problem("plain", directory, variables={"m": "x"})
