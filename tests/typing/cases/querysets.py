"""What querysets give."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from decimal import Decimal
from typing import Any, assert_type

from segue import db

from .models import Musician, Record, RecordQuerySet, Tag, user

musicians = Musician.objects.all()


def describing() -> None:
    assert_type(Musician.objects, db.QuerySet[Musician])
    assert_type(musicians, db.QuerySet[Musician])
    assert_type(musicians.filter(name="x"), db.QuerySet[Musician])
    assert_type(musicians.filter(Musician.name == "x"), db.QuerySet[Musician])
    assert_type(musicians.exclude(name="x"), db.QuerySet[Musician])
    assert_type(musicians.order_by("name"), db.QuerySet[Musician])
    assert_type(musicians.order_by(Musician.name), db.QuerySet[Musician])
    assert_type(musicians.distinct(), db.QuerySet[Musician])
    assert_type(musicians.annotate(n=db.Count("records")), db.QuerySet[Musician])
    assert_type(musicians.alias(n=db.Count("records")), db.QuerySet[Musician])
    assert_type(musicians.select_related("mentor"), db.QuerySet[Musician])
    assert_type(musicians.prefetch_related("records"), db.QuerySet[Musician])
    assert_type(musicians.only("name"), db.QuerySet[Musician])
    assert_type(musicians.defer("name"), db.QuerySet[Musician])
    assert_type(musicians.using("other"), db.QuerySet[Musician])
    assert_type(musicians.reverse(), db.QuerySet[Musician])
    assert_type(musicians.none(), db.QuerySet[Musician])
    assert_type(musicians.union(musicians), db.QuerySet[Musician])
    assert_type(musicians & musicians, db.QuerySet[Musician])
    assert_type(musicians | musicians, db.QuerySet[Musician])
    assert_type(musicians[:3], db.QuerySet[Musician])
    assert_type(musicians.select_for_update(), db.QuerySet[Musician])
    assert_type(musicians.visible_to(user), db.QuerySet[Musician])
    assert_type(musicians.raw("SELECT 1"), db.QuerySet[Musician])


def reading() -> None:
    assert_type(musicians.get(pk=1), Musician)
    assert_type(musicians.first(), Musician | None)
    assert_type(musicians.last(), Musician | None)
    assert_type(musicians.latest("born"), Musician)
    assert_type(musicians.earliest("born"), Musician)
    assert_type(musicians.get_or_404(pk=1), Musician)
    assert_type(musicians[0], Musician)
    assert_type(list(musicians), list[Musician])
    assert_type([each.name for each in musicians], list[str])
    assert_type(musicians.count(), int)
    assert_type(len(musicians), int)
    assert_type(musicians.exists(), bool)
    assert_type(musicians.in_bulk([1]), dict[Any, Musician])
    assert_type(musicians.aggregate(db.Count("pk")), dict[str, Any])
    assert_type(musicians.iterator(), Iterator[Musician])
    assert_type(next(iter(musicians)), Musician)


def changing() -> None:
    assert_type(musicians.create(name="x"), Musician)
    assert_type(musicians.get_or_create(name="x"), tuple[Musician, bool])
    assert_type(musicians.update_or_create(name="x"), tuple[Musician, bool])
    assert_type(musicians.bulk_create([Musician(name="x")]), list[Musician])
    assert_type(musicians.update(name="x"), int)
    assert_type(musicians.delete(), tuple[int, dict[str, int]])


async def in_async_code() -> None:
    assert_type(await musicians, list[Musician])
    assert_type([each async for each in musicians], list[Musician])
    assert_type(await musicians.aget(pk=1), Musician)
    assert_type(await musicians.afirst(), Musician | None)
    assert_type(await musicians.acount(), int)
    assert_type(await musicians.aexists(), bool)
    assert_type(await musicians.acreate(name="x"), Musician)
    assert_type(await musicians.aget_or_create(name="x"), tuple[Musician, bool])
    assert_type(musicians.aiterator(), AsyncGenerator[Musician, None])
    assert_type(await musicians.avisible_to(user), db.QuerySet[Musician])
    assert_type(await Record.objects.recent(), list[Record])
    assert_type(await Record.objects.values_list(Record.title, Record.year), list[tuple[str, int]])


def values() -> None:
    records = Record.objects
    assert_type(records.values("title"), db.QuerySet[dict[str, Any]])
    assert_type(records.values_list(Record.title, flat=True), db.QuerySet[str])
    assert_type(records.values_list(Record.plays, flat=True), db.QuerySet[int | None])
    assert_type(records.values_list("title", flat=True), db.QuerySet[Any])
    assert_type(records.values_list(Record.title), db.QuerySet[tuple[str]])
    assert_type(records.values_list(Record.title, Record.year), db.QuerySet[tuple[str, int]])
    assert_type(records.values_list(Record.title, Record.year, Record.price), db.QuerySet[tuple[str, int, Decimal]])
    assert_type(
        records.values_list(Record.title, Record.year, Record.price, Record.plays),
        db.QuerySet[tuple[str, int, Decimal, int | None]],
    )
    assert_type(
        records.values_list(Record.title, Record.year, Record.price, Record.plays, Record.is_public),
        db.QuerySet[tuple[str, int, Decimal, int | None, bool]],
    )
    assert_type(records.values_list("title", "year"), db.QuerySet[tuple[Any, ...]])
    assert_type(records.values_list(Record.leader_id, Record.year), db.QuerySet[tuple[int, int]])
    assert_type(records.values_list(Record.leader.name, flat=True), db.QuerySet[Any])
    assert_type(records.values_list(Record.title, Record.year).first(), tuple[str, int] | None)
    assert_type([title.upper() for title, _ in records.values_list(Record.title, Record.year)], list[str])


def managers() -> None:
    assert_type(Record.objects, RecordQuerySet)
    assert_type(Record.objects.filter(year=3), RecordQuerySet)
    assert_type(Record.objects.filter(year=3).recent(), RecordQuerySet)
    assert_type(Record.objects.recent().best(), Record | None)
    assert_type(Record.objects.recent().get(), Record)
    assert_type(Record.objects.recent()[:3], RecordQuerySet)
    assert_type(Record.objects.recent()[0], Record)
    assert_type(Record.published.newest(), Record)
    assert_type(Record.published.filter(year=3).first(), Record | None)
    assert_type(Record.also, RecordQuerySet)
    assert_type(Record.also.recent(), RecordQuerySet)
    assert_type(Record.objects.create(title="x"), Record)
    assert_type(Tag.objects.get(), Tag)


def relations(musician: Musician, record: Record, tag: Tag) -> None:
    assert_type(musician.records.all().first(), Record | None)
    assert_type(musician.records.filter(year=3).get(), Record)
    assert_type(musician.records.create(title="x"), Record)
    assert_type(musician.records.count(), int)
    assert_type(list(musician.records.all()), list[Record])
    assert_type(musician.records.add(record), None)
    assert_type(musician.pupils.get(), Musician)
    assert_type(record.tags.first(), Tag | None)
    assert_type(record.tags.filter(word="x").get(), Tag)
    assert_type(record.tags.add(tag), None)
    assert_type(record.tags.set([tag]), None)
    assert_type([each.word for each in record.tags.all()], list[str])


async def relations_in_async_code(musician: Musician, record: Record, tag: Tag) -> None:
    assert_type(await musician.records.all(), list[Record])
    assert_type(await musician.records.acreate(title="x"), Record)
    assert_type(await record.tags.aadd(tag), None)
    assert_type(await record.tags.all(), list[Tag])
