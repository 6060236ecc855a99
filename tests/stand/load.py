"""Traffic of every form at once through a proxy: each client asks again and again, and what fails is kept with its
time, so that a test can tell what a fault may explain from what it may not."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from typing import NamedTuple

from stand.traffic import ADDRESS
from stand.waiting import PATIENCE, eventually

PACE = 0.004  # seconds between two requests of a client: the machine is shared


class Failure(NamedTuple):
    kind: str
    began: float
    ended: float
    text: str


class Http:
    """Requests on one connection, or on a new one each; within TLS when there is a context."""

    def __init__(self, kind, port, host, service, tls=None):
        self.kind, self.port, self.host, self.service, self.tls = kind, port, host, service, tls
        self.connection = None

    def ask(self):
        if not self.connection:
            self.connection = self.connect()
        self.connection.request("GET", "/", headers={"Host": self.host})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.will_close:
            self.close()
        assert answer.status == 200, f"{answer.status} {text[:200]}"
        assert json.loads(text)["service"] == self.service, text[:200]

    def connect(self):
        made = http.client.HTTPConnection(ADDRESS, self.port, timeout=PATIENCE)
        if self.tls:
            plain = socket.create_connection((ADDRESS, self.port), PATIENCE)
            try:
                made.sock = self.tls.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise
        return made

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Fresh(Http):
    """A connection for each request."""

    def ask(self):
        self.close()
        super().ask()


class Lines:
    """Lines to an echo service over one connection."""

    def __init__(self, kind, port, service):
        self.kind, self.port, self.service = kind, port, service
        self.connection = self.stream = None

    def ask(self):
        if not self.connection:
            self.connection = socket.create_connection((ADDRESS, self.port), PATIENCE)
            self.stream = self.connection.makefile("rb")
        self.connection.sendall(b"x\n")
        line = self.stream.readline()
        assert line == self.service.encode() + b": x\n", f"{line!r}"

    def close(self):
        if self.connection:
            self.stream.close()
            self.connection.close()
        self.connection = None


class FreshLines(Lines):
    def ask(self):
        self.close()
        super().ask()


class Traffic:
    """Clients, each in a thread of its own, until the end of the block."""

    def __init__(self, clients):
        self.clients = clients
        self.failures = []
        self.done = {client.kind: 0 for client in clients}
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(client,), daemon=True) for client in clients]

    def _run(self, client):
        while not self._stopping.wait(PACE):
            began = time.monotonic()
            try:
                client.ask()
                self.done[client.kind] += 1
            except (OSError, http.client.HTTPException, AssertionError, ValueError, ssl.SSLError) as fault:
                self.failures.append(Failure(client.kind, began, time.monotonic(), repr(fault)[:300]))
                with contextlib.suppress(OSError):
                    client.close()
        client.close()

    def more(self, count=10):
        """Waits until every client has had that many further answers."""
        target = {kind: done + count for kind, done in self.done.items()}
        eventually(lambda: all(self.done[kind] >= target[kind] for kind in target), f"{count} more of each kind")

    def failed_outside(self, windows):
        """The failures that none of the times [(begin, end)] explains: what was on its way then counts as within."""
        return [failure for failure in list(self.failures)
                if not any(failure.began <= end and begin <= failure.ended for begin, end in windows)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.more()
        return self

    def __exit__(self, *unused):
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)
