"""marchctl apply and export: differences, order, repetition, conflicts, partial failures, and the way around."""

import json
import threading

import pytest

from marchctl_stand import Marchctl
from stand.control_plane import PASSWORD, Manager

FLEET = """
kind: mapping
dest_services: [web]
source_services: [any]
protocols: [http]
ports: [80]
hosts: [shop.example]
comments: shop
---
kind: service
cluster: default
name: web
ip_fqdn: 10.0.0.1
collection: shop
---
kind: mapping
cluster: default
source_services: [client]
dest_services: ["collection:shop"]
protocols: [http]
ports: [81]
auth_required: true
---
kind: service
name: client
ip_fqdn: client.example
collection: clients
auth_type: jwt
auth_config: {jwt_expiry: 600}
---
kind: cluster
name: default
description: The fleet of these tests
"""


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    with Manager(tmp_path_factory.mktemp("manager")) as made:
        yield made.start()


@pytest.fixture(scope="module")
def signed_in(manager, tmp_path_factory):
    made = Marchctl(tmp_path_factory.mktemp("ctl"))
    made.login(manager, PASSWORD)
    return made


@pytest.fixture
def ctl(signed_in):
    """On a manager without services and mappings, whose cluster is not yet as FLEET wants it."""
    signed_in("update", "cluster", "default", "--description", "Before")
    for noun in ("mapping", "service"):
        names = signed_in("list", noun, "-o", "name").lines
        if names:
            signed_in("delete", noun, *names)
    return signed_in


def apply(ctl, text, *arguments, status=0):
    return ctl("apply", "-f", "-", *arguments, given=text, status=status)


def test_makes_changes_and_then_nothing(ctl):
    shown = apply(ctl, FLEET, "--dry-run")
    assert shown.lines[-1] == "would be: 4 created, 1 changed, 0 deleted, 0 unchanged"
    assert ctl("list", "services", "-o", "json").json == [], "a dry run changes nothing"

    done = apply(ctl, FLEET)
    assert done.lines[-1] == "4 created, 1 changed, 0 deleted, 0 unchanged"
    deeds = [line for line in done.lines if line.endswith(("created", "changed"))]
    assert deeds[:3] == ["cluster default changed", "service default/web created", "service default/client created"]
    assert "--- /dev/null\n+++ service default/web\n@@ -0,0 +1," in done.out and "+ip_fqdn: 10.0.0.1" in done.out
    assert "auth_config.jwt_secret: " in done.out and "shown this once" in done.err

    again = apply(ctl, FLEET)
    assert again.out == "0 created, 0 changed, 0 deleted, 5 unchanged\n" and again.err == ""

    changed = apply(ctl, FLEET.replace("ports: [80]", "ports: [80, 8080]").replace("10.0.0.1", "10.0.0.2"))
    assert "-ports: [80]\n+ports: [80, 8080]\n" in changed.out and "-ip_fqdn: 10.0.0.1\n" in changed.out
    assert changed.lines[-1] == "0 created, 2 changed, 0 deleted, 3 unchanged"
    assert "health_check" not in changed.out, "only the lines around a change are shown"


def test_unnamed_fields_stay_and_the_output_of_get_is_welcome(ctl):
    apply(ctl, FLEET)
    ctl("update", "service", "web", "--port", 8080)
    assert apply(ctl, FLEET).lines[-1].startswith("0 created, 0 changed")
    text = ctl("get", "service", "web", "-o", "yaml").out
    assert apply(ctl, "kind: service\n" + text).lines[-1].startswith("0 created, 0 changed")
    done = apply(ctl, "kind: service\n" + text.replace("port: 8080", "port: null"))
    assert "-port: 8080\n+port: null\n" in done.out


def test_round_trip(ctl):
    apply(ctl, FLEET)
    ctl("create", "mapping", "--source-services", "any", "--dest-services", "web", "--protocols", "tcp", "--ports", 9000)
    ctl("create", "mapping", "--source-services", "any", "--dest-services", "web", "--protocols", "http", "--ports", 82,
        "--comments", "shop", "--path-prefix", "/x", "--priority", 7)
    exported = ctl("export").out
    assert exported.count("kind: ") == 7 and "jwt_secret" not in exported and "\nid:" not in exported
    assert apply(ctl, exported).lines[-1] == "0 created, 0 changed, 0 deleted, 7 unchanged"
    as_json = ctl("export", "-o", "json").out
    assert [each["kind"] for each in json.loads(as_json)][:2] == ["cluster", "service"]
    for noun in ("mapping", "service"):
        ctl("delete", noun, *ctl("list", noun, "-o", "name").lines)
    assert apply(ctl, as_json).lines[-1] == "6 created, 0 changed, 0 deleted, 1 unchanged"
    assert ctl("export").out == exported
    only = ctl("export", "services", "--cluster", "default").out
    assert only.count("kind: service") == 2 and only.count("kind: ") == 2
    assert "is nothing that apply reads" in ctl("export", "proxies", status=2).err


