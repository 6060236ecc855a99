"""What the tests of the translation stand on: the manager as a process, an Envoy that takes its configuration
from it, upstreams that tell what reached them, and clients that speak plain HTTP by hand.

MARCHPROXY_TEST_BIN names the folder of the programs, MARCHPROXY_TEST_ENVOY the Envoy to run.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import socket
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stand.program import OLDEST_ENVOY
from stand.waiting import PATIENCE, eventually, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANAGER = pathlib.Path(os.environ.get("MARCHPROXY_TEST_BIN", ROOT / "build/dev/bin")) / "marchproxy-manager"
ENVOY = pathlib.Path(os.environ.get("MARCHPROXY_TEST_ENVOY", ROOT / "build/third_party/envoy"))
PASSWORD = "Zebra-Quartz-Violin-8841"
CLUSTER_KEY = "mp_cluster_" + "k" * 40


def free_ports(count):
    return [free_port() for _ in range(count)]


class Upstream:
    """An HTTP server that answers with what reached it; upgrades to websocket are answered 101."""

    def __init__(self, name):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *unused):
                pass

            def do_GET(self):
                if self.headers.get("Upgrade", "").lower() == "websocket":
                    self.send_response(101)
                    self.send_header("Upgrade", "websocket")
                    self.send_header("Connection", "Upgrade")
                    self.end_headers()
                    self.close_connection = True
                    return
                headers = {key.lower(): value for key, value in self.headers.items()}
                body = json.dumps({"upstream": name, "path": self.path, "headers": headers}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Greeter:
    """A TCP server that speaks first."""

    def __init__(self, text):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.sendall(text.encode())
                self.request.recv(100)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class UdpEcho:
    """A UDP server that answers with a word and what it got."""

    def __init__(self, word):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                data, server = self.request
                server.sendto(word.encode() + data, self.client_address)

        self.server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def ask_udp(port, text, source="127.0.0.1", patience=5):
    """The answer to one datagram, or None when none comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind((source, 0))
        asker.settimeout(patience)
        asker.sendto(text.encode(), ("127.0.0.1", port))
        try:
            return asker.recv(100).decode()
        except TimeoutError:
            return None


