"""A client of the REST API. Each call is a connection of its own, so nothing is ever sent twice."""

import http.client
import json
import ssl
import uuid

WAIT = {"Prefer": "wait=20"}


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.text = body.decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def data(self):
        return self.json["data"]

    @property
    def error(self):
        return self.json["error"]

    @property
    def revision(self):
        return int(self.headers["X-Config-Revision"])

    @property
    def state(self):
        return self.headers["X-Config-Status"]

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.status}: {self.text}"
        return self


class Api:
    def __init__(self, port, headers=None, authority=None, address="127.0.0.1"):
        self.address = address
        self.port = port
        self.headers = headers or {}
        self.tls = ssl.create_default_context(cafile=authority) if authority else None

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(self.address, self.port, timeout=60, context=self.tls)
        return http.client.HTTPConnection(self.address, self.port, timeout=60)

    def raw(self, method, path, body=None, headers=None):
        text = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.send(method, path, text, {**kind, **(headers or {})})

    def send(self, method, path, text, headers):
        """A body as it is."""
        connection = self.connect()
        try:
            connection.request(method, path, text, {**self.headers, **headers})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.raw("GET", "/api/v1" + path, None, headers)

    def post(self, path, body=None, headers=None):
        return self.raw("POST", "/api/v1" + path, body, headers)

    def put(self, path, body, headers=None):
        return self.raw("PUT", "/api/v1" + path, body, headers)

    def delete(self, path, headers=None):
        return self.raw("DELETE", "/api/v1" + path, None, headers)

    def form(self, method, path, fields, headers=None):
        """multipart/form-data; what ends in _file goes as a file."""
        boundary = uuid.uuid4().hex
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
                 + (f'; filename="{name}.pem"' if name.endswith("_file") else "") + f"\r\n\r\n{value}\r\n"
                 for name, value in fields.items()]
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.send(method, "/api/v1" + path, "".join(parts) + f"--{boundary}--\r\n", {**kind, **(headers or {})})

    # --- objects, as the tests use them ---

    def certificate(self, pair, name="certificate"):
        fields = {"name": name, "cluster_id": 1, "cert_file": pair.certificate, "key_file": pair.key}
        return self.form("POST", "/certificates", fields, WAIT).expect(201).data

    def service(self, name, port=None, address="127.0.0.1", **more):
        body = {"name": name, "ip_fqdn": address, "collection": "tests", "cluster_id": 1, **more}
        if port:
            body["port"] = port
        return self.post("/services", body).expect(201).data

    def mapping(self, destinations, port, expect="live", **more):
        """A mapping that every connected proxy has; `expect` is the outcome of the push."""
        answer = self.post("/mappings", mapping_body(destinations, port, **more), WAIT).expect(201)
        assert answer.state == expect, f"{answer.state}: {answer.text}"
        return answer.data

    def change(self, path, expect="live", **fields):
        answer = self.put(path, fields, WAIT).expect(200)
        assert answer.state == expect, f"{answer.state}: {answer.text}"
        return answer.data

    def remove(self, path):
        answer = self.delete(path, WAIT).expect(200)
        assert answer.state == "live", answer.state

    def state_of(self, path):
        return self.get(path).expect(200).data["status"]


def mapping_body(destinations, port, **more):
    if isinstance(destinations, str):
        destinations = [destinations]
    return {"source_services": ["any"], "dest_services": destinations, "cluster_id": 1, "protocols": ["http"],
            "ports": [port], **more}
