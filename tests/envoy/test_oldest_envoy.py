"""The oldest supported Envoy under edits, restarts and refusals. What it carries is in tests/translation; every other
test has the newest one."""

import socket

import pytest
from test_edits_under_load import Editor
from test_restart import fill, serves

from stand.control_plane import Manager
from stand.program import OLDEST_ENVOY
from stand.proxy import Proxy
from stand.traffic import Load, answers, request
from stand.waiting import eventually, free_port

EDITS = 120


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oldest")
    with Manager(folder) as manager:
        manager.folder = folder
        yield manager.start()


@pytest.fixture(scope="module")
def proxy(own):
    with Proxy(own, own.folder, envoy=OLDEST_ENVOY) as made:
        made.start()
        assert "/1.36." in made.admin.get("/server_info")
        yield made


def test_edits_and_a_restart_lose_no_request_and_send_nothing_again(own, proxy, demo_ports):
    api = own.api
    http, tcp = fill(api, demo_ports)
    in_place = api.mapping("web-0", http, hosts=["edited.test"])
    assert serves(http, tcp)
    with Load(http, [(f"{index}.test", {"web"}) for index in range(8)] + [("edited.test", {"web"})]) as load:
        editor = Editor(api, demo_ports, http, "edit", in_place["id"])
        editor.run(EDITS)
        api.change(f"/mappings/{in_place['id']}", timeout=30)  # live: so is all that was written before
        before = proxy.admin.updates()
        own.kill()
        eventually(lambda: not proxy.admin.is_connected(), "Envoy lost its stream")
        load.more(100)
        own.start()
        proxy.wait_connected()
        load.more(100)
    assert load.failures == []
    assert own.metric("marchproxy_xds_pushes_total") == 0
    assert proxy.admin.updates() == before
    late = api.service("late", demo_ports["shop"])
    api.mapping("late", http)
    assert answers(http, "late", "shop") and serves(http, tcp)
    api.delete(f"/services/{late['id']}").expect(200)
    eventually(lambda: request(http, "late").status == 404, "the service is gone")


def test_a_refusal_stays_with_its_object(own, proxy, demo_ports):
    api, busy, port = own.api, free_port(), free_port()
    api.service("wanted", demo_ports["web"])
    with socket.create_server(("127.0.0.1", busy)):
        refused = api.mapping("wanted", busy, expect="rejected")
        status = api.state_of(f"/mappings/{refused['id']}")
        assert status["state"] == "rejected" and "cannot bind" in status["reasons"][0]["message"]
        api.mapping("wanted", port)
        assert request(port, "wanted").service == "web"
    api.post(f"/proxies/{proxy.id}/retry").expect(200)
    eventually(lambda: api.state_of(f"/mappings/{refused['id']}")["state"] == "live", "the retry helps")
    eventually(lambda: answers(busy, "wanted", "web"), "and serves")
