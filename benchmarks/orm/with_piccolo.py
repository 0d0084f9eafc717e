"""Piccolo."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from piccolo.columns import DoublePrecision, ForeignKey, Integer, Serial, Varchar
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.functions.aggregate import Count, Max
from piccolo.table import Table

from .data import BULK


class PiccoloORM:
    """Piccolo, on its own drivers (aiosqlite, asyncpg)."""

    name = "piccolo"
    is_async = True

    def __init__(self, vendor: str, url: str) -> None:
        parts = urlsplit(url)
        self.vendor = vendor
        engine: Any = (
            SQLiteEngine(path=url)
            if vendor == "sqlite"
            else PostgresEngine(
                {"database": parts.path[1:], "user": parts.username, "host": parts.hostname, "port": parts.port}
            )
        )
        self.engine = engine

        class Artist(Table, tablename="bench_artist", db=engine):
            id = Serial(primary_key=True)
            name = Varchar(100)
            country = Varchar(40)

        class Record(Table, tablename="bench_record", db=engine):
            id = Serial(primary_key=True)
            title = Varchar(200)
            year = Integer()
            price = DoublePrecision()
            artist = ForeignKey(Artist, db_column_name="artist_id")

        class Note(Table, tablename="bench_note", db=engine):
            id = Serial(primary_key=True)
            text = Varchar(200)
            count_ = Integer(db_column_name="count")

        self.Artist, self.Record, self.Note = Artist, Record, Note
        self.one: Any = None

    async def open(self) -> None:
        if self.vendor == "postgresql":
            await self.engine.start_connection_pool()

    async def close(self) -> None:
        if self.vendor == "postgresql":
            await self.engine.close_connection_pool()

    async def get(self) -> Any:
        return (await self.Record.objects().get(self.Record.id == 42)).title

    async def filtered(self) -> int:
        Record = self.Record
        query = Record.objects().where(Record.artist == 3, Record.id > 100).order_by(Record.id).limit(20)
        return len(await query)

    async def thousand(self) -> int:
        return len(await self.Record.objects().order_by(self.Record.id).limit(1000))

    async def values(self) -> int:
        Record = self.Record
        return len(await Record.select(Record.title).order_by(Record.id).limit(1000).output(as_list=True))

    async def joined(self) -> int:
        Record = self.Record
        query = Record.objects(Record.artist).where(Record.year > 1950).order_by(Record.id).limit(20)
        return len([row.artist.name for row in await query])

    async def _prefetched(self, low: int, high: int) -> int:
        Artist, Record = self.Artist, self.Record
        artists = await Artist.objects().where(Artist.id >= low, Artist.id <= high).order_by(Artist.id)
        rows = await Record.objects().where(Record.artist.is_in([artist.id for artist in artists]))
        by_artist: dict[Any, list[Any]] = {}
        for row in rows:
            by_artist.setdefault(row.artist, []).append(row)
        return sum(len(by_artist[artist.id]) for artist in artists)

    async def prefetch_few(self) -> int:
        return await self._prefetched(1, 20)

    async def prefetch_many(self) -> int:
        return await self._prefetched(21, 120)

    async def insert(self) -> None:
        await self.Note(text="a note", count_=5).save()

    async def bulk(self) -> int:
        notes = [self.Note(text=f"note {n}", count_=n) for n in range(BULK)]
        for at in range(0, BULK, 400):
            await self.Note.insert(*notes[at : at + 400])
        return BULK

    async def update(self) -> int:
        if self.one is None:
            self.one = await self.Note.objects().get(self.Note.id == 1)
        self.one.text, self.one.count_ = "changed", 6
        await self.one.save()
        return 1

    async def count(self) -> int:
        return await self.Record.count().where(self.Record.id <= 1000)

    async def grouped(self) -> int:
        Record = self.Record
        return len(await Record.select(Record.artist, Count(Record.id), Max(Record.year)).group_by(Record.artist))
