"""The shell blocks of README.md and of access-logs.md, first-steps.md, sign-in.md, certificates.md, https.md, marchctl.md,
preview-a-change.md, what-clients-hold.md, grpc-without-a-proxy.md and size-a-fleet.md in docs/how-to, run as they
stand beside a `make run`; only the ports are other ones."""

import pathlib
import re
import subprocess

import pytest

from agent_stand import ROOT, free_port
from run_stand import PROGRAMS, Run

PRELUDE = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    stand = Run(tmp_path_factory.mktemp("run"))
    stand.data.parent.joinpath("scripts").symlink_to(ROOT / "scripts")
    stand.data.parent.joinpath("build/release").mkdir(parents=True)
    stand.data.parent.joinpath("build/third_party").symlink_to(ROOT / "build/third_party")
    stand.data.parent.joinpath("build/release/bin").symlink_to(pathlib.Path(PROGRAMS).resolve())
    stand.start()
    yield stand
    stand.clean()


def blocks(page, mark):
    """The shell blocks from the line that begins with `mark` on."""
    text = (ROOT / page).read_text()
    return re.findall(r"^```sh\n(.*?)^```", text[text.index(mark):], re.DOTALL | re.MULTILINE)


def at_ports_of(run, script):
    """The script with the ports that this run was given."""
    for port, own in ((8000, run.ports["HTTP"]), (18000, run.ports["XDS"]), (8080, run.ports["PROXY"]), (18080, run.ports["DEMO"]),
                      (18081, free_port()), (5514, free_port())):
        script = re.sub(rf"(?<!\d){port}(?!\d)", str(own), script)
    return script


def execute(run, page, mark):
    script = PRELUDE + at_ports_of(run, "\n".join(blocks(page, mark)))
    environment = run.environment() | {"XDG_CONFIG_HOME": str(run.data.parent / "config")}
    environment.pop("PYTHONUNBUFFERED", None)  # print() into a pipe would write twice, to a reader that may have gone
    done = subprocess.run(["bash", "-c", script], cwd=run.data.parent, capture_output=True, env=environment, text=True,
                          timeout=120)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert '"success":false' not in done.stdout, done.stdout
    return done.stdout


def test_first_steps(run):
    shown = execute(run, "docs/how-to/first-steps.md", "## Sign in")
    assert shown.count('"upstream": "shop"') == 3
    assert "without a token: 401" in shown


def test_sign_in(run):
    shown = execute(run, "docs/how-to/sign-in.md", "# Second factor")
    assert "a key without write: 403" in shown
    assert "a revoked key: 401" in shown
    assert '"totp_required":true' in shown


def test_certificates(run):
    shown = execute(run, "docs/how-to/certificates.md", "## Sign in")
    assert "key_file" in shown and "revoked" in shown
    assert "URI:spiffe://marchproxy/default/billing" in shown


def test_marchctl(run):
    shown = execute(run, "docs/how-to/marchctl.md", "## Sign in")
    assert shown.count('"upstream": "demo"') == 2
    assert "-hosts: [hello.example]" in shown and "would be: 0 created, 1 changed" in shown


def test_preview(run):
    shown = execute(run, "docs/how-to/preview-a-change.md", "## Sign in")
    assert "+ service preview" in shown and "  + Cluster service/" in shown and "exit code 4" in shown
    assert '"upstream": "demo"' in shown and "changes[0].data.ip_fqdn" in shown
    assert '"passes":true' in shown and '"kind":"port"' in shown


def test_size_a_fleet(run):
    shown = execute(run, "docs/how-to/size-a-fleet.md", "## Sign in")
    assert shown.splitlines()[-2:] == ['"event":"ready"', '"event":"reconnected"']


def test_https(run):
    shown = execute(run, "docs/how-to/https.md", "## Sign in")
    assert shown.count('"upstream": "demo"') == 2
    assert "spiffe://marchproxy/default/batch" in shown
    assert "without a certificate: refused" in shown
    assert "revoked: refused" in shown


def test_what_clients_hold(run):
    shown = execute(run, "docs/how-to/what-clients-hold.md", "## Ask")
    assert "config_status: SYNCED" in shown and "client_status: ACKED" in shown
    assert 'type_url: "type.googleapis.com/envoy.config.cluster.v3.Cluster"' in shown


def test_grpc_without_a_proxy(run):
    shown = execute(run, "docs/how-to/grpc-without-a-proxy.md", "## A service")
    assert f'"server_uri": "127.0.0.1:{run.ports["XDS"]}"' in shown and '"id": "checkout"' in shown


def test_access_logs(run):
    shown = execute(run, "docs/how-to/access-logs.md", "## The switches")
    assert 'method="GET" status="200" host="demo" path="/hello"' in shown
    assert "no secret is in them" in shown and "marchproxy_syslog_sent_total" in shown


def test_readme(run):
    shown = execute(run, "README.md", "## First steps")
    assert '"upstream": "demo"' in shown
    assert re.search(r"(?i)^x-config-status: live", shown, re.MULTILINE)
