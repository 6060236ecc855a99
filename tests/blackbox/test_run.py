"""`make run`: what it starts carries traffic, Ctrl-C stops all of it, the next start keeps the data."""

import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from agent_stand import ROOT, eventually
from run_stand import START_SECONDS, Run


@pytest.fixture
def run(tmp_path):
    stand = Run(tmp_path)
    yield stand
    stand.clean()


def sign_in(run):
    answer = json.loads(run.shell(run.command("curl -X POST") + " -fsS"))
    return answer["data"]["access_token"]


def count(run, noun, token):
    request = urllib.request.Request(f"http://127.0.0.1:{run.ports['HTTP']}/api/v1/{noun}",
                                     headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]["total"]


def nobody_listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def process_of(run, program, mark):
    """The process number of a program of the run; `mark` is among its arguments."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if mark in words and any(pathlib.Path(word).name == program for word in words[:2]):
            return int(folder.name)
    raise AssertionError(f"no {program}: {run.text()}")


def check_all_stopped(run):
    for name, port in run.ports.items():
        eventually(lambda port=port: nobody_listens(port), f"nobody listens for {name}")


def test_carries_traffic_stops_and_keeps_the_data(run):
    run.start()
    seen = json.loads(run.shell(run.command("curl -H") + " -fsS"))
    assert seen["upstream"] == "demo" and seen["path"] == "/hello"
    token = sign_in(run)
    assert [count(run, noun, token) for noun in ("services", "mappings", "proxies")] == [1, 1, 1]
    password = run.password()
    assert run.end() == 0, run.text()
    check_all_stopped(run)

    run.start()
    assert run.password() == password
    assert json.loads(run.shell(run.command("curl -H") + " -fsS"))["path"] == "/hello"
    token = sign_in(run)
    assert [count(run, noun, token) for noun in ("services", "mappings", "proxies")] == [1, 1, 1]
    assert run.end(signal.SIGTERM) == 0, run.text()
    check_all_stopped(run)


def test_other_ports_move_the_demo(run):
    run.start()
    assert run.end() == 0
    other = Run(run.data.parent)
    try:
        other.start()
        assert json.loads(other.shell(other.command("curl -H") + " -fsS"))["upstream"] == "demo"
        token = sign_in(other)
        assert [count(other, noun, token) for noun in ("services", "mappings")] == [1, 1]
        assert other.end() == 0
    finally:
        other.clean()


def test_changed_password_is_not_shown_and_does_not_matter(run):
    run.start()
    token = sign_in(run)
    body = json.dumps({"current_password": run.password(), "new_password": "Another-Secret-42!"}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{run.ports['HTTP']}/api/v1/auth/change-password", data=body,
                                     headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()
    assert run.end() == 0
    run.start()
    assert "was changed" in run.text()
    seen = eventually(lambda: run.shell(run.command("curl -H") + " -s"), "an answer through Envoy")
    assert json.loads(seen)["upstream"] == "demo"
    assert run.end() == 0


def test_taken_port_is_one_line_that_names_it(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", run.ports["PROXY"]))
        other.listen()
        run.begin()
        assert run.process.wait(60) == 1
        run.reader.join(10)
    faults = [line for line in run.lines if line.startswith("make run: ")]
    assert len(faults) == 1, run.text()
    assert str(run.ports["PROXY"]) in faults[0] and "MARCHPROXY_RUN_PROXY_PORT=" in faults[0]
    assert "Traceback" not in run.text()


def test_second_run_on_the_same_data_is_refused(run):
    run.start()
    second = Run(run.data.parent)
    second.begin()
    assert second.process.wait(60) == 1
    second.reader.join(10)
    assert f"another make run uses {run.data}" in second.text()
    assert run.end() == 0


@pytest.mark.parametrize("name", ["demo", "agent", "manager"])
def test_program_that_dies_ends_the_run_with_its_name(run, name):
    run.start()
    mark = {"demo": str(run.ports["DEMO"]), "agent": str(run.data / "agent"), "manager": str(run.data / "manager")}[name]
    program = {"demo": "upstream.py"}.get(name, f"marchproxy-{name}")
    os.kill(process_of(run, program, mark), signal.SIGKILL)
    assert run.process.wait(60) == 1
    run.reader.join(10)
    assert f"make run: {name} ended" in run.text()
    check_all_stopped(run)


def test_nothing_is_left_when_the_run_itself_is_killed(run):
    run.start()
    run.process.kill()
    run.process.wait(10)
    check_all_stopped(run)


def read_until(terminal, text):
    """What the terminal shows, up to the text."""
    os.set_blocking(terminal, False)
    shown = ""
    deadline = time.monotonic() + START_SECONDS
    while text not in shown:
        assert time.monotonic() < deadline, shown
        try:
            shown += os.read(terminal, 65536).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # the other side is closed
            break
    return shown


def test_ctrl_c_in_a_terminal_ends_make_with_0(run):
    terminal, far = pty.openpty()
    make = subprocess.Popen(["setsid", "--ctty", "--wait", "make", "--no-print-directory", "run"], cwd=ROOT,
                            env=run.environment() | {"TERM": "xterm"}, stdin=far, stdout=far, stderr=far)
    os.close(far)
    shown = read_until(terminal, "Ctrl-C stops everything")
    assert "\033[1m" in shown
    os.write(terminal, b"\x03")
    rest = read_until(terminal, "stopping the demo")
    assert make.wait(60) == 0, rest
    assert "Error" not in rest and "Interrupt" not in rest
    os.close(terminal)
    check_all_stopped(run)
