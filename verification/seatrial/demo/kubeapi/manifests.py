"""Loads manifests into a store, and patches over them.

Three conventions make up for what a controller or Helm would do, and keep the files reviewable:

- ``ownerReferences`` without ``uid`` are resolved by kind and name.
- ``status`` is kept, and ``status.observedGeneration: current`` becomes the object's generation.
- A document of kind ``HelmRelease`` in ``demo.seatrial/v1`` becomes the Secret in which Helm 3 keeps a release:
  ``data.release`` is base64 of base64 of gzip of JSON. The manifest of the release is given as a list of objects.
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from seatrial.demo.kubeapi import patch
from seatrial.demo.kubeapi.errors import ApiError
from seatrial.demo.kubeapi.store import Store


class ManifestProblem(ValueError):
    """A manifest or patch that cannot be used; the message names the file."""


def _documents(path: Path) -> list[Any]:
    try:
        loaded = list(
            yaml.load_all(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        )
    except yaml.YAMLError as error:
        raise ManifestProblem(f"{path}: {error}") from None
    return [document for document in loaded if document is not None]


def load(store: Store, folder: Path, patches: Iterable[Path] = ()) -> None:
    """Put every ``*.yaml`` of ``folder`` into ``store``, in the order of the file names, with the patches applied.

    Raises ManifestProblem.
    """
    documents = [(path, document) for path in sorted(folder.glob("*.yaml")) for document in _documents(path)]
    if not documents:
        raise ManifestProblem(f"{folder}: holds no manifest")
    objects = [
        (path, _helm_secret(document) if document["kind"] == "HelmRelease" else document)
        for path, document in documents
    ]
    for path in patches:
        (changes,) = _documents(path) or [[]]
        for change in changes:
            objects = _patched(path, change, objects)
    uids: dict[tuple[str, str, str], str] = {}
    for path, item in objects:
        resource = store.registry.of_kind(item["apiVersion"], item["kind"])
        if resource is None:
            raise ManifestProblem(f"{path}: {item['apiVersion']} {item['kind']} is not served")
        namespace = item["metadata"].get("namespace", "") if resource.namespaced else ""
        for owner in item["metadata"].get("ownerReferences") or []:
            owner.setdefault("uid", uids.get((owner["kind"], namespace, owner["name"]), ""))
            if not owner["uid"]:
                raise ManifestProblem(f"{path}: {item['metadata']['name']}: no owner {owner['kind']}/{owner['name']}")
        try:
            made = store.create(resource, namespace, item)
        except ApiError as error:
            raise ManifestProblem(f"{path}: {item['metadata'].get('name')}: {error}") from None
        status = made.get("status")
        if isinstance(status, dict) and status.get("observedGeneration") == "current":
            status["observedGeneration"] = made["metadata"].get("generation", 1)
        uids[item["kind"], namespace, made["metadata"]["name"]] = made["metadata"]["uid"]


def _patched(
    path: Path, change: Mapping[str, Any], objects: list[tuple[Path, dict[str, Any]]]
) -> list[tuple[Path, dict[str, Any]]]:
    wanted = (change["kind"], change.get("namespace", ""), change["name"])

    def is_meant(item: Mapping[str, Any]) -> bool:
        return (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) == wanted

    if not any(is_meant(item) for _, item in objects):
        raise ManifestProblem(f"{path}: there is no {wanted[0]} {wanted[1]}/{wanted[2]} to patch")
    if change.get("delete"):
        return [(source, item) for source, item in objects if not is_meant(item)]
    kind = change.get("type", "strategic")
    return [(s, patch.apply(kind, item, change["patch"]) if is_meant(item) else item) for s, item in objects]


def _helm_secret(document: Mapping[str, Any]) -> dict[str, Any]:
    """The Secret of a release, as Helm's storage driver writes it."""
    release = copy.deepcopy(dict(document["release"]))
    objects = release.get("manifest") or []
    release["manifest"] = "".join(f"---\n{yaml.safe_dump(item, sort_keys=False)}" for item in objects)
    name, version, status = release["name"], release["version"], release["info"]["status"]
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode(), mtime=0))
    labels = {"name": name, "owner": "helm", "status": status, "version": str(version)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{version}",
            "namespace": release["namespace"],
            "labels": labels,
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }
