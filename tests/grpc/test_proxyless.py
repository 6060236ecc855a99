"""Stock gRPC clients that call services without a proxy, `xds:///<service>`: C++ and JavaScript."""

import json

import pytest

from stand.control_plane import Manager
from stand.grpc import ASK, cpp_client, node_client
from stand.rest import WAIT, mapping_body
from stand.waiting import eventually

CLIENTS = {"cpp": cpp_client, "node": node_client}


@pytest.fixture(params=CLIENTS)
def client(request, manager, bootstrap, tmp_path):
    """Makes a client of a service."""
    return lambda service: CLIENTS[request.param](f"xds:///{service}", tmp_path, GRPC_XDS_BOOTSTRAP=bootstrap)


@pytest.fixture
def api(manager):
    """What a test makes is taken away after it."""
    yield manager.api
    for kind in ("mappings", "services"):
        for row in manager.api.get(f"/{kind}?limit=100").expect(200).data[kind]:
            manager.api.delete(f"/{kind}/{row['id']}").expect(200)


def offer(api, name, port, destinations=None, **more):
    service = api.service(name, port, protocol="http2", **more.pop("service", {}))
    api.post("/mappings", mapping_body(destinations or name, 8443, **more)).expect(201)
    return service


def test_a_call_is_routed_and_follows_every_change(api, client, servers):
    service = offer(api, "greeter", servers.ports["one"])
    with client("greeter") as caller:
        caller.reaches("one")
        assert caller.call("/test.Demo/Refuse") == "7 one says no"
        api.put(f"/services/{service['id']}", {"port": servers.ports["two"]}).expect(200)
        caller.reaches("two")
        assert {caller.call() for _ in range(20)} == {"ok two"}, "nothing goes to where it was"
        both = [{"address": "127.0.0.1", "port": servers.ports[name]} for name in ("one", "three")]
        api.put(f"/services/{service['id']}", {"endpoints": both}).expect(200)
        eventually(lambda: {caller.call() for _ in range(10)} == {"ok one", "ok three"}, "calls go around")
        api.delete(f"/services/{service['id']}").expect(200)
        eventually(lambda: caller.call().startswith("14 "), "the service is gone")


def test_a_name_is_resolved_by_the_client(api, client, servers):
    service = offer(api, "named", servers.ports["one"], service={"address": "localhost"})
    with client("named") as caller:
        caller.reaches("one")
        api.put(f"/services/{service['id']}", {"ip_fqdn": "127.0.0.1", "port": servers.ports["two"]}).expect(200)
        caller.reaches("two")


def test_paths_of_a_mapping_hold(api, client, servers):
    offer(api, "narrow", servers.ports["one"], path_prefix="/test.Demo")
    offer(api, "other", servers.ports["two"], path_prefix="/test.Other")
    with client("narrow") as narrow, client("other") as other:
        narrow.reaches("one")
        assert not other.call().startswith("ok"), "a path that no mapping has"


def test_the_manager_may_restart(manager, api, client, servers):
    service = offer(api, "steady", servers.ports["one"])
    with client("steady") as caller:
        caller.reaches("one")
        manager.kill()
        assert caller.call() == "ok one", "the client goes on alone"
        manager.start()
        manager.api.put(f"/services/{service['id']}", {"port": servers.ports["two"]}).expect(200)
        caller.reaches("two")


def test_the_cluster_may_be_renamed(api, client, servers):
    name = api.get("/clusters/1").expect(200).data["name"]
    api.put("/clusters/1", {"name": "renamed"}).expect(200)
    offer(api, "kept", servers.ports["one"])
    with client("kept") as caller:
        caller.reaches("one")
    api.put("/clusters/1", {"name": name}).expect(200)


def reasons(api, service):
    return [reason["message"] for reason in api.state_of(f"/services/{service['id']}")["reasons"]]


def test_what_a_proxy_would_guard_is_not_given(api, client, servers):
    """Nothing stands between such a client and the service, so a guard cannot be kept."""
    api.service("caller", auth_type="jwt")
    api.service("near", address="127.0.0.9")
    guarded = offer(api, "guarded", servers.ports["one"], source_services=["caller"], auth_required=True)
    offer(api, "keyed", servers.ports["one"], auth_required=True, service={"auth_type": "jwt"})
    offer(api, "by-address", servers.ports["one"], source_services=["near"])
    secured = offer(api, "secured", servers.ports["one"], service={"tls": {"enabled": True}})
    offer(api, "open", servers.ports["two"])
    with client("open") as caller:
        caller.reaches("two")
        with client("guarded") as refused, client("by-address") as far, client("keyed") as keyed:
            for each in (refused, far, keyed):
                each.ask()
            assert not [each for each in (refused, far, keyed) if each.answer().startswith("ok")]
        eventually(lambda: any("not everybody may call it" in each for each in reasons(api, guarded)), "a reason")
        assert any("within TLS" in each for each in reasons(api, secured))
        # An open mapping wins, as it does at proxies; and guarding it again takes it away.
        opened = api.post("/mappings", mapping_body("guarded", 8444)).expect(201).data
        with client("guarded") as allowed:
            allowed.reaches("one")
            api.delete(f"/mappings/{opened['id']}").expect(200)
            eventually(lambda: allowed.call().startswith("14 "), "guarded again")


def test_they_are_no_proxies(manager, api, client, servers):
    """Neither registered nor counted, nor waited for; several may have one name."""
    offer(api, "shared", servers.ports["one"])
    with client("shared") as one, client("shared") as two:
        one.reaches("one")
        two.reaches("one")
        assert one.call() == "ok one"
        assert manager.metric("marchproxy_xds_streams") >= 2
        assert api.get("/proxies").data["proxies"] == []
        service = api.service("later", servers.ports["one"])
        assert api.post("/mappings", mapping_body("later", 8443), WAIT).expect(201).state == "idle"
        assert service["status"]["state"] == "idle"


def test_a_wrong_key_is_refused(manager, api, servers, bootstrap, tmp_path):
    offer(api, "greeter", servers.ports["one"])
    document = json.loads(bootstrap.read_text())
    document["node"]["metadata"]["x-cluster-api-key"] = "mp_cluster_" + "x" * 40
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(document))
    with cpp_client("xds:///greeter", tmp_path, GRPC_XDS_BOOTSTRAP=wrong) as caller:
        assert not caller.call(ASK).startswith("ok")


def test_the_bootstrap_names_the_authority_where_the_port_has_tls(tmp_path):
    with Manager(tmp_path) as manager:
        manager.start()
        answer = manager.enrolment.get("/proxy/grpc-bootstrap?ca_file=/run/ca.pem").expect(200).json
        server = answer["xds_servers"][0]
        assert server["channel_creds"] == [{"type": "tls", "config": {"ca_certificate_file": "/run/ca.pem"}}]
        assert server["server_uri"] == f"127.0.0.1:{manager.xds_port}"
