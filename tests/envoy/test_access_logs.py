"""Access logs from a real Envoy through the manager to a real syslog daemon (rsyslogd)."""

import json
import socket

import pytest

from stand.certificates import Authority, load
from stand.control_plane import Manager
from stand.jwt import bearer, make_token
from stand.proxy import BareEnvoy, Proxy, bootstrap_of, register
from stand.rest import WAIT
from stand.syslog import SyslogServer
from stand.traffic import Load, connect, request, talk
from stand.waiting import eventually, free_port

SECRET = "never-in-a-log"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory, authority):
    with SyslogServer(tmp_path_factory.mktemp("daemon"), authority) as server:
        yield server.start()


class World:
    """A manager and a proxy of its own: the switches are the whole cluster's."""

    def __init__(self, manager, proxy, daemon, demo_ports):
        self.manager, self.proxy, self.daemon, self.demo_ports = manager, proxy, daemon, demo_ports

    def switch(self, *names, endpoint=None):
        body = {"syslog_endpoint": endpoint or self.daemon.endpoint("udp"),
                **{switch: switch in names for switch in ("log_auth", "log_netflow", "log_debug")}}
        answer = self.manager.api.put("/clusters/1/logging", body, WAIT).expect(200)
        assert answer.state in ("live", "idle"), answer.state  # idle: the proxies need not change

    def entries(self):
        return self.manager.metric("marchproxy_access_log_entries_total")

    def warnings(self):
        found = self.manager.api.get("/clusters/1/status").expect(200).data["warnings"]
        return [warning for warning in found if warning.startswith("syslog")]


@pytest.fixture(scope="module")
def logged(tmp_path_factory, daemon, demo_ports):
    folder = tmp_path_factory.mktemp("logged")
    with Manager(folder, MARCHPROXY_SYSLOG_CA=daemon.folder / "ca.pem", MARCHPROXY_SYSLOG_BUFFER=64) as manager:
        manager.start()
        with Proxy(manager, folder, hostname="edge-1.test") as proxy:
            yield World(manager, proxy.start(), daemon, demo_ports)


@pytest.fixture
def world(logged, daemon):
    daemon.forget()
    yield logged


@pytest.fixture
def api(world):
    return world.manager.api


@pytest.fixture
def guarded(world, api, name, port):
    """A service that two callers may use, by API key and by token, and one for everybody."""
    names = {each: name(each) for each in ("open", "closed", "partner", "batch", "stranger")}
    api.service(names["open"], world.demo_ports["web"])
    api.service(names["closed"], world.demo_ports["shop"])
    partner = api.service(names["partner"], auth_type="api_key")
    batch = api.service(names["batch"], auth_type="jwt")
    api.mapping(names["open"], port)
    mapping = api.mapping(names["closed"], port, source_services=[names["partner"], names["batch"]], auth_required=True)
    return {**names, "port": port, "mapping": str(mapping["id"]), "key": partner["auth_config"]["api_key"],
            "token": make_token(batch["auth_config"]["jwt_secret"], batch)}


def test_decisions_are_recorded_and_nothing_else(world, daemon, guarded):
    world.switch("log_auth")
    port, closed = guarded["port"], guarded["closed"]
    before = world.entries()
    assert request(port, guarded["open"]).status == 200
    assert request(port, closed, headers={"X-API-Key": guarded["key"]}).status == 200
    assert request(port, closed, headers=bearer(guarded["token"])).status == 200
    assert request(port, closed, headers={"X-API-Key": "wrong"}).status == 403
    by_key = daemon.wait_for("auth", decision="allowed", proof="api_key")
    assert by_key.data["caller"] == guarded["partner"] and by_key.data["service"] == closed
    assert by_key.data["mapping"] == guarded["mapping"] and by_key.data["cluster"] == "default"
    assert by_key.data["client"] == "127.0.0.1" and by_key.data["server_port"] == str(port)
    assert (by_key.priority, by_key.host, by_key.application) == ("86", "edge-1.test", "marchproxy")
    assert by_key.process == world.proxy.id and by_key.text == "allowed " + guarded["partner"]
    by_token = daemon.wait_for("auth", decision="allowed", proof="jwt")
    assert by_token.data["caller"] == guarded["batch"]
    denied = daemon.wait_for("auth", decision="denied")
    assert denied.data["mapping"] == guarded["mapping"] and denied.priority == "84" and "caller" not in denied.data
    assert len(daemon.records()) == 3 and world.entries() - before == 3, "what is open is not even sent"


