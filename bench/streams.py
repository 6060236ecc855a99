"""Thousands of delta streams with a small and a large configuration: how long until all are ready, until all have
acknowledged one change, what that costs the manager, and what a reconnect of all sends again. Beside them the figures of
the best-known xDS library, go-control-plane v0.14.0, measured with the same configurations on two cores of another day:
the ratios are the goal. The proxies are `marchproxy-fleet`, which shares the cores. The floor, of the same run, is as many
TCP connections without a protocol (`loopback`).

BENCH_STREAMS sets the number of streams (5000).
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

import rig

sys.path.insert(0, str(rig.ROOT / "tests"))
from stand.license_server import KEY as LICENSE, LicenseServer  # noqa: E402

STREAMS = int(os.environ.get("BENCH_STREAMS", "5000"))
CHANGES = 5
GIVEN_BACK = 8  # KiB of a stream that has ended: its place among the proxies, and what the allocator holds back
REGISTERING_SECONDS = 600
# Of the library at 5,000 streams: seconds until ready, KiB a stream, ms until the last of all acknowledged (median), CPU
# seconds of a change, seconds until all have reconnected.
LIBRARY = {"small": {"ready": 4.8, "rss": 64, "endpoint": 256, "cluster": 236, "route": 191,
                     "cpu": {"endpoint": 0.55, "cluster": 0.38, "route": 0.35}, "reconnect": 4.0},
           "large": {"ready": 41, "rss": 703, "endpoint": 3150, "cluster": 1001, "route": 1065,
                     "cpu": {"endpoint": 12.2, "cluster": 2.9, "route": 1.6}, "reconnect": 50}}
GOALS = {"small": {"ready": 5, "reconnect": 4, "part": 3}, "large": {"ready": 10, "reconnect": 4, "part": 10}}


def cpu_seconds(pid):
    """Of all its threads, in the scheduler's nanoseconds: the clock ticks of /proc/PID/stat are too coarse for one change."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class Fleet:
    """The simulator as a process; its events one by one."""

    def __init__(self, manager, proxies, *flags):
        key = manager.folder / "key"
        key.write_text(rig.KEY)
        command = [rig.PROGRAMS / "marchproxy-fleet", "--xds", f"127.0.0.1:{manager.xds_port}", "--cluster-key-file", key,
                   "--proxies", str(proxies), "--ready-timeout", str(REGISTERING_SECONDS), "--output", "json", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(manager.folder / "fleet.log", "ab"))

    def event(self, name):
        line = self.process.stdout.readline()
        found = json.loads(line) if line else {"event": "its end"}
        if found["event"] != name:
            raise RuntimeError(f"{name} did not come, but {found}")
        return found

    def stop(self):
        rig.stop(self.process)


@contextlib.contextmanager
def fleet(manager, *flags, proxies=STREAMS):
    running = Fleet(manager, proxies, *flags)
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def licensed_manager():
    with LicenseServer() as server, rig.folder() as place:
        running = rig.Manager(place, MARCHPROXY_LICENSE_SERVER_URL=server.url, MARCHPROXY_XDS_TLS="off")
        try:
            status, _, text = running.client().ask("POST", "/api/license/validate", {"license_key": LICENSE})
            if status != 200:
                raise RuntimeError(text.decode())
            yield running
        finally:
            running.stop()


def fill(manager, size):
    """As many clusters, endpoints and virtual hosts: all services have one address, which the first one is known by."""
    manager.make_many("/api/services", [
        {"name": f"service-{n}", "ip_fqdn": "10.9.0.1", "port": 1024 + n, "cluster_id": 1, "collection": "bench"}
        for n in range(size)])
    manager.make_many("/api/mappings", [
        {"source_services": ["any"], "dest_services": [f"service-{n}"], "cluster_id": 1, "protocols": ["http"],
         "ports": [80]} for n in range(size)])


def edits(client, number):
    """One change of each sort, as functions."""
    _, _, text = client.ask("GET", "/api/services?limit=1")
    service = json.loads(text)["data"]["services"][0]["id"]

    def change(body):
        status, _, answer = client.ask("PUT", f"/api/services/{service}", body)
        if status != 200:
            raise RuntimeError(answer.decode())

    return {"endpoint": lambda: change({"port": 20_000 + number}),
            "cluster": lambda: change({"protocol": ("http2", "http1")[number % 2]}),
            "route": lambda: client.make("/api/mappings", {
                "source_services": ["any"], "dest_services": ["service-1"], "cluster_id": 1, "protocols": ["http"],
                "ports": [80], "hosts": [f"new-{number}.example"]})}


def measure_changes(manager, running):
    """Per sort: times in ms from the write's request to the last acknowledgement, CPU seconds, bytes."""
    client = manager.client()
    found = {sort: [] for sort in ("endpoint", "cluster", "route")}
    for number in range(CHANGES):
        for sort, edit in edits(client, number).items():
            before, began = cpu_seconds(manager.process.pid), time.time()
            edit()
            change = running.event("change")
            if change["proxies"] != STREAMS:
                raise RuntimeError(f"{sort}: {change}")
            found[sort].append(((change["ended"] - began) * 1000, cpu_seconds(manager.process.pid) - before,
                                change["bytes"] / STREAMS))
    return found


