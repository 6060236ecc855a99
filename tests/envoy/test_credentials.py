"""auth_required: a real Envoy lets in who proves to be a source, and nobody else."""

import socket

import pytest

from stand.jwt import bearer, make_token
from stand.rest import WAIT, mapping_body
from stand.traffic import is_refused, request, talk, wait_for_status
from stand.waiting import PATIENCE


@pytest.fixture
def caller(api, name):
    """A jwt service, with its secret in auth_config."""
    return api.service(name("caller"), auth_type="jwt")


@pytest.fixture
def guarded(api, demo_ports, name, caller, port):
    """The name of a service that only `caller` may use, on `port`."""
    web = name("guarded")
    api.service(web, demo_ports["web"])
    api.mapping(web, port, source_services=[caller["name"]], auth_required=True)
    return web


def issued(api, service):
    return api.post(f"/services/{service['id']}/token", {}).expect(200, 201).data["token"]


def test_token_of_the_source_passes_and_is_not_forwarded(api, caller, guarded, port):
    reply = request(port, guarded, headers=bearer(issued(api, caller)))
    assert reply.service == "web"
    assert "authorization" not in reply.json["headers"]


def test_without_token_or_with_a_broken_one_nobody_passes(api, caller, guarded, port):
    token = issued(api, caller)
    assert request(port, guarded).status == 401
    assert request(port, guarded, headers=bearer("nonsense")).status == 401
    assert request(port, guarded, headers=bearer(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))).status == 401
    assert request(port, guarded, headers={"Authorization": "Basic YTpi"}).status == 401
    assert request(port, guarded, headers=bearer(make_token("", caller, algorithm="none"))).status == 401


def test_denials_are_told_as_json(api, demo_ports, name, caller, guarded, port):
    def told(reply):
        assert reply.headers["Content-Type"] == "application/json"
        body = reply.json
        assert body["success"] is False and body["request_id"]
        return reply.status, body["error"]["code"], body["error"]["message"]
    assert told(request(port, guarded)) == (401, "AUTHENTICATION_REQUIRED", "Jwt is missing")
    late = bearer(make_token(caller["auth_config"]["jwt_secret"], caller, ends_in=-120))
    assert told(request(port, guarded, headers=late)) == (401, "AUTHENTICATION_REQUIRED", "Jwt is expired")
    stranger, web = name("keyed"), name()
    api.service(stranger, auth_type="api_key")
    api.service(web, demo_ports["web"])
    api.mapping(web, port, source_services=[stranger], auth_required=True)
    assert told(request(port, web))[:2] == (403, "INSUFFICIENT_PERMISSIONS")


def test_tokens_are_good_for_a_minute_more(caller, guarded, port):
    """Clocks differ; RFC 7519 §4.1.4."""
    secret = caller["auth_config"]["jwt_secret"]
    assert request(port, guarded, headers=bearer(make_token(secret, caller, ends_in=-45))).status == 200
    assert request(port, guarded, headers=bearer(make_token(secret, caller, ends_in=-75))).status == 401
    longest = 3600  # unless jwt_expiry says otherwise
    assert request(port, guarded, headers=bearer(make_token(secret, caller, ends_in=longest))).status == 200
    assert request(port, guarded, headers=bearer(make_token(secret, caller, ends_in=longest + 75))).status == 401


def test_token_of_another_service_does_not_pass(api, name, caller, guarded, port):
    other = api.service(name("other"), auth_type="jwt")
    assert request(port, guarded, headers=bearer(issued(api, other))).status in (401, 403)
    pretended = make_token(other["auth_config"]["jwt_secret"], caller)
    assert request(port, guarded, headers=bearer(pretended)).status in (401, 403)


