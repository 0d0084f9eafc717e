"""X21: processes that write to one file of SQLite never hear that it is locked, and readers do not wait for them."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from harness import Options, Verdict, main

from segue.db import Database

PROGRAM = Path(__file__).parent / "sqlite_writer.py"


def run(options: Options) -> Verdict:
    """Let processes read and write at once; count what they did and how large the log became."""
    # Of the full run: the counts of writers, with so many readers and seconds each.
    counts, readers, seconds = ((4,), 2, 2.0) if options.quick else ((8, 32, 64), 8, 60.0)
    figure = {f"{count}_writers": _load(count, readers, seconds) for count in counts}
    # In so short a time it cannot become as large as it would.
    most = 40 if options.quick else 64
    target: dict[str, Any] = {"errors": 0, "lost": 0, "log_megabytes": most, "starved": 0}
    passed = all(
        not each["errors"] and not each["lost"] and not each["starved"] and each["log_megabytes"] <= most
        for each in figure.values()
    )
    if not options.quick:
        # Figures of a machine that does nothing else.
        target |= {"commits_per_second_of_8": 2000, "read_p99_milliseconds": 20}
        passed = passed and figure["8_writers"]["commits_per_second"] >= 2000
        passed = passed and figure["8_writers"]["read_p99_milliseconds"] < 20
    return Verdict(figure, target, passed)


def _load(writers: int, readers: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="segue-faults-") as folder:
        path = Path(folder) / "rows.db"
        address = f"sqlite:///{path}"
        database = Database(address)
        database.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
        database.execute("CREATE INDEX rows_of ON rows (writer, n)")
        kinds = ["write"] * writers + ["read"] * readers
        processes = [start_process(address, kind, number) for number, kind in enumerate(kinds)]
        for each in processes:
            assert each.stdout is not None
            each.stdout.readline()
        said: list[list[str]] = [[] for _ in processes]
        listeners = [
            threading.Thread(target=_listen, args=(each, lines)) for each, lines in zip(processes, said, strict=True)
        ]
        for listener in listeners:
            listener.start()
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        largest = 0
        begun = time.monotonic()
        while (spent := time.monotonic() - begun) < seconds:
            time.sleep(min(0.1, seconds - spent))
            largest = max(largest, path.with_name("rows.db-wal").stat().st_size)
        for each in processes:
            assert each.stdin is not None
            each.stdin.close()
        took = time.monotonic() - begun
        for listener in listeners:
            listener.join()
        errors = [each.stderr.read() for each in processes if each.wait() and each.stderr is not None]
        for each in processes:
            for pipe in (each.stdout, each.stderr):
                assert pipe is not None
                pipe.close()
        acknowledged = [len(lines) for lines in said[:writers]]
        rows = int(database.execute("SELECT count(*) FROM rows").scalar())
        database.close()
    reads = [each for lines in said[writers:] if lines for each in json.loads(lines[-1])]
    return {
        "commits": rows,
        "commits_per_second": round(rows / took),
        "lost": max(0, sum(acknowledged) - rows),
        "starved": sum(count == 0 for count in acknowledged),
        "errors": len(errors),
        "first_error": errors[0][-300:] if errors else "",
        "reads": len(reads),
        "read_p99_milliseconds": round(statistics.quantiles(reads, n=100)[-1], 2) if len(reads) > 1 else 0.0,
        "log_megabytes": round(largest / 1024 / 1024, 1),
    }


def start_process(address: str, kind: str, number: int, *flags: str) -> subprocess.Popen[str]:
    """Start a process of `sqlite_writer`, which waits for its `go`."""
    command = [sys.executable, str(PROGRAM), address, kind, str(number), *flags]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _listen(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout is not None
    lines += [line for line in process.stdout if line.strip()]


if __name__ == "__main__":
    main("X21", run)
