"""The programs of the demo as child processes: each with a log file, away from the terminal's signals so that
the demo stops them in order, and ended by the kernel should the demo itself be killed."""

import ctypes
import fcntl
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Ended(Exception):
    """A program that should run has ended."""


def in_child():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Program:
    def __init__(self, name, command, log, environment):
        self.name = name
        self.log = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen([str(each) for each in command], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=file, env=environment,
                                            start_new_session=True, preexec_fn=in_child)

    def check(self):
        """Throws Ended when the program is gone."""
        status = self.process.poll()
        if status is not None:
            raise Ended(f"{self.name} ended with status {status}: {last_line(self.log)}  (all of it: {self.log})")

    def stop(self, seconds):
        """SIGTERM, then SIGKILL when the time is over."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def last_line(log):
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no word in its log"


def only_one(folder):
    """Holds the data folder for this process; None when another one has it."""
    lock = open(folder / "lock", "w")  # closed by the end of the process
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return lock


def wait_until(check, programs, seconds):
    """The first true result of check(), or None after that time; throws Ended when a program is gone."""
    deadline = time.monotonic() + seconds
    while True:
        for program in programs:
            program.check()
        result = check()
        if result or time.monotonic() > deadline:
            return result or None
        time.sleep(0.05)


class Foreground:
    """Makes the demo the terminal's foreground group, so that Ctrl-C reaches it alone and `make` sees it end
    with 0. Without a terminal it does nothing."""

    def __init__(self):
        self.before = None
        if not os.isatty(0) or os.tcgetpgrp(0) != os.getpgrp() or os.getpgrp() == os.getpid():
            return
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self.before = os.getpgrp()
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpgrp())

    def back(self):
        if self.before is not None:
            os.tcsetpgrp(0, self.before)
