"""TLS as a real Envoy carries it: ended for names with a certificate, passed through for others, beside HTTP and TCP."""

import contextlib
import datetime
import http.server
import socket
import ssl
import subprocess
import threading
import time

import pytest
from stand.certificates import HOUR, Authority, load, now, serial_of
from stand.waiting import eventually
from translation_stand import UPGRADE, Greeter, ask, connect_tls, first_words, free_ports, token


@pytest.fixture(scope="module")
def authority():
    return Authority()


class TlsUpstream:
    """An HTTP server behind TLS."""

    def __init__(self, name, pair):
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *unused):
                pass

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(name)))
                self.end_headers()
                self.wfile.write(name.encode())

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = pair.server_context().wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def presented(port, name, authority):
    """The serial number of the certificate that a client is shown, or None when it is shown none."""
    try:
        with connect_tls(port, name, authority.client_context()) as connection:
            return serial_of(connection)
    except OSError:
        return None


def ask_tls(port, host, authority, **more):
    return ask(port, host, tls=connect_tls(port, host, authority.client_context()), **more)


@pytest.mark.every_version
def test_the_documents_example(world, upstream, authority):
    ports = free_ports(3)
    world.service("web", upstream("web"), address="localhost")
    world.certificate(authority.issue("web", "www.example.com"))
    world.mapping(["any"], ["web"], ["tcp", "http", "https"], ports, hosts=["www.example.com"])
    for port in ports:
        assert ask(port, "web").seen()["upstream"] == "web"
        within = ask_tls(port, "www.example.com", authority)
        assert within.seen()["headers"]["x-forwarded-proto"] == "https"
        assert ask(port, "nobody", tls=connect_tls(port, "web", authority.client_context())).status == 404
        with socket.create_connection(("127.0.0.1", port), 10) as raw:
            raw.sendall(b"\x01\x02 not HTTP\r\n\r\n")
            assert b"Bad request" in raw.recv(1000), "the service itself answers"


@pytest.mark.every_version
def test_four_protocols_on_one_port(world, upstream, port, authority):
    own = authority.issue("own.example.com")
    far = TlsUpstream("far", own)
    greeter = Greeter("hello from tcp")
    world.service("web", upstream("web"))
    world.service("far", far.port)
    world.service("greeter", greeter.port)
    ended = authority.issue("*.example.net")
    world.certificate(ended)
    world.mapping(["any"], ["web"], ["http", "https"], hosts=["a.example.net", "b.example.net"])
    world.mapping(["any"], ["far"], ["https"], hosts=["own.example.com"])
    world.mapping(["any"], ["greeter"], ["tcp"])
    assert ask(port, "web").seen()["upstream"] == "web"
    for host in ("a.example.net", "b.example.net"):
        assert presented(port, host, authority) == ended.serial
        assert ask_tls(port, host, authority).seen()["upstream"] == "web"
    assert presented(port, "own.example.com", authority) == own.serial, "untouched"
    assert ask_tls(port, "own.example.com", authority).body == "far"
    assert first_words(port) == "hello from tcp", "the server speaks first"
    greeter.stop()
    far.stop()


def test_a_port_of_tcp_alone_does_not_wait(world, port):
    greeter = Greeter("hello")
    world.service("greeter", greeter.port)
    world.mapping(["any"], ["greeter"], ["tcp"])
    fastest = []
    for _ in range(5):
        begin = time.monotonic()
        assert first_words(port) == "hello"
        fastest.append(time.monotonic() - begin)
    assert min(fastest) < 0.25, "less than the inspectors would take"
    greeter.stop()


def test_passed_through_by_source_and_rank(world, port, authority):
    first, second = (TlsUpstream(name, authority.issue("shop.example.com")) for name in ("first", "second"))
    world.service("near", 1, address="127.0.0.5")
    world.service("first", first.port)
    world.service("second", second.port)
    winner = world.mapping(["near"], ["first"], ["https"], hosts=["shop.example.com"])
    world.mapping(["any"], ["second"], ["https"], hosts=["*.example.com"])
    loser = world.mapping(["near"], ["second"], ["https"], hosts=["SHOP.example.com"])

    def reached(name, source):
        connection = connect_tls(port, name, authority.client_context(), source)
        return ask(port, name, tls=connection).body

    assert reached("shop.example.com", "127.0.0.5") == "first"
    with pytest.raises(OSError):
        reached("shop.example.com", "127.0.0.6")
    status = world.status("mappings", loser)
    assert status["state"] == "shadowed"
    assert f"mapping {winner['id']}" in status["reasons"][0]["message"]
    first.stop()
    second.stop()


