"""The client status discovery service: what every client holds, asked for from the outside, is what REST tells."""

import collections
import json
import re
import socket

import pytest

from stand.control_plane import Manager
from stand.grpc import Servers, client_status, cpp_client
from stand.proxy import Proxy, bootstrap_of
from stand.rest import mapping_body
from stand.waiting import eventually, free_port


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A manager, two proxies, and something of everything: also what one of them refuses."""
    folder = tmp_path_factory.mktemp("watched")
    with Manager(folder) as manager, Servers(folder, "one") as servers:
        manager.start()
        servers.start()
        with (Proxy(manager, folder, hostname="near.test") as near,
              Proxy(manager, folder, kind="ingress", hostname="far.test", address="127.0.0.2") as far):
            manager.near, manager.far = near.start(), far.start()
            authority = json.loads(re.search(r'"-----BEGIN CERTIFICATE[^"]*"',
                                             json.dumps(bootstrap_of(manager, near.id))).group())
            manager.authority = folder / "authority.pem"
            manager.authority.write_text(authority)
            fill(manager, servers.ports["one"])
            yield manager


def fill(manager, port):
    api = manager.api
    manager.caller = api.service("caller", auth_type="jwt")
    api.service("web", port)
    api.mapping("web", free_port())
    api.mapping("web", free_port(), source_services=["caller"], auth_required=True)
    manager.busy = free_port()
    with socket.create_server(("127.0.0.1", manager.busy)):
        manager.refused = api.mapping("web", manager.busy, expect="rejected")
    # What is refused stays so until it is tried again.


def ask_each(manager, *requests, manner="fetch", token=None):
    bearer = manager.api.headers["Authorization"].removeprefix("Bearer ") if token is None else token
    return client_status(f"127.0.0.1:{manager.xds_port}", manager.authority, bearer, manner, requests)


def ask(manager, manner="fetch", token=None, **request):
    return ask_each(manager, request, manner=manner, token=token)[0]


def only(answers):
    """The one client of the answers."""
    configs = [config for answer in answers for config in answer.get("config", [])]
    assert len({config["node"]["id"] for config in configs}) == 1, configs
    resources = [each for config in configs for each in config.get("generic_xds_configs", [])]
    return configs[0] | {"generic_xds_configs": resources}


def node_id(**matcher):
    return {"node_matchers": [{"node_id": matcher}]}


@pytest.mark.parametrize("manner", ["fetch", "stream"])
def test_it_tells_what_rest_tells(watched, manner):
    proxies = (watched.near, watched.far)
    for proxy, answers in zip(proxies, ask_each(watched, *(node_id(exact=each.id) for each in proxies), manner=manner),
                              strict=True):
        config = only(answers)
        report = watched.api.get(f"/proxies/{proxy.id}/config").expect(200).data
        resources = config["generic_xds_configs"]
        held = collections.Counter(each["type_url"] for each in resources if each.get("version_info"))
        told = {each["type_url"]: each["resources"] for each in report["types"] if each["resources"]}
        assert held == told
        refusals = {each["name"]: each["error_state"]["details"] for each in resources
                    if each["client_status"] == "NACKED"}
        assert refusals == {each["resource"]: each["message"] for each in report["rejected"]}
        assert config["node"]["cluster"] == "default"
        assert config["node"]["metadata"]["fields"]["proxy_type"]["stringValue"] == (
            "egress" if proxy is watched.near else "ingress")


def test_a_refusal_has_the_proxys_words_and_its_time(watched):
    resources = {each["name"]: each for each in only(ask(watched, **node_id(exact=watched.near.id)))[
        "generic_xds_configs"]}
    refused = resources[f"tcp/{watched.busy}"]
    assert (refused["config_status"], refused["client_status"]) == ("ERROR", "NACKED")
    assert "cannot bind" in refused["error_state"]["details"] and refused["error_state"]["version_info"]
    since = watched.api.get(f"/proxies/{watched.near.id}/config").data["rejected"][0]["since"]
    assert int(refused["error_state"]["last_update_attempt"]["seconds"]) > 1_600_000_000 and since
    good = next(each for each in resources.values() if each["client_status"] == "ACKED")
    assert good["config_status"] == "SYNCED" and good["version_info"] and int(good["last_updated"]["seconds"])


def test_contents_are_shown_without_keys_or_left_out(watched):
    whole, bare = ask_each(watched, {}, {"exclude_resource_contents": True})
    text = json.dumps(whole)
    secret = watched.caller["auth_config"]["jwt_secret"]
    assert secret not in text and "PRIVATE KEY" not in text and "jwks" not in text.lower()
    shown = {each["type_url"].rsplit(".", 1)[-1] for answer in whole for config in answer["config"]
             for each in config["generic_xds_configs"] if each.get("xds_config")}
    assert shown == {"Cluster", "ClusterLoadAssignment"}
    assert all(not each.get("xds_config") for answer in bare for config in answer["config"]
               for each in config["generic_xds_configs"])


def names(answers):
    return sorted(config["node"]["id"] for answer in answers for config in answer.get("config", []))


def test_nodes_are_chosen_by_their_id(watched):
    near, far = watched.near.id, watched.far.id
    both = sorted([near, far])
    loud = far.upper()
    asked = [({}, both), (node_id(prefix=near), [near]), (node_id(prefix=near + "x"), []),
             (node_id(suffix=far[2:]), [far]), (node_id(contains=loud[2:-1], ignore_case=True), [far]),
             (node_id(exact=loud), [far] if loud == far else []),
             ({"node_matchers": [{"node_id": {"exact": each}} for each in both]}, both), (node_id(exact="nobody"), [])]
    told = ask_each(watched, *(request for request, _ in asked))
    assert [names(each) for each in told] == [expected for _, expected in asked]


def refusal(answers):
    return answers[0].get("refused")


def test_it_takes_an_admins_credential(watched):
    api = watched.api
    for manner in ("fetch", "stream"):
        assert refusal(ask(watched, manner, token="")) == 16
        assert refusal(ask(watched, manner, token="nonsense")) == 16
    made = api.post("/auth/api-keys", {"name": "watcher", "permissions": ["read", "write", "admin"]}).expect(201).data
    assert names(ask(watched, token=made["key"]))
    reader = api.post("/auth/api-keys", {"name": "reader", "permissions": ["read"]}).expect(201).data
    assert refusal(ask(watched, token=reader["key"])) == 7
    api.delete(f"/auth/api-keys/{made['id']}").expect(200)
    assert refusal(ask(watched, token=made["key"])) == 16


def test_matchers_that_are_not_served_are_named(watched):
    by_metadata = {"node_matchers": [{"node_metadatas": [{"path": [{"key": "proxy_type"}]}]}]}
    [metadata], [regex] = ask_each(watched, by_metadata, node_id(safe_regex={"regex": ".*"}))
    assert metadata["refused"] == 3 and "node_metadatas" in metadata["words"]
    assert regex["refused"] == 3 and "node_id" in regex["words"]


def test_clients_without_a_proxy_are_told_too(manager, bootstrap, servers, tmp_path):
    manager.api.service("greeter", servers.ports["one"], protocol="http2")
    manager.api.post("/mappings", mapping_body("greeter", 8443)).expect(201)
    token = manager.api.headers["Authorization"].removeprefix("Bearer ")
    with cpp_client("xds:///greeter", tmp_path, GRPC_XDS_BOOTSTRAP=bootstrap) as caller:
        caller.reaches("one")

        def held():
            config = only(client_status(f"127.0.0.1:{manager.xds_port}", "-", token)[0])
            assert config["node"]["id"] == "shop-checkout"
            return {each["type_url"].rsplit(".", 1)[-1] for each in config["generic_xds_configs"]
                    if each["client_status"] == "ACKED"}
        everything = {"Listener", "RouteConfiguration", "Cluster", "ClusterLoadAssignment"}
        eventually(lambda: held() == everything, "all four are acknowledged", pause=0.2)
