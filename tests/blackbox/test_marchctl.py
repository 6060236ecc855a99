"""marchctl against a manager on SQLite: signing in, every command, wrong input, servers that are away."""

import base64
import hmac
import json
import re
import stat
import struct
import subprocess
import time

import pytest

from marchctl_stand import MARCHCTL, Marchctl
from stand.control_plane import KEY, PASSWORD, Manager
from stand.program import environment
from stand.rest import Api
from stand.waiting import free_port


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    with Manager(tmp_path_factory.mktemp("manager")) as made:
        yield made.start()


@pytest.fixture(scope="module")
def ctl(manager, tmp_path_factory):
    """Signed in as the administrator, once for all tests here."""
    made = Marchctl(tmp_path_factory.mktemp("ctl"))
    made.login(manager, PASSWORD)
    return made


@pytest.fixture
def fresh(tmp_path):
    """Nobody is signed in."""
    return Marchctl(tmp_path)


# --- the program itself ---

def test_help_and_version(fresh):
    assert fresh("--version").out == "marchctl v1.0.0\n"
    assert "create" in fresh("--help").out
    shown = fresh("create", "service", "--help").out
    for part in ("--ip-fqdn TEXT", "--auth-type none|api_key|jwt", "--tls.server-name", "--wait SECONDS"):
        assert part in shown
    for hidden in ("--status", "--created-at", "--id "):
        assert hidden not in shown, "is set by the server"
    assert "Examples:" in fresh("apply", "--help").out


@pytest.mark.parametrize("arguments, says", [
    ([], "subcommand"), (["frobnicate"], "frobnicate"), (["list", "services", "--colour", "red"], "--colour"),
    (["list", "services", "-o", "xml"], "must be table, json, yaml, wide or name"), (["delete", "service"], "SERVICE"),
    (["create", "service", "--port", "many"], "--port: must be a number"),
    (["create", "service", "--tls.enabled=maybe"], "--tls.enabled"),
    (["update", "service", "web"], "nothing to change"), (["apply", "-f", "/nowhere.yaml"], "/nowhere.yaml"),
    (["completion", "tcsh"], "must be bash, zsh or fish"), (["create", "service", "--endpoints", "x"], "JSON object"),
    (["get", "mapping", "web"], "must be its id"),
])
def test_wrong_usage_is_2(ctl, arguments, says):
    done = ctl(*arguments, status=2)
    assert says in done.err and done.err.startswith("marchctl: ") and done.out == ""


def test_without_a_sign_in_it_says_how(fresh, manager):
    assert "marchctl login" in fresh("list", "services", status=2).err
    assert "nobody is signed in" in fresh("list", "services", "--server", manager.url, status=2).err
    assert "https://host:8000" in fresh("list", "services", "--server", "manager", "--token", "x", status=2).err


def test_a_server_that_is_away_is_3(fresh):
    done = fresh("list", "services", "--server", f"http://127.0.0.1:{free_port()}", "--token", "x", status=3)
    assert done.err.startswith("marchctl: cannot reach http://127.0.0.1:") and done.err.count("\n") == 1


def test_rate_limits_are_waited_for(tmp_path):
    with Manager(tmp_path, MARCHPROXY_RATE_LIMIT_GENERAL="2/second") as limited:
        ctl = Marchctl(tmp_path)
        ctl.login(limited.start(), PASSWORD)
        done = ctl("status")
        assert "marchctl: the server answered 429, trying again in 1 s\n" in done.err and "default" in done.out
        assert "RATE_LIMIT_EXCEEDED" in ctl("status", "--retry-for", 0, status=1).err


# --- signing in ---

