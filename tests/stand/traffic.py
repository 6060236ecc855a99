"""What callers of a proxy do: single requests, raw connections, and load that counts every failure."""

import http.client
import json
import socket
import threading

from stand.waiting import PATIENCE, eventually

ADDRESS = "127.0.0.1"


class Reply:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def service(self):
        """Which demo service answered, or None."""
        return self.json["service"] if self.status == 200 else None


def request(port, host, path="/", headers=None, address=ADDRESS, source=None):
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE, source_address=source and (source, 0))
    try:
        connection.request("GET", path, headers={"Host": host, **(headers or {})})
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read().decode())
    finally:
        connection.close()


def answers(port, host, service, **more):
    """True when this service answers; False while nobody or another does."""
    try:
        return request(port, host, **more).service == service
    except (OSError, http.client.HTTPException):
        return False


def wait_for_status(port, host, status, **more):
    def look():
        try:
            return request(port, host, **more).status == status
        except (OSError, http.client.HTTPException):
            return False
    eventually(look, f"{host} on port {port} is answered with {status}")


def connect(port, address=ADDRESS, source=None):
    return socket.create_connection((address, port), timeout=PATIENCE, source_address=source and (source, 0))


def talk(port, line, **more):
    """The answer to one line, client first; empty when the proxy closes instead."""
    with connect(port, **more) as connection:
        try:
            connection.sendall(line.encode() + b"\n")
            return connection.makefile().readline().rstrip("\n")
        except ConnectionError:
            return ""


def listen_only(port, **more):
    """What a server says first."""
    with connect(port, **more) as connection:
        return connection.makefile().readline().rstrip("\n")


def is_refused(port, address=ADDRESS):
    try:
        connect(port, address).close()
        return False
    except ConnectionRefusedError:
        return True


def upgrade(port, host, path="/"):
    """Asks for a websocket; the status, and what came back to a line sent after it."""
    with connect(port) as connection:
        connection.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        while stream.readline().strip():
            pass
        if status != 101:
            return status, ""
        connection.sendall(b"ping\n")
        return status, stream.readline().decode().rstrip("\n")


class Load:
    """Keep-alive clients that loop through a proxy until told to stop; every unexpected answer is kept."""

    def __init__(self, port, routes, clients=4):
        self.port = port
        self.routes = routes
        self.done = 0
        self.failures = []
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client, args=(index,), daemon=True) for index in range(clients)]

    def _client(self, index):
        connection = http.client.HTTPConnection(ADDRESS, self.port, timeout=PATIENCE)
        turn = index
        while not self._stopping.is_set():
            host, allowed = self.routes[turn % len(self.routes)]
            turn += 1
            failure = self._ask(connection, host, allowed)
            with self._lock:
                self.done += 1
                if failure:
                    self.failures.append(failure)
        connection.close()

    @staticmethod
    def _ask(connection, host, allowed):
        try:
            connection.request("GET", "/", headers={"Host": host})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status == 200 and json.loads(text)["service"] in allowed:
                return None
            return f"{host}: {answer.status} {text[:200]}"
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            return f"{host}: {fault!r}"

    def more(self, count):
        """Waits until that many further requests were made."""
        target = self.done + count
        eventually(lambda: self.done >= target, f"{count} more requests")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.more(20)
        return self

    def __exit__(self, *unused):
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)
