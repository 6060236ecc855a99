"""Uploaded certificates are renewed by an ACME server: pebble, which refuses some nonces."""

import contextlib
import datetime
import subprocess
import textwrap

import pytest

from stand.acme_server import AcmeServer
from stand.certificates import Authority
from stand.control_plane import Manager
from stand.proxy import Proxy
from stand.rest import Api
from stand.waiting import PATIENCE, eventually, free_port


@pytest.fixture
def manager(tmp_path):
    with Manager(tmp_path) as made:
        yield made


@contextlib.contextmanager
def acme_server(folder, manager, http_port):
    """What the manager is told to use; it looks for proofs at that port of every name."""
    with AcmeServer(folder, http_port) as made:
        manager.variables |= {"MARCHPROXY_ACME_DIRECTORY": made.directory, "MARCHPROXY_ACME_CA": made.authority,
                              "MARCHPROXY_ACME_AGREE_TO_TERMS": "true", "MARCHPROXY_ACME_EMAIL": "ops@shop.test"}
        yield made.start()


@pytest.fixture
def server(tmp_path, manager):
    with acme_server(tmp_path, manager, manager.http_port) as made:
        yield made


CONFIGURATION = """\
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
"""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=PATIENCE)


def upload(manager, folder, *names, age=0, left=30):
    """A certificate signed by itself, that many days old and good for that many more; its id."""
    (folder / "own.conf").write_text(CONFIGURATION)
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            f"/CN={names[0]}", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
            "-keyout", "old.key", "-out", "old.csr")
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (time.strftime("%Y%m%d%H%M%SZ") for time in (now - age * day, now + left * day))
    openssl(folder, "ca", "-config", "own.conf", "-selfsign", "-batch", "-notext", "-keyfile", "old.key", "-in", "old.csr",
            "-out", "old.pem", "-startdate", begin, "-enddate", end)
    parts = {"name": names[0], "cert_file": (folder / "old.pem").read_text(),
             "key_file": (folder / "old.key").read_text(), "auto_renew": "true"}
    return manager.api.form("POST", "/certificates", parts).expect(201).data["id"]


def certificate_of(manager, id):
    return manager.api.get(f"/certificates/{id}").expect(200).data


def renewed(manager, id):
    """The certificate, once it comes from the ACME server."""
    return eventually(lambda: certificate_of(manager, id) if certificate_of(manager, id)["source_type"] == "acme"
                      else None, "the certificate is renewed")


def test_renewal_on_demand_by_http(manager, server, tmp_path):
    manager.start()
    id = upload(manager, tmp_path, "shop.test", "www.shop.test")
    before = certificate_of(manager, id)
    assert before["source_type"] == "file" and before["renewal"] is None
    asked = manager.api.post(f"/certificates/{id}/renew").expect(200).data
    assert asked["renewal"] and asked["renewal"]["failures"] == 0
    after = renewed(manager, id)
    assert after["fingerprint_sha256"] != before["fingerprint_sha256"] and after["auto_renew"] is True
    assert sorted(after["subject_alt_names"]) == ["shop.test", "www.shop.test"] and after["renewal"] is None
    assert after["status"] == "active" and after["name"] == "shop.test"
    delivered = manager.enrolment.get("/config/1").expect(200).data["certificates"]
    assert [each["id"] for each in delivered] == [id] and "BEGIN PRIVATE KEY" in delivered[0]["key_data"]
    assert "PRIVATE" not in manager.text()
    assert Api(manager.http_port).raw("GET", "/.well-known/acme-challenge/none").status == 404


def test_proof_through_a_proxy(manager, tmp_path):
    """Port 80 of the name is the proxy's: a mapping of the one path leads to the manager."""
    port = free_port()
    with acme_server(tmp_path, manager, port), Proxy(manager.start(), tmp_path) as proxy:
        proxy.start()
        manager.api.service("manager", manager.http_port)
        manager.api.mapping(["manager"], port, hosts=["shop.test"], path_prefix="/.well-known/acme-challenge")
        id = upload(manager, tmp_path, "shop.test")
        manager.api.post(f"/certificates/{id}/renew").expect(200)
        assert renewed(manager, id)["subject_alt_names"] == ["shop.test"]
        passed = proxy.admin.stats(r"^http\..*downstream_rq_2xx$")
        assert sum(passed.values()) >= 1, passed


def test_certificate_that_ends_soon_is_renewed_by_itself(manager, server, tmp_path):
    manager.start()
    fresh = upload(manager, tmp_path, "fresh.test", left=90)
    soon = upload(manager, tmp_path, "soon.test", age=80, left=10)
    after = renewed(manager, soon)
    assert after["expires_at"] > certificate_of(manager, fresh)["created_at"]
    assert certificate_of(manager, fresh)["source_type"] == "file"


