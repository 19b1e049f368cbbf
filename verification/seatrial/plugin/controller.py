"""The process that pytest was started as: brings the target up, gathers the outcomes, writes the evidence."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seatrial import __version__
from seatrial.environment.secrets import SecretProblem
from seatrial.environment.selection import ServiceTarget, service_targets
from seatrial.evidence.outcome import CannotLook, Role
from seatrial.fixtures.session import Context
from seatrial.fixtures.targets import SeenVersion, seen_versions
from seatrial.hookspec import RunningTarget
from seatrial.plugin import options
from seatrial.plugin.evidence import EvidenceWriter, plan_from_text, planned_cases, read_plan
from seatrial.plugin.findings import grouped


class Controller:
    """Hooks of the controlling process. One object a run."""

    def __init__(self, config: pytest.Config, context: Context) -> None:
        assert context.folder is not None
        self.context = context
        self.config = config
        self.target: RunningTarget | None = None
        self.state: Path | None = None
        self.seen: list[SeenVersion] = []
        self.deselected: list[pytest.Item] = []
        self.writer = EvidenceWriter(run=context.run, folder=context.folder)
        if not config.option.xmlpath:
            config.option.xmlpath = str(context.folder.junit)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Bring the target up and see what runs on it, before xdist starts its workers."""
        if self.context.offline:
            return
        self._start_target()
        targets = service_targets(self.context.environment, self.context.track)
        try:
            self.seen = seen_versions(targets, self._bearer, self.context.run.id)
        except SecretProblem as error:
            raise pytest.UsageError(str(error)) from None
        versions = sorted({seen.version for seen in self.seen if seen.target.role is Role.SUBJECT and seen.version})
        self.context.saw(versions)
        self.writer.run = self.context.run

    def _bearer(self, target: ServiceTarget) -> str | None:
        reference = target.service.auth
        return None if reference is None else self.context.secrets.resolve(reference, f"services.{target.name}.auth")

    def _start_target(self) -> None:
        wanted = self.context.environment.target
        faults = self.context.faults
        if wanted is None:
            if faults:
                name = self.context.environment.name
                raise pytest.UsageError(f"--demo-fault needs the embedded demo; the environment {name} is a real one")
            return
        self.state = Path(tempfile.mkdtemp(prefix="seatrial-"))
        try:
            self.target = self.config.hook.pytest_seatrial_start_target(
                environment=self.context.environment, faults=faults, state=self.state
            )
        except (CannotLook, ValueError) as error:
            raise pytest.UsageError(f"the target {wanted.start!r} could not be brought up: {error}") from None
        if self.target is None:
            raise pytest.UsageError(f"nothing here can bring up the target {wanted.start!r}; is a plugin missing?")
        self.context.bind(self.target.variables)

    def pytest_report_header(self) -> list[str]:
        """Say what is verified: environment, phase, track, release wanted and seen, and where the evidence goes."""
        context = self.context
        origin = context.origins
        wanted = context.release.version
        looked_at = (
            f"environment {context.environment.name} ({origin['environment']}), "
            f"phase {context.phase} ({origin['phase']}), track {context.track} ({origin['track']})"
        )
        lines = [
            f"seatrial: {__version__}, {looked_at}",
            f"seatrial: release wanted: {wanted or 'any'} ({origin['release'] if wanted else 'give --release'})",
            f"seatrial: release seen: {self._seen()}",
        ]
        if context.faults:
            lines.append(f"seatrial: faults switched on: {', '.join(context.faults)}")
        return [*lines, f"seatrial: evidence goes to {self._shown()}"]

    def _seen(self) -> str:
        if self.context.offline:
            return f"none, {self.context.manifests or self.context.snapshot} is looked at instead"
        return ", ".join(map(str, self.seen)) or "no services declared"

    def _shown(self) -> str:
        return os.path.relpath(self.writer.folder.path, self.config.invocation_params.dir)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember what was left out: a suite that runs in part must answer for the rest."""
        self.deselected += items

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write what is expected before anything runs."""
        self.writer.begin(planned_cases(session.items, self.deselected))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of a finished case."""
        self.writer.add(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> Generator[None, None, None]:
        """Close the evidence, let every report writer write, then take the secrets out of what was written."""
        # A release that was rolled out in this run was not there when it began.
        self.writer.run = self.context.run
        stopped = exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        self.writer.end("interrupted" if stopped else "finished", moment=dt.datetime.now(dt.UTC))
        self.writer.annotate(self.config.pluginmanager.get_plugins())
        try:
            yield
        finally:
            written = self.config.option.xmlpath
            junit = Path(os.path.expandvars(written)).expanduser().absolute() if written else None
            self.writer.write_sarif(self.config.rootpath)
            self.writer.finish_files(junit, self.context.secrets.values())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found, where the evidence is, and how to get a decision from it."""
        counts = ", ".join(f"{count} {name}" for name, count in self.writer.tally().items() if count)
        terminalreporter.section("seatrial")
        for line in grouped(self.writer.outcomes.values()):
            terminalreporter.line(line)
        terminalreporter.line(f"cases     {len(self.writer.expected_keys())} expected: {counts or 'nothing ran'}")
        terminalreporter.line(f"evidence  {self._shown()}")
        terminalreporter.line(f"decide    seatrial gate {self._shown()}")

    def pytest_unconfigure(self) -> None:
        """Take the target down, also after a usage error or an interruption."""
        if self.target is not None:
            self.target.stop()
        if self.state is not None:
            shutil.rmtree(self.state, ignore_errors=True)

    def distribution(self) -> Distribution:
        """The hooks that exist only where xdist distributes the run."""
        return Distribution(self)


class Distribution:
    """What the controller adds under xdist: it tells the workers who they are and merges what they publish."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which run it belongs to and where the target is."""
        node.workerinput[options.WORKER_KEY] = options.for_worker(self.controller.context)

    def pytest_xdist_node_collection_finished(self) -> None:
        """Write the plan that the first worker left, before xdist hands out the first test."""
        writer = self.controller.writer
        if not writer.begun:
            writer.begin(read_plan(writer.folder))

    def pytest_testnodedown(self, node: Any) -> None:
        """Merge what a worker published at its end; one that was killed published nothing."""
        published = getattr(node, "workeroutput", {}).get(options.WORKER_KEY)
        if published is None:
            return
        for secret in published["secrets"]:
            self.controller.context.secrets.remember(secret)
        writer = self.controller.writer
        if not writer.plan:
            # Only a worker on another machine has no folder in common with us.
            writer.plan = plan_from_text(published["plan"])
