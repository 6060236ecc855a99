"""PostgreSQL goes away in every way while traffic and edits go on: 503 meanwhile, no stream ends, and all is well when it
is back."""

import pytest
from chaos_stand import TIMES, quiet_restart

from stand.control_plane import Manager
from stand.link import Link
from stand.postgres_server import PostgresServer
from stand.waiting import eventually

LONGEST_CALL = 15 + 5  # seconds: a statement, then another connection
SLACK = 10


@pytest.fixture
def base():
    with PostgresServer() as made:
        yield made.start()


@pytest.fixture
def link(base):
    with Link(base.port) as made:
        yield made


@pytest.fixture
def manager(tmp_path, base, link):
    url = base.url.replace(str(base.port), str(link.port))
    with Manager(tmp_path, MARCHPROXY_DATABASE_URL=url) as made:
        yield made.start()


def test_database_away_while_edits_go_on(manager, base, link, proxy, world):
    world.fill(manager.api)
    faults = [(base.stop, base.start), (base.kill, base.start), (link.cut, link.restore)]
    streams = proxy.admin.stats("marchproxy_xds.upstream_rq_total")
    with world.traffic() as traffic:
        with world.edits(manager) as edits:
            for begin, end in faults * TIMES:
                refused = edits.refused
                begin()
                eventually(lambda: edits.refused > refused + 3, "edits are refused")
                traffic.more()
                end()
                edits.more()
        edits.are_served()
        world.add(manager.api)
        assert proxy.admin.stats("marchproxy_xds.upstream_rq_total") == streams, "its stream went on"
        quiet_restart(manager, proxy)
        traffic.more()
    assert traffic.failures == [] and edits.unanswered == 0


def test_database_that_hangs_holds_nobody_for_long(frozen):
    """It keeps its connections open and says nothing; `frozen` has begun it."""
    eventually(lambda: frozen.is_over, "every call has its answer", LONGEST_CALL + 2 * SLACK)
    for path, (status, seconds) in frozen.answers.items():
        assert status == 503 and seconds < LONGEST_CALL + SLACK, f"{path}: {status} after {seconds} s"
    assert len(frozen.answers) == 3
    eventually(lambda: frozen.manager.api.get("/services").status == 200, "it recovers")
    frozen.world.add(frozen.manager.api)
    frozen.traffic.more()
    assert frozen.traffic.failures == []
