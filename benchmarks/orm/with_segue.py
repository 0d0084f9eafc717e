"""Segue, in both colours."""

from __future__ import annotations

from typing import Any

from segue import db

from .data import BULK


class Artist(db.Model):
    name = db.CharField(max_length=100)
    country = db.CharField(max_length=40)

    class Meta:
        db_table = "bench_artist"


class Record(db.Model):
    title = db.CharField(max_length=200)
    year = db.IntegerField()
    price = db.FloatField()
    artist: Any = db.ForeignKey(Artist, on_delete=db.CASCADE, related_name="records")

    class Meta:
        db_table = "bench_record"


class Note(db.Model):
    text = db.CharField(max_length=200)
    count = db.IntegerField()

    class Meta:
        db_table = "bench_note"


class Segue:
    """Segue's sync methods."""

    name = "segue"
    is_async = False

    def __init__(self, vendor: str, url: str) -> None:
        self.database = db.connect(f"sqlite:///{url}" if vendor == "sqlite" else url)
        self.note: Any = None

    def get(self) -> str:
        return Record.objects.get(pk=42).title

    def filtered(self) -> int:
        return len(Record.objects.filter(artist=3, id__gt=100).order_by("id")[:20])

    def thousand(self) -> int:
        return len(Record.objects.order_by("id")[:1000])

    def values(self) -> int:
        return len(Record.objects.order_by("id").values_list("title", flat=True)[:1000])

    def joined(self) -> int:
        rows = Record.objects.select_related("artist").filter(year__gt=1950).order_by("id")[:20]
        return len([row.artist.name for row in rows])

    def prefetch_few(self) -> int:
        found = Artist.objects.filter(id__gte=1, id__lte=20).order_by("id").prefetch_related("records")
        return sum(len(artist.records.all()) for artist in found)  # type: ignore[attr-defined]

    def prefetch_many(self) -> int:
        found = Artist.objects.filter(id__gte=21, id__lte=120).order_by("id").prefetch_related("records")
        return sum(len(artist.records.all()) for artist in found)  # type: ignore[attr-defined]

    def insert(self) -> None:
        Note(text="a note", count=5).save()

    def bulk(self) -> int:
        return len(Note.objects.bulk_create([Note(text=f"note {n}", count=n) for n in range(BULK)]))

    def update(self) -> int:
        if self.note is None:
            self.note = Note.objects.get(pk=1)
        self.note.text, self.note.count = "changed", 6
        self.note.save()
        return 1

    def count(self) -> int:
        return Record.objects.filter(id__lte=1000).count()

    def grouped(self) -> int:
        return len(Record.objects.values("artist_id").annotate(count=db.Count("id"), latest=db.Max("year")))


class AsyncSegue:
    """Segue's async methods."""

    name = "segue (async)"
    is_async = True

    def __init__(self, vendor: str, url: str) -> None:
        self.database = db.connect(f"sqlite:///{url}" if vendor == "sqlite" else url)
        self.note: Any = None

    async def close(self) -> None:
        await self.database.aclose()

    async def get(self) -> str:
        return (await Record.objects.aget(pk=42)).title

    async def filtered(self) -> int:
        return len(await Record.objects.filter(artist=3, id__gt=100).order_by("id")[:20])

    async def thousand(self) -> int:
        return len(await Record.objects.order_by("id")[:1000])

    async def values(self) -> int:
        return len(await Record.objects.order_by("id").values_list("title", flat=True)[:1000])

    async def joined(self) -> int:
        rows = await Record.objects.select_related("artist").filter(year__gt=1950).order_by("id")[:20]
        return len([row.artist.name for row in rows])

    async def prefetch_few(self) -> int:
        found = await Artist.objects.filter(id__gte=1, id__lte=20).order_by("id").prefetch_related("records")
        return sum([len(await artist.records.all()) for artist in found])  # type: ignore[attr-defined]

    async def prefetch_many(self) -> int:
        found = await Artist.objects.filter(id__gte=21, id__lte=120).order_by("id").prefetch_related("records")
        return sum([len(await artist.records.all()) for artist in found])  # type: ignore[attr-defined]

    async def insert(self) -> None:
        await Note(text="a note", count=5).asave()

    async def bulk(self) -> int:
        return len(await Note.objects.abulk_create([Note(text=f"note {n}", count=n) for n in range(BULK)]))

    async def update(self) -> int:
        if self.note is None:
            self.note = await Note.objects.aget(pk=1)
        self.note.text, self.note.count = "changed", 6
        await self.note.asave()
        return 1

    async def count(self) -> int:
        return await Record.objects.filter(id__lte=1000).acount()

    async def grouped(self) -> int:
        return len(await Record.objects.values("artist_id").annotate(count=db.Count("id"), latest=db.Max("year")))
