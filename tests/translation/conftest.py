import pytest
import translation_stand as stand


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    made = stand.Manager(tmp_path_factory.mktemp("manager"))
    yield made
    made.stop()


@pytest.fixture(scope="module", params=["delta", "state-of-the-world"])
def egress(request, manager, tmp_path_factory):
    """An egress proxy; its ports are free ones."""
    folder = tmp_path_factory.mktemp("envoy")
    made = stand.Envoy(folder, manager.bootstrap("egress", request.param), stand.free_ports(1)[0],
                       state_of_the_world=request.param == "state-of-the-world")
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
