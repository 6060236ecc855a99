"""Durable creates: POST /services beside a bare SQLite loop and beside pgbench with one durable INSERT a
transaction. MARCHPROXY_TEST_POSTGRES is a server of our own (scripts/with-postgres), set to be durable here."""

import os
import re
import sqlite3
import subprocess
import time

import rig

CLIENTS = (1, 64)
SECONDS = 5
SCRIPT = rig.ROOT / "bench/create.lua"
TABLE = ("CREATE TABLE objects (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, address text NOT NULL, "
         "body text NOT NULL)")
BODY = "x" * 600  # about what a service and its entry in the change log take


def sqlite_loop(batch):
    """Inserts a second, `batch` of them in each durable transaction."""
    with rig.folder() as place:
        database = sqlite3.connect(place / "bare.db", isolation_level=None)
        for setting in ("journal_mode = WAL", "synchronous = FULL"):
            database.execute("PRAGMA " + setting)
        database.execute(TABLE)
        made, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            database.execute("BEGIN IMMEDIATE")
            for _ in range(batch):
                made += 1
                database.execute("INSERT INTO objects VALUES (?, ?, ?, ?)", (made, f"object-{made}", "10.0.0.1", BODY))
            database.execute("COMMIT")
        return made / (time.perf_counter() - began)


def psql(*statements):
    for statement in statements:
        subprocess.run(["psql", "-q", os.environ["MARCHPROXY_TEST_POSTGRES"], "-c", statement], check=True)


def prepare_postgresql():
    psql("ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET synchronous_commit = on",
         "ALTER SYSTEM SET full_page_writes = on", "DO $$ BEGIN PERFORM pg_reload_conf(); END $$", TABLE)


def pgbench(clients):
    psql("TRUNCATE objects")
    with rig.folder() as place:
        script = place / "insert.sql"
        script.write_text("\\set id random(1, 9000000000000000000)\n"
                          f"INSERT INTO objects VALUES (:id, 'object-' || :id, '10.0.0.1', '{BODY}');\n")
        command = ["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T",
                   str(SECONDS), "-f", str(script), os.environ["MARCHPROXY_TEST_POSTGRES"]]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"tps = ([\d.]+)", text)[1])


def main():
    prepare_postgresql()
    rows = []
    with rig.manager() as manager:
        url = f"http://127.0.0.1:{manager.http_port}/api/v1/services"
        for clients in CLIENTS:
            loop, inserts = sqlite_loop(clients), pgbench(clients)
            rate, median, worst = rig.wrk(url, clients, SECONDS, manager.token, SCRIPT)
            better = max(loop, inserts)
            if clients == CLIENTS[-1]:
                rig.goal(f"Durable creates, {clients} clients: 10,000/s, or half of the better baseline",
                         f"{rate:,.0f}/s, {100 * rate / better:.0f} %", rate >= min(10_000, better / 2))
            rows.append([clients, f"{rate:,.0f}", median, worst, f"{loop:,.0f}", f"{inserts:,.0f}",
                         f"{100 * rate / better:.0f} %"])
    rig.report("Durable creates a second", ["clients", "POST /services", "p50 ms", "p99 ms",
                                            "bare SQLite, as many a commit", "pgbench", "of the better"], rows)


if __name__ == "__main__":
    main()
