"""How traffic is spread and what becomes of endpoints that fail: weights, outliers, checks by connecting, limits."""

import collections

import pytest

from stand.failing import FailingServer
from stand.traffic import request, talk
from stand.waiting import eventually, free_port


def endpoints(*ports, weights=None):
    return [{"address": "127.0.0.1", "port": port, "weight": weight}
            for port, weight in zip(ports, weights or [1] * len(ports), strict=True)]


def shares(ask, count):
    return collections.Counter(ask() for _ in range(count))


def test_weights_of_endpoints_are_shares_of_requests(api, demo_ports, name, port):
    service = name()
    both = endpoints(demo_ports["web"], demo_ports["shop"], weights=[3, 1])
    made = api.service(service, endpoints=both)
    api.mapping(service, port)
    seen = shares(lambda: request(port, service).service, 80)
    assert 50 <= seen["web"] <= 70 and seen["web"] + seen["shop"] == 80, seen
    both[0]["weight"], both[1]["weight"] = 1, 7
    api.change(f"/services/{made['id']}", endpoints=both)
    seen = shares(lambda: request(port, service).service, 80)
    assert 60 <= seen["shop"] <= 78, seen


def test_weights_of_endpoints_are_shares_of_connections(api, demo_ports, name, port):
    service = name()
    api.service(service, endpoints=endpoints(demo_ports["lines"], demo_ports["rows"], weights=[1, 4]))
    api.mapping(service, port, protocols=["tcp"])
    seen = shares(lambda: talk(port, "x"), 60)
    assert 38 <= seen["rows: x"] <= 58 and seen["rows: x"] + seen["lines: x"] == 60, seen


def test_an_endpoint_that_only_fails_is_ejected(api, egress, demo_ports, name, port):
    service = name()
    with FailingServer() as broken:
        api.service(service, endpoints=endpoints(demo_ports["web"], broken.port))
        api.mapping(service, port)
        first = shares(lambda: request(port, service).status, 40)
        assert 5 <= first[500] < 20, first
        stats = egress.admin.stats("outlier_detection.ejections_active$")
        assert [value for stat, value in stats.items() if service in stat] == [1]
        before = len(broken.asked)
        assert {request(port, service).status for _ in range(20)} == {200}
        assert len(broken.asked) == before


def test_a_single_endpoint_is_never_ejected(api, name, port):
    service = name()
    with FailingServer() as broken:
        api.service(service, broken.port)
        api.mapping(service, port)
        assert {request(port, service).status for _ in range(15)} == {500}, "its own answers, to the last"


@pytest.mark.parametrize("protocols", [["http"], ["tcp"]])
def test_a_check_by_connecting_takes_a_dead_endpoint_out(api, egress, demo_ports, name, port, protocols):
    service = name()
    check = {"enabled": True, "protocol": "tcp", "interval": 1, "timeout": 1, "unhealthy_threshold": 1,
             "healthy_threshold": 1}
    api.service(service, endpoints=endpoints(demo_ports["web"], free_port()), health_check=check)
    api.mapping(service, port, protocols=protocols)
    eventually(lambda: any(service in stat and value == 1 for stat, value in
                           egress.admin.stats("membership_healthy$").items()), "one endpoint is left")
    assert {request(port, service).service for _ in range(10)} == {"web"}


def test_limits_of_a_service_are_set(api, egress, demo_ports, name, port):
    service = name()
    made = api.service(service, demo_ports["web"])
    api.mapping(service, port)
    lines = egress.admin.get("/clusters").splitlines()
    mine = {line.partition("default_priority::")[2] for line in lines
            if line.startswith(f"service/{made['id']}/{port}::default_priority::")}
    assert mine == {"max_connections::10000", "max_pending_requests::10000", "max_requests::50000",
                    "max_retries::100"}
