"""/docs and /redoc in a real browser: every operation is listed, nothing goes wrong, and nothing is asked of anybody else."""

import json
import pathlib
import shutil
from urllib.parse import urlsplit

import pytest

from tools import NODE, run

SCRIPT = pathlib.Path(__file__).parent / "pages.mjs"


@pytest.mark.parametrize("path,selector", [("/docs", ".opblock .opblock-summary-path"),
                                           ("/redoc", "[role=menuitem][data-item-id*='/operation/']")])
def test_page_lists_every_operation_without_any_outside_address(manager, document, tmp_path, path, selector):
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    operations = [(address, operation) for address, methods in document["paths"].items()
                  for operation in methods.values()]
    seen = json.loads(run(["node", SCRIPT.name, manager.url, path, selector, len(operations)], 150, cwd=tmp_path))
    assert not seen["wrong"], seen["wrong"]
    shown = "\n".join(text.replace("\u200b", "") for text in seen["texts"])
    assert len(seen["texts"]) == len(operations)
    for address, operation in operations:
        assert (address if path == "/docs" else operation["summary"]) in shown
    hosts = {urlsplit(request).netloc for request in seen["requests"] if urlsplit(request).scheme not in ("data", "blob")}
    assert hosts == {f"127.0.0.1:{manager.http_port}"}
    assert f"{manager.url}/openapi.json" in seen["requests"]