def test_wss_allows_the_upgrade_and_https_does_not(world, upstream, port, authority):
    world.service("plain", upstream("plain"))
    world.service("chat", upstream("chat"))
    world.certificate(authority.issue("plain", "chat"))
    world.mapping(["any"], ["plain"], ["https", "ws"])
    world.mapping(["any"], ["chat"], ["https", "wss"])
    assert ask_tls(port, "plain", authority, headers=UPGRADE).status == 403
    assert ask(port, "plain", headers=UPGRADE).status == 101
    assert ask_tls(port, "chat", authority, headers=UPGRADE).status == 101
    assert ask_tls(port, "chat", authority).status == 200


def test_credentials_count_within_tls(world, upstream, port, authority):
    world.service("target", upstream("target"))
    caller = world.service("caller", 1, auth_type="jwt")
    world.certificate(authority.issue("target"))
    world.mapping(["caller"], ["target"], ["https"], auth_required=True)
    text = token(caller["auth_config"]["jwt_secret"], service_id=caller["id"], exp=int(time.time()) + 60)
    answer = ask_tls(port, "target", authority, headers={"Authorization": "Bearer " + text})
    assert "authorization" not in answer.seen()["headers"]
    assert ask_tls(port, "target", authority).status in (401, 403)


def test_untouched_tls_proves_nothing(world, port, authority):
    far = TlsUpstream("far", authority.issue("far"))
    world.service("far", far.port)
    world.service("caller", 1, auth_type="jwt")
    mapping = world.mapping(["caller"], ["far"], ["https"], auth_required=True)
    assert presented(port, "far", authority) is None
    status = world.status("mappings", mapping)
    assert status["state"] == "unsupported"
    assert "untouched" in status["reasons"][0]["message"]
    far.stop()


def curl(*arguments, data=b""):
    return subprocess.run(["curl", "-sS", "-m", "20", *arguments], input=data, capture_output=True, timeout=60)


@pytest.mark.every_version
def test_http2_and_grpc_end_to_end(world, manager, upstream, port, authority, tmp_path):
    (tmp_path / "ca.pem").write_text(authority.pem)
    trust = ["--cacert", tmp_path / "ca.pem", "--connect-to", f"::127.0.0.1:{port}", "--http2"]
    world.service("web", upstream("web"))
    world.service("rpc", manager.xds_port, protocol="http2",
                  tls={"enabled": True, "ca_pem": manager.authority(), "server_name": "localhost"})
    world.certificate(authority.issue("web", "rpc"))
    world.mapping(["any"], ["web", "rpc"], ["https"])
    answer = curl(*trust, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "https://web/")
    assert answer.stdout == b"2 200", answer.stderr
    # An empty gRPC message to the manager's own xDS port, whose stream needs a cluster key.
    answer = curl(*trust, "-i", "-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-",
                  "https://rpc/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
                  data=bytes(5))
    assert answer.stdout.startswith(b"HTTP/2 200"), answer.stderr
    assert b"grpc-status: 16" in answer.stdout, answer.stdout


@pytest.mark.every_version
def test_tls_to_the_service_is_verified(world, port, authority):
    far = TlsUpstream("far", authority.issue("inner.example.com"))
    world.service("good", far.port, tls={"enabled": True, "ca_pem": authority.pem, "server_name": "inner.example.com"})
    world.service("named", far.port, tls={"ca_pem": authority.pem, "server_name": "inner.example.com"})
    world.service("wrong", far.port, tls={"enabled": True, "ca_pem": authority.pem, "server_name": "other.example.com"})
    world.service("unknown", far.port, tls={"enabled": True, "ca_pem": Authority().pem, "server_name": "inner.example.com"})
    world.certificate(authority.issue("good", "named", "wrong", "unknown"))
    world.mapping(["any"], ["good", "named", "wrong", "unknown"], ["https"])
    assert ask_tls(port, "good", authority).body == "far"
    assert ask_tls(port, "named", authority).body == "far"
    assert ask_tls(port, "wrong", authority).status == 503
    assert ask_tls(port, "unknown", authority).status == 503
    far.stop()


