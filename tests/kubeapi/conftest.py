"""The API, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import client

from support.kubeapi import Api, start


@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    running = start(tmp_path_factory.mktemp("kubeapi"), "--history=60")
    yield running
    running.child.stop(3)


@pytest.fixture
def admin(api: Api) -> Iterator[client.ApiClient]:
    with api.connect() as connection:
        yield connection


@pytest.fixture
def verifier(api: Api) -> Iterator[client.ApiClient]:
    with api.connect("kubeconfig") as connection:
        yield connection


@pytest.fixture
def space(admin: client.ApiClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own."""
    core = client.CoreV1Api(admin)
    name = core.create_namespace({"metadata": {"generateName": "test-"}}).metadata.name
    yield name
    core.delete_namespace(name)
