"""gRPC servers and clients of tests: the library of the distribution (C++), and grpc-js with its xDS library."""

import json
import select
import subprocess

from stand.program import BIN, PATIENCE, ROOT, Program, environment
from stand.waiting import eventually, free_port

NODE = ROOT / "build/third_party/node"
SCRIPTS = ROOT / "tests/grpc"
ASK = "/test.Demo/Ask"


class Servers(Program):
    """A server for each name; `ports` by name."""

    def __init__(self, folder, *names):
        super().__init__("grpc servers", ["node", SCRIPTS / "server.mjs", *names], folder / "grpc-servers.log",
                         NODE_PROGRAMS=NODE)
        self.ports = {}

    def start(self):
        super().start()
        self.ports = json.loads(self.says(r"(?m)^\{.*\}$").group())
        return self


class Wordless(Program):
    """Stands between Envoy and a manager's xDS port in clear; refusals come through it without their words."""

    def __init__(self, folder, target):
        self.port = free_port()
        super().__init__("relay", ["node", SCRIPTS / "wordless.mjs", self.port, f"127.0.0.1:{target}"],
                         folder / "wordless.log", NODE_PROGRAMS=NODE)

    def start(self):
        super().start()
        self.says(r"(?m)^ready$")
        return self

    def heard(self, what, type):
        """Over all its starts: of each response the names that were "sent", or of each refusal the "words"."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines(True) if line.endswith("}\n")]
        return [line[what] for line in lines if what in line and line["type"] == type]


class Client:
    """A client that calls one target until it is closed."""

    def __init__(self, command, log, **variables):
        self.log = open(log, "ab")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True,
                                        env=environment(NODE_PROGRAMS=NODE, **variables))

    def ask(self, line=ASK):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        """ "ok TEXT", or the number of the status and its message."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert ready, "no answer"
        return self.process.stdout.readline().rstrip("\n")

    def call(self, line=ASK):
        self.ask(line)
        return self.answer()

    def reaches(self, name):
        eventually(lambda: self.call() == f"ok {name}", f"{name} answers")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


def cpp_client(target, folder, **variables):
    return Client([BIN / "grpc-client", target], folder / "grpc-client.log", **variables)


def node_client(target, folder, *more, **variables):
    return Client(["node", SCRIPTS / "client.mjs", target, *more], folder / "node-client.log", **variables)


def client_status(address, authority, token, manner="fetch", requests=({},)):
    """For each request the answers of the client status discovery service."""
    told = subprocess.run(["node", SCRIPTS / "csds.mjs", address, authority, token, manner, json.dumps(list(requests))],
                          capture_output=True, text=True, timeout=120, env=environment(NODE_PROGRAMS=NODE), check=False)
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]
