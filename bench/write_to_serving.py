"""From a write to the first request that the real Envoy serves by it, at 10 and at 3,000 mappings with exact
hosts, and there also while others edit. Beside it Envoy alone: a route file is renamed into place, without any
control plane."""

import contextlib
import json
import multiprocessing
import time

import rig

WRITES = 150
WARM_UP = 10
SIZES = (10, 3000)
EDITS = 5000  # a minute, of others


def service(number, port):
    address = f"127.1.{number >> 8}.{number & 255}"  # all of 127.0.0.0/8 is this machine
    return {"name": f"service-{number}", "ip_fqdn": address, "port": port, "cluster_id": 1, "collection": "bench"}


def mapping(number, port):
    return {"source_services": ["any"], "dest_services": [f"service-{number}"], "cluster_id": 1, "protocols": ["http"],
            "ports": [port], "hosts": [f"host-{number}.example"]}


def first_success(proxy, number):
    """Asks Envoy until the host answers; the time of that answer."""
    deadline = time.perf_counter() + rig.PATIENCE
    while True:
        status, _, _ = proxy.ask("GET", "/", host=f"host-{number}.example")
        now = time.perf_counter()
        if status == 200:
            return now
        if now > deadline:
            raise RuntimeError(f"host-{number} is not served: {status}")


def edit(manager, size, counted, stop):
    """Gives one mapping after the other a second host, at an even pace; a process of its own."""
    client, began = manager.client(), time.perf_counter()
    while not stop.is_set():
        number = counted.value
        body = {"hosts": [f"host-{number % size}.example", f"edit-{number}.example"]}
        path = f"/api/v1/mappings/{number % size + 1}"
        status, _, text = client.ask("PATCH", path, body)
        if status != 200:
            raise RuntimeError(f"PATCH {path} answered {status}: {text.decode()[:500]}")
        counted.value += 1
        time.sleep(max(0, began + counted.value * 60 / EDITS - time.perf_counter()))


@contextlib.contextmanager
def edited(manager, size):
    """While others edit; checks that they kept their pace."""
    counted, stop = multiprocessing.Value("q", 0), multiprocessing.Event()
    process = multiprocessing.Process(target=edit, args=(manager, size, counted, stop))
    process.start()
    try:
        rig.eventually(lambda: counted.value > 0, "others edit")
        began, before = time.perf_counter(), counted.value
        yield
        rate = 60 * (counted.value - before) / (time.perf_counter() - began)
        if rate < 0.9 * EDITS:
            raise RuntimeError(f"only {rate:,.0f} edits a minute")
    finally:
        stop.set()
        process.join()


def row(name, mappings, milliseconds, floor=None):
    median, worst = rig.percentile(milliseconds, 0.5), rig.percentile(milliseconds, 0.99)
    ratio = f"{median / floor:.1f} x" if floor else "1"
    return [name, f"{mappings:,}", len(milliseconds), median, worst, ratio]


def measure_writes(manager, upstream, port, have):
    """Each write concerns a new service with a new upstream and a new host."""
    client, proxy = manager.client(), rig.Client(port)
    from_answer, from_request, settled = [], [], []
    for number in range(have - WARM_UP, have):  # Envoy has just loaded everything else
        client.make("/api/services", service(number, upstream))
        client.make("/api/mappings", mapping(number, port))
        first_success(proxy, number)
    for number in range(have, have + WRITES):
        client.make("/api/services", service(number, upstream))
        began = time.perf_counter()
        client.make("/api/mappings", mapping(number, port))
        answered = time.perf_counter()
        served = first_success(proxy, number)
        from_answer.append(1000 * (served - answered))
        from_request.append(1000 * (served - began))
    for number in range(have + WRITES, have + 2 * WRITES):
        client.make("/api/services", service(number, upstream))
        began = time.perf_counter()
        _, head = client.make("/api/mappings", mapping(number, port), head="Prefer: wait=20\r\n")
        settled.append(1000 * (time.perf_counter() - began))
        if "X-Config-Status: live" not in head:
            raise RuntimeError("a mapping did not become live:\n" + head)
    return from_answer, from_request, settled


