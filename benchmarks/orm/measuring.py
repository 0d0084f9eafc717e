"""Asks every contestant every row, in turns.

Holds: `CONTESTANTS`, and `measure`, which runs in a process of its own.
Imports: contestants when they are measured, data and rows.
Never: prints.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import process_time_ns
from typing import Any

from .data import fill, schema
from .rows import ROWS, Row

__all__ = ["CONTESTANTS", "measure"]

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
    """One contestant, and what runs its async methods."""

    def __init__(self, name: str, vendor: str, url: str) -> None:
        module, cls = CONTESTANTS[name]
        self.name = name
        self.subject: Any = getattr(import_module(f"benchmarks.orm.{module}"), cls)(vendor, url)
        # One context for all runs: some peers keep their connection in a context variable.
        self.runner = asyncio.Runner() if self.subject.is_async else None
        self.best: dict[str, float] = {}
        if self.runner is not None and hasattr(self.subject, "open"):
            self.runner.run(self.subject.open())

    def ask(self, row: Row) -> Any:
        """Return one answer."""
        method = getattr(self.subject, row.name)
        return self.runner.run(method()) if self.runner is not None else method()

    def time(self, row: Row) -> None:
        """Ask often, and keep the best time of a round."""
        method: Callable[[], Any] = getattr(self.subject, row.name)
        gc.collect()
        if self.runner is not None:
            started = process_time_ns()
            self.runner.run(_repeat(method, row.repeats))
        else:
            started = process_time_ns()
            for _ in range(row.repeats):
                method()
        spent = (process_time_ns() - started) / row.repeats / 1000
        self.best[row.name] = min(self.best.get(row.name, spent), spent)

    def close(self) -> None:
        """Give connections back."""
        if self.runner is not None:
            if hasattr(self.subject, "close"):
                self.runner.run(self.subject.close())
            self.runner.close()


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
