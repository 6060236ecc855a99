"""Clients that tools make of the API's document do a tour of the API: nothing in them is written by hand but the tour."""

import json
import pathlib
import re
import shutil

import pytest

from stand.control_plane import KEY, PASSWORD, Manager
from tools import GENERATOR, NODE, python_path, run, run_node

TOURS = pathlib.Path(__file__).parent / "client"
COMPLETE = "the tour is complete"


@pytest.fixture
def caller(tmp_path):
    """Address and credentials, as the tours take them, of a manager that is new."""
    with Manager(tmp_path) as manager:
        manager.start()
        yield [manager.url, PASSWORD, KEY]


def test_python_client_completes_the_tour(printed, caller, tmp_path):
    package = tmp_path / "client"
    said = run(["java", "-Xmx512m", "-jar", GENERATOR, "generate", "-g", "python", "-i", printed, "-o", package,
                "--package-name", "marchproxy_client"], seconds=180)
    assert not re.search(r"\bERROR\b", said), "\n".join(re.findall(r".*\bERROR\b.*", said))
    said = run(["/usr/bin/python3", TOURS / "tour.py", *caller], seconds=120, PYTHONPATH=python_path(package))
    assert said.strip() == COMPLETE


def test_typescript_client_completes_the_tour(printed, caller, tmp_path):
    shutil.copy(TOURS / "tour.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "package.json").write_text(json.dumps({"type": "module"}))
    run_node("openapi-typescript", printed, "--output", tmp_path / "api.d.ts",
             "--default-non-nullable=false", cwd=tmp_path)  # what has a default need not be sent
    run_node("tsc", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext",
             "--skipLibCheck", "false", "--types", "node", "tour.ts", cwd=tmp_path)
    assert run(["node", "tour.js", *caller], seconds=60, cwd=tmp_path).strip() == COMPLETE
