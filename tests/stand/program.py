"""A program as a process with its log in a file. Always ends it; a test never leaves one behind."""

import os
import pathlib
import re
import subprocess

from stand.waiting import PATIENCE, eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MARCHPROXY_TEST_BIN", ROOT / "build/dev/bin")).resolve()
ENVOY = pathlib.Path(os.environ.get("MARCHPROXY_TEST_ENVOY", ROOT / "build/third_party/envoy")).resolve()
OLDEST_ENVOY = (ROOT / "build/third_party/envoy-oldest").resolve()

started = []


def forget_ended():
    started[:] = [program for program in started if not program.is_over]


def environment(**more):
    """This process's, without settings of ours; the leak checker knows which libraries leak."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("MARCHPROXY_") or name.startswith("MARCHPROXY_TEST_")}
    kept.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/cmake/lsan.supp:print_suppressions=0")
    return {**kept, **{name: str(value) for name, value in more.items()}}


class Program:
    stdin = subprocess.DEVNULL

    def __init__(self, name, arguments, log, **variables):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = pathlib.Path(log)
        self.variables = variables
        self.process = None
        self.is_over = False
        self.began_at = 0

    def start(self):
        self.began_at = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdout=log, stderr=log, stdin=self.stdin,
                                            env=environment(**self.variables))
        if self not in started:
            started.append(self)
        return self

    def text(self):
        """The log since the last start."""
        with open(self.log, "rb") as log:
            log.seek(self.began_at)
            return log.read().decode(errors="replace")

    def says(self, pattern, patience=PATIENCE):
        """The match of a pattern in the log of a program that lives."""
        def look():
            found = re.search(pattern, self.text())
            assert found or self.process.poll() is None, f"{self.name} ended with {self.process.returncode}"
            return found
        return eventually(look, f"{self.name} says {pattern}", patience)

    def stop(self):
        """The exit status after SIGTERM."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def send(self, number):
        self.process.send_signal(number)

    def clean_up(self):
        self.kill()
        self.is_over = True

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.clean_up()

