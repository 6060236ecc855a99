"""The rules of the tree: who may include whom, names, sizes, and what must not be written anywhere."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ("src", "agent", "cli", "fleet", "tests", "bench", "scripts")
CODE = (".cpp", ".hpp", ".py", ".sh", "")
LINES = 400

# What each layer may include besides itself.
MAY_USE = {
    "base": set(),
    "model": {"base"},
    "settings": {"base", "model"},
    "store": {"base", "model", "settings"},
    "access": {"base", "model", "settings", "store"},
    "crypto": {"base", "model", "settings", "store"},
    "syslog": {"base"},
    "net": {"base"},
    "rpc": {"base", "net"},
    "xds": {"base", "model", "settings", "store", "syslog", "net", "rpc"},
    "http": {"base", "net"},
    "api": {"base", "model", "settings", "store", "access", "crypto", "syslog", "xds"},
    "app": {"base", "model", "settings", "store", "access", "crypto", "syslog", "xds", "http", "api"},
}
# The one header that a layer may have from outside of its list.
EXCEPTIONS = {("api", "http/message.hpp")}
FORBIDDEN_NAMES = {"util", "utils", "common", "manager", "helper", "helpers", "impl"}
# Assembled, so that this file does not contain them.
FORBIDDEN_WORDS = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "/wo" + "rk/", "/root" + "/"]
REGISTRY_HOSTS = [
    "repo1.maven" + ".org", "registry.npmjs" + ".org", "files.pythonhosted" + ".org", "deb.debian" + ".org",
    "proxy.golang" + ".org", "crates" + ".io",
]


def project_files():
    """The files of the project: tracked, or new and not ignored; those that git lists and disk has."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True, text=True, timeout=60).stdout.split("\n")
    return [name for name in sorted(set(listed)) if name and (ROOT / name).is_file()]


def text_of(name):
    """The file's text, or nothing when it is binary."""
    data = (ROOT / name).read_bytes()
    return "" if b"\0" in data else data.decode(errors="replace")


FILES = project_files()


def test_includes_only_go_down():
    wrong = []
    for name in FILES:
        parts = pathlib.PurePath(name).parts
        if parts[0] != "src" or len(parts) < 3:
            continue
        layer = parts[1]
        for header in re.findall(r'^#include "([^"]+)"', text_of(name), re.MULTILINE):
            other = header.split("/")[0]
            allowed = other == layer or other in MAY_USE[layer] or (layer, header) in EXCEPTIONS
            if other in MAY_USE and not allowed:
                wrong.append(f"{name} includes {header}")
    assert not wrong


def test_every_layer_is_in_the_order():
    layers = {pathlib.PurePath(name).parts[1] for name in FILES if name.startswith("src/")}
    assert layers <= set(MAY_USE)


def test_project_headers_are_included_by_their_path():
    wrong = []
    for name in FILES:
        if not name.startswith(("src/", "agent/", "cli/", "fleet/")) or not name.endswith((".cpp", ".hpp")):
            continue
        for header in re.findall(r'^#include "([^"]+)"', text_of(name), re.MULTILINE):
            if "/" not in header or ".." in header:
                wrong.append(f"{name} includes {header}")
    assert not wrong


def test_files_stay_short():
    long = []
    for name in FILES:
        path = pathlib.PurePath(name)
        if path.parts[0] in OURS and path.suffix in CODE and len(path.parts) > 1:
            lines = text_of(name).count("\n")
            if lines >= LINES:
                long.append(f"{name}: {lines} lines")
    assert not long


def test_names_say_something():
    wrong = []
    for name in FILES:
        path = pathlib.PurePath(name)
        if path.parts[0] not in OURS or name in ("src/app/manager.cpp", "src/app/manager.hpp"):
            continue
        words = [*path.parts[:-1], path.name.split(".")[0].removesuffix("_test")]
        if FORBIDDEN_NAMES & set(words):
            wrong.append(name)
    assert not wrong


def test_headers_open_with_what_they_are():
    wrong = []
    for name in FILES:
        if name.endswith(".hpp") and name.startswith(("src/", "agent/", "cli/", "fleet/")):
            text = text_of(name)
            if not text.startswith("//") or "#pragma once" not in text:
                wrong.append(name)
    assert not wrong


@pytest.mark.parametrize("word", FORBIDDEN_WORDS + REGISTRY_HOSTS)
def test_word_stands_nowhere(word):
    edges = r"\b{}\b" if word.isalpha() else "{}"
    pattern = re.compile(edges.format(re.escape(word)))
    assert [name for name in FILES if pattern.search(text_of(name))] == []
