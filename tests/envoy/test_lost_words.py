"""A real Envoy refuses, and its words are lost on the way: the manager finds by bisection what it was about."""

import contextlib
import json
import socket

import pytest

from stand.control_plane import Manager
from stand.grpc import Wordless
from stand.proxy import BareEnvoy, bootstrap_of, register
from stand.rest import WAIT, mapping_body
from stand.traffic import ADDRESS, Load, answers, request
from stand.waiting import eventually, free_port

MANY = 40  # listeners in one response
PARTS = 16  # into which what was refused as a whole is split at most
UNTOLD = "refused without a reason"


@pytest.fixture
def manager(tmp_path):
    with Manager(tmp_path, MARCHPROXY_XDS_TLS="off") as made:
        yield made


@pytest.fixture
def relay(tmp_path, manager):
    """Proxies reach the xDS port by it alone."""
    with Wordless(tmp_path, manager.xds_port) as made:
        manager.variables |= {"MARCHPROXY_XDS_ADVERTISE": f"{ADDRESS}:{made.port}"}
        manager.start()
        yield made.start()


@pytest.fixture(params=["DELTA_GRPC", "GRPC"])
def envoy(tmp_path, manager, relay, request):
    """In either variant of the protocol: resources one by one, or the state of the world."""
    bootstrap = json.dumps(bootstrap_of(manager, register(manager, "edge.test")))
    assert '"DELTA_GRPC"' in bootstrap
    relay.delta = request.param == "DELTA_GRPC"
    with BareEnvoy(json.loads(bootstrap.replace('"DELTA_GRPC"', f'"{request.param}"')), tmp_path) as made:
        yield made.connect(manager)


@contextlib.contextmanager
def taken_port():
    """A port that another program listens on, so that Envoy cannot."""
    with socket.create_server((ADDRESS, free_port())) as other:
        yield other.getsockname()[1]


def state_of(api, mapping):
    return api.state_of(f"/mappings/{mapping['id']}")["state"]


def tries(relay, listener):
    """Of each response that has the listener: with how many it came that had not come without it before."""
    known, sizes = set(), []
    for names in relay.heard("sent", "Listener"):
        if listener in names:
            sizes.append(len(set(names) - known))
        else:
            known |= set(names)
    return sizes


def refusals(relay):
    """How many of Envoy's there were, each about the port."""
    words = relay.heard("words", "Listener")
    assert [each for each in words if "cannot bind" not in each] == []
    return len(words)


def fill(api, ports):
    return [api.post("/mappings", mapping_body("web", port)).expect(201).data for port in ports]


def reconnect(manager, relay, envoy, meanwhile):
    """All that is written meanwhile comes to Envoy in one response, since the manager has begun anew too."""
    relay.kill()
    eventually(lambda: not envoy.admin.is_connected(), "Envoy lost its stream")
    result = meanwhile()
    manager.restart()
    relay.start()
    eventually(envoy.admin.is_connected, "it has one again")
    return result


def test_one_of_many_is_found(manager, relay, envoy, demo_ports):
    api = manager.api
    api.service("web", demo_ports["web"])
    api.service("shop", demo_ports["shop"])
    first = free_port()
    api.mapping("web", first)
    fine = [free_port() for _ in range(MANY - 1)]
    with taken_port() as taken, Load(first, [("web", {"web"})]) as load:
        half = len(fine) // 2
        mappings = reconnect(manager, relay, envoy, lambda: fill(api, [*fine[:half], taken, *fine[half:]]))
        guilty = mappings.pop(half)
        check_found(api, relay, guilty, mappings, f"tcp/{taken}")
        assert all(request(port, "web").service == "web" for port in fine)
        told = api.state_of(f"/mappings/{guilty['id']}")["reasons"]
        assert [(each["proxy_id"], each["message"]) for each in told] == [(envoy.node, UNTOLD)]
        check_left_alone(api, relay, envoy, f"tcp/{taken}")

        before = refusals(relay)
        free = free_port()
        answer = api.put(f"/mappings/{guilty['id']}", {"ports": [free]}, WAIT).expect(200)
        assert answer.state == "live" and answer.data["status"] == {"state": "live", "reasons": []}, "by the change"
        assert answers(free, "web", "web") and manager.state_of_proxy(envoy.node) == "live"
        assert refusals(relay) == before
    assert load.failures == []


def check_found(api, relay, guilty, others, listener):
    """In three tries: among all, in a part of them, by itself. Where a response repeats everything and Envoy takes longer
    over one than the manager waits, the next is refused too."""
    eventually(lambda: state_of(api, guilty) == "rejected", "it is told")
    eventually(lambda: {state_of(api, each) for each in others} == {"live"}, "of this one alone")
    among_all, *in_parts, alone = tries(relay, listener)
    assert among_all == MANY and alone == 1
    assert all(1 < size <= MANY // PARTS + 1 for size in in_parts[:1])
    assert refusals(relay) == 2 + len(in_parts)
    sent = relay.heard("sent", "Listener")
    first = next(number for number, names in enumerate(sent) if listener in names)
    once = 1 + PARTS + MANY // PARTS + 1
    if relay.delta:
        assert len(in_parts) == 1 and len(sent) - first <= once
    else:
        assert len(sent) - first <= 3 * once


def check_left_alone(api, relay, envoy, listener):
    """Others go on without it, until somebody asks for it: then it is tried once more, by itself."""
    before = tries(relay, listener)
    for _ in range(3):
        port = free_port()
        api.mapping("shop", port)
        assert request(port, "shop").service == "shop"
    assert tries(relay, listener) == before
    api.post(f"/proxies/{envoy.node}/retry").expect(200, 202)
    eventually(lambda: refusals(relay) == len(before) + 1, "it is refused again")
    assert tries(relay, listener) == [*before, 1]
