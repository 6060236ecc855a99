"""What POST /plan and GET /reachability say, held against what a real Envoy then gets and does."""

import json
import socket

from stand.rest import WAIT, mapping_body
from stand.traffic import request
from stand.waiting import eventually, free_port

TYPES = {"ClustersConfigDump": "Cluster", "EndpointsConfigDump": "ClusterLoadAssignment", "SecretsConfigDump": "Secret",
         "ListenersConfigDump": "Listener", "ScopedRoutesConfigDump": "ScopedRouteConfiguration"}


def held(proxy):
    """{(type, name): content} of everything that the control plane gave to this Envoy."""
    found = {}

    def add(kind, name, content):
        found[kind, name] = json.dumps(content, sort_keys=True)

    for config in json.loads(proxy.admin.get("/config_dump?include_eds"))["configs"]:
        kind = TYPES.get(config["@type"].rpartition(".")[2])
        for each in config.get("dynamic_active_clusters", []):
            add(kind, each["cluster"]["name"], each["cluster"])
        for each in config.get("dynamic_endpoint_configs", []):
            add(kind, each["endpoint_config"]["cluster_name"], each["endpoint_config"])
        for each in config.get("dynamic_active_secrets", []):
            add(kind, each["name"], each["version_info"])
        for each in config.get("dynamic_listeners", []):
            if "active_state" in each:  # not one that drains
                add(kind, each["name"], each["active_state"]["listener"])
        for scopes in config.get("dynamic_scoped_route_configs", []):
            for each in scopes.get("scoped_route_configs", []):
                add(kind, each["name"], each)
    return found


def difference(before, after):
    return {"added": after.keys() - before.keys(), "removed": before.keys() - after.keys(),
            "changed": {key for key in before.keys() & after.keys() if before[key] != after[key]}}


def predicted(plan, proxy_type="egress"):
    found = {"added": set(), "changed": set(), "removed": set()}
    for audience in plan["audiences"]:
        if audience["proxy_type"] != proxy_type:
            continue
        for each in audience["types"]:
            for what, names in found.items():
                names |= {(each["type_url"].rpartition(".")[2], one["name"]) for one in each[what]}
    return found


def carry_out(api, change):
    path = f"/{change['type']}s" + (f"/{change['id']}" if "id" in change else "")
    method = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}[change["action"]]
    return api.raw(method, "/api/v1" + path, change.get("data"), WAIT).expect(200, 201)


def test_difference_of_a_plan_is_what_the_proxy_then_gets(api, egress, demo_ports, name, port):
    web, shop, new = name(), name(), name()
    first = api.service(web, demo_ports["web"])
    api.service(shop, demo_ports["shop"], auth_type="jwt")
    kept = api.mapping([web, shop], port, hosts=["both.test"])
    gone = api.mapping(shop, free_port())
    guarded = api.mapping(web, port, source_services=[shop], auth_required=True, hosts=["guarded.test"])
    other = free_port()
    changes = [
        {"action": "create", "type": "service", "data": {
            "name": new, "ip_fqdn": "127.0.0.1", "port": demo_ports["blog"], "collection": "tests", "cluster_id": 1}},
        {"action": "create", "type": "mapping", "data": mapping_body([new, web], other, hosts=["*.new.test"])},
        {"action": "patch", "type": "mapping", "id": kept["id"], "data": {"hosts": ["both.test", "more.test"], "timeout": 7}},
        {"action": "update", "type": "service", "id": first["id"], "data": {"port": demo_ports["blog"]}},
        {"action": "patch", "type": "mapping", "id": guarded["id"], "data": {"path_prefix": "/x"}},
        {"action": "delete", "type": "mapping", "id": gone["id"]},
    ]
    sent = api.get(f"/proxies/{egress.id}/config").data
    before, updates = held(egress), egress.admin.updates()
    plan = api.post("/plan", {"changes": changes}).expect(200).data
    assert plan["applicable"]
    assert (egress.id, True) in [(each["proxy_id"], each["connected"]) for each in plan["proxies"]]
    assert api.get(f"/proxies/{egress.id}/config").data == sent and egress.admin.updates() == updates, "nothing was sent"
    assert request(port, "both.test").status == 200 and held(egress) == before
    for change in changes:
        assert carry_out(api, change).state in ("live", "idle"), "a service alone is nothing to send"
    expected = predicted(plan)
    assert expected["added"] and expected["changed"] and expected["removed"]
    eventually(lambda: difference(before, held(egress)) == expected, "Envoy has what was predicted, and nothing else")
    assert request(other, "a.new.test").status == 200


