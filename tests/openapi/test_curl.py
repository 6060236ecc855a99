"""The commands of the API's description for people, as they are printed: only host and credentials are put in."""

import json
import pathlib
import subprocess

from stand.control_plane import KEY, PASSWORD
from stand.program import PATIENCE, environment
from stand.rest import Api

FOLDER = pathlib.Path(__file__).parent / "curl"
PRINTED_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..."


def curl(manager, name, folder, **put_in):
    """What the command prints."""
    command = (FOLDER / f"{name}.txt").read_text().replace("http://localhost:8000", manager.url)
    for printed, real in put_in.items():
        assert printed in command
        command = command.replace(printed, real)
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
                          check=True, env=environment())
    return done.stdout


def answer(text):
    whole = json.loads(text)
    assert set(whole) == {"success", "data", "message", "timestamp", "request_id"} and whole["success"] is True
    return whole["data"]


def test_printed_commands(manager, document, tmp_path):
    session = answer(curl(manager, "login", tmp_path, changeme=PASSWORD))
    assert session["expires_in"] == 3600 and session["refresh_token"].startswith("eyJ")
    assert {"id": 1, "username": "admin", "is_admin": True}.items() <= session["user"].items()
    token = session["access_token"]
    listed = answer(curl(manager, "use-token", tmp_path, **{PRINTED_TOKEN: token}))
    assert listed == {"services": [], "total": 0, "page": 1, "limit": 20}
    made = answer(curl(manager, "create-api-key", tmp_path, **{"<jwt_token>": token}))
    assert made["name"] == "ci-cd-automation" and made["permissions"] == ["read", "write"]
    assert answer(curl(manager, "use-api-key", tmp_path, **{"mp_api_<key_value>": made["key"]})) == listed
    configuration = answer(curl(manager, "use-cluster-key", tmp_path, **{"<cluster_api_key>": KEY}))
    assert {"cluster", "services", "mappings", "certificates"} <= set(configuration)
    curl(manager, "download", tmp_path)
    assert json.loads((tmp_path / "marchproxy-openapi.json").read_text()) == document


def test_printed_bodies(manager):
    bodies = json.loads((FOLDER / "bodies.json").read_text())
    for name in ("web-frontend", "api-backend"):
        manager.api.service(name)
    api = {"X-Cluster-API-Key": KEY, **manager.api.headers}
    for call, body in bodies.items():
        method, path = call.split()
        made = Api(manager.http_port).raw(method, path, body, api).expect(201).data
        assert made.get("name", body.get("name")) == body.get("name", made.get("name"))
    service = manager.api.get("/services?search=web-backend").data["services"][0]
    assert {key: service[key] for key in ("ip_fqdn", "collection", "auth_type")} == {
        "ip_fqdn": "10.0.1.100", "collection": "web-services", "auth_type": "jwt"}
    rotated = manager.api.post(f"/services/{service['id']}/rotate-jwt").expect(200).data
    assert set(rotated) == {"new_secret", "old_secret_valid_until"}
    rotated = manager.api.post("/clusters/1/rotate-key").expect(200).data
    assert set(rotated) == {"new_api_key", "old_key_valid_until"} and rotated["new_api_key"].startswith("mp_cluster_")
