"""Tortoise ORM."""

from __future__ import annotations

from typing import Any

from tortoise import Tortoise, fields
from tortoise.functions import Count, Max
from tortoise.models import Model

from .data import BULK


class Artist(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    country = fields.CharField(max_length=40)
    records: Any

    class Meta:
        table = "bench_artist"


class Record(Model):
    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=200)
    year = fields.IntField()
    price = fields.FloatField()
    artist: Any = fields.ForeignKeyField("models.Artist", related_name="records")

    class Meta:
        table = "bench_record"


class Note(Model):
    id = fields.BigIntField(primary_key=True)
    text = fields.CharField(max_length=200)
    count = fields.IntField()

    class Meta:
        table = "bench_note"


class TortoiseORM:
    """Tortoise, on its own drivers (aiosqlite, asyncpg)."""

    name = "tortoise"
    is_async = True

    def __init__(self, vendor: str, url: str) -> None:
        self.url = f"sqlite://{url}" if vendor == "sqlite" else url.replace("postgresql:", "asyncpg:")
        self.one: Any = None

    async def open(self) -> None:
        await Tortoise.init(db_url=self.url, modules={"models": [__name__]})

    async def close(self) -> None:
        await Tortoise.close_connections()

    async def get(self) -> str:
        return (await Record.get(id=42)).title

    async def filtered(self) -> int:
        return len(await Record.filter(artist_id=3, id__gt=100).order_by("id").limit(20))

    async def thousand(self) -> int:
        return len(await Record.all().order_by("id").limit(1000))

    async def values(self) -> int:
        return len(await Record.all().order_by("id").limit(1000).values_list("title", flat=True))

    async def joined(self) -> int:
        rows = await Record.filter(year__gt=1950).select_related("artist").order_by("id").limit(20)
        return len([row.artist.name for row in rows])

    async def _prefetched(self, low: int, high: int) -> int:
        found = await Artist.filter(id__gte=low, id__lte=high).order_by("id").prefetch_related("records")
        return sum(len(artist.records) for artist in found)

    async def prefetch_few(self) -> int:
        return await self._prefetched(1, 20)

    async def prefetch_many(self) -> int:
        return await self._prefetched(21, 120)

    async def insert(self) -> None:
        await Note(text="a note", count=5).save()

    async def bulk(self) -> int:
        await Note.bulk_create([Note(text=f"note {n}", count=n) for n in range(BULK)])
        return BULK

    async def update(self) -> int:
        if self.one is None:
            self.one = await Note.get(id=1)
        self.one.text, self.one.count = "changed", 6
        await self.one.save()
        return 1

    async def count(self) -> int:
        return await Record.filter(id__lte=1000).count()

    async def grouped(self) -> int:
        rows = Record.annotate(number=Count("id"), latest=Max("year")).group_by("artist_id")
        return len(await rows.values("artist_id", "number", "latest"))
