"""Images: which bytes will run."""

from __future__ import annotations

from typing import Final

from seatrial.checks.check import Check, check
from seatrial.checks.snapshot import Workload
from seatrial.evidence.assessment import Assessment, Finding


def tag_of(image: str) -> str:
    """The tag of an image reference, empty where there is none. A registry's port is no tag."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


@check("image/tag", suite="config", severity="major", per="workload", needs=("Deployment",))
def tag(workload: Workload) -> Assessment:
    """Every image has an explicit version as its tag, or is pinned by digest; never `latest`.

    Why: `latest` runs whatever was pushed last, differs from node to node, and cannot be rolled back to.

    Remedy: name the version that was tested, best with its digest.
    """
    containers = list(workload.containers())
    findings = []
    for path, container in containers:
        image = str(container.get("image", ""))
        found = tag_of(image)
        if found == "latest" or (not found and "@" not in image):
            shown = image or "no image"
            findings.append(Finding(where=workload.where, path=f"{path}.image", expected="a version", seen=shown))
    held = "every image names its version"
    return Assessment.of_findings(findings, held=held, broken="{count} image(s) without a version", n=len(containers))


CHECKS: Final[tuple[Check, ...]] = (tag,)
