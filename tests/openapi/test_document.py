"""The API's document holds before two linters that have nothing in common, and is one document in both its forms."""

import json
import pathlib

import yaml

from stand.rest import Api
from tools import run_node

HERE = pathlib.Path(__file__).parent


def test_redocly_finds_nothing(printed):
    said = json.loads(run_node("redocly", "lint", printed, "--config", HERE / "redocly.yaml", "--format=json"))
    assert said["totals"] == {"errors": 0, "warnings": 0, "ignored": 0} and not said["problems"]


def test_spectral_finds_nothing(printed):
    said = run_node("spectral", "lint", printed, "--ruleset", HERE / "spectral.yaml", "--fail-severity=hint")
    assert "No results with a severity of 'hint' or higher found!" in said, said


def test_running_manager_gives_the_document_that_is_printed(manager, document):
    api = Api(manager.http_port)
    assert api.raw("GET", "/openapi.json").expect(200).json == document
    assert yaml.safe_load(api.raw("GET", "/openapi.yaml").expect(200).text) == document
    assert document["openapi"].startswith("3.0.") and document["info"]["version"] == "1.0.0"


def test_nothing_is_said_twice(document):
    """Answers, headers and schemas stand in components; operations refer to them."""
    inlined = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                for header in answer.get("headers", {}).values():
                    assert "$ref" in header, f"{method} {path} {status}"
                for content in answer.get("content", {}).values():
                    schema = content["schema"]
                    if "properties" in schema:
                        inlined.setdefault(json.dumps(schema, sort_keys=True), []).append(f"{method} {path}")
    assert not inlined
