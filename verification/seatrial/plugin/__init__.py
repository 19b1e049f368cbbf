"""pytest hooks and options; everything that costs time to import is imported where it is used.

Inert unless an environment is named: by ``--env``, by ``SEATRIAL_ENV``, or by ``seatrial_env`` in the project's
configuration. With one, the hooks of a run are registered: :mod:`items` in every process, :mod:`controller` in the
process that pytest was started as, :mod:`worker` in those of xdist.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.fixtures.session import KEY

if TYPE_CHECKING:
    from seatrial.environment.model import Environment
    from seatrial.hookspec import RunningTarget


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--env`` and what goes with it."""
    group = parser.getgroup("seatrial", "deployment verification")
    group.addoption(
        "--env", metavar="NAME", help="environment to verify: a file in fixtures/environments, without .toml"
    )
    group.addoption("--release", metavar="VERSION", help="version that is expected to run on the track under test")
    group.addoption(
        "--digest",
        metavar="SHA256",
        action="append",
        default=[],
        help="image digest of the release, once for every image; in place of the environment's",
    )
    group.addoption("--track", metavar="TRACK", help="which copy of each service is under test: stable or candidate")
    group.addoption("--phase", metavar="PHASE", help="pre, canary or post: before, while or after traffic moves to it")
    group.addoption("--seatrial-fixtures", metavar="DIR", help="folder with environments/ and policies/ [fixtures]")
    group.addoption("--seatrial-reports", metavar="DIR", help="folder that receives one folder a run [reports]")
    group.addoption(
        "--seatrial-manifests",
        metavar="DIR",
        help="check rendered manifests (a folder, a file, - for standard input) in place of the cluster: config alone",
    )
    group.addoption(
        "--seatrial-manifests-complete",
        action="store_true",
        help="the manifests are everything that is deployed together: what they refer to and do not hold is missing",
    )
    group.addoption(
        "--seatrial-snapshot",
        metavar="FILE",
        help="check a snapshot of `seatrial snapshot save` in place of the cluster",
    )
    group.addoption(
        "--demo-fault",
        action="append",
        default=[],
        metavar="NAME",
        help="switch a fault of the embedded demo on; repeatable, listed by `seatrial demo --faults`",
    )
    from seatrial.fixtures import rollouts

    rollouts.add_options(group)
    parser.addini("seatrial_env", "environment to verify where --env is not given; without it seatrial is inert")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add seatrial's own extension points."""
    from seatrial import hookspec

    pluginmanager.add_hookspecs(hookspec)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the environment and register the hooks of a run, before the report writers look at their options."""
    from seatrial.fixtures.record import SUITES

    for name, meaning in SUITES.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "watch: of a rollout while it happens, with --seatrial-watch")
    config.addinivalue_line("markers", "check(id, suite=, severity=, trigger=, object=): what a test stands for")

    from seatrial.environment.precedence import choose

    chosen = choose("env", command_line=config.getoption("--env"), file=config.getini("seatrial_env") or None)
    if not chosen.value:
        return
    from seatrial.plugin import options

    context = options.read(config, chosen)
    config.stash[KEY] = context
    for module in options.FIXTURE_MODULES:
        if not config.pluginmanager.hasplugin(module):
            config.pluginmanager.register(importlib.import_module(module), module)

    from seatrial.plugin import allure
    from seatrial.plugin.items import Items

    config.pluginmanager.register(Items(context), "seatrial-items")
    if context.folder is not None:
        allure.direct(config, context.folder.allure)
    if options.is_worker(config):
        from seatrial.plugin.worker import Worker

        config.pluginmanager.register(Worker(context), "seatrial-worker")
    elif context.folder is not None:
        from seatrial.plugin.controller import Controller

        controller = Controller(config, context)
        config.pluginmanager.register(controller, "seatrial-controller")
        if config.pluginmanager.hasplugin("xdist"):
            config.pluginmanager.register(controller.distribution(), "seatrial-distribution")


def pytest_seatrial_start_target(environment: Environment, faults: Sequence[str], state: Path) -> RunningTarget | None:
    """Bring up the built-in demo."""
    if environment.target is None or environment.target.start != "demo":
        return None
    from seatrial.demo import platform

    running: Any = platform.start(faults=faults, state=state)
    return running  # type: ignore[no-any-return]
