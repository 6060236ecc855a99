"""What the tests of the API's document share: the document as the built manager prints it, and a manager."""

import json
import subprocess

import pytest

from stand.control_plane import MANAGER, Manager
from stand.program import PATIENCE, environment


@pytest.fixture(scope="session")
def printed(tmp_path_factory):
    """The document as a file."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_bytes(subprocess.run([MANAGER, "openapi"], check=True, capture_output=True, timeout=PATIENCE,
                                    env=environment()).stdout)
    return file


@pytest.fixture(scope="session")
def document(printed):
    return json.loads(printed.read_text())


@pytest.fixture
def manager(tmp_path):
    with Manager(tmp_path) as made:
        yield made.start()
