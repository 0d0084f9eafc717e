"""What fields are on an instance."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, assert_type
from uuid import UUID

from .models import Member, Musician, Note, Record, Sleeve, Tag, Track


def values(record: Record, tag: Tag, musician: Musician) -> None:
    assert_type(record.title, str)
    assert_type(record.notes, str | None)
    assert_type(record.year, int)
    assert_type(record.plays, int | None)
    assert_type(record.rating, float)
    assert_type(record.price, Decimal)
    assert_type(record.discount, Decimal | None)
    assert_type(record.is_public, bool)
    assert_type(record.is_remastered, bool | None)
    assert_type(record.released, date)
    assert_type(record.recorded, date | None)
    assert_type(record.made, datetime)
    assert_type(record.changed, datetime | None)
    assert_type(record.starts, time | None)
    assert_type(record.length, timedelta)
    assert_type(record.token, UUID)
    assert_type(record.cover, bytes | None)
    assert_type(record.extra, Any)
    assert_type(record.tracks, list[Track])
    assert_type(record.first_track, Track | None)
    assert_type(record.scores, list[int])
    assert_type(record.words, list[str] | None)
    assert_type(record.size, str)
    assert_type(record.link, str | None)
    assert_type(record.contact, str)
    assert_type(tag.id, UUID)
    assert_type(tag.word, str)
    assert_type(musician.born, date | None)
    assert_type(record.pk, Any)
    assert_type(record.id, Any)


def relations(record: Record, sleeve: Sleeve, note: Note, musician: Musician) -> None:
    assert_type(record.leader, Musician)
    assert_type(record.leader.name, str)
    assert_type(record.producer, Musician | None)
    assert_type(record.leader_id, int)
    assert_type(record.producer_id, int | None)
    assert_type(sleeve.record, Record)
    assert_type(sleeve.record.leader.born, date | None)
    assert_type(sleeve.spare, Record | None)
    assert_type(sleeve.id, int)
    assert_type(note.record, Record)
    assert_type(note.record.leader, Musician)
    assert_type(musician.mentor, Musician | None)


def assigning(record: Record, musician: Musician) -> None:
    record.title = "x"
    record.plays = None
    record.plays = 3
    record.leader = musician
    record.producer = None
    record.leader_id = 4
    record.title = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    record.year = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    record.leader = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    record.leader_id = "x"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


def instances(record: Record, member: Member) -> None:
    assert_type(Record(title="x"), Record)
    assert_type(record.save(), None)
    assert_type(record.delete(), tuple[int, dict[str, int]])
    assert_type(record.is_stored, bool)
    assert_type(str(record), str)
    assert_type(record == record, bool)
    assert_type(member.can("view", record), bool)


async def instances_in_async_code(record: Record, member: Member) -> None:
    assert_type(await record.asave(), None)
    assert_type(await record.adelete(), tuple[int, dict[str, int]])
    assert_type(await record.arefresh_from_db(), None)
    assert_type(await member.acan("view", record), bool)
