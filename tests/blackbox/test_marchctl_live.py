"""marchctl says when real proxies hold a change, and why one does not."""

import re
import socket

import pytest

from marchctl_stand import Marchctl
from stand.control_plane import PASSWORD, Manager
from stand.proxy import Proxy
from stand.waiting import eventually, free_port


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manager")
    with Manager(folder) as made:
        made.start()
        with Proxy(made, folder) as proxy:
            proxy.start()
            yield made


@pytest.fixture(scope="module")
def ctl(manager, tmp_path_factory):
    made = Marchctl(tmp_path_factory.mktemp("ctl"))
    made.login(manager, PASSWORD)
    made("create", "service", "--name", "web", "--ip-fqdn", "127.0.0.1", "--collection", "c", "--wait", 30)
    eventually(lambda: made("status", "-o", "json", status=None).json["clusters"][0]["status"]["state"] == "live", "the proxy follows")
    return made


def mapping(ctl, port, *arguments, **more):
    return ctl("create", "mapping", "--source-services", "any", "--dest-services", "web", "--protocols", "http",
               "--ports", port, *arguments, **more)


def test_a_change_is_live(ctl):
    done = mapping(ctl, free_port(), "--wait", 30)
    assert re.fullmatch(r"revision \d+: live\n", done.err)
    assert ctl("wait", "--timeout", 30).err == done.err
    shown = ctl("status")
    assert re.search(r"^default +\d+ +live +1 connected +0", shown.out, re.MULTILINE)
    assert re.search(r"^egress.test +\S+ +egress +1 +healthy +live", shown.out, re.MULTILINE)


def test_a_refused_change_is_1_and_says_where_and_why(ctl):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = mapping(ctl, port, "--wait", 30, "-o", "json", status=1)
        number = done.json["id"]
        assert re.match(r"revision \d+: rejected\n  egress.test \(\S+\): rejected\n    mapping ", done.err), done.err
        assert "Address already in use" in done.err or "cannot bind" in done.err
        assert ctl("wait", status=1).err == done.err
        shown = ctl("status", status=1)
        assert re.search(rf"^rejected mapping {number} .* by egress.test since .*: .*bind", shown.out, re.MULTILINE)
        assert "rejected" in ctl("list", "mappings").out
        ctl("delete", "mapping", number, "--wait", 30)
    assert ctl("status").status == 0
