"""Which database is asked: by name, by router, by the model, by where a row came from."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db
from segue.db.choice import allows_table
from segue.db.current import Databases, databases_here, route
from segue.db.database import Database
from segue.db.errors import ModelError
from segue.errors import UsageError


class Band(db.Model):
    name = db.CharField(max_length=20)


class Song(db.Model):
    title = db.CharField(max_length=20)
    band = db.ForeignKey(Band, on_delete=db.CASCADE, null=True, related_name="songs")


class Entry(db.Model):
    text = db.CharField(max_length=20)

    class Meta:
        database = "other"


class LateEntry(Entry):
    class Meta:
        proxy = True


MODELS = [Band, Song, Entry]


class ToOther:
    """Everything is in the other."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "other"


class ReadsOther:
    """Reads from the other, writes to the default."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


class Indifferent:
    """Says nothing about anything."""

    def db_for_read(self, model: Any, **hints: Any) -> None: ...

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> None: ...


class Liberal:
    """Lets rows of two databases refer to each other."""

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True


class Strict:
    """Lets nothing refer to anything."""

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return False


def names(queryset: Any) -> list[str]:
    """Return the names of bands, sorted."""
    return sorted(queryset.values_list("name", flat=True))


# By name


async def test_using_names_the_database(pair: Any, both: Any) -> None:
    await both.call(Band.objects.using("other").create, name="there")
    await both.call(Band.objects.create, name="here")

    assert [each.name for each in await both.call(listed(Band.objects.using("other")).all)] == ["there"]
    assert [each.name for each in await both.call(listed(Band.objects.all()).all)] == ["here"]


class listed:
    """A queryset whose rows are asked in either colour."""

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset

    def all(self) -> list[Any]:
        return list(self.queryset)

    async def aall(self) -> list[Any]:
        return list(await self.queryset)


def test_using_takes_a_database_itself(pair: Any) -> None:
    Band.objects.using(pair.other).create(name="there")

    assert names(Band.objects.using("other")) == ["there"]


def test_save_and_delete_take_a_database(pair: Any) -> None:
    band = Band(name="there")
    band.save(using="other")
    again = Band.objects.using("other").get()

    assert names(Band.objects.all()) == []
    again.delete(using="other")
    assert names(Band.objects.using("other")) == []


def test_a_block_and_a_statement_are_of_the_database_that_is_named(pair: Any) -> None:
    @db.atomic(using="other")
    def fail() -> None:
        Band.objects.using("other").create(name="there")
        Band.objects.create(name="here")
        raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert names(Band.objects.using("other")) == []
    assert names(Band.objects.all()) == ["here"]
    assert db.execute(Band.table.select(), using="other").all() == []


def test_an_unknown_name_is_an_error_that_names_the_nearest(pair: Any) -> None:
    with pytest.raises(UsageError) as caught:
        list(Band.objects.using("othre"))

    assert caught.value.code == "data/unknown-database"
    assert "other" in str(caught.value)


# By where a row came from


async def test_a_row_is_saved_where_it_came_from(pair: Any, both: Any) -> None:
    await both.call(Band.objects.using("other").create, name="there")
    band = (await both.call(listed(Band.objects.using("other")).all))[0]
    band.name = "still there"

    await both.call(band.save)

    found = await both.call(listed(Band.objects.using("other")).all)
    assert [each.name for each in found] == ["still there"]
    assert await both.call(Band.objects.count) == 0


def test_relations_are_asked_where_their_row_came_from(pair: Any) -> None:
    band = Band.objects.using("other").create(name="there")
    band.songs.create(title="one")

    assert Song.objects.count() == 0
    assert [song.title for song in band.songs.all()] == ["one"]
    assert Song.objects.using("other").get().band == band
    assert band.songs.filter(title="one").exists()


# By the model


async def test_a_model_says_where_its_rows_are(pair: Any, both: Any) -> None:
    await both.call(Entry.objects.create, text="x")

    assert await both.call(Entry.objects.using("other").count) == 1
    assert await both.call(Entry.objects.using("default").count) == 0


def test_a_proxy_is_where_its_model_is(pair: Any) -> None:
    LateEntry.objects.create(text="x")

    assert Entry.objects.using("other").count() == 1


# By routers


def test_a_router_decides_before_the_model(pair: Any) -> None:
    route(Indifferent(), ToOther())
    Band.objects.create(name="there")

    route()
    assert names(Band.objects.using("other")) == ["there"]
    assert names(Band.objects.all()) == []


def test_a_router_may_part_reads_from_writes(pair: Any) -> None:
    route(ReadsOther())
    Band.objects.using("other").create(name="copy")

    band = Band.objects.get()
    band.name = "new"
    band.save(force_insert=True)

    assert names(Band.objects.using("other")) == ["copy"]
    assert names(Band.objects.using("default")) == ["new"]


def test_using_decides_before_a_router(pair: Any) -> None:
    route(ToOther())

    Band.objects.using("default").create(name="here")

    assert names(Band.objects.using("default")) == ["here"]


def test_routers_belong_to_their_databases(pair: Any) -> None:
    mine = Databases({"default": pair.default}, routers=[ToOther()])

    assert databases_here().routers == []
    assert len(mine.routers) == 1


def test_a_router_says_which_tables_a_database_has(pair: Any) -> None:
    class Only:
        def allow_migrate(self, name: str, label: str, model_name: str | None = None, **hints: Any) -> bool | None:
            return name == "other" if model_name == "band" else None

    databases = Databases({"default": pair.default, "other": pair.other}, routers=[Only()])

    assert [allows_table(databases, name, Band) for name in databases] == [False, True]
    assert [allows_table(databases, name, Song) for name in databases] == [True, False]
    assert [allows_table(databases, name, Entry) for name in databases] == [False, True]


# Relations


async def test_a_relation_to_a_row_of_another_database_is_refused(pair: Any, both: Any) -> None:
    song = await both.call(Song.objects.create, title="here")
    band = await both.call(Band.objects.using("other").create, name="there")

    with pytest.raises(ModelError) as caught:
        song.band = band

    assert caught.value.code == "data/cross-database"


async def test_a_new_row_that_refers_to_another_database_is_not_saved(pair: Any, both: Any) -> None:
    band = await both.call(Band.objects.using("other").create, name="there")

    with pytest.raises(ModelError) as caught:
        await both.call(Song.objects.create, title="here", band=band)

    assert caught.value.code == "data/cross-database"
    assert await both.call(Song.objects.count) == 0


def test_rows_of_one_database_may_refer_to_each_other(pair: Any) -> None:
    band = Band.objects.using("other").create(name="there")

    song = Song.objects.using("other").create(title="there", band=band)

    assert song.band is band


def test_a_router_may_allow_a_relation_between_databases(pair: Any) -> None:
    route(Liberal())
    band = Band.objects.using("other").create(name="there")
    song = Song(title="here")

    song.band = band

    assert song.band_id == band.pk


def test_a_router_may_refuse_a_relation(pair: Any) -> None:
    route(Strict(), Liberal())
    band = Band.objects.using("other").create(name="there")
    song = Song.objects.create(title="here")

    with pytest.raises(ModelError):
        song.band = band


def test_a_foreign_key_to_a_model_of_another_database_is_refused(pair: Any) -> None:
    with pytest.raises(ModelError) as caught:

        class Comment(db.Model):
            entry = db.ForeignKey(Entry, on_delete=db.CASCADE, related_name="+")

    assert caught.value.code == "data/cross-database"
    assert "Comment.entry refers to Entry" in str(caught.value)


def test_a_many_to_many_relation_between_databases_is_refused(pair: Any) -> None:
    with pytest.raises(ModelError) as caught:

        class Book(db.Model):
            entries = db.ManyToManyField(Entry, related_name="+")

    assert caught.value.code == "data/cross-database"


def test_a_child_is_where_its_parent_is(pair: Any) -> None:
    class Child(Entry):
        more = db.CharField(max_length=20, default="")

    assert Child._meta.database == "other"


def test_two_objects_for_one_address_are_one_place(pair: Any) -> None:
    again = Database(pair.default.url)

    assert again.is_same_place(pair.default)
    assert not again.is_same_place(pair.other)
    assert not Database("sqlite://:memory:").is_same_place(Database("sqlite://:memory:"))