def test_a_token_that_is_refused_is_recorded_with_the_reason(world, api, daemon, name, port):
    caller, target = name("caller"), name("target")
    batch = api.service(caller, auth_type="jwt")
    api.service(target, world.demo_ports["web"])
    mapping = api.mapping(target, port, source_services=[caller], auth_required=True)
    world.switch("log_auth")
    assert request(port, target).status == 401
    missing = daemon.wait_for("auth", decision="denied", reason="Jwt is missing")
    assert missing.data["mapping"] == str(mapping["id"]) and missing.data["service"] == target
    expired = make_token(batch["auth_config"]["jwt_secret"], batch, ends_in=-300)
    assert request(port, target, headers=bearer(expired)).status == 401
    daemon.wait_for("auth", decision="denied", reason="Jwt is expired")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_connections_are_recorded_with_their_bytes(world, api, daemon, name, port, transport):
    lines = name("lines")
    api.service(lines, world.demo_ports["lines"])
    mapping = api.mapping(lines, port, protocols=["tcp"])
    world.switch("log_netflow", endpoint=daemon.endpoint(transport))
    with connect(port) as connection:
        client_port = str(connection.getsockname()[1])
        connection.sendall(b"hello\n")
        assert connection.makefile().readline() == "lines: hello\n"
    flow = daemon.wait_for("netflow", client_port=client_port)
    assert flow.input == transport and flow.priority == "134"
    assert (flow.data["bytes_in"], flow.data["bytes_out"]) == ("6", "13")
    assert flow.data["protocol"] == "tcp" and flow.data["mapping"] == str(mapping["id"])
    assert flow.data["service"] == lines and flow.data["upstream_port"] == str(world.demo_ports["lines"])
    assert float(flow.data["duration_ms"]) > 0


def test_requests_are_recorded_without_what_may_be_secret(world, api, daemon, guarded):
    world.switch("log_auth", "log_netflow", "log_debug", endpoint=daemon.endpoint("tcp"))
    headers = {"X-API-Key": guarded["key"], "Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}",
               "User-Agent": 'a "quoted" [agent] \\ \u00e9', "Referer": f"http://x/?token={SECRET}"}
    assert request(guarded["port"], guarded["closed"], f"/some/path?token={SECRET}&x=1", headers).status == 200
    detail = daemon.wait_for("debug", path="/some/path")
    assert detail.data["method"] == "GET" and detail.data["status"] == "200" and detail.priority == "135"
    assert detail.data["host"] == guarded["closed"] and detail.data["protocol"] == "http/1.1"
    assert detail.data["user_agent"].startswith('a "quoted" [agent] \\ ') and detail.data["request_id"]
    daemon.wait_for("netflow", service=guarded["closed"], mapping=guarded["mapping"])
    daemon.wait_for("auth", decision="allowed", caller=guarded["partner"])
    for secret in (SECRET, guarded["key"], "x=1"):
        assert secret not in daemon.text() and secret not in world.manager.text()


def test_datagrams_are_recorded(world, api, daemon, name, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        target, caller = name("target"), name("caller")
        api.service(target, server.getsockname()[1])
        api.service(caller, address="127.0.0.1")
        mapping = api.mapping(target, port, protocols=["udp"], source_services=[caller], auth_required=True)
        world.switch("log_auth", "log_netflow")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            client.sendto(b"ping!", ("127.0.0.1", port))
            _, peer = server.recvfrom(100)
            server.sendto(b"pong", peer)
            assert client.recvfrom(100)[0] == b"pong"
        # The end of the listener is the end of its sessions.
        api.remove(f"/mappings/{mapping['id']}")
        flow = daemon.wait_for("netflow", protocol="udp", server_port=str(port))
        assert (flow.data["bytes_in"], flow.data["bytes_out"]) == ("5", "4")
        assert flow.data["service"] == target


def test_callers_of_tcp_are_recorded_by_certificate_and_address(world, api, daemon, authority, name, port):
    lines, caller, near = name("lines"), name("caller"), name("near")
    api.service(lines, world.demo_ports["lines"])
    known = api.service(caller, auth_type="jwt")
    api.service(near, address="127.0.0.7")
    pair = authority.issue(lines)
    upload(api, pair, name("certificate"))
    mapping = api.mapping(lines, port, protocols=["tcp"], source_services=[caller], auth_required=True)
    by_address = free_port()
    api.mapping(lines, by_address, protocols=["tcp"], source_services=[near])
    world.switch("log_auth")
    given = api.post(f"/services/{known['id']}/certificate", {"ttl": 600}).expect(201).data
    context = authority.client_context(protocols=())
    with connect(port) as plain, context.wrap_socket(plain, server_hostname=lines) as nobody:
        refused(nobody)
    denied = daemon.wait_for("auth", decision="denied", proof="certificate")
    assert denied.data["mapping"] == str(mapping["id"]) and "TLS" in denied.data["reason"]
    load(context, given["certificate"], given["private_key"])
    with connect(port) as plain, context.wrap_socket(plain, server_hostname=lines) as somebody:
        somebody.sendall(b"in\n")
        assert somebody.recv(100) == b"lines: in\n"
    allowed = daemon.wait_for("auth", decision="allowed", proof="certificate")
    assert allowed.data["caller"] == caller and allowed.data["service"] == lines
    assert talk(by_address, "hello", source="127.0.0.7") == "lines: hello"
    daemon.wait_for("auth", decision="allowed", proof="address", client="127.0.0.7")
    assert talk(by_address, "hello", source="127.0.0.8") == ""
    away = daemon.wait_for("auth", decision="denied", client="127.0.0.8")
    assert away.data["server_port"] == str(by_address)


def refused(connection):
    try:
        connection.sendall(b"in\n")
        assert connection.recv(100) == b""
    except OSError:
        pass


def upload(api, pair, name):
    boundary = "parts-of-a-form"
    parts = {"name": name, "cert_file": pair.certificate, "key_file": pair.key}
    body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"'
                   + (f'; filename="{part}"' if part.endswith("file") else "") + f"\r\n\r\n{text}\r\n"
                   for part, text in parts.items()) + f"--{boundary}--\r\n"
    api.send("POST", "/api/v1/certificates", body,
             {"Content-Type": f"multipart/form-data; boundary={boundary}"}).expect(201)


