"""What a real Envoy does with what the manager sends it: who is reached, and who may pass. Every test makes
its own services and mappings, on ports of its own."""

import time

import pytest
from translation_stand import UPGRADE, Greeter, UdpEcho, ask, ask_udp, eventually, first_words, free_ports, token


@pytest.mark.every_version
def test_services_answer_to_name_and_address(world, upstream, port):
    world.service("alpha", upstream("alpha"))
    world.mapping(["any"], ["alpha"], ["http"])
    for host in ("alpha", "ALPHA", f"alpha:{port}", f"Alpha:{port}", "127.0.0.1", f"127.0.0.1:{port}"):
        answer = ask(port, host, "/x?y=1")
        assert (answer.status, host) == (200, host)
        assert answer.seen()["upstream"] == "alpha"
        assert answer.seen()["path"] == "/x?y=1"
        assert answer.seen()["headers"]["host"] == host
        assert not [key for key in answer.seen()["headers"] if key.startswith(("x-marchproxy", "x-envoy"))]
    assert ask(port, "nobody").status == 404
    assert ask(port, "alpha.example.com").status == 404


def test_a_client_cannot_choose_the_scope(world, upstream, port):
    world.service("alpha", upstream("alpha"))
    world.mapping(["any"], ["alpha"], ["http"])
    assert ask(port, "nobody", headers={"x-marchproxy-scope": f"{port}|alpha"}).status == 404


def test_ports_keep_their_hosts_apart(world, manager, upstream, port):
    world.service("alpha", upstream("alpha"))
    world.service("beta", upstream("beta"))
    world.mapping(["any"], ["alpha"], ["http"])
    other = free_ports(1)[0]
    mapping = manager.mapping(["any"], ["beta"], ["http"], other)
    try:
        assert ask(port, "alpha").status == 200
        assert ask(port, "beta").status == 404
        assert ask(other, "beta").status == 200
        assert ask(other, "alpha").status == 404
    finally:
        manager.remove("mappings", mapping["id"])


@pytest.mark.every_version
def test_hosts_and_wildcards(world, upstream, port):
    for name in ("exact", "wild", "deep", "rest"):
        world.service(name, upstream(name))
    world.mapping(["any"], ["exact"], ["http"], hosts=["www.example.com"])
    world.mapping(["any"], ["wild"], ["http"], hosts=["*.example.com"])
    world.mapping(["any"], ["deep"], ["http"], hosts=["*.deep.example.com"])
    world.mapping(["any"], ["rest"], ["http"], hosts=["*"])
    for host, name in (("www.example.com", "exact"), ("WWW.Example.Com:80", "exact"), ("a.example.com", "wild"),
                       ("A.EXAMPLE.com:81", "wild"), ("a.b.example.com", "wild"), ("x.deep.example.com", "deep"),
                       ("example.com", "rest"), ("other", "rest"), ("exact", "exact"), ("[::1]:80", "rest")):
        assert (host, ask(port, host).seen()["upstream"]) == (host, name)


def test_an_exact_host_does_not_fall_back_to_the_wildcard(world, upstream, port):
    world.service("exact", upstream("exact"))
    world.service("rest", upstream("rest"))
    world.mapping(["any"], ["exact"], ["http"], hosts=["www.example.com"], path_prefix="/api")
    world.mapping(["any"], ["rest"], ["http"], hosts=["*"])
    assert ask(port, "www.example.com", "/api/x").seen()["upstream"] == "exact"
    assert ask(port, "www.example.com", "/other").status == 404
    assert ask(port, "else", "/other").seen()["upstream"] == "rest"


def test_ipv6_hosts(world, upstream, port):
    world.service("six", upstream("six"), endpoints=[{"address": "127.0.0.1"}], address="2001:db8::7")
    world.mapping(["any"], ["six"], ["http"])
    for host in ("[2001:db8::7]", f"[2001:db8::7]:{port}", "[2001:DB8::7]"):
        assert (host, ask(port, host).status) == (host, 200)


@pytest.mark.every_version
def test_path_prefix_and_strip(world, upstream, port):
    world.service("whole", upstream("whole"))
    world.service("cut", upstream("cut"))
    world.mapping(["any"], ["whole"], ["http"], hosts=["h"])
    world.mapping(["any"], ["cut"], ["http"], hosts=["h"], path_prefix="/api", strip_prefix=True)
    for path, name, seen in (("/api", "cut", "/"), ("/api/v1?x=/api", "cut", "/v1?x=/api"), ("/api?x", "cut", "/?x"),
                             ("/apiary", "whole", "/apiary"), ("/", "whole", "/")):
        answer = ask(port, "h", path).seen()
        assert (path, answer["upstream"], answer["path"]) == (path, name, seen)
    assert ask(port, "h", "/x/../api/y").seen()["upstream"] == "cut"
    assert ask(port, "h", "/x%2F..%2Fapi").status == 400


