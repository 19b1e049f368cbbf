"""The objects that the API starts with: YAML files, patches of them, and Helm releases in their stored form."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from seatrial.demo.kubeapi import patch
from seatrial.demo.kubeapi.catalogue import Catalogue
from seatrial.demo.kubeapi.resource import NAMESPACES, Object
from seatrial.demo.kubeapi.store import Store

RELEASE: Final = ("helm.sh/v3", "Release")
"""``apiVersion`` and ``kind`` that a Helm release has in our manifests; Helm itself keeps them only encoded."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Identity = tuple[str, str, str, str]


class _Loader(_LOADER):  # type: ignore[misc, valid-type]
    """Leaves timestamps the text that they are in JSON."""

    yaml_implicit_resolvers: Mapping[str, Any] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
    }


class BadManifest(ValueError):
    """A manifest or a patch that cannot be loaded; the message names the file."""


def load(store: Store, catalogue: Catalogue, folder: Path, patches: Iterable[Path] = ()) -> None:
    """Fill ``store`` with the objects of all YAML files in ``folder``, patched. Raises BadManifest.

    A patch is a document with the identity of an object and a strategic merge patch of it; ``$patch: delete`` beside
    ``kind`` removes the object. An object that there is not yet is an addition where the document has ``$patch: add``.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise BadManifest(f"{folder}: expected YAML files with the demo's objects, there are none")
    objects: dict[Identity, Object] = {}
    for path in files:
        for document in _documents(path):
            identity = _identity(document, path)
            if identity in objects:
                raise BadManifest(f"{path}: {_words(identity)} is defined twice")
            objects[identity] = document
    for path in patches:
        for document in _documents(path):
            _patch(objects, document, path)
    stored = [encoded(item) if (item["apiVersion"], item["kind"]) == RELEASE else item for item in objects.values()]
    # Definitions first: they say where custom objects live; namespaces next, as in a cluster.
    order = {"CustomResourceDefinition": 0, "Namespace": 1}
    for item in sorted(stored, key=lambda item: order.get(item["kind"], 2)):
        _add(store, catalogue, item)
    store.forget()


def encoded(release: Object) -> Object:
    """The Secret in which Helm keeps ``release``: base64 of gzip of JSON, in base64 as all of a Secret is."""
    content = {key: value for key, value in release.items() if key not in ("apiVersion", "kind", "metadata")}
    content = {"name": release["metadata"]["name"], "namespace": release["metadata"]["namespace"], **content}
    name, version, status = content["name"], str(content["version"]), content["info"]["status"]
    inner = base64.b64encode(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))
    created = release["metadata"].get("creationTimestamp")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{version}",
            "namespace": content["namespace"],
            "labels": {"owner": "helm", "name": name, "version": version, "status": status},
            **({"creationTimestamp": created} if created else {}),
        },
        "data": {"release": base64.b64encode(inner).decode()},
    }


def _documents(path: Path) -> Iterator[Object]:
    try:
        with path.open(encoding="utf-8") as file:
            for document in yaml.load_all(file, Loader=_Loader):
                if document is not None:
                    yield document
    except (OSError, yaml.YAMLError) as error:
        raise BadManifest(f"{path}: cannot be read: {error}") from error


def _identity(document: Object, path: Path) -> Identity:
    try:
        meta = document["metadata"]
        version = f"@{document['version']}" if document["kind"] == RELEASE[1] else ""
        return document["apiVersion"], document["kind"], meta.get("namespace", ""), f"{meta['name']}{version}"
    except (KeyError, TypeError) as error:
        raise BadManifest(f"{path}: a document lacks {error}: expected apiVersion, kind and metadata.name") from error


def _patch(objects: dict[Identity, Object], document: Object, path: Path) -> None:
    identity = _identity(document, path)
    directive = document.pop("$patch", None)
    if directive == "add" and identity not in objects:
        objects[identity] = document
        return
    if identity not in objects:
        raise BadManifest(f"{path}: patches {_words(identity)}, which the manifests do not have")
    if directive == "delete":
        del objects[identity]
    else:
        objects[identity] = patch.strategic(objects[identity], document)


def _add(store: Store, catalogue: Catalogue, item: Object) -> None:
    resource = catalogue.of_kind(item["apiVersion"], item["kind"])
    if resource is None:
        raise BadManifest(f"the API serves no {item['apiVersion']} {item['kind']} ({item['metadata']['name']})")
    namespace = item["metadata"].get("namespace", "")
    if resource.namespaced and not store.has(NAMESPACES, "", namespace):
        raise BadManifest(f"{item['kind']} {item['metadata']['name']}: no namespace {namespace!r} in the manifests")
    if resource.kind == "Secret" and "stringData" in item:
        item = reveal(item)
    store.create(resource, item)


def reveal(secret: Object) -> Object:
    """A Secret with its ``stringData`` moved into ``data``, as the API keeps it."""
    texts = secret.get("stringData") or {}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    rest = {key: value for key, value in secret.items() if key != "stringData"}
    return {**rest, "data": {**(secret.get("data") or {}), **data}} if data else rest


def _words(identity: Identity) -> str:
    version, kind, namespace, name = identity
    return f"{version} {kind} {namespace}/{name}" if namespace else f"{version} {kind} {name}"