def test_claims_are_looked_at(caller, guarded, port):
    secret = caller["auth_config"]["jwt_secret"]
    assert request(port, guarded, headers=bearer(make_token(secret, caller))).status == 200
    for wrong in ({"ends_in": -120}, {"exp": None}, {"ends_in": 86400 * 30}, {"service_id": 999999},
                  {"service_id": None}):
        assert request(port, guarded, headers=bearer(make_token(secret, caller, **wrong))).status in (401, 403), wrong


def test_old_secret_is_good_until_its_end_and_then_without_any_request(api, caller, guarded, port):
    old = make_token(caller["auth_config"]["jwt_secret"], caller)
    rotated = api.post(f"/services/{caller['id']}/rotate-jwt", headers=WAIT).expect(200)
    assert rotated.state == "live"
    assert request(port, guarded, headers=bearer(old)).status == 200
    assert request(port, guarded, headers=bearer(make_token(rotated.data["new_secret"], caller))).status == 200
    wait_for_status(port, guarded, 401, headers=bearer(old))
    assert request(port, guarded, headers=bearer(make_token(rotated.data["new_secret"], caller))).status == 200


def test_api_key(api, demo_ports, name, port):
    keyed, other, web = name("keyed"), name("other"), name()
    service = api.service(keyed, auth_type="api_key", auth_config={"header": "X-Own-Key"})
    stranger = api.service(other, auth_type="api_key", auth_config={"header": "X-Own-Key"})
    key = service["auth_config"]["api_key"]
    api.service(web, demo_ports["web"])
    api.mapping(web, port, source_services=[keyed], auth_required=True)
    reply = request(port, web, headers={"x-own-key": key})
    assert reply.service == "web" and "x-own-key" not in reply.json["headers"]
    for wrong in ({}, {"X-Own-Key": "nonsense"}, {"X-API-Key": key}, {"X-Own-Key": stranger["auth_config"]["api_key"]},
                  {"X-Own-Key": key + "x"}, bearer(key)):
        assert request(port, web, headers=wrong).status in (401, 403), wrong
    rotated = api.post(f"/services/{service['id']}/rotate-key", headers=WAIT).expect(200)
    new = next(value for field, value in rotated.data.items() if field.startswith("new_"))
    assert request(port, web, headers={"X-Own-Key": key}).status == 200
    assert request(port, web, headers={"X-Own-Key": new}).status == 200
    wait_for_status(port, web, request(port, web).status, headers={"X-Own-Key": key})
    assert request(port, web, headers={"X-Own-Key": new}).status == 200


def test_with_any_source_a_credential_of_the_destination_is_asked_for(api, demo_ports, name, port):
    web, shop = name(), name()
    own = api.service(web, demo_ports["web"], auth_type="jwt")
    other = api.service(shop, demo_ports["shop"], auth_type="jwt")
    api.mapping([web, shop], port, auth_required=True)
    assert request(port, web).status == 401
    assert request(port, web, headers=bearer(issued(api, own))).service == "web"
    assert request(port, shop, headers=bearer(issued(api, other))).service == "shop"


def test_open_mapping_wins_over_a_guarded_one(api, demo_ports, name, caller, guarded, port):
    assert request(port, guarded).status == 401
    opened = api.mapping(guarded, port)
    assert request(port, guarded).service == "web"
    listed = api.get(f"/mappings?dest_service={guarded}").data["mappings"]
    told = [each["status"]["reasons"] for each in listed if each["auth_required"]]
    assert len(told) == 1 and told[0], "the guarded one's status warns"
    api.remove(f"/mappings/{opened['id']}")
    assert request(port, guarded).status == 401


def test_source_that_cannot_prove_itself_is_denied_and_the_status_says_so(api, demo_ports, name, port):
    dns, web = name("dns"), name()
    api.service(dns, address="caller.test")
    api.service(web, demo_ports["web"])
    mapping = api.mapping(web, port, source_services=[dns], auth_required=True)
    assert request(port, web).status in (401, 403)
    assert api.state_of(f"/mappings/{mapping['id']}")["reasons"]


