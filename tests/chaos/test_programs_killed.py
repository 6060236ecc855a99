"""The manager and Envoy are killed, and replaced, while traffic and edits go on: no request fails that Envoy could have served."""

import subprocess
import time

import pytest
from chaos_stand import TIMES, quiet_restart

from stand.program import BIN
from stand.waiting import eventually


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_manager_killed_while_edits_go_on(manager, proxy, world):
    world.fill(manager.api)
    with world.traffic() as traffic:
        with world.edits(manager) as edits:
            for _ in range(2 * TIMES):
                edits.more()
                manager.kill()
                eventually(lambda: not proxy.admin.is_connected(), "Envoy lost its stream")
                traffic.more()
                manager.start()
                edits.more()
        edits.are_served()
        assert edits.unanswered > 0
        quiet_restart(manager, proxy)
        world.add(manager.api)
        traffic.more()
    assert traffic.failures == []


def test_another_binary_says_the_same(manager, proxy, world):
    """As in an upgrade: stopped in order, and started from another file, built for itself."""
    world.fill(manager.api)
    with world.traffic() as traffic:
        before = proxy.admin.received()
        assert manager.stop() == 0
        manager.arguments[0], manager.stdin = str(BIN / "manager-on-clock"), subprocess.PIPE
        manager.start()
        proxy.wait_connected()
        assert manager.metric("marchproxy_xds_pushes_total") == 0 and proxy.admin.received() == before
        world.add(manager.api)
        traffic.more()
    assert traffic.failures == []


def test_envoy_killed(manager, proxy, world):
    world.fill(manager.api)
    windows = []
    with world.traffic() as traffic, world.edits(manager) as edits:
        for _ in range(TIMES):
            edits.more()
            began = time.monotonic()
            proxy.kill_envoy()
            traffic.more(1)  # each has failed, and is served again
            proxy.wait_connected()
            windows.append((began, time.monotonic()))
            traffic.more(50)
        edits.more()
    assert traffic.failures and traffic.failed_outside(windows) == []
    edits.are_served()
    world.add(manager.api)
    assert all(end - begin < 20 for begin, end in windows), windows
