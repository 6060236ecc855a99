"""The built manager as a process, on a data directory and ports of its own; may be started many times."""

import functools
import subprocess

from stand.program import BIN, PATIENCE, Program, environment
from stand.rest import Api
from stand.waiting import free_port

MANAGER = BIN / "marchproxy-manager"
PASSWORD = "correct-horse-battery-7"
KEY = "mp_cluster_" + "k" * 40


@functools.cache
def known_settings():
    return subprocess.run([MANAGER, "settings"], check=True, capture_output=True, text=True, timeout=PATIENCE,
                          env=environment()).stdout


def unlimited():
    """Variables that switch the rate limits off: these tests make more requests than people do."""
    names = ("authentication", "general", "configuration")
    known = [name for name in names if f"rate_limit.{name}" in known_settings()]
    return {f"MARCHPROXY_RATE_LIMIT_{name.upper()}": "off" for name in known}


class Manager(Program):
    program = MANAGER
    address = "127.0.0.1"  # where the API is found

    def __init__(self, folder, name="manager", **variables):
        self.data_dir = folder / name
        self.http_port = free_port()
        self.xds_port = free_port()
        given = {"MARCHPROXY_DATA_DIR": self.data_dir, "MARCHPROXY_HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
                 "MARCHPROXY_XDS_LISTEN": f"127.0.0.1:{self.xds_port}", "MARCHPROXY_ADMIN_PASSWORD": PASSWORD,
                 "MARCHPROXY_CLUSTER_KEY": KEY, **unlimited(), **variables}
        super().__init__(name, [self.program, "serve"], folder / f"{name}.log", **given)
        self.token = None

    @property
    def url(self):
        return f"http://{self.address}:{self.http_port}"

    def _client(self, headers=None):
        return Api(self.http_port, headers, address=self.address)

    def start(self):
        super().start()
        self.says(r"\bready\b")
        return self

    def restart(self):
        """As after a crash: nothing is told before the end."""
        self.kill()
        return self.start()

    @property
    def api(self):
        """As the administrator."""
        if not self.token:
            answer = self._client().post("/auth/login", {"username": "admin", "password": PASSWORD})
            self.token = answer.expect(200).data["access_token"]
        return self._client({"Authorization": f"Bearer {self.token}"})

    @property
    def enrolment(self):
        """As a proxy of the default cluster."""
        return self._client({"X-Cluster-API-Key": KEY})

    def state_of_proxy(self, proxy_id):
        """Of what the proxy holds: live, pending, rejected, offline; None while it is unknown."""
        answer = self.api.get(f"/proxies/{proxy_id}/config")
        return answer.data["state"] if answer.status == 200 else None

    def metric(self, name):
        """The sum of a metric's samples."""
        total = 0.0
        for line in self._client().raw("GET", "/metrics").text.splitlines():
            sample, _, value = line.rpartition(" ")
            if sample == name or sample.startswith(name + "{"):
                total += float(value)
        return total
