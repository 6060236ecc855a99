"""The services that the traffic goes to, and databases of both kinds."""

import contextlib
import json
import pathlib
import sys

import pytest
from chaos_stand import World
from frozen import Frozen
from silence import Silence

from stand import demo, network
from stand.control_plane import Manager
from stand.postgres import database
from stand.program import Program
from stand.proxy import Proxy

FOLDER = pathlib.Path(__file__).parent
LONG = pytest.StashKey[contextlib.ExitStack]()


@pytest.fixture(scope="session")
def demo_ports(tmp_path_factory):
    log = tmp_path_factory.mktemp("demo") / "demo.log"
    with Program("demo services", [sys.executable, demo.__file__, "http:web", "http:shop", "echo:lines"], log) as program:
        program.start()
        yield json.loads(program.says(r"(?m)^\{.*\}$").group())


@pytest.fixture(scope="session")
def long(request):
    """What goes on beside the tests of this folder and ends with the last of them, not with the session."""
    with contextlib.ExitStack() as stack:
        request.session.stash[LONG] = stack
        yield stack


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item, nextitem):
    yield
    if (nextitem is None or nextitem.path.parent != FOLDER) and LONG in item.session.stash:
        item.session.stash[LONG].close()


@pytest.fixture(scope="session")
def silence(tmp_path_factory, demo_ports, long):
    return long.enter_context(Silence(tmp_path_factory.mktemp("silence"), World(demo_ports)))


@pytest.fixture(scope="session")
def frozen(tmp_path_factory, demo_ports, long):
    return long.enter_context(Frozen(tmp_path_factory.mktemp("frozen"), World(demo_ports)))


@pytest.fixture(scope="session", autouse=True)
def begin_what_takes_long(request):
    """Before the other tests of this folder, whichever come first, when those that look at it will run."""
    names = {name for item in request.session.items if item.path.parent == FOLDER for name in item.fixturenames}
    for name in ("silence", "frozen"):
        if name in names:
            request.getfixturevalue(name)


def pytest_terminal_summary(terminalreporter):
    """Which of the two ways to cut a network this machine permitted."""
    for how in network.chosen:
        terminalreporter.write_line(f"the cable of tests/chaos was {how}")


@pytest.fixture
def world(demo_ports):
    return World(demo_ports)


@pytest.fixture
def url(request):
    if getattr(request, "param", "sqlite") == "sqlite":
        yield "sqlite:"
    else:
        with database() as base:
            yield base.url


@pytest.fixture
def manager(tmp_path, url):
    with Manager(tmp_path, MARCHPROXY_DATABASE_URL=url) as made:
        yield made.start()


@pytest.fixture
def proxy(tmp_path, manager):
    with Proxy(manager, tmp_path) as made:
        yield made.start()
