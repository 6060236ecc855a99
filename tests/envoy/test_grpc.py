"""gRPC end to end through a real Envoy: calls, statuses and streams, in clear and within TLS, beside others."""

import pytest

from stand.certificates import Authority
from stand.grpc import Servers, node_client
from stand.rest import WAIT
from stand.traffic import request, talk
from stand.waiting import eventually


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with Servers(tmp_path_factory.mktemp("grpc"), "one", "two", "sick") as made:
        yield made.start()


def speaks_grpc(caller, name):
    caller.reaches(name)
    assert caller.call("/test.Demo/Refuse") == f"7 {name} says no", "a status arrives as it is, with its words"
    assert caller.call("/test.Demo/None").startswith("12 "), "what the server does not know is its own answer"
    assert caller.call("chat a b c") == f"ok {name}: a, {name}: b, {name}: c", "messages go both ways while it lasts"


def test_in_clear_beside_http_and_tcp(api, demo_ports, servers, name, port, tmp_path):
    rpc, web, lines = name(), name(), name()
    api.service(rpc, servers.ports["one"], protocol="http2")
    api.service(web, demo_ports["web"])
    api.service(lines, demo_ports["lines"])
    api.mapping([rpc, web], port)
    with node_client(f"127.0.0.1:{port}", tmp_path, rpc) as caller:
        speaks_grpc(caller, "one")
    api.mapping(lines, port, protocols=["tcp"])
    with node_client(f"127.0.0.1:{port}", tmp_path, rpc) as caller:
        speaks_grpc(caller, "one")
    assert request(port, web).service == "web" and talk(port, "x") == "lines: x"


def test_within_tls(api, servers, name, port, tmp_path):
    authority, rpc = Authority(), name("rpc")
    pair = authority.issue(f"{rpc}.test")
    api.service(rpc, servers.ports["two"], protocol="http2")
    api.form("POST", "/certificates", {"name": rpc, "cluster_id": 1, "cert_file": pair.certificate,
                                       "key_file": pair.key}, WAIT).expect(201)
    api.mapping(rpc, port, protocols=["https"], hosts=[f"{rpc}.test"])
    trusted = tmp_path / "ca.pem"
    trusted.write_text(authority.pem)
    with node_client(f"127.0.0.1:{port}", tmp_path, f"{rpc}.test", trusted) as caller:
        speaks_grpc(caller, "two")


def test_an_endpoint_is_moved_under_calls(api, servers, name, port, tmp_path):
    rpc = name()
    service = api.service(rpc, servers.ports["one"], protocol="http2")
    api.mapping(rpc, port)
    with node_client(f"127.0.0.1:{port}", tmp_path, rpc) as caller:
        caller.reaches("one")
        for turn in range(6):
            target = "two" if turn % 2 == 0 else "one"
            api.change(f"/services/{service['id']}", port=servers.ports[target])
            assert caller.call() == f"ok {target}"


def test_grpc_health_takes_an_endpoint_out(api, egress, servers, name, port, tmp_path):
    rpc = name()
    endpoints = [{"address": "127.0.0.1", "port": servers.ports[each]} for each in ("one", "sick")]
    check = {"enabled": True, "protocol": "grpc", "interval": 1, "timeout": 1, "unhealthy_threshold": 1,
             "healthy_threshold": 1}
    api.service(rpc, protocol="http2", endpoints=endpoints, health_check=check)
    api.mapping(rpc, port)
    eventually(lambda: any(rpc in stat and value == 1 for stat, value in
                           egress.admin.stats("membership_healthy$").items()), "one endpoint is left")
    with node_client(f"127.0.0.1:{port}", tmp_path, rpc) as caller:
        caller.reaches("one")
        assert {caller.call() for _ in range(10)} == {"ok one"}
