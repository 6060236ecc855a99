"""marchctl with a licence: several clusters, names that are not unique, certificates."""

import re
import subprocess

import pytest

from marchctl_stand import Marchctl
from stand.control_plane import PASSWORD, Manager
from stand.license_server import KEY, LicenseServer
from stand.waiting import PATIENCE

FLEET = """
kind: service
cluster: east
name: web
ip_fqdn: 10.1.0.1
collection: shop
---
kind: cluster
name: east
description: In the east
syslog_endpoint: log.example:514
---
kind: service
cluster: default
name: web
ip_fqdn: 10.0.0.1
collection: shop
---
kind: mapping
cluster: east
source_services: [any]
dest_services: [web]
protocols: [http]
ports: [80]
---
kind: user
username: easterner
email: easterner@example.com
clusters: [east]
"""


@pytest.fixture(scope="module")
def ctl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("enterprise")
    with LicenseServer() as server, Manager(folder, MARCHPROXY_LICENSE_SERVER_URL=server.url) as manager:
        made = Marchctl(folder)
        made.login(manager.start(), PASSWORD)
        assert made("license", "-o", "json").json["license_type"] == "community"
        assert made("list", "clusters", "-o", "name").lines == ["default"]
        taken = made("validate-license", "--license-key-stdin", "-o", "json", given=KEY + "\n")
        assert taken.json["valid"] and KEY not in taken.out
        yield made


@pytest.fixture(scope="module")
def fleet(ctl):
    return ctl("apply", "-f", "-", given=FLEET)


@pytest.fixture
def pem(tmp_path):
    """A certificate of its own authority, and its key."""
    certificate, key = tmp_path / "web.pem", tmp_path / "web.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "90", "-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example", "-keyout",
                    key, "-out", certificate], check=True, capture_output=True, timeout=PATIENCE)
    return certificate, key


def test_clusters_are_made_before_what_is_in_them(ctl, fleet):
    assert re.search(r"^  api_key: mp_cluster_\S+$", fleet.out, re.MULTILINE), "shown this once"
    assert fleet.lines[-1] == "5 created, 0 changed, 0 deleted, 0 unchanged"
    assert ctl("apply", "-f", "-", given=FLEET).out == "0 created, 0 changed, 0 deleted, 5 unchanged\n"
    assert ctl("get", "user", "easterner", "-o", "yaml").out.count("clusters: [2]") == 1
    exported = ctl("export", "--cluster", "east").out
    assert "name: default" not in exported and exported.count("kind: ") == 3
    assert ctl("apply", "-f", "-", given=exported).lines[-1] == "0 created, 0 changed, 0 deleted, 3 unchanged"


def test_a_name_in_two_clusters_wants_one_named(ctl, fleet):
    done = ctl("get", "service", "web", status=1)
    assert re.fullmatch(r"marchctl: several services are called web: \d+, \d+; name the cluster or the id\n", done.err)
    assert ctl("get", "service", "web", "--cluster", "east", "-o", "json").json["ip_fqdn"] == "10.1.0.1"
    ctl("update", "service", "web", "--cluster", "default", "--port", 81)
    assert [each["port"] for each in ctl("list", "services", "--sort", "id", "-o", "json").json].count(81) == 1
    assert "cluster_id" in ctl("create", "service", "--name", "x", "--ip-fqdn", "x", "--collection", "x", status=1).err


def test_files_must_name_the_cluster_where_there_are_several(ctl, fleet):
    done = ctl("apply", "-f", "-", given="kind: service\nname: x\nip_fqdn: x\ncollection: x\n", status=2)
    assert "cluster: Is required, as there are several" in done.err


def test_prune_keeps_to_the_clusters_of_the_files(ctl, fleet):
    file = "kind: service\ncluster: east\nname: other\nip_fqdn: o.example\ncollection: o\n"
    done = ctl("apply", "-f", "-", "--prune", "--yes", given=file)
    assert done.lines[-1] == "1 created, 0 changed, 1 deleted, 0 unchanged"
    assert sorted(ctl("list", "services", "-o", "name").lines) == ["other", "web"]
    ctl("apply", "-f", "-", given=FLEET)


