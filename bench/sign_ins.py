"""What other requests feel of a flood of sign-ins, and what checking an API key costs beside a session's token."""

import collections
import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import rig

SECONDS = 5
FLOOD = 16
CONNECTIONS = (1, 8)
ROUNDS = 3
HASHING_NICE = 10
# As much memory, and as dear, as a hash of the manager's.
FOREIGN = "import hashlib\nwhile True: hashlib.scrypt(b'x', salt=b'y', n=2**14, r=8, p=1, maxmem=2**26)"


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


@contextlib.contextmanager
def foreign_hashing():
    """Somebody else's process that hashes, at the priority of the manager's hashing: what is felt of that is the
    system's and the memory's, whatever the manager does."""
    process = subprocess.Popen([sys.executable, "-c", FOREIGN], preexec_fn=lambda: os.nice(HASHING_NICE))
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
    """Quiet, beside foreign hashing and flooded, in turn; the medians, so that the noise of others does not decide."""
    quiet, foreign, busy, signed_in, refused, seconds = [], [], [], 0, 0, 0.0
    for _ in range(ROUNDS):
        quiet.append(rig.wrk(url, connections, SECONDS, token))
        with foreign_hashing():
            foreign.append(rig.wrk(url, connections, SECONDS, token))
        began = time.perf_counter()
        with flooded(manager) as counted:
            busy.append(rig.wrk(url, connections, SECONDS, token))
        seconds += time.perf_counter() - began
        signed_in += counted[200]
        refused += counted[503]

    def median(rounds, column):
        return statistics.median(each[column] for each in rounds)

    ratio = median(busy, 2) / median(quiet, 2)
    return ratio, [connections, median(quiet, 2), median(foreign, 2), median(busy, 2), f"{ratio:.1f} x",
                   f"{median(quiet, 1):.3f}", f"{median(busy, 1):.3f}", f"{median(busy, 0) / median(quiet, 0):.0%}",
                   f"{signed_in / seconds:,.0f}", f"{refused / seconds:,.0f}"]


def main():
    with rig.manager() as manager:
        client = manager.client()
        client.make("/api/services", {"name": "one", "ip_fqdn": "10.0.0.1", "collection": "c", "cluster_id": 1})
        key, _ = client.make("/api/auth/api-keys", {"name": "bench", "permissions": ["read"]})
        url = f"http://127.0.0.1:{manager.http_port}/api/v1/services/1"
        costs = check_costs(url, (("access token", manager.token), ("API key", key["key"])))
        floods = [beside_flood(manager, url, key["key"], connections) for connections in CONNECTIONS]
    rig.goal("Sign-in flood: p99 of others within 2x",
             ", ".join(f"{ratio:.1f} x with {connections}" for connections, (ratio, _) in zip(CONNECTIONS, floods)),
             all(ratio <= 2 for ratio, _ in floods))
    rig.report("Checking who asks: GET by id", ["credential", "connections", "requests/s", "p50 ms", "p99 ms"], costs)
    rig.report(f"GET by id during a flood of sign-ins ({FLOOD} at a time)",
               ["connections", "p99 ms alone", "beside foreign hashing", "in the flood", "ratio", "p50 ms alone",
                "p50 ms", "requests/s left", "sign-ins/s", "refused/s"],
               [row for _, row in floods])


if __name__ == "__main__":
    if sys.argv[1:2] == ["flood"]:
        flood(int(sys.argv[2]))
    else:
        main()
