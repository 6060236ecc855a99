"""Forged, broken, foreign and giant tokens are 401, all with the same text, and the good one goes on working."""

import base64
import hashlib
import hmac
import json

import pytest

from corpus import cases
from stand.control_plane import KEY, PASSWORD, Manager
from stand.rest import Api

GIANTS = [("a" * 8000), "." * 8000, ("a" * 2600 + ".") * 3, "e30." * 2000, "mp_api_" + "k" * 8000]
MALFORMED = ["", " ", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "null", "Bearer", "e30.e30.", "e30.e30.e30",
             "eyJhbGciOiJub25lIn0.e30.", "W10.W10.W10", "MQ.MQ.MQ", "Ig.Ig.Ig", "//79.e30.AA", "mp_api_", "mp_api_x", KEY]


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    with Manager(tmp_path_factory.mktemp("tokens")) as made:
        yield made.start()


@pytest.fixture(scope="module")
def session(manager):
    return Api(manager.http_port).post("/auth/login", {"username": "admin", "password": PASSWORD}).expect(200).data


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forged(good, header, changes, signature):
    first, claims, last = good.split(".")
    if header != "=":
        first = encoded(header.encode())
    if changes != "{}":
        claims = encoded(json.dumps(decoded(claims) | json.loads(changes)).encode())
    kind, _, text = signature.partition(":")
    signed = f"{first}.{claims}".encode()
    made = {"=": lambda: last, "-": lambda: "", "text": lambda: text,
            "hmac": lambda: encoded(hmac.new(text.encode(), signed, hashlib.sha256).digest()),
            "hmac512": lambda: encoded(hmac.new(text.encode(), signed, hashlib.sha512).digest())}
    return f"{first}.{claims}.{made[kind]()}"


def ask(manager, token):
    answer = Api(manager.http_port).raw("GET", "/api/v1/auth/me", None, {"Authorization": f"Bearer {token}".encode()})
    return answer.status, answer.json.get("error")


def refusal(manager):
    return Api(manager.http_port).raw("GET", "/api/v1/auth/me").expect(401).error


def test_forged_tokens(manager, session):
    good = session["access_token"]
    for where, header, changes, signature in cases("tokens.txt", 2):
        token = forged(good, header, changes, signature.decode())
        assert ask(manager, token) == (401, refusal(manager)), where
    assert ask(manager, good)[0] == 200


def test_malformed_and_giant_tokens(manager, session):
    for token in (*MALFORMED, *GIANTS):
        assert ask(manager, token) == (401, refusal(manager)), token[:60]
        body = {"refresh_token": token}
        answer = Api(manager.http_port).post("/auth/refresh", body)
        assert answer.status == (401 if 1 <= len(token) <= 4096 else 400), token[:60]
    assert ask(manager, session["access_token"] + "x" * 20000)[0] == 431


def test_each_letter_counts(manager, session):
    good = session["access_token"]
    for at in range(0, len(good), 7):
        other = "A" if good[at] != "A" else "B"
        assert ask(manager, good[:at] + other + good[at + 1:])[0] == 401, at
        assert ask(manager, good[:at])[0] == 401, at
    assert ask(manager, good + "A")[0] == 401 and ask(manager, good + "=")[0] == 401
    assert ask(manager, good)[0] == 200


def test_tokens_of_another_kind_and_of_another_manager(manager, session, tmp_path):
    assert ask(manager, session["refresh_token"])[0] == 401
    answer = Api(manager.http_port).post("/auth/refresh", {"refresh_token": session["access_token"]})
    assert answer.status == 401
    with Manager(tmp_path) as other:
        other.start()
        foreign = Api(other.http_port).post("/auth/login", {"username": "admin", "password": PASSWORD}).data
        assert ask(other, foreign["access_token"])[0] == 200
        assert ask(manager, foreign["access_token"])[0] == 401
        assert Api(manager.http_port).post("/auth/refresh", {"refresh_token": foreign["refresh_token"]}).status == 401


def test_token_of_a_service_is_none_of_a_session(manager):
    service = manager.api.service("signer", auth_type="jwt")
    token = manager.api.post(f"/services/{service['id']}/token").expect(200).data["token"]
    assert ask(manager, token)[0] == 401
