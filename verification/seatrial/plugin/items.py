"""What happens to the items in every process of a run: collection, parameters, and the conclusion of each case."""

from __future__ import annotations

from collections.abc import Generator
from importlib import import_module
from pathlib import Path

import pytest

from seatrial.environment.selection import service_targets
from seatrial.evidence.case import Case
from seatrial.evidence.places import shortener
from seatrial.evidence.redaction import redactor
from seatrial.fixtures import record
from seatrial.fixtures.plans import stands_for_nothing
from seatrial.fixtures.rollouts import strategy_of
from seatrial.fixtures.session import Context
from seatrial.fixtures.targets import copy_pairs, service_pairs
from seatrial.plugin import allure
from seatrial.plugin.evidence import concluded

ORDER = {suite: float(position) for position, suite in enumerate(record.SUITES)}
"""Cheap and telling first, load last."""
WATCH = "test_watch.py"
"""Comes after everything else: it takes as long as the rollout does. See ``Items._position``."""

JUDGES = {
    "latency/": ("load.assess", "load.explain", "load.measurement", "load.summary"),
    "metrics/": ("metrics.assess",),
    "rollout/latency": ("rollout.judging", "rollout.watching"),
}
"""Modules that bring SciPy, by the checks that need them."""


class Items:
    """Hooks over the items, the same in the controller and in workers."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect every ``*.toml`` in a folder named ``conversations`` or ``journeys``."""
        if file_path.suffix != ".toml":
            return None
        if file_path.parent.name == "conversations":
            from seatrial.fixtures.conversations import collect_conversations

            return collect_conversations(file_path, parent)
        if file_path.parent.name == "journeys":
            from seatrial.fixtures.journeys import collect_journeys

            return collect_journeys(file_path, parent)
        return None

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """Leave the watch of a rollout out where none is asked for."""
        watch = collection_path.name == WATCH and collection_path.parent.name == "rollout"
        return True if watch and not config.getoption("--seatrial-watch") else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let conversations that are still being held clean up, while there is somebody to talk to; end the browser."""
        from seatrial.fixtures.conversations import stop_ahead
        from seatrial.fixtures.journeys import close_browser

        stop_ahead(session)
        close_browser(session)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """End the browser after the last journey: the load that follows wants the machine for itself."""
        if item.path.parent.name == "journeys" and (nextitem is None or nextitem.path.parent.name != "journeys"):
            from seatrial.fixtures.journeys import close_browser

            close_browser(item.session)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One item per service and track for ``service_target``, per service for ``service_pair``.

        For ``copy_pair`` it is one per service, and one more in each region that has addresses of its own for it.
        """
        environment, track = self.context.environment, self.context.track
        if "service_target" in metafunc.fixturenames:
            targets = service_targets(environment, track)
            metafunc.parametrize(
                "service_target", targets, ids=[f"{t.name}-{t.track}" for t in targets], scope="session"
            )
        if "service_pair" in metafunc.fixturenames:
            pairs = service_pairs(environment, track)
            metafunc.parametrize("service_pair", pairs, ids=[pair.name for pair in pairs], scope="session")
        if "copy_pair" in metafunc.fixturenames:
            pairs = copy_pairs(environment, track)
            metafunc.parametrize("copy_pair", pairs, ids=[pair.label for pair in pairs], scope="session")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Mark each item with its suite, before ``-m`` looks, and put the suites in their order.

        Where files are looked at in place of a running system, only the suites that they can answer are left.
        """
        items[:] = [item for item in items if not stands_for_nothing(item)]
        order = {}
        if self.context.offline:
            answered = ("config",) if self.context.manifests is not None else ("config", "rollout")
            kept = [item for item in items if (case := record.case_of(item)) is None or case.suite in answered]
            config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
            items[:] = kept
        for item in items:
            case = record.case_of(item)
            order[item] = self._position(item, case, strategy_of(config, self.context.environment))
            if case is not None and item.get_closest_marker(case.suite) is None:
                item.add_marker(case.suite)
        items.sort(key=order.__getitem__)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Import what will judge, and only that: while conversations are timed, it would stop this process."""
        if session.config.option.collectonly:
            return
        for prefix, modules in JUDGES.items():
            if any((case := record.case_of(item)) and case.check.startswith(prefix) for item in session.items):
                for module in modules:
                    import_module(f"seatrial.{module}")

    def _position(self, item: pytest.Item, case: Case | None, strategy: str | None) -> float:
        """Where a case stands in a run: metrics come after the load and the rollout, since they tell what became of it.

        A release that takes the place of the one before is not there until it was rolled out: suites that ask it come
        after the watch then, and before it where it has an address of its own.
        """
        if item.path.name == WATCH:
            return -1.0 if strategy == "rolling" and self.context.track == "stable" else len(ORDER)
        if case is None:
            return len(ORDER)
        if case.check.startswith("metrics/"):
            return ORDER["latency"] + 0.5 if strategy is None else len(ORDER) + 0.5
        return ORDER[case.suite]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let an item in whose middle the run is interrupted say which case it was, and that it has no outcome."""
        try:
            return (yield)
        except BaseException:
            case = record.case_of(item)
            if case is not None and allure.writing(item.config):
                allure.unfinished(item.config)
                values = {**self.context.run.properties(), **record.properties_of(item, case)}
                allure.label(values, suite=case.suite, severity=case.severity)
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what a phase did into the case's outcome, take secrets out, and hand the numbers to the reports."""
        report = yield
        case = record.case_of(item)
        if case is not None:
            record.conclude_phase(item, call, report)
        clean = redactor(self.context.secrets.values())
        # What is kept is read on other machines, where the folders of this one mean nothing.
        folder = self.context.folder
        short = shortener([item.config.rootpath, *([folder.path.parent] if folder else [])])
        if case is not None and call.when == "teardown":
            values = {name: short(clean(value)) for name, value in record.properties_of(item, case).items()}
            findings = [{key: short(clean(text)) for key, text in found.items()} for found in record.findings_of(item)]
            report.user_properties.extend(values.items())
            # An attribute of a report travels from worker to controller.
            vars(report)["seatrial_case"] = concluded(values, findings)
            if allure.writing(item.config):
                allure.label({**self.context.run.properties(), **values}, suite=case.suite, severity=case.severity)
        if report.longrepr is not None:
            text = str(report.longrepr)
            # A traceback stays one, with its colours: only words of a check are shortened.
            cleaned = short(clean(text)) if isinstance(report.longrepr, str) else clean(text)
            if cleaned != text:
                report.longrepr = cleaned
        report.sections = [(title, clean(content)) for title, content in report.sections]
        return report
