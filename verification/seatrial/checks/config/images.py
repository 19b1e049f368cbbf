"""Images: which bytes will run, and which ones do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seatrial.checks.check import Check
from seatrial.checks.rule import Findings, View, finding, rule
from seatrial.environment.model import Environment
from seatrial.snapshot.objects import get, name_of
from seatrial.snapshot.workload import Workload

DEFAULT_REGISTRY: Final = "docker.io"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A reference to an image, taken apart as container runtimes do."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def place(self) -> str:
        """``registry/repository``."""
        return f"{self.registry}/{self.repository}"


def parse(reference: str) -> Image:
    """Take a reference apart. A registry's port is no tag; a name without a registry is Docker Hub's."""
    name, _, digest = reference.partition("@")
    head, slash, rest = name.partition("/")
    hosted = bool(slash) and ("." in head or ":" in head or head == "localhost")
    registry, path = (head, rest) if hosted else (DEFAULT_REGISTRY, name)
    folder, slash, last = path.rpartition("/")
    base, _, tag = last.partition(":")
    repository = f"{folder}{slash}{base}"
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    return Image(registry=registry, repository=repository, tag=tag, digest=digest)


def tag_of(image: str) -> str:
    """The tag of an image reference, empty where there is none."""
    return parse(image).tag


def _images(workload: Workload) -> Iterator[tuple[str, str]]:
    for container in workload.containers:
        yield f"{container.path}.image", str(container.item.get("image") or "")


@rule("image/tag", severity="major", per="workload")
def tag(workload: Workload, view: View) -> Findings:
    """Every image has an explicit version as its tag, or is pinned by digest; never `latest`.

    Why: `latest` runs whatever was pushed last, differs from node to node, and cannot be rolled back to.

    Remedy: name the version that was tested, best with its digest.
    """
    for path, reference in _images(workload):
        image = parse(reference)
        if image.tag == "latest" or not (image.tag or image.digest):
            yield finding(workload, path, "a version", reference or "no image", view=view)


def _digests_optional(environment: Environment) -> str:
    return "" if environment.config.image_digests else "digests are not asked for here (config.image_digests)"


@rule("image/digest", severity="major", per="workload", skip=_digests_optional)
def digest(workload: Workload, view: View) -> Findings:
    """Every image is pinned by its digest.

    Why: a tag can be moved to other bytes after they were scanned, signed and tested.

    Remedy: write `repository:tag@sha256:...`, as the pipeline that pushed it printed it.
    """
    for path, reference in _images(workload):
        if not parse(reference).digest.startswith("sha256:"):
            yield finding(workload, path, "pinned by sha256 digest", reference or "no image", view=view)


def _any_policy(environment: Environment) -> str:
    return "any pull policy is allowed here (config.pull_policy)" if environment.config.pull_policy == "any" else ""


@rule("image/pull-policy", severity="minor", per="workload", skip=_any_policy)
def pull_policy(workload: Workload, view: View) -> Findings:
    """Every container has the pull policy of this environment.

    Why: `Always` has the registry check the right to pull every time; `IfNotPresent` starts without the registry.

    Remedy: set `imagePullPolicy`.
    """
    for container in workload.containers:
        latest = parse(str(container.item.get("image") or "")).tag in ("", "latest")
        seen = container.item.get("imagePullPolicy") or ("Always" if latest else "IfNotPresent")
        if seen != view.rules.pull_policy:
            yield finding(workload, f"{container.path}.imagePullPolicy", view.rules.pull_policy, seen, view=view)


def _any_registry(environment: Environment) -> str:
    return "" if environment.config.registries else "any registry is allowed here (config.registries)"


@rule("image/registry", severity="critical", per="workload", skip=_any_registry)
def registry(workload: Workload, view: View) -> Findings:
    """Every image comes from a registry that is allowed here.

    Why: only what went through the private registry was scanned and signed, and will still be there tomorrow.

    Remedy: push the image to the private registry and name it there.
    """
    allowed = [place.rstrip("/") for place in view.rules.registries]
    for path, reference in _images(workload):
        place = parse(reference).place
        if not any(place == one or place.startswith(f"{one}/") for one in allowed):
            yield finding(workload, path, f"from {', '.join(allowed)}", reference or "no image", view=view)


@rule("image/pull-secret", severity="major", per="workload", needs=("Secret", "ServiceAccount"), whole=True)
def pull_secret(workload: Workload, view: View) -> Findings:
    """Secrets for pulling images exist, for the pod and for its service account.

    Why: with the image on the node all is well; on a new node the pod cannot start.

    Remedy: create the Secret in the namespace, or mend its name.
    """
    places = [
        (f"{workload.path}.imagePullSecrets[{index}]", entry.get("name"))
        for index, entry in enumerate(workload.pod.get("imagePullSecrets") or ())
    ]
    account = view.snapshot.find(
        "ServiceAccount", workload.namespace, str(workload.pod.get("serviceAccountName") or "default")
    )
    places += [
        (f"imagePullSecrets[{index}] of the service account", entry.get("name"))
        for index, entry in enumerate((account or {}).get("imagePullSecrets") or ())
    ]
    for path, name in places:
        if view.snapshot.find("Secret", workload.namespace, str(name)) is None:
            yield finding(workload, path, f"Secret {name}", "absent", view=view)


@rule("image/single-version", severity="critical", per="workload", needs=("Pod",), live=True)
def single_version(workload: Workload, view: View) -> Findings:
    """All running pods of a workload run the same image, by digest, and the one that its template names.

    Why: one tag can be two images on two nodes; users then meet either, and a test proves only one.

    Remedy: pin by digest; restart the pods that run the other.
    """
    if not workload.serves:
        return
    wanted = {one.name: parse(str(one.item.get("image") or "")).digest for one in workload.serving}
    running: dict[str, dict[str, str]] = {}
    for pod in workload.pods():
        for status in get(pod, "status", "containerStatuses", default=[]):
            found = str(status.get("imageID") or "").rpartition("@")[2]
            name = str(status.get("name"))
            if found.startswith("sha256:") and name in wanted:
                running.setdefault(name, {}).setdefault(found, name_of(pod))
    for name, digests in running.items():
        expected = wanted[name]
        if len(digests) > 1:
            shown = ", ".join(f"{pod} runs {found[:19]}" for found, pod in sorted(digests.items()))
            yield finding(workload, f"containers[{name}]", "one digest", shown, view=view)
        elif expected and expected not in digests:
            (found,) = digests
            yield finding(workload, f"containers[{name}].image", expected[:19], f"runs {found[:19]}", view=view)


def _no_digests(environment: Environment) -> str:
    return "" if environment.release.digests else "the environment names no digests of the release (release.digests)"


@rule("image/release-digest", severity="critical", per="workload", needs=("Pod",), live=True, skip=_no_digests)
def release_digest(workload: Workload, view: View) -> Findings:
    """What runs of the workload under test has a digest of the release that was asked for.

    Why: the version that a program tells of itself is a string; the digest is the program.

    Remedy: deploy the release's own images; see `release.digests` in the environment.
    """
    digests = set(view.environment.release.digests)
    if view.only is None:
        return
    for pod in workload.pods():
        for status in get(pod, "status", "containerStatuses", default=[]):
            found = str(status.get("imageID") or "").rpartition("@")[2]
            sidecar = status.get("name") not in {one.name for one in workload.serving if one.sort == "containers"}
            if found and found not in digests and not sidecar:
                path = f"status.containerStatuses[{status.get('name')}].imageID"
                yield finding({**pod, "kind": "Pod"}, path, "a digest of the release", found[:26], view=view)


CHECKS: Final[tuple[Check, ...]] = (
    tag,
    digest,
    pull_policy,
    registry,
    pull_secret,
    single_version,
    release_digest,
)
