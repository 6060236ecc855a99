"""marchctl fleet simulate against a manager: it does on many streams what Envoy does on one."""

import json
import subprocess

import pytest

from marchctl_stand import MARCHCTL, Marchctl
from stand.certificates import Authority
from stand.control_plane import KEY, PASSWORD, Manager
from stand.program import PATIENCE, environment
from stand.waiting import eventually

PROXIES = 3  # what the Community edition has room for


@pytest.fixture
def manager(tmp_path):
    with Manager(tmp_path, MARCHPROXY_XDS_TLS="off") as made:
        made.start()
        yield made


def make_route(manager, number, source="any"):
    manager.api.post("/services", {"name": f"s{number}", "ip_fqdn": "10.0.0.1", "port": 80 + number, "cluster_id": 1,
                                   "collection": "c"}).expect(201)
    manager.api.post("/mappings", {"source_services": [source], "dest_services": [f"s{number}"], "cluster_id": 1,
                                   "protocols": ["http"], "ports": [80], "hosts": [f"h{number}.example"]}).expect(201)


class Fleet:
    def __init__(self, manager, folder, *flags, proxies=PROXIES):
        (folder / "key").write_text(KEY + "\n")
        self.run("--xds", f"127.0.0.1:{manager.xds_port}", "--cluster-key-file", folder / "key", "--proxies",
                 str(proxies), *flags)

    def run(self, *flags, **variables):
        self.process = subprocess.Popen([MARCHCTL, "fleet", "simulate", "-o", "json", *flags], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=environment(**variables))

    def event(self, name):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        found = json.loads(line)
        assert found["event"] == name, found
        return found

    def status(self):
        return self.process.wait(PATIENCE)


@pytest.mark.parametrize("variant", ["delta", "state-of-the-world"])
def test_all_get_ready_follow_a_change_and_reconnect(manager, tmp_path, variant):
    make_route(manager, 1)
    make_route(manager, 2)
    fleet = Fleet(manager, tmp_path, "--variant", variant, "--duration", "600")
    ready = fleet.event("ready")
    assert ready["proxies"] == PROXIES and ready["bytes"] > 0
    # Two clusters, their endpoints, a listener, and scopes or a route configuration, for each.
    assert ready["resources"] >= PROXIES * 6 and ready["resources"] % PROXIES == 0
    service = manager.api.get("/services").expect(200).data["services"][0]
    manager.api.put(f"/services/{service['id']}", {"ip_fqdn": "10.0.0.9", "port": service["port"]}).expect(200)
    change = fleet.event("change")
    assert change["proxies"] == PROXIES and 0 <= change["half_ms"] <= change["all_ms"]
    assert change["resources"] >= PROXIES and change["bytes"] < ready["bytes"]
    fleet.process.terminate()
    assert fleet.status() == 0


def test_a_reconnect_over_tls_brings_nothing_again(tmp_path):
    with Manager(tmp_path) as manager:
        manager.start()
        make_route(manager, 1)
        authority = tmp_path / "ca.pem"
        authority.write_text(manager.api.raw("GET", "/api/v1/certificates/ca").expect(200).text)
        fleet = Fleet(manager, tmp_path, "--xds-ca-file", authority, "--duration", "0", "--reconnect")
        assert fleet.event("ready")["proxies"] == PROXIES
        again = fleet.event("reconnected")
        assert (again["responses"], again["bytes"]) == (0, 0)
        assert fleet.status() == 0


class AskingFleet(Fleet):
    """Is told only how many; the address and the authority it asks the manager for."""

    def __init__(self, marchctl, *flags, proxies=PROXIES):
        self.run("--proxies", str(proxies), "--duration", "0", *flags, **marchctl.variables, MARCHPROXY_CLUSTER_KEY=KEY)


@pytest.mark.parametrize("tls", ["auto", "off"])
def test_who_is_signed_in_needs_no_address(tmp_path, tls):
    with Manager(tmp_path, MARCHPROXY_XDS_TLS=tls) as manager:
        manager.start()
        make_route(manager, 1)
        marchctl = Marchctl(tmp_path)
        marchctl.login(manager, PASSWORD)
        fleet = AskingFleet(marchctl)
        assert fleet.event("ready")["proxies"] == PROXIES
        assert fleet.status() == 0
        words = ("fleet", "simulate", "--proxies", "1")
        told = marchctl(*words, status=1, MARCHPROXY_CLUSTER_KEY="mp_cluster_" + "x" * 40).err
        assert "does not know this cluster key" in told and "x" * 40 not in told
        assert "MARCHPROXY_CLUSTER_KEY, is required" in marchctl(*words, status=2).err
        piped = marchctl(*words, "--duration", "0", "-o", "json", "--cluster-key-file", "-", given=KEY + "\n")
        assert json.loads(piped.lines[0])["proxies"] == 1
        if tls == "off":
            told = marchctl(*words, "--xds-ca-file", tmp_path / "any", status=2, MARCHPROXY_CLUSTER_KEY=KEY).err
            assert "the xDS port has no TLS" in told


