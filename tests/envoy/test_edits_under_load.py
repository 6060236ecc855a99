"""Live edits lose no request: keep-alive clients loop through Envoy while everything around them is edited.

MARCHPROXY_TEST_EDITS sets how many edits (1000).
"""

import os
import threading

from stand.rest import mapping_body
from stand.traffic import Load, answers
from stand.waiting import eventually, free_port

EDITS = int(os.environ.get("MARCHPROXY_TEST_EDITS", "1000"))


class Editor:
    """Rounds of six writes: a service and its mapping come, change and go, beside routes that are edited in place."""

    def __init__(self, api, demo_ports, port, prefix, in_place):
        self.api = api
        self.demo_ports = demo_ports
        self.port = port
        self.prefix = prefix
        self.in_place = in_place
        self.edits = 0
        self.failure = None

    def run(self, count):
        try:
            number = 0
            while self.edits < count:
                self.round(number)
                number += 1
        except BaseException as fault:
            self.failure = fault
            raise

    def round(self, number):
        api, port = self.api, self.port
        service = api.service(f"{self.prefix}-{number}", self.demo_ports["shop"])
        protocols = ["tcp"] if number % 5 == 0 else ["http"]
        on = free_port() if protocols == ["tcp"] else port
        mapping = api.post("/mappings", mapping_body(service["name"], on, protocols=protocols)).expect(201).data
        api.put(f"/services/{service['id']}", {"port": self.demo_ports["blog" if number % 2 else "shop"]}).expect(200)
        if protocols == ["http"]:
            api.put(f"/mappings/{mapping['id']}", {"hosts": [f"{self.prefix}-{number}.test"]}).expect(200)
        api.put(f"/mappings/{self.in_place}", {"timeout": 15 + number % 10, "priority": number % 100}).expect(200)
        api.delete(f"/mappings/{mapping['id']}").expect(200)
        api.delete(f"/services/{service['id']}").expect(200)
        self.edits += 6


def test_no_request_is_lost_while_everything_else_is_edited(api, demo_ports, name, port):
    untouched, edited, wild = name(), name(), name()
    api.service(untouched, demo_ports["web"])
    edited_service = api.service(edited, demo_ports["shop"])
    api.service(wild, demo_ports["blog"])
    api.mapping(untouched, port)
    in_place = api.mapping(edited, port, hosts=["edited.test"])
    api.mapping(wild, port, hosts=["*.wild.test"])
    routes = [(untouched, {"web"}), ("edited.test", {"shop", "web"}), ("a.wild.test", {"blog"})]
    with Load(port, routes, clients=6) as load:
        editors = [Editor(api, demo_ports, port, name("edit"), in_place["id"]) for _ in range(2)]
        threads = [threading.Thread(target=editor.run, args=(EDITS // 2,)) for editor in editors]
        for thread in threads:
            thread.start()
        moves = 0
        while any(thread.is_alive() for thread in threads):
            moves += 1
            target = "web" if moves % 2 else "shop"
            api.change(f"/services/{edited_service['id']}", port=demo_ports[target])
        for thread in threads:
            thread.join()
        last = "shop" if moves % 2 else "web"
        api.change(f"/services/{edited_service['id']}", port=demo_ports[last])
        load.more(100)
    assert [editor.failure for editor in editors] == [None, None]
    assert sum(editor.edits for editor in editors) >= EDITS
    assert load.failures == []
    assert answers(port, "edited.test", last)


def test_edits_of_a_port_shared_with_tcp_lose_no_http_request(api, demo_ports, name, port):
    web, lines = name(), name()
    api.service(web, demo_ports["web"])
    api.service(lines, demo_ports["lines"])
    mapping = api.mapping(web, port, protocols=["http", "ws"])
    tcp = api.mapping(lines, port, protocols=["tcp"])
    with Load(port, [(web, {"web"})]) as load:
        for index in range(20):
            shop = name()
            service = api.service(shop, demo_ports["shop"])
            more = api.mapping(shop, port, hosts=["*"] if index % 2 else [])
            api.change(f"/mappings/{mapping['id']}", hosts=[f"host-{index}.test"])
            api.remove(f"/mappings/{more['id']}")
            api.delete(f"/services/{service['id']}").expect(200)
        load.more(50)
    assert load.failures == []
    api.remove(f"/mappings/{tcp['id']}")
    eventually(lambda: answers(port, web, "web"), "HTTP goes on without tcp")
