"""HTTP through a real Envoy: who answers for which host and path."""

import socket
import threading

import pytest

from stand.rest import WAIT, mapping_body
from stand.traffic import request, upgrade


def test_service_answers_by_name_and_address_with_and_without_port(api, demo_ports, name, port):
    one, two = name(), name()
    api.service(one, demo_ports["web"])
    api.service(two, demo_ports["shop"], address="localhost")
    api.mapping([one, two], port)
    assert request(port, one).service == "web"
    assert request(port, one.upper()).service == "web", "names compare without case"
    assert request(port, f"{one}:{port}").service == "web"
    assert request(port, "127.0.0.1").service == "web", "the address is a name too"
    assert request(port, two).service == "shop", "a service known by a DNS name"
    assert request(port, "localhost").service == "shop"
    assert request(port, "nobody.test").status == 404


def test_path_and_headers_arrive_unchanged(api, demo_ports, name, port):
    one = name()
    api.service(one, demo_ports["web"])
    api.mapping(one, port)
    seen = request(port, one, "/a%20b?c=d&e", {"X-Own": "kept"}).json
    assert seen["path"] == "/a%20b?c=d&e"
    assert seen["headers"]["host"] == one and seen["headers"]["x-own"] == "kept"


def test_hosts_of_a_mapping_exact_wildcard_and_every_other(api, demo_ports, name, port):
    web, shop, blog = name(), name(), name()
    for service, demo in ((web, "web"), (shop, "shop"), (blog, "blog")):
        api.service(service, demo_ports[demo])
    api.mapping(web, port, hosts=["www.example.test"])
    api.mapping(shop, port, hosts=["*.example.test"])
    api.mapping(blog, port, hosts=["*"])
    assert request(port, "www.example.test").service == "web", "an exact name is before a wildcard"
    assert request(port, "WWW.Example.Test:80").service == "web"
    assert request(port, "a.example.test").service == "shop"
    assert request(port, "a.b.example.test").service == "shop"
    assert request(port, f"a.example.test:{port}").service == "shop"
    assert request(port, "example.test").service == "blog", "a wildcard is not the domain itself"
    assert request(port, "anything.else").service == "blog"
    assert request(port, shop).service == "shop", "a service keeps its own name"


def test_host_leaves_with_its_mapping(api, demo_ports, name, port):
    web, shop = name(), name()
    api.service(web, demo_ports["web"])
    api.service(shop, demo_ports["shop"])
    api.mapping(web, port)
    gone = api.mapping(shop, port, hosts=["shop.test"])
    assert request(port, "shop.test").service == "shop"
    api.change(f"/mappings/{gone['id']}", hosts=["store.test"])
    assert request(port, "shop.test").status == 404
    assert request(port, "store.test").service == "shop"
    api.change(f"/mappings/{gone['id']}", enabled=False)
    assert request(port, "store.test").status == 404
    api.change(f"/mappings/{gone['id']}", enabled=True)
    assert request(port, "store.test").service == "shop"
    api.remove(f"/mappings/{gone['id']}")
    assert request(port, "store.test").status == 404
    assert request(port, web).service == "web"


def test_path_prefix_and_its_removal(api, demo_ports, name, port):
    web, shop, blog = name(), name(), name()
    for service, demo in ((web, "web"), (shop, "shop"), (blog, "blog")):
        api.service(service, demo_ports[demo])
    api.mapping(web, port, hosts=["site.test"])
    api.mapping(shop, port, hosts=["site.test"], path_prefix="/shop")
    api.mapping(blog, port, hosts=["site.test"], path_prefix="/blog", strip_prefix=True)
    assert request(port, "site.test", "/").service == "web"
    assert request(port, "site.test", "/shop/cart?x=1").json["path"] == "/shop/cart?x=1"
    assert request(port, "site.test", "/shop").service == "shop"
    assert request(port, "site.test", "/shopping").service == "web", "a prefix ends at a slash"
    assert request(port, "site.test", "/blog/2026/?page=2").json["path"] == "/2026/?page=2"
    assert request(port, "site.test", "/blog/2026/").service == "blog"
    assert request(port, "site.test", "/blog").json["path"] == "/"