def test_sign_in_is_kept_for_its_owner_alone(ctl, manager):
    assert stat.S_IMODE(ctl.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(ctl.file.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in ctl.file.parent.iterdir()) == ["marchctl.json", "marchctl.lock"]
    assert PASSWORD not in ctl.file.read_text()
    assert ctl("whoami", "-o", "json").json["username"] == "admin"
    shown = ctl("contexts")
    assert re.search(rf"^\* +default +{re.escape(manager.url)} +admin$", shown.out, re.MULTILINE)


def test_wrong_password_is_refused_and_kept_nowhere(fresh, manager):
    done = fresh.login(manager, "not-the-password", status=1)
    assert "AUTHENTICATION_REQUIRED" in done.err and not fresh.file.exists()
    assert "--password-stdin" in fresh("login", "--server", manager.url, "--username", "admin", status=2).err


@pytest.mark.parametrize("token, until", [("old", "2020-01-01T00:00:00Z"), ("refused", "2099-01-01T00:00:00Z")])
def test_a_token_that_has_ended_is_renewed(ctl, token, until):
    kept = json.loads(ctl.file.read_text())
    kept["contexts"][0] |= {"access_token": token, "access_until": until}
    ctl.file.write_text(json.dumps(kept))
    ctl("list", "services")
    renewed = json.loads(ctl.file.read_text())["contexts"][0]
    assert renewed["access_token"].count(".") == 2 and renewed["refresh_token"] == kept["contexts"][0]["refresh_token"]
    assert stat.S_IMODE(ctl.file.stat().st_mode) == 0o600


def test_the_kept_token_goes_to_no_other_server(ctl):
    done = ctl("list", "services", "--server", f"http://127.0.0.1:{free_port()}", status=2)
    assert "nobody is signed in to" in done.err


def test_a_token_of_the_environment_needs_no_sign_in(fresh, manager):
    token = manager.api.headers["Authorization"].split()[1]
    shown = fresh("whoami", "-o", "name", MARCHPROXY_SERVER=manager.url, MARCHPROXY_TOKEN=token)
    assert shown.out == "admin\n" and not fresh.file.exists()
    assert fresh("whoami", "-o", "json", "--server", manager.url, "--token", "wrong", status=1).out == ""


def test_sign_in_at_a_terminal_shows_no_password(tmp_path, manager):
    ctl = Marchctl(tmp_path)
    status, screen = ctl.at_terminal("login", "--server", manager.url, "--context", "home",
                                     answers=[("Username: ", "admin\n"), ("Password: ", PASSWORD + "\n")])
    assert status == 0, screen
    assert "signed in to" in screen and PASSWORD not in screen
    # Colours are for terminals alone, and for nobody who set NO_COLOR.
    ctl("create", "user", "--username", "seen", "--email", "seen@example.com", "--password-stdin",
        given=PASSWORD + "-2\n")
    assert "\x1b[" in ctl.at_terminal("list", "users")[1]
    assert "\x1b[" not in ctl.at_terminal("list", "users", NO_COLOR="1")[1]
    assert "\x1b[" not in ctl("list", "users").out
    # Another context, and back.
    assert "there is no context" in ctl("use", "work", status=2).err
    assert ctl("use", "home").out == "using home\n"
    assert ctl("contexts", "-o", "name").out == "home\n"
    # After the sign-out the refresh token is worth nothing.
    token = json.loads(ctl.file.read_text())["contexts"][0]["refresh_token"]
    assert "signed out" in ctl("logout").out
    assert token not in ctl.file.read_text()
    assert Api(manager.http_port).post("/auth/refresh", {"refresh_token": token}).status == 401
    assert "nobody is signed in" in ctl("list", "users", status=2).err


def test_a_broken_file_is_told(fresh):
    fresh.file.parent.mkdir(parents=True)
    fresh.file.write_text("{")
    assert "marchctl.json: is not what marchctl writes" in fresh("list", "services", status=2).err


# --- objects ---

def test_a_service_from_start_to_end(ctl):
    made = ctl("create", "service", "--name", "web", "--ip-fqdn", "10.0.1.100", "--collection", "shop", "--port", 8080,
               "--tls.enabled", "--tls.server-name", "web.example", "--endpoints",
               '{"address": "10.0.1.101", "weight": 2}', "--endpoints", '{"address": "10.0.1.102"}')
    assert re.fullmatch(r"service web \(\d+\) created\n", made.out)
    service = ctl("get", "service", "web", "-o", "json").json
    assert service["cluster_id"] == 1, "the only cluster"
    assert service["tls"] | {"ca_pem": ""} == {"enabled": True, "verify": True, "server_name": "web.example", "ca_pem": ""}
    assert [each["weight"] for each in service["endpoints"]] == [2, 1]
    assert "tls.server_name  web.example" in re.sub(" +", "  ", ctl("get", "service", service["id"]).out)

    ctl("update", "service", "web", "--tls.verify=false", "--unset", "port", "--collection", "blog")
    changed = ctl("get", "service", f"id={service['id']}", "-o", "json").json
    assert changed["tls"]["enabled"] and not changed["tls"]["verify"], "nested fields are merged"
    assert changed["port"] is None and changed["collection"] == "blog"

    assert ctl("delete", "service", "web").out == f"service web ({service['id']}) deleted\n"
    assert "no service is called web" in ctl("get", "service", "web", status=1).err


def test_get_edit_update_with_a_file(ctl, tmp_path):
    ctl("create", "service", "-f", "-", "--port", 81,
        given="kind: service\nname: filed\nip_fqdn: a.example\ncollection: c\ncluster: default\nport: 80\n")
    text = ctl("get", "service", "filed", "-o", "yaml").out
    assert "port: 81" in text, "flags win"
    file = tmp_path / "filed.yaml"
    file.write_text(text.replace("port: 81", "port: 82"))
    assert ctl("update", "service", "filed", "-f", file, "-o", "json").json["port"] == 82
    assert ctl("update", "service", "filed", "-f", file, "--port", 83, "-o", "json").json["port"] == 83
    assert "colour: Is not a known field" in ctl("update", "service", "filed", "-f", "-", given="colour: red", status=1).err
    assert "is about a mapping" in ctl("update", "service", "filed", "-f", "-", given="kind: mapping", status=2).err
    ctl("delete", "service", "filed")


def test_lists_are_tables_filtered_sorted_and_whole(ctl, manager):
    for number in range(105):
        manager.api.service(f"many-{number:03}", collection="odd" if number % 2 else "even").get("id")
    shown = ctl("list", "services", "--search", "many", "--sort", "name")
    rows = shown.lines
    assert rows[0].split()[:3] == ["ID", "NAME", "IP_FQDN"] and len(rows) == 106, "all pages"
    assert len({row.index("127.0.0.1") for row in rows[1:]}) == 1, "aligned"
    assert "\x1b" not in shown.out and not any(row.endswith(" ") for row in rows)
    few = ctl("list", "services", "--collection", "odd", "--sort=-name", "--limit", 2, "-o", "name")
    assert few.lines == ["many-103", "many-101"] and few.err == "2 of 52 shown\n"
    assert ctl("list", "services", "--search", "nothing-like-it").err == "no services\n"
    assert ctl("list", "services", "--search", "nothing-like-it", "-o", "json").json == []
    wide = ctl("list", "service", "--limit", 1, "-o", "wide").lines[0].split()
    assert {"CREATED_AT", "STATUS", "PROTOCOL"} <= set(wide)
    assert ctl("get", "service", "many-001", "many-002", "-o", "name").lines == ["many-001", "many-002"]
    assert "VALIDATION_ERROR" in ctl("list", "services", "--sort", "colour", status=1).err
    assert ctl("get", "services", "-o", "name").out == ctl("list", "services", "-o", "name").out
    names = ctl("list", "services", "--search", "many", "-o", "name").lines
    assert ctl("delete", "service", *names).out.count("deleted") == 105


def test_names_that_are_printed_are_those_names_again(ctl):
    """A service may be called like another one's id, or like a flag."""
    kept = ctl("create", "service", "--name", "kept", "--ip-fqdn", "10.0.0.1", "--collection", "odd-names", "-o", "json").json
    names = [str(kept["id"]), "-o", "007"]
    for name in names:
        ctl("create", "service", f"--name={name}", "--ip-fqdn", "10.0.0.2", "--collection", "odd-names")
    printed = ctl("list", "services", "--collection", "odd-names", "--sort", "id", "-o", "name").lines
    assert printed == ["kept", *(f"name={name}" for name in names)]
    deleted = ctl("delete", "service", *printed[1:]).out
    assert deleted.count("deleted") == 3
    assert ctl("list", "services", "--collection", "odd-names", "-o", "name").lines == ["kept"]
    ctl("delete", "service", "kept")


def test_what_could_not_be_written_is_no_success(ctl):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([MARCHCTL, "export"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                               env=environment(**ctl.variables))
    assert (ended.returncode, ended.stderr) == (2, "marchctl: standard output: No space left on device\n")


def test_violations_are_shown_one_a_line(ctl):
    done = ctl("create", "service", "--name", "a b", "--port", "70000", status=1)
    assert done.err.splitlines()[0] == "marchctl: Invalid input parameters (VALIDATION_ERROR)"
    fields = [line.split(":")[0].strip() for line in done.err.splitlines()[1:]]
    assert {"name", "port", "ip_fqdn", "collection"} == set(fields)


def test_mappings_and_their_lists(ctl):
    ctl("create", "service", "--name", "shop", "--ip-fqdn", "10.0.0.1", "--collection", "c")
    made = ctl("create", "mapping", "--source-services", "any", "--dest-services", "shop", "--protocols", "http,ws",
               "--ports", "80,8000-8010", "--ports", "90", "--hosts", "*.shop.example", "-o", "json").json
    assert made["ports"] == [80, "8000-8010", 90] and made["protocols"] == ["http", "ws"]
    row = ctl("list", "mappings", "--dest-service", "shop").lines[1]
    assert "80,8000-8010,90" in row and "*.shop.example" in row
    assert ctl("update", "mapping", made["id"], "--enabled=false", "-o", "json").json["enabled"] is False
    assert ctl("list", "mappings", "-o", "name").lines == [str(made["id"])]
    ctl("delete", "mapping", made["id"])
    ctl("delete", "service", "shop")


def test_secrets_go_to_standard_output_and_are_announced(ctl):
    done = ctl("create", "service", "--name", "client", "--ip-fqdn", "c.example", "--collection", "c",
               "--auth-type", "jwt", "--auth-config.jwt-expiry", 600)
    secret = re.search(r"^  auth_config.jwt_secret: (\S{20,})$", done.out, re.MULTILINE)[1]
    assert "shown this once" in done.err and secret not in done.err
    rotated = ctl("rotate-jwt", "service", "client", "-o", "json")
    assert rotated.json["new_secret"] != secret and "shown this once" in rotated.err
    token = ctl("token", "service", "client", "--ttl", 60, "-o", "name").out
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", token)
    assert "RESOURCE_CONFLICT" in ctl("rotate-key", "service", "client", status=1).err
    assert "ttl" in ctl("token", "service", "client", "--ttl", 5, status=1).err
    ctl("delete", "service", "client")


def test_clusters(ctl):
    assert ctl("list", "clusters", "-o", "name").out == "default\n"
    ctl("update", "cluster", "default", "--description", "Made for tests")
    done = ctl("logging", "cluster", "default", "--syslog-endpoint", "log.example:514", "--log-auth", "--log-netflow",
               "--log-debug=false", "-o", "json")
    assert done.json["log_netflow"] and done.json["description"] == "Made for tests"
    assert "log_debug: Is required" in ctl("logging", "cluster", "default", "--syslog-endpoint", "a:1", status=1).err
    assert "FEATURE_NOT_AVAILABLE" in ctl("create", "cluster", "--name", "b", "--description", "b",
                                          "--syslog-endpoint", "b:1", status=1).err
    key = ctl("rotate-key", "cluster", "default", "-o", "name").out.strip()
    assert key.startswith("mp_cluster_")


def test_users_and_passwords_never_in_arguments(ctl, manager, tmp_path):
    assert "--password " not in ctl("create", "user", "--help").out
    file = tmp_path / "password"
    file.write_text("a-long-enough-one-1\n")
    file.chmod(0o600)
    made = ctl("create", "user", "--username", "jdoe", "--email", "jdoe@example.com", "--clusters", "default",
               "--password-file", file, "-o", "json").json
    assert made["clusters"] == [1]
    ctl("update", "user", "jdoe", "--password-stdin", "--is-admin", given="a-long-enough-one-2\n")
    other = Marchctl(tmp_path)
    other("login", "--server", manager.url, "--username", "jdoe", "--password-stdin", given="a-long-enough-one-2")
    done = other("change-password", "--current-password-stdin", "--new-password-stdin",
                 given="a-long-enough-one-2\na-long-enough-one-3\n")
    assert "Password changed" in done.out
    assert "nobody can be asked" in other("change-password", status=2).err
    assert other("list", "users", "--cluster", "default", "-o", "name").lines == ["admin", "jdoe"]
    ctl("delete", "user", "jdoe")


def test_api_keys(ctl, manager, tmp_path):
    made = ctl("create", "api-key", "--name", "ci", "--permissions", "read", "-o", "json")
    assert made.json["key"].startswith("mp_api_") and "shown this once" in made.err
    assert "key" not in ctl("list", "api-keys", "-o", "json").json[0]
    key = tmp_path / "key"
    key.write_text(made.json["key"] + "\n")
    other = Marchctl(tmp_path)
    reach = ("--server", manager.url, "--token-file", key)
    assert other("whoami", *reach, "-o", "name").out == "admin\n"
    assert "INSUFFICIENT_PERMISSIONS" in other("delete", "service", "id=1", *reach, status=1).err
    ctl("delete", "api-key", "ci")
    assert "AUTHENTICATION_REQUIRED" in other("whoami", *reach, status=1).err


def test_a_second_factor(ctl, manager, tmp_path):
    ctl("create", "user", "--username", "twofold", "--email", "t@example.com", "--password-stdin", given=PASSWORD + "-9\n")
    other = Marchctl(tmp_path)
    sign_in = ("login", "--server", manager.url, "--username", "twofold", "--password-stdin")
    other(*sign_in, given=PASSWORD + "-9")
    setup = other("enable-2fa", "--password-stdin", "-o", "json", given=PASSWORD + "-9")
    assert len(setup.json["backup_codes"]) == 10 and "shown this once" in setup.err
    now = int(time.time()) // 30
    digest = hmac.new(base64.b32decode(setup.json["secret"] + "=" * (-len(setup.json["secret"]) % 8)),
                      struct.pack(">Q", now), "sha1").digest()
    at = digest[-1] & 15
    code = f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 10 ** 6:06}"
    other("verify-2fa", "--totp-code-stdin", given=code)
    assert "a second factor is needed" in other(*sign_in, given=PASSWORD + "-9", status=1).err
    other(*sign_in, "--totp-code", setup.json["backup_codes"][0], given=PASSWORD + "-9")
    ctl("delete", "user", "twofold")


def test_proxies(ctl, manager):
    registered = Api(manager.http_port, {"X-Cluster-API-Key": KEY}).post("/proxy/register", {
        "hostname": "edge.example", "version": "v1.0.0", "capabilities": ["ebpf"]}).expect(201).data
    row = ctl("list", "proxies", "--proxy-type", "egress").lines[1]
    assert row.startswith(registered["proxy_id"]) and "edge.example" in row and "offline" in row
    for name in ("edge.example", registered["proxy_id"]):
        assert ctl("get", "proxy", name, "-o", "json").json["id"] == registered["proxy_id"]
    assert ctl("config", "proxy", "edge.example", "-o", "json").json["state"] == "offline"
    assert "RESOURCE_CONFLICT" in ctl("retry", "proxy", "edge.example", status=1).err
    assert "edge.example" in ctl("status").out
    assert ctl("delete", "proxy", "edge.example").out.endswith("deleted\n")


# --- what is live ---

def test_status_and_wait_without_proxies(ctl, manager):
    shown = ctl("status")
    assert re.search(r"^manager +healthy +" + re.escape(manager.url), shown.out, re.MULTILINE)
    assert re.search(r"^default +\d+ +idle +0 connected", shown.out, re.MULTILINE)
    found = ctl("status", "--cluster", "default", "-o", "json").json
    assert found["health"]["checks"]["database"] == "healthy" and found["clusters"][0]["name"] == "default"
    done = ctl("create", "service", "--name", "lonely", "--ip-fqdn", "l.example", "--collection", "c", "--wait", 5)
    revision = re.fullmatch(r"revision (\d+): idle, no connected proxy is concerned\n", done.err)[1]
    assert ctl("wait").err == done.err, "the last change that was made here"
    assert ctl("wait", "--revision", revision, "--timeout", 1).err == done.err
    assert ctl("wait", "--cluster", "default").err.startswith("revision ")
    assert "RESOURCE_NOT_FOUND" in ctl("wait", "--revision", 10 ** 9, status=1).err
    ctl("delete", "service", "lonely")
