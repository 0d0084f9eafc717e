"""The ceiling: SQL by hand on the driver's own cursor."""

from __future__ import annotations

import sqlite3
from typing import Any

from .data import BULK

_RECORD = "SELECT id, title, year, price, artist_id FROM bench_record"


class Raw:
    """The driver, synchronous."""

    name = "raw driver"
    is_async = False

    def __init__(self, vendor: str, url: str) -> None:
        self.vendor = vendor
        if vendor == "sqlite":
            self.connection: Any = sqlite3.connect(url, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.mark = "?"
        else:
            import psycopg

            self.connection = psycopg.connect(url, autocommit=True)
            self.mark = "%s"
        self.cursor = self.connection.cursor()

    def _all(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        self.cursor.execute(sql.replace("?", self.mark), parameters)
        return self.cursor.fetchall()  # type: ignore[no-any-return]

    def get(self) -> str:
        return self._all(f"{_RECORD} WHERE id = ?", (42,))[0][1]  # type: ignore[no-any-return]

    def filtered(self) -> int:
        return len(self._all(f"{_RECORD} WHERE artist_id = ? AND id > ? ORDER BY id LIMIT 20", (3, 100)))

    def thousand(self) -> int:
        return len(self._all(f"{_RECORD} ORDER BY id LIMIT 1000"))

    def values(self) -> int:
        return len([row[0] for row in self._all("SELECT title FROM bench_record ORDER BY id LIMIT 1000")])

    def joined(self) -> int:
        rows = self._all(
            "SELECT r.id, r.title, r.year, r.price, r.artist_id, a.id, a.name, a.country FROM bench_record r "
            "JOIN bench_artist a ON a.id = r.artist_id WHERE r.year > ? ORDER BY r.id LIMIT 20",
            (1950,),
        )
        return len(rows)

    def _prefetched(self, low: int, high: int) -> int:
        artists = self._all(
            "SELECT id, name, country FROM bench_artist WHERE id >= ? AND id <= ? ORDER BY id", (low, high)
        )
        marks = ", ".join(["?"] * len(artists))
        rows = self._all(f"{_RECORD} WHERE artist_id IN ({marks})", tuple(row[0] for row in artists))
        by_artist: dict[int, list[Any]] = {}
        for row in rows:
            by_artist.setdefault(row[4], []).append(row)
        return sum(len(by_artist[row[0]]) for row in artists)

    def prefetch_few(self) -> int:
        return self._prefetched(1, 20)

    def prefetch_many(self) -> int:
        return self._prefetched(21, 120)

    def insert(self) -> None:
        self._write("INSERT INTO bench_note (text, count) VALUES (?, ?)", ("a note", 5))

    def _write(self, sql: str, parameters: tuple[Any, ...]) -> int:
        self.cursor.execute(sql.replace("?", self.mark), parameters)
        return self.cursor.rowcount  # type: ignore[no-any-return]

    def bulk(self) -> int:
        rows = [(f"note {n}", n) for n in range(BULK)]
        self.cursor.execute("BEGIN")
        self.cursor.executemany("INSERT INTO bench_note (text, count) VALUES (?, ?)".replace("?", self.mark), rows)
        self.cursor.execute("COMMIT")
        return BULK

    def update(self) -> int:
        return self._write("UPDATE bench_note SET text = ?, count = ? WHERE id = ?", ("changed", 6, 1))

    def count(self) -> int:
        return self._all("SELECT count(*) FROM bench_record WHERE id <= ?", (1000,))[0][0]  # type: ignore[no-any-return]

    def grouped(self) -> int:
        return len(self._all("SELECT artist_id, count(id), max(year) FROM bench_record GROUP BY artist_id"))