def test_no_request_is_lost_while_switching_and_off_is_off(world, api, daemon, name, port):
    web, lines, tcp_port = name("web"), name("lines"), free_port()
    api.service(web, world.demo_ports["web"])
    api.service(lines, world.demo_ports["lines"])
    api.mapping(web, port)
    api.mapping(lines, tcp_port, protocols=["tcp"])
    with connect(tcp_port) as old:
        stream = old.makefile("rw")
        print("before", file=stream, flush=True)
        assert stream.readline() == "lines: before\n"
        with Load(port, [(web, {"web"})]) as load_:
            for names in (("log_auth",), ("log_netflow",), ("log_auth", "log_debug"), (), ("log_netflow",), ()):
                world.switch(*names)
                load_.more(100)
        assert load_.failures == []
        print("after", file=stream, flush=True)
        assert stream.readline() == "lines: after\n", "a connection outlives the switches"
    eventually(lambda: world.manager.metric("marchproxy_syslog_waiting_bytes") == 0, "all is sent or dropped")
    before, seen = world.entries(), len(daemon.records())
    listeners = json.loads(world.proxy.admin.get("/config_dump?resource=dynamic_listeners"))["configs"]
    active = [each["active_state"] for each in listeners if "active_state" in each]
    assert active and "access_loggers" not in json.dumps(active), "there is no logger"
    assert request(port, web).status == 200
    assert world.entries() == before and len(daemon.records()) >= seen


def test_a_daemon_that_is_away_costs_records_and_nothing_else(world, api, daemon, name, port):
    web = name("web")
    api.service(web, world.demo_ports["web"])
    api.mapping(web, port)
    world.switch("log_netflow", "log_debug", endpoint=daemon.endpoint("tcp"))
    assert request(port, web).status == 200
    daemon.wait_for("netflow", service=web)
    daemon.stop()
    try:
        with Load(port, [(web, {"web"})]) as load_:
            eventually(lambda: world.manager.metric("marchproxy_syslog_dropped_total") > 0, "the buffer is full")
        assert load_.failures == []
        assert world.manager.metric("marchproxy_syslog_waiting_bytes") <= 64 << 10
        assert world.manager.metric("marchproxy_syslog_reachable") == 0
        assert any(warning.startswith(f"syslog {daemon.endpoint('tcp')}: not reached") for warning in world.warnings())
        daemon.forget()
    finally:
        daemon.start()
    daemon.wait_for("netflow", service=web)
    eventually(lambda: world.manager.metric("marchproxy_syslog_waiting_bytes") == 0, "what was kept is sent")
    assert world.warnings() == [] and world.manager.metric("marchproxy_syslog_reachable") == 1


def test_a_server_without_a_good_certificate_gets_nothing(world, api, daemon, name, port):
    web = name("web")
    api.service(web, world.demo_ports["web"])
    api.mapping(web, port)
    with SyslogServer(daemon.folder, Authority()) as stranger:
        stranger.start()
        world.switch("log_netflow", endpoint=stranger.endpoint("tls"))
        assert request(port, web).status == 200
        eventually(lambda: any("certificate verify failed" in warning for warning in world.warnings()), "it is said")
        assert stranger.text() == ""
        world.switch("log_netflow", endpoint=daemon.endpoint("tls"))
        assert daemon.wait_for("netflow", service=web).input == "tls", "what waited goes to the new endpoint"


def test_without_the_key_no_record_is_taken(world, api, daemon, tmp_path, name, port):
    web = name("web")
    api.service(web, world.demo_ports["web"])
    api.mapping(web, port)
    world.switch("log_netflow")
    proxy_id = register(world.manager, "old.test", address="127.0.0.9")
    bootstrap = bootstrap_of(world.manager, proxy_id)
    options = bootstrap["static_resources"]["clusters"][0]["typed_extension_protocol_options"]
    del options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]["http_filters"]
    refusals = world.manager.metric("marchproxy_access_log_refusals_total")
    with BareEnvoy(bootstrap, tmp_path, "old") as envoy:
        envoy.connect(world.manager)
        assert request(port, web, address="127.0.0.9").status == 200
        eventually(lambda: world.manager.metric("marchproxy_access_log_refusals_total") > refusals, "it is refused")
    assert daemon.find("netflow", server="127.0.0.9") == []
