"""schemathesis, which makes up requests from the API's document, finds nothing. MARCHPROXY_TEST_EXAMPLES makes it look longer."""

import collections
import json
import os
import pathlib

import pytest

from stand.control_plane import KEY, PASSWORD, Manager
from stand.license_server import KEY as LICENSE
from stand.license_server import LicenseServer
from stand.rest import Api
from stand.waiting import eventually
from tools import python_path, run

CONFIG = pathlib.Path(__file__).parent / "schemathesis.toml"
EXAMPLES = int(os.environ.get("MARCHPROXY_TEST_EXAMPLES", "6"))


def statuses(node, found):
    """Counts the statuses of all answers in an event."""
    if isinstance(node, dict):
        if "status_code" in node:
            found[node["status_code"]] += 1
        for each in node.values():
            statuses(each, found)
    elif isinstance(node, list):
        for each in node:
            statuses(each, found)


def schemathesis(manager, folder, token, *more):
    """Runs it; how often each status was answered."""
    events = folder / "events.ndjson"
    run(["/usr/bin/python3", "-m", "schemathesis.cli", "--config-file", CONFIG, "run", f"{manager.url}/openapi.json",
         "--checks", "all", "--max-examples", EXAMPLES, "--report", "ndjson", "--report-ndjson-path", events, *more],
        seconds=240 + 30 * EXAMPLES, cwd=folder, PYTHONPATH=python_path(), ACCESS_TOKEN=token, CLUSTER_KEY=KEY)
    found = collections.Counter()
    for line in events.read_text().splitlines():
        statuses(json.loads(line), found)
    return found


@pytest.fixture
def manager(tmp_path):
    """With a licence, so that every feature is open."""
    with LicenseServer("enterprise") as server, Manager(tmp_path, MARCHPROXY_LICENSE_SERVER_URL=server.url,
                                                        MARCHPROXY_LICENSE_KEY=LICENSE) as made:
        made.start()
        eventually(lambda: made.api.get("/license-status").data["license_type"] == "enterprise", "the licence is known")
        yield made


def test_every_check_in_every_phase(manager, tmp_path):
    assert manager.api
    found = schemathesis(manager, tmp_path, manager.token, "--phases", "examples,coverage,fuzzing,stateful",
                         "--exclude-operation-id", "logout")
    assert found[200] > 300 and found[201] > 20, f"requests that do nothing find nothing: {found}"
    assert manager.api.get("/auth/me").status == 200 and manager.process.poll() is None


def test_signing_out(manager, tmp_path):
    """By itself, since it ends the session that everything else needs."""
    token = Api(manager.http_port).post("/auth/login", {"username": "admin", "password": PASSWORD}).data["access_token"]
    found = schemathesis(manager, tmp_path, token, "--include-operation-id", "logout", "--phases", "coverage,fuzzing")
    assert set(found) <= {200, 400, 401, 405, 413}, found
