"""What other requests feel of a flood of sign-ins, and what checking an API key costs beside a session's token."""

import contextlib
import threading
import time

import rig

SECONDS = 5
FLOOD = 16
CONNECTIONS = (1, 8)


def flood(manager, stop, counted):
    """Signs in without a pause, with the right password: the dearest request there is."""
    client = rig.Client(manager.http_port)
    while not stop.is_set():
        status, _, _ = client.ask("POST", "/api/v1/auth/login", {"username": "admin", "password": rig.PASSWORD})
        counted.append(status)


@contextlib.contextmanager
def flooded(manager):
    stop, counted = threading.Event(), []
    threads = [threading.Thread(target=flood, args=(manager, stop, counted)) for _ in range(FLOOD)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    try:
        yield counted
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main():
    with rig.manager() as manager:
        client = manager.client()
        client.make("/api/services", {"name": "one", "ip_fqdn": "10.0.0.1", "collection": "c", "cluster_id": 1})
        key, _ = client.make("/api/auth/api-keys", {"name": "bench", "permissions": ["read"]})
        url = f"http://127.0.0.1:{manager.http_port}/api/v1/services/1"
        costs, floods = [], []
        for connections in CONNECTIONS:
            for name, token in (("access token", manager.token), ("API key", key["key"])):
                rate, median, worst = rig.wrk(url, connections, SECONDS, token)
                costs.append([name, connections, f"{rate:,.0f}", median, worst])
            quiet = costs[-1]
            began = time.perf_counter()
            with flooded(manager) as counted:
                rate, median, worst = rig.wrk(url, connections, SECONDS, key["key"])
            sign_ins = counted.count(200) / (time.perf_counter() - began)
            floods.append([connections, quiet[4], worst, f"{worst / quiet[4]:.1f} x", quiet[3], median, f"{sign_ins:,.0f}",
                           f"{counted.count(503):,}"])
    rig.report("Checking who asks: GET by id", ["credential", "connections", "requests/s", "p50 ms", "p99 ms"], costs)
    rig.report(f"GET by id during a flood of sign-ins ({FLOOD} at a time)",
               ["connections", "p99 ms alone", "p99 ms", "ratio", "p50 ms alone", "p50 ms", "sign-ins/s", "refused (503)"],
               floods)


if __name__ == "__main__":
    main()