class Handshakes:
    """Clients that connect as often as they can, and what became of it."""

    def __init__(self, port, name, authority):
        self.port, self.name, self.authority = port, name, authority
        self.shown, self.failures, self.stop = set(), [], threading.Event()
        self.clients = [threading.Thread(target=self.run) for _ in range(4)]

    def run(self):
        while not self.stop.is_set():
            try:
                with connect_tls(self.port, self.name, self.authority.client_context()) as connection:
                    self.shown.add(serial_of(connection))
            except OSError as failure:
                self.failures.append(repr(failure))

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        for client in self.clients:
            client.join()


@pytest.mark.every_version
def test_a_certificate_is_replaced_under_load(world, egress, upstream, port, authority):
    world.service("web", upstream("web"))
    pair = authority.issue("web")
    certificate = world.certificate(pair)
    world.mapping(["any"], ["web"], ["https"])
    eventually(lambda: presented(port, "web", authority) == pair.serial, "the first one")
    listeners = "listener_manager.(listener_(modified|in_place_updated|create_success)|total_listeners_draining)$"
    before = egress.statistics(listeners)
    with connect_tls(port, "web", authority.client_context()) as old:
        serials = [pair.serial]
        with Handshakes(port, "web", authority) as load:
            for _ in range(4):
                pair = authority.issue("web")
                serials.append(pair.serial)
                world.replace(certificate, pair)
                eventually(lambda: serials[-1] in load.shown, "the new one is shown")
        assert load.failures == []
        assert load.shown == set(serials)
        assert egress.statistics(listeners) == before, "no listener was touched"
        assert ask(port, "web", tls=old).status == 200, "a connection from before goes on"
    assert world.delivery(certificate)["state"] == "live"


def test_chains_come_and_go_beside_others_under_load(world, upstream, port, authority):
    far = TlsUpstream("far", authority.issue("far"))
    world.service("web", upstream("web"))
    world.service("other", upstream("other"))
    world.service("far", far.port)
    pair, other = authority.issue("web"), authority.issue("other")
    world.certificate(pair, "web")
    world.mapping(["any"], ["web"], ["https"])
    with connect_tls(port, "web", authority.client_context()) as old:
        with Handshakes(port, "web", authority) as load:
            world.certificate(other, "other")
            world.mapping(["any"], ["other"], ["https"])
            world.mapping(["any"], ["far"], ["https"])
            assert presented(port, "other", authority) == other.serial
            assert ask_tls(port, "far", authority).body == "far"
        assert load.failures == []
        assert load.shown == {pair.serial}
        assert ask(port, "web", tls=old).status == 200, "its chain did not change"
    far.stop()


def test_another_name_of_the_same_target_drains_nothing(world, egress, port, authority):
    far = TlsUpstream("far", authority.issue("one.test", "two.test"))
    world.service("far", far.port)
    world.mapping(["any"], ["far"], ["https"], hosts=["one.test"])
    with connect_tls(port, "one.test", authority.client_context()) as old:
        before = egress.statistics("total_filter_chains_draining$")
        world.mapping(["any"], ["far"], ["https"], hosts=["two.test"])
        assert ask_tls(port, "two.test", authority).body == "far"
        assert list(egress.statistics("total_filter_chains_draining$").values()) <= list(before.values())
        assert ask(port, "one.test", tls=old).body == "far"
    far.stop()


def test_the_later_beginning_counts(world, upstream, port, authority):
    world.service("web", upstream("web"))
    newer = authority.issue("web", begin=now() - HOUR)
    older = authority.issue("web", begin=now() - 2 * HOUR)
    first = world.certificate(newer, "newer")
    second = world.certificate(older, "older")
    world.mapping(["any"], ["web"], ["https"])
    assert presented(port, "web", authority) == newer.serial
    assert world.delivery(first)["state"] == "live"
    shadowed = world.delivery(second)
    assert shadowed["state"] == "shadowed"
    assert "newer" in shadowed["reasons"][0]["message"]