def test_a_certificate_from_upload_to_revocation(ctl, pem):
    certificate, key = pem
    made = ctl("create", "certificate", "--name", "shop", "--cert-file", certificate, "--key-file", key,
               "--cluster", "default", "-o", "json").json
    assert made["common_name"] == "shop.example" and made["cluster_id"] == 1
    assert "shop.example" in ctl("list", "certificates", "--status", "active").out
    assert ctl("update", "certificate", "shop", "--auto-renew", "-o", "json").json["auto_renew"] is True
    again = ctl("update", "certificate", "shop", "--cert-file", certificate, "--key-file", key, "-o", "json").json
    assert again["fingerprint_sha256"] == made["fingerprint_sha256"]
    wrong = ctl("create", "certificate", "--name", "wrong", "--cert-file", key, "--key-file", key, status=1)
    assert "cert_file: " in wrong.err and "PRIVATE KEY" not in wrong.err
    assert "/no/such" in ctl("create", "certificate", "--name", "x", "--cert-file", "/no/such", status=2).err
    revoked = ctl("revoke", "certificate", "shop", "--reason", "superseded", "-o", "json").json
    assert revoked["status"] == "revoked" and revoked["revocation_reason"] == "superseded"
    assert ctl("delete", "certificate", "shop", "--force").out.endswith("deleted\n")


def test_a_certificate_in_files(ctl, fleet, pem, tmp_path):
    certificate, key = pem
    folder = tmp_path / "fleet"
    folder.mkdir()
    for file in pem:
        file.rename(folder / file.name)
    document = "kind: certificate\nname: kept\ncert_file: web.pem\nkey_file: web.key\n"
    (folder / "certificate.yaml").write_text(document)

    def apply(status=0):
        return ctl("apply", "-f", folder, status=status)

    shown = ctl("apply", "-f", folder, "--dry-run")
    assert "+fingerprint_sha256: " in shown.out and "PRIVATE" not in shown.out
    done = apply()
    assert "certificate kept created" in done.out and done.lines[-1] == "1 created, 0 changed, 0 deleted, 0 unchanged"
    made = ctl("get", "certificate", "kept", "-o", "json").json
    assert made["cluster_id"] is None and made["fingerprint_sha256"] in shown.out
    assert apply().lines[-1] == "0 created, 0 changed, 0 deleted, 1 unchanged"

    (folder / "certificate.yaml").write_text(document + "auto_renew: true\n")
    assert apply().lines[-1] == "0 created, 1 changed, 0 deleted, 0 unchanged"
    subprocess.run(["openssl", "req", "-x509", "-key", folder / key.name, "-days", "30", "-subj", "/CN=shop.example",
                    "-addext", "subjectAltName=DNS:shop.example", "-out", folder / certificate.name], check=True,
                   capture_output=True, timeout=PATIENCE)
    assert f"-fingerprint_sha256: {made['fingerprint_sha256']}" in apply().out
    changed = ctl("get", "certificate", "kept", "-o", "json").json
    assert changed["id"] == made["id"] and changed["auto_renew"]
    assert changed["fingerprint_sha256"] != made["fingerprint_sha256"]

    assert "kept" not in ctl("export").out
    exported = ctl("export", "certificates").out
    assert exported == "kind: certificate\nname: kept\nauto_renew: true\n", "no file holds keys"
    assert ctl("apply", "-f", "-", given=exported).lines[-1] == "0 created, 0 changed, 0 deleted, 1 unchanged"
    pruned = ctl("apply", "-f", "-", "--prune", "--yes", given=exported.replace("kept", "new"), status=2)
    assert "cert_file: Is required, the name of a file" in pruned.err
    ctl("apply", "-f", folder, "--prune", "--yes")

    (folder / "certificate.yaml").write_text(document.replace("web.pem", "none.pem"))
    assert "cert_file: " in apply(status=2).err
    (folder / "certificate.yaml").write_text(document.replace("web.pem", "web.key"))
    assert "cert_file: holds no certificate in PEM form" in apply(status=2).err
    ctl("delete", "certificate", "kept")


def test_what_the_authority_issues(ctl, fleet, tmp_path):
    made = ctl("generate-wildcard", "--domain", "shop.example", "--cluster", "east", "-o", "json").json
    assert set(made["subject_alt_names"]) == {"*.shop.example", "shop.example"}
    issued = ctl("client-certificate", "service", "web", "--cluster", "default", "-o", "json")
    assert "PRIVATE KEY" in issued.json["private_key"] and "shown this once" in issued.err
    file = tmp_path / "client.pem"
    file.write_text(issued.json["certificate"])
    listed = ctl("list", "issued-certificates", "--status", "active", "-o", "json").json
    assert [each["serial"] for each in listed] == [issued.json["serial"]]
    assert ctl("revoke-issued", "--certificate", file).status == 0
    assert ctl("get", "issued-certificate", issued.json["serial"], "-o", "json").json["status"] == "revoked"
    other = ctl("client-certificate", "service", "web", "--cluster", "default", "-o", "json").json
    revoked = ctl("revoke", "issued-certificate", other["serial"], "--reason", "superseded", "-o", "json").json
    assert revoked["status"] == "revoked" and revoked["revocation_reason"] == "superseded"
    ctl("delete", "certificate", made["name"])
