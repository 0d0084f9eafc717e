"""Measure every contestant on every row, in turns, and print what each costs in times the driver.

    python -m benchmarks.orm [--vendor sqlite] [--rounds 7] [--only segue,django] [--check]

CPU time of this process alone: what a PostgreSQL server spends is the same for all. The
figure of a row is the best round; contestants take turns, so a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import process_time_ns
from typing import Any

from benchmarks.environment import ensure_environment, save
from benchmarks.verdicts import Verdict, conclude

from .data import VENDORS, fill, schema
from .rows import ROWS, Row

CONTESTANTS = {
    "raw driver": ("raw", "Raw"),
    "segue": ("with_segue", "Segue"),
    "segue (async)": ("with_segue", "AsyncSegue"),
    "sqlalchemy core": ("with_sqlalchemy", "Core"),
    "sqlalchemy orm": ("with_sqlalchemy", "ORM"),
    "django": ("with_django", "Django"),
    "peewee": ("with_peewee", "Peewee"),
    "tortoise": ("with_tortoise", "TortoiseORM"),
    "piccolo": ("with_piccolo", "PiccoloORM"),
}


class Entrant:
    """One contestant and the loop its async methods run on."""

    def __init__(self, name: str, vendor: str, url: str) -> None:
        module, cls = CONTESTANTS[name]
        self.name = name
        self.subject: Any = getattr(import_module(f"benchmarks.orm.{module}"), cls)(vendor, url)
        self.loop = asyncio.new_event_loop() if self.subject.is_async else None
        self.best: dict[str, float] = {}
        if self.loop is not None and hasattr(self.subject, "open"):
            self.loop.run_until_complete(self.subject.open())

    def ask(self, row: Row) -> Any:
        """Return one answer."""
        method = getattr(self.subject, row.name)
        return self.loop.run_until_complete(method()) if self.loop is not None else method()

    def time(self, row: Row) -> None:
        """Ask often, and keep the best time of a round."""
        method: Callable[[], Any] = getattr(self.subject, row.name)
        gc.collect()
        if self.loop is not None:
            started = process_time_ns()
            self.loop.run_until_complete(_repeat(method, row.repeats))
        else:
            started = process_time_ns()
            for _ in range(row.repeats):
                method()
        spent = (process_time_ns() - started) / row.repeats / 1000
        self.best[row.name] = min(self.best.get(row.name, spent), spent)

    def close(self) -> None:
        """Give connections back."""
        if self.loop is not None:
            if hasattr(self.subject, "close"):
                self.loop.run_until_complete(self.subject.close())
            self.loop.close()


async def _repeat(method: Callable[[], Any], times: int) -> None:
    for _ in range(times):
        await method()


def _prepare(vendor: str, folder: str) -> str:
    if vendor == "sqlite":
        import sqlite3

        url = str(Path(folder) / "bench.db")
        connection: Any = sqlite3.connect(url)
        for statement in schema(vendor):
            connection.execute(statement)
        fill(connection.cursor().executemany, "?")
        connection.commit()
        connection.close()
        return url
    import psycopg

    server = os.environ.get("SEGUE_BENCH_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS segue_bench WITH (FORCE)")
        admin.execute("CREATE DATABASE segue_bench")
    with psycopg.connect(f"{server}/segue_bench") as connection:
        for statement in schema(vendor):
            connection.execute(statement)
        fill(connection.cursor().executemany, "%s")
    return f"{server}/segue_bench"


def measure(vendor: str, names: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Return microseconds of CPU by contestant and row."""
    with tempfile.TemporaryDirectory() as folder:
        url = _prepare(vendor, folder)
        entrants = [Entrant(name, vendor, url) for name in names]
        for row in ROWS:
            for entrant in entrants:
                answer = entrant.ask(row)
                if row.answer is not None and answer != row.answer:
                    raise SystemExit(f"{entrant.name}, {row.name}: {answer!r} is not {row.answer!r}")
            for _ in range(rounds):
                for entrant in entrants:
                    entrant.time(row)
        for entrant in entrants:
            entrant.close()
        return {entrant.name: entrant.best for entrant in entrants}


def _print(vendor: str, times: dict[str, dict[str, float]]) -> None:
    print(f"\n{vendor}: microseconds of CPU, and times the raw driver")
    print(" " * 17 + "".join(f"{row.name:>16}" for row in ROWS))
    raw = times["raw driver"]
    for name, spent in times.items():
        cells = [f"{spent[row.name]:9.0f} {spent[row.name] / raw[row.name]:5.1f}x" for row in ROWS]
        print(f"{name:<17}" + "".join(f"{cell:>16}" for cell in cells))


def _verdicts(vendor: str, times: dict[str, dict[str, float]]) -> list[Verdict]:
    found: list[Verdict] = []
    raw, segue = times["raw driver"], times["segue"]
    for row in ROWS:
        if vendor == "sqlite" and row.most is not None:
            ratio = segue[row.name] / raw[row.name]
            found.append(Verdict(f"{vendor} {row.name}, times the driver", ratio, row.most, is_ceiling=True))
        peers = {
            name: spent[row.name]
            for name, spent in times.items()
            if name not in ("raw driver", "segue", "segue (async)")
        }
        if peers:
            best = min(peers, key=lambda name: peers[name])
            found.append(Verdict(f"{vendor} {row.name}, ahead of {best}", peers[best] / segue[row.name], 1.0))
        if "segue (async)" in times:
            ratio = times["segue (async)"][row.name] / segue[row.name]
            found.append(Verdict(f"{vendor} {row.name}, async to sync", ratio, 1.3, is_ceiling=True))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orm")
    parser.add_argument("--vendor", choices=VENDORS, action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--check", action="store_true", help="end with 1 where a requirement is missed")
    options = parser.parse_args()
    only = {name.strip() for name in options.only.split(",") if name.strip()}
    names = [name for name in CONTESTANTS if not only or name in only | {"raw driver", "segue"}]
    verdicts: list[Verdict] = []
    result: dict[str, Any] = {}
    for vendor in options.vendor or VENDORS:
        times = measure(vendor, names, options.rounds)
        _print(vendor, times)
        result[vendor] = times
        verdicts += _verdicts(vendor, times)
    print()
    status = conclude(verdicts, check=options.check)
    print("Written to", save("orm", {"times_us": result, "verdicts": [each.as_json() for each in verdicts]}))
    return status


if __name__ == "__main__":
    ensure_environment("benchmarks.orm")
    sys.exit(main())
