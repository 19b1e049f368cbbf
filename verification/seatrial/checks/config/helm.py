"""Helm releases: what was deployed, from what, with which values, and whether it is what runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from seatrial.checks.check import Check
from seatrial.checks.config import drift
from seatrial.checks.config.images import parse
from seatrial.checks.config.references import references
from seatrial.checks.config.workloads import autoscaler_of
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.helm import SECRET_TYPE, leaves, newest_first
from seatrial.snapshot.kinds import KINDS, POD_TEMPLATES
from seatrial.snapshot.objects import Item, annotations_of, condition, get, labels_of, name_of, namespace_of
from seatrial.snapshot.workload import Workload
from seatrial.snapshot.yaml import YamlProblem, documents

_SEMVER: Final = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_RELEASE_NAME: Final = "meta.helm.sh/release-name"
_READ: Final = ("Secret",)
_COMPARED: Final = tuple(
    name
    for name in KINDS
    if name not in ("Namespace", "Node", "Pod", "ReplicaSet", "EndpointSlice", "Secret", "PodMetrics")
    and KINDS[name].namespaced
    and not KINDS[name].custom
)


def releases(view: View, namespace: str) -> dict[str, list[Item]]:
    """Records by name of the release, the newest revision first. Raises Unread."""

    def find() -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for secret in view.snapshot.of("Secret", namespace):
            if secret.get("type") == SECRET_TYPE:
                found.setdefault(str(labels_of(secret).get("name") or get(secret, "helm", "name")), []).append(secret)
        return {name: newest_first(records) for name, records in found.items()}

    return view.snapshot.once(("helm", namespace), find)


def _deployed(view: View, namespace: str) -> Iterator[tuple[str, Item, Item]]:
    """Name, record and what is known of the newest revision of every release."""
    for name, records in releases(view, namespace).items():
        yield name, records[0], get(records[0], "helm", default={})


@rule("helm/records", severity="major", per="namespace", needs=_READ, live=True)
def readable(namespace: str, view: View) -> Findings:
    """Every record of Helm can be read, and no release is stuck in the middle of a change.

    Why: `pending-upgrade` blocks every later upgrade; `failed` means that hooks or objects did not go through.

    Remedy: `helm history`; `helm rollback` to the last deployed revision.
    """
    for _, record, release in _deployed(view, namespace):
        if release.get("problem"):
            yield finding(record, "data.release", "a record of Helm", release["problem"], view=view)
        elif release.get("status") != "deployed":
            yield finding(record, "info.status", "deployed", release.get("status"), view=view)


@rule(
    "helm/chart-and-app-version",
    severity="major",
    per="namespace",
    needs=(*_READ, "Deployment", "StatefulSet"),
    live=True,
)
def versions(namespace: str, view: View) -> Findings:
    """Charts have semantic versions, the one that was promoted, and run images of the application's version.

    Why: a chart that says 1.5.0 and runs 1.4.2 is taken for what it is not, at every later look.

    Remedy: set `version` and `appVersion` in the chart when the release is made, and let the image's tag follow it.
    """
    for name, record, release in _deployed(view, namespace):
        chart = str(release.get("chartVersion", ""))
        if not _SEMVER.fullmatch(chart):
            yield finding(record, "chart.metadata.version", "a semantic version", chart or None, view=view)
        wanted = view.rules.chart_versions.get(name)
        if wanted is not None and chart != wanted:
            yield finding(record, "chart.metadata.version", wanted, chart, view=view)
        app = str(release.get("appVersion") or "")
        tags = {
            parse(str(one.item.get("image") or "")).tag
            for item in _live(view, name, namespace, "Deployment", "StatefulSet")
            for one in Workload(kind=str(item["kind"]), item=item, snapshot=view.snapshot).serving
        }
        if app and tags and not tags & {app, f"v{app}", app.removeprefix("v")}:
            yield finding(record, "chart.metadata.appVersion", ", ".join(sorted(tags)), app, view=view)


def _live(view: View, release: str, namespace: str, *kinds: str) -> Iterator[Item]:
    for kind in kinds:
        for item in view.snapshot.of(kind, namespace):
            if annotations_of(item).get(_RELEASE_NAME) == release:
                yield item


def _no_values(environment: Environment) -> str:
    return "" if environment.config.helm_values else "no reviewed values are named (config.helm_values)"


@rule("helm/env-values", severity="critical", per="namespace", needs=_READ, live=True, skip=_no_values)
def env_values(namespace: str, view: View) -> Findings:
    """Every release was deployed with the reviewed values of this environment, and with no others.

    Why: a `--set` on the command line is in no repository, and gone with the next deploy; the values of another
    environment are an outage.

    Remedy: deploy from the files named under `config.helm_values`.
    """
    for name, record, release in _deployed(view, namespace):
        files = view.rules.helm_values.get(name)
        if files is None or release.get("problem"):
            continue
        wanted: dict[str, Any] = {}
        for file in files:
            try:
                for document in documents((view.directory / file).read_text(encoding="utf-8")):
                    wanted = _merged(wanted, document.value)
            except (OSError, UnicodeDecodeError, YamlProblem) as error:
                raise ValueError(f"config.helm_values: {file}: {' '.join(str(error).split())}") from None
        if view.snapshot.digest is None:
            raise ValueError("a snapshot from a file has no values to compare; read the cluster")
        expected = {path: view.snapshot.digest(value) for path, value in leaves(wanted).items() if path}
        seen = release.get("values") or {}
        for path in sorted(set(expected) | set(seen)):
            if path not in seen:
                yield finding(record, f"config.{path}", "set, as reviewed", "not set", view=view)
            elif path not in expected:
                yield finding(record, f"config.{path}", "not set, as reviewed", "set", view=view)
            elif expected[path] != seen[path]:
                yield finding(record, f"config.{path}", "the reviewed value", "another value", view=view)


def _merged(base: dict[str, Any], over: Any) -> dict[str, Any]:
    """Values of two files as Helm merges them: tables by key, everything else replaced."""
    found = dict(base)
    for key, value in (over or {}).items():
        old = found.get(key)
        found[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


@rule("helm/hooks", severity="critical", per="namespace", needs=_READ, live=True)
def hooks(namespace: str, view: View) -> Findings:
    """The hooks of every release have run and succeeded.

    Why: a migration is such a hook; without it the new version runs on the old schema.

    Remedy: see the Job of the hook and its logs; repeat the upgrade.
    """
    for _, record, release in _deployed(view, namespace):
        events = (
            ("post-upgrade", "pre-upgrade")
            if int(release.get("revision") or 1) > 1
            else ("pre-install", "post-install")
        )
        for index, hook in enumerate(release.get("hooks") or ()):
            due = set(hook.get("events") or ()) & set(events)
            phase = hook.get("phase") or "not run"
            if due and phase != "Succeeded":
                path = f"hooks[{index}] {hook.get('kind')} {hook.get('name')} ({', '.join(sorted(due))})"
                yield finding(record, path, "Succeeded", phase, view=view)
            elif not due and phase in ("Failed", "Running"):
                yield finding(
                    record, f"hooks[{index}] {hook.get('kind')} {hook.get('name')}", "Succeeded", phase, view=view
                )


@rule("helm/drift", severity="major", per="namespace", needs=(*_READ, *_COMPARED), live=True)
def drifted(namespace: str, view: View) -> Findings:
    """What runs is what was deployed: nothing was changed beside Helm, and nothing is missing.

    Why: the next deploy undoes a change that was made by hand, and a rollback brings back what nobody tested.

    Remedy: put the change into the chart, or take it back with `helm upgrade`. Defaults, fields that the server owns,
    replicas that an autoscaler owns and injected sidecars are not drift.
    """
    for name, _, release in _deployed(view, namespace):
        for wanted in release.get("objects") or ():
            yield from _compared(name, wanted, namespace, view)


def _compared(release: str, wanted: Item, namespace: str, view: View) -> Findings:
    kind = str(wanted.get("kind"))
    if kind not in _COMPARED or "helm.sh/hook" in annotations_of(wanted):
        return
    place = namespace_of(wanted) or namespace
    if place not in view.snapshot.namespaces:
        return
    live = view.snapshot.find(kind, place, name_of(wanted))
    if live is None:
        shown = {**wanted, "metadata": {"name": name_of(wanted), "namespace": place}}
        yield finding(shown, "metadata.name", f"there, as in release {release}", "absent", view=view)
        return
    scaled = kind in POD_TEMPLATES and (
        drift.owned_by_scaler(live) or autoscaler_of(Workload(kind=kind, item=live, snapshot=view.snapshot)) is not None
    )
    for path, expected, seen in drift.differences(wanted, live):
        if path == "spec.replicas" and scaled:
            continue
        hidden = path.startswith("data")
        yield finding(
            live, path, "as deployed" if hidden else str(expected), "another value" if hidden else seen, view=view
        )
    for path, manager, when in drift.by_hand(live):
        if not (path == "spec.replicas" and scaled):
            yield finding(live, path, "changed by deploys alone", f"changed with {manager} {when}".strip(), view=view)


@rule("helm/orphans", severity="minor", per="namespace", needs=(*_READ, *_COMPARED), live=True)
def orphans(namespace: str, view: View) -> Findings:
    """Everything that says that Helm made it is in the release that it names.

    Why: what a chart has dropped and Helm has left behind still runs, with its rights and its routes.

    Remedy: delete it.
    """
    known: dict[str, set[tuple[str, str]]] = {}
    for name, _, release in _deployed(view, namespace):
        if "objects" in release:
            known[name] = {(str(one.get("kind")), name_of(one)) for one in release["objects"]}
    for kind in _COMPARED:
        for item in view.snapshot.of(kind, namespace):
            owner = annotations_of(item).get(_RELEASE_NAME)
            if owner is None or "helm.sh/hook" in annotations_of(item):
                continue
            if owner not in known:
                yield finding(item, f"metadata.annotations[{_RELEASE_NAME}]", "a release that exists", owner, view=view)
            elif (kind, name_of(item)) not in known[owner]:
                yield finding(item, "metadata.name", f"in release {owner}", "left over", view=view)


@rule("helm/history", severity="major", per="namespace", needs=_READ, live=True)
def history(namespace: str, view: View) -> Findings:
    """Enough revisions of every release are kept to roll back to.

    Why: `--history-max 1` leaves `helm rollback` with nothing.

    Remedy: raise `--history-max` to `config.keep_revisions` and one more.
    """
    for records in releases(view, namespace).values():
        revision = int(get(records[0], "helm", "revision", default=1))
        wanted = min(view.rules.keep_revisions, revision - 1)
        if len(records) - 1 < wanted:
            expected = f"{wanted} earlier revisions"
            yield finding(records[0], "metadata.labels.version", expected, f"{len(records) - 1}", view=view)


@rule(
    "rollback/ready",
    severity="critical",
    per="workload",
    needs=("ReplicaSet", "ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount"),
    live=True,
)
def rollback_ready(workload: Workload, view: View) -> Findings:
    """The revision before this one could run: its ConfigMaps, Secrets, claims and service account are still there.

    Why: a rollback to a revision whose configuration was cleaned up makes it worse.

    Remedy: keep what the previous revision uses until the next release is settled.
    """
    previous = _previous(workload)
    if previous is None:
        return
    earlier = Workload(kind="ReplicaSet", item=previous, snapshot=view.snapshot)
    for one in references(earlier):
        if not one.optional and view.snapshot.find(one.kind, workload.namespace, one.name) is None:
            yield finding(previous, one.path, f"{one.kind} {one.name}", "absent", view=view)
    account = str(earlier.pod.get("serviceAccountName") or "default")
    if account != "default" and view.snapshot.find("ServiceAccount", workload.namespace, account) is None:
        path = "spec.template.spec.serviceAccountName"
        yield finding(previous, path, f"ServiceAccount {account}", "absent", view=view)


REVISION: Final = "deployment.kubernetes.io/revision"


def _revision(item: Item) -> int:
    text = annotations_of(item).get(REVISION, "0")
    return int(text) if str(text).isdigit() else 0


def earlier_replica_sets(workload: Workload) -> list[Item]:
    """ReplicaSets of earlier revisions than the one that runs, the newest first. Raises Unread."""

    def index() -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for item in workload.snapshot.of("ReplicaSet"):
            for owner in get(item, "metadata", "ownerReferences", default=()):
                found.setdefault(str(owner.get("uid")), []).append(item)
        return found

    current = _revision(workload.item)
    uid = str(get(workload.item, "metadata", "uid"))
    owned = workload.snapshot.once("replica sets", index).get(uid, [])
    return sorted((item for item in owned if 0 < _revision(item) < current), key=_revision, reverse=True)


def _previous(workload: Workload) -> Item | None:
    return next(iter(earlier_replica_sets(workload)), None) if workload.kind == "Deployment" else None


@rule("rollout/progressing", severity="critical", per="workload", live=True, trigger="health")
def progressing(workload: Workload, view: View) -> Findings:
    """No rollout is stuck, and every controller has seen the newest specification.

    Why: a rollout that has stopped midway serves two versions; a status that lags speaks of the release before.

    Remedy: see the conditions and the events of its pods; roll back where they do not mend themselves.
    """
    if not workload.serves:
        return
    found = condition(workload.item, "Progressing")
    if found.get("status") == "False":
        yield finding(workload, "status.conditions[Progressing]", "True", found.get("reason"), view=view)
    failure = condition(workload.item, "ReplicaFailure")
    if failure.get("status") == "True":
        yield finding(workload, "status.conditions[ReplicaFailure]", "False", failure.get("message"), view=view)
    generation = int(get(workload.item, "metadata", "generation", default=0))
    observed = int(get(workload.item, "status", "observedGeneration", default=0))
    if observed < generation:
        yield finding(workload, "status.observedGeneration", str(generation), observed, view=view)


CHECKS: Final[tuple[Check, ...]] = (
    readable,
    versions,
    env_values,
    hooks,
    drifted,
    orphans,
    history,
    rollback_ready,
    progressing,
)
