"""marchproxy-agent and its Envoy: supervision, take-over, draining."""

import json
import os
import re
import signal
import socket
import subprocess
import time

from agent_stand import (PATIENCE, agent, environment, eventually, get, is_alive, manager, proxy_says)

def test_dead_envoy_is_reported_and_started_again(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    pid = agent.envoy_pid()
    sent = len(manager.seen["heartbeat"])
    os.kill(pid, signal.SIGKILL)
    manager.wait_for_status("unhealthy", sent)
    manager.wait_for_status("healthy", manager.statuses().index("unhealthy", sent))
    assert agent.envoy_pid() not in (pid, None)
    assert "signal 9" in agent.text()
    proxy_says(manager, "first")


def test_envoy_outlives_a_killed_agent_and_the_next_takes_it_over(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    pid = agent.envoy_pid()
    agent.kill()
    proxy_says(manager, "first")
    sent = len(manager.seen["heartbeat"])
    agent.start()
    manager.wait_for_status("healthy", sent)
    assert agent.envoy_pid() == pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: agent.envoy_pid() not in (pid, None), "another Envoy")
    proxy_says(manager, "first")
    assert agent.stop() == 0


def test_taken_over_envoy_is_replaced_when_the_bootstrap_changed_meanwhile(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    pid = agent.envoy_pid()
    agent.kill()
    manager.body = "second"
    agent.start()
    proxy_says(manager, "second")
    assert not is_alive(pid)


def test_hung_envoy_is_not_taken_over(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    pid = agent.envoy_pid()
    agent.kill()
    os.kill(pid, signal.SIGSTOP)
    agent.start()
    eventually(lambda: agent.envoy_pid() not in (pid, None), "another Envoy")
    proxy_says(manager, "first")
    assert not is_alive(pid)


def test_process_with_a_reused_pid_is_left_alone(manager, agent):
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        agent.state.mkdir(mode=0o700)
        record = {"envoy": {"pid": stranger.pid, "start_time": 1, "bootstrap_sha256": "", "admin": ""}}
        (agent.state / "agent.json").write_text(json.dumps(record))
        agent.start()
        manager.wait_for_status("healthy")
        assert agent.envoy_pid() != stranger.pid
        assert agent.stop() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_manager_away_starts_from_the_stored_bootstrap(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    assert agent.stop() == 0
    manager.stop()
    agent.start()
    proxy_says(manager, "first")
    manager.start()
    manager.wait_for_status("healthy", len(manager.seen["heartbeat"]))


def test_without_admin_interface_health_is_the_process(manager, agent):
    agent.set("--admin-port", 0)
    agent.start()
    manager.wait_for_status("healthy")
    proxy_says(manager, "first")
    assert "admin" not in json.loads((agent.state / "bootstrap.json").read_text())
    assert manager.seen["heartbeat"][-1]["metrics"]["active_connections"] == 0
    assert agent.stop() == 0


def test_envoy_that_cannot_run_is_told_and_tried_again(manager, agent, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    agent.set("--envoy", broken)
    agent.start()
    eventually(lambda: len(re.findall("exit code 3", agent.text())) >= 3, "three tries")
    manager.wait_for_status("unhealthy")
    assert agent.stop() == 0


def test_second_agent_on_one_state_directory_is_refused(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    second = subprocess.run(agent.arguments, capture_output=True, text=True, timeout=PATIENCE, env=environment())
    assert second.returncode == 1
    assert "another agent uses the state directory" in second.stderr
    assert agent.process.poll() is None


def hold_connection(manager):
    connection = socket.create_connection(("127.0.0.1", manager.proxy_port), timeout=PATIENCE)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"first" in connection.recv(4096)
    return connection


def test_stop_drains_open_connections(manager, agent):
    agent.start()
    manager.wait_for_status("healthy")
    with hold_connection(manager) as connection:
        agent.process.terminate()
        eventually(lambda: "DRAINING" in drained_state(agent), "Envoy drains")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = connection.recv(4096)
        assert b"first" in answer and b"connection: close" in answer
    assert agent.process.wait(8) == 0, "it ends when the last connection does"


def drained_state(agent):
    return get(f"http://127.0.0.1:{agent.admin_port}/server_info") or ""


def test_drain_time_is_a_limit(manager, agent):
    agent.start("--drain-time", "1")
    manager.wait_for_status("healthy")
    with hold_connection(manager):
        begin = time.monotonic()
        assert agent.stop() == 0
        assert 0.9 <= time.monotonic() - begin < 8


def test_second_signal_cuts_the_drain(manager, agent):
    agent.start("--drain-time", "600")
    manager.wait_for_status("healthy")
    with hold_connection(manager):
        agent.process.terminate()
        eventually(lambda: "DRAINING" in drained_state(agent), "Envoy drains")
        assert agent.stop() == 0


def test_stop_does_not_wait_for_a_silent_manager(agent):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        agent.set("--manager", f"http://127.0.0.1:{silent.getsockname()[1]}")
        agent.start()
        connection, _ = silent.accept()
        begin = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - begin < 5
        connection.close()
