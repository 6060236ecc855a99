"""What a real Envoy refuses: told at its object with the proxy's own words; its last good form stays, everything else goes
on, and nothing is sent again before there is a reason."""

import pytest

from stand.certificates import Authority, serial_of
from stand.rest import WAIT, mapping_body
from stand.traffic import ADDRESS, connect, request
from stand.waiting import eventually, free_port

WORDS = "OCSP response is required for must-staple certificate"


@pytest.fixture(scope="module")
def authority():
    return Authority()


def shown(port, name, authority):
    """The serial number that a new connection is shown."""
    with connect(port, ADDRESS) as plain:
        with authority.client_context().wrap_socket(plain, server_hostname=name) as connection:
            return serial_of(connection)


def replace(api, certificate, pair):
    fields = {"cert_file": pair.certificate, "key_file": pair.key}
    return api.form("PUT", f"/certificates/{certificate['id']}", fields, WAIT).expect(200)


def delivery(api, certificate):
    return api.get(f"/certificates/{certificate['id']}").expect(200).data["delivery"]


def refused_updates(proxy):
    return sum(value for name, value in proxy.admin.received().items() if name.endswith("update_rejected"))


def test_certificate_that_is_refused_keeps_its_last_good_form(own, proxy, demo_ports, port, authority):
    api = own.api
    api.service("web", demo_ports["web"])
    good = authority.issue("one.test")
    one = api.certificate(good, "one")
    two = api.certificate(authority.issue("two.test"), "two")
    api.mapping("web", port, protocols=["https"], hosts=["one.test", "two.test"])
    assert shown(port, "one.test", authority) == good.serial

    answer = replace(api, one, authority.issue_unwanted("one.test"))
    assert answer.state == "rejected"
    told = delivery(api, one)
    assert told["state"] == "rejected" and answer.data["delivery"] == told
    assert WORDS in told["reasons"][0]["message"] and told["reasons"][0]["proxy_id"] == proxy.id
    assert "PRIVATE" not in str(told) and "BEGIN" not in str(told)
    assert shown(port, "one.test", authority) == good.serial, "the last good form"
    rejected = api.get(f"/proxies/{proxy.id}/config").expect(200).data["rejected"]
    assert [(each["object"]["type"], each["object"]["id"]) for each in rejected] == [("certificate", one["id"])]

    before = refused_updates(proxy)
    renewed = authority.issue("two.test")
    assert replace(api, two, renewed).state == "live", "others go on"
    assert shown(port, "two.test", authority) == renewed.serial
    for index in range(5):
        api.service(f"more-{index}", demo_ports["shop"])
        api.mapping(f"more-{index}", port, protocols=["https"], hosts=[f"{index}.two.test"])
    assert refused_updates(proxy) == before > 0, "nothing is sent again unchanged"
    assert delivery(api, one)["reasons"] == told["reasons"], "since then"

    api.post(f"/proxies/{proxy.id}/retry").expect(200, 202)
    eventually(lambda: refused_updates(proxy) > before, "it is tried again, and refused again")
    assert shown(port, "one.test", authority) == good.serial
    eventually(lambda: proxy.manager.state_of_proxy(proxy.id) == "rejected", "and shown so")

    own.restart()
    proxy.wait_rejected()
    assert delivery(own.api, one)["reasons"][0]["message"] == told["reasons"][0]["message"], "found again"
    assert shown(port, "one.test", authority) == good.serial

    last = authority.issue("one.test")
    assert replace(own.api, one, last).state == "live", "cleared by the change"
    assert delivery(own.api, one) == {"state": "live", "reasons": []}
    assert shown(port, "one.test", authority) == last.serial


def test_new_certificate_that_is_refused_holds_nothing_else_up(own, proxy, demo_ports, port, authority):
    """It has no last good form: its names are not served, those of others on the same port are."""
    api = own.api
    api.service("web", demo_ports["web"])
    fine = authority.issue("fine.test")
    api.certificate(fine, "fine")
    api.mapping("web", port, protocols=["https"], hosts=["fine.test"])
    bad = api.certificate(authority.issue_unwanted("bad.test"), "bad")
    answer = api.post("/mappings", mapping_body("web", port, protocols=["https"], hosts=["bad.test"]),
                      {"Prefer": "wait=5"}).expect(201)
    assert answer.state == "rejected"
    eventually(lambda: delivery(api, bad)["state"] == "rejected", "it says so")
    assert shown(port, "fine.test", authority) == fine.serial
    http = free_port()
    api.post("/mappings", mapping_body("web", http), WAIT).expect(201)
    assert request(http, "web").service == "web"
    good = authority.issue("bad.test")
    assert replace(api, bad, good).state == "live"
    eventually(lambda: shown(port, "bad.test", authority) == good.serial, "it is served")
