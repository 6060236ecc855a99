"""Two proxies whose connections to the manager fall silent while other tests run: finding that out takes most of a
minute, so it is begun first and looked at last."""

import contextlib
import json
import threading
import time

from stand.control_plane import Manager
from stand.link import Link
from stand.proxy import BareEnvoy, bootstrap_of, register
from stand.waiting import eventually

LOOK = 0.2  # seconds


class Silent:
    """An Envoy behind a link of its own, and how many seconds each side took to see that nothing comes any more."""

    def __init__(self, stack, manager, folder, name, address):
        self.name = name
        self.address = address
        self.manager = manager
        self.manager_found = self.envoy_found = None
        self.link = stack.enter_context(Link(manager.xds_port))
        bootstrap = json.dumps(bootstrap_of(manager, register(manager, f"{name}.test", address=address)))
        own = bootstrap.replace(f'"port_value": {manager.xds_port}', f'"port_value": {self.link.port}')
        assert own != bootstrap
        self.envoy = stack.enter_context(BareEnvoy(json.loads(own), folder, name)).connect(manager)

    def begin(self, fault):
        fault()
        self.began = time.monotonic()

    def look(self):
        took = time.monotonic() - self.began
        if self.envoy_found is None and not self.envoy.admin.is_connected():
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
            for each in (self.held, self.forgotten):
                each.look()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.manager = stack.enter_context(Manager(self.folder)).start()
            self.world.fill(self.manager.api)
            self.held = Silent(stack, self.manager, self.folder, "held", "127.0.0.1")
            self.forgotten = Silent(stack, self.manager, self.folder, "forgotten", "127.0.0.2")
            self.traffic = stack.enter_context(self.world.traffic())
            self.held.begin(self.held.link.hold)
            self.forgotten.begin(self.forgotten.link.forget)
            self._watcher.start()
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def _end(self):
        self._over.set()
        self._watcher.join()

    def __exit__(self, *unused):
        self._stack.close()
