"""Texts that would harm a careless program, in every text field, query parameter, path and header of the document."""

import json
import urllib.parse

import pytest

from corpus import cases
from stand.control_plane import PASSWORD, Manager
from stand.rest import Api
from test_bad_input import exchange

TEXTS = [text for _, text in cases("hostile.txt", 0)]
# They end the session, or the password, that this test goes on with.
LEFT_ALONE = ("logout", "change_password", "rotate_cluster_key", "delete_user")


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    with Manager(tmp_path_factory.mktemp("hostile")) as made:
        made.start()
        made.api.service("web-backend")
        yield made


@pytest.fixture(scope="module")
def document(manager):
    return manager.api.raw("GET", "/openapi.json").json


class Schemas:
    def __init__(self, document):
        self.document = document

    def behind(self, node):
        while "$ref" in node or "allOf" in node:
            if "allOf" in node:
                node = node["allOf"][0]
                continue
            target = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            node = target
        return node

    def texts(self, schema, path=()):
        """Paths of every text below a schema; a list's first item stands for all."""
        schema = self.behind(schema)
        if schema.get("type") == "string":
            yield path
        for name, inner in schema.get("properties", {}).items():
            yield from self.texts(inner, (*path, name))
        if schema.get("type") == "array":
            yield from self.texts(schema["items"], (*path, 0))
        for each in schema.get("oneOf", []):
            yield from self.texts(each, path)


def put(body, path, value):
    """A copy of the body with the value at the path."""
    if not path:
        return value
    step = path[0]
    if step == 0:
        return [put(None, path[1:], value)]
    whole = dict(body) if isinstance(body, dict) else {}
    whole[step] = put(whole.get(step), path[1:], value)
    return whole


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] not in LEFT_ALONE:
                yield path, method.upper(), operation


def is_clean(manager, where, request, found, body=b""):
    """Whether the answer is none of a careless program; what is wrong goes to `found`."""
    status, head, answer = exchange(manager, request, body)
    if status >= 500:
        found.append(f"{where}: {status} {answer}")
    if status == 400 and not answer["error"]["violations"][0]["field"]:
        found.append(f"{where}: 400 without a field")
    if any(line.lower().startswith(("set-cookie:", "x-injected:")) for line in head.split("\r\n")):
        found.append(f"{where}: a header was injected: {head}")
    return answer if status < 300 else None


def test_text_fields(manager, document):
    """What is taken comes back as it was sent."""
    schemas = Schemas(document)
    found = []
    for path, method, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if not kind.endswith("json"):
                continue
            example = content["example"]
            for field in schemas.texts(content["schema"]):
                for text in TEXTS:
                    value = text.decode()
                    body = json.dumps(put(example, field, value)).encode()
                    where = f"{operation['operationId']} {field} {value[:40]!r}"
                    answer = is_clean(manager, where, [f"{method} {path.replace('{id}', '1')} HTTP/1.1",
                                                       f"Content-Type: {kind}"], found, body)
                    data = (answer or {}).get("data") or {}
                    if len(field) == 1 and field[0] in data and isinstance(data[field[0]], str):
                        if data[field[0]] not in (value, value.lower()):
                            found.append(f"{where}: came back as {data[field[0]]!r}")
    assert not found, "\n".join(found[:50])


def test_query_parameters_and_paths(manager, document):
    schemas = Schemas(document)
    found = []
    for path, method, operation in operations(document):
        if method != "GET":
            continue
        for parameter in map(schemas.behind, operation["parameters"]):
            for text in TEXTS:
                quoted = urllib.parse.quote(text, safe="")
                target = path.replace("{id}", "1")
                if parameter["in"] == "query":
                    target += f"?{parameter['name']}={quoted}"
                elif parameter["in"] == "path":
                    target = path.replace("{" + parameter["name"] + "}", quoted)
                else:
                    continue
                is_clean(manager, f"GET {target[:80]}", [f"GET {target} HTTP/1.1"], found)
    assert not found, "\n".join(found[:50])


@pytest.mark.parametrize("name", ["X-Request-ID", "If-Match", "If-None-Match", "Prefer", "Idempotency-Key", "Content-Type",
                                  "Authorization", "X-Cluster-API-Key", "X-Forwarded-For", "Accept", "Host", "Cookie"])
def test_headers(manager, name):
    found = []
    for text in TEXTS:
        if any(byte in text for byte in b"\r\n\0"):
            continue  # these end the header: the server's own tests send them
        for head in ("GET /api/v1/services/1 HTTP/1.1", "POST /api/v1/services HTTP/1.1", "DELETE /api/v1/mappings/99 HTTP/1.1"):
            body = b"" if not head.startswith("POST") else b"{}"
            is_clean(manager, f"{head} {name}: {text[:40]!r}", [head, f"{name}: {text.decode('latin-1')}"], found, body)
    assert not found, "\n".join(found[:50])


def test_manager_is_whole_after_all(manager):
    api = Api(manager.http_port)
    assert api.post("/auth/login", {"username": "admin", "password": PASSWORD}).status == 200
    assert api.raw("GET", "/healthz").json["status"] == "healthy"
    assert manager.api.get("/services?search=web-backend").data["total"] >= 1
