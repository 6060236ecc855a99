"""The manager dies and comes back: the traffic does not notice, and Envoy is sent nothing it has."""

from stand.rest import mapping_body
from stand.traffic import Load, answers, is_refused, request, talk
from stand.waiting import eventually, free_port


def fill(api, demo_ports):
    """Some of everything that leads to resources; the HTTP port and the TCP port."""
    http, tcp = free_port(), free_port()
    for index in range(8):
        api.service(f"web-{index}", demo_ports["web"])
        api.mapping(f"web-{index}", http, hosts=[f"{index}.test"])
    api.service("wild", demo_ports["shop"], address="localhost")
    api.mapping("wild", http, hosts=["*.wild.test"], path_prefix="/a", strip_prefix=True)
    api.service("caller", auth_type="jwt")
    api.service("keyed", auth_type="api_key")
    api.service("guarded", demo_ports["blog"])
    api.mapping("guarded", http, source_services=["caller", "keyed"], auth_required=True)
    api.service("lines", demo_ports["lines"])
    api.mapping("lines", tcp, protocols=["tcp"])
    return http, tcp


def serves(http, tcp):
    return (all(answers(http, f"{index}.test", "web") for index in range(8))
            and request(http, "guarded").status in (401, 403)
            and request(http, "x.wild.test", "/a/b").json["path"] == "/b" and talk(tcp, "x") == "lines: x")


def test_kill_and_restart_lose_no_request_and_send_nothing_again(own, proxy, demo_ports):
    http, tcp = fill(own.api, demo_ports)
    assert serves(http, tcp)
    before = proxy.admin.updates()
    with Load(http, [(f"{index}.test", {"web"}) for index in range(8)]) as load:
        for _ in range(2):
            own.kill()
            eventually(lambda: not proxy.admin.is_connected(), "Envoy lost its stream")
            load.more(200)
            own.start()
            proxy.wait_connected()
            load.more(200)
            assert own.metric("marchproxy_xds_pushes_total") == 0
    assert load.failures == []
    assert proxy.admin.updates() == before
    assert serves(http, tcp)


def test_orderly_restart_sends_nothing_again(own, proxy, demo_ports):
    http, tcp = fill(own.api, demo_ports)
    before = proxy.admin.updates()
    assert own.stop() == 0
    assert serves(http, tcp), "the data plane goes on alone"
    own.start()
    proxy.wait_connected()
    assert own.metric("marchproxy_xds_pushes_total") == 0
    assert proxy.admin.updates() == before


def test_edit_made_right_before_the_kill_is_there_afterwards(own, proxy, demo_ports):
    http, _ = fill(own.api, demo_ports)
    own.api.service("late", demo_ports["shop"])
    own.api.post("/mappings", mapping_body("late", http)).expect(201)
    own.kill()
    own.start()
    eventually(lambda: answers(http, "late", "shop"), "the edit arrives")
    assert answers(http, "0.test", "web")


def test_edit_while_the_proxy_is_away_arrives_with_it(own, proxy, demo_ports):
    http, tcp = fill(own.api, demo_ports)
    own.kill()
    eventually(lambda: not proxy.admin.is_connected(), "Envoy lost its stream")
    own.start()
    own.api.delete("/services/" + str(service_id(own.api, "lines"))).expect(200)
    own.api.service("late", demo_ports["shop"])
    own.api.post("/mappings", mapping_body("late", http)).expect(201)
    eventually(lambda: answers(http, "late", "shop"), "the new mapping")
    eventually(lambda: is_refused(tcp), "the removed listener")


def service_id(api, name):
    return api.get(f"/services?search={name}").expect(200).data["services"][0]["id"]


def test_proxy_that_starts_anew_gets_everything(own, proxy, demo_ports):
    http, tcp = fill(own.api, demo_ports)
    proxy.clean_up()
    eventually(lambda: is_refused(http), "Envoy is gone")
    proxy.start()
    eventually(lambda: not is_refused(tcp) and serves(http, tcp), "everything is served again")
