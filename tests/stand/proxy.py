"""Proxies: an agent with its Envoy, or an Envoy alone, from a bootstrap that a test changed."""

import contextlib
import http.client
import json
import os
import signal

from stand.control_plane import KEY
from stand.program import BIN, ENVOY, Program
from stand.waiting import PATIENCE, eventually, free_port

AGENT = BIN / "marchproxy-agent"


class EnvoyAdmin:
    """Envoy's admin interface."""

    def __init__(self, port):
        self.port = port

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def stats(self, pattern):
        found = json.loads(self.get(f"/stats?format=json&filter={pattern}"))["stats"]
        return {stat["name"]: stat["value"] for stat in found if "value" in stat}

    def is_connected(self):
        try:
            return self.stats("^control_plane.connected_state$").get("control_plane.connected_state") == 1
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def received(self):
        """Every count of what came from the control plane, and the version of each type that it took."""
        return self.stats("^(listener_manager|cluster_manager|http|cluster|sds)[.].*"
                          "[.](update_success|update_rejected|version|config_reload)$")

    def updates(self):
        """Counts what the control plane made Envoy do: every received update and every changed resource."""
        names = ("listener_manager.lds.update_success", "listener_manager.lds.update_rejected",
                 "listener_manager.listener_added", "listener_manager.listener_modified",
                 "listener_manager.listener_removed", "listener_manager.listener_in_place_updated",
                 "cluster_manager.cds.update_success", "cluster_manager.cds.update_rejected",
                 "cluster_manager.cluster_added", "cluster_manager.cluster_modified", "cluster_manager.cluster_removed")
        stats = self.stats("^(listener_manager|cluster_manager)[.]")
        return {name: stats[name] for name in names}


class Proxy(Program):
    """marchproxy-agent and the Envoy below it."""

    def __init__(self, manager, folder, kind="egress", address="127.0.0.1", hostname=None, key=KEY, envoy=ENVOY,
                 more=()):
        name = hostname or f"{kind}.test"
        self.state = folder / f"agent-{name}"
        self.key_file = folder / f"key-{name}"
        self.key_file.write_text(key + "\n")
        self.key_file.chmod(0o600)
        self.admin = EnvoyAdmin(free_port())
        self.address = address
        self.manager = manager
        super().__init__(f"agent {name}", [
            AGENT, "run", "--manager", manager.url, "--cluster-key-file", self.key_file, "--type", kind,
            "--envoy", envoy, "--hostname", name, "--listen-address", address, "--admin-port", self.admin.port,
            "--state-dir", self.state, "--drain-time", "0", *more], folder / f"agent-{name}.log")

    def start(self):
        super().start()
        self.wait_connected()
        return self

    def wait_connected(self):
        """Until the proxy has its stream and the manager knows that it holds everything."""
        eventually(self.admin.is_connected, f"{self.name} has its stream")
        eventually(lambda: self.manager.state_of_proxy(self.id) == "live", f"{self.name} is level")

    def wait_rejected(self):
        """The same, but for what it refuses."""
        eventually(self.admin.is_connected, f"{self.name} has its stream")
        eventually(lambda: self.manager.state_of_proxy(self.id) == "rejected", f"{self.name} refuses something")

    @property
    def id(self):
        return json.loads((self.state / "bootstrap.json").read_text())["node"]["id"]

    def text(self):
        log = self.state / "envoy.log"
        return super().text() + (log.read_text()[-4000:] if log.exists() else "")

    @property
    def envoy_pid(self):
        """None while there is no Envoy."""
        try:
            return json.loads((self.state / "agent.json").read_text())["envoy"]["pid"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def kill_envoy(self):
        """The agent is left alone."""
        os.kill(self.envoy_pid, signal.SIGKILL)

    def clean_up(self):
        super().clean_up()
        with contextlib.suppress(ProcessLookupError):
            if self.envoy_pid:
                self.kill_envoy()


class BareEnvoy(Program):
    """An Envoy without an agent. Its log has why its stream was closed, as the number of the gRPC status."""

    def __init__(self, bootstrap, folder, name="envoy"):
        self.admin = EnvoyAdmin(bootstrap["admin"]["address"]["socket_address"]["port_value"])
        self.node = bootstrap["node"]["id"]
        file = folder / f"{name}.json"
        file.write_text(json.dumps(bootstrap))
        super().__init__(name, [ENVOY, "-c", file, "--disable-hot-restart", "--concurrency", "2",
                                "--component-log-level", "config:debug"], folder / f"{name}.log")

    def connect(self, manager):
        """Starts, and waits until the manager knows that it holds everything."""
        self.start()
        eventually(self.admin.is_connected, f"{self.name} has its stream")
        eventually(lambda: manager.state_of_proxy(self.node) == "live", f"{self.name} is level")
        return self


def register(manager, hostname, kind="egress", address="127.0.0.1"):
    """Registers a proxy as an agent would; its id."""
    body = {"hostname": hostname, "version": "v1.0.0", "capabilities": [], "proxy_type": kind,
            "listen_address": address}
    return manager.enrolment.post("/proxy/register", body).expect(201).data["proxy_id"]


def bootstrap_of(manager, proxy_id):
    answer = manager.enrolment.get(f"/proxy/bootstrap?proxy_id={proxy_id}&format=json&admin_port={free_port()}")
    return answer.expect(200).json
