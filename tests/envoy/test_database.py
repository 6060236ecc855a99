"""PostgreSQL goes away and comes back, and a second manager takes over."""

import re

import pytest

from stand.control_plane import Manager
from stand.postgres import another, database
from stand.proxy import Proxy
from stand.rest import Api, mapping_body
from stand.traffic import Load, answers, request
from stand.waiting import eventually


@pytest.fixture
def base():
    with database() as made:
        yield made


@pytest.fixture
def own(tmp_path, base):
    with Manager(tmp_path, MARCHPROXY_DATABASE_URL=base.url) as manager:
        yield manager.start()


def test_database_away_and_back(own, base, proxy, demo_ports, port):
    api = own.api
    api.service("web", demo_ports["web"])
    api.mapping("web", port)
    with Load(port, [("web", {"web"})], clients=2) as load:
        base.deny()
        try:
            body = {"name": "late", "ip_fqdn": "127.0.0.1", "collection": "tests", "cluster_id": 1}
            refused = api.post("/services", body)
            assert refused.status == 503 and refused.error["code"] == "SERVICE_UNAVAILABLE"
            assert refused.json["success"] is False and refused.json["request_id"]
            assert base.name not in refused.text and "postgres" not in refused.text.lower()
            assert api.get("/services").status == 503
            health = Api(own.http_port).raw("GET", "/healthz")
            assert health.status == 503 and health.json["checks"]["database"] == "unhealthy"
            assert proxy.admin.is_connected(), "streams go on"
            load.more(100)
        finally:
            base.allow()
        eventually(lambda: api.get("/services").status == 200, "the API recovers unaided")
        eventually(lambda: Api(own.http_port).raw("GET", "/healthz").status == 200, "health recovers")
        api.service("late", demo_ports["shop"])
        api.mapping("late", port)
        assert request(port, "late").service == "shop"
        load.more(20)
    assert load.failures == []
    lines = own.text().splitlines()
    assert lines and all(re.match(r"20\d\d-\d\d-\d\dT", line) for line in lines), "every entry of the log is one line"


def test_proxy_that_connects_while_the_database_is_away_is_served_when_it_is_back(own, base, proxy, demo_ports, port):
    own.api.service("web", demo_ports["web"])
    own.api.mapping("web", port)
    base.deny()
    try:
        proxy.clean_up()
        super(Proxy, proxy).start()
        eventually(lambda: streams_tried(proxy) >= 2, "Envoy was refused, and tried again")
    finally:
        base.allow()
    eventually(lambda: answers(port, "web", "web"), "it is served", 60)


def streams_tried(proxy):
    try:
        return proxy.admin.stats("marchproxy_xds.upstream_rq_total").get("cluster.marchproxy_xds.upstream_rq_total", 0)
    except OSError:
        return 0


def test_second_manager_sees_and_says_the_same(own, proxy, demo_ports, port):
    own.api.service("web", demo_ports["web"])
    own.api.mapping("web", port)
    with another(own, "second") as second:
        second.start()
        second.api.service("shop", demo_ports["shop"])
        second.api.post("/mappings", mapping_body("shop", port)).expect(201)
        eventually(lambda: answers(port, "shop", "shop"), "a write through the other manager arrives", 10)
        before = proxy.admin.updates()
        own.kill()
        second.kill()
        second.xds_port, second.http_port = own.xds_port, own.http_port
        second.variables |= {name: own.variables[name] for name in ("MARCHPROXY_XDS_LISTEN", "MARCHPROXY_HTTP_LISTEN")}
        second.start()
        proxy.manager = second
        proxy.wait_connected()
        assert second.metric("marchproxy_xds_pushes_total") == 0, "another process says the very same"
        assert proxy.admin.updates() == before
