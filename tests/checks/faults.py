"""What each configuration check must object to: one spoilt thing a row, made to a platform in which all is well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from seatrial.checks.config.podsecurity import ENFORCE
from seatrial.evidence.outcome import Outcome
from seatrial.snapshot.kinds import ACCOUNT_ACCESS, SELF_ACCESS
from support.world import NOW, World, access, certificate, encoded, release

CHAT: Final = ("Deployment", "chat")
HEX: Final = "2" * 64


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``seen`` must stand in the first finding. ``api`` says why a real API server cannot show it, or is empty."""

    check: str
    change: Callable[[World], object]
    seen: str = ""
    outcome: Outcome = Outcome.FAIL
    api: str = ""
    only: bool = False
    """Whether the case is about the Deployment alone, as that of a service is."""


def fault(check: str, change: Callable[[World], object], seen: str = "", *, api: str = "", only: bool = False) -> Fault:
    return Fault(check=check, change=change, seen=seen, api=api, only=only)


def put(path: str, value: Any, of: tuple[str, str] = CHAT) -> Callable[[World], object]:
    """Set a field; a number in the path is a place in a list, and ``None`` as the value removes the field."""

    def change(world: World) -> None:
        item: Any = world[of]
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            item = item.setdefault(step, {}) if isinstance(item, dict) else item[step]
        if value is None:
            del item[last]
        else:
            item[last] = value

    return change


def pod(path: str, value: Any) -> Callable[[World], object]:
    """Set a field of the Deployment's pod spec."""
    return put(f"spec/template/spec/{path}", value)


def box(path: str, value: Any) -> Callable[[World], object]:
    """Set a field of the Deployment's container."""
    return pod(f"containers/0/{path}", value)


def rules(**strategy: Any) -> Callable[[World], object]:
    return lambda world: world.strategy.update(strategy)


def both(*changes: Callable[[World], object]) -> Callable[[World], object]:
    return lambda world: [change(world) for change in changes]


def drop(kind: str, name: str) -> Callable[[World], object]:
    return lambda world: world.drop(kind, name)


def add(kind: str, name: str, **content: Any) -> Callable[[World], object]:
    return lambda world: world.add(kind, name, **content)


def waiver(expires: str, check: str = "image/tag", obj: str = "chat") -> dict[str, str]:
    return {"check": check, "object": obj, "reason": "because", "owner": "platform", "expires": expires}


def waived(*waivers: dict[str, str], **strategy: Any) -> Callable[[World], object]:
    return both(lambda world: world.environment.update(waivers=list(waivers)), rules(**strategy))


def role(*rule: dict[str, Any], kind: str = "Role", name: str = "chat") -> Callable[[World], object]:
    return lambda world: world[kind, name].update(rules=list(rule))


