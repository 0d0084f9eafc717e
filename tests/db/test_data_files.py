"""Rows as files, and back: on every database."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from segue import db
from segue.db.database import Database
from segue.db.datafiles import DataFileError, dump, flush, load
from segue.db.schema import create_all


class Musician(db.Model):
    name = db.CharField(max_length=50, unique=True)
    password = db.CharField(max_length=50, secret=True, default="")

    def natural_key(self) -> tuple[str]:
        return (self.name,)


class Musicians(db.QuerySet[Musician]):
    def get_by_natural_key(self, name: str) -> Musician:
        return self.get(name=name)


Musician.objects = Musicians.as_manager()  # type: ignore[assignment, attr-defined]


class Record(db.Model):
    title = db.CharField(max_length=50)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, null=True)
    players = db.ManyToManyField(Musician, related_name="played")
    parent = db.ForeignKey("self", on_delete=db.CASCADE, null=True)
    price = db.DecimalField(max_digits=8, decimal_places=2, default=Decimal("1.50"))
    made = db.DateTimeField(null=True)
    day = db.DateField(null=True)
    hour = db.TimeField(null=True)
    length = db.DurationField(null=True)
    key = db.UUIDField(null=True)
    facts = db.JSONField(null=True)
    cover = db.BinaryField(null=True)
    words = db.ArrayField(db.CharField(max_length=9), null=True)
    double = db.GeneratedField(
        expression=db.F("price") * 2, output_field=db.DecimalField(max_digits=9, decimal_places=2)
    )


class Seat(db.Model):
    row = db.IntegerField()
    number = db.IntegerField()
    who = db.CharField(max_length=20)
    pk = db.CompositePrimaryKey("row", "number")

    def natural_key(self) -> tuple[str]:
        return (self.who,)


class Seats(db.QuerySet[Seat]):
    def get_by_natural_key(self, who: str) -> Seat:
        return self.get(who=who)


Seat.objects = Seats.as_manager()  # type: ignore[assignment, attr-defined]


class Guest(db.Model):
    name = db.CharField(max_length=20)
    seat = db.ForeignKey(Seat, on_delete=db.CASCADE, related_name="guests")
    before = db.ForeignKey(Seat, on_delete=db.CASCADE, null=True, related_name="+")
    wishes = db.ManyToManyField(Seat, related_name="+")


MODELS = [Musician, Record, Seat, Guest]


@pytest.fixture
def tables(database: Database) -> Database:
    """A database with the tables of these models."""
    with database.connection() as connection:
        create_all(connection, MODELS)
        connection.commit()
    return database


@pytest.fixture
def full(tables: Database) -> Database:
    """Rows with every kind of value."""
    duke = Musician.objects.create(name="Duke", password="drop me a line")
    billy = Musician.objects.create(name="Billy")
    first = Record.objects.create(title="Suite", leader=duke)
    second = Record.objects.create(
        title="Part II",
        parent=first,
        made=datetime(1956, 7, 7, 20, 30, 0, 5, tzinfo=UTC),
        day=date(1956, 7, 7),
        hour=time(20, 30, 1, 7),
        length=timedelta(days=1, seconds=2, microseconds=3),
        key=UUID(int=7),
        facts={"a": [1, None, "x"]},
        cover=b"\x00\xff",
        words=["x", "y"],
    )
    second.players.set([duke, billy])
    seat = Seat.objects.create(row=1, number=2, who="Duke")
    Guest.objects.create(name="Ivie", seat=seat).wishes.add(seat)
    return tables


def test_a_natural_key_of_a_target_with_several_columns_says_that_it_is_one(full: Database) -> None:
    content = json.loads(dump(full, MODELS, natural=True))
    guest = next(each for each in content if each["model"].endswith("guest"))["fields"]
    duke = {"natural_key": ["Duke"]}

    assert guest == {"name": "Ivie", "seat": duke, "before": None, "wishes": [duke]}
    flush(full, MODELS)
    load(full, MODELS, json.dumps(content).encode())
    assert Guest.objects.get().seat == Guest.objects.get().wishes.get() == Seat.objects.get()


@pytest.mark.parametrize("kind", ["json", "msgpack"])
def test_dump_flush_load_dump_is_the_same(full: Database, kind: Any) -> None:
    before = dump(full, MODELS, format=kind, secrets=True)

    flush(full, MODELS)
    count = load(full, MODELS, before, format=kind)

    assert count == 6
    assert dump(full, MODELS, format=kind, secrets=True) == before


def test_loaded_rows_are_what_they_were(full: Database) -> None:
    content = dump(full, MODELS)
    before = Record.objects.get(title="Part II").__dict__.copy()
    flush(full, MODELS)

    load(full, MODELS, content)

    found = Record.objects.get(title="Part II")
    names = ("made", "day", "hour", "length", "key", "facts", "cover", "words", "price", "parent_id")
    assert [getattr(found, name) for name in names] == [before[name] for name in names]
    assert sorted(each.name for each in found.players.all()) == ["Billy", "Duke"]


def test_keys_are_counted_on_behind_those_that_were_loaded(full: Database) -> None:
    content = dump(full, MODELS)
    flush(full, MODELS)
    load(full, MODELS, content)

    made = Musician.objects.create(name="New")

    assert made.pk == 3


def test_a_flushed_table_counts_from_one(full: Database) -> None:
    flush(full, MODELS)

    assert Musician.objects.create(name="New").pk == 1


def test_rows_with_the_same_key_are_written_over(full: Database) -> None:
    entry = {"model": "musician", "pk": 1, "fields": {"name": "Edward"}}

    load(full, MODELS, json.dumps([entry]).encode())

    assert Musician.objects.get(pk=1).name == "Edward"
    assert Musician.objects.count() == 2


def test_secrets_stay_where_they_are(full: Database) -> None:
    assert b"drop me" not in dump(full, MODELS)


def test_natural_keys_find_rows_that_have_other_keys_here(full: Database) -> None:
    content = dump(full, [Musician, Record], natural=True)
    flush(full, MODELS)
    Musician.objects.create(name="Someone")
    Musician.objects.create(name="Billy")

    load(full, MODELS, content)

    assert Record.objects.get(title="Suite").leader.name == "Duke"  # type: ignore[union-attr]
    players = Record.objects.get(title="Part II").players
    assert sorted(each.name for each in players.all()) == ["Billy", "Duke"]
    assert Musician.objects.count() == 3


def test_a_row_may_come_before_the_one_it_refers_to(tables: Database) -> None:
    rows = [
        {"model": "record", "pk": 1, "fields": {"title": "x", "parent": 2, "leader": 5}},
        {"model": "record", "pk": 2, "fields": {"title": "y"}},
        {"model": "musician", "pk": 5, "fields": {"name": "Duke"}},
    ]

    load(tables, MODELS, json.dumps(rows).encode())

    assert Record.objects.get(pk=1).parent_id == 2


def test_nothing_is_loaded_where_a_row_refers_to_none(tables: Database) -> None:
    rows = [{"model": "record", "pk": 1, "fields": {"title": "x", "leader": 99}}]

    with pytest.raises((DataFileError, db.IntegrityError)):
        load(tables, MODELS, json.dumps(rows).encode())

    assert Record.objects.count() == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"model": "recrod", "fields": {}}, "unknown model 'recrod'"),
        ({"model": "record", "pk": 1, "fields": {"titel": "x"}}, "unknown field 'titel'"),
        ({"model": "record", "pk": 1, "fields": {"day": "soon"}}, "day cannot be 'soon'"),
        ({"model": "record", "pk": "1 OR 1=1", "fields": {}}, "cannot be '1 OR 1=1'"),
        ({"model": "record", "pk": 2**63, "fields": {}}, "cannot be 9223372036854775808"),
        ({"model": "seat", "pk": 1, "fields": {}}, "a key that is none"),
        ({"model": "record", "pk": 1, "fields": []}, "has no fields"),
        ({"model": "record", "pk": 1, "fields": {}, "more": 1}, "is no row"),
        ({"model": "record", "pk": 1, "fields": {"cover": "?"}}, "cover cannot be"),
        ("x", "is no row"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tables: Database, row: Any, message: str) -> None:
    good = {"model": "musician", "pk": 1, "fields": {"name": "Duke"}}

    with pytest.raises(DataFileError, match=message) as caught:
        load(tables, MODELS, json.dumps([good, row]).encode())

    assert caught.value.message.startswith("Row 2 of the file")
    assert Musician.objects.count() == 0


def test_what_is_unknown_can_be_left_out(tables: Database) -> None:
    rows = [
        {"model": "gone", "pk": 1, "fields": {}},
        {"model": "musician", "pk": 1, "fields": {"name": "Duke", "gone": 3}},
    ]

    count = load(tables, MODELS, json.dumps(rows).encode(), ignore_unknown=True)

    assert count == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"<x/>",
        b"- model: x",
        b"[" * 100_000,
        b'[{"model": "record", "fields": {"facts": ' + b"[" * 500 + b"]" * 500 + b"}}]",
    ],
    ids=["empty", "object", "xml", "yaml", "deep", "nested"],
)
def test_other_formats_and_bombs_are_refused(tables: Database, content: bytes) -> None:
    with pytest.raises(DataFileError):
        load(tables, MODELS, content)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tables: Database) -> None:
    with pytest.raises(DataFileError, match=r"has 1,001 bytes; 1,000 are read"):
        load(tables, MODELS, b" " * 1001, max_bytes=1000)


def test_rows_that_are_referred_to_come_first(full: Database) -> None:
    entries = msgspec.json.decode(dump(full, [Record, Musician]))

    assert [each["model"] for each in entries] == ["musician", "musician", "record", "record"]