def test_lower_priority_has_a_host_that_two_claim(api, demo_ports, name, port):
    web, shop = name(), name()
    api.service(web, demo_ports["web"])
    api.service(shop, demo_ports["shop"])
    first = api.mapping(web, port, hosts=["both.test"])
    second = api.mapping(shop, port, hosts=["BOTH.test"])
    assert request(port, "both.test").service == "web", "the older of equals"
    assert api.state_of(f"/mappings/{second['id']}")["state"] == "shadowed"
    assert api.state_of(f"/mappings/{first['id']}")["state"] == "live"
    api.change(f"/mappings/{second['id']}", priority=50)
    assert request(port, "both.test").service == "shop"
    assert api.state_of(f"/mappings/{first['id']}")["state"] == "shadowed"
    assert api.state_of(f"/mappings/{second['id']}")["state"] == "live"
    api.remove(f"/mappings/{second['id']}")
    assert request(port, "both.test").service == "web"
    assert api.state_of(f"/mappings/{first['id']}")["state"] == "live"


def test_websocket_needs_a_ws_mapping(api, demo_ports, name, port):
    web, shop = name(), name()
    api.service(web, demo_ports["web"])
    api.service(shop, demo_ports["shop"])
    api.mapping(web, port, protocols=["http", "ws"])
    api.mapping(shop, port, protocols=["http"])
    assert upgrade(port, web) == (101, "web: ping")
    assert upgrade(port, shop)[0] in (403, 404, 426), "http alone allows no upgrade"
    assert request(port, web).service == "web" and request(port, shop).service == "shop"


def test_endpoints_of_a_service_share_the_requests(api, demo_ports, name, port):
    service = name()
    endpoints = [{"address": "127.0.0.1", "port": demo_ports[demo]} for demo in ("web", "shop", "blog")]
    made = api.post("/services", {"name": service, "ip_fqdn": f"{service}.test", "collection": "tests", "cluster_id": 1,
                                  "endpoints": endpoints}).expect(201).data
    api.mapping(service, port)
    assert {request(port, service).service for _ in range(60)} == {"web", "shop", "blog"}
    api.change(f"/services/{made['id']}", endpoints=endpoints[:1])
    assert {request(port, service).service for _ in range(20)} == {"web"}


def test_rename_and_new_address_follow(api, demo_ports, name, port):
    before, after = name(), name()
    service = api.service(before, demo_ports["web"])
    api.mapping(before, port)
    assert request(port, before).service == "web"
    api.change(f"/services/{service['id']}", name=after)
    assert request(port, after).service == "web"
    assert request(port, before).status == 404
    api.change(f"/services/{service['id']}", port=demo_ports["shop"])
    assert request(port, after).service == "shop"


def test_collection_grows_into_its_mappings(api, demo_ports, name, port):
    collection, one, two = name("set"), name(), name()
    api.service(one, demo_ports["web"], collection=collection)
    api.mapping(f"collection:{collection}", port)
    assert request(port, one).service == "web"
    assert request(port, two).status == 404
    answer = api.post("/services", {"name": two, "ip_fqdn": "127.0.0.1", "collection": collection, "cluster_id": 1,
                                    "port": demo_ports["shop"]}, WAIT).expect(201)
    assert answer.state == "live"
    assert request(port, two).service == "shop"


def test_mapping_of_several_ports_and_a_range(api, demo_ports, name, port):
    one = name()
    api.service(one, demo_ports["web"])
    ports = [port, f"{port + 2000}-{port + 2002}"]
    made = api.mapping(one, port, ports=ports)
    for each in (port, port + 2000, port + 2001, port + 2002):
        assert request(each, one).service == "web"
    assert made["ports"] == ports


@pytest.mark.parametrize("timeout, status", [(1, 504), (30, 200)])
def test_timeout_of_a_mapping(api, name, port, timeout, status):
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()
        one = name()
        api.service(one, slow.getsockname()[1])
        api.post("/mappings", mapping_body(one, port, timeout=timeout), WAIT).expect(201)
        replies = []
        caller = threading.Thread(target=lambda: replies.append(request(port, one).status))
        caller.start()
        connection, _ = slow.accept()
        if status == 200:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        caller.join(20)
        connection.close()
        assert replies == [status]
