"""marchproxy-manager: its first start, its stops and crashes, and the data it keeps."""

import http.client
import json
import re
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from stand.control_plane import KEY, PASSWORD, Manager
from stand.program import Program
from stand.rest import Api
from stand.waiting import PATIENCE, eventually


@pytest.fixture
def manager(tmp_path):
    with Manager(tmp_path) as made:
        yield made


def without_secrets(manager):
    del manager.variables["MARCHPROXY_ADMIN_PASSWORD"], manager.variables["MARCHPROXY_CLUSTER_KEY"]
    return manager


def login(manager, password):
    return Api(manager.http_port).post("/auth/login", {"username": "admin", "password": password}).status


def test_first_start_prints_and_keeps_the_secrets(manager):
    without_secrets(manager).start()
    password = manager.says(r"(?m)^admin password: (\S+)$")[1]
    key = manager.says(r"(?m)^default cluster key: (mp_cluster_\S+)$")[1]
    files = {"initial-admin-password": password, "default-cluster-key": key}
    for name, secret in files.items():
        assert (manager.data_dir / name).read_text().strip() == secret
        assert (manager.data_dir / name).stat().st_mode & 0o777 == 0o600
    for file in manager.data_dir.iterdir():
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} is nobody else's"
    assert login(manager, password) == 200
    assert Api(manager.http_port, {"X-Cluster-API-Key": key}).get("/config/1").status == 200
    assert manager.stop() == 0
    manager.start()
    assert "admin password" not in manager.text() and "cluster key" not in manager.text()
    assert login(manager, password) == 200, "the second start changes nothing"


def test_given_secrets_are_neither_printed_nor_kept(manager):
    manager.start()
    assert login(manager, PASSWORD) == 200 and login(manager, "changeme") == 401
    assert manager.enrolment.get("/config/1").status == 200
    assert PASSWORD not in manager.text() and KEY not in manager.text()
    assert not list(manager.data_dir.glob("*password*")) and not list(manager.data_dir.glob("*cluster-key*"))


def test_password_file_goes_when_the_password_is_changed(manager):
    without_secrets(manager).start()
    first = manager.says(r"(?m)^admin password: (\S+)$")[1]
    token = Api(manager.http_port).post("/auth/login", {"username": "admin", "password": first}).data["access_token"]
    api = Api(manager.http_port, {"Authorization": f"Bearer {token}"})
    api.post("/auth/change-password", {"current_password": first, "new_password": PASSWORD}).expect(200)
    assert not (manager.data_dir / "initial-admin-password").exists()
    api.post("/clusters/1/rotate-key").expect(200)
    assert not (manager.data_dir / "default-cluster-key").exists()


def test_second_manager_on_one_data_directory_is_refused(manager, tmp_path):
    manager.start()
    with Manager(tmp_path) as second:
        second.log = tmp_path / "second.log"
        Program.start(second)
        assert second.process.wait(PATIENCE) == 1
        assert "another manager" in second.text() and second.text().count("\n") == 1
    assert Api(manager.http_port).raw("GET", "/healthz").status == 200


def test_newer_schema_is_refused_and_left_alone(manager):
    manager.start()
    assert manager.stop() == 0
    with sqlite3.connect(manager.data_dir / "marchproxy.db") as database:
        database.execute("INSERT INTO migrations (version, name, checksum, applied_at) VALUES (9999, '9999', '', 0)")
    database.close()
    Program.start(manager)
    assert manager.process.wait(PATIENCE) == 1
    assert re.fullmatch(r"marchproxy-manager: .*newer.*\n", manager.text()), manager.text()


def test_another_program_may_read_the_database(manager):
    """SQLite's last user of a file takes its log away: the manager must still count as one."""
    manager.start()
    service = {"ip_fqdn": "10.0.0.1", "collection": "c", "cluster_id": 1}
    for name in ("before", "after"):
        manager.api.post("/services", {"name": name, **service}).expect(201)
        reader = sqlite3.connect(manager.data_dir / "marchproxy.db")
        assert reader.execute("SELECT name FROM services ORDER BY id DESC LIMIT 1").fetchone() == (name,)
        reader.close()
    manager.restart()
    assert manager.api.get("/services").expect(200).data["total"] == 2


def test_healthz_and_metrics_need_no_credential(manager):
    manager.start()
    answer = Api(manager.http_port).raw("GET", "/healthz").expect(200)
    health = answer.json
    assert health["status"] == "healthy" and health["checks"]["database"] == "healthy"
    assert set(health) == {"status", "timestamp", "checks", "version", "uptime"} and health["version"] == "v1.0.0"
    assert "marchproxy_users_total 1" in Api(manager.http_port).raw("GET", "/metrics").expect(200).text


def test_sigterm_answers_what_it_has_read_and_exits_0(manager):
    manager.start()
    statuses = []
    asked = [threading.Thread(target=lambda: statuses.append(login(manager, PASSWORD))) for _ in range(6)]
    for thread in asked:
        thread.start()
    eventually(lambda: len(statuses) > 0, "the first login is through")
    assert manager.stop() == 0
    for thread in asked:
        thread.join(PATIENCE)
    assert set(statuses) == {200}


def test_idle_and_half_sent_connections_do_not_hold_up_the_end(manager):
    manager.start()
    idle = http.client.HTTPConnection("127.0.0.1", manager.http_port, timeout=PATIENCE)
    idle.request("GET", "/healthz")
    assert idle.getresponse().read()
    with socket.create_connection(("127.0.0.1", manager.http_port)) as half:
        half.sendall(b"POST /api/v1/services HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        assert manager.stop() == 0
        assert time.monotonic() - began < 20
    idle.close()


def test_rest_over_tls(manager, tmp_path):
    certificate, key = tmp_path / "rest.pem", tmp_path / "rest.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=manager", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    manager.variables |= {"MARCHPROXY_TLS_CERTIFICATE": certificate, "MARCHPROXY_TLS_KEY": key}
    manager.start()
    api = Api(manager.http_port, authority=certificate)
    assert api.raw("GET", "/healthz").json["status"] == "healthy"
    assert api.post("/auth/login", {"username": "admin", "password": PASSWORD}).status == 200
    with pytest.raises((OSError, http.client.HTTPException)):
        Api(manager.http_port).raw("GET", "/healthz")
    assert api.raw("GET", "/healthz").status == 200, "one bad client hurts nobody"


def test_log_as_json_is_json_in_every_line(manager):
    manager.variables["MARCHPROXY_LOG_FORMAT"] = "json"
    manager.start()
    Api(manager.http_port).get("/services")
    assert manager.stop() == 0
    lines = manager.text().splitlines()
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)
