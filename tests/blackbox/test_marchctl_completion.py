"""The completion scripts of marchctl: bash takes them and completes with them."""

import subprocess

import pytest

from marchctl_stand import MARCHCTL
from stand.program import environment


def printed(shell):
    return subprocess.run([MARCHCTL, "completion", shell], capture_output=True, text=True, check=True, timeout=30,
                          env=environment()).stdout


@pytest.fixture(scope="module")
def script():
    return printed("bash")


@pytest.fixture
def complete(script, tmp_path):
    """What bash offers for the last of these words, beside a marchctl that lists two services."""
    fake = tmp_path / "marchctl"
    fake.write_text("#!/bin/sh\n[ \"$*\" = 'list services -o name' ] && echo web && echo 'web$(touch here)'\n")
    fake.chmod(0o755)

    def ask(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        asked = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n_marchctl\n" \
                'printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, timeout=30, cwd=tmp_path,
                              env=environment(PATH=f"{tmp_path}:/usr/bin:/bin"))
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]
    return ask


def test_bash_takes_the_script(script):
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=30)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_commands_and_nouns(complete):
    assert {"list", "create", "apply", "--help"} <= set(complete("marchctl", ""))
    assert complete("marchctl", "exp") == ["export"]
    assert {"service", "mapping", "user", "cluster"} <= set(complete("marchctl", "create", ""))
    assert complete("marchctl", "rotate-key", "") [:2] == ["service", "cluster"]
    assert complete("marchctl", "completion", "b") == ["bash"]


def test_flags_of_the_command_and_of_all(complete):
    assert complete("marchctl", "create", "service", "--ip") == ["--ip-fqdn"]
    assert complete("marchctl", "list", "service", "--coll") == ["--collection"], "an alias is the same command"
    assert complete("marchctl", "create", "service", "--outp") == ["--output"]


def test_values(complete):
    assert complete("marchctl", "create", "service", "--auth-type", "") == ["none", "api_key", "jwt"]
    assert complete("marchctl", "list", "services", "-o", "j") == ["json"]
    assert complete("marchctl", "list", "services", "--output", "=", "y") == ["yaml"]
    assert "marchctl" in complete("marchctl", "apply", "-f", "m")
    assert complete("marchctl", "create", "service", "--port", "") == [""]


def test_names_are_those_of_the_server_and_never_run(complete, tmp_path):
    assert complete("marchctl", "get", "service", "w") == ["web", "web$(touch here)"]
    assert complete("marchctl", "delete", "service", "web", "web$") == ["web$(touch here)"]
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_scripts_of_all_commands(shell):
    text = printed(shell)
    for part in ("rotate-key", "none api_key jwt", "marchctl list services -o name", "ip-fqdn"):
        assert part in text