def test_escaped_slashes_pass_where_no_path_decides(world, upstream, port):
    world.service("alpha", upstream("alpha"))
    world.mapping(["any"], ["alpha"], ["http"])
    assert ask(port, "alpha", "/scope%2Fname").seen()["path"] == "/scope%2Fname"


@pytest.mark.every_version
def test_upgrade_needs_ws(world, upstream, port):
    world.service("plain", upstream("plain"))
    world.service("socket", upstream("socket"))
    world.mapping(["any"], ["plain"], ["http"])
    world.mapping(["any"], ["socket"], ["http", "ws"])
    assert ask(port, "plain", headers=UPGRADE).status == 403
    assert ask(port, "socket", headers=UPGRADE).status == 101
    assert ask(port, "socket").status == 200


def test_several_services_share_the_hosts_of_a_mapping(world, upstream, port):
    world.service("one", upstream("one"))
    world.service("two", upstream("two"))
    world.mapping(["any"], ["one", "two"], ["http"], hosts=["both"])
    seen = {ask(port, "both").seen()["upstream"] for _ in range(20)}
    assert seen == {"one", "two"}


@pytest.mark.every_version
def test_jwt(world, upstream, port):
    world.service("target", upstream("target"))
    caller = world.service("caller", 1, auth_type="jwt")
    other = world.service("other", 1, auth_type="jwt")
    world.mapping(["caller"], ["target"], ["http"], auth_required=True)
    secret, now = caller["auth_config"]["jwt_secret"], int(time.time())

    def attempt(**headers):
        return ask(port, "target", headers=headers)

    def bearer(key, **claims):
        return attempt(Authorization="Bearer " + token(key, **claims)).status

    good = attempt(Authorization="Bearer " + token(secret, service_id=caller["id"], exp=now + 3600))
    assert good.status == 200
    assert "authorization" not in good.seen()["headers"]
    assert attempt().status == 401
    assert bearer(secret, service_id=caller["id"]) == 401
    assert bearer(secret, service_id=caller["id"], exp=now - 120) == 401
    assert bearer(secret, service_id=caller["id"], exp=now + 7200) == 401
    assert bearer(secret, service_id=other["id"], exp=now + 60) == 403
    assert bearer(secret, exp=now + 60) == 403
    assert bearer(other["auth_config"]["jwt_secret"], service_id=other["id"], exp=now + 60) == 401
    assert bearer(other["auth_config"]["jwt_secret"], service_id=caller["id"], exp=now + 60) == 401


def test_a_rotated_secret_overlaps(world, upstream, port):
    world.service("target", upstream("target"))
    caller = world.service("caller", 1, auth_type="jwt")
    world.mapping(["caller"], ["target"], ["http"], auth_required=True)
    old = caller["auth_config"]["jwt_secret"]
    status, answer = world.call("POST", f"/api/v1/services/{caller['id']}/rotate-jwt", {}, {"Prefer": "wait=20"})
    assert status == 200, answer
    new = answer["new_secret"]
    assert new != old
    for secret in (old, new):
        text = token(secret, service_id=caller["id"], exp=int(time.time()) + 60)
        assert ask(port, "target", headers={"Authorization": "Bearer " + text}).status == 200


@pytest.mark.every_version
def test_api_key(world, upstream, port):
    world.service("target", upstream("target"))
    caller = world.service("caller", 1, auth_type="api_key", auth_config={"header": "X-Caller-Key"})
    world.mapping(["caller"], ["target"], ["http"], auth_required=True)
    good = ask(port, "target", headers={"x-caller-key": caller["auth_config"]["api_key"]})
    assert good.status == 200
    assert "x-caller-key" not in good.seen()["headers"]
    assert ask(port, "target", headers={"x-caller-key": "wrong"}).status == 403
    assert ask(port, "target").status == 403


def test_any_with_auth_needs_a_credential_of_the_destination(world, upstream, port):
    target = world.service("target", upstream("target"), auth_type="api_key")
    world.service("bare", upstream("bare"))
    world.mapping(["any"], ["target", "bare"], ["http"], auth_required=True)
    assert ask(port, "target", headers={"X-API-Key": target["auth_config"]["api_key"]}).status == 200
    assert ask(port, "target").status == 403
    assert ask(port, "bare").status == 403


def test_token_or_key(world, upstream, port):
    world.service("target", upstream("target"))
    first = world.service("first", 1, auth_type="jwt")
    second = world.service("second", 1, auth_type="api_key")
    world.mapping(["first", "second"], ["target"], ["http"], auth_required=True)
    text = token(first["auth_config"]["jwt_secret"], service_id=first["id"], exp=int(time.time()) + 60)
    assert ask(port, "target", headers={"Authorization": "Bearer " + text}).status == 200
    assert ask(port, "target", headers={"X-API-Key": second["auth_config"]["api_key"]}).status == 200
    assert ask(port, "target", headers={"Authorization": "Bearer x.y.z"}).status == 403
    assert ask(port, "target").status == 403


