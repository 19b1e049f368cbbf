"""Every configuration check passes where all is well, and objects to what it is there for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.faults import FAULTS, NAMED, Fault, box, pod, put, rules, waived, waiver
from seatrial.checks.catalogue import CONFIG, UnknownCheck, catalogue, config_checks
from seatrial.checks.config import standards
from seatrial.checks.config.expressions import ExpressionProblem, check_of
from seatrial.checks.config.images import parse
from seatrial.checks.config.secrets import suspicious
from seatrial.checks.rule import View
from seatrial.environment.model import Environment
from seatrial.environment.strategy import Expression
from seatrial.evidence.outcome import Outcome, Severity
from seatrial.snapshot.kinds import KINDS, REVIEWS
from seatrial.snapshot.snapshot import Snapshot
from seatrial.snapshot.workload import Workload
from support.world import CHECKS, NOW, World, assess, world

NOT_ASKED_FOR = {
    "podsec/capabilities": "podsec/drop-capabilities asks for more",
    "waiver/expired": "waives nothing",
    "waiver/forbidden": "waives nothing",
    "waiver/unused": "waives nothing",
}


@pytest.mark.parametrize("identity", CHECKS)
def test_all_is_well(identity: str, reviewed: Path) -> None:
    assessment = assess(identity, world(), reviewed)
    assert assessment.outcome is Outcome.PASS, assessment.message
    assert assessment.applicable is (identity not in NOT_ASKED_FOR), assessment.message
    if assessment.applicable:
        assert assessment.n
    else:
        assert NOT_ASKED_FOR[identity] in assessment.message


@pytest.mark.parametrize("fault", NAMED.values(), ids=NAMED)
def test_fault(fault: Fault, reviewed: Path) -> None:
    spoilt = world()
    fault.change(spoilt)
    assessment = assess(fault.check, spoilt, reviewed, only=fault.only)
    assert assessment.outcome is fault.outcome, assessment.message
    first = assessment.findings[0]
    assert fault.seen in str(first)
    assert all((first.kind, first.name, first.expected))
    assert assessment.remedy


def test_every_check_has_a_fault() -> None:
    # Only manifests can show the one that is left, which has a test of its own.
    assert set(CHECKS) - {fault.check for fault in FAULTS} == {"hpa/replicas-conflict"}


def test_a_manifest_that_sets_what_an_autoscaler_owns(reviewed: Path) -> None:
    rendered = replace(world().snapshot(), source="manifests")
    assessment = assess("hpa/replicas-conflict", world(), reviewed, snapshot=rendered)
    assert assessment.outcome is Outcome.FAIL
    assert "left to chat" in assessment.message


@pytest.mark.parametrize("check", CONFIG, ids=lambda check: check.id)
def test_a_check_is_documented_and_reads_known_kinds(check: Any) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z-]+", check.id)
    assert check.title.endswith(".")
    assert check.why.endswith(".")
    assert check.remedy
    assert set(check.needs) <= {*KINDS, *REVIEWS}


def test_there_are_enough_and_none_twice() -> None:
    assert len(CONFIG) >= 90
    assert len({check.id for check in catalogue()}) == len(catalogue())


@pytest.mark.parametrize("identity", [check.id for check in CONFIG if check.needs])
def test_what_was_not_read_is_no_pass(identity: str, reviewed: Path) -> None:
    spoilt = world()
    check = CHECKS[identity]
    for kind in check.needs:
        spoilt.unread[kind] = "403 forbidden"
    if identity.startswith("waiver/unused"):
        return
    assessment = assess(identity, spoilt, reviewed)
    if identity in NOT_ASKED_FOR:
        assert not assessment.applicable
    elif identity == "gate/coverage":
        assert assessment.outcome is Outcome.FAIL
    else:
        assert assessment.outcome is Outcome.ERROR, assessment.message
        assert "403 forbidden" in assessment.message


def test_a_kind_that_the_cluster_does_not_have_is_not_applicable(reviewed: Path) -> None:
    spoilt = world()
    spoilt.absent = frozenset({"ExternalSecret", "HTTPRoute", "Gateway", "Schedule", "ServiceMonitor", "PodMetrics"})
    for identity in (
        "secret/external-ready",
        "gateway/dangling",
        "backup/velero-schedule",
        "workload/usage-near-limit",
    ):
        assessment = assess(identity, spoilt, reviewed)
        assert not assessment.applicable
        assert assessment.message.startswith("not applicable: the cluster has no kind")


def test_nothing_to_look_at_is_not_applicable(reviewed: Path) -> None:
    spoilt = world()
    spoilt.drop("Ingress", "chat")
    assessment = assess("ingress/tls", spoilt, reviewed)
    assert (assessment.applicable, assessment.message) == (False, "not applicable: there is no Ingress in shop")


MALFORMED: dict[str, Callable[[World], object]] = {
    "spec is text": put("spec", "text"),
    "template is a list": put("spec/template", []),
    "containers are text": pod("containers", "text"),
    "a container is null": pod("containers", [None]),
    "containers are null": pod("containers", None),
    "ports are numbers": box("ports", [8080]),
    "env is a mapping": box("env", {"A": "b"}),
    "replicas are words": put("spec/replicas", "two"),
    "labels are a list": put("metadata/labels", ["a"]),
    "status is text": put("status", "fine"),
    "volumes are text": pod("volumes", "none"),
    "resources are a list": box("resources", ["cpu"]),
    "annotations are numbers": put("metadata/annotations", {"a": 1}),
    "owners are text": put("metadata/ownerReferences", "me"),
    "selector is text": put("spec/selector", "app=chat"),
    "no metadata": lambda world: world.deployment.pop("metadata"),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_object_stops_no_check(change: Callable[[World], object], reviewed: Path) -> None:
    spoilt = world()
    healthy = json.loads(json.dumps(spoilt.deployment))
    healthy["metadata"]["name"] = "zz-other"
    healthy["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/shop/chat:latest"
    change(spoilt)
    spoilt.objects["Deployment", "zz-other"] = healthy
    for check in CONFIG:
        assessment = assess(check.id, spoilt, reviewed)
        assert "\n" not in assessment.message
    # The object beside it is judged all the same.
    tags = assess("image/tag", spoilt, reviewed)
    assert tags.outcome is Outcome.FAIL
    assert any(finding.name == "zz-other" for finding in tags.findings)


class TestManifests:
    """The same checks where nothing runs."""

    def over(self, identity: str, spoilt: World, reviewed: Path, *, complete: bool) -> Any:
        rendered = replace(spoilt.snapshot(), source="manifests", complete=complete)
        return assess(identity, spoilt, reviewed, snapshot=rendered)

    def test_what_needs_a_cluster_says_so(self, reviewed: Path) -> None:
        for check in CONFIG:
            if check.live and check.id not in NOT_ASKED_FOR:
                assessment = self.over(check.id, world(), reviewed, complete=True)
                assert assessment.message == "not applicable: it needs a running cluster, and these are manifests"

    def test_what_needs_the_whole_set_does_not_guess(self, reviewed: Path) -> None:
        spoilt = world()
        spoilt.drop("ServiceAccount", "chat")
        part = self.over("sa/missing", spoilt, reviewed, complete=False)
        assert part.outcome is Outcome.INCONCLUSIVE
        assert "--seatrial-manifests-complete" in part.remedy
        assert self.over("sa/missing", spoilt, reviewed, complete=True).outcome is Outcome.FAIL

    def test_a_fault_that_is_there_is_certain_in_a_part_too(self, reviewed: Path) -> None:
        spoilt = world()
        box("image", "chat:latest")(spoilt)
        assert self.over("image/tag", spoilt, reviewed, complete=False).outcome is Outcome.FAIL


CONTROLS = {
    # Fields of the pod spec, then the levels at which admission would refuse it.
    "windows host process": (pod("securityContext/windowsOptions", {"hostProcess": True}), {"baseline", "restricted"}),
    "host network": (pod("hostNetwork", True), {"baseline", "restricted"}),
    "host pid": (pod("hostPID", True), {"baseline", "restricted"}),
    "host ipc": (pod("hostIPC", True), {"baseline", "restricted"}),
    "host network false": (pod("hostNetwork", False), set()),
    "privileged": (box("securityContext/privileged", True), {"baseline", "restricted"}),
    "privileged false": (box("securityContext/privileged", False), set()),
    "adds NET_BIND_SERVICE": (box("securityContext/capabilities/add", ["NET_BIND_SERVICE"]), set()),
    "adds CHOWN": (box("securityContext/capabilities/add", ["CHOWN"]), {"restricted"}),
    "adds NET_RAW": (box("securityContext/capabilities/add", ["NET_RAW"]), {"baseline", "restricted"}),
    "drops some": (box("securityContext/capabilities/drop", ["NET_RAW"]), {"restricted"}),
    "drops none": (box("securityContext/capabilities", {}), {"restricted"}),
    "host path": (pod("volumes/0", {"name": "x", "hostPath": {"path": "/"}}), {"baseline", "restricted"}),
    "host port": (box("ports/0/hostPort", 80), {"baseline", "restricted"}),
    "host port 0": (box("ports/0/hostPort", 0), set()),
    "probe of another host": (box("readinessProbe/httpGet/host", "10.0.0.1"), {"baseline", "restricted"}),
    "probe of no host": (box("readinessProbe/httpGet/host", ""), set()),
    "hook to another host": (
        box("lifecycle", {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 1}}}),
        {"baseline", "restricted"},
    ),
    "apparmor unconfined": (box("securityContext/appArmorProfile", {"type": "Unconfined"}), {"baseline", "restricted"}),
    "apparmor localhost": (box("securityContext/appArmorProfile", {"type": "Localhost"}), set()),
    "apparmor annotation": (
        put("spec/template/metadata/annotations", {f"{standards.APPARMOR_ANNOTATION}chat": "unconfined"}),
        {"baseline", "restricted"},
    ),
    "apparmor annotation of a profile": (
        put("spec/template/metadata/annotations", {f"{standards.APPARMOR_ANNOTATION}chat": "localhost/strict"}),
        set(),
    ),
    "selinux type": (pod("securityContext/seLinuxOptions", {"type": "spc_t"}), {"baseline", "restricted"}),
    "selinux container type": (pod("securityContext/seLinuxOptions", {"type": "container_kvm_t"}), set()),
    "selinux role": (pod("securityContext/seLinuxOptions", {"role": "sysadm_r"}), {"baseline", "restricted"}),
    "unmasked proc": (box("securityContext/procMount", "Unmasked"), {"baseline", "restricted"}),
    "unmasked proc, own users": (
        lambda world: (box("securityContext/procMount", "Unmasked")(world), pod("hostUsers", False)(world)),
        {"restricted"},
    ),
    "seccomp unconfined": (box("securityContext/seccompProfile", {"type": "Unconfined"}), {"baseline", "restricted"}),
    "seccomp not set": (pod("securityContext/seccompProfile", None), {"restricted"}),
    "unsafe sysctl": (pod("securityContext/sysctls", [{"name": "net.core.somaxconn"}]), {"baseline", "restricted"}),
    "safe sysctl": (pod("securityContext/sysctls", [{"name": "net.ipv4.tcp_keepalive_time"}]), set()),
    "nfs volume": (pod("volumes/0", {"name": "x", "nfs": {"server": "a", "path": "/"}}), {"restricted"}),
    "image volume": (pod("volumes/0", {"name": "x", "image": {"reference": "a"}}), set()),
    "csi volume": (pod("volumes/0", {"name": "x", "csi": {"driver": "a"}}), set()),
    "escalation not set": (box("securityContext/allowPrivilegeEscalation", None), {"restricted"}),
    "root allowed": (pod("securityContext/runAsNonRoot", None), {"restricted"}),
    "root allowed, own users": (
        lambda world: (pod("securityContext/runAsNonRoot", None)(world), pod("hostUsers", False)(world)),
        set(),
    ),
    "non-root by the container": (
        lambda world: (
            pod("securityContext/runAsNonRoot", None)(world),
            box("securityContext/runAsNonRoot", True)(world),
        ),
        set(),
    ),
    "root by the container": (box("securityContext/runAsNonRoot", False), {"restricted"}),
    "user 0": (pod("securityContext/runAsUser", 0), {"restricted"}),
    "user 0, own users": (
        lambda world: (pod("securityContext/runAsUser", 0)(world), pod("hostUsers", False)(world)),
        set(),
    ),
    "windows needs no linux fields": (
        lambda world: (
            pod("os", {"name": "windows"})(world),
            box("securityContext", {"runAsNonRoot": True})(world),
            pod("securityContext/seccompProfile", None)(world),
        ),
        set(),
    ),
}


@pytest.mark.parametrize(("change", "refused"), CONTROLS.values(), ids=CONTROLS)
@pytest.mark.parametrize("sort", ["containers", "initContainers", "ephemeralContainers"])
def test_pod_security_standards(change: Callable[[World], object], refused: set[str], sort: str) -> None:
    spoilt = world()
    change(spoilt)
    if sort != "containers":
        # The same container among the others, beside a good one.
        spoilt.pod[sort] = [{**spoilt.container, "name": "other"}]
        good = world().container
        good["securityContext"] |= {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        spoilt.pod["containers"] = [good]
    snapshot = Snapshot()
    workload = Workload(kind="Deployment", item=spoilt.deployment, snapshot=snapshot)
    levels = {level for level in ("baseline", "restricted") if standards.violations(workload, level)}
    assert levels == refused


class TestWaivers:
    def test_a_waived_finding_is_no_failure_and_stays_visible(self, reviewed: Path) -> None:
        spoilt = world()
        box("image", "registry.example/shop/chat:latest")(spoilt)
        waived(waiver("2027-01-01"))(spoilt)
        assessment = assess("image/tag", spoilt, reviewed)
        assert assessment.outcome is Outcome.PASS
        assert assessment.message == "holds for 2 workloads, 1 waived"
        assert [finding.name for finding in assessment.waived] == ["chat"]

    @pytest.mark.parametrize(
        "change",
        [
            waived(waiver("2026-11-22")),
            waived(waiver("2027-01-01", obj="other")),
            waived(waiver("2027-01-01", check="image/digest")),
            waived(waiver("2027-01-01"), waivers="forbidden"),
            put("metadata/annotations", {"waive.seatrial.io/image.tag": "please"}),
            put("metadata/annotations", {"waive.seatrial.io/image.tag": "owner=a; expires=2026-01-01; reason=b"}),
        ],
        ids=["expired", "other object", "other check", "forbidden", "malformed", "expired on the object"],
    )
    def test_what_waives_nothing(self, change: Callable[[World], object], reviewed: Path) -> None:
        spoilt = world()
        box("image", "registry.example/shop/chat:latest")(spoilt)
        change(spoilt)
        assert assess("image/tag", spoilt, reviewed).outcome is Outcome.FAIL

    @pytest.mark.parametrize("place", ["*", "chat", "shop/chat", "Deployment/shop/chat", "Deployment/shop/*"])
    def test_how_objects_are_named(self, place: str, reviewed: Path) -> None:
        spoilt = world()
        box("image", "registry.example/shop/chat:latest")(spoilt)
        waived(waiver("2027-01-01", obj=place))(spoilt)
        assert assess("image/tag", spoilt, reviewed).outcome is Outcome.PASS

    def test_on_the_object(self, reviewed: Path) -> None:
        spoilt = world()
        box("image", "registry.example/shop/chat:latest")(spoilt)
        text = "owner=platform; expires=2027-01-01; reason=the vendor tags nothing else; we asked"
        put("metadata/annotations", {"waive.seatrial.io/image.tag": text})(spoilt)
        assert assess("image/tag", spoilt, reviewed).outcome is Outcome.PASS
        assert assess("waiver/annotations", spoilt, reviewed).outcome is Outcome.PASS
        rules(waivers="environment")(spoilt)
        assert assess("image/tag", spoilt, reviewed).outcome is Outcome.FAIL


class TestExpressions:
    def expression(self, text: str, **changes: Any) -> Expression:
        document = {
            "id": "team/replicas",
            "kinds": ["Deployment"],
            "expression": text,
            "message": "at most four replicas",
            "why": "the licence.",
            "remedy": "scale down.",
            **changes,
        }
        return Expression.model_validate(document)

    def run(self, text: str) -> Any:
        here = world()
        view = View(snapshot=here.snapshot(), environment=here.settings(), now=NOW)
        return check_of(self.expression(text)).run(view)

    @pytest.mark.parametrize(
        ("text", "outcome"),
        [
            ("object.spec.replicas <= 4", Outcome.PASS),
            ("object.spec.replicas > 4", Outcome.FAIL),
            ("object.metadata.labels['app.kubernetes.io/name'].startsWith('ch')", Outcome.PASS),
            ("object.spec.template.spec.containers.all(c, has(c.image))", Outcome.PASS),
            ("has(object.spec.paused) && object.spec.paused", Outcome.FAIL),
            ("object.spec.nothing == 1", Outcome.ERROR),
            ("object.spec.replicas", Outcome.ERROR),
        ],
    )
    def test_over_an_object(self, text: str, outcome: Outcome) -> None:
        assert self.run(text).outcome is outcome

    def test_what_failed_is_said_in_words(self) -> None:
        assessment = self.run("object.spec.replicas > 4")
        assert "expected at most four replicas" in assessment.message
        assert "guard fields with has()" in self.run("object.spec.nothing == 1").message

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"expression": "object.."}, "team/replicas: Failed to parse"),
            ({"kinds": ["Deploiment"]}, "unknown kind Deploiment"),
        ],
    )
    def test_a_mistake_is_said_before_anything_runs(self, changes: dict[str, Any], message: str) -> None:
        expression = self.expression("true", **changes)
        environment = Environment.model_validate({"name": "x", "config": {"expressions": [expression]}})
        with pytest.raises(ExpressionProblem, match=re.escape(message)):
            config_checks(environment)


def test_severities_and_disabled_checks() -> None:
    config = {"severity": {"image/tag": "critical"}, "disabled": {"podsec/high-uid": "legacy images"}}
    checks = {check.id: check for check in config_checks(Environment.model_validate({"name": "x", "config": config}))}
    assert checks["image/tag"].severity is Severity.CRITICAL
    assert "podsec/high-uid" not in checks
    for table in ("severity", "disabled"):
        wrong = Environment.model_validate({"name": "x", "config": {table: {"image/tags": "minor"}}})
        with pytest.raises(UnknownCheck, match=rf"config\.{table}: there is no configuration check 'image/tags'"):
            config_checks(wrong)


@pytest.mark.parametrize(
    ("reference", "place", "tag", "digest"),
    [
        ("nginx", "docker.io/library/nginx", "", ""),
        ("nginx:1.27", "docker.io/library/nginx", "1.27", ""),
        ("team/app", "docker.io/team/app", "", ""),
        ("localhost/app:1", "localhost/app", "1", ""),
        ("registry.example:5000/a/b/c", "registry.example:5000/a/b/c", "", ""),
        ("registry.example:5000/a:1@sha256:ff", "registry.example:5000/a", "1", "sha256:ff"),
        ("ghcr.io/a@sha256:ff", "ghcr.io/a", "", "sha256:ff"),
    ],
)
def test_image_references(reference: str, place: str, tag: str, digest: str) -> None:
    image = parse(reference)
    assert (image.place, image.tag, image.digest) == (place, tag, digest)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DB_PASSWORD", "hunter2", True),
        ("apiKey", "abc", True),
        ("MODEL_API_KEY", "sk-abc", True),
        ("DSN", "postgres://user:secret@db/x", True),
        ("NOTE", "-----BEGIN RSA PRIVATE KEY-----", True),
        ("AWS", "AKIAABCDEFGHIJKLMNOP", True),
        ("DB_PASSWORD_FILE", "/run/secrets/db", False),
        ("DB_PASSWORD_FILE", "secret.txt", False),
        ("TOKEN_URL", "https://issuer.example/token", False),
        ("SECRET_NAME", "credentials", False),
        ("PASSWORD", "", False),
        ("PASSWORD", "$(FROM_SECRET)", False),
        ("MAX_TOKENS", "512", False),
        ("TOKEN_LIMIT", "many", False),
        ("SECRETS_ENABLED", "true", False),
        ("DSN", "postgres://user:$(PASSWORD)@db/x", False),
        ("LOG_LEVEL", "info", False),
    ],
)
def test_what_looks_like_a_credential(name: str, value: str, expected: bool) -> None:
    assert suspicious(name, value) is expected
