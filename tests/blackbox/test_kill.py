"""The manager is killed in the middle of writing, again and again, on each database: what was answered is there, what was
not is whole or absent, and trying again with the same key does it once."""

import contextlib
import http.client
import random
import threading
import uuid

import pytest

from stand import postgres
from stand.control_plane import Manager
from stand.rest import mapping_body
from stand.waiting import PATIENCE, eventually

ROUNDS = {"sqlite": 160, "postgresql": 40}
WRITERS = 4
LOST = (OSError, http.client.HTTPException)


class Journal:
    """What one writer asked for, and what it was told."""

    def __init__(self):
        self.made = {}      # path -> body, answered
        self.open = []      # (path, body, key), not answered
        self.changed = {}   # path -> (comments that was answered last, comments on its way or None)
        self.removed = []   # path

    def create(self, api, path, body):
        key = uuid.uuid4().hex
        self.open.append((path, body, key))
        answer = api.post(path, body, {"Idempotency-Key": key}).expect(201)
        self.open.pop()
        self.made[f"{path}/{answer.data['id']}"] = body
        return answer.data["id"]

    def change(self, api, path, comments):
        before = self.changed.get(path, (self.made[path].get("comments", ""), None))[0]
        self.changed[path] = (before, comments)
        api.put(path, {"comments": comments}).expect(200)
        self.changed[path] = (comments, None)

    def remove(self, api, path):
        self.made.pop(path)
        self.changed.pop(path, None)
        api.delete(path).expect(200)
        self.removed.append(path)


def write(manager, journal, name, port, stop):
    """Writes until the manager is gone."""
    api = manager.api
    count = 0
    try:
        while not stop.is_set():
            count += 1
            one, two = f"{name}-{count}a", f"{name}-{count}b"
            for each in (one, two):
                journal.create(api, "/services", {"name": each, "ip_fqdn": "10.0.0.1", "collection": "kill",
                                                  "cluster_id": 1})
            id = journal.create(api, "/mappings", mapping_body([one, two], port, hosts=[f"{one}.test"]))
            journal.change(api, f"/mappings/{id}", f"changed {count}")
            if count % 3 == 0:
                journal.remove(api, f"/mappings/{id}")
    except LOST:
        pass


def written_until_killed(manager, number):
    """The journals of writers that were cut off after a few dozen writes."""
    journals = [Journal() for _ in range(WRITERS)]
    stop = threading.Event()
    manager.api  # signed in before the writers start
    writers = [threading.Thread(target=write, args=(manager, journal, f"r{number}w{index}", 8000 + index, stop))
               for index, journal in enumerate(journals)]
    for writer in writers:
        writer.start()
    enough = random.randint(1, 12)
    eventually(lambda: sum(len(journal.made) for journal in journals) >= enough, "some writes were answered")
    manager.kill()
    stop.set()
    for writer in writers:
        writer.join(PATIENCE)
    return journals


def check(api, journal):
    for path, body in journal.made.items():
        kept = api.get(path).expect(200).data
        for field in ("name", "ip_fqdn", "source_services", "dest_services", "hosts", "ports"):
            assert kept.get(field) == body.get(field, kept.get(field)), f"{path}: {field}"
        if path in journal.changed:
            assert kept["comments"] in journal.changed[path], path
    for path in journal.removed:
        api.get(path).expect(404)


def try_again(api, journal):
    """With the same key it is done once, whether or not the first try was."""
    for path, body, key in journal.open:
        first = api.post(path, body, {"Idempotency-Key": key}).expect(201)
        again = api.post(path, body, {"Idempotency-Key": key}).expect(201)
        assert first.data["id"] == again.data["id"]
        name = body.get("name") or body["dest_services"][0]
        found = api.get(f"{path}?search={name}").expect(200).data
        assert found["total"] == 1, f"{path} {name}: {found}"
        if path == "/mappings":
            assert found["mappings"][0]["dest_services"] == body["dest_services"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_again_and_again(tmp_path, kind):
    with contextlib.ExitStack() as stack:
        url = "sqlite:" if kind == "sqlite" else stack.enter_context(postgres.database()).url
        manager = stack.enter_context(Manager(tmp_path, MARCHPROXY_DATABASE_URL=url))
        manager.start()
        for number in range(ROUNDS[kind]):
            journals = written_until_killed(manager, number)
            manager.start()
            for journal in journals:
                check(manager.api, journal)
                try_again(manager.api, journal)
