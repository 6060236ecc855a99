"""The manager and a licence server over real sockets: what it is told, what it believes, and that nothing waits for it."""

import concurrent.futures
import re
import subprocess
import time

import pytest

from stand.control_plane import MANAGER, Manager
from stand.license_server import KEY, LIES, LicenseServer
from stand.program import PATIENCE, ROOT, environment
from stand.rest import Api
from stand.waiting import eventually

OTHER = "PENG-TEST-0000-0000-0000-WXYZ"
CLUSTER = {"name": "second", "description": "Another one", "syslog_endpoint": "log.example:514"}
PROMPTLY = 3.0


@pytest.fixture
def server():
    with LicenseServer() as made:
        yield made


@pytest.fixture
def manager(tmp_path, server):
    with Manager(tmp_path, MARCHPROXY_LICENSE_SERVER_URL=server.url) as made:
        yield made


def validate(manager, key=KEY):
    return manager.api.post("/license/validate", {"license_key": key})


def status(manager):
    return manager.api.get("/license-status").expect(200).data


def health(manager):
    return Api(manager.http_port).raw("GET", "/healthz").expect(200).json


def test_a_key_opens_clusters_and_outlives_crash_and_silence(manager, server):
    manager.start()
    assert manager.api.get("/clusters").status == 402
    assert manager.api.post("/clusters", CLUSTER).status == 402
    assert validate(manager).expect(200).data["valid"]
    made = manager.api.post("/clusters", CLUSTER).expect(201).data
    path, headers, body = server.asked[0]
    assert (path, body) == ("/api/v2/validate", {"product": "marchproxy"})
    assert headers["Authorization"] == f"Bearer {KEY}"
    keepalive = eventually(lambda: server.calls("keepalive"), "the server hears that we are here")[0]
    assert keepalive["usage_stats"]["active_proxies"] == 0 and keepalive["usage_stats"]["active_clusters"] in (1, 2)
    assert keepalive["server_id"] == "srv-test-1" and keepalive["uptime_seconds"] >= 0
    server.stop()
    manager.restart()
    assert status(manager)["license_type"] == "enterprise" and status(manager)["valid"]
    assert [each["id"] for each in manager.api.get("/clusters").expect(200).data["clusters"]] == [1, made["id"]]
    assert Api(manager.http_port, {"X-Cluster-API-Key": made["api_key"]}).get(f"/config/{made['id']}").status == 200
    eventually(lambda: health(manager)["checks"]["license_server"] == "degraded", "health tells that it is away")
    assert health(manager)["status"] == "degraded" and status(manager)["state"] == "grace"
    server.start()
    assert validate(manager).expect(200).data["valid"]
    assert health(manager)["status"] == "healthy" and status(manager)["state"] == "active"
    assert KEY not in manager.text()
    assert KEY.encode() not in b"".join(file.read_bytes() for file in manager.data_dir.iterdir())


def test_the_page_for_operators_works_as_printed(manager):
    manager.start()
    page = (ROOT / "docs/how-to/set-a-license.md").read_text()
    script = "set -euo pipefail\n" + "".join(re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    token = manager.api.headers["Authorization"].removeprefix("Bearer ")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE,
                          env=environment(API=f"{manager.url}/api/v1", TOKEN=token))
    assert done.returncode == 0, done.stderr
    assert '"valid":true' in done.stdout and '"name":"production-us-east"' in done.stdout


@pytest.mark.parametrize("mode", ["unknown", "forbidden", "malformed", "other product", "expired", "invalid"])
def test_a_refused_key_is_not_kept(manager, server, mode):
    server.mode = mode
    manager.start()
    answer = validate(manager).expect(200).data
    assert not answer["valid"] and answer["message"]
    assert status(manager)["state"] == "none"


