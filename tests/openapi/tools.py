"""Programs that scripts/fetch installs below build/third_party."""

import os
import subprocess

from stand.program import ROOT, environment

PARTS = ROOT / "build/third_party"
NODE = PARTS / "node"
PYTHON = PARTS / "python"
GENERATOR = PARTS / "download/openapi-generator-cli-7.11.0.jar"


def run(command, seconds, cwd=None, **variables):
    """What the command prints; fails the test when the command does."""
    # No program asks its maker for news.
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run([str(word) for word in command], cwd=cwd, timeout=seconds, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, env=environment(**quiet, **variables))
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_node(program, *arguments, seconds=120, cwd=None, **variables):
    """A program of third_party/node by the name of its command."""
    return run([NODE / "node_modules/.bin" / program, *arguments], seconds, cwd, **variables)


def python_path(*more):
    return os.pathsep.join(str(folder) for folder in (*more, PYTHON))
