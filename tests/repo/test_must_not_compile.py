"""Wrong declarations of fields do not compile, and the compiler says what is wrong with them."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests/must-not-compile").glob("*.cpp"))
EXPECTED = "// Expected: "


def compile_only(path):
    return subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-fsyntax-only", "-I", ROOT / "src", path],
                          capture_output=True, text=True, timeout=120)


def test_there_are_cases():
    assert len(CASES) >= 6


@pytest.mark.parametrize("path", [path for path in CASES if path.stem != "valid"], ids=lambda path: path.stem)
def test_it_does_not_compile(path):
    first = path.read_text().split("\n", 1)[0]
    assert first.startswith(EXPECTED)
    result = compile_only(path)
    assert result.returncode != 0
    assert first.removeprefix(EXPECTED) in result.stderr


def test_the_right_form_compiles():
    result = compile_only(ROOT / "tests/must-not-compile/valid.cpp")
    assert result.returncode == 0, result.stderr
