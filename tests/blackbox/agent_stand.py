"""What the tests of marchproxy-agent stand on: the agent as a process with a real Envoy below it, and above
it a server that answers like the manager's REST API, or as badly as a test wants.

MARCHPROXY_TEST_BIN names the folder of the programs, MARCHPROXY_TEST_ENVOY the Envoy to run.
"""

import json
import os
import pathlib
import signal
import ssl
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stand.waiting import PATIENCE, eventually, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGENT = pathlib.Path(os.environ.get("MARCHPROXY_TEST_BIN", ROOT / "build/dev/bin")) / "marchproxy-agent"
ENVOY = pathlib.Path(os.environ.get("MARCHPROXY_TEST_ENVOY", ROOT / "build/third_party/envoy"))
KEY = "mp_cluster_first"


def get(url):
    """The body of an answer, or None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def socket_address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def typed(name, kind, **fields):
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/envoy.extensions.filters.{kind}", **fields}}


def listener(port, filters):
    return {"name": f"port-{port}", "address": socket_address(port), "filter_chains": [{"filters": filters}]}


def http_listener(port, body):
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": body}}}
    router = typed("router", "http.router.v3.Router")
    host = {"name": "all", "domains": ["*"], "routes": [route]}
    hcm = typed("http", "network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="web",
                route_config={"virtual_hosts": [host]}, http_filters=[router])
    return listener(port, [hcm])


def xds_to(port):
    """A bootstrap's part that asks a management server on this port for clusters."""
    http2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}}}}
    endpoint = {"endpoint": {"address": socket_address(port)}}
    cluster = {"name": "xds", "type": "STATIC", "typed_extension_protocol_options": http2,
               "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [endpoint]}]}}
    source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0.2s"}
    grpc = {"envoy_grpc": {"cluster_name": "xds"}}
    return cluster, {"cds_config": source, "ads_config": {"api_type": "DELTA_GRPC", "transport_api_version": "V3",
                                                          "grpc_services": [grpc]}}


class Manager:
    """Answers like the REST API; `plan` holds answers that come first, by the path's last part."""

    def __init__(self, proxy_port):
        self.key = KEY
        self.proxy_id = "proxy-1"
        self.body = "first"
        self.proxy_port = proxy_port
        self.xds_port = None
        self.interval = 1
        self.plan = {"register": [], "bootstrap": [], "heartbeat": []}
        self.seen = {"register": [], "bootstrap": [], "heartbeat": []}
        self.times = {"register": [], "bootstrap": [], "heartbeat": []}
        self.server = None
        self.tls = None
        self.port = free_port()
        self.start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def use_tls(self, folder):
        """Answers by HTTPS from now on, with a certificate that nobody knows; returns its file."""
        certificate, key = folder / "manager.pem", folder / "manager.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "1", "-subj", "/CN=manager", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                        "-out", certificate], check=True, capture_output=True)
        self.stop()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.start()
        return certificate

    def start(self):
        manager = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *unused):
                pass

            def do_GET(self):
                manager.answer(self, None)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                manager.answer(self, json.loads(body))

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def answer(self, handler, body):
        path, _, query = handler.path.partition("?")
        prefix, _, name = path.rpartition("/")
        assert prefix == "/api/v1/proxy"
        self.seen[name].append(body if body is not None else query)
        self.times[name].append(time.monotonic())
        if handler.headers["X-Cluster-API-Key"] != self.key:
            status, headers, data = 401, {}, refusal("AUTHENTICATION_REQUIRED", "Missing or invalid authentication")
        elif self.plan[name]:
            status, headers, data = self.plan[name].pop(0)
        else:
            status, headers, data = self.good(name, body)
        text = json.dumps(data).encode()
        handler.send_response(status)
        for header, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
            handler.send_header(header, value)
        handler.end_headers()
        handler.wfile.write(text)

    def good(self, name, body):
        if name == "bootstrap":
            return 200, {}, self.bootstrap()
        if name == "register":
            return 201, {}, {"success": True, "data": {
                "proxy_id": self.proxy_id, "cluster_id": 1, "config_endpoint": "/api/v1/config/1",
                "heartbeat_interval": self.interval, "enabled_capabilities": [],
                "xds": {"address": "127.0.0.1:18000", "node_id": self.proxy_id, "node_cluster": "default"}}}
        if body["proxy_id"] != self.proxy_id:
            return 404, {}, refusal("RESOURCE_NOT_FOUND", "Proxy not found")
        return 200, {}, {"success": True}

    def bootstrap(self):
        query = dict(part.split("=") for part in self.seen["bootstrap"][-1].split("&"))
        assert query["proxy_id"] == self.proxy_id and query["format"] == "json"
        listeners = [http_listener(self.proxy_port, self.body)]
        made = {"node": {"id": self.proxy_id, "cluster": "default", "metadata": {"proxy_type": "egress"}},
                "static_resources": {"listeners": listeners}}
        if query["admin_port"] != "0":
            made["admin"] = {"address": socket_address(int(query["admin_port"]))}
        if self.xds_port:
            cluster, made["dynamic_resources"] = xds_to(self.xds_port)
            made["static_resources"]["clusters"] = [cluster]
        return made

    def statuses(self):
        return [beat["status"] for beat in self.seen["heartbeat"]]

    def wait_for(self, name, count=1):
        eventually(lambda: len(self.seen[name]) >= count, f"{count} x {name}")

    def wait_for_status(self, status, after=0):
        eventually(lambda: status in self.statuses()[after:], f"a heartbeat that says {status}")


def refusal(code, message):
    return {"success": False, "error": {"code": code, "message": message}, "request_id": "req_1"}


class Agent:
    """One agent on its own state directory; may be started several times."""

    def __init__(self, folder, manager, admin_port):
        self.state = folder / "state"
        self.key_file = folder / "key"
        self.key_file.write_text(KEY + "\n")
        self.key_file.chmod(0o600)
        self.log = folder / "agent.log"
        self.admin_port = admin_port
        self.arguments = [
            AGENT, "run", "--manager", manager.url, "--cluster-key-file", self.key_file, "--type", "egress", "--envoy",
            ENVOY, "--hostname", "proxy.test", "--name", "left", "--listen-address", "127.0.0.1", "--admin-port",
            str(admin_port), "--state-dir", self.state]
        self.process = None

    def set(self, flag, value):
        self.arguments[self.arguments.index(flag) + 1] = str(value)

    def start(self, *more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.arguments, *more], stderr=log, stdout=log, env=environment())

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def envoy_pid(self):
        try:
            return json.loads((self.state / "agent.json").read_text())["envoy"]["pid"]
        except (OSError, ValueError):
            return None

    def clean_up(self):
        if self.process and self.process.poll() is None:
            self.kill()
        pid = self.envoy_pid()
        if pid and is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARCHPROXY_AGENT_")}
    return {**kept, **more}


def is_alive(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z"


@pytest.fixture
def manager():
    made = Manager(free_port())
    yield made
    made.stop()


@pytest.fixture
def agent(tmp_path, manager):
    made = Agent(tmp_path, manager, free_port())
    yield made
    made.clean_up()
    print(made.text())


def proxy_says(manager, text):
    eventually(lambda: get(f"http://127.0.0.1:{manager.proxy_port}/") == text, f"the proxy answers {text!r}")