def test_an_answer_that_makes_no_sense_is_none(manager, server):
    manager.start()
    for mode in ("redirect", "broken", "garbage", "huge", *LIES):
        if mode in ("other product", "expired", "invalid"):
            continue
        server.mode = mode
        answer = validate(manager)
        assert answer.status == 503, f"{mode}: {answer.text}"
        assert answer.headers["Retry-After"] and answer.error["code"] == "SERVICE_UNAVAILABLE"
    assert not [path for path, _, _ in server.asked if path == "/granted"], "no redirect is followed"
    server.stop()
    assert validate(manager).status == 503
    assert status(manager)["state"] == "none" and health(manager)["status"] == "healthy"
    server.mode = "enterprise"
    server.start()
    assert validate(manager).expect(200).data["valid"]


def test_nothing_waits_for_a_slow_server(manager, server):
    manager.start()
    validate(manager).expect(200)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = []
        for mode in ("silent", "drip"):
            server.mode = mode
            asked = len(server.asked)
            slow.append(pool.submit(validate, manager))
            eventually(lambda: len(server.asked) > asked, "the server is asked")
        for path in ("/license-status", "/clusters", "/services"):
            sent = time.monotonic()
            assert manager.api.get(path).status == 200
            assert time.monotonic() - sent < PROMPTLY, path
        assert not any(each.done() for each in slow)
        assert [each.result().status for each in slow] == [503, 503]
    assert time.monotonic() - began < 15, "it is bounded"
    assert status(manager)["valid"]
    server.mode = "silent"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = len(server.asked)
        waiting = pool.submit(validate, manager)
        eventually(lambda: len(server.asked) > asked, "the server is asked")
        sent = time.monotonic()
        assert manager.stop() == 0
        assert time.monotonic() - sent < PROMPTLY, "a stop does not wait for it"
        assert waiting.result().status == 503


def test_the_key_of_the_settings(manager, server):
    manager.variables["MARCHPROXY_LICENSE_KEY"] = KEY
    server.stop()
    manager.start()
    assert manager.api.get("/clusters").status == 402
    eventually(lambda: health(manager)["status"] == "degraded", "the server is missed")
    assert status(manager) | {"license_key": "PENG-****-****-****-****-ABCD", "valid": False,
                              "state": "unverified"} == status(manager)
    server.start()
    manager.restart()
    eventually(lambda: status(manager)["state"] == "active", "the key is good")
    assert manager.api.get("/clusters").status == 200
    validate(manager, OTHER).expect(200)
    manager.restart()
    assert status(manager)["license_key"].endswith("WXYZ"), "the one that was entered later stays"
    assert KEY not in manager.text()


@pytest.mark.parametrize("variables, complaint", [
    ({"MARCHPROXY_LICENSE_KEY": "PENG-hush-hush"}, "license.key"),
    ({"MARCHPROXY_LICENSE_SERVER_URL": "license.example"}, "license.server_url"),
    ({"MARCHPROXY_LICENSE_SERVER_URL": "ftp://license.example"}, "license.server_url"),
    ({"MARCHPROXY_LICENSE_SERVER_URL": "https://user:secret@license.example"}, "license.server_url"),
    ({"MARCHPROXY_LICENSE_CA": "/no/such/file"}, "license.ca")])
def test_wrong_settings_end_the_start(tmp_path, variables, complaint):
    done = subprocess.run([MANAGER, "serve", "--data-dir", tmp_path, "--http-listen", "127.0.0.1:0",
                           "--xds-listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=PATIENCE,
                          env=environment(**variables))
    assert done.returncode == 2 and complaint in done.stderr and done.stderr.count("\n") == 1
    assert "hush" not in done.stderr


@pytest.fixture
def certificate(tmp_path):
    pair = tmp_path / "license.pem", tmp_path / "license.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=license", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1",
                    "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True, timeout=PATIENCE)
    return pair


def test_the_servers_certificate_is_verified(tmp_path, certificate):
    with LicenseServer(tls=certificate) as server:
        with Manager(tmp_path, "stranger", MARCHPROXY_LICENSE_SERVER_URL=server.url) as manager:
            manager.start()
            assert validate(manager).status == 503
            assert not server.asked, "the key is told to nobody else"
        with Manager(tmp_path, "friend", MARCHPROXY_LICENSE_SERVER_URL=server.url,
                     MARCHPROXY_LICENSE_CA=certificate[0]) as manager:
            manager.start()
            assert validate(manager).expect(200).data["valid"]
