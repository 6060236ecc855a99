"""marchctl keep-certificate: files of a service's certificate that stay good, with a real manager."""

import datetime
import os
import signal
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from marchctl_stand import MARCHCTL, Marchctl
from stand.clock import ManagerOnClock
from stand.control_plane import PASSWORD, Manager
from stand.program import Program
from stand.waiting import eventually

TTL = 300  # the shortest that the API takes


class Keeper(Program):
    def __init__(self, marchctl, folder, target, *flags):
        command = [MARCHCTL, "keep-certificate", "service", "web", "--directory", target, "--ttl", TTL, *flags]
        super().__init__("keeper", command, folder / "keeper.log", **marchctl.variables)


def make_service(manager):
    manager.api.post("/services", {"name": "web", "ip_fqdn": "10.0.0.1", "port": 80, "cluster_id": 1, "collection": "c",
                                   "auth_type": "jwt"}).expect(201)


def certificate_in(target):
    """The certificate, which has the key and comes from the authority that lie beside it."""
    files = (target / "current").resolve()  # no renewal comes between them
    found = x509.load_pem_x509_certificate((files / "certificate.pem").read_bytes())
    key = load_pem_private_key((files / "key.pem").read_bytes(), None)
    public = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert key.public_key().public_bytes(*public) == found.public_key().public_bytes(*public)
    authority = x509.load_pem_x509_certificate((files / "ca.pem").read_bytes())
    assert found.issuer == authority.subject
    assert stat.S_IMODE((files / "key.pem").stat().st_mode) == 0o600
    for name in ("certificate.pem", "key.pem", "ca.pem"):
        assert os.readlink(target / name) == f"current/{name}"
    return found


@pytest.fixture
def target(tmp_path):
    return tmp_path / "tls" / "web"


def test_it_is_there_when_the_manager_is_and_stays_when_that_is_away(tmp_path, target):
    with Manager(tmp_path) as manager:
        manager.start()
        make_service(manager)
        marchctl = Marchctl(tmp_path)
        marchctl.login(manager, PASSWORD)
        manager.stop()
        with Keeper(marchctl, tmp_path, target) as keeper:
            keeper.start()
            keeper.says("cannot reach .*; trying again in 1 s")
            manager.start()
            keeper.says("a new certificate in .*web, good until 20")
            first = certificate_in(target)
            again = marchctl("keep-certificate", "service", "web", "--directory", target, "--once", status=2)
            assert "another marchctl keeps this folder" in again.err
            keeper.send(signal.SIGTERM)
            assert keeper.process.wait(10) == 0
        manager.stop()
        words = ("keep-certificate", "service", "web", "--directory", target, "--once", "--ttl")
        assert marchctl(*words, TTL).err == ""  # it is not time, so nobody is asked
        assert certificate_in(target) == first
        assert "cannot reach" in marchctl(*words, TTL + 1, status=3).err
        assert certificate_in(target) == first


def test_it_is_renewed_by_itself(tmp_path, target):
    hook = tmp_path / "hook"
    hook.write_text('#!/bin/sh\nopenssl x509 -in "$1/certificate.pem" -noout -serial >> "$1/serials"\n'
                    'echo "${MARCHPROXY_TOKEN-none}" >> "$1/serials"\n')
    hook.chmod(0o755)
    with ManagerOnClock(tmp_path) as manager:
        manager.start()
        make_service(manager)
        # For this machine almost all of a certificate's life is over when it comes.
        manager.move(datetime.timedelta(seconds=5 - TTL))
        token = manager.api.post("/auth/api-keys", {"name": "keeper", "permissions": ["read", "write"]})
        marchctl = Marchctl(tmp_path, MARCHPROXY_SERVER=manager.url, MARCHPROXY_TOKEN=token.expect(201).data["key"])
        with Keeper(marchctl, tmp_path, target, "--exec", hook) as keeper:
            keeper.start()
            keeper.says("a new certificate")
            first = certificate_in(target)
            serials = target / "serials"
            eventually(lambda: serials.exists() and serials.read_text().count("none\n") >= 2, "the next one is there")
            assert certificate_in(target) != first
            keeper.send(signal.SIGINT)
            assert keeper.process.wait(10) == 0
            assert len(set(serials.read_text().splitlines())) >= 3  # two serial numbers, and "none"
        issued = manager.api.get("/issued-certificates").expect(200).data["issued_certificates"]
        assert first.serial_number in {int(each["serial"], 16) for each in issued}


def test_the_program_is_run_until_it_succeeds(tmp_path, target):
    hook = tmp_path / "hook"
    hook.write_text('#!/bin/sh\ntest -e "$1/ready" && echo told >> "$1/calls"\n')
    hook.chmod(0o755)
    with Manager(tmp_path) as manager:
        manager.start()
        make_service(manager)
        marchctl = Marchctl(tmp_path)
        marchctl.login(manager, PASSWORD)
        words = ("keep-certificate", "service", "web", "--directory", target, "--ttl", TTL, "--exec", hook, "--once")
        assert "hook: ended with 1" in marchctl(*words, status=1).err
        first = certificate_in(target)
        assert "hook: ended with 1" in marchctl(*words, status=1).err
        (target / "ready").touch()
        for _ in range(2):
            assert marchctl(*words).err == ""
        assert (target / "calls").read_text() == "told\n"
        assert certificate_in(target) == first


def test_wrong_usage(tmp_path, target):
    with Manager(tmp_path) as manager:
        manager.start()
        marchctl = Marchctl(tmp_path)
        marchctl.login(manager, PASSWORD)
        words = ("keep-certificate", "service", "web")
        assert "--directory" in marchctl(*words, status=2).err
        assert "--ttl" in marchctl(*words, "--directory", target, "--ttl", "299", status=2).err
        assert "no service is called web" in marchctl(*words, "--directory", target, status=1).err
        (tmp_path / "file").write_text("")
        assert "file" in marchctl(*words, "--directory", tmp_path / "file", status=2).err
        (target / "key.pem").write_text("another's")
        told = marchctl(*words, "--directory", target, status=2).err
        assert "key.pem: is in the way, and is not a link" in told
        assert (target / "key.pem").read_text() == "another's"
