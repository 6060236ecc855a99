#!/usr/bin/python3
"""The running part of `make run`: manager, demo upstream, and an agent with its Envoy, as one set that starts
together and stops together. Called by scripts/run, which names the choices; ends with 0 after Ctrl-C."""

import json
import os
import shlex
import shutil
import signal
import sys

from choices import Choices, Wrong, environment, left_envoy
from processes import Ended, Foreground, Program, only_one, wait_until
from rest import Refused, Rest, fetch

HOST = "demo.localhost"  # resolves to this machine everywhere (RFC 6761)
HOSTNAME = "demo-proxy"
START_SECONDS = 60
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class Stop(Exception):
    """Ctrl-C or SIGTERM."""


def raise_stop(*_):
    raise Stop


def bold(text):
    return f"\033[1m{text}\033[0m" if COLOUR else text


def say(text=""):
    print(text, flush=True)


class Stand:
    def __init__(self, choices):
        self.choices = choices
        self.programs = []  # in the order of their start
        self.environment = environment()
        self.base = f"http://{choices.reach()}:{choices.http}"
        self.rest = Rest(self.base + "/api/v1")
        self.password = None  # unless it was changed and nobody told us

    def start(self, name, command):
        log = self.choices.data / "log" / f"{name}.log"
        self.programs.append(Program(name, command, log, self.environment))

    def wait(self, what, check):
        """Throws Wrong when it does not come true in time."""
        result = wait_until(check, self.programs, START_SECONDS)
        if not result:
            raise Wrong(f"not within {START_SECONDS} seconds: {what}; the logs are in {self.choices.data / 'log'}")
        return result

    def run_manager(self):
        choices = self.choices
        self.start("manager", [choices.programs / "marchproxy-manager", "serve",
                               "--data-dir", choices.data / "manager",
                               "--http-listen", f"{choices.address}:{choices.http}",
                               "--xds-listen", f"{choices.address}:{choices.xds}"])
        self.wait("the manager answers", lambda: fetch(self.base + "/healthz")[0] == 200)
        say(f"  manager   {self.base}")

    def run_upstream(self):
        port = self.choices.demo
        self.start("demo", ["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "upstream.py"), port, "demo"])
        self.wait("the demo upstream answers", lambda: fetch(f"http://127.0.0.1:{port}/")[0] == 200)
        say(f"  upstream  http://127.0.0.1:{port}")

    def run_agent(self):
        choices = self.choices
        self.start("agent", [choices.programs / "marchproxy-agent", "run", "--manager", self.base,
                             "--cluster-key-file", self.cluster_key_file(), "--type", "egress",
                             "--envoy", choices.envoy, "--state-dir", choices.data / "agent",
                             "--admin-port", choices.admin, "--listen-address", choices.address,
                             "--hostname", HOSTNAME])
        self.wait("Envoy is ready", lambda: fetch(f"http://127.0.0.1:{choices.admin}/ready")[0] == 200)
        say(f"  proxy     Envoy on {choices.reach()}:{choices.proxy}, admin page http://127.0.0.1:{choices.admin}")

    def cluster_key_file(self):
        """A file of the demo's own, because the manager removes its file when the key is rotated."""
        ours = self.choices.data / "cluster-key"
        theirs = self.choices.data / "manager/default-cluster-key"
        key = os.environ.get("MARCHPROXY_CLUSTER_KEY")
        if not ours.exists() and key:
            ours.write_text(key + "\n")
        elif not ours.exists() and theirs.exists():
            shutil.copyfile(theirs, ours)
        elif not ours.exists():
            raise Wrong(f"the key of the default cluster is not known here; write it into {ours}")
        return ours

    def sign_in(self):
        """Whether the password of admin is known and right."""
        file = self.choices.data / "manager/initial-admin-password"
        password = os.environ.get("MARCHPROXY_ADMIN_PASSWORD") or (file.read_text().strip() if file.exists() else None)
        if password and self.rest.sign_in(password):
            self.password = password
        return self.password is not None

    def registered(self):
        proxy = self.rest.first("proxies", "/proxies", lambda each: each["hostname"] == HOSTNAME)
        if not proxy:
            return False
        fleet, _ = self.rest.ask("GET", "/clusters/1/status")
        return any(each["proxy_id"] == proxy["id"] and each["state"] == "live" for each in fleet["proxies"])

    def write_demo(self):
        """The service and the mapping of the demo: made when missing, moved when the ports are others."""
        self.wait("the proxy has its configuration", self.registered)
        port = self.choices.demo
        service = self.rest.first("services", "/services", lambda each: each["name"] == "demo")
        if not service:
            self.rest.ask("POST", "/services", {"name": "demo", "ip_fqdn": "127.0.0.1", "port": port,
                                                "collection": "demo", "cluster_id": 1})
        elif service["port"] != port:
            self.rest.ask("PATCH", f"/services/{service['id']}", {"port": port})
        mapping = self.rest.first("mappings", "/mappings", lambda each: HOST in each["hosts"])
        wait = {"Prefer": "wait=20"}
        if not mapping:
            body = {"source_services": ["any"], "dest_services": ["demo"], "cluster_id": 1, "protocols": ["http"],
                    "ports": [self.choices.proxy], "hosts": [HOST], "comments": "Made by make run"}
            _, headers = self.rest.ask("POST", "/mappings", body, wait)
            say(f"  mapping   {HOST} to the service demo: {headers['X-Config-Status']}")
        elif mapping["ports"] != [self.choices.proxy]:
            self.rest.ask("PATCH", f"/mappings/{mapping['id']}", {"ports": [self.choices.proxy]}, wait)

    def through_envoy(self):
        return f"http://{self.choices.reach()}:{self.choices.proxy}/hello"

    def check_traffic(self):
        url = self.through_envoy()
        self.wait("a request through Envoy", lambda: fetch(url, {"Host": HOST})[0] == 200)
        say("  request   through Envoy to the upstream: 200")

    def run(self):
        self.run_manager()
        self.run_upstream()
        known = self.sign_in()
        self.run_agent()
        if known:
            self.write_demo()
            self.check_traffic()
        self.tell()
        while True:
            wait_until(lambda: False, self.programs, 3600)

    def tell(self):
        choices = self.choices
        data = choices.data
        direct = " --noproxy '*'" if any(name.lower() in ("http_proxy", "all_proxy") for name in os.environ) else ""
        password = self.password or "(was changed, or set at the first start)"
        say()
        say(bold("MarchProxy runs."))
        say(f"  REST API    {self.base}/api/v1")
        say(f"  API pages   {self.base}/docs and {self.base}/redoc")
        say(f"  metrics     {self.base}/metrics")
        say(f"  Envoy       {choices.reach()}:{choices.proxy}, admin page http://127.0.0.1:{choices.admin}")
        say(f"  admin       name admin, password {password}")
        database = "where MARCHPROXY_DATABASE_URL says" if os.environ.get("MARCHPROXY_DATABASE_URL") else "marchproxy.db"
        say(f"  data        {data}/manager (database: {database}), {data}/agent")
        say(f"  logs        {data}/log, {data}/agent/envoy.log")
        say()
        say("A request through Envoy to the demo upstream:")
        say(bold(f"  curl{direct} -H 'Host: {HOST}' {self.through_envoy()}"))
        say("Sign in, to use the API:")
        login = shlex.quote(json.dumps({"username": "admin", "password": self.password or "PASSWORD"}))
        say(bold(f"  curl{direct} -X POST {self.base}/api/v1/auth/login -H 'Content-Type: application/json' -d {login}"))
        say("Next: docs/how-to/first-steps.md")
        say()
        say("Ctrl-C stops everything; the data stays.")

    def stop(self):
        """The proxy first, so that it drains; then the manager and the upstream."""
        order = {"agent": 0, "manager": 1, "demo": 2}
        for program in sorted(self.programs, key=lambda each: order[each.name]):
            say(f"  stopping the {program.name}")
            program.stop(25)
        envoy = left_envoy(self.choices.data / "agent/agent.json")
        if envoy:  # the agent was killed, and Envoy goes on without it
            os.kill(envoy, signal.SIGTERM)


def end_quietly(stand):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    stand.stop()


def main():
    signal.signal(signal.SIGINT, raise_stop)
    signal.signal(signal.SIGTERM, raise_stop)
    os.umask(0o077)
    foreground = Foreground()
    stand = None
    try:
        choices = Choices()
        choices.data.joinpath("log").mkdir(parents=True, exist_ok=True)
        lock = only_one(choices.data)
        if not lock:
            raise Wrong(f"another make run uses {choices.data}")
        choices.check_ports()
        stand = Stand(choices)
        stand.run()
    except Stop:
        say()
        return 0
    except (Wrong, Ended, Refused) as fault:
        print(f"make run: {fault}", file=sys.stderr, flush=True)
        return 1
    finally:
        if stand:
            end_quietly(stand)
        foreground.back()


if __name__ == "__main__":
    sys.exit(main())
