"""Latency and failures under load of our own: the candidate against stable, or stable against its objectives.

A service that has addresses in regions is measured and judged in each of them as well, one after the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.evidence.assessment import Assessment
from seatrial.evidence.outcome import CannotLook
from seatrial.fixtures.calibrated import calibration_plans
from seatrial.fixtures.plans import parametrize
from seatrial.fixtures.session import active

if TYPE_CHECKING:
    from seatrial.checks.check import Check
    from seatrial.environment.secrets import SecretStore
    from seatrial.fixtures.session import RunView
    from seatrial.fixtures.targets import ServicePair
    from seatrial.load.measurement import Measurement

pytestmark = pytest.mark.latency


def _folders(config: pytest.Config) -> tuple[Path, Path]:
    """The folder of fixtures, and the project's."""
    given = config.getoption("--seatrial-fixtures", None)
    return Path(given) if given else config.rootpath / "fixtures", config.rootpath


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item of `test_calibrated` for each service whose environment asks for a calibration."""
    if "check" in metafunc.fixturenames and "subject" in metafunc.fixturenames:
        here = active(metafunc.config)
        parametrize(metafunc, () if here is None else calibration_plans(here.environment, here.track))


@pytest.fixture(scope="session")
def measurement(
    copy_pair: ServicePair, run: RunView, secrets: SecretStore, pytestconfig: pytest.Config
) -> Callable[[], Measurement]:
    """Sends the profile to a copy of the service when it is first called in a run; answers with what was measured."""

    def take() -> Measurement:
        # Imported here: numpy and scipy are not needed to collect.
        from seatrial.environment.secrets import SecretProblem
        from seatrial.fixtures.allure import show_pictures
        from seatrial.fixtures.progress import Teller
        from seatrial.load.explain import write_comparison
        from seatrial.load.measurement import measure
        from seatrial.load.profile import ProfileError, load_profile
        from seatrial.load.sharing import measured_once
        from seatrial.load.summary import write_summary

        service = copy_pair.service
        latency = service.latency
        if latency is None:
            pytest.skip(f"[services.{copy_pair.name}] declares no `latency` profile")
        try:
            profile = load_profile(latency.profile, Path(pytestconfig.rootpath)).one_of(copy_pair.copies)
            where = f"services.{copy_pair.name}.auth"
            bearer = None if service.auth is None else secrets.resolve(service.auth, where)
        except (ProfileError, SecretProblem) as error:
            raise CannotLook(str(error)) from None
        directory = run.directory / "samples" / "latency"

        def measure_and_sum_up() -> Measurement:
            with closing(Teller(pytestconfig)) as tell:
                taken = measure(
                    copy_pair,
                    profile,
                    run_id=run.id,
                    directory=directory,
                    limits=run.environment.load,
                    environment=run.environment.name,
                    bearer=bearer,
                    report=tell,
                )
            named = {"run_id": run.id, "environment": run.environment.name, "profile": latency.profile}
            write_summary(taken, service, **named)
            write_comparison(taken, service.objectives)
            return taken

        measured = measured_once(copy_pair, profile, run_id=run.id, directory=directory, take=measure_and_sum_up)
        show_pictures(pytestconfig, sorted(directory.glob(f"{measured.stem}.*.svg")))
        return measured

    return take


@pytest.fixture(scope="session")
def against_baseline(
    copy_pair: ServicePair, run: RunView, pytestconfig: pytest.Config
) -> Callable[[Measurement, Assessment], Assessment]:
    """Judges a measurement without a control by the stored baseline; takes what the objectives say of it as well."""

    def judge(measured: Measurement, objectives_say: Assessment) -> Assessment:
        from seatrial.baseline.judging import assess_alone
        from seatrial.baseline.store import store_of
        from seatrial.load.place import PlaceProblem

        latency = copy_pair.service.latency
        assert latency is not None, "what was measured has a profile"
        try:
            store = store_of(run.environment, *_folders(pytestconfig))
        except PlaceProblem as problem:
            return Assessment.error(f"the stored baseline cannot be relied on: {problem}")
        return assess_alone(
            measured,
            objectives_say,
            service=copy_pair.service,
            profile=latency.profile,
            region=copy_pair.subject.region,
            environment=run.environment.name,
            store=store,
            rules=run.environment.baseline,
            run_id=run.id,
            now=dt.datetime.now(dt.UTC),
        )

    return judge


def test_calibrated(
    check: Check, subject: ServicePair, run: RunView, pytestconfig: pytest.Config, record: Callable[[Assessment], None]
) -> None:
    """The check holds for the service."""
    fixtures, project = _folders(pytestconfig)
    record(check.run(subject, run.environment, fixtures=fixtures, project=project, now=dt.datetime.now(dt.UTC)))


@pytest.mark.check("latency/error-rate", suite="latency", severity="critical", trigger="error-rate")
def test_error_rate(
    copy_pair: ServicePair,
    measurement: Callable[[], Measurement],
    run: RunView,
    record: Callable[[Assessment], None],
) -> None:
    """Requests to the track under test fail no more often than the objective allows, nor clearly more than stable's.

    Why it matters: a release that fails one request in a hundred passes every smoke check. How to mend: the findings
    count the failures by class; the raw samples hold each with its time, so that they can be found in logs and traces.
    """
    from seatrial.load.assess import assess_errors
    from seatrial.load.explain import explained

    measured, objectives = measurement(), copy_pair.service.objectives
    record(explained(assess_errors(measured, objectives), measured, objectives, root=run.directory))


@pytest.mark.check("latency/first-token", suite="latency", severity="critical", trigger="latency")
def test_first_token(
    copy_pair: ServicePair, measurement: Callable[[], Measurement], record: Callable[[Assessment], None]
) -> None:
    """Streamed answers of the candidate begin as soon as stable's within the margin, at p50 and p95.

    Why it matters: people wait for the first word, and a stream that begins late hides behind a total time that has
    not changed. It is not applicable where the load profile does not ask for streams. How to mend: compare `first` of
    both tracks request by request in the raw samples.
    """
    from seatrial.load.assess import assess_first_token

    record(assess_first_token(measurement(), copy_pair.service.objectives))


@pytest.mark.check("latency/regression", suite="latency", severity="critical", trigger="latency")
def test_regression(
    copy_pair: ServicePair,
    measurement: Callable[[], Measurement],
    against_baseline: Callable[[Measurement, Assessment], Assessment],
    run: RunView,
    record: Callable[[Assessment], None],
) -> None:
    """The candidate answers as fast as stable within the margin, at p50 and p95; alone, as fast as the runs before it.

    Why it matters: users leave slow releases, and averages and fixed thresholds see them late. Both tracks get the
    same prompts at the same time, in pairs of random order, timed from when each request was due. A failed request
    counts as slow as the timeout. Where there is no stable beside it, the stored baseline of promoted runs is held
    against it, and the objectives until there are enough of those. How to mend: compare both tracks request by request
    in the raw samples; where it is inconclusive, the remedy says how many more requests or runs would decide it.
    """
    from seatrial.load.assess import assess_latency
    from seatrial.load.explain import explained

    measured, objectives = measurement(), copy_pair.service.objectives
    assessment = assess_latency(measured, objectives)
    if measured.control is None:
        assessment = against_baseline(measured, assessment)
    record(explained(assessment, measured, objectives, root=run.directory))


@pytest.mark.check("latency/token-rate", suite="latency", severity="major", trigger="latency")
def test_token_rate(
    copy_pair: ServicePair, measurement: Callable[[], Measurement], record: Callable[[Assessment], None]
) -> None:
    """Streamed answers of the candidate go on as fast as stable's within the margin, once they have begun.

    Why it matters: a stream that begins in time and then drips is read slowly, and long answers suffer most. A piece of
    a stream stands for a token, which it is for most services. It is not applicable where the load profile does not ask
    for streams. How to mend: compare `first`, `last` and `pieces` of both tracks in the raw samples.
    """
    from seatrial.load.pace import assess_token_rate

    record(assess_token_rate(measurement(), copy_pair.service.objectives))
