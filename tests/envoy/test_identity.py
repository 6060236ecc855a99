"""Who may connect as a proxy: keys, their rotation, nodes that never registered, and clients of the older protocol."""

import json

import pytest

from stand.control_plane import KEY, Manager
from stand.program import Program
from stand.proxy import BareEnvoy, Proxy, bootstrap_of, register
from stand.rest import WAIT, Api, mapping_body
from stand.traffic import Load, answers, is_refused, listen_only, request, talk
from stand.waiting import eventually, free_port

OVERLAP = 8


@pytest.fixture
def own(tmp_path):
    with Manager(tmp_path, MARCHPROXY_ROTATION_OVERLAP=str(OVERLAP)) as manager:
        yield manager.start()


def changed(bootstrap, before, after):
    text = json.dumps(bootstrap)
    assert before in text
    return json.loads(text.replace(before, after))


def test_wrong_key_is_refused(own, tmp_path):
    bootstrap = bootstrap_of(own, register(own, "bare.test"))
    wrong = changed(bootstrap, KEY, "mp_cluster_" + "x" * 40)
    with BareEnvoy(wrong, tmp_path) as envoy:
        envoy.start()
        envoy.says(r"closed: 16\b")
        assert not envoy.admin.is_connected()
    assert own.metric("marchproxy_xds_streams") == 0
    assert Api(own.http_port, {"X-Cluster-API-Key": "mp_cluster_" + "x" * 40}).get("/config/1").status == 401


def test_agent_with_a_wrong_key_is_refused_and_says_so(own, tmp_path):
    with Proxy(own, tmp_path, key="mp_cluster_" + "x" * 40) as agent:
        Program.start(agent)
        agent.says("401 AUTHENTICATION_REQUIRED")


def test_previous_key_works_until_its_end(own, tmp_path, demo_ports, port):
    api = own.api
    api.service("web", demo_ports["web"])
    bootstrap = bootstrap_of(own, register(own, "old.test", address="127.0.0.1"))
    with BareEnvoy(bootstrap, tmp_path, "old") as old:
        old.connect(own)
        api.mapping("web", port)
        new_key = api.post("/clusters/1/rotate-key").expect(200).data["new_api_key"]
        api.service("shop", demo_ports["shop"])
        api.mapping("shop", port)
        assert old.admin.is_connected() and request(port, "shop").service == "shop", "its stream goes on"
        old.says(r"closed: 16\b", OVERLAP + 15)
        eventually(lambda: own.metric("marchproxy_xds_streams") == 0, "no stream is left")
        assert request(port, "web").service == "web", "Envoy serves what it has"
        with BareEnvoy(renewed(bootstrap, new_key), tmp_path, "new") as new:
            old.clean_up()
            new.connect(own)
            eventually(lambda: not is_refused(port) and request(port, "shop").status == 200, "the new key is served")


def renewed(bootstrap, key):
    own_port = changed(bootstrap, f'"port_value": {admin_port(bootstrap)}', f'"port_value": {free_port()}')
    return changed(own_port, KEY, key)


def admin_port(bootstrap):
    return bootstrap["admin"]["address"]["socket_address"]["port_value"]


def test_unknown_node_is_registered_by_connecting_and_leaves_with_its_proxy(own, tmp_path, demo_ports, port):
    api = own.api
    api.service("web", demo_ports["web"])
    known = register(own, "known.test")
    bootstrap = changed(bootstrap_of(own, known), known, "walk-in.1")
    with BareEnvoy(bootstrap, tmp_path) as envoy:
        envoy.connect(own)
        found = api.get("/proxies?search=walk-in.1").expect(200).data["proxies"]
        assert [(proxy["id"], proxy["hostname"], proxy["proxy_type"]) for proxy in found] == [
            ("walk-in.1", "walk-in.1", "egress")]
        answer = api.post("/mappings", mapping_body("web", port), WAIT).expect(201)
        assert answer.state == "live"
        assert request(port, "web").service == "web"
        api.delete("/proxies/walk-in.1").expect(200)
        eventually(lambda: not envoy.admin.is_connected(), "the stream is closed")
        envoy.says(r"closed: 7\b.*the proxy was deleted")
        envoy.says(r"closed: 7\b.*The proxy was deleted")  # it tries again, and stays out
        assert api.get("/proxies/walk-in.1").status == 404
        assert request(port, "web").service == "web", "Envoy serves what it has"


@pytest.mark.parametrize("before, after, words", [
    ('"proxy_type": "egress"', '"proxy_type": "Ingress"', "proxy_type must be egress or ingress"),
    ('"listen_address": "0.0.0.0"', '"listen_address": "eth0"', "listen_address must be an IPv4 or IPv6 address")])
