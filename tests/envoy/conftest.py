"""One manager with an egress proxy, and demo services, that the tests about traffic share; ports and names are
each test's own."""

import itertools
import json
import sys

import pytest

from stand import demo
from stand.control_plane import Manager
from stand.program import Program
from stand.proxy import Proxy
from stand.waiting import free_port

_names = itertools.count(1)
SERVICES = ("http:web", "http:shop", "http:blog", "echo:lines", "echo:rows", "banner:greeter")


@pytest.fixture(scope="session")
def demo_ports(tmp_path_factory):
    """The ports of the demo services by name."""
    log = tmp_path_factory.mktemp("demo") / "demo.log"
    with Program("demo services", [sys.executable, demo.__file__, *SERVICES], log) as program:
        program.start()
        yield json.loads(program.says(r"(?m)^\{.*\}$").group())


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A manager whose rotations overlap for two seconds only."""
    folder = tmp_path_factory.mktemp("shared")
    with Manager(folder, MARCHPROXY_ROTATION_OVERLAP="2") as manager:
        manager.start()
        manager.folder = folder
        yield manager


@pytest.fixture(scope="session")
def egress(shared):
    with Proxy(shared, shared.folder) as proxy:
        yield proxy.start()


@pytest.fixture(scope="session")
def ingress(shared):
    with Proxy(shared, shared.folder, kind="ingress", address="127.0.0.2") as proxy:
        yield proxy.start()


@pytest.fixture
def api(shared, egress):
    """The administrator's client of the manager that `egress` follows."""
    return shared.api


@pytest.fixture
def own(tmp_path):
    """A manager of the test's own."""
    with Manager(tmp_path) as manager:
        yield manager.start()


@pytest.fixture
def proxy(own, tmp_path):
    with Proxy(own, tmp_path) as made:
        yield made.start()


@pytest.fixture
def name():
    """Makes names nobody used."""
    return lambda prefix="service": f"{prefix}-{next(_names)}"


@pytest.fixture
def port():
    return free_port()
