"""marchproxy-manager: settings in their three forms, and what a wrong one does."""

import re
import socket
import subprocess

import pytest

from stand.control_plane import MANAGER, Manager
from stand.program import environment
from stand.rest import Api
from stand.waiting import PATIENCE, free_port

SECRET = "hunter2"


def serve(tmp_path, arguments=(), **variables):
    given = {"MARCHPROXY_DATA_DIR": tmp_path / "data", "MARCHPROXY_HTTP_LISTEN": "127.0.0.1:0",
             "MARCHPROXY_XDS_LISTEN": "127.0.0.1:0", **variables}
    return subprocess.run([MANAGER, "serve", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
                          env=environment(**given))


def refused(ended, named):
    """One line on standard error that names the setting, and exit code 2."""
    assert ended.returncode == 2, (ended.returncode, ended.stderr)
    assert ended.stderr.count("\n") == 1 and ended.stderr.endswith("\n"), ended.stderr
    assert named in ended.stderr and ended.stdout == "", ended.stderr
    assert SECRET not in ended.stderr


@pytest.mark.parametrize("arguments, named", [
    (["--http-listen", "nowhere"], "http.listen"), (["--http-listen", "127.0.0.1:70000"], "http.listen"),
    (["--http-lisen", "127.0.0.1:0"], "--http-lisen"), (["--rotation-overlap", "soon"], "rotation.overlap"),
    (["--rotation-overlap", "-1"], "rotation.overlap"), (["--log-level", "loud"], "log.level"),
    (["--xds-tls", "maybe"], "xds.tls"), (["--database-url", "mysql://localhost/x"], "database.url"),
    (["--config", "/nowhere/file.yaml"], "/nowhere/file.yaml"), (["--http-listen"], "--http-listen"),
    (["stray"], "stray"),
    (["--data-dir", "/proc/nowhere"], "data_dir: /proc/nowhere"), (["--data-dir", "/etc/passwd"], "data_dir: /etc/passwd"),
    (["--database-url", "sqlite:/nowhere/x.db"], "database.url: /nowhere"),
    (["--tls-certificate", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"], "tls.certificate"),
])
def test_wrong_flag(tmp_path, arguments, named):
    refused(serve(tmp_path, arguments), named)


@pytest.mark.parametrize("arguments, named", [([], "subcommand"), (["sevre"], "unexpected argument sevre"),
                                              (["--http-listen", "127.0.0.1:0"], "unknown flag --http-listen")])
def test_without_a_known_subcommand(arguments, named):
    refused(subprocess.run([MANAGER, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                           env=environment()), named)


@pytest.mark.parametrize("variable, value, named", [
    ("MARCHPROXY_HTTP_LISTEN", "127.0.0.1", "http.listen"), ("MARCHPROXY_XDS_LISTEN", "127.0.0.1:x", "xds.listen"),
    ("MARCHPROXY_LOG_FORMAT", "xml", "log.format"), ("MARCHPROXY_HTTP_LISTN", "127.0.0.1:0", "MARCHPROXY_HTTP_LISTN"),
    ("MARCHPROXY_ADMIN_PASSWORD", SECRET, "admin.password"), ("MARCHPROXY_CLUSTER_KEY", SECRET, "cluster.key"),
])
def test_wrong_variable(tmp_path, variable, value, named):
    refused(serve(tmp_path, **{variable: value}), named)


@pytest.mark.parametrize("text, named", [
    ("http:\n  listen: nowhere\n", "http.listen"), ("http:\n  lisen: 127.0.0.1:0\n", "http.lisen"),
    ("color: blue\n", "color"), ("log:\n  level: [a\n", "settings.yaml"), ("- a\n", "settings.yaml"),
])
def test_wrong_file(tmp_path, text, named):
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    ended = subprocess.run([MANAGER, "serve", "--config", file], capture_output=True, text=True, timeout=PATIENCE,
                           env=environment(MARCHPROXY_DATA_DIR=tmp_path / "data"))
    refused(ended, named)


def test_variables_of_our_other_programs_are_no_mistake(tmp_path):
    with Manager(tmp_path, MARCHPROXY_AGENT_TYPE="egress") as manager:
        manager.start()


def test_flag_is_before_variable_before_file(tmp_path):
    flag, variable, file = free_port(), free_port(), tmp_path / "settings.yaml"
    file.write_text(f"http:\n  listen: 127.0.0.1:{free_port()}\nrotation:\n  overlap: 77\nlog:\n  format: json\n")
    with Manager(tmp_path, MARCHPROXY_HTTP_LISTEN=f"127.0.0.1:{variable}") as manager:
        manager.arguments += ["--config", str(file), "--http-listen", f"127.0.0.1:{flag}"]
        manager.start()
        assert re.search(rf'"http_port":\s*"?{flag}\b', manager.text()), "the file's log.format and the flag's port"
        assert Api(flag).raw("GET", "/healthz").status == 200


def test_port_0_picks_a_free_one_and_logs_it(tmp_path):
    listen = {"MARCHPROXY_HTTP_LISTEN": "127.0.0.1:0", "MARCHPROXY_XDS_LISTEN": "127.0.0.1:0"}
    with Manager(tmp_path, **listen) as manager:
        manager.start()
        http = int(manager.says(r"http_port=(\d+)")[1])
        xds = int(manager.says(r"xds_port=(\d+)")[1])
        assert Api(http).raw("GET", "/healthz").status == 200
        socket.create_connection(("127.0.0.1", xds), PATIENCE).close()


@pytest.mark.parametrize("setting", ["MARCHPROXY_HTTP_LISTEN", "MARCHPROXY_XDS_LISTEN"])
def test_taken_port_ends_the_start_with_one_line(tmp_path, setting):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = serve(tmp_path, **{setting: f"127.0.0.1:{port}"})
    assert ended.returncode == 1
    complaints = [line for line in ended.stderr.splitlines() if line.startswith("marchproxy-manager: ")]
    assert len(complaints) == 1 and str(port) in complaints[0], ended.stderr


def test_unreachable_database_ends_the_start_with_one_line(tmp_path):
    url = f"postgresql://nobody:{SECRET}@127.0.0.1:{free_port()}/none"
    ended = serve(tmp_path, MARCHPROXY_DATABASE_URL=url)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1 and "database" in ended.stderr and SECRET not in ended.stderr


@pytest.mark.parametrize("arguments, expected", [
    (["--help"], "serve"), (["serve", "--help"], "--http-listen"), (["--version"], "1.0.0"),
    (["settings"], "MARCHPROXY_XDS_ADVERTISE"), (["openapi"], '"openapi"')])
def test_what_is_printed(arguments, expected):
    ended = subprocess.run([MANAGER, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=environment())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert expected in ended.stdout
