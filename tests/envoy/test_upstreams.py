"""How services are reached: names with a dead address, dead endpoints, health checks, and what Envoy cannot carry."""

import pytest

from stand.failing import FailingServer
from stand.rest import mapping_body
from stand.traffic import Load, request, talk
from stand.waiting import eventually, free_port


@pytest.fixture
def half_dead(api, demo_ports, name):
    """Makes a service whose name has two addresses, of which one refuses: localhost is ::1 and 127.0.0.1 to Envoy."""
    def make(demo):
        made = name()
        api.service(made, demo_ports[demo], address="localhost")
        return made
    return make


def test_name_with_a_dead_address_loses_no_http_request(api, half_dead, port):
    service = half_dead("web")
    api.mapping(service, port)
    with Load(port, [(service, {"web"})], clients=6) as load:
        load.more(600)
    assert load.failures == []


def test_name_with_a_dead_address_loses_no_tcp_connection(api, half_dead, port):
    api.mapping(half_dead("lines"), port, protocols=["tcp"])
    assert {talk(port, "x") for _ in range(60)} == {"lines: x"}


def test_dead_endpoint_loses_no_request(api, demo_ports, name, port):
    service = name()
    ports = (demo_ports["web"], free_port(), demo_ports["shop"])
    endpoints = [{"address": "127.0.0.1", "port": each} for each in ports]
    body = {"name": service, "ip_fqdn": "127.0.0.1", "collection": "tests", "cluster_id": 1, "endpoints": endpoints}
    api.post("/services", body).expect(201)
    api.mapping(service, port)
    with Load(port, [(service, {"web", "shop"})], clients=6) as load:
        load.more(600)
    assert load.failures == []


def test_health_check_takes_an_endpoint_out(api, egress, demo_ports, name, port):
    """The sick one answers every request with 500, so only its health check tells."""
    service = name()
    with FailingServer() as sick:
        endpoints = [{"address": "127.0.0.1", "port": each} for each in (demo_ports["web"], sick.port)]
        check = {"enabled": True, "protocol": "http", "path": "/healthz", "interval": 1, "timeout": 1,
                 "unhealthy_threshold": 1, "healthy_threshold": 1}
        body = {"name": service, "ip_fqdn": "127.0.0.1", "collection": "tests", "cluster_id": 1, "endpoints": endpoints,
                "health_check": check}
        api.post("/services", body).expect(201)
        api.mapping(service, port)
        eventually(lambda: "/healthz" in sick.asked, "the health check asks")
        eventually(lambda: healthy_endpoints(egress, service) == 1, "one endpoint is left")
        assert {request(port, service).status for _ in range(20)} == {200}


def healthy_endpoints(proxy, service):
    stats = proxy.admin.stats("membership_healthy$")
    return next((value for stat, value in stats.items() if service in stat), None)


def test_icmp_has_no_envoy_form_and_its_status_says_so(api, demo_ports, name, port):
    service = name()
    api.service(service, demo_ports["web"])
    mapping = api.mapping(service, port, protocols=["icmp", "http"])
    assert request(port, service).service == "web", "the other protocols of the mapping are carried"
    only = api.post("/mappings", mapping_body(service, port, protocols=["icmp"])).expect(201).data
    eventually(lambda: api.state_of(f"/mappings/{only['id']}")["state"] == "unsupported", "unsupported")
    reasons = api.state_of(f"/mappings/{mapping['id']}")["reasons"]
    assert any("icmp" in reason["message"] for reason in reasons)