def measure_manager(upstream, size, floor):
    with rig.manager() as manager:
        port = rig.free_port()
        manager.make_many("/api/services", (service(number, upstream) for number in range(size)))
        manager.make_many("/api/mappings", (mapping(number, port) for number in range(size)))
        with rig.agent(manager):
            rig.eventually(lambda: rig.accepts(port), "Envoy listens")
            first_success(rig.Client(port), 0)
            answer, request, settled = measure_writes(manager, upstream, port, size + WARM_UP)
            rows = [row("answer of the write to first 200", size, answer, floor),
                    row("request of the write to first 200", size, request, floor),
                    row("request to X-Config-Status: live", size, settled, floor)]
            if size == SIZES[-1]:
                rows += measure_edited(manager, upstream, port, size, (answer, floor))
            return rows


def measure_edited(manager, upstream, port, size, quiet):
    """The same beside other edits, and the goals."""
    answer, floor = quiet
    median, worst = rig.percentile(answer, 0.5), rig.percentile(answer, 0.99)
    rig.goal(f"Write to serving at {size:,} mappings: p50 10 ms, p99 30 ms", f"{median:.1f} ms, {worst:.1f} ms",
             median <= 10 and worst <= 30)
    with edited(manager, size):
        busy, request, settled = measure_writes(manager, upstream, port, size + 2 * (WARM_UP + WRITES))
    median, worst = rig.percentile(busy, 0.5) / median, rig.percentile(busy, 0.99) / worst
    rig.goal(f"Write to serving beside {EDITS:,} edits a minute: 2x", f"p50 {median:.1f} x, p99 {worst:.1f} x",
             median <= 2 and worst <= 2)
    beside = f", beside {EDITS:,} edits a minute"
    return [row("answer of the write to first 200" + beside, size, busy, floor),
            row("request of the write to first 200" + beside, size, request, floor),
            row("request to X-Config-Status: live" + beside, size, settled, floor)]


def any_of(kind, **fields):
    return {"@type": f"type.googleapis.com/envoy.{kind}", **fields}


def route_file(place, count):
    hosts = [{"name": str(number), "domains": [f"host-{number}.example"],
              "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]} for number in range(count)]
    routes = any_of("config.route.v3.RouteConfiguration", name="routes", virtual_hosts=hosts)
    (place / "next.json").write_text(json.dumps({"version_info": str(count), "resources": [routes]}))


def bare_bootstrap(place, upstream, port):
    def address(number):
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    source = {"path_config_source": {"path": f"{place}/routes.json"}, "resource_api_version": "V3"}
    router = {"name": "router", "typed_config": any_of("extensions.filters.http.router.v3.Router")}
    manager = any_of("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="bare",
                     rds={"route_config_name": "routes", "config_source": source}, http_filters=[router])
    listener = {"name": "bare", "address": address(port),
                "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}]
    cluster = {"name": "upstream", "type": "STATIC",
               "load_assignment": {"cluster_name": "upstream", "endpoints": endpoints}}
    return {"node": {"id": "bare", "cluster": "bare"}, "static_resources": {"listeners": [listener], "clusters": [cluster]}}


def measure_envoy_alone(upstream, size):
    with rig.folder() as place:
        port, times = rig.free_port(), []
        route_file(place, size)
        (place / "next.json").rename(place / "routes.json")
        (place / "envoy.json").write_text(json.dumps(bare_bootstrap(place, upstream, port)))
        command = [rig.ENVOY, "-c", place / "envoy.json", "--disable-hot-restart", "-l", "error"]
        with rig.running(command, place / "envoy.log"):
            rig.eventually(lambda: rig.accepts(port), "Envoy alone listens")
            proxy = rig.Client(port)
            first_success(proxy, 0)
            for number in range(size, size + WRITES):
                route_file(place, number + 1)
                began = time.perf_counter()
                (place / "next.json").rename(place / "routes.json")
                times.append(1000 * (first_success(proxy, number) - began))
        return times


def main():
    rows = []
    with rig.folder() as place, rig.nginx(place, {"index.html": b"ok"}, processes=1) as upstream:
        alone = measure_envoy_alone(upstream, SIZES[0])
        floor = rig.percentile(alone, 0.5)
        rows.append(row("Envoy alone, a route file replaced", SIZES[0], alone))
        for size in SIZES:
            rows += measure_manager(upstream, size, floor)
    rig.report("From a write to serving (ms)", ["what", "mappings", "writes", "p50", "p99", "to Envoy alone"], rows)


if __name__ == "__main__":
    main()
