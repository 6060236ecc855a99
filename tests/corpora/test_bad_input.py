"""Bad input over a socket: a clear 4xx that names the field, nothing written, never a 5xx. What is good is taken."""

import json
import socket
import subprocess

import pytest

from corpus import cases, changes, expanded
from stand.control_plane import KEY, Manager

SERVICE = {"name": "fresh", "ip_fqdn": "10.0.0.1", "collection": "web", "cluster_id": 1}


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    with Manager(tmp_path_factory.mktemp("corpora")) as made:
        yield made.start()


@pytest.fixture(scope="module")
def document(manager):
    return manager.api.raw("GET", "/openapi.json").json


def exchange(manager, head, body=b""):
    """One request as bytes; status, headers as text, and the body as JSON where it is some."""
    with socket.create_connection(("127.0.0.1", manager.http_port), timeout=60) as connection:
        lines = [*head, "Host: manager", "Connection: close", f"Authorization: Bearer {manager.token or ''}",
                 f"X-Cluster-API-Key: {KEY}", f"Content-Length: {len(body)}"]
        connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, text = received.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head.decode("latin-1"), json.loads(text) if text.startswith(b"{") else None


def named(answer):
    return [each["field"] for each in answer["error"].get("violations", [])]


def judge(where, wanted, status, field, answer, found):
    """Adds what is wrong with an answer to `found`."""
    if status != wanted:
        found.append(f"{where}: {status} instead of {wanted}: {str(answer)[:200]}")
    elif status == 400 and not any(each == field or each.startswith((field + ".", field + "[")) for each in named(answer)):
        found.append(f"{where}: names {named(answer)} instead of {field}")


def test_bodies(manager):
    assert manager.api
    found = []
    for number, (where, wanted, field, text) in enumerate(cases("bodies.txt", 2)):
        path, method, good = "/api/v1/services", "POST", SERVICE | {"name": f"fresh-{number}"}
        if field == "description":
            path, method, good = "/api/v1/clusters/1", "PUT", {}
        body = text
        if field not in ("body", "-") and not field.startswith("{"):
            top = field.split(".")[0].split("[")[0]
            members = [json.dumps({key: value})[1:-1] for key, value in good.items() if key != top]
            body = ("{" + ", ".join([*members, f'"{top}": ']) ).encode() + text + b"}"
        before = changes(manager)
        wanted = int(wanted)
        status, _, answer = exchange(manager, [f"{method} {path} HTTP/1.1", "Content-Type: application/json"], body)
        judge(where, wanted, status, expanded(field).decode(), answer, found)
        if wanted >= 400 and changes(manager) != before:
            found.append(f"{where}: something was written")
    assert not found, "\n".join(found)


def certificate(folder, name):
    """A certificate of its own and its key, PEM."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}.example", "-out", files[0], "-keyout",
                    files[1]], check=True, capture_output=True)
    return [file.read_bytes() for file in files]


def test_multipart(manager, tmp_path):
    assert manager.api
    (good, key), (_, other) = certificate(tmp_path, "shop"), certificate(tmp_path, "other")
    found = []
    for where, wanted, field, boundary, text in cases("multipart.txt", 3):
        body = b"" if text == b"-" else text.replace("¶".encode(), b"\r\n")
        for name, content in (("§CERT", good), ("§KEY", key), ("§OTHER", other)):
            body = body.replace(name.encode(), content)
        before = changes(manager)
        kind = "multipart/form-data" + ("" if boundary == "-" else f"; {expanded(boundary).decode()}")
        status, _, answer = exchange(manager, ["POST /api/v1/certificates HTTP/1.1", f"Content-Type: {kind}"], body)
        judge(where, int(wanted), status, field, answer, found)
        if status >= 400 and changes(manager) != before:
            found.append(f"{where}: something was written")
    assert not found, "\n".join(found)


def example_of(document, operation_id):
    """Method, path and example body of an operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == operation_id:
                return method.upper(), path, next(iter(operation["requestBody"]["content"].values()))["example"]
    raise KeyError(operation_id)


def test_names_and_addresses(manager, document):
    found = []
    for number, (where, wanted, operation, field, text) in enumerate(cases("names.txt", 3)):
        method, path, body = example_of(document, operation)
        fresh = {"name": f"name-{number}", "username": f"user-{number}", "email": f"user-{number}@company.com"}
        body = {key: fresh.get(key, value) for key, value in body.items()} | {field: json.loads(text)}
        before = changes(manager)
        status, _, answer = exchange(manager, [f"{method} {path.replace('{id}', '1')} HTTP/1.1"], json.dumps(body).encode())
        judge(where, int(wanted), status, field, answer, found)
        if status >= 400 and changes(manager) != before:
            found.append(f"{where}: something was written")
    assert not found, "\n".join(found)


def test_paging(tmp_path):
    with Manager(tmp_path) as manager:
        manager.start()
        for name in ("web-1", "web-2", "web-3"):
            manager.api.service(name)
        found = []
        for where, wanted, field, query in cases("paging.txt", 2):
            status, head, answer = exchange(manager, [f"GET /api/v1/services?{query.decode()} HTTP/1.1"])
            judge(where, int(wanted), status, field, answer, found)
            if status == 200 and len(answer["data"]["services"]) != int(field):
                found.append(f"{where}: {len(answer['data']['services'])} instead of {field}")
            if status == 200 and 'rel="last"' not in head:
                found.append(f"{where}: no Link to the last page")
        assert not found, "\n".join(found)


def test_requests(manager):
    """Framing: what is no HTTP request, or not one of ours. A 4xx has the envelope and closes what cannot go on."""
    found = []
    before = changes(manager)
    for where, wanted, text in cases("requests.txt", 1):
        with socket.create_connection(("127.0.0.1", manager.http_port), timeout=60) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        status = int(received.split(b" ", 2)[1]) if received else 0
        if status != int(wanted):
            found.append(f"{where}: {status} instead of {wanted}")
        body = received.partition(b"\r\n\r\n")[2]
        if status >= 400 and json.loads(body)["error"]["code"] == "":
            found.append(f"{where}: no code")
    assert changes(manager) == before
    assert not found, "\n".join(found)


# What no example can know: passwords, and certificates that this manager issued.
REAL_ONES = ("current_password", "password", "certificate")


def test_bodies_that_the_document_shows(manager, document):
    """The examples are no violations, whatever else may be in the way."""
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if not content or not next(iter(content)).endswith("json"):
                continue
            _, _, body = example_of(document, operation["operationId"])
            head = [f"{method.upper()} {path.replace('{id}', '1')} HTTP/1.1", f"Content-Type: {next(iter(content))}"]
            status, _, answer = exchange(manager, head, json.dumps(body).encode())
            other = [field for field in named(answer) if field not in REAL_ONES] if status == 400 else []
            if status >= 500 and operation["operationId"] != "validate_license" or other:  # there is no licence server
                found.append(f"{operation['operationId']}: {status} {other}")
    assert not found, "\n".join(found)
