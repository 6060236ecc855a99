"""Resident memory of the manager, and the time from its start to the first answer on an existing database."""

import statistics

import rig
import write_to_serving

MAPPINGS = 3000
STARTS = 5


def restart(old):
    old.stop()
    return rig.Manager(old.folder)


def main():
    rows = []
    with rig.folder() as place, rig.nginx(place, {"index.html": b"ok"}, processes=1) as upstream, rig.folder() as home:
        manager = rig.Manager(home)
        try:
            idle = manager.rss()
            rows.append(["resident memory, idle", idle, "MiB"])
            rig.goal("Manager idle: 64 MiB", f"{idle:.0f} MiB", idle <= 64)
            ready = []
            for _ in range(STARTS):
                manager = restart(manager)
                ready.append(1000 * manager.ready_seconds)
            rows.append(["start to first answer, empty database", statistics.median(ready), "ms"])
            rig.goal("Ready on an existing database: 300 ms", f"{max(ready):.0f} ms", max(ready) <= 300)
            port = rig.free_port()
            manager.make_many("/api/services", (write_to_serving.service(n, upstream) for n in range(MAPPINGS)))
            manager.make_many("/api/mappings", (write_to_serving.mapping(n, port) for n in range(MAPPINGS)))
            manager = restart(manager)
            rows.append([f"start to first answer, {MAPPINGS:,} mappings", 1000 * manager.ready_seconds, "ms"])
            rows.append([f"resident memory, {MAPPINGS:,} mappings", manager.rss(), "MiB"])
            with rig.agent(manager):
                rig.eventually(lambda: rig.accepts(port), "Envoy listens")
                rows.append([f"resident memory, {MAPPINGS:,} mappings, an Envoy", manager.rss(), "MiB"])
        finally:
            manager.stop()
    rig.report("Footprint", ["what", "figure", "unit"], rows)


if __name__ == "__main__":
    main()
