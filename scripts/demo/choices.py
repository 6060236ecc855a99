"""What the person who starts the demo chose: addresses, ports, folders. And whether the ports are free."""

import json
import os
import pathlib
import socket

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFIX = "MARCHPROXY_RUN_"
PORTS = {"HTTP": (8000, "the REST API"), "XDS": (18000, "xDS"), "PROXY": (8080, "Envoy's traffic"),
         "ADMIN": (9901, "Envoy's admin page"), "DEMO": (18080, "the demo upstream")}
# Those that an Envoy listens on which an earlier run left behind.
OF_ENVOY = ("PROXY", "ADMIN")


class Wrong(Exception):
    """Something that the person has to change: one line."""


def chosen(name, default):
    return os.environ.get(PREFIX + name) or default


def chosen_port(name):
    text = chosen(name + "_PORT", str(PORTS[name][0]))
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Wrong(f"{PREFIX}{name}_PORT must be a number from 1 to 65535, not {text}")
    return int(text)


class Choices:
    def __init__(self):
        self.programs = pathlib.Path(chosen("BIN", ROOT / "build/release/bin")).resolve()
        self.envoy = pathlib.Path(chosen("ENVOY", ROOT / "build/third_party/envoy")).resolve()
        self.data = pathlib.Path(chosen("DATA", ROOT / "data")).resolve()
        self.address = chosen("ADDRESS", "127.0.0.1")
        try:
            socket.inet_pton(socket.AF_INET, self.address)
        except OSError:
            raise Wrong(f"{PREFIX}ADDRESS must be an IPv4 address, not {self.address}") from None
        self.http, self.xds, self.proxy, self.admin, self.demo = map(chosen_port, PORTS)
        ports = [self.http, self.xds, self.proxy, self.admin, self.demo]
        for port in ports:
            if ports.count(port) > 1:
                raise Wrong(f"port {port} is chosen twice; see scripts/run for the names of the ports")

    def reach(self):
        """Where this machine reaches what listens on the chosen address."""
        return "127.0.0.1" if self.address == "0.0.0.0" else self.address

    def check_ports(self):
        """Throws Wrong naming the first port that somebody else has."""
        ours = left_envoy(self.data / "agent/agent.json")
        for name, (_, purpose) in PORTS.items():
            if name in OF_ENVOY and ours:
                continue
            port = chosen_port(name)
            address = self.address if name in ("HTTP", "XDS", "PROXY") else "127.0.0.1"
            fault = bind_fault(address, port)
            if fault:
                raise Wrong(f"port {port} of {address} for {purpose} cannot be used ({fault}); choose another: "
                            f"{PREFIX}{name}_PORT={port + 1 if port < 65535 else 1024} make run")


def bind_fault(address, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return os.strerror(error.errno).lower()
    return None


def left_envoy(record):
    """The process number of the Envoy that an agent wrote down, while it runs: that number with that start time
    (proc(5)). None when there is none."""
    try:
        envoy = json.loads(record.read_text())["envoy"]
        facts = pathlib.Path(f"/proc/{envoy['pid']}/stat").read_text().rpartition(")")[2].split()
        return envoy["pid"] if int(facts[19]) == envoy["start_time"] and facts[0] != "Z" else None
    except (OSError, ValueError, KeyError):
        return None


def environment():
    """What the programs are given: everything but our own choices, and no proxy towards ourselves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = ",".join(filter(None, [kept.get(name), "127.0.0.1,localhost"]))
    return kept