def test_unknown_node_that_says_nonsense_is_not_registered(own, tmp_path, before, after, words):
    """It would be given what it did not ask for, or listen everywhere."""
    known = register(own, "known.test", address="0.0.0.0")
    bootstrap = changed(changed(bootstrap_of(own, known), known, "walk-in"), before, after)
    with BareEnvoy(bootstrap, tmp_path) as envoy:
        envoy.start()
        envoy.says(rf"closed: 3\b.*{words}")
        assert own.api.get("/proxies/walk-in").status == 404


def test_cluster_that_is_renamed_locks_nobody_out(own, tmp_path):
    bootstrap = bootstrap_of(own, register(own, "bare.test"))
    with BareEnvoy(bootstrap, tmp_path) as envoy:
        envoy.connect(own)
        own.api.put("/clusters/1", {"name": "renamed"}).expect(200)
        own.restart()
        eventually(lambda: own.state_of_proxy(envoy.node) == "live", "its bootstrap has the old name")
    stranger = changed(bootstrap, envoy.node, "walk-in")
    with BareEnvoy(stranger, tmp_path, "stranger") as envoy:
        envoy.start()
        envoy.says(r"closed: 7\b.*The key is not of the cluster that the node names")
        assert own.api.get("/proxies/walk-in").status == 404


def test_deleted_proxy_with_an_agent_comes_back_under_another_id(tmp_path, demo_ports, port):
    with Manager(tmp_path, MARCHPROXY_PROXY_HEARTBEAT_INTERVAL="1") as own, Proxy(own, tmp_path) as proxy:
        own.start()
        proxy.start()
        own.api.service("web", demo_ports["web"])
        own.api.mapping("web", port)
        before = proxy.id
        own.api.delete(f"/proxies/{before}").expect(200)
        eventually(lambda: proxy.id != before, "the agent has another bootstrap")
        proxy.wait_connected()
        eventually(lambda: answers(port, "web", "web"), "it serves again")
        assert [each["id"] for each in own.api.get("/proxies").data["proxies"]] == [proxy.id]


def test_community_refuses_a_fourth_proxy_that_connects(own, tmp_path):
    known = [register(own, f"proxy-{index}.test") for index in range(3)]
    bootstrap = changed(bootstrap_of(own, known[0]), known[0], "one-too-many")
    with BareEnvoy(bootstrap, tmp_path) as envoy:
        envoy.start()
        envoy.says(r"closed: 8\b")
        assert own.api.get("/proxies/one-too-many").status == 404


def test_state_of_the_world_client_gets_the_same(own, tmp_path, demo_ports, port):
    api = own.api
    bootstrap = bootstrap_of(own, register(own, "sotw.test", address="127.0.0.1"))
    with BareEnvoy(changed(bootstrap, "DELTA_GRPC", "GRPC"), tmp_path) as envoy:
        envoy.connect(own)
        for name in ("web", "shop", "blog", "lines", "greeter"):
            api.service(name, demo_ports[name])
        api.mapping("web", port)
        api.mapping("shop", port, hosts=["*.shop.test"])
        beside, alone = free_port(), free_port()
        api.mapping("greeter", beside, protocols=["tcp"])
        api.mapping("blog", beside)
        lines = api.mapping("lines", alone, protocols=["tcp"])
        assert request(port, "web").service == "web" and request(port, "a.shop.test").service == "shop"
        assert request(port, "nobody.test").status == 404
        assert listen_only(beside) == "hello from greeter" and request(beside, "blog").service == "blog"
        assert talk(alone, "x") == "lines: x"
        edit_under_load(api, demo_ports, port)
        api.remove(f"/mappings/{lines['id']}")
        eventually(lambda: is_refused(alone), "the listener is gone")
        before = envoy.admin.received()
        own.restart()
        eventually(lambda: own.state_of_proxy(envoy.node) == "live", "it is level again")
        assert own.metric("marchproxy_xds_pushes_total") == 0
        assert envoy.admin.received().items() <= before.items(), "some clusters may have gone meanwhile"
        api.service("late", demo_ports["blog"])
        api.mapping("late", port)
        assert request(port, "late").service == "blog"


def edit_under_load(api, demo_ports, port):
    with Load(port, [("web", {"web"}), ("a.shop.test", {"shop"})], clients=3) as load:
        for index in range(15):
            service = api.service(f"edit-{index}", demo_ports["blog"])
            mapping = api.mapping(service["name"], port)
            assert request(port, service["name"]).service == "blog"
            api.remove(f"/mappings/{mapping['id']}")
            api.delete(f"/services/{service['id']}").expect(200)
        load.more(50)
    assert load.failures == []
