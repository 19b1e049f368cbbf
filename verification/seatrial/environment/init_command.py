"""`seatrial init`: writes a commented environment, its policy and a way to run it, from a few answers or flags."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from seatrial.environment import loading, template
from seatrial.environment.locations import FixtureDirectory, shipped
from seatrial.environment.sources import is_base
from seatrial.environment.template import Answers
from seatrial.environment.values import NAME

QUESTIONS: Final = {
    "name": "name of the environment",
    "url": "address of the service (https://...)",
    "candidate_url": "address of the candidate alone, if there is one",
    "namespace": "Kubernetes namespace, if there is a cluster to look at",
    "workload": "workload, as kind/name",
    "context": "kubeconfig context",
    "token_env": "variable that holds the bearer token, if one is needed",
}
REQUIRED: Final = {"name": "NAME", "url": "--url"}

_PYTEST: Final = """\
Locust brings a pytest plugin of its own; keep it out in pyproject.toml:

[tool.pytest]
addopts = ["-p", "no:locust"]
"""


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
    parser.add_argument("--force", action="store_true", help="replace an environment and a policy that exist")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and return 0, or write nothing and return 2: an answer is missing or wrong, a file in the way."""
    try:
        answers = _answers(arguments, interactive=sys.stdin.isatty() and not arguments.yes)
        root = Path(arguments.directory)
        wanted = _wanted(answers, root, force=arguments.force)
    except (ValueError, EOFError) as error:
        for line in (str(error) or "the answers ended").splitlines():
            print(f"seatrial init: {line}", file=sys.stderr)
        return 2
    for path, text in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            print(f"seatrial init: {path} cannot be written: {error.strerror}", file=sys.stderr)
            return 2
        print(f"wrote {path}")
    if not _keeps_locust_out(root):
        print(f"\n{_PYTEST}")
    if answers.token_env:
        print(f"set:   {answers.token_env}")
    print(f"next:  seatrial env check {answers.name}   then   pytest --env={answers.name}")
    return 0


def _answers(arguments: argparse.Namespace, *, interactive: bool) -> Answers:
    values = {}
    for key, question in QUESTIONS.items():
        given = getattr(arguments, key) or ""
        if not given and interactive:
            given = input(f"{question}: ").strip()
        values[key] = given
    for key, option in REQUIRED.items():
        if not values[key]:
            raise ValueError(f"{option} is missing")
    if not NAME.fullmatch(values["name"]) or is_base(values["name"]):
        raise ValueError(f"NAME: expected letters, digits, dots and dashes, and no base; seen {values['name']!r}")
    answers = Answers(**values)
    _checked(answers)
    return answers


def _checked(answers: Answers) -> None:
    """Raises ValueError with what is wrong with the answers, found by loading what they come to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "environments" / f"{answers.name}.toml"
        path.parent.mkdir()
        path.write_text(template.environment(answers), encoding="utf-8")
        try:
            loading.load(answers.name, [FixtureDirectory(path=Path(folder))])
        except loading.EnvironmentProblem as problem:
            # The file is gone when this is read: its keys remain.
            lines = [line.removeprefix(str(path)).lstrip(":0123456789 ") for line in str(problem).splitlines()]
            raise ValueError("\n".join(lines)) from None


def _wanted(answers: Answers, root: Path, *, force: bool) -> dict[Path, str]:
    """What is to be written, by path. Raises ValueError where a file of somebody's is in the way."""
    files = {root / path: text for path, text in template.files(answers).items()}
    module = root / template.MODULE
    # The module serves all environments: one that is there is left alone. A clone of seatrial needs none.
    if module.exists() or root.resolve() == shipped().resolve():
        del files[module]
    taken = [str(path) for path in files if path.exists()]
    if taken and not force:
        raise ValueError(f"{', '.join(taken)} exists; --force replaces it")
    return files


def _keeps_locust_out(root: Path) -> bool:
    """Whether the project's pytest configuration says ``no:locust`` somewhere, in whichever file it is."""
    for name in ("pytest.toml", ".pytest.toml", "pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if "no:locust" in text:
            return True
    return False
