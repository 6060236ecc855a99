"""Shared by all Python tests: makes `stand` importable, and shows the logs of the programs of a failed test."""

import pytest

from stand import program


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for running in program.started:
            report.sections.append((f"log of {running.name}", running.text()[-6000:]))


@pytest.fixture(autouse=True)
def programs_end_with_their_scope():
    yield
    program.forget_ended()
