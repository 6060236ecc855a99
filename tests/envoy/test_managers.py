"""Two managers on one PostgreSQL: what is written or ended at one counts at the other at once, and both count the same
requests."""

import concurrent.futures
import statistics
import time

import pytest

from stand.control_plane import KEY, PASSWORD, Manager
from stand.postgres import another, database
from stand.proxy import Proxy
from stand.rest import Api, mapping_body
from stand.traffic import answers
from stand.waiting import eventually

POLL = 1.0  # seconds between the looks that would find a change too


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The first has a proxy, the second has none."""
    with database() as base, Manager(tmp_path_factory.mktemp("pair"), MARCHPROXY_DATABASE_URL=base.url) as first:
        first.start()
        with another(first, "second") as second:
            second.start()
            wait_until_they_hear(first, second)
            yield first, second


def wait_until_they_hear(*managers):
    for manager in managers:
        eventually(lambda each=manager: each.metric("marchproxy_store_current") == 1, f"{manager.name} hears the others")


def sign_in(manager, name="admin"):
    answer = Api(manager.http_port).post("/auth/login", {"username": name, "password": PASSWORD}).expect(200)
    return {"Authorization": f"Bearer {answer.data['access_token']}"}


def both(pair, credential, path="/auth/me"):
    """What both answer; three times, so that each remembers who it is."""
    return {Api(manager.http_port, credential).get(path).status for manager in pair for _ in range(3)}


def test_write_at_one_is_served_by_the_other_ones_proxy(pair, demo_ports, port, tmp_path):
    first, second = pair
    with Proxy(first, tmp_path) as proxy:
        proxy.start()
        second.api.service("web", demo_ports["web"])
        took = []
        for number in range(7):
            body = mapping_body("web", port, hosts=[f"host-{number}.test"])
            second.api.post("/mappings", body).expect(201)
            written = time.monotonic()
            eventually(lambda host=body["hosts"][0]: answers(port, host, "web"), "the other's proxy serves it")
            took.append(time.monotonic() - written)
        # A poll comes a second after the one that found the last write.
        assert statistics.median(took) < POLL / 2, took


def test_session_that_ends_at_one_ends_at_both(pair):
    first, second = pair
    session = sign_in(first)
    assert both(pair, session) == {200}
    Api(first.http_port, session).post("/auth/logout").expect(200)
    assert Api(first.http_port, session).get("/auth/me").status == 401
    eventually(lambda: Api(second.http_port, session).get("/auth/me").status == 401, "the other refuses it", 5)


def test_user_who_is_deactivated_at_one_is_out_at_both(pair):
    first, second = pair
    body = {"username": "olga", "email": "olga@example.com", "password": PASSWORD}
    user = first.api.post("/users", body).expect(201).data
    session = sign_in(second, "olga")
    assert both(pair, session) == {200}
    first.api.put(f"/users/{user['id']}", {"is_active": False}).expect(200)
    eventually(lambda: both(pair, session) == {401}, "both refuse him", 5)


def test_api_key_that_is_revoked_at_one_is_none_at_both(pair):
    first, second = pair
    made = first.api.post("/auth/api-keys", {"name": "pipeline", "permissions": ["read"]}).expect(201).data
    key = {"Authorization": f"Bearer {made['key']}"}
    assert both(pair, key, "/services") == {200}
    second.api.delete(f"/auth/api-keys/{made['id']}").expect(200)
    assert Api(second.http_port, key).get("/services").status == 401
    eventually(lambda: Api(first.http_port, key).get("/services").status == 401, "the other refuses it", 5)


def test_key_that_is_rotated_away_at_one_is_none_at_both(pair):
    first, second = pair
    key = {"X-Cluster-API-Key": KEY}
    assert both(pair, key, "/config/1") == {200}
    rotated = second.api.post("/clusters/1/rotate-key").expect(200).data
    assert both(pair, key, "/config/1") == {200}, "the old key is good for an hour"
    second.api.post("/clusters/1/rotate-key").expect(200)
    eventually(lambda: both(pair, key, "/config/1") == {401}, "the key before the last is none", 5)
    assert both(pair, {"X-Cluster-API-Key": rotated["new_api_key"]}, "/config/1") == {200}


def test_they_share_rate_limits_exactly(tmp_path):
    limits = {"MARCHPROXY_RATE_LIMIT_AUTHENTICATION": "5/minute", "MARCHPROXY_RATE_LIMIT_GENERAL": "60/hour",
              "MARCHPROXY_TRUSTED_PROXIES": "127.0.0.0/8"}
    with database() as base, Manager(tmp_path, MARCHPROXY_DATABASE_URL=base.url, **limits) as first:
        first.start()
        with another(first, "second") as second:
            second.start()
            session = sign_in(first)
            ask = [Api(manager.http_port, session) for manager in (first, second)]
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answered = list(pool.map(lambda number: ask[number % 2].get("/auth/me"), range(90)))
            passed = [answer for answer in answered if answer.status == 200]
            assert len(passed) == 60
            assert sorted(int(answer.headers["X-RateLimit-Remaining"]) for answer in passed) == list(range(60))
            assert {answer.status for answer in answered if answer not in passed} == {429}
            assert len({answer.headers["X-RateLimit-Reset"] for answer in answered}) == 1

            def guess(manager):
                body = {"username": "admin", "password": "wrong"}
                return Api(manager.http_port).post("/auth/login", body, {"X-Forwarded-For": "198.51.100.7"}).status
            assert [guess(manager) for manager in (first, second, first, second, first)] == [401] * 5
            assert [guess(manager) for manager in (first, second)] == [429] * 2


def test_failed_sign_ins_at_one_count_at_both(pair):
    def guess(manager):
        return Api(manager.http_port).post("/auth/login", {"username": "guessed", "password": "not-this-one-1"})

    first, second = pair
    eventually(lambda: guess(first).status == 429, "who fails must wait")
    held = guess(second)
    assert held.status == 429 and int(held.headers["Retry-After"]) >= 1
