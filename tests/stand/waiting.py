"""Waiting for conditions, and ports nobody uses."""

import itertools
import os
import socket
import time

PATIENCE = 30.0

# Below the range that the kernel gives to outgoing connections, so that none of those takes a chosen port.
_ports = itertools.count(20000 + os.getpid() % 8000)


def eventually(check, what, patience=PATIENCE, pause=0.01):
    """The first true result of check(), asked again after each pause (seconds)."""
    deadline = time.monotonic() + patience
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(pause)


def free_port():
    """A port that is free on every address; never the same twice in one run."""
    while True:
        port = 12000 + next(_ports) % 20000
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
