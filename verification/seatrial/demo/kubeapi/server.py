"""The HTTP face: paths to resources, users to permissions, and answers in the shapes that clients ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from seatrial.demo.kubeapi import discovery, patch, reviews, watching
from seatrial.demo.kubeapi.errors import ApiError
from seatrial.demo.kubeapi.rbac import Attributes, Authorizer, User
from seatrial.demo.kubeapi.resources import Resource
from seatrial.demo.kubeapi.selectors import fields, labels
from seatrial.demo.kubeapi.store import Store
from seatrial.demo.kubeapi.tables import table

MAX_BODY: Final = 3 * 1024 * 1024
"""The real API's limit of a request."""

_PATCHES: Final = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "merge",
}
_REVIEWS: Final = frozenset({"authorization.k8s.io", "authentication.k8s.io"})
_REVIEW_KINDS: Final = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
    "subjectaccessreviews": "SubjectAccessReview",
    "localsubjectaccessreviews": "LocalSubjectAccessReview",
    "selfsubjectreviews": "SelfSubjectReview",
}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to a resource, taken apart."""

    resource: Resource
    namespace: str | None
    name: str
    subresource: str

    @property
    def space(self) -> str:
        """Namespace as the store keeps it: empty for what has none."""
        return (self.namespace or "") if self.resource.namespaced else ""


class Api:
    """The application. ``tokens`` are the users by bearer token."""

    def __init__(self, store: Store, tokens: Mapping[str, User]) -> None:
        self.store = store
        self.tokens = dict(tokens)
        self.authorizer = Authorizer(store)

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; failures become `Status` objects."""
        try:
            return await self._route(request)
        except ApiError as error:
            return web.json_response(error.status(), status=error.code)
        except web.HTTPRequestEntityTooLarge:
            return web.json_response(ApiError("BadRequest", "the request is too large").status(), status=413)

    def _user(self, request: web.Request) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        user = self.tokens.get(token) if scheme.lower() == "bearer" else None
        if user is None:
            raise ApiError("Unauthorized", "Unauthorized")
        return user

    async def _route(self, request: web.Request) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        if path in ("/healthz", "/livez", "/readyz"):
            return web.Response(text="ok")
        if path == "/version":
            return web.json_response(discovery.VERSION)
        user = self._user(request)
        parts = path.strip("/").split("/")
        if parts[0] == "openapi":
            raise ApiError("NotFound", "the server could not find the requested resource")
        found = self._discover(request, parts)
        if found is not None:
            self._authorize(user, Attributes(verb="get", path=path))
            return web.json_response(found)
        group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        if group in _REVIEWS:
            return await self._review(request, user, group, rest)
        return await self._resource(request, user, self._call(group, version, rest))

    def _discover(self, request: web.Request, parts: list[str]) -> dict[str, Any] | None:
        registry = self.store.registry
        if parts == ["api"]:
            return discovery.core_versions(request.host)
        if parts == ["apis"]:
            return discovery.group_list(registry)
        known: dict[str, Any] | None = None
        if parts[0] == "api" and len(parts) == 2:
            known = discovery.resource_list(registry, "", parts[1])
        elif parts[0] == "apis" and len(parts) == 2:
            known = discovery.group(registry, parts[1])
        elif parts[0] == "apis" and len(parts) == 3:
            known = discovery.resource_list(registry, parts[1], parts[2])
        elif parts[0] in ("api", "apis") and len(parts) > 2:
            return None
        if known is None:
            raise ApiError("NotFound", "the server could not find the requested resource")
        return known

    def _call(self, group: str, version: str, rest: list[str]) -> Call:
        namespace: str | None = None
        # `/namespaces/NAME` and its status are about the namespace; anything longer is about what it holds.
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        resource = self.store.registry.find(group, version, rest[0])
        if resource is None or len(rest) > 3 or (namespace is not None and not resource.namespaced):
            raise ApiError("NotFound", "the server could not find the requested resource")
        name = rest[1] if len(rest) > 1 else ""
        subresource = rest[2] if len(rest) > 2 else ""
        served = {"": True, "status": resource.status, "scale": resource.scale}
        if not served.get(subresource, False):
            raise ApiError("NotFound", "the server could not find the requested resource")
        return Call(resource=resource, namespace=namespace, name=name, subresource=subresource)

    def _authorize(self, user: User, asked: Attributes) -> None:
        if self.authorizer.allows(user, asked):
            return
        if asked.path:
            words = f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"'
            raise ApiError("Forbidden", words)
        what = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        place = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        full = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
        named = f'"{asked.name}" ' if asked.name else ""
        words = (
            f'{full} {named}is forbidden: User "{user.name}" cannot {asked.verb} resource "{what}" '
            f'in API group "{asked.group}" {place}'
        )
        raise ApiError("Forbidden", words, name=asked.name, group=asked.group, kind=asked.resource)

    async def _review(self, request: web.Request, user: User, group: str, rest: list[str]) -> web.Response:
        plural = rest[2] if rest[0] == "namespaces" and len(rest) > 2 else rest[0]
        if request.method != "POST":
            raise ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource")
        self._authorize(user, Attributes(verb="create", group=group, resource=plural))
        kind = _REVIEW_KINDS.get(plural, "")
        return web.json_response(reviews.answer(kind, await _body(request), user, self.authorizer), status=201)

    async def _resource(self, request: web.Request, user: User, call: Call) -> web.StreamResponse:
        watch = request.query.get("watch", "") in ("true", "1")
        verbs = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
        verb = verbs.get(request.method, "")
        if not call.name:
            verb = {"GET": "watch" if watch else "list", "DELETE": "deletecollection"}.get(request.method, verb)
        misplaced = bool(call.name) if verb == "create" else not call.name and verb in ("update", "patch")
        if not verb or misplaced:
            raise ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource")
        if call.resource.namespaced and call.namespace is None and verb not in ("list", "watch"):
            raise ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource")
        resource = call.resource
        asked = Attributes(
            verb=verb,
            group=resource.group,
            resource=resource.plural,
            subresource=call.subresource,
            namespace=call.namespace or "",
            name=call.name,
        )
        self._authorize(user, asked)
        if verb == "watch":
            return await watching.serve(request, self.store, resource, call.namespace)
        if verb == "list":
            return self._list(request, call)
        if verb == "deletecollection":
            return self._delete_all(request, call)
        if verb == "get":
            item = self.store.get(resource, call.space, call.name)
            return _shown(request, _scale(item) if call.subresource == "scale" else item)
        dry = request.query.get("dryRun") == "All"
        if verb == "delete":
            if dry:
                return web.json_response(self.store.get(resource, call.space, call.name))
            return web.json_response(self.store.delete(resource, call.space, call.name))
        if verb == "create":
            return web.json_response(self.store.create(resource, call.space, await _body(request)), status=201)
        return await self._change(request, call, verb)

    async def _change(self, request: web.Request, call: Call, verb: str) -> web.Response:
        resource, store = call.resource, self.store
        kind = _PATCHES.get(request.content_type, "")
        if verb == "patch" and not kind:
            raise ApiError(
                "UnsupportedMediaType", f"the body of the request was in an unknown format: {request.content_type}"
            )
        body = await _body(request, objects_only=verb != "patch")
        try:
            old = store.get(resource, call.space, call.name)
        except ApiError:
            # Server-side apply creates what is not there.
            if request.content_type != "application/apply-patch+yaml" or call.subresource:
                raise
            return web.json_response(store.create(resource, call.space, body), status=201)
        if call.subresource == "scale":
            current = _scale(old)
            new_scale = body if verb == "update" else patch.apply(kind, current, body)
            replicas = (new_scale.get("spec") or {}).get("replicas", 0)
            new = {**old, "spec": {**old.get("spec", {}), "replicas": replicas}}
            return web.json_response(_scale(store.update(resource, call.space, call.name, new)))
        new = body if verb == "update" else patch.apply(kind, old, body)
        if verb == "patch" and "resourceVersion" not in str(body):
            new = {**new, "metadata": {k: v for k, v in new["metadata"].items() if k != "resourceVersion"}}
        return _shown(request, store.update(resource, call.space, call.name, new, subresource=call.subresource))

    def _list(self, request: web.Request, call: Call) -> web.Response:
        tests = [labels(request.query.get("labelSelector")), fields(request.query.get("fieldSelector"))]
        limit = _number(request, "limit")
        namespace = call.namespace if call.resource.namespaced else None
        items, metadata = self.store.page(call.resource, namespace, tests, limit, request.query.get("continue"))
        if _wants_table(request):
            return web.json_response(table(items, metadata, call.resource.kind))
        head = {"kind": f"{call.resource.kind}List", "apiVersion": call.resource.api_version, "metadata": metadata}
        return web.json_response({**head, "items": items})

    def _delete_all(self, request: web.Request, call: Call) -> web.Response:
        tests = [labels(request.query.get("labelSelector")), fields(request.query.get("fieldSelector"))]
        namespace = call.namespace if call.resource.namespaced else None
        gone = list(self.store.select(call.resource, namespace, tests))
        for item in gone:
            metadata = item["metadata"]
            self.store.delete(call.resource, metadata.get("namespace", ""), metadata["name"])
        head = {"kind": f"{call.resource.kind}List", "apiVersion": call.resource.api_version, "metadata": {}}
        return web.json_response({**head, "items": gone})