def grants(group: str, resource: str, *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def managed(manager: str, fields: dict[str, Any], *, time: str = "2026-11-22T10:00:00Z", **more: Any) -> list[Any]:
    return [{"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, **more}]


def helm(**changes: Any) -> Callable[[World], object]:
    """Helm's newest record with other contents."""

    def change(world: World) -> None:
        record = release(2, **changes)
        world.objects["Secret", record["metadata"]["name"]] = record

    return change


POD_A: Final = ("Pod", "chat-2-a")
CRON: Final = ("CronJob", "report")
SCALER: Final = ("HorizontalPodAutoscaler", "chat")
BUDGET: Final = ("PodDisruptionBudget", "chat")
POLICY: Final = ("NetworkPolicy", "chat")
EDGE: Final = ("Ingress", "chat")
SERVICE: Final = ("Service", "chat")
REFUSED: Final = "the API server refuses such an object"
OWN_CLOCK: Final = "the API server sets the time or the managers of fields itself"
STATUS: Final = "the fault is in what the API or its caller is, not in an object"

PODS: Final = (
    fault("probe/liveness-missing", box("livenessProbe", None), "none"),
    fault("probe/readiness-missing", box("readinessProbe", None), "none"),
    fault("probe/identical", box("livenessProbe", {"httpGet": {"path": "/readyz", "port": "http"}}), "the same"),
    fault("probe/port-not-exposed", box("readinessProbe/httpGet/port", 9090), "9090"),
    fault("probe/port-not-exposed", box("readinessProbe/httpGet/port", "metrics"), "metrics"),
    fault(
        "probe/exec-command-heavy", box("livenessProbe", {"exec": {"command": ["sh", "-c", "jcmd 1 VM.info"]}}), "jcmd"
    ),
    fault("probe/liveness-impatient", box("livenessProbe/periodSeconds", 2), "6 s"),
    fault("workload/min-replicas", both(drop(*SCALER), put("spec/replicas", 1)), "seen 1"),
    fault("workload/min-replicas", put("spec/minReplicas", 1, SCALER), "minReplicas of the autoscaler chat"),
    fault("workload/rolling-update", put("spec/strategy", {"type": "Recreate"}), "Recreate"),
    fault("workload/rolling-update", put("spec/strategy/rollingUpdate/maxUnavailable", "100%"), "100%"),
    fault("workload/spread", pod("topologySpreadConstraints", None), "not set"),
    fault(
        "workload/spread-matches", pod("topologySpreadConstraints/0/labelSelector", {"matchLabels": {"app": "x"}}), "x"
    ),
    fault("workload/selector-matches-template", put("spec/selector/matchLabels/app", "other"), "other", api=REFUSED),
    fault(
        "workload/selector-overlap",
        add(
            "Deployment",
            "chat-canary",
            spec={
                "selector": {"matchLabels": {"app": "chat"}},
                "template": {
                    "metadata": {"labels": {"app": "chat", "track": "canary"}},
                    "spec": {"containers": [{"name": "chat", "image": "x:1"}]},
                },
            },
        ),
        "chat",
    ),
    fault("workload/priority-class", pod("priorityClassName", None), "not set"),
    fault("workload/naked-pod", put("metadata/ownerReferences", None, POD_A), "none"),
    fault("workload/env-duplicate", box("env/1", {"name": "REGION", "value": "us"}), "twice"),
    fault("workload/labels", put("metadata/labels", {"app": "chat"}), "app.kubernetes.io/name"),
    fault("workload/job-hygiene", put("spec/concurrencyPolicy", "Allow", CRON), "Allow"),
    fault(
        "workload/job-hygiene", put("spec/jobTemplate/spec/activeDeadlineSeconds", None, CRON), "activeDeadlineSeconds"
    ),
    fault("workload/cron-suspended", put("spec/suspend", True, CRON), "true"),
    fault("workload/cron-suspended", put("spec/schedule", "nightly", CRON), "nightly", api=REFUSED),
    fault("workload/revision-history", put("spec/revisionHistoryLimit", 0), "seen 0"),
    fault("workload/unavailable", put("status/availableReplicas", 1), "seen 1"),
    fault(
        "workload/pod-state",
        put("status/containerStatuses/0/state", {"waiting": {"reason": "CrashLoopBackOff"}}, POD_A),
        "CrashLoopBackOff",
    ),
    fault(
        "workload/pod-state",
        put("status/containerStatuses/0/state", {"waiting": {"reason": "ImagePullBackOff"}}, POD_A),
        "ImagePullBackOff",
    ),
    fault(
        "workload/pod-state",
        put("status/containerStatuses/0/lastState", {"terminated": {"reason": "OOMKilled", "exitCode": 137}}, POD_A),
        "OOMKilled",
    ),
    fault(
        "workload/pod-state",
        put("status/conditions", [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}], POD_A),
        "ContainersNotReady",
        api=OWN_CLOCK,
    ),
    fault("workload/pod-state", put("status/phase", "Failed", POD_A), "Failed"),
    fault(
        "workload/pod-state",
        put("metadata/deletionTimestamp", "2026-11-23T10:00:00Z", POD_A),
        "terminating",
        api=OWN_CLOCK,
    ),
    fault("workload/usage-near-limit", put("containers/0/usage/memory", "250Mi", ("PodMetrics", "chat-2-a")), "250Mi"),
    fault(
        "resources/requests-cpu",
        box("resources/requests/cpu", None),
        "not set",
        api="the API server fills the request in from the limit",
    ),
    fault(
        "resources/requests-memory",
        box("resources/requests/memory", None),
        "not set",
        api="the API server fills the request in from the limit",
    ),
    fault("resources/limits-memory", box("resources/limits/memory", None), "not set"),
    fault("resources/limits-cpu", box("resources/limits/cpu", None), "not set"),
    fault("resources/limits-cpu", rules(cpu_limits="forbidden"), "250m"),
    fault("resources/range", box("resources/limits/cpu", "250"), "250"),
    fault("resources/range", box("resources/limits/memory", "256m"), "256m", api=REFUSED),
    fault("resources/range", box("resources/requests/memory", "1Gi"), "1Gi", api=REFUSED),
    fault("resources/range", box("resources/requests/memory", "lots"), "lots", api=REFUSED),
    fault("resources/requests-equal-limits", box("resources/requests/memory", "128Mi"), "128Mi"),
    fault("resources/ephemeral-storage", pod("volumes/0/emptyDir", {}), "not set"),
    fault("resources/namespace-quota", drop("ResourceQuota", "shop"), "none"),
    fault("resources/limit-range", drop("LimitRange", "shop"), "none"),
    fault(
        "resources/quota-exhausted",
        put("status/used", {"requests.cpu": "7900m", "pods": "4"}, ("ResourceQuota", "shop")),
        "7900m",
    ),
    fault(
        "podsec/host-process", pod("securityContext/windowsOptions", {"hostProcess": True}), "hostProcess", api=REFUSED
    ),
    fault("podsec/host-namespaces", pod("hostNetwork", True), "hostNetwork", api=REFUSED),
    fault("podsec/privileged", box("securityContext", {"privileged": True}), "privileged"),
    fault(
        "podsec/capabilities",
        both(rules(pod_security="baseline"), box("securityContext/capabilities", {"add": ["SYS_ADMIN"]})),
        "SYS_ADMIN",
    ),
    fault(
        "podsec/host-path",
        pod("volumes/0", {"name": "tmp", "hostPath": {"path": "/var/run/docker.sock"}}),
        "docker.sock",
    ),
    fault("podsec/host-port", box("ports/0", {"name": "http", "containerPort": 8080, "hostPort": 8080}), "8080"),
    fault("podsec/host-probes", box("livenessProbe/httpGet/host", "10.0.0.1"), "10.0.0.1"),
    fault("podsec/apparmor", pod("securityContext/appArmorProfile", {"type": "Unconfined"}), "Unconfined"),
    fault("podsec/selinux", pod("securityContext/seLinuxOptions", {"user": "root"}), "seLinuxOptions.user"),
    fault("podsec/selinux", box("securityContext/seLinuxOptions", {"type": "spc_t"}), "spc_t"),
    fault("podsec/proc-mount", box("securityContext/procMount", "Unmasked"), "Unmasked", api=REFUSED),
    fault("podsec/seccomp", pod("securityContext/seccompProfile", None), "not set"),
    fault(
        "podsec/seccomp",
        both(rules(pod_security="baseline"), box("securityContext/seccompProfile", {"type": "Unconfined"})),
        "Unconfined",
    ),
    fault("podsec/sysctls", pod("securityContext/sysctls", [{"name": "kernel.msgmax", "value": "1"}]), "kernel.msgmax"),
    fault("podsec/volume-types", pod("volumes/0", {"name": "tmp", "nfs": {"server": "nas", "path": "/"}}), "nfs"),
    fault("podsec/privilege-escalation", box("securityContext/allowPrivilegeEscalation", None), "not set"),
    fault("podsec/run-as-non-root", pod("securityContext/runAsNonRoot", None), "not set"),
    fault("podsec/run-as-non-root", box("securityContext/runAsNonRoot", False), "false"),
    fault("podsec/run-as-user", box("securityContext/runAsUser", 0), "seen 0"),
    fault("podsec/drop-capabilities", box("securityContext/capabilities", {"drop": ["NET_RAW"]}), "NET_RAW"),
    fault(
        "podsec/drop-capabilities",
        box("securityContext/capabilities", {"drop": ["ALL"], "add": ["NET_RAW"]}),
        "NET_RAW",
    ),
    fault("podsec/read-only-root-fs", box("securityContext/readOnlyRootFilesystem", False), "false"),
    fault("podsec/high-uid", pod("securityContext/runAsUser", 1000), "1000"),
    fault("podsec/ports", box("ports/0/containerPort", 80), "80"),
    fault("podsec/runtime-class", pod("runtimeClassName", None), "not set"),
    fault("podsec/psa-labels", put("metadata/labels", {}, ("Namespace", "shop")), "not set"),
    fault(
        "podsec/psa-labels",
        lambda world: world["Namespace", "shop"]["metadata"]["labels"].update({ENFORCE: "baseline"}),
        "baseline",
    ),
    fault("podsec/effective-uid", put("status/containerStatuses/0/user/linux/uid", 0, POD_A), "0 in chat-2-a"),
)

IMAGES: Final = (
    fault("image/tag", box("image", "registry.example/shop/chat:latest"), "latest"),
    fault("image/tag", box("image", "registry.example:5000/shop/chat"), "5000/shop/chat"),
    fault("image/digest", box("image", "registry.example/shop/chat:1.5.0"), "chat:1.5.0"),
    fault("image/pull-policy", box("imagePullPolicy", "Always"), "Always"),
    fault("image/registry", box("image", f"nginx:1.27@sha256:{HEX}"), "nginx"),
    fault("image/registry", box("image", f"registry.example/shopping/chat:1@sha256:{HEX}"), "shopping"),
    fault("image/pull-secret", drop("Secret", "registry"), "absent"),
    fault(
        "image/single-version",
        put("status/containerStatuses/0/imageID", f"registry.example/shop/chat@sha256:{HEX}", POD_A),
        "chat-2-a runs",
    ),
    fault(
        "image/release-digest",
        lambda world: world.environment.update(release={"digests": [f"sha256:{HEX}"]}),
        "1111",
        only=True,
    ),
)

ACCESS: Final = (
    fault(
        "sa/default-used", both(pod("serviceAccountName", None), pod("automountServiceAccountToken", None)), "default"
    ),
    fault(
        "sa/automount",
        both(
            pod("automountServiceAccountToken", None),
            put("automountServiceAccountToken", None, ("ServiceAccount", "chat")),
        ),
        "not set",
    ),
    fault("sa/missing", pod("serviceAccountName", "nobody"), "absent"),
    fault(
        "rbac/cluster-admin",
        lambda world: world["ClusterRoleBinding", "shop-nodes"]["roleRef"].update(name="cluster-admin"),
        "cluster-admin",
        api=REFUSED,
    ),
    fault("rbac/wildcards", role(grants("", "configmaps", "*")), "verbs"),
    fault("rbac/wildcards", role(grants("*", "nodes", "list"), kind="ClusterRole", name="shop-nodes"), "apiGroups"),
    fault("rbac/secrets-read", role(grants("", "secrets", "get", "list")), "get, list secrets"),
    fault("rbac/pod-create-exec", role(grants("", "pods/exec", "create")), "create pods/exec"),
    fault("rbac/escalation", role(grants("rbac.authorization.k8s.io", "roles", "bind")), "bind"),
    fault(
        "rbac/escalation",
        role(grants("", "serviceaccounts", "impersonate"), kind="ClusterRole", name="shop-nodes"),
        "impersonate",
    ),
    fault(
        "rbac/anonymous-authenticated",
        put(
            "subjects",
            [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"}],
            ("RoleBinding", "chat"),
        ),
        "system:authenticated",
    ),
    fault("rbac/dangling", put("roleRef/name", "gone", ("RoleBinding", "chat")), "absent", api=REFUSED),
    fault("rbac/dangling", put("subjects/0/name", "gone", ("RoleBinding", "chat")), "absent"),
    fault("rbac/unused", add("Role", "left-over", rules=[grants("", "configmaps", "get")]), "none"),
    fault("rbac/unused", add("ServiceAccount", "left-over"), "none"),
    fault(
        "rbac/effective",
        lambda world: world.objects.update(
            {(ACCOUNT_ACCESS, "x"): access("create", "pods", need="", allowed=True, subject="chat")}
        ),
        "allowed",
        api=STATUS,
    ),
    fault(
        "rbac/self",
        lambda world: world.objects.update({(SELF_ACCESS, "x"): access("list", "pods", need="read", allowed=False)}),
        "not allowed",
        api=STATUS,
    ),
    fault(
        "rbac/self",
        lambda world: world.objects.update({(SELF_ACCESS, "x"): access("delete", "pods", need="write", allowed=True)}),
        "allowed",
        api=STATUS,
    ),
)

NETWORK: Final = (
    fault("svc/no-matching-pods", put("spec/selector/app", "chatt", SERVICE), "chatt"),
    fault("svc/no-endpoints", put("endpoints/0/conditions/ready", False, ("EndpointSlice", "chat-x")), "seen 0"),
    fault("svc/target-port", put("spec/ports/0/targetPort", "web", SERVICE), "web"),
    fault("svc/target-port", put("spec/ports/0/targetPort", 9999, SERVICE), "9999"),
    fault("svc/type", put("spec/type", "NodePort", SERVICE), "NodePort"),
    fault("svc/external-ips", put("spec/externalIPs", ["192.0.2.1"], SERVICE), "192.0.2.1"),
    fault("ingress/backend-missing", put("spec/rules/0/http/paths/0/backend/service/name", "gone", EDGE), "absent"),
    fault("ingress/backend-missing", put("spec/rules/0/http/paths/0/backend/service/port", {"number": 81}, EDGE), "81"),
    fault("ingress/tls", put("spec/tls", None, EDGE), "chat.shop.example"),
    fault("ingress/host-unique", lambda world: world.add("Ingress", "other", spec=world[EDGE]["spec"]), "shop/chat"),
    fault("ingress/host-unique", put("spec/rules/0/host", None, EDGE), "every host"),
    fault("ingress/class-missing", put("spec/ingressClassName", "gone", EDGE), "gone"),
    fault("ingress/lb-status", put("status/loadBalancer", {}, EDGE), "none"),
    fault(
        "ingress/nginx-snippets",
        put("metadata/annotations", {"nginx.ingress.kubernetes.io/server-snippet": "deny all;"}, EDGE),
        "snippet",
    ),
    fault("gateway/dangling", drop("Gateway", "edge"), "absent"),
    fault("gateway/dangling", put("spec/rules/0/backendRefs/0/port", 81, ("HTTPRoute", "chat")), "81"),
    fault(
        "monitor/servicemonitor-dangling", put("spec/selector/matchLabels/app", "x", ("ServiceMonitor", "chat")), "x"
    ),
    fault(
        "monitor/servicemonitor-dangling",
        put("spec/endpoints/0/port", "metrics", ("ServiceMonitor", "chat")),
        "metrics",
    ),
    fault("netpol/missing", both(drop("NetworkPolicy", "default-deny"), drop(*POLICY)), "none"),
    fault("netpol/egress-missing", put("spec/policyTypes", ["Ingress"], ("NetworkPolicy", "default-deny")), "none"),
    fault("netpol/dangling", put("spec/podSelector/matchLabels/app", "x", POLICY), "x"),
    fault("netpol/dangling", put("spec/ingress/0/from/0/podSelector/matchLabels/app", "x", POLICY), "from[0]"),
    fault("netpol/allow-all", put("spec/ingress", [{}], POLICY), "everybody"),
    fault("netpol/allow-all", put("spec/ingress/0/from", [{"ipBlock": {"cidr": "0.0.0.0/0"}}], POLICY), "0.0.0.0/0"),
    fault("netpol/default-deny", drop("NetworkPolicy", "default-deny"), "none"),
)

SCALING: Final = (
    fault("hpa/target-missing", put("spec/scaleTargetRef/name", "gone", SCALER), "absent"),
    fault("hpa/min-replicas", put("spec/minReplicas", 1, SCALER), "seen 1"),
    fault("hpa/min-replicas", put("spec/maxReplicas", 2, SCALER), "seen 2"),
    fault(
        "hpa/unique", lambda world: world.add("HorizontalPodAutoscaler", "second", spec=world[SCALER]["spec"]), "chat"
    ),
    fault("hpa/healthy", put("status/conditions/0/status", "False", SCALER), "ScalingActive"),
    fault("hpa/healthy", put("status/currentMetrics", [], SCALER), "0 of 1"),
    fault("hpa/healthy", put("status/currentReplicas", 6, SCALER), "seen 6"),
    fault("hpa/coverage", drop(*SCALER), "none"),
    fault("hpa/coverage", rules(autoscaling_metrics=["cpu", "queue"]), "seen cpu"),
    fault("hpa/burst-capacity", put("spec/maxReplicas", 600, SCALER), "600 replicas"),
    fault("pdb/missing", drop(*BUDGET), "none"),
    fault(
        "pdb/several",
        lambda world: world.add("PodDisruptionBudget", "second", spec=world[BUDGET]["spec"]),
        "chat, second",
    ),
    fault("pdb/blocks-eviction", put("spec/maxUnavailable", 0, BUDGET), "0 of 2"),
    fault(
        "pdb/blocks-eviction",
        lambda world: world[BUDGET].update(spec={"minAvailable": "51%", "selector": {"matchLabels": {"app": "chat"}}}),
        "51% of 2",
    ),
    fault("pdb/no-pods", put("spec/selector/matchLabels/app", "x", BUDGET), "x"),
    fault("pdb/unhealthy-eviction", put("spec/unhealthyPodEvictionPolicy", None, BUDGET), "not set"),
)

SECRETS: Final = (
    fault("secret/plain-env", box("env/0", {"name": "DB_PASSWORD", "value": "hunter2"}), "DB_PASSWORD"),
    fault("secret/plain-env", box("env/0", {"name": "DSN", "value": "postgres://u:hunter2@db/x"}), "DSN"),
    fault("secret/in-configmap", put("data/db.password", "hunter2", ("ConfigMap", "settings")), "db.password"),
    fault(
        "secret/from-env",
        box("env/0", {"name": "X", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "token"}}}),
        "a variable",
    ),
    fault("secret/from-env", box("envFrom", [{"secretRef": {"name": "credentials"}}]), "variables"),
    fault("ref/missing", drop("ConfigMap", "settings"), "absent"),
    fault("ref/missing", pod("volumes/1/secret/items/0/key", "tokem"), "absent"),
    fault("ref/missing", drop("PersistentVolumeClaim", "history"), "absent"),
    fault("ref/priority-class-missing", drop("PriorityClass", "serving"), "absent"),
    fault("ref/unused", add("ConfigMap", "left-over", data={"a": "b"}), "used by nothing"),
    fault("secret/external", put("metadata/ownerReferences", None, ("Secret", "credentials")), "none"),
    fault(
        "secret/external-ready",
        put("status/conditions/0/status", "False", ("ExternalSecret", "credentials")),
        "SecretSynced",
    ),
    fault(
        "secret/external-ready",
        put("status/refreshTime", "2026-11-20T10:00:00Z", ("ExternalSecret", "credentials")),
        "2026-11-20",
    ),
    fault(
        "secret/rotation-age",
        put("metadata/creationTimestamp", "2026-01-01T10:00:00Z", ("Secret", "credentials")),
        "days ago",
        api=OWN_CLOCK,
    ),
    fault(
        "secret/rotation-age",
        put(
            "metadata/managedFields",
            managed("kubectl", {"f:data": {"f:token": {}}}, time="2026-02-01T10:00:00Z"),
            ("Secret", "credentials"),
        ),
        "days ago",
        api=OWN_CLOCK,
    ),
    fault(
        "secret/tls-expiry",
        put("data/tls.crt", encoded(certificate(NOW + dt.timedelta(days=3))), ("Secret", "chat-tls")),
        "3 days",
        api=OWN_CLOCK,
    ),
    fault(
        "secret/tls-expiry", put("data/tls.crt", encoded("no certificate"), ("Secret", "chat-tls")), "PEM", api=REFUSED
    ),
    fault(
        "secret/reloaded",
        put(
            "metadata/managedFields",
            managed("kubectl", {"f:data": {"f:LOG_LEVEL": {}}}, time="2026-11-23T11:30:00Z"),
            ("ConfigMap", "settings"),
        ),
        "chat-2-a started",
        api=OWN_CLOCK,
    ),
    fault("env/parity", put("data/LOG_LEVEL", None, ("ConfigMap", "settings")), "absent"),
    fault("env/parity", put("data/EXTRA", "x", ("ConfigMap", "settings")), "EXTRA"),
)

CLUSTER: Final = (
    fault(
        "env/cluster-identity",
        lambda world: setattr(world, "uid", "of-another-cluster"),
        "uid-of-kube-system",
        api=STATUS,
    ),
    fault("env/cluster-identity", drop("Namespace", "shop"), "absent", api=STATUS),
    fault(
        "env/cluster-identity",
        lambda world: world["Namespace", "shop"]["metadata"]["labels"].update({"seatrial.io/environment": "staging"}),
        "staging",
    ),
    fault(
        "env/isolation",
        put("data/LOG_LEVEL", "https://staging.shop.example/x", ("ConfigMap", "settings")),
        "staging.shop.example",
    ),
    fault("env/isolation", box("env/0/value", "db.shop-staging.svc"), "shop-staging"),
    fault("api/deprecated", put("apiVersion", "policy/v1beta1", BUDGET), "removed in 1.25", api=REFUSED),
    fault(
        "api/deprecated",
        put("metadata/managedFields", managed("helm", {}, apiVersion="autoscaling/v2beta2"), SCALER),
        "autoscaling/v2beta2",
        api=OWN_CLOCK,
    ),
    fault("ns/default", rules(system_namespaces=["shop"]), "shop"),
    fault("ns/terminating", put("status/phase", "Terminating", ("Namespace", "shop")), "Terminating", api=OWN_CLOCK),
    fault("cluster/version", lambda world: setattr(world, "version", "1.30.1"), "1.30.1", api=STATUS),
    fault("cluster/version", put("status/nodeInfo/kubeletVersion", "v1.99.0", ("Node", "node-1")), "v1.99.0"),
    fault("node/conditions", put("status/conditions/0/status", "Unknown", ("Node", "node-1")), "KubeletReady"),
    fault("node/conditions", put("status/conditions/2/status", "True", ("Node", "node-1")), "DiskPressure"),
    fault("storage/pv-pvc", put("status/phase", "Pending", ("PersistentVolumeClaim", "history")), "Pending"),
    fault("storage/class-missing", drop("StorageClass", "fast"), "fast"),
    fault("backup/velero-schedule", put("spec/paused", True, ("Schedule", "nightly")), "paused"),
    fault(
        "backup/velero-schedule", put("status/phase", "FailedValidation", ("Schedule", "nightly")), "FailedValidation"
    ),
    fault("api/schema", put("spec/template/spec/containers", []), "containers", api=REFUSED),
    fault("api/schema", put("data/N", 7, ("ConfigMap", "settings")), "int", api=REFUSED),
)

HELM: Final = (
    fault("helm/records", helm(info={"status": "pending-upgrade"}), "pending-upgrade"),
    fault(
        "helm/records",
        put("data/release", encoded("no record"), ("Secret", "sh.helm.release.v1.chat.v2")),
        "no record of Helm",
    ),
    fault(
        "helm/chart-and-app-version",
        helm(chart={"metadata": {"name": "chat", "version": "next", "appVersion": "1.5.0"}}),
        "next",
    ),
    fault(
        "helm/chart-and-app-version",
        helm(chart={"metadata": {"name": "chat", "version": "2.1.0", "appVersion": "1.4.2"}}),
        "1.4.2",
    ),
    fault("helm/chart-and-app-version", rules(chart_versions={"chat": "2.0.9"}), "2.1.0"),
    fault("helm/env-values", helm(config={"image": {"tag": "1.5.0"}, "replicas": 3}), "config.replicas"),
    fault("helm/env-values", helm(config={"image": {"tag": "1.5.0"}, "replicas": 2, "debug": True}), "config.debug"),
    fault("helm/env-values", helm(config={"replicas": 2}), "config.image.tag"),
    fault(
        "helm/hooks",
        helm(hooks=[{"name": "migrate", "kind": "Job", "events": ["pre-upgrade"], "last_run": {"phase": "Failed"}}]),
        "Failed",
    ),
    fault(
        "helm/hooks",
        helm(hooks=[{"name": "migrate", "kind": "Job", "events": ["post-upgrade"], "last_run": {}}]),
        "not run",
    ),
    fault("helm/drift", put("data/LOG_LEVEL", "debug", ("ConfigMap", "settings")), "another value"),
    fault("helm/drift", both(box("resources/requests/cpu", "100m")), "100m"),
    fault("helm/drift", drop("ConfigMap", "settings"), "absent"),
    fault(
        "helm/drift",
        put(
            "metadata/managedFields",
            managed("kubectl-edit", {"f:spec": {"f:paused": {}}}),
        ),
        "spec.paused",
        api=OWN_CLOCK,
    ),
    fault("helm/orphans", put("metadata/annotations", {"meta.helm.sh/release-name": "gone"}, SERVICE), "gone"),
    fault("helm/orphans", put("metadata/annotations", {"meta.helm.sh/release-name": "chat"}, SERVICE), "left over"),
    fault("helm/history", drop("Secret", "sh.helm.release.v1.chat.v1"), "seen 0"),
    fault(
        "rollback/ready",
        lambda world: world["ReplicaSet", "chat-1"]["spec"]["template"]["spec"]["containers"][0].update(
            envFrom=[{"secretRef": {"name": "gone"}}]
        ),
        "absent",
    ),
    fault(
        "rollout/progressing",
        put("status/conditions/1", {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}),
        "ProgressDeadlineExceeded",
    ),
    fault("rollout/progressing", put("status/observedGeneration", 2), "seen 2", api=OWN_CLOCK),
)

META: Final = (
    fault("waiver/expired", waived(waiver("2026-01-01")), "2026-01-01"),
    fault("waiver/unused", waived(waiver("2027-01-01")), "nothing"),
    fault("waiver/unused", waived(waiver("2027-01-01", check="image/tags")), "image/tags"),
    fault("waiver/forbidden", waived(waiver("2027-01-01"), waivers="forbidden"), "because"),
    fault("waiver/annotations", put("metadata/annotations", {"waive.seatrial.io/image.tag": "later"}), "later"),
    fault(
        "waiver/annotations",
        put("metadata/annotations", {"waive.seatrial.io/image.tag": "owner=me; expires=2026-01-01; reason=x"}),
        "2026-01-01",
    ),
    fault(
        "waiver/annotations",
        both(
            put("metadata/annotations", {"waive.seatrial.io/image.tag": "owner=me; expires=2027-01-01; reason=x"}),
            rules(waivers="environment"),
        ),
        "a waiver",
    ),
    fault("gate/coverage", lambda world: world.unread.update({"Node": "403 nodes is forbidden"}), "403", api=STATUS),
)

FAULTS: Final = (*PODS, *IMAGES, *ACCESS, *NETWORK, *SCALING, *SECRETS, *CLUSTER, *HELM, *META)

NAMED: Final = {
    f"{one.check}: {one.seen}" + (f" ({place})" if place else ""): one
    for one, place in (
        (one, sum(before.check == one.check and before.seen == one.seen for before in FAULTS[:index]))
        for index, one in enumerate(FAULTS)
    )
}
"""By what is wrong; several of the same are counted."""
