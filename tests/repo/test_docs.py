"""The documents: references as the programs print them, links that lead somewhere, nothing written by hand twice."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("MARCHPROXY_TEST_BIN", ROOT / "build/dev/bin"))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def pages():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                            check=True, capture_output=True, text=True, timeout=60).stdout.split("\n")
    return [name for name in sorted(set(listed)) if name and (ROOT / name).is_file()]


def anchors(text):
    """Of the headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    broken = []
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists():
            broken.append(f"{target}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
            broken.append(f"{target}: no such heading")
    assert not broken


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The references as this build of the manager has them."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([ROOT / "scripts/docs", folder], check=True, timeout=120,
                   env=os.environ | {"MARCHPROXY_TEST_BIN": str(PROGRAMS)})
    return folder


@pytest.mark.parametrize("name", ["access.md", "api.md", "errors.md", "marchctl.md", "metrics.md", "settings.md"])
def test_references_are_up_to_date(written, name):
    kept = ROOT / "docs/reference" / name
    assert kept.exists(), "run make docs"
    assert kept.read_text() == (written / name).read_text(), f"{kept.relative_to(ROOT)} is old: run make docs"


def test_every_decision_has_its_number_and_parts():
    names = sorted(each.name for each in (ROOT / "docs/decisions").glob("*.md"))
    numbers = [name[:4] for name in names]
    assert all(number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers)
    for name in names:
        text = (ROOT / "docs/decisions" / name).read_text()
        assert text.startswith(f"# {name[:4]}: "), name
        for part in ("**Question.**", "**Decision.**", "**Because.**", "**Price.**"):
            assert part in text, f"{name} lacks {part}"


def test_readme_names_every_page_for_readers():
    text = (ROOT / "README.md").read_text()
    for page in ("docs/architecture.md", "docs/data-plane.md", "CONTRIBUTING.md", "STYLE.md", "CHANGELOG.md"):
        assert f"({page})" in text, page
