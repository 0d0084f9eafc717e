"""The tables and rows that every contestant reads and writes, made by plain SQL."""

from __future__ import annotations

from typing import Any

__all__ = ["ARTISTS", "BULK", "RECORDS", "VENDORS", "fill", "schema"]

ARTISTS = 120
RECORDS = 5000
BULK = 1000
VENDORS = ("sqlite", "postgresql")

_KEY = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgresql": "BIGSERIAL PRIMARY KEY"}


def schema(vendor: str) -> list[str]:
    """Return the statements that make the tables."""
    key = _KEY[vendor]
    return [
        "DROP TABLE IF EXISTS bench_note",
        "DROP TABLE IF EXISTS bench_record",
        "DROP TABLE IF EXISTS bench_artist",
        f"CREATE TABLE bench_artist (id {key}, name VARCHAR(100) NOT NULL, country VARCHAR(40) NOT NULL)",
        f"CREATE TABLE bench_record (id {key}, title VARCHAR(200) NOT NULL, year INTEGER NOT NULL, "
        "price DOUBLE PRECISION NOT NULL, artist_id BIGINT NOT NULL REFERENCES bench_artist (id))",
        "CREATE INDEX bench_record_artist ON bench_record (artist_id)",
        "CREATE INDEX bench_record_year ON bench_record (year)",
        f"CREATE TABLE bench_note (id {key}, text VARCHAR(200) NOT NULL, count INTEGER NOT NULL)",
    ]


def fill(execute_many: Any, mark: str) -> None:
    """Fill the tables: artists 1 to 20 have 200 records each, 21 to 120 ten.

    Args:
        execute_many: Of a driver's cursor.
        mark: The driver's mark of a parameter.
    """
    artists = [(f"Artist {n}", f"Country {n % 7}") for n in range(1, ARTISTS + 1)]
    execute_many(f"INSERT INTO bench_artist (name, country) VALUES ({mark}, {mark})", artists)
    owners = [artist for artist in range(1, 21) for _ in range(200)]
    owners += [artist for artist in range(21, 121) for _ in range(10)]
    records = [(f"Record {n}", 1900 + n % 120, n / 4, owner) for n, owner in enumerate(owners)]
    execute_many(
        f"INSERT INTO bench_record (title, year, price, artist_id) VALUES ({mark}, {mark}, {mark}, {mark})", records
    )
    execute_many(f"INSERT INTO bench_note (text, count) VALUES ({mark}, {mark})", [("first", 0)])
