"""Several clusters on one manager: each Envoy gets its own cluster's, under the same names; and a licence that is lost
takes nothing from them."""

import json

import pytest

from stand.control_plane import Manager
from stand.license_server import KEY, LicenseServer
from stand.proxy import BareEnvoy, Proxy, bootstrap_of, register
from stand.rest import WAIT, mapping_body
from stand.traffic import request
from stand.waiting import eventually


@pytest.fixture
def licensed(tmp_path):
    with LicenseServer() as server, Manager(tmp_path, MARCHPROXY_LICENSE_SERVER_URL=server.url) as manager:
        manager.start()
        manager.server = server
        assert validate(manager)
        yield manager


def validate(manager):
    return manager.api.post("/license/validate", {"license_key": KEY}).expect(200).data["valid"]


def add_cluster(api, name):
    body = {"name": name, "description": "Another one", "syslog_endpoint": "log.example:514"}
    return api.post("/clusters", body).expect(201).data


def add(api, cluster_id, service_port, port):
    api.service("shop", service_port, cluster_id=cluster_id)
    answer = api.post("/mappings", mapping_body("shop", port, cluster_id=cluster_id), WAIT).expect(201)
    assert answer.state == "live"
    return answer.data["id"]


def test_clusters_keep_to_themselves_and_outlive_the_licence(licensed, tmp_path, demo_ports, port):
    api = licensed.api
    made = add_cluster(api, "south")
    with (Proxy(licensed, tmp_path, hostname="north.test", address="127.0.0.3") as north,
          Proxy(licensed, tmp_path, hostname="south.test", address="127.0.0.4", key=made["api_key"]) as south):
        north.start()
        south.start()
        add(api, 1, demo_ports["web"], port)
        quiet = south.admin.updates()
        mapping = add(api, made["id"], demo_ports["blog"], port)
        assert request(port, "shop", address="127.0.0.3").service == "web"
        assert request(port, "shop", address="127.0.0.4").service == "blog"
        assert quiet["listener_manager.listener_added"] == 0, "what the other cluster has is none of its business"
        assert licensed.api.get(f"/clusters/{made['id']}").data["proxy_count"] == 1

        licensed.server.mode = "unknown"
        assert not validate(licensed)
        assert api.get("/clusters").status == 402
        assert south.admin.is_connected() and north.admin.is_connected()
        api.change(f"/mappings/{mapping}", strip_prefix=True, path_prefix="/s")
        assert request(port, "shop", "/s/x", address="127.0.0.4").service == "blog", "it goes on"

        api.delete(f"/clusters/{made['id']}").expect(200)
        eventually(lambda: not south.admin.is_connected(), "a deactivated cluster's stream is closed")
        assert request(port, "shop", "/s/x", address="127.0.0.4").service == "blog", "Envoy serves what it has"
        assert api.put(f"/clusters/{made['id']}", {"is_active": True}).status == 402
        licensed.server.mode = "enterprise"
        assert validate(licensed)
        api.put(f"/clusters/{made['id']}", {"is_active": True}).expect(200)
        south.wait_connected()
        assert north.admin.is_connected()


def test_another_cluster_may_take_the_name_that_one_had(licensed, tmp_path):
    """A registered proxy is known by its key and id; of a client that never registers the name is all there is."""
    api = licensed.api
    name = api.get("/clusters/1").expect(200).data["name"]
    bootstrap = bootstrap_of(licensed, register(licensed, "bare.test"))
    api.put("/clusters/1", {"name": "renamed"}).expect(200)
    add_cluster(api, name)
    with BareEnvoy(bootstrap, tmp_path) as envoy:
        envoy.connect(licensed)
    text = json.dumps(bootstrap)
    proxyless = json.loads(text.replace('"proxy_type": "egress"', '"proxy_type": "grpc"'))
    assert proxyless != bootstrap
    with BareEnvoy(proxyless, tmp_path, "proxyless") as client:
        client.start()
        client.says(r"closed: 7\b.*The key is not of the cluster that the node names")