def test_source_addresses(world, upstream, port):
    world.service("target", upstream("target"))
    world.service("near", 1)
    world.service("far", 1, address="192.0.2.1")
    world.service("other", upstream("other"))
    world.mapping(["near"], ["target"], ["http"])
    world.mapping(["far"], ["other"], ["http"])
    assert ask(port, "target").status == 200
    assert ask(port, "other").status == 403


def test_tcp_speaks_first(world, port):
    greeter = Greeter("hello from tcp")
    world.service("greeter", greeter.port)
    world.mapping(["any"], ["greeter"], ["tcp"])
    assert first_words(port) == "hello from tcp"
    greeter.stop()


def test_tcp_is_told_apart_by_source(world, port):
    near, far = Greeter("near"), Greeter("far")
    world.service("a", 1, address="127.0.0.5")
    world.service("b", 1, address="127.0.0.6")
    world.service("near", near.port)
    world.service("far", far.port)
    world.mapping(["a"], ["near"], ["tcp"])
    world.mapping(["b"], ["far"], ["tcp"])
    assert first_words(port, "127.0.0.5") == "near"
    assert first_words(port, "127.0.0.6") == "far"
    assert first_words(port, "127.0.0.7") == ""
    near.stop()
    far.stop()


@pytest.mark.every_version
def test_http_and_tcp_share_a_port(world, upstream, port):
    greeter = Greeter("hello from tcp")
    world.service("web", upstream("web"))
    world.service("greeter", greeter.port)
    world.mapping(["any"], ["web"], ["http"])
    world.mapping(["any"], ["greeter"], ["tcp"])
    assert ask(port, "web").seen()["upstream"] == "web"
    assert first_words(port) == "hello from tcp"
    greeter.stop()


def test_tcp_with_auth_is_denied(world, port):
    greeter = Greeter("hello")
    world.service("greeter", greeter.port)
    world.service("caller", 1, auth_type="jwt")
    mapping = world.mapping(["caller"], ["greeter"], ["tcp"], auth_required=True)
    assert not first_words(port)
    status = world.status("mappings", mapping)
    assert status["state"] == "unsupported"
    assert "client certificate" in status["reasons"][0]["message"]
    greeter.stop()


@pytest.mark.every_version
def test_udp(world, port):
    echo = UdpEcho("pong ")
    world.service("echo", echo.port)
    world.mapping(["any"], ["echo"], ["udp"])
    assert ask_udp(port, "ping") == "pong ping"
    echo.stop()


@pytest.mark.every_version
def test_udp_by_source(world, port):
    near, far = UdpEcho("near "), UdpEcho("far ")
    world.service("a", 1, address="127.0.0.5", auth_type="jwt")
    world.service("b", 1, address="127.0.0.6")
    world.service("near", near.port)
    world.service("far", far.port)
    world.mapping(["a"], ["near"], ["udp"], auth_required=True)
    world.mapping(["b"], ["far"], ["udp"])
    assert ask_udp(port, "x", "127.0.0.5") == "near x"
    assert ask_udp(port, "x", "127.0.0.6") == "far x"
    assert ask_udp(port, "x", "127.0.0.7", patience=0.5) is None
    near.stop()
    far.stop()


@pytest.mark.every_version
def test_edits_do_not_touch_the_listener(world, egress, upstream, port):
    world.service("alpha", upstream("alpha"))
    world.mapping(["any"], ["alpha"], ["http"])
    ask(port, "alpha")
    before = egress.statistics("listener_manager.listener_(modified|in_place_updated|create_success)$")
    world.mapping(["any"], ["alpha"], ["http"], hosts=["later.example.com"])
    assert ask(port, "later.example.com").status == 200
    assert egress.statistics("listener_manager.listener_(modified|in_place_updated|create_success)$") == before


@pytest.mark.every_version
def test_endpoints_by_name(world, upstream, port):
    world.service("named", upstream("named"), address="localhost")
    world.mapping(["any"], ["named"], ["http"])
    eventually(lambda: ask(port, "named").status == 200, "the name is resolved")


def test_shadowed_hosts_say_who_has_them(world, upstream, port):
    world.service("alpha", upstream("alpha"), address="127.0.0.1")
    world.service("beta", upstream("beta"), address="localhost")
    first = world.mapping(["any"], ["alpha"], ["http"], hosts=["h"])
    second = world.mapping(["any"], ["beta"], ["http"], hosts=["h"])
    assert ask(port, "h").seen()["upstream"] == "alpha"
    status = world.status("mappings", second)
    assert status["state"] == "shadowed"
    assert f"mapping {first['id']}" in status["reasons"][0]["message"]
