import pytest
import translation_stand as stand


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    made = stand.Manager(tmp_path_factory.mktemp("manager"))
    yield made
    made.stop()


def pytest_configure(config):
    config.addinivalue_line("markers", "every_version: runs with the oldest supported Envoy too")


def pytest_collection_modifyitems(config, items):
    """The newest Envoy runs every test, the oldest one those that are marked."""
    left_out = [item for item in items if hasattr(item, "callspec") and item.callspec.params.get("egress") == "oldest"
                and not item.get_closest_marker("every_version")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="module", params=["delta", "state-of-the-world", "oldest"])
def egress(request, manager, tmp_path_factory):
    """An egress proxy; its ports are free ones."""
    folder = tmp_path_factory.mktemp("envoy")
    made = stand.Envoy(folder, manager.bootstrap("egress", request.param), stand.free_ports(1)[0],
                       state_of_the_world=request.param == "state-of-the-world",
                       program=stand.OLDEST_ENVOY if request.param == "oldest" else stand.ENVOY)
    yield made
    made.stop()
    refusals = [line for line in made.log_path.read_text().splitlines() if "rejected" in line or "deprecated" in line]
    assert refusals == []


@pytest.fixture(scope="module")
def upstream():
    servers = {}

    def find(name):
        if name not in servers:
            servers[name] = stand.Upstream(name)
        return servers[name].port

    yield find
    for server in servers.values():
        server.stop()


@pytest.fixture
def port():
    return stand.free_ports(1)[0]


@pytest.fixture
def world(manager, egress, port):
    """Makes things, and takes them away after the test."""
    made = []

    class World:
        def service(self, name, upstream_port, **more):
            made.append(("services", manager.service(name, upstream_port, **more)))
            return made[-1][1]

        def mapping(self, sources, destinations, protocols, ports=port, **more):
            made.append(("mappings", manager.mapping(sources, destinations, protocols, ports, **more)))
            return made[-1][1]

        def certificate(self, pair, name="certificate"):
            made.append(("certificates", manager.certificate(pair, name)))
            return made[-1][1]

        def replace(self, certificate, pair):
            status, answer = manager.upload("PUT", f"/api/v1/certificates/{certificate['id']}", pair)
            assert status == 200, answer

        def status(self, plural, thing):
            return manager.call("GET", f"/api/v1/{plural}/{thing['id']}")[1]["status"]

        def delivery(self, certificate):
            return manager.call("GET", f"/api/v1/certificates/{certificate['id']}")[1]["delivery"]

        call = staticmethod(manager.call)

    yield World()
    for plural, thing in reversed(made):
        manager.remove(plural, thing["id"])
