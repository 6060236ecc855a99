"""A manager whose xDS port speaks in clear, as the clients of today's tests need it, and gRPC servers behind it."""

import json

import pytest

from stand.control_plane import Manager
from stand.grpc import Servers


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with Servers(tmp_path_factory.mktemp("servers"), "one", "two", "three") as made:
        yield made.start()


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manager")
    with Manager(folder, MARCHPROXY_XDS_TLS="off") as made:
        made.folder = folder
        yield made.start()


@pytest.fixture(scope="module")
def bootstrap(manager):
    """The file of a gRPC client's bootstrap, as the manager gives it."""
    file = manager.folder / "grpc.json"
    document = manager.enrolment.get("/proxy/grpc-bootstrap?node_id=shop-checkout").expect(200).json
    file.write_text(json.dumps(document))
    return file