def test_a_fresh_manager_becomes_the_same(ctl, tmp_path):
    apply(ctl, FLEET)
    exported = ctl("export").out
    with Manager(tmp_path, "other") as manager:
        other = Marchctl(tmp_path)
        other.login(manager.start(), PASSWORD)
        apply(other, exported)
        assert other("export").out == exported


def test_prune_deletes_what_the_files_do_not_hold(ctl):
    apply(ctl, FLEET)
    rest = FLEET.split("---")
    fewer = "---".join([rest[0], rest[1]])
    dry = apply(ctl, fewer, "--prune", "--dry-run")
    assert dry.lines[-1] == "would be: 0 created, 0 changed, 2 deleted, 2 unchanged"
    assert "confirm it with --yes" in apply(ctl, fewer, "--prune", status=2).err
    assert len(ctl("list", "services", "-o", "name").lines) == 2
    done = apply(ctl, fewer, "--prune", "--yes")
    assert done.lines[-1] == "0 created, 0 changed, 2 deleted, 2 unchanged"
    deeds = [line for line in done.lines if line.endswith(" deleted")]
    assert deeds[0].startswith("mapping default/"), "before the services that it names"
    assert ctl("list", "services", "-o", "name").lines == ["web"]
    # Kinds that are not in the files are not touched.
    assert apply(ctl, rest[1], "--prune", "--yes").lines[-1] == "0 created, 0 changed, 0 deleted, 1 unchanged"


@pytest.mark.parametrize("text, says", [
    ("", ["there is nothing to apply"]), ("- 1", ["must be an object with a kind"]),
    ("kind: gateway", ["kind must be one of cluster, user, service, certificate, mapping"]),
    ("kind: service\nname: a b\nport: 0\ncolour: red\n---\nkind: mapping\nports: [x]", [
        "the files break rules; nothing was changed", "line 1: colour: Is not a known field", "line 1: name: ",
        "line 1: port: ", "line 1: ip_fqdn: Is required", "line 6: ports[0]: "]),
    ("kind: service\ncluster: nowhere\nname: a", ['there is no cluster "nowhere"']),
    ("kind: service\nname: a\nip_fqdn: a\ncollection: a\n---\nkind: service\nname: a\nip_fqdn: a\ncollection: a",
     ["a is at standard input, line 1 as well"]),
    ("kind: service\nname: a\nname: b", ["line 3: name stands twice"]), ("a: [", ["is not YAML"]),
])
def test_bad_files_change_nothing(ctl, text, says):
    done = apply(ctl, "kind: service\nname: good\nip_fqdn: g\ncollection: g\n---\n" + text if "gateway" in text else text,
                 status=2)
    for part in says:
        assert part in done.err, done.err
    assert ctl("list", "services", "-o", "json").json == []


def test_a_failure_says_what_was_done(ctl):
    text = FLEET.replace("[client]", "[client, nobody]") + "---\nkind: mapping\nsource_services: [any]\n" \
        "dest_services: [web]\nprotocols: [http]\nports: [85]\ncomments: later\n"
    done = apply(ctl, text, status=1)
    assert "mapping default/of standard input, line 16: Invalid input parameters" in done.err
    assert "source_services[1]: " in done.err
    assert "done before: 3 created, 1 changed, 0 deleted, 0 unchanged" in done.err
    assert "not tried: mapping default/later" in done.err
    assert len(ctl("list", "services", "-o", "name").lines) == 2
    assert apply(ctl, FLEET).lines[-1] == "1 created, 0 changed, 0 deleted, 4 unchanged"


def test_folders_and_several_files(ctl, tmp_path):
    for number, part in enumerate(FLEET.split("---")):
        (tmp_path / f"{number}.yaml").write_text(part)
    (tmp_path / "notes.txt").write_text("not for apply")
    done = ctl("apply", "-f", tmp_path, "-o", "json")
    assert [each["deed"] for each in done.json] == ["changed", *4 * ["created"]]
    assert any("jwt_secret" in json.dumps(each) for each in done.json)
    assert ctl("apply", "-f", tmp_path / "0.yaml", "-f", tmp_path / "1.yaml").lines[-1].endswith("2 unchanged")
    (tmp_path / "empty").mkdir()
    assert "holds no .yaml" in ctl("apply", "-f", tmp_path / "empty", status=2).err