async def _body(request: web.Request, *, objects_only: bool = True) -> Any:
    if request.content_type == "application/vnd.kubernetes.protobuf":
        raise ApiError("UnsupportedMediaType", "protobuf is not served here; ask for application/json")
    try:
        text = await request.text()
        if request.content_type.endswith("yaml"):
            import yaml

            body = yaml.safe_load(text)
        else:
            body = json.loads(text)
    except ValueError as error:
        raise ApiError("BadRequest", f"the object provided is unrecognized: {error}") from None
    if objects_only and not isinstance(body, dict):
        raise ApiError("BadRequest", "the object provided is unrecognized: expected an object")
    return body


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not text.isdigit():
        raise ApiError("BadRequest", f"{name}: expected a whole number, seen {text!r}")
    return int(text)


def _wants_table(request: web.Request) -> bool:
    return "as=Table" in request.headers.get("Accept", "")


def _shown(request: web.Request, item: Mapping[str, Any]) -> web.Response:
    if _wants_table(request):
        version = {"resourceVersion": item["metadata"].get("resourceVersion", "")}
        return web.json_response(table([item], version, str(item["kind"])))
    return web.json_response(item)


def _scale(item: Mapping[str, Any]) -> dict[str, Any]:
    """The `Scale` of a workload."""
    selector = item.get("spec", {}).get("selector", {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            key: item["metadata"][key]
            for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
            if key in item["metadata"]
        },
        "spec": {"replicas": item.get("spec", {}).get("replicas", 1)},
        "status": {
            "replicas": item.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in selector.items()),
        },
    }
