"""Two managers on one PostgreSQL, of which the one that Envoy is connected to dies; proxies know both addresses."""

import pytest
from chaos_stand import TIMES

from stand.control_plane import Manager
from stand.postgres import another, database
from stand.program import Program
from stand.proxy import Proxy
from stand.waiting import eventually


@pytest.fixture
def pair(tmp_path):
    with database() as base, Manager(tmp_path, MARCHPROXY_DATABASE_URL=base.url) as first:
        first.start()
        with another(first, "second") as second:
            both = f"127.0.0.1:{first.xds_port},127.0.0.1:{second.xds_port}"
            for manager in (first, second):
                manager.variables |= {"MARCHPROXY_XDS_ADVERTISE": both}
            first.stop()
            yield first.start(), second.start()


def holder(*managers):
    """The manager that the proxy is connected to."""
    return eventually(lambda: next((each for each in managers if each.metric("marchproxy_xds_streams")), None),
                      "one of them has the stream")


def test_the_other_takes_over_and_sends_nothing_again(pair, tmp_path, world):
    with Proxy(pair[0], tmp_path) as proxy:
        Program.start(proxy)
        eventually(proxy.admin.is_connected, "the proxy has its stream")
        proxy.manager = holder(*pair)
        proxy.wait_connected()
        world.fill(proxy.manager.api)
        with world.traffic() as traffic:
            for _ in range(2 * TIMES):
                lost = holder(*pair)
                other = pair[1] if lost is pair[0] else pair[0]
                with world.edits(other) as edits:
                    edits.more()
                    lost.kill()
                    edits.more()
                    assert holder(other) is other
                    edits.more()
                edits.are_served()
                proxy.manager = other
                proxy.wait_connected()
                world.add(other.api)
                lost.start()
                traffic.more()
            hand_over_quietly(pair, proxy)
            world.add(proxy.manager.api)
        assert traffic.failures == []


def hand_over_quietly(pair, proxy):
    """Without edits, nothing is sent by whom the proxy comes to."""
    lost = holder(*pair)
    other = pair[1] if lost is pair[0] else pair[0]
    before, sent = proxy.admin.received(), other.metric("marchproxy_xds_pushes_total")
    lost.kill()
    holder(other)
    proxy.manager = other
    proxy.wait_connected()
    assert other.metric("marchproxy_xds_pushes_total") == sent
    assert proxy.admin.received() == before
