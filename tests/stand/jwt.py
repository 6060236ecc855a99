"""Tokens as a caller could make them himself (RFC 7519, HS256)."""

import base64
import hashlib
import hmac
import json
import time


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_token(secret, service, ends_in=300, algorithm="HS256", **claims):
    """As POST /services/{id}/token answers, with claims of the test's choice; a claim of None is left out."""
    now = int(time.time())
    body = {"iss": "marchproxy", "sub": service["name"], "service_id": service["id"], "service_name": service["name"],
            "iat": now, "exp": now + ends_in, "jti": "test", **claims}
    parts = [{"alg": algorithm, "typ": "JWT"}, {name: value for name, value in body.items() if value is not None}]
    text = ".".join(_encode(json.dumps(part).encode()) for part in parts)
    if algorithm == "none":
        return text + "."
    return text + "." + _encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
