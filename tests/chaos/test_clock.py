"""The manager's clock jumps to the edges of what is valid for a time: each ends at its second, with nobody asking, and
what does not end is not touched."""

import datetime
import json
import os
import signal
import ssl
import threading

import pytest

from stand.certificates import HOUR, serial_of
from stand.clock import ManagerOnClock, time_of
from stand.jwt import bearer, make_token
from stand.proxy import BareEnvoy, bootstrap_of, register
from stand.rest import WAIT, Api, mapping_body
from stand.traffic import answers, connect, request
from stand.waiting import eventually, free_port

SECOND = datetime.timedelta(seconds=1)
LATE = 5 * SECOND  # on a busy machine


@pytest.fixture
def manager(tmp_path):
    with ManagerOnClock(tmp_path) as made:
        yield made.start()


def ends_at(manager, time, is_over, what):
    """Not before its time, and without any call in between."""
    manager.move_to(time - 2.5 * SECOND)
    assert not is_over(), f"{what}: too early"
    eventually(is_over, what, 10, 0.005)
    assert time <= manager.now() < time + LATE, f"{what} ended {manager.now() - time} after its time"


def guard(world, api, caller):
    """A port on which only `caller` may use the service."""
    port = free_port()
    api.mapping("web", port, source_services=[caller["name"]], auth_required=True)
    return port


def test_secrets_and_keys_end_with_their_overlap(manager, proxy, world):
    api = manager.api
    world.fill(api)
    tokens = api.service("tokens", auth_type="jwt")
    keys = api.service("keys", auth_type="api_key")
    by_token, by_key = guard(world, api, tokens), guard(world, api, keys)
    old_key = {"X-API-Key": keys["auth_config"]["api_key"]}
    with world.traffic() as traffic:
        for kind, service, port in (("jwt", tokens, by_token), ("key", keys, by_key)):
            rotated = manager.api.post(f"/services/{service['id']}/rotate-{kind}", headers=WAIT).expect(200)
            assert rotated.state == "live"
            if kind == "jwt":
                old = lambda: bearer(make_token(tokens["auth_config"]["jwt_secret"], tokens))
                new = bearer(make_token(rotated.data["new_secret"], tokens, ends_in=600))
            else:
                old = lambda: old_key
                new = {"X-API-Key": rotated.data["new_api_key"]}
            until = time_of(rotated.data["old_secret_valid_until" if kind == "jwt" else "old_key_valid_until"])
            assert request(port, "web", headers=old()).status == request(port, "web", headers=new).status == 200
            ends_at(manager, until, lambda: request(port, "web", headers=old()).status in (401, 403), f"old {kind}")
            assert request(port, "web", headers=new).status == 200
        traffic.more()
    assert traffic.failures == []


def test_cluster_key_ends_its_own_streams_alone(manager, world, tmp_path):
    first = bootstrap_of(manager, register(manager, "old.test", address="127.0.0.1"))
    second = bootstrap_of(manager, register(manager, "new.test", address="127.0.0.2"))
    world.fill(manager.api)
    rotated = manager.api.post("/clusters/1/rotate-key").expect(200).data
    renewed = json.loads(json.dumps(second).replace(manager.variables["MARCHPROXY_CLUSTER_KEY"], rotated["new_api_key"]))
    with BareEnvoy(first, tmp_path, "old") as old, BareEnvoy(renewed, tmp_path, "new") as new:
        for envoy in (old, new):
            envoy.connect(manager)
        with world.traffic() as traffic:
            until = time_of(rotated["old_key_valid_until"])
            manager.move_to(until - HOUR / 2)
            world.add(manager.api)
            streams = tries(old), tries(new)
            ends_at(manager, until, lambda: not old.admin.is_connected(), "the old key's stream")
            old.says(r"closed: 16\b.*cluster key expired")
            assert (1, 1) == streams and tries(new) == 1 and new.admin.is_connected(), "no stream was ended early"
            assert Api(manager.http_port, {"X-Cluster-API-Key": manager.variables["MARCHPROXY_CLUSTER_KEY"]}).get(
                "/config/1").status == 401
            traffic.more()
        assert traffic.failures == [], "who has lost its key serves what it has"


def tries(envoy):
    return envoy.admin.stats("marchproxy_xds.upstream_rq_total")["cluster.marchproxy_xds.upstream_rq_total"]


def test_certificates_begin_and_end_also_when_the_clock_is_set_back(manager, proxy, world):
    api = manager.api
    world.fill(api)
    begin = (manager.now() + HOUR).replace(microsecond=0)
    later = world.authority.issue("web.example", begin=begin, end=begin + HOUR)
    api.certificate(later, "later")

    def shows_later():
        return shown(world) == later.serial

    with world.traffic(timeless(world)) as traffic:
        assert not shows_later()
        ends_at(manager, begin, shows_later, "the time before the certificate")
        ends_at(manager, begin + HOUR, lambda: not shows_later(), "the certificate")
        manager.move(-HOUR / 2)
        eventually(shows_later, "it counts again")
        manager.move(HOUR)
        eventually(lambda: not shows_later(), "and ends again")
        manager.move(-3 * HOUR)
        manager.api.service("late", world.demo["shop"])
        manager.api.post("/mappings", mapping_body("late", world.http)).expect(201)
        eventually(lambda: answers(world.http, "late", "shop"), "edits arrive")
        traffic.more()
    assert traffic.failures == []


def shown(world):
    """The serial number of the certificate that a new connection is shown."""
    with connect(world.https) as plain:
        with timeless(world).wrap_socket(plain, server_hostname="web.example") as connection:
            return serial_of(connection)


def timeless(world):
    """Takes certificates that by the clock of this machine are not valid yet."""
    context = world.authority.client_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_waiting_answers_end_when_the_clock_is_set_back(manager, proxy, world):
    """Their time would be over only an hour later."""
    api = manager.api
    world.fill(api)
    api.service("slow", world.demo["shop"])
    told = []
    os.kill(proxy.envoy_pid, signal.SIGSTOP)
    try:
        writer = threading.Thread(target=lambda: told.append(
            api.post("/mappings", mapping_body("slow", world.http), {"Prefer": "wait=20"})))
        writer.start()
        eventually(lambda: manager.api.get("/mappings?search=slow").data["total"] == 1, "it is written")
        manager.move(-HOUR)
        writer.join(10)
        assert told and told[0].state == "pending"
    finally:
        os.kill(proxy.envoy_pid, signal.SIGCONT)
