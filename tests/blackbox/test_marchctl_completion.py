"""The completion scripts of marchctl: bash, zsh and fish take them and complete with them."""

import os
import pty
import select
import subprocess
import time

import pytest

from marchctl_stand import MARCHCTL
from stand.program import environment
from stand.waiting import PATIENCE


def printed(shell):
    return subprocess.run([MARCHCTL, "completion", shell], capture_output=True, text=True, check=True, timeout=30,
                          env=environment()).stdout


@pytest.fixture(scope="module")
def script():
    return printed("bash")


@pytest.fixture
def variables(tmp_path):
    """Beside a marchctl that lists two services."""
    fake = tmp_path / "marchctl"
    fake.write_text("#!/bin/sh\n[ \"$*\" = 'list services -o name' ] && echo web && echo 'web$(touch here)'\n")
    fake.chmod(0o755)
    return environment(PATH=f"{tmp_path}:/usr/bin:/bin", HOME=tmp_path, TERM="dumb")


@pytest.fixture
def complete(script, tmp_path, variables):
    """What bash offers for the last of these words."""
    def ask(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        asked = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n_marchctl\n" \
                'printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True, timeout=30, cwd=tmp_path,
                              env=variables)
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


def test_fish_completes(tmp_path, variables):
    (tmp_path / "script").write_text(printed("fish"))

    def offers(line):
        asked = subprocess.run(["fish", "--no-config", "-c", f"source script; complete -C '{line}'"], capture_output=True,
                               text=True, check=True, timeout=PATIENCE, cwd=tmp_path, env=variables)
        assert asked.stderr == ""
        return [row.split("\t")[0] for row in asked.stdout.splitlines()]

    assert offers("marchctl exp") == ["export"]
    assert offers("marchctl rotate-key ") == ["cluster", "service"]
    assert offers("marchctl create service --ip") == ["--ip-fqdn"]
    assert offers("marchctl create service --auth-type ") == ["api_key", "jwt", "none"]
    assert offers("marchctl list services --output=j") == ["--output=json"]
    assert offers("marchctl --output json get service w") == ["web", "web$(touch here)"]
    assert offers("marchctl apply -f scr") == ["script"]
    assert not (tmp_path / "here").exists()


class Zsh:
    """One at a terminal, where its completion works alone."""
    SETUP = "PS1=; autoload -Uz compinit; compinit -u -D; source ./script; setopt no_beep; " \
            "show() { print -rn -- $'\\x01'\"$BUFFER\"$'\\x02'; BUFFER= }; zle -N show; bindkey '^G' show; " \
            "bindkey '^I' complete-word; print -n $'\\x02'\n"

    def __init__(self, folder, variables):
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], variables)
        self.typed(self.SETUP)

    def typed(self, keys):
        """What the screen shows until the mark."""
        os.write(self.screen, keys.encode())
        shown, deadline = b"", time.monotonic() + PATIENCE
        while b"\x02" not in shown:
            assert select.select([self.screen], [], [], max(0, deadline - time.monotonic()))[0], shown
            shown += os.read(self.screen, 65536)
        return shown.split(b"\x02")[0].decode()

    def completed(self, line):
        """The line after the Tab key."""
        return self.typed(line + "\t\x07").rsplit("\x01", 1)[1]

    def end(self):
        os.close(self.screen)
        os.waitpid(self.process, 0)


@pytest.fixture
def zsh(tmp_path, variables):
    (tmp_path / "script").write_text(printed("zsh"))
    shell = Zsh(tmp_path, variables)
    yield shell
    shell.end()


def test_zsh_completes(zsh, tmp_path):
    for line, whole in (
            ("exp", "export "), ("rotate-key c", "rotate-key cluster "), ("create service --ip", "create service --ip-fqdn="),
            ("create service --auth-type j", "create service --auth-type jwt "),
            ("list services --output=j", "list services --output=json "), ("list service -o w", "list service -o wide "),
            ("create mapping --ports 80 --por", "create mapping --ports 80 --ports="),
            ("--output json delete service we", "--output json delete service web"), ("apply -f scr", "apply -f script ")):
        assert zsh.completed("marchctl " + line) == "marchctl " + whole
    assert not (tmp_path / "here").exists()
