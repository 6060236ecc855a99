"""The manager on a clock that the test moves, forth and back; Envoy stays in the present."""

import datetime
import subprocess

from stand.control_plane import Manager
from stand.program import BIN
from stand.waiting import eventually


class ManagerOnClock(Manager):
    program = BIN / "manager-on-clock"
    stdin = subprocess.PIPE

    def start(self):
        self.moved = datetime.timedelta()
        self.moves = 0
        return super().start()

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + self.moved

    def move(self, by):
        """By a timedelta. Sessions may have ended by then: the next call signs in anew."""
        by = datetime.timedelta(milliseconds=by // datetime.timedelta(milliseconds=1))
        self.process.stdin.write(f"{by // datetime.timedelta(milliseconds=1)}\n".encode())
        self.process.stdin.flush()
        self.moves += 1
        self.moved += by
        eventually(lambda: self.text().count("at 20") >= self.moves, "the clock is moved")
        self.token = None

    def move_to(self, time):
        self.move(time - self.now())


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