def test_new_users_get_a_password_that_is_told_once(ctl, manager, tmp_path):
    text = "kind: user\nusername: mary\nemail: mary@example.com\nclusters: [default]\n"
    done = apply(ctl, text)
    password = next(line.split(": ")[1] for line in done.lines if line.startswith("  password: "))
    assert "shown this once" in done.err
    other = Marchctl(tmp_path)
    other("login", "--server", manager.url, "--username", "mary", "--password-stdin", given=password)
    assert apply(ctl, text + "password: another-password-1\n").lines[-1].endswith("1 unchanged")
    assert "clusters: [default]" in ctl("export", "users").out
    ctl("delete", "user", "mary")


def test_nobodys_change_is_overwritten(ctl, manager):
    """Two people apply at the same time, again and again: what one changed meanwhile the other is told of."""
    apply(ctl, FLEET)
    path = f"/services/{ctl('get', 'service', 'web', '-o', 'json').json['id']}"
    ending = threading.Event()

    def disturb():
        number = 0
        while not ending.is_set():
            number += 1
            manager.api.put(path, {"port": 1000 + number % 2000}).expect(200)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        outcomes = set()
        for number in range(40):
            done = ctl("apply", "-f", "-", given=f"kind: service\nname: web\ncollection: c{number}\n", status=None)
            outcomes.add(done.status)
            if done.status:
                assert "somebody else has changed it meanwhile" in done.err
                break
    finally:
        ending.set()
        thread.join()
    assert 1 in outcomes, "a change in between was never noticed"


def plan(ctl, text, *arguments, status=0):
    return ctl("plan", "-f", "-", *arguments, given=text, status=status)


def test_plan_tells_what_apply_would_do_and_does_nothing(ctl):
    shown = plan(ctl, FLEET)
    assert "+ service web\n" in shown.out and "~ cluster default: description\n" in shown.out
    assert "egress proxies of cluster 1:" in shown.out
    assert "  + Listener tcp/80 (mapping " in shown.out and "(service web)" in shown.out
    assert shown.lines[-1].startswith("would be: 4 created, 1 updated, 0 deleted, resources of Envoy: ")
    assert "\x1b" not in shown.out and shown.err == ""
    assert ctl("list", "services", "-o", "json").json == []

    assert plan(ctl, FLEET, "--detailed-exitcode", status=4).out == shown.out
    report = plan(ctl, FLEET, "-o", "json").json
    assert report["applicable"] and len(report["objects"]) == 5
    assert "objects:\n" in plan(ctl, FLEET, "-o", "yaml").out

    apply(ctl, FLEET)
    level = plan(ctl, FLEET, "--detailed-exitcode")
    assert level.out.startswith("would be: 0 created, 0 updated, 0 deleted")
    fewer = FLEET.split("---")[1]
    pruned = plan(ctl, FLEET.split("---")[0] + "---" + fewer, "--prune")
    assert "- service client\n" in pruned.out and "  - Listener tcp/81" in pruned.out
    assert len(ctl("list", "services", "-o", "name").lines) == 2


def test_plan_tells_what_would_be_refused(ctl):
    ctl("create", "service", "--name", "db", "--ip-fqdn", "10.0.0.9", "--collection", "data")
    tcp = "kind: mapping\nsource_services: [any]\ndest_services: [db]\nprotocols: [tcp]\nports: [5432]\ncomments: {}\n"
    apply(ctl, tcp.format("one"))
    ctl("create", "service", "--name", "db2", "--ip-fqdn", "10.0.0.10", "--collection", "data")
    refused = plan(ctl, tcp.replace("[db]", "[db2]").format("two"), status=1)
    assert "refused: mapping default/two: ports: TCP mapping " in refused.out
    assert "ports[0]: " in plan(ctl, "kind: mapping\nports: [0]\n", status=2).err
    new = ("kind: cluster\nname: west\ndescription: x\nsyslog_endpoint: log:514\n---\n"
           "kind: service\ncluster: west\nname: w\nip_fqdn: 10.0.0.1\ncollection: c\n")
    untried = plan(ctl, new, "--detailed-exitcode", status=4)
    assert untried.err.splitlines() == ["not tried: cluster west: its cluster is not there yet",
                                        "not tried: service west/w: its cluster is not there yet"]


def test_plan_has_colours_on_a_terminal_only(ctl, tmp_path):
    file = tmp_path / "fleet.yaml"
    file.write_text(FLEET)
    status, screen = ctl.at_terminal("plan", "-f", file)
    assert status == 0 and "\x1b[" in screen