def test_literal_sources_restrict_by_address(api, demo_ports, name, port):
    near, web = name("near"), name()
    api.service(near, address="127.0.0.21")
    api.service(web, demo_ports["web"])
    api.mapping(web, port, source_services=[near])
    assert request(port, web, source="127.0.0.21").service == "web"
    assert request(port, web, source="127.0.0.22").status == 403
    forged = {"X-Forwarded-For": "127.0.0.21"}
    assert request(port, web, source="127.0.0.22", headers=forged).status == 403, "a header proves no address"


def test_literal_sources_restrict_tcp(api, demo_ports, name, port):
    near, lines = name("near"), name()
    api.service(near, address="127.0.0.21")
    api.service(lines, demo_ports["lines"])
    api.mapping(lines, port, protocols=["tcp"], source_services=[near], auth_required=True)
    assert talk(port, "x", source="127.0.0.21") == "lines: x"
    assert talk(port, "x", source="127.0.0.22") == ""


def test_tcp_that_leaves_no_way_to_prove_denies(api, demo_ports, name, caller, port):
    lines = name()
    api.service(lines, demo_ports["lines"])
    body = mapping_body(lines, port, protocols=["tcp"], source_services=[caller["name"]], auth_required=True)
    mapping = api.post("/mappings", body, WAIT).expect(201).data
    assert is_refused(port) or talk(port, "x") == ""
    assert api.state_of(f"/mappings/{mapping['id']}")["reasons"]


def test_literal_sources_that_must_prove_it_do_so_by_address(api, demo_ports, name, port):
    near, web = name("near"), name()
    api.service(near, address="127.0.0.21")
    api.service(web, demo_ports["web"])
    mapping = api.mapping(web, port, source_services=[near], auth_required=True)
    assert request(port, web, source="127.0.0.21").service == "web"
    assert request(port, web, source="127.0.0.22").status == 403
    assert api.state_of(f"/mappings/{mapping['id']}") == {"state": "live", "reasons": []}


def test_token_counts_in_its_header_alone(api, caller, guarded, port):
    token = issued(api, caller)
    assert request(port, guarded, f"/?access_token={token}").status == 401
    assert request(port, guarded, headers={"X-Authorization": f"Bearer {token}"}).status == 401
    assert request(port, guarded, headers={"Cookie": f"token={token}"}).status == 401
    assert request(port, guarded, headers=bearer(token)).status == 200


@pytest.mark.parametrize("kind", ["jwt", "api_key", "none"])
def test_udp_source_known_by_name_is_denied_and_the_status_says_so(api, name, port, kind):
    """A datagram proves an address, and a name is none."""
    with UdpEcho() as echo:
        caller, far, near = name("caller"), name("far"), name("near")
        api.service(caller, address="caller.test", auth_type=kind)
        api.service(near, address="127.0.0.21", auth_type=kind)
        api.service(far, echo.port)
        body = mapping_body(far, port, protocols=["udp"], source_services=[caller], auth_required=True)
        mapping = api.post("/mappings", body, WAIT).expect(201).data
        assert echo.ask(port, "127.0.0.1") is None
        assert api.state_of(f"/mappings/{mapping['id']}")["reasons"]
        api.change(f"/mappings/{mapping['id']}", source_services=[near])
        assert echo.ask(port, "127.0.0.21") == b"pong"
        assert echo.ask(port, "127.0.0.1") is None


class UdpEcho:
    """Answers every datagram."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def ask(self, port, source):
        """What comes back to a datagram, or None."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.bind((source, 0))
            asker.sendto(b"ping", ("127.0.0.1", port))
            self.socket.settimeout(0.5)
            try:
                _, proxy = self.socket.recvfrom(100)
                self.socket.sendto(b"pong", proxy)
                asker.settimeout(PATIENCE)
                return asker.recv(100)
            except TimeoutError:
                return None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()