class Manager:
    def __init__(self, folder):
        self.port, self.xds_port = free_ports(2)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MARCHPROXY_")}
        environment["MARCHPROXY_ADMIN_PASSWORD"] = PASSWORD
        environment["MARCHPROXY_CLUSTER_KEY"] = CLUSTER_KEY
        self.log = open(folder / "manager.log", "wb")
        self.process = subprocess.Popen(
            [MANAGER, "serve", "--data-dir", folder / "data", "--http-listen", f"127.0.0.1:{self.port}",
             "--xds-listen", f"127.0.0.1:{self.xds_port}", "--xds-advertise", f"127.0.0.1:{self.xds_port}"],
            env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        self.token = None
        eventually(lambda: self.call("GET", "/healthz")[0] == 200, "the manager answers")
        status, answer = self.post("/api/v1/auth/login", {"username": "admin", "password": PASSWORD})
        assert status == 200, answer
        self.token = answer["access_token"]

    def call(self, method, path, body=None, headers=None):
        """Status and JSON; (0, None) while nobody answers."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, data=data)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        for key, value in (headers or {}).items():
            request.add_header(key, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text, status = answer.read().decode(), answer.status
        except urllib.error.HTTPError as refusal:
            text, status = refusal.read().decode(), refusal.code
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return 0, None
        try:
            answer = json.loads(text)
        except ValueError:
            return status, text
        return status, answer.get("data", answer) if status < 400 else answer

    def post(self, path, body):
        return self.call("POST", path, body)

    def make(self, plural, body):
        """Creates and waits until every connected proxy holds it."""
        status, answer = self.call("POST", f"/api/v1/{plural}", {"cluster_id": 1, **body}, {"Prefer": "wait=20"})
        assert status == 201, answer
        return answer

    def service(self, name, port, address="127.0.0.1", **more):
        return self.make("services", {"name": name, "ip_fqdn": address, "collection": "c", "port": port, **more})

    def mapping(self, sources, destinations, protocols, ports, **more):
        return self.make("mappings", {
            "source_services": sources, "dest_services": destinations, "protocols": protocols,
            "ports": ports if isinstance(ports, list) else [ports], **more})

    def upload(self, method, path, pair, **fields):
        """A certificate and its key as multipart/form-data."""
        boundary = "boundary-of-a-test"
        parts = [(name, "", str(value)) for name, value in fields.items()]
        parts += [("cert_file", "; filename=cert.pem", pair.certificate), ("key_file", "; filename=key.pem", pair.key)]
        body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
                       for name, more, value in parts) + f"--{boundary}--\r\n"
        return self.call(method, path, body.encode(), {
            "Content-Type": f"multipart/form-data; boundary={boundary}", "Prefer": "wait=20"})

    def certificate(self, pair, name):
        status, answer = self.upload("POST", "/api/v1/certificates", pair, name=name, cluster_id=1)
        assert status == 201, answer
        return answer

    def remove(self, plural, number):
        status, answer = self.call("DELETE", f"/api/v1/{plural}/{number}", None, {"Prefer": "wait=20"})
        assert status == 200, answer

    def bootstrap(self, proxy_type, hostname, listen_address="127.0.0.1", form="yaml"):
        key = {"X-Cluster-API-Key": CLUSTER_KEY}
        status, answer = self.call("POST", "/api/v1/proxy/register", {
            "hostname": hostname, "version": "v1.40.0", "capabilities": [], "proxy_type": proxy_type,
            "listen_address": listen_address}, key)
        assert status in (200, 201), answer
        proxy = answer["proxy_id"]
        status, answer = self.call("GET", f"/api/v1/proxy/bootstrap?proxy_id={proxy}&admin_port=0&format={form}", None, key)
        assert status == 200, answer
        return answer

    def authority(self):
        """The certificate of the manager's own authority, as every bootstrap has it."""
        text = self.bootstrap("egress", "delta", form="json")
        return json.loads(re.search(r'"-----BEGIN CERTIFICATE[^"]*"', json.dumps(text)).group())

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


class Envoy:
    def __init__(self, folder, bootstrap, admin_port, state_of_the_world=False, program=ENVOY):
        self.admin_port = admin_port
        path = folder / "bootstrap.yaml"
        path.write_text(bootstrap)
        more = {"admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}}}
        if state_of_the_world:
            more["dynamic_resources"] = {"ads_config": {"api_type": "GRPC"}}
        self.log_path = folder / "envoy.log"
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen([program, "-c", path, "--config-yaml", json.dumps(more), "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"],
                                        stdout=self.log, stderr=subprocess.STDOUT)
        eventually(self.ready, "Envoy is ready")

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/ready", timeout=5) as answer:
                return answer.read().startswith(b"LIVE")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def statistics(self, pattern):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats?filter={pattern}", timeout=5) as answer:
            pairs = (line.split(": ") for line in answer.read().decode().splitlines() if ": " in line)
            return {name: int(value) for name, value in pairs if value.isdigit()}

    def secrets(self):
        """The names of the secrets that it asked for."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/config_dump", timeout=5) as answer:
            return set(re.findall(r'"name": "(certificate/\d+|authority)"', answer.read().decode()))

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


class Answer:
    def __init__(self, status, body, headers):
        self.status, self.body, self.headers = status, body, headers

    def seen(self):
        """What the upstream saw."""
        return json.loads(self.body)


def connect_tls(port, server_name, context, source="127.0.0.1"):
    """A TLS connection that asks for that name."""
    plain = socket.create_connection(("127.0.0.1", port), 10, (source, 0))
    try:
        return context.wrap_socket(plain, server_hostname=server_name)
    except BaseException:
        plain.close()
        raise


def ask(port, host, path="/", headers=None, method="GET", tls=None):
    """One request with that very Host header, sent as it is; through a TLS connection where one is given."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.sock = tls
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        for key, value in (headers or {}).items():
            connection.putheader(key, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = b"" if answer.status == 101 else answer.read()
        return Answer(answer.status, body.decode(), {key.lower(): value for key, value in answer.getheaders()})
    finally:
        connection.close()


UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def first_words(port, source="127.0.0.1"):
    """What a TCP server says by itself; empty when the connection is closed, None when it is refused. Who says nothing
    where TLS is awaited is closed after 10 s."""
    try:
        with socket.create_connection(("127.0.0.1", port), 30, (source, 0)) as connection:
            return connection.recv(100).decode()
    except ConnectionRefusedError:
        return None
    except ConnectionResetError:
        return ""


def token(secret, **claims):
    """A JSON Web Token, HS256."""
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    text = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
    return text + "." + part(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())
