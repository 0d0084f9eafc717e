"""A process that writes to a file of SQLite, or reads from it, until it is stopped.

    sqlite_writer.py ADDRESS write|read NUMBER [--full-sync]

After `go` on its input it works until its input ends. A writer says each number that was committed; a
reader says at its end how many milliseconds its reads took.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from segue.db.database import Database
from segue.db.steps import Prepared

INSERT = Prepared("INSERT INTO rows (writer, n) VALUES (?, ?)", writes=True, returns_rows=False)
LAST = Prepared("SELECT n FROM rows WHERE writer = ? ORDER BY n DESC LIMIT 1")


def main(address: str, what: str, number: int, is_synced: bool) -> None:
    database = Database(address)
    if is_synced:
        database.on_connect.append(lambda raw: raw.execute("PRAGMA synchronous = FULL"))
    database.fetch(LAST, (number,))  # connected, before the clock starts
    print("ready", flush=True)
    sys.stdin.readline()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    if what == "write":
        write(database, number, ended)
    else:
        read(database, number, ended)
    database.close()


def write(database: Database, number: int, ended: threading.Event) -> None:
    n = 0
    while not ended.is_set():
        n += 1
        with database.atomic():
            database.fetch(LAST, (number,))
            database.perform("execute", INSERT, (number, n))
        print(n, flush=True)


def read(database: Database, number: int, ended: threading.Event) -> None:
    took: list[float] = []
    while not ended.wait(0.002):
        begun = time.perf_counter()
        database.fetch(LAST, (number,))
        took.append((time.perf_counter() - begun) * 1000)
    print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), "--full-sync" in sys.argv)
