"""What is live where: the answers of the API against what real proxies hold, and what they refuse."""

import socket

import pytest

from stand.rest import WAIT, mapping_body
from stand.traffic import is_refused, request, talk
from stand.waiting import eventually


def test_revision_is_live_when_the_answer_says_so(api, egress, demo_ports, name, port):
    web = name()
    api.service(web, demo_ports["web"])
    answer = api.post("/mappings", mapping_body(web, port), WAIT).expect(201)
    assert answer.state == "live" and request(port, web).service == "web"
    assert answer.data["status"] == {"state": "live", "reasons": []}, "the body says what the header says"
    assert answer.headers["ETag"] == '"1-live"'
    revision = api.get(f"/revisions/{answer.revision}").expect(200).data
    assert (revision["revision"], revision["state"]) == (answer.revision, "live")
    assert egress.id in [proxy["proxy_id"] for proxy in revision["proxies"] if proxy["state"] == "live"]
    assert api.state_of(f"/mappings/{answer.data['id']}")["state"] == "live"
    later = api.service(name())
    assert api.get(f"/revisions/{answer.revision + 1}").status == 200 and later["id"]


def test_change_that_changes_nothing_is_no_revision(api, egress, demo_ports, name, port):
    web = name()
    api.service(web, demo_ports["web"])
    made = api.post("/mappings", mapping_body(web, port), {**WAIT, "Idempotency-Key": web}).expect(201)
    same = api.put(f"/mappings/{made.data['id']}", {"ports": [port]}, WAIT).expect(200)
    assert same.revision >= made.revision and same.state == "live"
    assert same.data == made.data and same.headers["ETag"] == made.headers["ETag"]
    again = api.post("/mappings", mapping_body(web, port), {**WAIT, "Idempotency-Key": web}).expect(201)
    assert again.data == made.data and (again.revision, again.state) == (made.revision, "live")


def test_proxy_shows_what_it_holds(api, egress, demo_ports, name, port):
    web = name()
    api.service(web, demo_ports["web"])
    answer = api.post("/mappings", mapping_body(web, port), WAIT).expect(201)
    held = api.get(f"/proxies/{egress.id}/config").expect(200).data
    assert held["state"] == "live" and held["rejected"] == [] and held["revision"] >= answer.revision
    resources = {entry["type_url"].rpartition(".")[2]: entry["resources"] for entry in held["types"]}
    assert resources["Cluster"] and resources["Listener"]
    status = api.get("/clusters/1/status").expect(200).data
    assert status["state"] == "live" and egress.id in [proxy["proxy_id"] for proxy in status["proxies"]]


def test_write_without_wait_does_not_wait_and_bad_wait_is_ignored(api, demo_ports, name, port):
    web = name()
    api.service(web, demo_ports["web"])
    answer = api.post("/mappings", mapping_body(web, port), {"Prefer": "wait=soon"}).expect(201)
    assert answer.revision > 0
    eventually(lambda: api.get(f"/revisions/{answer.revision}").data["state"] == "live", "it gets live")


def test_ingress_gets_only_what_anybody_may_use(api, egress, ingress, demo_ports, name, port):
    near, web, shop = name("near"), name(), name()
    api.service(near, address="127.0.0.1")
    api.service(web, demo_ports["web"])
    api.service(shop, demo_ports["shop"])
    api.mapping(web, port)
    api.mapping(shop, port, source_services=[near])
    assert request(port, web).service == "web" and request(port, shop).service == "shop"
    assert request(port, web, address=ingress.address).service == "web"
    assert request(port, shop, address=ingress.address).status == 404
    lines = name()
    api.service(lines, demo_ports["lines"])
    api.mapping(lines, port + 3000, protocols=["tcp"], source_services=[near])
    assert talk(port + 3000, "x") == "lines: x"
    assert is_refused(port + 3000, ingress.address)


# --- with a manager of the test's own, because a refusal concerns everybody's state ---

def test_without_a_proxy_a_write_is_idle(own, demo_ports, port):
    own.api.service("web", demo_ports["web"])
    assert own.api.post("/mappings", mapping_body("web", port), WAIT).expect(201).state == "idle"


def taken(port):
    """Listens without SO_REUSEPORT, so that Envoy cannot bind."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", port))
    holder.listen()
    return holder


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_refusal_stays_with_its_object_and_is_retried_on_demand(own, proxy, demo_ports, port, protocol):
    api = own.api
    for name in ("web", "late"):
        api.service(name, demo_ports["web"])
    api.service("lines", demo_ports["lines"])
    api.mapping("web", port)
    busy = port + 3000
    destination = "lines" if protocol == "tcp" else "web"
    with taken(busy):
        refused = api.mapping(destination, busy, expect="rejected", protocols=[protocol])
        status = api.state_of(f"/mappings/{refused['id']}")
        assert status["state"] == "rejected" and refused["status"] == status
        assert "cannot bind" in status["reasons"][0]["message"], "the proxy's own words"
        assert status["reasons"][0]["proxy_id"] == proxy.id and status["reasons"][0]["since"]
        rejected = api.get(f"/proxies/{proxy.id}/config").expect(200).data["rejected"]
        assert [entry["object"]["id"] for entry in rejected] == [refused["id"]]
        assert rejected[0]["object"]["type"] == "mapping"
        assert request(port, "web").service == "web"
        other = api.mapping("late", port)
        assert request(port, "late").service == "web", "what comes later goes live"
        assert api.state_of(f"/mappings/{other['id']}")["state"] == "live"
    api.post(f"/proxies/{proxy.id}/retry").expect(200, 202)
    eventually(lambda: api.state_of(f"/mappings/{refused['id']}")["state"] == "live", "the retry helps", 10)
    assert talk(busy, "x") == "lines: x" if protocol == "tcp" else request(busy, "web").service == "web"
    assert api.get(f"/proxies/{proxy.id}/config").expect(200).data["rejected"] == []


def test_refused_and_good_in_one_push(own, proxy, demo_ports, port):
    """Several writes that reach the proxy together: the refused one holds up nothing."""
    api = own.api
    busy = port + 3000
    api.service("web", demo_ports["web"])
    with taken(busy):
        refused = api.post("/mappings", mapping_body("web", busy)).expect(201).data
        good = [api.post("/mappings", mapping_body("web", port + offset)).expect(201).data["id"]
                for offset in (0, 4000, 5000)]
        for each in good:
            eventually(lambda: api.state_of(f"/mappings/{each}")["state"] == "live", "the good one is live", 10)
        for offset in (0, 4000, 5000):
            assert request(port + offset, "web").service == "web"
        eventually(lambda: api.state_of(f"/mappings/{refused['id']}")["state"] == "rejected", "the other is not", 10)
        api.change(f"/mappings/{refused['id']}", ports=[port + 6000])
        assert api.state_of(f"/mappings/{refused['id']}")["state"] == "live", "a change is tried at once"
    assert request(port + 6000, "web").service == "web"
