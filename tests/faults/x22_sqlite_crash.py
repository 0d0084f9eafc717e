"""X22: a file of SQLite survives the death of who writes to it, and a log that ends anywhere."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from harness import Options, Verdict, main
from x21_sqlite_writers import start_process

from segue.db import Database

PAGE_OF_LOG = 4096 + 24


def run(options: Options) -> Verdict:
    """Kill writers at random instants; freeze one, copy file and log as a power cut would leave them, and look."""
    kills, copies = (4, 6) if options.quick else (100, 100)
    chance = options.chance()
    with tempfile.TemporaryDirectory(prefix="segue-faults-") as folder:
        killed = [_kill(Path(folder), number, chance) for number in range(kills)]
        copied = _copy(Path(folder), copies, chance)
    figure = {
        "kills": kills,
        "acknowledged": sum(each["acknowledged"] for each in killed),
        "lost": sum(each["lost"] for each in killed),
        "damaged": sum(each["damaged"] for each in killed),
        **copied,
    }
    target = {"lost": 0, "damaged": 0, "copies_lost": 0, "copies_damaged": 0, "cut_damaged": 0}
    return Verdict(figure, target, all(figure[name] == 0 for name in target))


class _Writer:
    """A process that writes with synchronous=FULL, and what it has said is committed."""

    def __init__(self, path: Path) -> None:
        database = Database(f"sqlite:///{path}")
        database.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
        database.close()
        self.process: subprocess.Popen[str] = start_process(f"sqlite:///{path}", "write", 1, "--full-sync")
        self.last = 0
        assert self.process.stdout is not None
        self.process.stdout.readline()
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.last = int(line)

    def pause(self, seconds: float) -> None:
        """Let it write for a while."""
        threading.Event().wait(seconds)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


def _kill(folder: Path, number: int, chance: random.Random) -> dict[str, int]:
    path = folder / f"killed-{number}.db"
    writer = _Writer(path)
    writer.pause(chance.uniform(0.02, 0.3))
    writer.end()
    return _look(path, writer.last)


def _copy(folder: Path, copies: int, chance: random.Random) -> dict[str, Any]:
    """Copy what a frozen writer has on the disk: whole, and with the end of its log torn off."""
    path = folder / "frozen.db"
    writer = _Writer(path)
    found = {"copies": copies, "copies_lost": 0, "copies_damaged": 0, "cut_damaged": 0, "cut_rows": 0}
    for number in range(copies):
        writer.pause(chance.uniform(0.02, 0.2))
        os.kill(writer.process.pid, signal.SIGSTOP)
        # What it had said before it stood still, and is on its way, may be counted or not.
        acknowledged = writer.last
        whole, cut = folder / f"whole-{number}.db", folder / f"cut-{number}.db"
        for copy in (whole, cut):
            shutil.copyfile(path, copy)
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        os.kill(writer.process.pid, signal.SIGCONT)
        seen = _look(whole, acknowledged)
        found["copies_lost"] += seen["lost"]
        found["copies_damaged"] += seen["damaged"]
        size = Path(f"{cut}-wal").stat().st_size
        os.truncate(f"{cut}-wal", max(0, size - chance.randrange(1, 20 * PAGE_OF_LOG)))
        torn = _look(cut, acknowledged)
        # Without the end of its log rows may be missing, which is why FULL waits for the disk; the file is whole.
        found["cut_damaged"] += torn["damaged"]
        found["cut_rows"] += torn["lost"]
    writer.end()
    return found


def _look(path: Path, acknowledged: int) -> dict[str, int]:
    with sqlite3.connect(path) as raw:
        verdict = raw.execute("PRAGMA integrity_check").fetchone()[0]
        count, last = raw.execute("SELECT count(*), coalesce(max(n), 0) FROM rows").fetchone()
    raw.close()
    # Nothing in the midst may be missing, whatever is missing at the end.
    return {
        "acknowledged": acknowledged,
        "lost": max(0, acknowledged - last),
        "damaged": int(verdict != "ok" or count != last),
    }


if __name__ == "__main__":
    main("X22", run)