def bare():
    """Milliseconds until as many bare TCP connections were pushed to and have answered, and the microseconds of CPU for each."""
    text = subprocess.run([rig.PROGRAMS / "loopback", "--benchmark_format=json"], check=True, capture_output=True,
                          timeout=rig.PATIENCE).stdout
    found = json.loads(text)["benchmarks"][0]
    return found["real_time"], found["processor_us_of_a_push"]


def measure(name, size, rows):
    library, goals = LIBRARY[name], GOALS[name]
    with licensed_manager() as manager:
        fill(manager, size)
        before = manager.rss()
        began = time.perf_counter()
        with fleet(manager, "--duration", "0") as running:
            running.event("ready")
            registered = time.perf_counter() - began
            running.process.wait(rig.PATIENCE)
        rig.eventually(lambda: streams(manager) == 0, "all streams have ended")
        with fleet(manager, "--duration", "3600") as running:
            ready = running.event("ready")
            kib = (manager.rss() - before) * 1024 / STREAMS
            changes = measure_changes(manager, running)
        again = reconnect(manager)
        rig.eventually(lambda: streams(manager) == 0, "all streams have ended")
        rig.eventually(lambda: (manager.rss() - before) * 1024 / STREAMS < GIVEN_BACK, "their memory is given back")
        left = (manager.rss() - before) * 1024 / STREAMS
    rows.append([name, "registering all at once", f"{registered:.1f} s", "", ""])
    seconds = ready["all_ms"] / 1000
    rows.append([name, "all ready", f"{seconds:.1f} s", f"{library['ready']} s", f"{seconds / library['ready']:.2f} x"])
    rig.goal(f"{STREAMS:,} streams, {name}: all ready in {goals['ready']} s", f"{seconds:.1f} s", seconds <= goals["ready"])
    rows.append([name, "memory of a stream", f"{kib:.0f} KiB", f"{library['rss']} KiB", f"{kib / library['rss']:.2f} x"])
    rig.goal(f"{STREAMS:,} streams, {name}: 64 KiB a stream", f"{kib:.0f} KiB", kib <= 64)
    rows.append([name, "memory of a stream that has ended", f"{left:.0f} KiB", "", ""])
    for sort, found in changes.items():
        report_change(name, sort, found, rows)
    rows.append([name, "all reconnected", f"{again['all_ms'] / 1000:.1f} s, {again['bytes']} bytes sent",
                 f"{library['reconnect']} s", f"{again['all_ms'] / 1000 / library['reconnect']:.2f} x"])
    rig.goal(f"{STREAMS:,} streams, {name}: reconnected in {goals['reconnect']} s, nothing sent",
             f"{again['all_ms'] / 1000:.1f} s, {again['bytes']} bytes",
             again["all_ms"] <= goals["reconnect"] * 1000 and again["bytes"] == 0)


def report_change(name, sort, found, rows):
    library, part = LIBRARY[name], GOALS[name]["part"]
    times = [each[0] for each in found]
    median, worst = rig.percentile(times, 0.5), max(times)
    cpu = rig.percentile([each[1] for each in found], 0.5)
    micros = cpu / STREAMS * 1e6
    rows.append([name, f"one {sort}: all acknowledged, median and worst", f"{median:.0f}, {worst:.0f} ms",
                 f"{library[sort]} ms", f"{median / library[sort]:.2f} x"])
    rows.append([name, f"one {sort}: CPU of a push, bytes a stream", f"{micros:.0f} us, {found[0][2]:.0f}",
                 f"{library['cpu'][sort] / 5000 * 1e6:.0f} us", f"{cpu / STREAMS * 5000 / library['cpu'][sort]:.2f} x"])
    rig.goal(f"{STREAMS:,} streams, {name}: one {sort} acknowledged in 1/{part} of the library's time",
             f"{median:.0f} ms of {library[sort]} ms", median * part <= library[sort])
    rig.goal(f"{STREAMS:,} streams, {name}: one {sort}, 40 us of CPU a push and stream", f"{micros:.0f} us", micros <= 40)


def reconnect(manager):
    rig.eventually(lambda: streams(manager) == 0, "all streams have ended")
    with fleet(manager, "--duration", "1", "--reconnect") as running:
        running.event("ready")
        return running.event("reconnected")


def streams(manager):
    _, _, text = rig.Client(manager.http_port).ask("GET", "/metrics")
    return int(float(next(line.split()[-1] for line in text.decode().splitlines()
                          if line.startswith("marchproxy_xds_streams"))))


def main():
    milliseconds, micros = bare()
    rows = [["bare TCP", "500 bytes there, 100 back, all answered", f"{milliseconds:.0f} ms", "", ""],
            ["bare TCP", "CPU of a push and its answer, both ends", f"{micros:.0f} us", "", ""]]
    for name, size in (("small", 20), ("large", 1000)):
        measure(name, size, rows)
    rig.report(f"{STREAMS:,} delta streams, one TCP connection each",
               ["configuration", "what", "measured", "library", "of the library"], rows)


if __name__ == "__main__":
    main()
