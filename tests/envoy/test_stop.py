"""SIGTERM while an answer waits for a proxy."""

import json
import os
import signal
import threading

import pytest

from stand.control_plane import Manager
from stand.proxy import Proxy
from stand.rest import mapping_body
from stand.waiting import PATIENCE, eventually


@pytest.fixture
def own(tmp_path):
    with Manager(tmp_path) as manager:
        yield manager.start()


def test_waiting_answer_goes_out_and_the_manager_ends(own, tmp_path, demo_ports, port):
    api = own.api
    api.service("web", demo_ports["web"])
    with Proxy(own, tmp_path) as proxy:
        proxy.start()
        os.kill(json.loads((proxy.state / "agent.json").read_text())["envoy"]["pid"], signal.SIGSTOP)
        waiting = []
        writer = threading.Thread(target=lambda: waiting.append(
            api.post("/mappings", mapping_body("web", port), {"Prefer": "wait=120"})))
        writer.start()
        eventually(lambda: api.get("/mappings").data["total"] == 1, "the write is there")
        assert not waiting, "the answer waits for the proxy"
        assert own.stop() == 0
        writer.join(PATIENCE)
        assert waiting[0].status == 201 and waiting[0].state == "pending"
