"""marchproxy-agent: its settings, its registration, and starting over when the manager changed its mind."""

import json
import socket
import stat
import subprocess

import pytest

from agent_stand import (AGENT, KEY, PATIENCE, agent, environment, eventually, free_port, is_alive, manager,
                         proxy_says, refusal)

COMPLETE = {"--manager": "http://127.0.0.1:1", "--cluster-key-file": "KEY", "--type": "egress", "--envoy": "/bin/sh"}


@pytest.mark.parametrize("change, named", [
    ({"--manager": None}, "--manager"),
    ({"--manager": "127.0.0.1:8000"}, "--manager"),
    ({"--cluster-key-file": "/nowhere"}, "--cluster-key-file"),
    ({"--cluster-key-file": "EMPTY"}, "--cluster-key-file"),
    ({"--type": "sideways"}, "--type"),
    ({"--envoy": "/nowhere"}, "--envoy"),
    ({"--envoy": "no-such-program"}, "--envoy"),
    ({"--admin-port": "70000"}, "--admin-port"),
    ({"--listen-address": "example.com"}, "--listen-address"),
    ({"--state-dir": "/proc/none"}, "--state-dir"),
    ({"--what": "x"}, "--what"),
])
def test_wrong_setting_is_one_line_and_exit_code_2(tmp_path, change, named):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "empty").write_text(" \n")
    files = {"KEY": str(tmp_path / "key"), "EMPTY": str(tmp_path / "empty")}
    settings = {**COMPLETE, "--state-dir": str(tmp_path / "state"), **change}
    arguments = [part for flag, value in settings.items() if value for part in (flag, files.get(value, value))]
    ended = subprocess.run([AGENT, "run", *arguments], capture_output=True, text=True, timeout=PATIENCE,
                           env=environment())
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1 and named in ended.stderr
    assert ended.stdout == "" and KEY not in ended.stderr


def test_unknown_variable_is_one_line_and_exit_code_2():
    ended = subprocess.run([AGENT, "run"], capture_output=True, text=True, timeout=PATIENCE,
                           env=environment(MARCHPROXY_AGENT_TYP="egress"))
    assert (ended.returncode, ended.stderr) == (
        2, "marchproxy-agent: unknown environment variable MARCHPROXY_AGENT_TYP\n")


def test_variables_do_what_flags_do(manager, agent):
    flags = dict(zip(agent.arguments[2::2], agent.arguments[3::2]))
    variables = {"MARCHPROXY_AGENT_" + flag[2:].upper().replace("-", "_"): str(value) for flag, value in flags.items()}
    with open(agent.log, "ab") as log:
        agent.process = subprocess.Popen([AGENT, "run"], stderr=log, env=environment(**variables))
    manager.wait_for_status("healthy")
    assert manager.seen["register"][0]["hostname"] == "proxy.test"
    assert agent.stop() == 0


@pytest.mark.parametrize("arguments, expected", [
    (["--help"], "completion"), (["run", "--help"], "MARCHPROXY_AGENT_MANAGER"), (["--version"], "v1.0.0")])
