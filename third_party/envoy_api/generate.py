#!/usr/bin/env python3
"""Runs protoc over the Envoy API files named in roots.txt and all that they import.

usage: generate.py <folder of .proto files> <output folder>

Prints the generated .cc files, one a line. Files whose content stays the same are left untouched, so
a second run compiles nothing.
"""

import filecmp
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Field names that are keywords of C++20, which protoc 3.21 does not know. Only identifiers are
# renamed: the serialised descriptor and the JSON names keep the word.
KEYWORD = {"envoy/extensions/filters/http/jwt_authn/v3/config": "requires"}


def closure(protos, roots, folder):
    """The roots and their imports, without what libprotobuf brings itself."""
    every = folder / "every_root.proto"
    every.write_text('syntax = "proto3";\n' + "".join(f'import "{root}";\n' for root in roots))
    found = folder / "found"
    subprocess.run(
        ["protoc", f"-I{protos}", f"-I{folder}", f"--dependency_out={found}",
         f"--descriptor_set_out={folder / 'set'}", every], check=True, stderr=subprocess.DEVNULL)
    words = found.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    inside = [str(pathlib.Path(word).relative_to(protos)) for word in words if word.startswith(str(protos))]
    return sorted(name for name in inside if not name.startswith("google/protobuf/"))


def rename(text, word):
    """Appends "_" to the identifier outside of string literals and comments."""
    pattern = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|\b' + word + r"\b")
    return pattern.sub(lambda hit: word + "_" if hit.group() == word else hit.group(), text)


def main():
    protos, output = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    lines = pathlib.Path(__file__).with_name("roots.txt").read_text().splitlines()
    roots = [line for line in lines if line and not line.startswith("#")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        files = closure(protos, roots, folder)
        generated = folder / "gen"
        generated.mkdir()
        subprocess.run(["protoc", f"-I{protos}", f"--cpp_out={generated}", *files],
                       check=True, stderr=subprocess.DEVNULL)
        for stem, word in KEYWORD.items():
            for suffix in (".pb.h", ".pb.cc"):
                path = generated / (stem + suffix)
                path.write_text(rename(path.read_text(), word))
        for path in sorted(generated.rglob("*.pb.*")):
            target = output / path.relative_to(generated)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or not filecmp.cmp(path, target, shallow=False):
                shutil.copyfile(path, target)
    for name in files:
        print(output / name.replace(".proto", ".pb.cc"))


if __name__ == "__main__":
    main()
