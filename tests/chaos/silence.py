"""Three proxies whose connections to the manager fall silent while other tests run: finding that out takes most of a
minute, so it is begun first and looked at last."""

import contextlib
import json
import threading
import time

from stand.link import Link
from stand.network import choose
from stand.proxy import BareEnvoy, bootstrap_of, register
from stand.waiting import eventually

LOOK = 0.2  # seconds


class Silent:
    """An Envoy with its way to the manager, and how many seconds each side took to see that nothing comes any more."""

    def __init__(self, stack, silence, name, address, way):
        self.name = name
        self.address = address
        self.manager = manager = silence.manager
        self.way = way
        self.manager_found = self.envoy_found = None
        bootstrap = json.dumps(bootstrap_of(manager, register(manager, f"{name}.test", address=address)))
        told, own = (f'"address": "{each.address}", "port_value": {each.port}' for each in (silence.network, way))
        assert told in bootstrap
        self.envoy = stack.enter_context(BareEnvoy(json.loads(bootstrap.replace(told, own)), silence.folder, name))
        self.envoy.connect(manager)

    def streams(self):
        """How many it has opened."""
        return self.envoy.admin.stats("^cluster.marchproxy_xds.upstream_rq_total$")

    def begin(self, fault):
        self.first = self.streams()
        fault()
        self.began = time.monotonic()

    def look(self):
        took = time.monotonic() - self.began
        # Without a stream it may be for a moment only.
        if self.envoy_found is None and not (self.envoy.admin.is_connected() and self.streams() == self.first):
            self.envoy_found = took
        # Where Envoy was first and is back, its new stream has ended the silent one.
        is_back = self.envoy_found is not None and self.is_level()
        if self.manager_found is None and (is_back or self.manager.state_of_proxy(self.envoy.node) == "offline"):
            self.manager_found = took

    @property
    def is_found(self):
        return self.manager_found is not None and self.envoy_found is not None

    def is_level(self):
        return self.envoy.admin.is_connected() and self.manager.state_of_proxy(self.envoy.node) == "live"

    def __repr__(self):
        return f"{self.name}: the manager found it after {self.manager_found} s, Envoy after {self.envoy_found} s"


class Silence:
    def __init__(self, folder, world):
        self.folder = folder
        self.world = world
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._over.wait(LOOK):
            for each in self.all:
                each.look()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.network = stack.enter_context(choose(self.folder))
            self.manager = stack.enter_context(self.network.manager(self.folder)).start()
            self.world.fill(self.manager.api)
            links = [stack.enter_context(Link(self.manager.xds_port, self.manager.address)) for _ in range(2)]
            self.held = Silent(stack, self, "held", "127.0.0.1", links[0])
            self.forgotten = Silent(stack, self, "forgotten", "127.0.0.2", links[1])
            self.apart = Silent(stack, self, "apart", "127.0.0.3", self.network)
            self.all = (self.held, self.forgotten, self.apart)
            self.traffic = stack.enter_context(self.world.traffic())
            self.held.begin(self.held.way.hold)
            self.forgotten.begin(self.forgotten.way.forget)
            self.apart.begin(self.network.cut)
            self._watcher.start()
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def _end(self):
        self._over.set()
        self._watcher.join()

    def __exit__(self, *unused):
        self._stack.close()
