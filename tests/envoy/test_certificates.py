"""Certificates at a real Envoy: one that the manager's authority issued serves, one that Envoy refuses is told so."""

import json
import re
import subprocess
import http.client
import ssl

import pytest

from stand.certificates import Authority
from stand.control_plane import Manager
from stand.license_server import KEY, LicenseServer
from stand.proxy import bootstrap_of
from stand.rest import WAIT
from stand.traffic import ADDRESS
from stand.waiting import PATIENCE, eventually


@pytest.fixture
def own(tmp_path):
    with LicenseServer() as server, Manager(tmp_path, MARCHPROXY_LICENSE_SERVER_URL=server.url) as manager:
        manager.start()
        assert manager.api.post("/license/validate", {"license_key": KEY}).expect(200).data["valid"]
        yield manager


def ask(port, name, trusted):
    """Who answered within TLS to that name, whose certificate is verified."""
    context = ssl.create_default_context(cadata=trusted)

    class Named(http.client.HTTPSConnection):
        def connect(self):
            http.client.HTTPConnection.connect(self)
            self.sock = context.wrap_socket(self.sock, server_hostname=name)

    connection = Named(ADDRESS, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/", headers={"Host": name})
        return json.loads(connection.getresponse().read())["service"]
    finally:
        connection.close()


def authority_of(manager, proxy):
    """As every bootstrap has it."""
    bootstrap = json.dumps(bootstrap_of(manager, proxy.id))
    return json.loads(re.search(r'"-----BEGIN CERTIFICATE[^"]*"', bootstrap).group())


def test_generated_wildcard_certificate_serves_and_is_renewed(own, proxy, demo_ports, port):
    api = own.api
    api.service("web", demo_ports["web"])
    made = api.post("/certificates/generate-wildcard", {"domain": "company.test"}, WAIT).expect(201).data
    api.mapping("web", port, protocols=["https"], hosts=["a.company.test", "company.test"])
    trusted = authority_of(own, proxy)
    assert ask(port, "a.company.test", trusted) == "web" and ask(port, "company.test", trusted) == "web"
    assert api.get(f"/certificates/{made['id']}").data["delivery"]["state"] == "live"
    renewed = api.post(f"/certificates/{made['id']}/renew", {}, WAIT).expect(200)
    assert renewed.state == "live"
    assert ask(port, "a.company.test", trusted) == "web"


def odd_pair(folder, name):
    """A certificate whose RSA key has a public exponent beyond the 33 bits that Envoy's library takes."""
    key, certificate = folder / "odd.key", folder / "odd.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt",
                    "rsa_keygen_pubexp:1099511627791", "-out", key], check=True, capture_output=True, timeout=PATIENCE)
    subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-days", "2", "-subj", f"/CN={name}", "-addext",
                    f"subjectAltName=DNS:{name}", "-out", certificate], check=True, capture_output=True,
                   timeout=PATIENCE)
    return {"cert_file": certificate.read_text(), "key_file": key.read_text()}


def test_refused_certificate_is_told_and_the_last_good_one_serves_on(own, proxy, demo_ports, port, tmp_path):
    api, authority = own.api, Authority()
    api.service("web", demo_ports["web"])
    good = authority.issue("site.test")
    made = api.form("POST", "/certificates", {"name": "site", "cluster_id": 1, "cert_file": good.certificate,
                                             "key_file": good.key}, WAIT).expect(201).data
    api.mapping("web", port, protocols=["https"], hosts=["site.test"])
    path = f"/certificates/{made['id']}"
    assert ask(port, "site.test", authority.pem) == "web"
    answer = api.form("PUT", path, odd_pair(tmp_path, "site.test"), WAIT).expect(200)
    assert answer.state == "rejected"
    delivery = api.get(path).data["delivery"]
    assert delivery["state"] == "rejected" and answer.data["delivery"] == delivery
    reason = delivery["reasons"][0]
    assert reason["proxy_id"] == proxy.id and reason["message"] and "PRIVATE" not in reason["message"]
    rejected = api.get(f"/proxies/{proxy.id}/config").data["rejected"]
    assert [entry["object"] for entry in rejected] == [{"type": "certificate", "id": made["id"], "name": "site"}]
    assert ask(port, "site.test", authority.pem) == "web", "the last good form serves on"
    better = authority.issue("site.test")
    assert api.form("PUT", path, {"cert_file": better.certificate, "key_file": better.key}, WAIT).state == "live"
    eventually(lambda: api.get(path).data["delivery"]["state"] == "live", "the better one is live")
    assert ask(port, "site.test", authority.pem) == "web"
