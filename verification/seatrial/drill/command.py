"""`seatrial drill`: hold a drill where the environment allows it, say what it came to, and leave a record."""

from __future__ import annotations

import argparse
import datetime as dt
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from seatrial.cluster.connection import CannotRead
from seatrial.cluster.pods import WorkloadPods, open_connection
from seatrial.drill import logged
from seatrial.drill.keeping import Keeper
from seatrial.drill.plan import Plan, WrongUse, drilled, every_secret, plan_of
from seatrial.drill.probing import Probing
from seatrial.drill.recovery import Loser, RecoveryDrill
from seatrial.drill.rollback import RollbackDrill, Terms
from seatrial.drill.users import looks_for, told
from seatrial.environment.loading import EnvironmentProblem
from seatrial.environment.model import Environment
from seatrial.environment.secrets import SecretProblem, SecretStore
from seatrial.environment.selection import ServiceTarget
from seatrial.evidence.drill import NAME, DrillRecord
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.evidence.redaction import redactor, scrub_folder
from seatrial.evidence.run import new_run_id
from seatrial.gate.audit import DEFAULT_LOG, NotRecorded

EXIT: Final = {Outcome.PASS: 0, Outcome.FAIL: 20, Outcome.ERROR: 10, Outcome.INCONCLUSIVE: 10}
WRONG_USE: Final = 2
_EPILOG: Final = """\
rollback   runs `rollout.rollback_command`, waits until the older version answers healthy at every address, and runs
           `drills.promote_command` in any case
recovery   deletes one pod of the workload of each service, one after the other, and waits until as many are ready again

The time is held against `recovery.time_objective`. The record is drill.json in a run's folder of its own, and the audit
log has a line when it begins and one when it ends. Where the log takes none, nothing is broken.

Exit code: 0 back within the objective, 20 not so, or not as it was afterwards, 10 it could not be held or was
interrupted, 2 wrong use, or not allowed here. An interrupted rollback drill brings the release out again first.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("drill", choices=("rollback", "recovery"), help="what is broken on purpose")
    parser.add_argument("--env", required=True, metavar="NAME", help="environment in which it is held")
    parser.add_argument("--to", default="", metavar="VERSION", help="of a rollback: the version to come back to [any]")
    parser.add_argument("--fixtures", metavar="DIR", help="folder with environments/ [fixtures]")
    parser.add_argument("--reports", metavar="DIR", help="folder of the record [that of `drills.records`]")
    parser.add_argument("--audit", metavar="FILE", help=f"audit log [that of the policy, else {DEFAULT_LOG}]")


def run(arguments: argparse.Namespace) -> int:
    """Hold the drill and return its exit code."""
    store = SecretStore()
    try:
        plan = plan_of(
            arguments.drill, arguments.env, Path.cwd(), given=arguments.fixtures, wanted=arguments.to, store=store
        )
        log = logged.log_for(plan.environment.name, given=arguments.audit, fixtures=arguments.fixtures)
    except (WrongUse, SecretProblem, EnvironmentProblem) as problem:
        print(f"seatrial drill: {problem}", file=sys.stderr)
        return WRONG_USE
    clean = redactor(every_secret(plan.environment, store).values())
    started = dt.datetime.now(dt.UTC)
    run_id = new_run_id(plan.environment.name, started)
    reports = Path(arguments.reports or plan.environment.drills.records)
    folder = reports / run_id
    try:
        (folder / "samples").mkdir(parents=True)
        logged.begins(log, plan, run_id)
    except (OSError, NotRecorded) as error:
        print(f"seatrial drill: nothing is broken that cannot be recorded: {error}", file=sys.stderr)
        return EXIT[Outcome.ERROR]
    keeper = Keeper(plan=plan, run_id=run_id, folder=folder, started=started, clean=clean)
    try:
        code = _held(plan, keeper, clean)
    finally:
        scrub_folder(folder, store.values())
        known = _told_the_log(log, keeper, clean)
    return code if known else max(code, EXIT[Outcome.ERROR])


def _told_the_log(log: Path, keeper: Keeper, clean: Callable[[str], str]) -> bool:
    """Whether the audit log has what the drill came to; where not, that is said."""
    try:
        if keeper.kept is not None:
            logged.ended(log, keeper.kept, keeper.folder / NAME, clean)
    except (OSError, NotRecorded) as error:
        print(f"seatrial drill: the audit log does not have the end of this drill: {error}", file=sys.stderr)
        return False
    return True


def _held(plan: Plan, keeper: Keeper, clean: Callable[[str], str]) -> int:
    begin = dt.datetime.now(dt.UTC)

    def say(text: str) -> None:
        print(f"{(dt.datetime.now(dt.UTC) - begin).total_seconds():7.1f} s  {clean(text)}", flush=True)

    print(f"{plan.drill} drill in {plan.environment.name}", flush=True)
    with ExitStack() as stack:
        interrupted = stack.enter_context(_interruptions(say))
        probing = Probing(
            plan.targets,
            run_id=keeper.run_id,
            rate=plan.environment.drills.probe_rate,
            path=keeper.folder / "samples" / "drill.ndjson",
        )
        drill: RollbackDrill | RecoveryDrill
        try:
            if plan.drill == "rollback":
                drill = _rollback(plan, probing, interrupted, say, clean)
            else:
                drill = _recovery(plan, probing, interrupted, say, stack)
            keeper.watch(drill.told, probing)
            with probing:
                drill.hold(lambda: keeper.keep(ended=False))
        except (CannotLook, CannotRead) as problem:
            print(f"seatrial drill: {clean(str(problem))}", file=sys.stderr)
            keeper.keep(ended=True, problem=str(problem))
            return EXIT[Outcome.ERROR]
        except BaseException:
            keeper.keep(ended=True, problem="the drill itself broke down")
            raise
    record = keeper.keep(ended=True)
    print(clean(_story(record, keeper.folder)))
    return EXIT[record.outcome]


def _rollback(
    plan: Plan,
    probing: Probing,
    interrupted: threading.Event,
    say: Callable[[str], None],
    clean: Callable[[str], str],
) -> RollbackDrill:
    environment = plan.environment
    terms = Terms(
        back=environment.rollout.rollback_command,
        forward=environment.drills.promote_command,
        objective=plan.objective,
        within=plan.within,
        command_within=environment.drills.command_within,
        error_rates={target.label: _tolerated(environment, target) for target, _ in plan.targets},
        max_gap=environment.drills.max_gap or plan.objective,
        looks=looks_for(environment.drills.left_at_most),
        wanted=plan.wanted,
    )
    return RollbackDrill(terms, probing, interrupted=interrupted, say=say, clean=clean)


def _tolerated(environment: Environment, target: ServiceTarget) -> float:
    said = environment.drills.error_rate
    return target.service.objectives.error_rate if said is None else said


def _recovery(
    plan: Plan, probing: Probing, interrupted: threading.Event, say: Callable[[str], None], stack: ExitStack
) -> RecoveryDrill:
    """Raises CannotRead where the workloads cannot be found."""
    cluster = plan.environment.cluster
    assert cluster is not None, "the plan has seen to it"
    losers = []
    for name, service in plan.environment.services.items():
        if service.workload is not None and name in drilled(plan.environment):
            # A drill takes its time; one connection must last for all of it.
            connection = open_connection(cluster, within=(plan.within + 60) * (len(plan.environment.services) + 1))
            stack.callback(connection.close)
            pods = WorkloadPods(connection, service.workload, service.namespace or "")
            losers.append(Loser(service=name, workload=service.workload, pods=pods))
    return RecoveryDrill(
        plan.environment,
        losers,
        probing,
        objective=plan.objective,
        within=plan.within,
        interrupted=interrupted,
        say=say,
    )


def _story(record: DrillRecord, folder: Path) -> str:
    lines = [f"errors meanwhile: {record.errors} of {record.probes} looks"]
    lines += [f"  {example}" for example in record.examples]
    if record.users:
        lines.append(told(record.users))
    for ran in record.commands:
        if ran.problem and ran.output.strip():
            lines.append(f"{ran.words[0]} said:")
            lines += [f"  {line}" for line in ran.output.strip().splitlines()[-5:]]
    if record.left:
        lines.append(record.left)
    lines.append(f"{record.outcome.value}: {record.message}")
    lines.append(f"recorded in {folder / 'drill.json'}")
    return "\n".join(lines)


@contextmanager
def _interruptions(say: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set: they end the waiting, and never what brings things back."""
    interrupted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        say("interrupted: everything is left as it was before this ends" if not interrupted.is_set() else "patience")
        interrupted.set()

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