def test_a_certificate_counts_from_its_beginning_to_its_end(world, upstream, port, authority):
    """Nobody asks for anything: the manager sends it when its time has come."""
    world.service("web", upstream("web"))
    base = authority.issue("web", begin=now() - HOUR)
    world.certificate(base, "base")
    world.mapping(["any"], ["web"], ["https"])
    begin = (now() + datetime.timedelta(seconds=4)).replace(microsecond=0)
    later = authority.issue("web", begin=begin, end=begin + datetime.timedelta(seconds=4))
    world.certificate(later, "later")
    assert presented(port, "web", authority) == base.serial
    eventually(lambda: presented(port, "web", authority) == later.serial, "it begins")
    assert now() >= begin
    eventually(lambda: presented(port, "web", authority) == base.serial, "it ends")
    assert now() >= begin + datetime.timedelta(seconds=4)


def test_an_unused_certificate_stays_at_home(world, egress, upstream, port, authority):
    world.service("web", upstream("web"))
    used = world.certificate(authority.issue("web"), "used")
    unused = world.certificate(authority.issue("nobody.example.com"), "unused")
    world.mapping(["any"], ["web"], ["https"])
    assert world.delivery(used)["state"] == "live"
    assert world.delivery(unused)["state"] == "idle"
    assert f"certificate/{used['id']}" in egress.secrets()
    assert f"certificate/{unused['id']}" not in egress.secrets()


def test_edits_do_not_touch_the_listener_of_tls(world, egress, upstream, port, authority):
    world.service("alpha", upstream("alpha"))
    world.certificate(authority.issue("alpha", "*.example.com"))
    world.mapping(["any"], ["alpha"], ["https"], hosts=["first.example.com"])
    assert ask_tls(port, "first.example.com", authority).status == 200
    listeners = "listener_manager.listener_(modified|in_place_updated|create_success)$"
    before = egress.statistics(listeners)
    with contextlib.closing(connect_tls(port, "first.example.com", authority.client_context())) as old:
        world.mapping(["any"], ["alpha"], ["https"], hosts=["later.example.com"])
        assert ask_tls(port, "later.example.com", authority).status == 200
        assert egress.statistics(listeners) == before
        assert ask(port, "first.example.com", tls=old).status == 200


def certify(world, service):
    status, answer = world.call("POST", f"/api/v1/services/{service['id']}/certificate", {"ttl": 600})
    assert status == 201, answer
    return answer


def words_within_tls(port, name, authority, certificate=None):
    """What the server says to who presents that certificate; empty when it says nothing."""
    context = authority.client_context(protocols=())
    if certificate:
        load(context, certificate["certificate"], certificate["private_key"])
    try:
        with connect_tls(port, name, context) as connection:
            return connection.recv(100).decode()
    except OSError:
        return ""


@pytest.mark.every_version
def test_callers_of_tcp_prove_themselves_by_certificate(world, port, authority):
    greeter = Greeter("hello inside")
    world.service("db", greeter.port)
    callers = {name: world.service(name, 1, auth_type="jwt") for name in ("caller", "stranger")}
    world.certificate(authority.issue("db"))
    mapping = world.mapping(["caller"], ["db"], ["tcp"], auth_required=True)
    assert world.status("mappings", mapping) == {"state": "live", "reasons": []}
    first, second, strange = (certify(world, callers[name]) for name in ("caller", "caller", "stranger"))
    assert words_within_tls(port, "db", authority, first) == "hello inside"
    assert words_within_tls(port, "db", authority, strange) == ""
    assert words_within_tls(port, "db", authority) == ""
    assert first_words(port) == "", "nothing in clear"

    status, answer = world.call("POST", "/api/v1/certificates/ca/revoke", {"certificate": first["certificate"]},
                                {"Prefer": "wait=20"})
    assert status == 200, answer
    eventually(lambda: words_within_tls(port, "db", authority, first) == "", "it is revoked")
    assert words_within_tls(port, "db", authority, second) == "hello inside"
    greeter.stop()


def test_a_certificate_of_another_authority_proves_nothing(world, port, authority):
    greeter = Greeter("hello")
    world.service("db", greeter.port)
    world.service("caller", 1, auth_type="api_key")
    world.certificate(authority.issue("db"))
    world.mapping(["caller"], ["db"], ["tcp"], auth_required=True)
    forged = authority.issue("spiffe://marchproxy/default/caller")
    presented_pair = {"certificate": forged.certificate, "private_key": forged.key}
    assert words_within_tls(port, "db", authority, presented_pair) == ""
    greeter.stop()
