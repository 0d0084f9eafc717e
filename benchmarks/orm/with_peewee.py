"""Peewee."""

from __future__ import annotations

from typing import Any

import peewee as pw

from .data import BULK


class Peewee:
    """Peewee's models, bound to one connection."""

    name = "peewee"
    is_async = False

    def __init__(self, vendor: str, url: str) -> None:
        if vendor == "sqlite":
            database: Any = pw.SqliteDatabase(url, pragmas={"journal_mode": "wal", "synchronous": 1})
        else:
            from playhouse.db_url import connect

            database = connect(url.replace("postgresql:", "psycopg3:"))

        class Artist(pw.Model):
            name = pw.CharField(max_length=100)
            country = pw.CharField(max_length=40)

            class Meta:
                table_name = "bench_artist"

        class Record(pw.Model):
            title = pw.CharField(max_length=200)
            year = pw.IntegerField()
            price = pw.DoubleField()
            artist = pw.ForeignKeyField(Artist, backref="records")

            class Meta:
                table_name = "bench_record"

        class Note(pw.Model):
            text = pw.CharField(max_length=200)
            count = pw.IntegerField()

            class Meta:
                table_name = "bench_note"

        database.bind([Artist, Record, Note])
        database.connect(reuse_if_open=True)
        self.database = database
        self.Artist, self.Record, self.Note = Artist, Record, Note
        self.one: Any = None

    def get(self) -> Any:
        return self.Record.get_by_id(42).title

    def filtered(self) -> int:
        Record = self.Record
        return len(list(Record.select().where(Record.artist == 3, Record.id > 100).order_by(Record.id).limit(20)))

    def thousand(self) -> int:
        return len(list(self.Record.select().order_by(self.Record.id).limit(1000)))

    def values(self) -> int:
        rows = self.Record.select(self.Record.title).order_by(self.Record.id).limit(1000).tuples()
        return len([title for (title,) in rows])

    def joined(self) -> int:
        Record, Artist = self.Record, self.Artist
        rows = Record.select(Record, Artist).join(Artist).where(Record.year > 1950).order_by(Record.id).limit(20)
        return len([row.artist.name for row in rows])

    def _prefetched(self, low: int, high: int) -> int:
        found = self.Artist.select().where(self.Artist.id.between(low, high)).order_by(self.Artist.id)
        return sum(len(artist.records) for artist in pw.prefetch(found, self.Record.select()))

    def prefetch_few(self) -> int:
        return self._prefetched(1, 20)

    def prefetch_many(self) -> int:
        return self._prefetched(21, 120)

    def insert(self) -> None:
        self.Note(text="a note", count=5).save()

    def bulk(self) -> int:
        with self.database.atomic():
            self.Note.bulk_create([self.Note(text=f"note {n}", count=n) for n in range(BULK)], batch_size=400)
        return BULK

    def update(self) -> int:
        if self.one is None:
            self.one = self.Note.get_by_id(1)
        self.one.text, self.one.count = "changed", 6
        return int(self.one.save())

    def count(self) -> int:
        return int(self.Record.select().where(self.Record.id <= 1000).count())

    def grouped(self) -> int:
        Record = self.Record
        rows = Record.select(Record.artist, pw.fn.COUNT(Record.id), pw.fn.MAX(Record.year)).group_by(Record.artist)
        return len(list(rows.tuples()))
