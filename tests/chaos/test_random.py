"""Any two faults at once, chosen by a seed that is printed, while traffic and edits go on: when they are over, everything
that was answered is served, and no request has failed that Envoy could have served."""

import os
import random
import time

import pytest
from chaos_stand import LOST, TIMES

from stand.control_plane import Manager
from stand.link import Link
from stand.postgres import another
from stand.postgres_server import PostgresServer
from stand.program import Program
from stand.proxy import Proxy
from stand.waiting import eventually

ROUNDS = 3 * TIMES
SEED = int(os.environ.get("MARCHPROXY_TEST_SEED", random.randrange(2**32)))


class Stage:
    """Two managers behind links, on a database behind a link, and a proxy."""

    def __init__(self, base, links, managers, proxy):
        self.base = base
        self.links = links  # to the database, and to each manager
        self.managers = managers
        self.proxy = proxy
        self.broken = []    # (begin, end) of what Envoy cannot serve

    def faults(self):
        """[[(name, what begins it, what ends it)]] by what is hit, in the order in which they can be ended."""
        hit = [[("database stops", self.base.stop, self.base.start), ("database dies", self.base.kill, self.base.start)]]
        for name, link in self.links.items():
            hit.append([(f"link to {name} is cut", link.cut, link.restore),
                        (f"link to {name} holds", link.hold, link.restore),
                        (f"link to {name} is slow", lambda link=link: slow(link), link.restore)])
        for manager in self.managers:
            hit.append([(f"{manager.name} dies", manager.kill, manager.start)])
        hit.append([("Envoy dies", self.kill_envoy, lambda: None)])  # the agent starts it again
        hit.append([("agent dies", self.proxy.kill, lambda: Program.start(self.proxy))])
        return hit

    def choose(self, choice):
        """Two of different kinds."""
        hit = self.faults()
        return [choice.choice(hit[index]) for index in sorted(choice.sample(range(len(hit)), 2))]

    def kill_envoy(self):
        self.broken.append([time.monotonic(), None])
        self.proxy.kill_envoy()

    def settle(self):
        """The manager that the proxy is connected to, once it holds everything."""
        def find():
            for manager in self.managers:
                try:
                    if manager.state_of_proxy(self.proxy.id) == "live" and self.proxy.admin.is_connected():
                        return manager
                except (AssertionError, *LOST):
                    continue
        self.proxy.manager = eventually(find, "the proxy is level", 40)
        for window in self.broken:
            window[1] = window[1] or time.monotonic()
        return self.proxy.manager


def slow(link):
    link.rate, link.piece, link.latency = 50_000, 500, 0.01


@pytest.fixture
def stage(tmp_path):
    with PostgresServer() as base, Link(base.port) as to_base:
        base.start()
        url = base.url.replace(str(base.port), str(to_base.port))
        with Manager(tmp_path, "first", MARCHPROXY_DATABASE_URL=url) as first:
            first.start()
            with another(first, "second") as second, Link(first.xds_port) as one, Link(second.xds_port) as two:
                first.stop()
                for manager in (first, second):
                    manager.variables |= {"MARCHPROXY_XDS_ADVERTISE": f"127.0.0.1:{one.port},127.0.0.1:{two.port}"}
                    manager.start()
                with Proxy(first, tmp_path) as proxy:
                    Program.start(proxy)
                    eventually(proxy.admin.is_connected, "the proxy has its stream")
                    yield Stage(base, {"the database": to_base, "first": one, "second": two}, (first, second), proxy)


@pytest.mark.timeout(300 * TIMES)
def test_any_faults(stage, world):
    print(f"MARCHPROXY_TEST_SEED={SEED}")
    choice = random.Random(SEED)
    world.fill(stage.settle().api)
    with world.traffic() as traffic:
        for number in range(ROUNDS):
            chosen = stage.choose(choice)
            print(f"round {number}: " + " and ".join(name for name, _, _ in chosen))
            with world.edits(*stage.managers) as edits:
                for _, begin, _ in choice.sample(chosen, 2):
                    begin()
                    edits.pause(choice.uniform(0.1, 0.6))
                for _, _, end in chosen:
                    end()
                edits.more()
                stage.settle()
            edits.are_served()
            world.add(stage.settle().api)
            traffic.more(3)
    assert traffic.failed_outside(stage.broken) == []