def test_a_port_that_asks_for_client_certificates(tmp_path):
    authority = Authority()
    known = authority.issue("fleet")
    (tmp_path / "authority.pem").write_text(authority.pem)
    (tmp_path / "fleet.pem").write_text(known.certificate)
    (tmp_path / "fleet.key").write_text(known.key)
    with Manager(tmp_path, MARCHPROXY_XDS_CLIENT_CA=tmp_path / "authority.pem") as manager:
        manager.start()
        make_route(manager, 1)
        marchctl = Marchctl(tmp_path, MARCHPROXY_SERVER=manager.url)
        told = marchctl("fleet", "simulate", status=2, MARCHPROXY_CLUSTER_KEY=KEY).err
        assert "--xds-certificate-file and --xds-key-file are required" in told and len(told.splitlines()) == 1
        marchctl.login(manager, PASSWORD)
        certificate = ("--xds-certificate-file", tmp_path / "fleet.pem", "--xds-key-file", tmp_path / "fleet.key")
        fleet = AskingFleet(marchctl, *certificate)
        assert fleet.event("ready")["proxies"] == PROXIES
        assert fleet.status() == 0


def test_a_port_with_a_certificate_of_another_authority(tmp_path):
    authority = Authority()
    pair = authority.issue("127.0.0.1")
    for name, text in (("authority.pem", authority.pem), ("port.pem", pair.certificate), ("port.key", pair.key)):
        (tmp_path / name).write_text(text)
    with Manager(tmp_path, MARCHPROXY_XDS_TLS="files", MARCHPROXY_XDS_CERTIFICATE=tmp_path / "port.pem",
                 MARCHPROXY_XDS_KEY=tmp_path / "port.key") as manager:
        manager.start()
        make_route(manager, 1)
        marchctl = Marchctl(tmp_path, MARCHPROXY_SERVER=manager.url)
        told = marchctl("fleet", "simulate", status=2, MARCHPROXY_CLUSTER_KEY=KEY).err
        assert "--xds-ca-file is required" in told and len(told.splitlines()) == 1
        fleet = AskingFleet(marchctl, "--xds-ca-file", tmp_path / "authority.pem")
        assert fleet.event("ready")["proxies"] == PROXIES
        assert fleet.status() == 0


def test_streams_share_connections_when_told(manager, tmp_path):
    make_route(manager, 1)
    fleet = Fleet(manager, tmp_path, "--duration", "0", "--streams-per-connection", "3", "--type", "ingress")
    assert fleet.event("ready")["proxies"] == PROXIES
    assert fleet.status() == 0
    kinds = {proxy["proxy_type"] for proxy in manager.api.get("/proxies").expect(200).data["proxies"]}
    assert kinds == {"ingress"}


def test_who_is_refused_is_told(manager, tmp_path):
    make_route(manager, 1)
    fleet = Fleet(manager, tmp_path, "--ready-timeout", "3", proxies=PROXIES + 1)
    assert fleet.event("ready")["proxies"] == PROXIES
    lost = fleet.event("lost")
    assert (lost["proxies"], lost["grpc_status"]) == (1, 8)  # RESOURCE_EXHAUSTED
    assert fleet.status() == 1


def test_a_change_reaches_only_whom_it_concerns(manager, tmp_path):
    make_route(manager, 1)
    fleets = {kind: Fleet(manager, tmp_path, "--type", kind, "--node-prefix", kind, "--duration", "600", proxies=1)
              for kind in ("egress", "ingress")}
    for fleet in fleets.values():
        fleet.event("ready")
    make_route(manager, 2, "s1")  # not from anybody, so no ingress serves it
    assert fleets["egress"].event("change")["proxies"] == 1
    for fleet in fleets.values():
        fleet.process.terminate()
    assert "change" not in fleets["ingress"].process.stdout.read()


def test_wrong_usage(tmp_path):
    marchctl = Marchctl(tmp_path)
    assert "--xds" in marchctl("fleet", "simulate", "--help").out
    assert "--cluster-key-file, or" in marchctl("fleet", "simulate", status=2).err
    assert "no server" in marchctl("fleet", "simulate", status=2, MARCHPROXY_CLUSTER_KEY=KEY).err
    assert "belong together" in marchctl("fleet", "simulate", "--xds-key-file", "half", status=2).err
    assert "missing: No such file" in marchctl("fleet", "simulate", "--cluster-key-file", "missing", status=2).err
    key = tmp_path / "key"
    key.write_text("k")
    words = ("fleet", "simulate", "--xds", "127.0.0.1:1", "--cluster-key-file", key)
    assert "proxies" in marchctl(*words, "--proxies", "0", status=2).err
    assert "belong together" in marchctl(*words, "--xds-certificate-file", key, status=2).err
    assert "needs --xds-ca-file" in marchctl(*words, "--xds-certificate-file", key, "--xds-key-file", key, status=2).err
    assert "cannot read" in marchctl(*words, "--xds-ca-file", "missing", status=2).err
    assert "table and json" in marchctl(*words, "-o", "yaml", status=2).err


def test_nobody_there(tmp_path):
    key = tmp_path / "key"
    key.write_text("k")
    done = Marchctl(tmp_path)("fleet", "simulate", "--xds", "127.0.0.1:1", "--cluster-key-file", key, "--proxies", "2", status=1)
    assert "lost" in done.out