def reach(api, **query):
    text = "&".join(f"{key}={value}" for key, value in query.items())
    return api.get(f"/reachability?{text}").expect(200).data


def kinds(answer, proxy_type="egress"):
    return [each["kind"] for each in answer["missing"] if each["proxy_type"] == proxy_type]


def test_passes_where_requests_get_through_and_names_what_is_missing_where_not(api, egress, demo_ports, name, port):
    web, shop, caller = name(), name(), name()
    api.service(web, demo_ports["web"])
    api.service(shop, demo_ports["shop"])
    known = api.service(caller, auth_type="jwt")
    where = {"to": web, "port": port, "protocol": "http"}

    assert kinds(reach(api, **where)) == ["no_mapping"]
    mapping = api.mapping(web, port)
    open_to_all = reach(api, **where)
    assert open_to_all["passes"] and open_to_all["missing"] == []
    way = open_to_all["ways"][0]
    assert way["mapping"]["id"] == mapping["id"] and way["proofs"][0]["kind"] == "none"
    assert [(each["proxy_id"], each["state"]) for each in way["proxies"]] == [(egress.id, "live")]
    for domain in way["domains"]:
        assert request(port, domain).service == "web"
    assert kinds(reach(api, to=shop, port=port, protocol="http")) == ["no_mapping"]
    assert request(port, shop).status == 404

    closed = free_port()
    assert kinds(reach(api, to=web, port=closed, protocol="http")) == ["port"]
    with socket.socket() as attempt:
        assert attempt.connect_ex(("127.0.0.1", closed)) != 0

    path = f"/mappings/{mapping['id']}"
    api.change(path, auth_required=True, source_services=[caller])
    assert "denied" in kinds(reach(api, **where)), "whoever it is may not"
    assert request(port, web).status in (401, 403)
    guarded = reach(api, **where, **{"from": caller})
    assert guarded["passes"] and guarded["ways"][0]["proofs"][0]["kind"] == "jwt"
    token = api.post(f"/services/{known['id']}/token", {}).expect(200).data["token"]
    assert request(port, web, headers={"Authorization": f"Bearer {token}"}).service == "web"

    api.change(path, auth_required=False, source_services=["any"], enabled=False)
    assert kinds(reach(api, **where)) == ["disabled"]
    api.change(path, enabled=True)
    first = api.mapping(shop, port, hosts=[web, "127.0.0.1"], priority=1)
    assert set(kinds(reach(api, **where))) == {"shadowed"}
    assert request(port, web).service == "shop"
    api.remove(f"/mappings/{first['id']}")
    assert reach(api, **where)["passes"] and request(port, web).service == "web"


def test_what_a_proxy_refuses_does_not_pass(api, egress, demo_ports, name, port):
    web, caller = name(), name()
    api.service(web, demo_ports["web"])
    api.service(caller)
    way = {"from": caller, "to": web, "port": port, "protocol": "http"}  # by egress alone
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", port))
        busy.listen()
        mapping = api.mapping(web, port, expect="rejected", source_services=[caller])
        answer = reach(api, **way)
        assert answer["configured"] and not answer["passes"]
        assert kinds(answer) == ["rejected"]
        proxy = answer["ways"][0]["proxies"][0]
        assert proxy["state"] == "rejected" and "ddress already in use" in proxy["message"]
    api.post(f"/proxies/{egress.id}/retry").expect(200)
    eventually(lambda: reach(api, **way)["passes"], "it passes once the port is free")
    assert request(port, web).service == "web"
    api.remove(f"/mappings/{mapping['id']}")