def test_failure_is_shown_and_tried_again_after_a_restart(manager, server, tmp_path):
    server.refuse_names()
    manager.start()
    id = upload(manager, tmp_path, "lost.test")
    manager.api.post(f"/certificates/{id}/renew").expect(200)
    failed = eventually(lambda: (certificate_of(manager, id)["renewal"] or {}).get("error"), "the failure is shown")
    assert "lost.test" in failed or "dns" in failed.lower() or "error" in failed
    assert manager.metric("marchproxy_certificate_renewals_failing") == 1
    assert certificate_of(manager, id)["source_type"] == "file", "the old one stays"
    server.accept_names()
    manager.restart()
    manager.api.post(f"/certificates/{id}/renew").expect(200)
    renewed(manager, id)
    assert manager.metric("marchproxy_certificate_renewals_failing") == 0


def test_a_failing_renewal_ends_with_its_reason(manager, server, tmp_path):
    """What is replaced, revoked, deleted, or not to be renewed any more is not renewed later behind one's back."""
    server.refuse_names()
    manager.start()
    ids = {name: upload(manager, tmp_path, f"{name}.test") for name in ("replaced", "kept", "revoked", "deleted")}
    for id in ids.values():
        manager.api.post(f"/certificates/{id}/renew").expect(200)
    eventually(lambda: manager.metric("marchproxy_certificate_renewals_failing") == 4, "all have failed")
    renamed = manager.api.form("PUT", f"/certificates/{ids['replaced']}", {"name": "another"}).expect(200).data
    assert renamed["renewal"]["failures"] == 1, "a name is no reason"
    new = Authority().issue("replaced.test")
    parts = {"cert_file": new.certificate, "key_file": new.key, "auto_renew": "false"}
    assert manager.api.form("PUT", f"/certificates/{ids['replaced']}", parts).expect(200).data["renewal"] is None
    kept = manager.api.raw("PATCH", f"/api/v1/certificates/{ids['kept']}", {"auto_renew": False}).expect(200).data
    assert kept["renewal"] is None
    manager.api.post(f"/certificates/{ids['revoked']}/revoke", {"reason": "superseded"}).expect(200)
    manager.api.delete(f"/certificates/{ids['deleted']}").expect(200)
    assert manager.metric("marchproxy_certificate_renewals_failing") == 0


def test_wildcard_by_dns_with_a_hook(manager, server, tmp_path):
    hook = tmp_path / "hook"
    hook.write_text(textwrap.dedent(f"""\
        #!/bin/sh
        echo "$1 $2 $3" >>{tmp_path}/hook.log
        case $1 in
          present) curl -fsS -d "{{\\"host\\": \\"$2.\\", \\"value\\": \\"$3\\"}}" http://127.0.0.1:{server.dns_management}/set-txt ;;
          cleanup) curl -fsS -d "{{\\"host\\": \\"$2.\\"}}" http://127.0.0.1:{server.dns_management}/clear-txt ;;
        esac
        """))
    hook.chmod(0o755)
    manager.variables |= {"MARCHPROXY_ACME_CHALLENGE": "dns-01", "MARCHPROXY_ACME_DNS_HOOK": hook}
    manager.start()
    id = upload(manager, tmp_path, "*.wide.test")
    manager.api.post(f"/certificates/{id}/renew").expect(200)
    assert renewed(manager, id)["subject_alt_names"] == ["*.wide.test"]
    def calls_of_hook():
        return [line.split() for line in (tmp_path / "hook.log").read_text().splitlines()]
    eventually(lambda: len(calls_of_hook()) > 1, "the record is taken away")
    calls = calls_of_hook()
    assert [call[0] for call in calls] == ["present", "cleanup"]
    assert calls[0][1:] == calls[1][1:] and calls[0][1] == "_acme-challenge.wide.test"


def test_a_stop_does_not_wait_for_a_hook(manager, server, tmp_path):
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexec sleep 100\n")
    hook.chmod(0o755)
    manager.variables |= {"MARCHPROXY_ACME_CHALLENGE": "dns-01", "MARCHPROXY_ACME_DNS_HOOK": hook}
    manager.start()
    id = upload(manager, tmp_path, "*.wide.test")
    manager.api.post(f"/certificates/{id}/renew").expect(200)
    eventually((tmp_path / "called").exists, "the hook is called")
    assert manager.stop() == 0


def test_without_a_server_nothing_is_promised(manager, tmp_path):
    manager.start()
    id = upload(manager, tmp_path, "plain.test")
    answer = manager.api.post(f"/certificates/{id}/renew").expect(409)
    assert "acme.directory" in answer.error["message"]


@pytest.mark.parametrize("setting, value, named", [
    ("DIRECTORY", "http://acme.example/dir", "acme.directory"), ("AGREE_TO_TERMS", "false", "acme.agree_to_terms"),
    ("CHALLENGE", "dns-01", "acme.dns_hook"), ("CA", "/nowhere", "acme.ca")])
def test_wrong_settings_end_the_start(manager, tmp_path, setting, value, named):
    manager.variables |= {"MARCHPROXY_ACME_DIRECTORY": "https://acme.example/dir",
                          "MARCHPROXY_ACME_AGREE_TO_TERMS": "true", f"MARCHPROXY_ACME_{setting}": value}
    super(Manager, manager).start()
    assert manager.process.wait(PATIENCE) == 2
    assert named in manager.text() and manager.text().count("\n") == 1
