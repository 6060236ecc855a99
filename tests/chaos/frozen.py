"""A PostgreSQL that hangs while other tests run: it takes some time until a manager gives a call up."""

import contextlib
import threading
import time

from stand.control_plane import Manager
from stand.postgres_server import PostgresServer
from stand.proxy import Proxy
from stand.rest import Api


class Frozen:
    def __init__(self, folder, world):
        self.folder = folder
        self.world = world
        self.answers = {}  # path -> (status, seconds)
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def is_over(self):
        return not self._thread.is_alive()

    def _run(self):
        """Frozen until everybody has an answer."""
        service = {"name": "late", "ip_fqdn": "127.0.0.1", "collection": "late", "cluster_id": 1}
        asked = [("read", lambda: self.api.get("/services")), ("write", lambda: self.api.post("/services", service)),
                 ("health", lambda: Api(self.manager.http_port).raw("GET", "/healthz"))]
        self.base.freeze()
        callers = [threading.Thread(target=self._ask, args=each) for each in asked]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.base.thaw()

    def _ask(self, what, call):
        began = time.monotonic()
        with contextlib.suppress(OSError):
            self.answers[what] = (call().status, time.monotonic() - began)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.base = stack.enter_context(PostgresServer()).start()
            self.manager = stack.enter_context(Manager(self.folder, MARCHPROXY_DATABASE_URL=self.base.url)).start()
            stack.enter_context(Proxy(self.manager, self.folder)).start()
            self.api = self.manager.api
            self.world.fill(self.api)
            self.traffic = stack.enter_context(self.world.traffic())
            self._thread.start()
            stack.callback(self._thread.join)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *unused):
        self._stack.close()
