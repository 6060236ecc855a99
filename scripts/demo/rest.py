"""A client of the manager's REST API, for the demo: one request at a time, straight to the manager."""

import json
import urllib.error
import urllib.request

# Never through a proxy that the environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The manager's answer was an error; `status` is its number."""

    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status


def fetch(url, headers=None, timeout=5):
    """Status and text of a GET; (0, reason) when nobody answers."""
    try:
        with OPENER.open(urllib.request.Request(url, headers=headers or {}), timeout=timeout) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


class Rest:
    def __init__(self, base):
        self.base = base
        self.token = None

    def ask(self, method, path, body=None, headers=None):
        """The answer's `data` and headers; throws Refused."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        text = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=text, headers=headers, method=method)
        try:
            with OPENER.open(request, timeout=60) as answer:
                return json.load(answer)["data"], answer.headers
        except urllib.error.HTTPError as error:
            raise Refused(error.code, describe(error.read())) from None

    def sign_in(self, password):
        """Whether the password is admin's."""
        try:
            data, _ = self.ask("POST", "/auth/login", {"username": "admin", "password": password})
        except Refused as refused:
            if refused.status == 401:
                return False
            raise
        self.token = data["access_token"]
        return True

    def first(self, noun, path, test):
        """The first object of a list for which test() is true, or None."""
        page = 1
        while True:
            data, _ = self.ask("GET", f"{path}?page={page}&limit=100")
            for item in data[noun]:
                if test(item):
                    return item
            if page * 100 >= data["total"]:
                return None
            page += 1


def describe(text):
    try:
        error = json.loads(text)["error"]
        details = [f"{each['field']}: {each['issue']}" for each in error.get("violations", [])]
        return "; ".join([error["message"], *details])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace")[:200]
