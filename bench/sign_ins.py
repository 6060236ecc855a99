"""What other requests feel of a flood of sign-ins, and what checking an API key costs beside a session's token."""

import collections
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import rig

SECONDS = 5
FLOOD = 16
CONNECTIONS = (1, 8)
ROUNDS = 5
# Nothing but CPU time, as a hash takes it: SECONDS at a time, SHARE of a core in all.
EMPTY_LOOP = """
import os, sys, time
os.nice(19)
share, seconds = float(sys.argv[1]), float(sys.argv[2])
while True:
    began, spent = time.monotonic(), time.thread_time()
    while time.thread_time() - spent < seconds:
        pass
    time.sleep(max(0.0, seconds / share - (time.monotonic() - began)))
"""


def flood(port):
    """Signs in without a pause, with the right password, which is the dearest request there is; until standard input ends.
    Then prints what was answered."""
    stop, counted = threading.Event(), collections.Counter()

    def ask():
        client = rig.Client(port)
        while not stop.is_set():
            status, _, _ = client.ask("POST", "/api/v1/auth/login", {"username": "admin", "password": rig.PASSWORD})
            counted[status] += 1

    threads = [threading.Thread(target=ask) for _ in range(FLOOD)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(counted))


def aside(command, **options):
    """A process that takes nothing but what others leave of the cores: it stands for one on another machine."""
    return subprocess.Popen(command, preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)),
                            text=True, **options)


@contextlib.contextmanager
def flooded(manager):
    counted = collections.Counter()
    process = aside([sys.executable, __file__, "flood", str(manager.http_port)], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE)
    time.sleep(1)
    try:
        yield counted
    finally:
        counted.update({int(status): count for status, count in json.loads(process.communicate()[0]).items()})


def hashing_seconds(manager):
    """CPU time of the threads that give way: they hash, and nothing else."""
    spent = 0
    for thread in pathlib.Path(f"/proc/{manager.process.pid}/task").iterdir():
        fields = (thread / "stat").read_text().rpartition(")")[2].split()
        if int(fields[16]) > os.getpriority(os.PRIO_PROCESS, manager.process.pid):
            spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def floor(share, seconds):
    """Somebody else's process that computes as much as the hashing did, in nothing but registers and at the lowest
    priority: what is felt of that is the system's, whatever the manager does."""
    process = subprocess.Popen([sys.executable, "-c", EMPTY_LOOP, str(share), str(seconds)])
    time.sleep(0.3)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def check_costs(url, tokens):
    """What checking each kind of credential costs."""
    rows = []
    for connections in CONNECTIONS:
        for name, token in tokens:
            rate, median, worst = rig.wrk(url, connections, SECONDS, token)
            rows.append([name, connections, f"{rate:,.0f}", median, worst])
    return rows


def beside_flood(manager, url, token, connections):
    """Quiet, flooded and beside an empty loop, in turn; the medians, so that the noise of others does not decide."""
    quiet, busy, beside, signed_in, refused, seconds, hashing = [], [], [], 0, 0, 0.0, 0.0
    for _ in range(ROUNDS):
        quiet.append(rig.wrk(url, connections, SECONDS, token))
        began, hashed = time.perf_counter(), hashing_seconds(manager)
        with flooded(manager) as counted:
            busy.append(rig.wrk(url, connections, SECONDS, token))
        flood_seconds, flood_hashing = time.perf_counter() - began, hashing_seconds(manager) - hashed
        with floor(min(flood_hashing / flood_seconds, 1), flood_hashing / counted[200]):
            beside.append(rig.wrk(url, connections, SECONDS, token))
        seconds += flood_seconds
        hashing += flood_hashing
        signed_in += counted[200]
        refused += counted[503]

    def median(rounds, column):
        return statistics.median(each[column] for each in rounds)

    ratio, added = median(busy, 2) / median(quiet, 2), median(busy, 2) / median(beside, 2)
    return ratio, added, [
        connections, median(quiet, 2), median(beside, 2), median(busy, 2), f"{ratio:.1f} x", f"{added:.1f} x",
        f"{median(quiet, 1):.3f}", f"{median(busy, 1):.3f}", f"{median(busy, 0) / median(quiet, 0):.0%}",
        f"{signed_in / seconds:,.0f}", f"{refused / seconds:,.0f}", f"{hashing / seconds:.0%}"]


def main():
    with rig.manager() as manager:
        client = manager.client()
        client.make("/api/services", {"name": "one", "ip_fqdn": "10.0.0.1", "collection": "c", "cluster_id": 1})
        key, _ = client.make("/api/auth/api-keys", {"name": "bench", "permissions": ["read"]})
        url = f"http://127.0.0.1:{manager.http_port}/api/v1/services/1"
        costs = check_costs(url, (("access token", manager.token), ("API key", key["key"])))
        floods = [beside_flood(manager, url, key["key"], connections) for connections in CONNECTIONS]
    rig.goal("Sign-in flood: p99 of others within 2x",
             ", ".join(f"{ratio:.1f} x with {connections} ({added:.1f} x beside as much of an empty loop)"
                       for connections, (ratio, added, _) in zip(CONNECTIONS, floods)),
             all(ratio <= 2 for ratio, _, _ in floods))
    rig.report("Checking who asks: GET by id", ["credential", "connections", "requests/s", "p50 ms", "p99 ms"], costs)
    rig.report(f"GET by id during a flood of sign-ins ({FLOOD} at a time)",
               ["connections", "p99 ms alone", "beside an empty loop", "in the flood", "to alone", "to the loop",
                "p50 ms alone", "p50 ms", "requests/s left", "sign-ins/s", "refused/s", "of a core"],
               [row for _, _, row in floods])


if __name__ == "__main__":
    if sys.argv[1:2] == ["flood"]:
        flood(int(sys.argv[2]))
    else:
        main()
