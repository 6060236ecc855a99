"""What the benches stand on: a manager, an agent with its Envoy and small servers as processes of their own in
a folder that goes away, a keep-alive HTTP client, and the table that a run prints.

MARCHPROXY_TEST_BIN names the folder of the programs, MARCHPROXY_TEST_ENVOY the Envoy to run.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from stand import waiting  # noqa: E402
from stand.waiting import free_port  # noqa: E402

PROGRAMS = pathlib.Path(os.environ.get("MARCHPROXY_TEST_BIN", ROOT / "build/release/bin"))
ENVOY = pathlib.Path(os.environ.get("MARCHPROXY_TEST_ENVOY", ROOT / "build/third_party/envoy"))
PASSWORD = "bench-of-one-night"
KEY = "mp_cluster_" + "b" * 43
PATIENCE = 60.0
GOALS = os.environ.get("BENCH_GOALS")  # a file that scripts/bench prints at the end


def eventually(check, what):
    """As the tests wait, but for longer and with a pause that a start's time can be told by."""
    return waiting.eventually(check, what, PATIENCE, 0.002)


class Client:
    """One keep-alive connection."""

    def __init__(self, port, token=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"Authorization: Bearer {token}\r\n" if token else ""

    def send(self, method, path, body=None, host="localhost", head=""):
        text = b"" if body is None else json.dumps(body).encode()
        kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{self.head}{head}{kind}\r\n".encode() + text)

    def receive(self):
        """Status, head and body of the next answer."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._more()
        return int(head[9:12]), head.decode(), body

    def _more(self):
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("closed")
        return part

    def ask(self, *arguments, **options):
        self.send(*arguments, **options)
        return self.receive()

    def make(self, path, body, head=""):
        """Creates an object: its data and the answer's head."""
        status, answered, text = self.ask("POST", path, body, head=head)
        if status not in (200, 201):
            raise RuntimeError(f"POST {path} answered {status}: {text.decode()[:500]}")
        return json.loads(text)["data"], answered


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Manager:
    """A running manager on an SQLite database of its own; `folder` keeps the data."""

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.http_port, self.xds_port = free_port(), free_port()
        environment = dict(os.environ, MARCHPROXY_DATA_DIR=str(self.folder / "data"), MARCHPROXY_ADMIN_PASSWORD=PASSWORD,
                           MARCHPROXY_CLUSTER_KEY=KEY, MARCHPROXY_HTTP_LISTEN=f"127.0.0.1:{self.http_port}",
                           MARCHPROXY_XDS_LISTEN=f"127.0.0.1:{self.xds_port}",
                           **{f"MARCHPROXY_RATE_LIMIT_{name}": "off"
                              for name in ("AUTHENTICATION", "GENERAL", "CONFIGURATION")}, **settings)
        self.log = open(self.folder / "manager.log", "ab")
        self.began = time.perf_counter()
        self.process = subprocess.Popen([PROGRAMS / "marchproxy-manager", "serve"], env=environment, stdout=self.log,
                                        stderr=self.log)
        self.ready_seconds = eventually(self._ready, "the manager answers")
        self.token = self._sign_in()

    def _ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("the manager ended: " + (self.folder / "manager.log").read_text()[-500:])
        try:
            status, _, _ = Client(self.http_port).ask("GET", "/healthz")
        except ConnectionError:
            return None
        return time.perf_counter() - self.began if status == 200 else None

    def _sign_in(self):
        data, _ = Client(self.http_port).make("/api/auth/login", {"username": "admin", "password": PASSWORD})
        return data["access_token"]

    def client(self):
        return Client(self.http_port, self.token)

    def make_many(self, path, bodies, clients=16):
        """Creates all; several clients at a time, so that they share commits."""
        waiting = iter(list(bodies))

        def work():
            client = self.client()
            for body in waiting:  # each body goes to one thread: the list's iterator is atomic
                client.make(path, body)

        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            for done in [pool.submit(work) for _ in range(clients)]:
                done.result()

    def rss(self):
        return resident_mib(self.process.pid)

    def stop(self):
        stop(self.process)
        self.log.close()


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="marchproxy-bench.") as name:
        yield pathlib.Path(name)


@contextlib.contextmanager
def manager():
    with folder() as place:
        running = Manager(place)
        try:
            yield running
        finally:
            running.stop()


@contextlib.contextmanager
def running(command, log):
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield process
        finally:
            stop(process)


@contextlib.contextmanager
def agent(manager):
    """An egress proxy: the agent and its Envoy. Ready when the manager has given it a configuration."""
    place = manager.folder
    (place / "key").write_text(KEY)
    (place / "key").chmod(0o600)
    command = [PROGRAMS / "marchproxy-agent", "run", "--manager", f"http://127.0.0.1:{manager.http_port}",
               "--cluster-key-file", place / "key", "--type", "egress", "--envoy", ENVOY, "--state-dir",
               place / "agent", "--admin-port", str(free_port()), "--listen-address", "127.0.0.1"]
    with running(command, place / "agent.log") as process:
        client = manager.client()

        def live():
            status, _, text = client.ask("GET", "/api/clusters/1/status")
            return status == 200 and json.loads(text)["data"]["state"] == "live"

        eventually(live, "the proxy is connected and level")
        yield process


@contextlib.contextmanager
def nginx(place, files, processes=2):
    """nginx serving `files` (name to bytes) without an access log; its port."""
    port = free_port()
    for name, content in files.items():
        (place / name).write_bytes(content)
    place.chmod(0o755)
    (place / "nginx.conf").write_text(f"""
daemon off;
pid {place}/nginx.pid;
error_log {place}/nginx.error;
worker_processes {processes};
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  types {{ application/json json; }}
  server {{ listen {port} reuseport; root {place}; }}
}}
""")
    with running(["nginx", "-c", place / "nginx.conf"], place / "nginx.log"):
        eventually(lambda: accepts(port), "nginx answers")
        yield port


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


def wrk(url, connections, seconds, token=None, script=None):
    """Requests a second, and the median and 99th percentile of their latency in ms."""
    command = ["wrk", "-t", "2" if connections > 1 else "1", "-c", str(connections), "-d", f"{seconds}s", "--latency"]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    if script:
        command += ["-s", script]
    text = subprocess.run(command + [url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError("requests failed:\n" + text)

    def latency(name):
        value, unit = re.search(rf"{name}%\s+([\d.]+)(\w+)", text).groups()
        return float(value) * MILLISECONDS[unit]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), latency(50), latency(99)


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def goal(text, measured, reached):
    """A line of the table of goals."""
    if GOALS:
        with open(GOALS, "a") as lines:
            lines.write(f"| {text} | {measured} | {'yes' if reached else 'no'} |\n")


def report(title, columns, rows):
    """A Markdown table."""
    print(f"\n## {title}\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
    print(flush=True)
