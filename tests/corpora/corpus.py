"""Reads the corpora: files of cases, a line each, with bytes written as \\xNN and repeated texts as {{N*text}}."""

import pathlib
import re
import sqlite3

FOLDER = pathlib.Path(__file__).parent


def expanded(text):
    """The bytes that a case stands for."""
    raw = re.sub(r"\{\{(\d+)\*(.*?)\}\}(?!\})", lambda found: found[2] * int(found[1]), text).encode()
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), raw)


def cases(name, columns):
    """Lists of `columns` words and the rest of the line, with where they stand."""
    for number, line in enumerate((FOLDER / name).read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            words = line.split(" ", columns)
            yield f"{name}:{number}", *words[:columns], expanded(words[columns] if len(words) > columns else "")


def changes(manager):
    """How many changes the manager has made durable: reads its database from the side."""
    with sqlite3.connect(f"file:{manager.data_dir / 'marchproxy.db'}?mode=ro", uri=True) as database:
        count = database.execute("SELECT COALESCE(MAX(revision), 0) FROM changes").fetchone()[0]
    database.close()
    return count
