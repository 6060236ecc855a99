"""TLS between a real Envoy and the xDS port, beside the manager's own authority: files, and client certificates."""

import json

import pytest

from stand.certificates import Authority
from stand.control_plane import Manager
from stand.program import ENVOY, OLDEST_ENVOY, Program
from stand.proxy import BareEnvoy, Proxy
from stand.traffic import request
from stand.waiting import eventually, free_port


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def files(tmp_path, authority):
    """Writes a certificate and its key; their names."""
    def write(pair, name):
        certificate, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        certificate.write_text(pair.certificate)
        key.write_text(pair.key)
        return certificate, key

    (tmp_path / "authority.pem").write_text(authority.pem)
    return write


def serves(manager, demo_ports):
    port = free_port()
    manager.api.service("web", demo_ports["web"])
    manager.api.mapping("web", port)
    return request(port, "web").service == "web"


def test_certificate_from_files_by_an_authority_of_ones_own(tmp_path, files, authority, demo_ports):
    certificate, key = files(authority.issue("127.0.0.1"), "server")
    with Manager(tmp_path, MARCHPROXY_XDS_TLS="files", MARCHPROXY_XDS_CERTIFICATE=certificate,
                 MARCHPROXY_XDS_KEY=key) as manager:
        manager.start()
        with Proxy(manager, tmp_path, more=["--xds-ca-file", tmp_path / "authority.pem"]) as proxy:
            proxy.start()
            assert serves(manager, demo_ports)


def test_client_certificate_is_asked_for_and_shown(tmp_path, files, authority, demo_ports):
    with Manager(tmp_path, MARCHPROXY_XDS_CLIENT_CA=tmp_path / "authority.pem") as manager:
        manager.start()
        with Proxy(manager, tmp_path) as without:
            Program.start(without)
            refused = manager.enrolment.get("/proxy/grpc-bootstrap").expect(400).error["details"]
            assert refused["field"] == "certificate_file"
            without.says("400 VALIDATION_ERROR.*certificate_file: Is required: the xDS port asks for a client certificate")
        own = files(authority.issue("edge-1"), "edge-1")
        shown = ["--xds-certificate-file", own[0], "--xds-key-file", own[1]]
        with Proxy(manager, tmp_path, more=shown) as proxy:
            proxy.start()
            assert serves(manager, demo_ports)
            bootstrap = (proxy.state / "bootstrap.json").read_text()
            secret = proxy.state / "client_certificate.json"
            assert str(secret) in bootstrap
        assert "PRIVATE KEY" not in bootstrap + secret.read_text(), "they name the files"
        strange = files(Authority().issue("edge-1"), "strange")
        told = secret.read_text()
        for mine, other in zip(own, strange):
            told = told.replace(str(mine), str(other))
        secret.write_text(told)
        with BareEnvoy(json.loads(bootstrap), tmp_path) as envoy:
            envoy.start()
            envoy.says("TLS_error.*ALERT")
            assert manager.metric("marchproxy_xds_streams") == 0


@pytest.mark.parametrize("envoy", [ENVOY, OLDEST_ENVOY], ids=["newest", "oldest"])
def test_renewed_client_certificate_is_shown_without_a_restart(tmp_path, files, authority, demo_ports, envoy):
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority.pem)
    with Manager(tmp_path, MARCHPROXY_XDS_CLIENT_CA=trusted) as manager:
        manager.start()
        own = files(authority.issue("edge-1"), "edge-1")
        shown = ["--xds-certificate-file", own[0], "--xds-key-file", own[1]]
        with Proxy(manager, tmp_path, envoy=envoy, more=shown) as proxy:
            proxy.start()
            assert serves(manager, demo_ports)
            process = proxy.envoy_pid
            other = Authority()
            renewed = other.issue("edge-1")
            for file, drafted in zip(own, files(renewed, "draft")):
                drafted.rename(file)
            serial = f"{renewed.serial:x}"
            eventually(lambda: serial in proxy.admin.get("/certs"), "Envoy has read the certificate")
            trusted.write_text(other.pem)
            manager.restart()
            proxy.wait_connected()
            assert proxy.envoy_pid == process
