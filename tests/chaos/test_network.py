"""The network between Envoy and the manager: cut, slow, in small pieces, and silent."""

import time

import pytest
from chaos_stand import TIMES

from stand.control_plane import Manager
from stand.link import Link
from stand.network import choose
from stand.proxy import BareEnvoy, Proxy, bootstrap_of, register
from stand.rest import mapping_body
from stand.traffic import answers
from stand.waiting import eventually


@pytest.fixture
def manager(tmp_path):
    with Manager(tmp_path) as made:
        yield made


@pytest.fixture
def link(manager):
    """Proxies reach the xDS port by it alone."""
    with Link(manager.xds_port) as made:
        manager.variables |= {"MARCHPROXY_XDS_ADVERTISE": f"127.0.0.1:{made.port}"}
        manager.start()
        yield made


@pytest.fixture
def proxy(tmp_path, manager, link):
    with Proxy(manager, tmp_path) as made:
        yield made.start()


def test_link_cut_while_edits_go_on(manager, link, proxy, world):
    api = manager.api
    world.fill(api)
    kept = proxy.admin.received()
    with world.traffic() as traffic:
        for _ in range(TIMES):
            with world.edits(manager) as edits:
                link.cut()
                eventually(lambda: not proxy.admin.is_connected(), "Envoy lost its stream")
                eventually(lambda: manager.state_of_proxy(proxy.id) == "offline", "and the manager knows")
                edits.more(10)
                traffic.more()
                link.restore()
                proxy.wait_connected()
            edits.are_served()
        world.add(api)
        before = proxy.admin.received(), manager.metric("marchproxy_xds_pushes_total")
        flap(link, proxy)
        assert (proxy.admin.received(), manager.metric("marchproxy_xds_pushes_total")) == before, "nothing again"
        traffic.more()
    assert traffic.failures == []
    listeners = "listener_manager.lds.update_success"
    assert proxy.admin.received()[listeners] == kept[listeners], "edits of routes alone"


def flap(link, *proxies):
    link.cut()
    for proxy in proxies:
        eventually(lambda each=proxy: not each.admin.is_connected(), "Envoy lost its stream")
    link.reopen()
    for proxy in proxies:
        proxy.wait_connected()


def test_slow_and_dribbling_links_carry_everything(manager, link, proxy, world, tmp_path):
    """A proxy that starts over such a link, and edits beside: later, but all of it."""
    api = manager.api
    world.fill(api)
    names = [f"more-{number}" for number in range(15)]
    for name in names:
        api.service(name, world.demo["shop"])
        api.post("/mappings", mapping_body(name, world.http)).expect(201)
    faults = {"slow": {"rate": 50_000, "latency": 0.05}, "in pieces": {"piece": 23}}
    with world.traffic() as traffic:
        for number, (hostname, fault) in enumerate(faults.items()):
            for field, value in fault.items():
                setattr(link, field, value)
            address = f"127.0.0.{number + 2}"
            with Proxy(manager, tmp_path, hostname=f"late-{number}.test", address=address) as late:
                late.start()
                assert all(answers(world.http, name, "shop", address=address) for name in names), hostname
                world.add(api)
                for _ in range(TIMES):
                    flap(link, proxy, late)
                world.add(api)
            link.restore()
        traffic.more()
    assert traffic.failures == []


def test_edits_wait_for_a_link_that_holds_everything(manager, link, proxy, world):
    """Short of the time after which either side gives up: then the same stream goes on."""
    api = manager.api
    world.fill(api)
    streams = proxy.admin.stats("marchproxy_xds.upstream_rq_total")
    with world.traffic() as traffic:
        link.hold()
        api.service("late", world.demo["shop"])
        answer = api.post("/mappings", mapping_body("late", world.http), {"Prefer": "wait=1"}).expect(201)
        assert answer.state == "pending", "nobody says that it is live"
        assert api.state_of(f"/mappings/{answer.data['id']}")["state"] == "pending"
        traffic.more()
        link.restore()
        eventually(lambda: api.state_of(f"/mappings/{answer.data['id']}")["state"] == "live", "it gets there")
        assert answers(world.http, "late", "shop")
    assert traffic.failures == []
    assert proxy.admin.stats("marchproxy_xds.upstream_rq_total") == streams


UNNOTICED = 4  # seconds: what is lost so long comes again before a side gives up, even if it had just asked for a sign


def test_cable_is_pulled_and_plugged_again(tmp_path, world):
    """Nothing of what is sent meanwhile arrives, and nobody is told."""
    with choose(tmp_path) as network, network.manager(tmp_path) as manager:
        manager.start()
        with BareEnvoy(bootstrap_of(manager, register(manager, "edge.test")), tmp_path) as envoy:
            envoy.connect(manager)
            pull_and_plug(network, manager, envoy, world)


def pull_and_plug(network, manager, envoy, world):
    api = manager.api
    world.fill(api)
    streams = envoy.admin.stats("marchproxy_xds.upstream_rq_total")
    longest = 0
    with world.traffic() as traffic:
        for _ in range(TIMES):
            with world.edits(manager) as edits:
                network.cut()
                began = time.monotonic()
                edits.more(10)
                traffic.more()
                assert not any(answers(world.http, name, "shop") for name in list(edits.made)[-3:]), network.how
                network.restore()
                longest = max(longest, time.monotonic() - began)
            edits.are_served()
            world.add(api)
        traffic.more()
    assert traffic.failures == []
    if longest < UNNOTICED:
        assert envoy.admin.stats("marchproxy_xds.upstream_rq_total") == streams, "the same stream goes on"
