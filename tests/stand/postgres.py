"""Databases of their own on the PostgreSQL that MARCHPROXY_TEST_POSTGRES names (scripts/with-postgres), and further
managers on them."""

import contextlib
import itertools
import os
import shutil
import subprocess
import urllib.parse

import pytest

from stand.control_plane import Manager
from stand.waiting import PATIENCE

_numbers = itertools.count(1)


def sql(*statements):
    for statement in statements:
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", os.environ["MARCHPROXY_TEST_POSTGRES"], "-c",
                        statement], check=True, capture_output=True, timeout=PATIENCE)


class Database:
    def __init__(self):
        self.name = f"stand_{os.getpid()}_{next(_numbers)}"
        server = urllib.parse.urlsplit(os.environ["MARCHPROXY_TEST_POSTGRES"])
        self.url = server._replace(path="/" + self.name).geturl()

    def deny(self):
        """As if it were away."""
        sql(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def allow(self):
        sql(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")


@contextlib.contextmanager
def database():
    """An empty one, gone afterwards."""
    if "MARCHPROXY_TEST_POSTGRES" not in os.environ:
        pytest.skip("needs PostgreSQL: scripts/with-postgres COMMAND")
    made = Database()
    sql(f"CREATE DATABASE {made.name}")
    try:
        yield made
    finally:
        sql(f"DROP DATABASE {made.name} WITH (FORCE)")


def another(manager, name):
    """A second manager of the same installation, not started."""
    folder = manager.data_dir.parent
    shutil.copytree(manager.data_dir, folder / name, ignore=shutil.ignore_patterns("*.lock"))
    kept = {key: value for key, value in manager.variables.items()
            if key not in ("MARCHPROXY_DATA_DIR", "MARCHPROXY_HTTP_LISTEN", "MARCHPROXY_XDS_LISTEN")}
    return Manager(folder, name, **kept)
