"""`make run` without its long parts: scripts/run with the built programs, free ports and a data folder of the test's own."""

import os
import pathlib
import re
import signal
import subprocess
import threading

from agent_stand import ROOT, eventually, free_port

PROGRAMS = os.environ.get("MARCHPROXY_TEST_BIN", str(ROOT / "build/dev/bin"))
ENVOY = os.environ.get("MARCHPROXY_TEST_ENVOY", str(ROOT / "build/third_party/envoy"))
PORTS = ("HTTP", "XDS", "PROXY", "ADMIN", "DEMO")
START_SECONDS = 90


class Run:
    """One `make run`; its ports stay the same from start to start."""

    def __init__(self, folder):
        self.data = pathlib.Path(folder) / "data"
        self.ports = {name: free_port() for name in PORTS}
        self.process = None
        self.lines = []
        self.reader = None

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("MARCHPROXY_") and not name.lower().endswith("_proxy")}
        chosen = {"BIN": PROGRAMS, "ENVOY": ENVOY, "DATA": str(self.data)}
        chosen |= {f"{name}_PORT": str(port) for name, port in self.ports.items()}
        # Tests sign in more often than people do.
        kept["MARCHPROXY_RATE_LIMIT_AUTHENTICATION"] = "off"
        return kept | {f"MARCHPROXY_RUN_{name}": value for name, value in chosen.items()}

    def begin(self):
        self.lines = []
        self.process = subprocess.Popen([ROOT / "scripts/run"], env=self.environment(), text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def text(self):
        return "\n".join(self.lines)

    def start(self):
        """Returns when everything runs."""
        self.begin()
        eventually(lambda: self.process.poll() is not None or "Ctrl-C stops everything" in self.text(),
                   "make run is ready", START_SECONDS)
        assert self.process.poll() is None, self.text()

    def end(self, number=signal.SIGINT):
        """The exit status after the signal."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        self.reader.join(10)
        return status

    def command(self, beginning):
        """The printed command that begins like this."""
        return next(line.strip() for line in self.lines if line.strip().startswith(beginning))

    def shell(self, command):
        """The output of a command as a person would run it in the project's folder."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=ROOT, env=self.environment(),
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def password(self):
        return re.search(r"name admin, password (\S+)", self.text())[1]

    def clean(self):
        if self.process and self.process.poll() is None:
            self.end(signal.SIGTERM)
