"""What checking configuration costs, as a table and in `results/config.json`.

    python benchmarks/config.py [--sizes 1000 10000] [--files 1000 5000] [--checkov PATH]

`cluster`: N Deployments with a ReplicaSet, two Pods and a Service each, served page by page by a process on loopback;
seconds for reading them (transport, decoding, taking in), seconds for all checks, and the peak memory of a fresh
process that imports, reads and checks. `manifests`: N files with a Deployment and a Service each, read and checked;
beside Checkov over the same folder where its command is given or found. Ratios count: machines differ.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

RESULTS = Path(__file__).parent / "results" / "config.json"
NAMESPACE = "shop"
PAGE = 500
WORDS = "abcdefghijklmnopqrstuvwxyz"


def deployment(number: int) -> dict[str, Any]:
    """A Deployment as a team writes it."""
    name = f"app-{number}"
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "main",
        "image": f"registry.example/shop/{name}:1.{number}.0",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": f"SETTING_{letter}", "value": f"value of {letter}"} for letter in WORDS[:12]],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 10},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": security,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": f"team-{number % 20}"}
    pod = {
        "serviceAccountName": "app",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {**labels, "app": name}}, "spec": pod},
        },
    }


def service(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"app-{number}", "namespace": NAMESPACE},
        "spec": {"selector": {"app": f"app-{number}"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def _fields(value: Any) -> Any:
    """Managed fields of an object, which are about as long as itself."""
    return {f"f:{key}": _fields(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def _stored(item: dict[str, Any], uid: str, owner: dict[str, Any] | None = None) -> dict[str, Any]:
    made = json.loads(json.dumps(item))
    managed = {"manager": "helm", "operation": "Update", "time": "2026-11-01T10:00:00Z", "fieldsType": "FieldsV1"}
    made["metadata"] |= {
        "uid": uid,
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": "2026-11-01T10:00:00Z",
        "managedFields": [{**managed, "fieldsV1": _fields(item["spec"])}],
    }
    if owner is not None:
        made["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    return made


def objects(count: int) -> dict[str, list[dict[str, Any]]]:
    """Lists as the API has them, by path."""
    base = f"namespaces/{NAMESPACE}"
    found: dict[str, list[dict[str, Any]]] = {
        f"/apis/apps/v1/{base}/deployments": [],
        f"/apis/apps/v1/{base}/replicasets": [],
        f"/api/v1/{base}/pods": [],
        f"/api/v1/{base}/services": [],
    }
    deployments, sets, pods, services = found.values()
    for number in range(count):
        wanted = deployment(number)
        name = f"app-{number}"
        status = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
        deployments.append({**_stored(wanted, f"d-{number}"), "status": status})
        template = wanted["spec"]["template"]
        copy = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": f"{name}-1", "namespace": NAMESPACE},
        }
        copy["spec"] = {"replicas": 2, "selector": wanted["spec"]["selector"], "template": template}
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": f"d-{number}"}
        sets.append(_stored(copy, f"r-{number}", owner))
        for place in (1, 2):
            pod = {
                "metadata": {"name": f"{name}-1-{place}", "namespace": NAMESPACE, "labels": {"app": name}},
                "spec": template["spec"],
            }
            by = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-1", "uid": f"r-{number}"}
            container = {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {}}}
            digest = f"registry.example/shop/{name}@sha256:{number:064x}"
            running = {
                "phase": "Running",
                "startTime": "2026-11-01T10:00:00Z",
                "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}],
                "containerStatuses": [{**container, "image": name, "imageID": digest}],
            }
            pods.append({**_stored(pod, f"p-{number}-{place}", by), "status": running})
        services.append(_stored(service(number), f"s-{number}"))
    return found


def serve(count: int, announce: Any) -> None:
    """The API, in a process of its own, with every page encoded beforehand."""
    pages = {}
    for path, items in objects(count).items():
        for start in range(0, max(len(items), 1), PAGE):
            more = {"continue": str(start + PAGE)} if start + PAGE < len(items) else {}
            pages[path, str(start)] = json.dumps({"items": items[start : start + PAGE], "metadata": more}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            start = parse_qs(parts.query).get("continue", ["0"])[0]
            data = pages.get((parts.path, start), b'{"items": [], "metadata": {}}')
            custom = any(group in parts.path for group in ("gateway", "monitoring", "external", "bitnami", "velero"))
            if parts.path == "/version":
                data = b'{"gitVersion": "v1.35.2"}'
            self._answer(404 if custom or "metrics" in parts.path else 200, data)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            allowed = asked["spec"]["resourceAttributes"]["verb"] == "list" and "user" not in asked["spec"]
            self._answer(201, json.dumps({"status": {"allowed": allowed}}).encode())

        def _answer(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    announce.put(server.server_address[1])
    server.serve_forever()


@contextlib.contextmanager
def api(count: int, folder: Path) -> Iterator[Path]:
    """A kubeconfig for an API with ``count`` Deployments."""
    context = multiprocessing.get_context("spawn")
    announce = context.Queue()
    process = context.Process(target=serve, args=(count, announce), daemon=True)
    process.start()
    document = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{announce.get(timeout=300)}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    try:
        yield path
    finally:
        process.kill()
        process.join()


def check_cluster(kubeconfig: str) -> dict[str, float]:
    """Read and check, in this process."""
    begun = time.perf_counter()
    from seatrial.checks.catalogue import CONFIG, needs
    from seatrial.checks.rule import View
    from seatrial.cluster.reading import read
    from seatrial.environment.model import Cluster, Environment

    cluster = Cluster(kubeconfig=kubeconfig, namespaces=(NAMESPACE,), timeout="30s", read_within="120s")
    imported = time.perf_counter()
    snapshot = read(cluster, needs(CONFIG))
    taken = time.perf_counter()
    assert not snapshot.unread, snapshot.unread
    view = View(snapshot=snapshot, environment=Environment(name="bench", cluster=cluster), now=dt.datetime.now(dt.UTC))
    for check in CONFIG:
        check.run(view)
    return {
        "import": imported - begun,
        "read": taken - imported,
        "check": time.perf_counter() - taken,
        "objects": sum(map(len, snapshot.objects.values())),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def check_manifests(folder: str) -> dict[str, float]:
    """Read and check a folder, in this process."""
    from seatrial.checks.catalogue import CONFIG
    from seatrial.checks.rule import View
    from seatrial.environment.model import Environment
    from seatrial.snapshot.manifests import read

    begun = time.perf_counter()
    snapshot = read(folder, namespace=NAMESPACE)
    taken = time.perf_counter()
    view = View(snapshot=snapshot, environment=Environment(name="bench"), now=dt.datetime.now(dt.UTC))
    for check in CONFIG:
        if not check.live:
            check.run(view)
    return {
        "read": taken - begun,
        "check": time.perf_counter() - taken,
        "objects": sum(map(len, snapshot.objects.values())),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def apart(task: str, place: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, task, place], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def best(task: str, place: str, runs: int) -> dict[str, float]:
    """The quickest of several."""
    return min((apart(task, place) for _ in range(runs)), key=lambda row: row["read"] + row["check"])


def write_manifests(folder: Path, count: int) -> None:
    import yaml

    for number in range(count):
        text = yaml.dump_all([deployment(number), service(number)], Dumper=yaml.CSafeDumper, sort_keys=False)
        (folder / f"app-{number}.yaml").write_text(text)


def main() -> int:
    if len(sys.argv) == 3 and sys.argv[1] in ("cluster", "manifests"):
        print(json.dumps(check_cluster(sys.argv[2]) if sys.argv[1] == "cluster" else check_manifests(sys.argv[2])))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--checkov", default=shutil.which("checkov"))
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print(f"{'what':<10} {'count':>6} {'objects':>8} {'read s':>7} {'check s':>8} {'total s':>8} {'MB':>5}")
    for what, counts in (("cluster", arguments.sizes), ("manifests", arguments.files)):
        for count in counts:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                if what == "cluster":
                    with api(count, folder) as path:
                        row = best(what, str(path), arguments.runs)
                else:
                    write_manifests(folder, count)
                    row = best(what, name, arguments.runs)
                    if arguments.checkov and count == min(arguments.files):
                        begun = time.perf_counter()
                        command = [arguments.checkov, "-d", name, "--framework", "kubernetes", "--quiet", "--compact"]
                        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                        rows.append({"what": "checkov", "count": count, "total": time.perf_counter() - begun})
            total = row["read"] + row["check"]
            rows.append({"what": what, "count": count, **row, "total": total})
            print(
                f"{what:<10} {count:>6} {row['objects']:>8.0f} {row['read']:>7.2f} {row['check']:>8.2f} "
                f"{total:>8.2f} {row['megabytes']:>5.0f}"
            )
    for what in ("cluster", "manifests"):
        mine = [row for row in rows if row["what"] == what]
        if len(mine) > 1:
            times = mine[-1]["count"] / mine[0]["count"]
            growth = mine[-1]["total"] / mine[0]["total"] / times
            print(f"{what}: with {times:g} times the objects each costs {growth:.2f} times as much")
    peer = next((row for row in rows if row["what"] == "checkov"), None)
    if peer is not None:
        own = next(row for row in rows if row["what"] == "manifests" and row["count"] == peer["count"])
        ratio = peer["total"] / own["total"]
        print(f"checkov took {peer['total']:.1f} s over the same files, {ratio:.0f} times as long")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
