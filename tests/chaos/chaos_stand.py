"""What the tests of faults stand on: services behind a real Envoy, traffic of every form through it, and edits that go
on while something fails.

MARCHPROXY_TEST_CHAOS multiplies the rounds (1), MARCHPROXY_TEST_SEED chooses what random ones do.
"""

import contextlib
import http.client
import itertools
import os
import threading
import time

from stand.certificates import Authority
from stand.load import Fresh, FreshLines, Http, Lines, Traffic
from stand.rest import WAIT, mapping_body
from stand.traffic import answers, request
from stand.waiting import PATIENCE, eventually, free_port

TIMES = int(os.environ.get("MARCHPROXY_TEST_CHAOS", "1"))
LOST = (OSError, http.client.HTTPException)
EDIT_PACE = 0.02  # seconds
SOON = 20.0       # seconds: before what a proxy refused is tried again, which nothing here may need
QUIET = 2         # seconds: longer than the manager leaves between a change and what it takes away for it
_numbers = itertools.count(1)


class World:
    """A name that answers over HTTP, within TLS and as TCP, on ports of its own."""

    def __init__(self, demo_ports):
        self.demo = demo_ports
        self.authority = Authority()
        self.http, self.https, self.tcp = free_port(), free_port(), free_port()

    def fill(self, api):
        api.service("web", self.demo["web"])
        api.service("lines", self.demo["lines"])
        api.certificate(self.authority.issue("web.example"))
        for body in (mapping_body("web", self.http),
                     mapping_body("web", self.https, protocols=["https"], hosts=["web.example"]),
                     mapping_body("lines", self.tcp, protocols=["tcp"])):
            api.post("/mappings", body, WAIT).expect(201)
        return self

    def traffic(self, tls=None):
        tls = tls or self.authority.client_context()
        return Traffic([Http("http", self.http, "web", "web"), Fresh("http, new connections", self.http, "web", "web"),
                        Http("https", self.https, "web.example", "web", tls),
                        Fresh("https, new connections", self.https, "web.example", "web", tls),
                        Lines("tcp", self.tcp, "lines"), FreshLines("tcp, new connections", self.tcp, "lines")])

    def edits(self, *managers):
        return Edits(self, managers)

    def add(self, api, prefix="added"):
        """Waits until every connected proxy has a new name, and sees it served."""
        name = f"{prefix}-{next(_numbers)}"
        api.service(name, self.demo["shop"])
        answer = api.post("/mappings", mapping_body(name, self.http), WAIT).expect(201)
        assert answer.state == "live", f"{answer.state}: {answer.text}"
        assert request(self.http, name).service == "shop"


class Edits:
    """Makes and deletes mappings, one after the other, through whichever manager answers, and keeps what it was told."""

    def __init__(self, world, managers):
        self.world = world
        self.apis = [manager.api for manager in managers]
        self.made = {}       # name -> id of the mapping, answered
        self.gone = []       # names, answered
        self.unanswered = 0
        self.refused = 0     # 503
        self.wrong = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        for number in itertools.count():
            if self._stopping.wait(EDIT_PACE):
                return
            try:
                self._edit(self.apis[number % len(self.apis)], number)
            except LOST:
                self.unanswered += 1

    def _edit(self, api, number):
        name = f"edit-{next(_numbers)}"
        body = {"name": name, "ip_fqdn": "127.0.0.1", "port": self.world.demo["shop"], "collection": "edits",
                "cluster_id": 1}
        if not self._took(api.post("/services", body), 201):
            return
        made = api.post("/mappings", mapping_body(name, self.world.http))
        if self._took(made, 201):
            self.made[name] = made.data["id"]
        if number % 3 == 2 and self.made:
            name, id = next(iter(self.made.items()))
            del self.made[name]  # until the answer nobody knows
            if self._took(api.delete(f"/mappings/{id}"), 200):
                self.gone.append(name)

    def _took(self, answer, status):
        if answer.status == 503:
            self.refused += 1
        elif answer.status != status:
            self.wrong.append(f"{answer.status} {answer.text[:300]}")
        return answer.status == status

    @property
    def answered(self):
        return len(self.made) + len(self.gone)

    def pause(self, seconds):
        """So long edits are tried against what has just begun."""
        self._stopping.wait(seconds)

    def more(self, count=3):
        target = self.answered + count
        eventually(lambda: self.answered >= target, f"{count} more edits")

    def __enter__(self):
        self._thread.start()
        self.more()
        return self

    def __exit__(self, *unused):
        self._stopping.set()
        self._thread.join(PATIENCE)

    def are_served(self):
        """What was answered counts, in the end; what was not is whole or absent, and test_kill looks at that."""
        assert self.wrong == []
        for name in self.made:
            eventually(lambda: answers(self.world.http, name, "shop"), f"{name} is served", SOON)
        for name in self.gone:
            eventually(lambda: status_of(self.world.http, name) == 404, f"{name} is gone", SOON)


def status_of(port, host):
    with contextlib.suppress(*LOST):
        return request(port, host).status


def wait_quiet(proxy):
    """Until nothing more comes for a while: what was taken away comes last."""
    last = [time.monotonic(), None]

    def nothing_comes():
        received = proxy.admin.received()
        if received != last[1]:
            last[:] = time.monotonic(), received
        return time.monotonic() - last[0] > QUIET

    eventually(nothing_comes, "nothing more comes", SOON)


def quiet_restart(manager, *proxies):
    """Killed and started again, it sends nothing to who holds everything."""
    for proxy in proxies:
        proxy.wait_connected()
        wait_quiet(proxy)
    before = [proxy.admin.received() for proxy in proxies]
    assert all(before)
    manager.kill()
    for proxy in proxies:
        eventually(lambda each=proxy: not each.admin.is_connected(), "Envoy lost its stream")
    manager.start()
    for proxy in proxies:
        proxy.wait_connected()
    assert manager.metric("marchproxy_xds_pushes_total") == 0
    assert [proxy.admin.received() for proxy in proxies] == before
