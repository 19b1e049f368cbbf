"""`seatrial init`: writes a commented environment, its policy and a way to run it, from a few answers or flags."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from seatrial.environment import loading
from seatrial.environment.locations import fixture_directories


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a new user told us."""

    name: str
    url: str
    candidate_url: str = ""
    namespace: str = ""
    workload: str = ""
    context: str = ""
    token_env: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what may be said up front; the rest is asked for on a terminal."""
    parser.add_argument("name", nargs="?", help="name of the environment, for example staging")
    parser.add_argument("--url", help="address at which the service answers")
    parser.add_argument("--candidate-url", help="address that reaches the candidate alone, where there is one")
    parser.add_argument("--namespace", help="Kubernetes namespace of the service")
    parser.add_argument("--workload", help="kind/name of its workload, for example deployment/chatbot")
    parser.add_argument("--context", help="kubeconfig context of the cluster")
    parser.add_argument("--token-env", metavar="VARIABLE", help="variable that holds the bearer token")
    parser.add_argument("--directory", default=".", help="root of the project [.]")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and return 0, or 2 where an answer is missing or a file is in the way."""
    interactive = sys.stdin.isatty() and not arguments.yes
    try:
        answers = _answers(arguments, interactive=interactive)
    except ValueError as error:
        print(f"seatrial init: {error}", file=sys.stderr)
        return 2
    root = Path(arguments.directory)
    wanted = files(answers)
    taken = [path for path in wanted if (root / path).exists()]
    if taken and not arguments.force:
        print(f"seatrial init: {', '.join(map(str, taken))} exists; --force replaces it", file=sys.stderr)
        return 2
    for path, text in wanted.items():
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        except OSError as error:
            print(f"seatrial init: {root / path} cannot be written: {error.strerror}", file=sys.stderr)
            return 2
        print(f"wrote {root / path}")
    try:
        loading.load(answers.name, fixture_directories(root))
    except loading.EnvironmentProblem as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"next:  seatrial env check {answers.name}   then   pytest --env={answers.name}")
    return 0


def _answers(arguments: argparse.Namespace, *, interactive: bool) -> Answers:
    questions = {
        "name": "name of the environment",
        "url": "address of the service (https://...)",
        "candidate_url": "address of the candidate alone, if there is one",
        "namespace": "Kubernetes namespace, if there is a cluster to look at",
        "workload": "workload, as kind/name",
        "context": "kubeconfig context",
        "token_env": "variable that holds the bearer token, if one is needed",
    }
    values = {}
    for key, question in questions.items():
        given = getattr(arguments, key) or ""
        if not given and interactive:
            given = input(f"{question}: ").strip()
        values[key] = given
    for key, option in (("name", "NAME"), ("url", "--url")):
        if not values[key]:
            raise ValueError(f"{option} is missing")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", values["name"]) or values["name"] == loading.BASE:
        raise ValueError(
            f"NAME: expected letters, digits, dots and dashes, and not {loading.BASE}; seen {values['name']!r}"
        )
    for key in ("url", "candidate_url"):
        if values[key] and not values[key].startswith(("http://", "https://")):
            raise ValueError(f"--{key.replace('_', '-')}: expected http:// or https://, seen {values[key]!r}")
    if values["workload"] and values["workload"].count("/") != 1:
        raise ValueError(f"--workload: expected kind/name, for example deployment/chatbot; seen {values['workload']!r}")
    return Answers(**values)


def _or_comment(line: str, example: str, *, given: bool) -> str:
    return line if given else f"# {example}"


def files(answers: Answers) -> dict[Path, str]:
    """What is written, by path relative to the project."""
    quoted = {key: json.dumps(value) for key, value in vars(answers).items()}
    candidate = bool(answers.candidate_url)
    lines = [
        f"# {answers.name}: what seatrial verifies here. Every key: docs/environment.md of seatrial.",
        'description = ""',
        "",
        "[run]",
        "# Which copy of each service is under test, and when: overridden by --track and --phase.",
        f'track = "{"candidate" if candidate else "stable"}"',
        f'phase = "{"canary" if candidate else "post"}"',
        "",
        "[services.chat]",
        '# "openai" is chat completions, "http" plain HTTP.',
        'protocol = "openai"',
        f"url.stable = {quoted['url']}",
        "# An address that reaches the candidate alone makes stable its control.",
        _or_comment(
            f"url.candidate = {quoted['candidate_url']}", 'url.candidate = "https://candidate.example"', given=candidate
        ),
        "# A reference to the bearer token, never the token.",
        _or_comment(
            f"auth = {{ env = {quoted['token_env']} }}", 'auth = { env = "CHAT_TOKEN" }', given=bool(answers.token_env)
        ),
        "# The workload behind it, for the config and rollout suites.",
        _or_comment(f"namespace = {quoted['namespace']}", 'namespace = "chatbot"', given=bool(answers.namespace)),
        _or_comment(
            f"workload = {quoted['workload']}", 'workload = "deployment/chatbot"', given=bool(answers.workload)
        ),
        "",
        "[services.chat.health]",
        'live = "/healthz"',
        'ready = "/readyz"',
        'version = "/version"',
        '# metrics = "/metrics"',
        "",
        "[services.chat.objectives]",
        "error_rate = 0.01",
        'latency_p95 = "1s"',
        "",
    ]
    if answers.namespace or answers.context:
        lines += ["[cluster]"]
        lines += [_or_comment(f"context = {quoted['context']}", 'context = "my-cluster"', given=bool(answers.context))]
        lines += [f"namespaces = [{quoted['namespace']}]" if answers.namespace else "# namespaces = []", ""]
    lines += [
        "[data]",
        "# Whether synthetic conversations may write. Leave it off until they use accounts of their own.",
        "allow_writes = false",
        "",
        "[load]",
        "# Whether the latency suite may send load, and how much at most.",
        "allowed = false",
        "max_rate = 5",
        'max_duration = "60s"',
        "max_requests = 300",
        "",
    ]
    policy = [
        f"# How evidence about {answers.name} becomes a decision.",
        'extends = "base"',
        f"environment = {quoted['name']}",
        "",
    ]
    module = [
        '"""The suites that seatrial ships, as tests of this repository."""',
        "",
        "from seatrial.suites.smoke.test_smoke import *  # noqa: F403",
        "",
    ]
    return {
        Path("fixtures/environments") / f"{answers.name}.toml": "\n".join(lines),
        Path("fixtures/policies") / f"{answers.name}.toml": "\n".join(policy),
        Path("verification") / "test_smoke.py": "\n".join(module),
    }
