"""An ACME server for tests: pebble, with a certificate of its own, and a DNS server that sends every name to this
machine. It refuses some nonces, as real servers may at any time."""

import json
import subprocess

from stand.program import Program
from stand.rest import Api
from stand.waiting import PATIENCE, eventually, free_port

REFUSED_NONCES = 30  # percent


class AcmeServer:
    def __init__(self, folder, http_port):
        self.folder = folder
        self.port = free_port()
        self.dns_port = free_port()
        self.dns_management = free_port()
        self.authority = folder / "acme.pem"
        key = folder / "acme.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=acme", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                        "-out", self.authority], check=True, capture_output=True, timeout=PATIENCE)
        config = folder / "pebble.json"
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{free_port()}",
            "certificate": str(self.authority), "privateKey": str(key), "httpPort": http_port, "tlsPort": free_port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        self.dns = Program("dns", ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.dns_port}", "-management",
                                   f"127.0.0.1:{self.dns_management}", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                                   "-http01", "", "-https01", "", "-tlsalpn01", ""], folder / "dns.log")
        self.server = Program("pebble", ["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{self.dns_port}"],
                              folder / "pebble.log", PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT=str(REFUSED_NONCES))

    @property
    def directory(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def start(self):
        self.dns.start()
        self.server.start()
        eventually(self.answers, "the ACME server answers")
        return self

    def answers(self):
        try:
            return Api(self.port, authority=self.authority).raw("GET", "/dir").status == 200
        except OSError:
            return False

    def refuse_names(self):
        """From now on no name leads anywhere."""
        self.manage("/set-default-ipv4", {"ip": ""})

    def accept_names(self):
        self.manage("/set-default-ipv4", {"ip": "127.0.0.1"})

    def manage(self, path, body):
        assert Api(self.dns_management).raw("POST", path, body).status == 200

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.clean_up()
        self.dns.clean_up()
