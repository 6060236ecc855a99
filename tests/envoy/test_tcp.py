"""TCP through a real Envoy: alone on its port, and beside HTTP."""

import pytest

from stand.rest import mapping_body
from stand.traffic import is_refused, listen_only, request, talk
from stand.waiting import eventually


def test_client_first_alone_on_its_port(api, demo_ports, name, port):
    one = name()
    api.service(one, demo_ports["lines"])
    mapping = api.mapping(one, port, protocols=["tcp"])
    assert talk(port, "hello") == "lines: hello"
    api.remove(f"/mappings/{mapping['id']}")
    eventually(lambda: is_refused(port), "the port is closed")


def test_server_first_alone_on_its_port(api, demo_ports, name, port):
    one = name()
    api.service(one, demo_ports["greeter"])
    api.mapping(one, port, protocols=["tcp"])
    assert listen_only(port) == "hello from greeter"


@pytest.mark.parametrize("first", ["http", "tcp"])
def test_beside_http_on_one_port(api, demo_ports, name, port, first):
    web, lines = name(), name()
    api.service(web, demo_ports["web"])
    api.service(lines, demo_ports["lines"])
    for protocol in (first, "tcp" if first == "http" else "http"):
        api.mapping(web if protocol == "http" else lines, port, protocols=[protocol])
    assert request(port, web).service == "web"
    assert talk(port, "\x01\x02 not http") == "lines: \x01\x02 not http"
    assert request(port, "other.test").status == 404


def test_server_first_beside_http(api, demo_ports, name, port):
    web, greeter = name(), name()
    api.service(web, demo_ports["web"])
    api.service(greeter, demo_ports["greeter"])
    api.mapping(web, port)
    api.mapping(greeter, port, protocols=["tcp"])
    assert listen_only(port) == "hello from greeter"
    assert request(port, web).service == "web"


def test_services_of_a_mapping_are_one_pool(api, demo_ports, name, port):
    lines, rows = name(), name()
    api.service(lines, demo_ports["lines"])
    api.service(rows, demo_ports["rows"])
    api.mapping([lines, rows], port, protocols=["tcp"])
    assert {talk(port, "x") for _ in range(60)} == {"lines: x", "rows: x"}


def test_service_by_dns_name(api, demo_ports, name, port):
    one = name()
    api.service(one, demo_ports["lines"], address="localhost")
    api.mapping(one, port, protocols=["tcp"])
    assert talk(port, "hello") == "lines: hello"


def test_two_that_nothing_tells_apart_are_refused(api, demo_ports, name, port):
    one, two = name(), name()
    api.service(one, demo_ports["lines"])
    api.service(two, demo_ports["rows"])
    first = api.mapping(one, port, protocols=["tcp"])
    refused = api.post("/mappings", mapping_body(two, port, protocols=["tcp"])).expect(409)
    assert str(first["id"]) in refused.text, "it names the other mapping"
    assert talk(port, "x") == "lines: x"


def test_literal_sources_tell_tcp_mappings_apart(api, demo_ports, name, port):
    near, far, lines, rows = name("near"), name("far"), name(), name()
    api.service(near, address="127.0.0.11")
    api.service(far, address="127.0.0.12")
    api.service(lines, demo_ports["lines"])
    api.service(rows, demo_ports["rows"])
    api.mapping(lines, port, protocols=["tcp"], source_services=[near])
    api.mapping(rows, port, protocols=["tcp"], source_services=[far])
    assert talk(port, "x", source="127.0.0.11") == "lines: x"
    assert talk(port, "x", source="127.0.0.12") == "rows: x"
    assert talk(port, "x", source="127.0.0.13") == ""
