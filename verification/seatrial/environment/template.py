"""What `seatrial init` writes: a commented environment, its policy, and a module that brings the shipped checks in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a new user told us; an empty text is no answer."""

    name: str
    url: str
    candidate_url: str = ""
    namespace: str = ""
    workload: str = ""
    context: str = ""
    token_env: str = ""


MODULE = Path("verification") / "test_smoke.py"
"""Brings the checks into a project; the same for every environment."""


def files(answers: Answers) -> dict[Path, str]:
    """What is written, by path relative to the project."""
    return {
        Path("fixtures/environments") / f"{answers.name}.toml": environment(answers),
        Path("fixtures/policies") / f"{answers.name}.toml": policy(answers),
        MODULE: module(),
    }


def environment(answers: Answers) -> str:
    """The environment file, with what was not answered as a comment to begin with."""
    said = {key: json.dumps(value, ensure_ascii=False) for key, value in vars(answers).items()}
    track, phase = ("candidate", "canary") if answers.candidate_url else ("stable", "post")

    def line(key: str, value: str, given: str, example: str = "") -> str:
        return f"{key} = {value}" if given else f"# {key} = {example}"

    lines = [
        f"# {answers.name}: what seatrial verifies here. Durations have a unit (250ms, 30s, 14d); a secret is a",
        '# reference, { env = "NAME" } or { file = "PATH" }, never the secret. What is left out has a default:',
        f"# `seatrial env show {answers.name}` prints them all, and `seatrial env schema` a JSON Schema for editors.",
        'description = ""',
        "",
        "[run]",
        "# Which copy of each service is under test, and whether before (pre), while (canary) or after (post) traffic",
        "# moves to it. --track and --phase override it.",
        f'track = "{track}"',
        f'phase = "{phase}"',
        "",
        "[services.chat]",
        '# How conversations are held: "openai" is chat completions, "http" plain HTTP.',
        'protocol = "openai"',
        f"url.stable = {said['url']}",
        "# An address that reaches the candidate alone; stable then runs beside it as its control.",
        line("url.candidate", said["candidate_url"], answers.candidate_url, '"https://candidate.chat.example"'),
        "# The bearer token.",
        line("auth", f"{{ env = {said['token_env']} }}", answers.token_env, '{ env = "CHAT_TOKEN" }'),
        "# The workload behind it, for the config and rollout suites.",
        line("namespace", said["namespace"], answers.namespace, '"chatbot"'),
        line("workload", said["workload"], answers.workload, '"deployment/chatbot"'),
        "",
        "[services.chat.health]",
        'live = "/healthz"',
        'ready = "/readyz"',
        "# Answers with JSON in which version_field is the version that runs.",
        'version = "/version"',
        'version_field = "version"',
        '# metrics = "/metrics"',
        "",
        "[services.chat.objectives]",
        "# Largest tolerated share of failed requests, and the 95th percentile of the full answer.",
        "error_rate = 0.01",
        'latency_p95 = "1s"',
        "",
        *_cluster(answers, said),
        "[data]",
        "# Whether synthetic conversations may write. Leave it off until they have accounts of their own.",
        'classification = "production"',
        "allow_writes = false",
        "",
        "[load]",
        "# Whether load may be sent, and how much at most. The latency suite wants it, and under [services.chat]",
        '# latency = { profile = "smoke" }.',
        "allowed = false",
        "max_rate = 5",
        'max_duration = "60s"',
        "max_requests = 300",
        "",
    ]
    return "\n".join(lines)


def _cluster(answers: Answers, said: dict[str, str]) -> list[str]:
    context = f"context = {said['context']}" if answers.context else '# context = "my-cluster"'
    namespaces = f"namespaces = [{said['namespace']}]" if answers.namespace else '# namespaces = ["chatbot"]'
    comment = "# The Kubernetes API: a context of the kubeconfig (the current one where absent), and our namespaces."
    if answers.namespace or answers.context:
        return [comment, "[cluster]", context, namespaces, ""]
    return [comment, "# [cluster]", context, namespaces, ""]


def policy(answers: Answers) -> str:
    """The policy: what the shipped base asks for."""
    return "\n".join(
        [
            f"# How evidence about {answers.name} becomes a decision: as the shipped base says, and what stands here.",
            'extends = "base"',
            f"environment = {json.dumps(answers.name)}",
            "",
        ]
    )


def module() -> str:
    """A test module that imports a shipped suite."""
    return "\n".join(
        [
            '"""The smoke suite that seatrial ships, as tests of this repository."""',
            "",
            "from seatrial.suites.smoke.test_smoke import *  # noqa: F403",
            "",
        ]
    )