def test_help_and_version(arguments, expected):
    ended = subprocess.run([AGENT, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=environment())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert expected in ended.stdout


def test_bash_completion_completes():
    script = subprocess.run([AGENT, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    asked = script + "\nCOMP_WORDS=(marchproxy-agent run --type i); COMP_CWORD=3; _marchproxy_agent; echo ${COMPREPLY[@]}"
    assert subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout == "ingress\n"


# --- registration and bootstrap ---

def test_registers_starts_envoy_and_reports(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    assert manager.seen["register"] == [{"hostname": "proxy.test", "version": "v1.0.0", "capabilities": [],
                                         "proxy_type": "egress", "listen_address": "127.0.0.1", "name": "left"}]
    proxy_says(manager, "first")
    bootstrap = agent.state / "bootstrap.json"
    assert json.loads(bootstrap.read_text())["node"]["id"] == "proxy-1"
    assert stat.S_IMODE(bootstrap.stat().st_mode) == 0o600
    assert stat.S_IMODE(agent.state.stat().st_mode) == 0o700
    pid = agent.envoy_pid()
    assert agent.stop() == 0
    assert not is_alive(pid)
    assert KEY not in agent.text()


def test_heartbeat_figures_come_from_envoy(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    with socket.create_connection(("127.0.0.1", manager.proxy_port)) as open_connection:
        for _ in range(5):
            proxy_says(manager, "first")
        sent = len(manager.seen["heartbeat"])
        manager.wait_for("heartbeat", sent + 2)
        open_connection.close()
    beats = [beat["metrics"] for beat in manager.seen["heartbeat"]]
    assert any(beat["active_connections"] == 1 for beat in beats)
    assert any(beat["requests_per_second"] > 0 for beat in beats)
    assert beats[-1]["bytes_received"] > 5 * 16 and beats[-1]["bytes_sent"] > 5 * len("first")
    assert 0 < beats[-1]["memory_usage"] < 100
    assert all(0 <= beat["cpu_usage"] <= 100 for beat in beats)


def test_heartbeats_keep_the_named_interval(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    begin = manager.statuses().index("healthy")
    manager.wait_for("heartbeat", begin + 4)
    times = manager.times["heartbeat"][begin:]
    assert times[3] - times[0] >= 3 * manager.interval * 0.95


def test_retry_after_is_honoured(manager, agent):
    manager.plan["register"] = [(429, {"Retry-After": "2"}, refusal("RATE_LIMIT_EXCEEDED", "Rate limit exceeded"))]
    agent.start()
    manager.wait_for_status("healthy")
    first, second = manager.times["register"]
    assert second - first >= 2


def test_failing_manager_is_tried_again(manager, agent):
    away = (503, {}, refusal("SERVICE_UNAVAILABLE", "Service temporarily unavailable"))
    manager.plan["register"] = [away, away]
    manager.plan["bootstrap"] = [away]
    agent.start()
    manager.wait_for_status("healthy")
    assert len(manager.seen["register"]) == 4


def test_refusal_is_told_and_not_hammered_and_a_new_key_helps_at_once(manager, agent):
    agent.key_file.write_text("mp_cluster_wrong")
    agent.start()
    eventually(lambda: "401 AUTHENTICATION_REQUIRED" in agent.text(), "the refusal in the log")
    assert len(manager.seen["register"]) == 1
    agent.key_file.write_text(KEY)
    manager.wait_for_status("healthy")
    assert manager.times["register"][1] - manager.times["register"][0] < 10
    assert "mp_cluster" not in agent.text()


def test_unusable_bootstrap_is_refused(manager, agent):
    manager.plan["bootstrap"] = [(200, {}, ["no", "bootstrap"])]
    agent.start()
    manager.wait_for_status("healthy")
    assert "cannot use the manager's bootstrap" in agent.text()


def test_world_readable_key_file_is_warned_about(manager, agent):
    agent.key_file.chmod(0o644)
    agent.start()
    eventually(lambda: "every user can read" in agent.text(), "the warning")


def test_manager_with_a_private_certificate_needs_its_authority(tmp_path, manager, agent):
    certificate = manager.use_tls(tmp_path)
    agent.set("--manager", manager.url)
    agent.start()
    eventually(lambda: "SSL certificate problem" in agent.text(), "the refusal in the log")
    assert manager.seen["register"] == []
    assert agent.stop() == 0
    agent.start("--ca-file", certificate)
    manager.wait_for_status("healthy")


def test_unknown_proxy_registers_again(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    pid = agent.envoy_pid()
    manager.plan["heartbeat"] = [(404, {}, refusal("RESOURCE_NOT_FOUND", "Proxy not found"))]
    manager.wait_for("register", 2)
    manager.wait_for("heartbeat", len(manager.seen["heartbeat"]) + 1)
    assert agent.envoy_pid() == pid, "the same bootstrap needs no new Envoy"


def test_rotated_key_is_picked_up_and_envoy_replaced(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    pid = agent.envoy_pid()
    manager.key = "mp_cluster_second"
    manager.body = "second"
    manager.wait_for("register", 2)
    agent.key_file.write_text("mp_cluster_second\n")
    proxy_says(manager, "second")
    assert agent.envoy_pid() != pid
    assert not is_alive(pid)


def test_degraded_without_xds_and_then_the_bootstrap_is_looked_at(manager, agent):
    manager.xds_port = free_port()
    agent.start()
    manager.wait_for_status("degraded")
    manager.xds_port = None
    manager.wait_for("bootstrap", 2)
    manager.wait_for_status("healthy")
