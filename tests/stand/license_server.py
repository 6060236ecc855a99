"""The licence server that the manager asks, for tests: speaks the real one's protocol, counts what it is asked, and
misbehaves as it is told. It runs in this process; `mode` may be changed at any time."""

import contextlib
import datetime
import http.server
import json
import ssl
import threading
import time

from stand.waiting import free_port

KEY = "PENG-TEST-0000-0000-0000-ABCD"
FEATURES = ("unlimited_proxies", "multi_cluster", "saml_authentication", "oauth2_authentication", "scim_provisioning",
            "wildcard_certificates", "advanced_acceleration", "traffic_shaping", "multi_cloud_routing",
            "distributed_tracing", "zero_trust")
BOUGHT = {"community": (), "professional": ("oauth2_authentication", "wildcard_certificates"), "enterprise": FEATURES}
REFUSALS = {"unknown": (404, "License not found"), "forbidden": (403, "Product not in license"),
            "malformed": (400, "Invalid license key format")}
# What is wrong with an answer that otherwise grants everything.
LIES = {"other product": {"product": "another"}, "other key": {"license_key": "PENG-0000-0000-0000-0000-0000"},
        "expired": {"expires_at": "2020-01-01T00:00:00Z"}, "invalid": {"valid": False},
        "text for valid": {"valid": "true"}, "no time": {"expires_at": "tomorrow"}, "no tier": {"tier": "platinum"},
        "object for features": {"features": {"multi_cluster": True}}, "text for limits": {"limits": "many"},
        "text for a limit": {"limits": {"max_servers": "many"}}, "nothing": None}


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class LicenseServer:
    """Modes: a tier, a refusal, a lie, or silent, drip, huge, garbage, redirect, broken. `tls`: certificate and key."""

    def __init__(self, mode="enterprise", tls=None):
        self.mode = mode
        self.expires_at = in_days(30)
        self.limits = {"max_servers": -1, "max_clusters": -1, "max_users": -1}
        self.asked = []  # (path, headers, body)
        self.looks = []  # headers of requests without a question
        self.tls = tls
        self.port = free_port()
        self.gone = threading.Event()
        self.server = None

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def calls(self, path):
        return [body for asked, _, body in list(self.asked) if asked == f"/api/v2/{path}"]

    def start(self):
        self.gone.clear()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler())
        self.server.daemon_threads = True
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.gone.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()

    def grant(self, key):
        bought = BOUGHT.get(self.mode, FEATURES)
        features = [{"name": name, "entitled": name in bought, "units": 0} for name in (*FEATURES, "of_tomorrow")]
        answer = {"valid": True, "message": "License is valid", "customer": "Example Ltd", "product": "marchproxy",
                  "license_key": key, "expires_at": self.expires_at, "issued_at": "2025-01-01T00:00:00Z",
                  "tier": self.mode if self.mode in BOUGHT else "enterprise", "features": features,
                  "limits": self.limits, "metadata": {"server_id": "srv-test-1"}}
        lie = LIES.get(self.mode, {})
        return {} if lie is None else answer | lie

    def handler(stand):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stand.asked.append((self.path, dict(self.headers), body))
                with contextlib.suppress(OSError):
                    self.answer(stand.mode)

            def do_GET(self):
                """Somebody looks whether the server is there."""
                stand.looks.append(dict(self.headers))
                self.send(405, "")

            def answer(self, mode):
                if mode in REFUSALS:
                    status, message = REFUSALS[mode]
                    return self.send(status, json.dumps({"valid": False, "message": message}))
                if mode == "redirect" and self.path != "/granted":
                    return self.send(307, "", Location=f"{stand.url}/granted")
                if mode == "broken":
                    return self.send(500, "Internal Server Error")
                if mode == "garbage":
                    return self.send(200, "<html>Welcome to the hotel's network</html>")
                if mode == "huge":
                    return self.send(200, json.dumps({"padding": "x" * (8 << 20)}))
                if mode == "silent":
                    return stand.gone.wait(60)
                key = self.headers["Authorization"].removeprefix("Bearer ")
                text = json.dumps(stand.grant(key)) if self.path.endswith("/validate") else "{}"
                return self.drip(text) if mode == "drip" else self.send(200, text)

            def send(self, status, text, **headers):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def drip(self, text):
                """A byte now and then: it never ends in time, and never stops either."""
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                deadline = time.monotonic() + 60
                for byte in text.encode():
                    if stand.gone.wait(0.2) or time.monotonic() > deadline:
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()

            def log_message(self, *unused):
                pass

        return Handler
