"""Most saves are one statement; what that may not do is left to the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from segue import db
from segue.db import functions as fn

Tables = Callable[..., None]
MOMENT = datetime(2020, 1, 2, 3, 4, tzinfo=UTC)


class Counter(db.IntegerField[int]):
    """Counts how often its row was saved."""

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        instance.__dict__[self.attname] = value = (instance.__dict__.get(self.attname) or 0) + 1
        return value


class Event(db.Model):
    name = db.CharField(max_length=20)
    at = db.DateTimeField(null=True)
    day = db.DateField(null=True)
    made = db.DateTimeField(auto_now_add=True, null=True)

    class Meta:
        app_label = "plainly"


class Notice(db.Model):
    name = db.CharField(max_length=20)
    at = db.DateTimeField(db_default=fn.Now())

    class Meta:
        app_label = "plainly"


class Version(db.Model):
    name = db.CharField(max_length=20)
    size = db.IntegerField(default=0)
    number = Counter(default=0)

    class Meta:
        app_label = "plainly"


@pytest.mark.parametrize("name", ["at", "day", "made"])
def test_what_was_not_loaded_stays_as_it_is(database: db.Database, tables: Tables, name: str) -> None:
    tables(Event)
    event = Event.objects.create(name="Newport", at=MOMENT, day=date(2020, 1, 2))
    before = Event.objects.values(name).get()

    part = Event.objects.defer(name).get(pk=event.pk)
    part.name = "Montreux"
    part.save()

    assert Event.objects.values("name", name).get() == {"name": "Montreux", **before}


def test_the_database_gives_what_it_has_a_default_for(database: db.Database, tables: Tables) -> None:
    tables(Notice)

    notice = Notice(name="open")
    notice.save()

    assert notice.at == Notice.objects.get().at


def test_a_field_that_fills_itself_does_so_once(database: db.Database, tables: Tables) -> None:
    tables(Version)
    version = Version(name="first")
    version.save()

    version.size = db.F("size") + 1  # type: ignore[assignment]  # the database computes it
    version.save()
    Version.objects.defer("name").get().save()

    assert Version.objects.values_list("size", "number").get() == (1, 3)


def test_a_row_that_is_gone_is_made_again(database: db.Database, tables: Tables) -> None:
    tables(Event)
    event = Event.objects.create(name="Newport")
    Event.objects.all().delete()

    event.save()

    assert Event.objects.get() == event


def test_many_keep_what_was_not_loaded(database: db.Database, tables: Tables) -> None:
    tables(Event)
    Event.objects.create(name="Newport", at=MOMENT, day=date(2020, 1, 2))

    rows = list(Event.objects.only("name"))
    rows[0].day = date(2021, 1, 2)
    Event.objects.bulk_update(rows, ["at", "day"])

    assert Event.objects.values_list("at", "day").get() == (MOMENT, date(2021, 1, 2))
