"""What adding a route costs among 100 mappings and among 10,000: from the write's request and from its answer to the
response that a proxy is sent, the manager's CPU for it all, and the bytes of that response. The proxy is one of
`marchproxy-fleet`, which takes responses as an Envoy does but does not work on them.
"""

import time

import rig
import streams

SIZES = (100, 10_000)
ADDED = 200
WARM_UP = 20


def fill(manager, size):
    manager.make_many("/api/services", [
        {"name": f"service-{n}", "ip_fqdn": f"10.9.{n >> 8}.{n & 255}", "port": 8080, "cluster_id": 1,
         "collection": "bench"} for n in range(size)])
    manager.make_many("/api/mappings", [
        {"source_services": ["any"], "dest_services": [f"service-{n}"], "cluster_id": 1, "protocols": ["http"],
         "ports": [80], "hosts": [f"host-{n}.example"]} for n in range(size)])


def measure(size):
    with rig.folder() as place:
        manager = rig.Manager(place, MARCHPROXY_XDS_TLS="off")
        try:
            fill(manager, size)
            with streams.fleet(manager, "--duration", "3600", "--pause", "20", proxies=1) as running:
                running.event("ready")
                return [add(manager, running, number) for number in range(WARM_UP + ADDED)][WARM_UP:]
        finally:
            manager.stop()


def add(manager, running, number):
    client = manager.client()
    body = {"source_services": ["any"], "dest_services": [f"service-{number % 100}"], "cluster_id": 1,
            "protocols": ["http"], "ports": [80], "hosts": [f"added-{number}.example"]}
    before, began = streams.cpu_seconds(manager.process.pid), time.time()
    client.make("/api/mappings", body)
    answered = time.time()
    change = running.event("change")
    return {"request": (change["began"] - began) * 1000, "answer": (change["began"] - answered) * 1000,
            "cpu": (streams.cpu_seconds(manager.process.pid) - before) * 1000, "bytes": change["bytes"]}


def main():
    few, many = (measure(size) for size in SIZES)
    rows, ratios = [], {}
    for name, key, middle in (("request of the write to the response, median (ms)", "request", True),
                              ("answer of the write to the response, median (ms)", "answer", True),
                              ("CPU of the manager for a write, mean (ms)", "cpu", False),
                              ("bytes sent for a write, median", "bytes", True)):
        figures = [rig.percentile([each[key] for each in found], 0.5) if middle
                   else sum(each[key] for each in found) / len(found) for found in (few, many)]
        ratios[key] = figures[1] / figures[0] if figures[0] > 0 else 0
        rows.append([name, *(float(figure) for figure in figures), f"{ratios[key]:.2f} x"])
    rig.report("Adding a route", ["what", *(f"among {size:,} mappings" for size in SIZES), "ratio"], rows)
    rig.goal("Adding a route at 10,000 mappings costs what it costs at 100 (1.25x)",
             f"time {ratios['request']:.2f} x, CPU {ratios['cpu']:.2f} x, bytes {ratios['bytes']:.2f} x",
             ratios["request"] <= 1.25 and ratios["cpu"] <= 1.25 and ratios["bytes"] <= 1.05)


if __name__ == "__main__":
    main()
