"""A PostgreSQL server of a test's own, which it may stop, kill and freeze; unlike scripts/with-postgres it is durable."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from stand.waiting import PATIENCE, eventually, free_port


def programs():
    """The folder of the newest version's programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name))
    assert found, "PostgreSQL is not installed"
    return found[-1]


class PostgresServer:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marchproxy-postgres."))
        self.data = self.folder / "data"
        self.port = free_port()
        # The server refuses to run as root.
        self.owner = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self.owner:
            shutil.chown(self.folder, **self.owner)
        self.process = None
        self._run("initdb", "-D", self.data, "-U", "marchproxy", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                  "--no-sync")

    @property
    def url(self):
        return f"postgresql://marchproxy@127.0.0.1:{self.port}/postgres"

    def _run(self, program, *arguments):
        subprocess.run([programs() / program, *arguments], check=True, capture_output=True, timeout=PATIENCE,
                       cwd=self.folder, **self.owner)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [programs() / "postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                 "-c", "unix_socket_directories=", "-c", "fsync=off"], stdout=log, stderr=log, cwd=self.folder, **self.owner)
        eventually(self.answers, "PostgreSQL answers")
        return self

    def answers(self):
        return subprocess.run([programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              timeout=PATIENCE).returncode == 0

    def stop(self):
        """In order: it ends the connections of its clients."""
        self._end("fast")

    def kill(self):
        """At once; the next start recovers."""
        self._end("immediate")

    def _end(self, how):
        self._run("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")
        self.process.wait(PATIENCE)

    def freeze(self):
        """Every process of it stands still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        parent = self.process.pid
        children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in (parent, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, number)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        try:
            if self.process and self.process.poll() is None:
                self.thaw()
                self.kill()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
