"""marchctl as a process, with a folder of its own for what it keeps; through pipes, or at a terminal."""

import json
import os
import pty
import select
import subprocess
import time

from stand.program import BIN, environment
from stand.waiting import PATIENCE

MARCHCTL = BIN / "marchctl"


class Done:
    def __init__(self, arguments, status, out, err):
        self.arguments = arguments
        self.status = status
        self.out = out
        self.err = err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return self.out.splitlines()

    def __str__(self):
        return f"{self.arguments}: {self.status}\n{self.out}\n{self.err}"


class Marchctl:
    def __init__(self, folder, **variables):
        self.config = folder / "config"
        self.variables = {"XDG_CONFIG_HOME": self.config, "HOME": folder, "no_proxy": "*", **variables}

    @property
    def file(self):
        return self.config / "marchproxy" / "marchctl.json"

    def __call__(self, *arguments, given="", status=0, **variables):
        """The output of a command that ends with this status (None: with any)."""
        words = [str(argument) for argument in arguments]
        ended = subprocess.run([MARCHCTL, *words], input=given, capture_output=True, text=True, timeout=2 * PATIENCE,
                               env=environment(**{**self.variables, **variables}))
        done = Done(words, ended.returncode, ended.stdout, ended.stderr)
        assert status is None or done.status == status, str(done)
        return done

    def login(self, manager, password, *arguments, status=0):
        return self("login", "--server", manager.url, "--username", "admin", "--password-stdin", *arguments,
                    given=password + "\n", status=status)

    def at_terminal(self, *arguments, answers=(), **variables):
        """Status and screen; each answer is (what the screen must say before, what is typed)."""
        process, screen = pty.fork()
        if process == 0:
            os.execve(MARCHCTL, [str(MARCHCTL), *map(str, arguments)],
                      environment(**{"TERM": "xterm", **self.variables, **variables}))
        seen, left = "", list(answers)
        deadline = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < deadline:
            if left and left[0][0] in seen:
                os.write(screen, left.pop(0)[1].encode())
            if not select.select([screen], [], [], 0.05)[0]:
                continue
            try:
                part = os.read(screen, 65536)
            except OSError:  # its other end is closed
                break
            if not part:
                break
            seen += part.decode(errors="replace")
        _, status = os.waitpid(process, 0)
        os.close(screen)
        return os.waitstatus_to_exitcode(status), seen
