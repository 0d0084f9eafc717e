"""An instance is made, saved, loaded again, compared, copied and deleted as in Django."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from databases import on_loop

from segue import db

Tables = Callable[..., None]


class Singer(db.Model):
    name = db.CharField(max_length=20)

    class Meta:
        app_label = "songs"

    def __str__(self) -> str:
        return self.name


class Song(db.Model):
    title = db.CharField(max_length=20)
    plays = db.IntegerField(default=0)
    singer = db.ForeignKey(Singer, on_delete=db.CASCADE, null=True, related_name="songs")

    class Meta:
        app_label = "songs"

    @property
    def shown(self) -> str:
        return self.title

    @shown.setter
    def shown(self, value: str) -> None:
        self.title = value


class Tag(db.Model):
    word = db.CharField(max_length=9, primary_key=True)
    weight = db.IntegerField(default=1)

    class Meta:
        app_label = "songs"


class Shouting(db.Model):
    """Overrides save() and delete() alone."""

    title = db.CharField(max_length=20)
    deleted: list[str] = []

    class Meta:
        app_label = "songs"

    def save(self, **options: Any) -> None:
        self.title = self.title.upper()
        super().save(**options)

    def delete(self, **options: Any) -> tuple[int, dict[str, int]]:
        self.deleted.append(self.title)
        return super().delete(**options)


class Whispering(db.Model):
    """Overrides asave() and adelete() alone."""

    title = db.CharField(max_length=20)

    class Meta:
        app_label = "songs"

    async def asave(self, **options: Any) -> None:
        self.title = self.title.lower()
        await super().asave(**options)

    async def adelete(self, **options: Any) -> tuple[int, dict[str, int]]:
        return await super().adelete(**options)


ALL = (Singer, Song, Tag, Shouting, Whispering)


@pytest.fixture(autouse=True)
def made(request: pytest.FixtureRequest) -> None:
    if "database" in request.fixturenames:
        request.getfixturevalue("tables")(*ALL)


class Seen(list[str]):
    """The statements that a database was told."""

    def writes(self) -> list[str]:
        """Return what was written: the verb and the table."""
        words = [sql.split() for sql in self]
        return [each[0] for each in words if each[0] in ("INSERT", "UPDATE", "DELETE")]


@pytest.fixture
def seen(database: db.Database, made: None) -> Seen:
    found = Seen()
    database.observers.append(lambda prepared, *_: found.append(prepared.sql))
    return found


# Making


def test_values_are_given_by_name_by_position_and_by_property() -> None:
    assert Song(None, "x", 3).plays == 3
    assert Song(title="x", plays=3).title == "x"
    assert Song(shown="y").title == "y"
    assert Song(pk=7).id == 7
    assert Song(singer_id=4).singer_id == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("args", "values", "told"),
    [
        ((), {"titel": "x"}, "title"),
        ((1, "x", 2, 3, 4), {}, "at most 4"),
        ((1, "x"), {"title": "y"}, "two values for title"),
    ],
)
def test_values_that_no_field_takes_are_an_error(args: Any, values: Any, told: str) -> None:
    with pytest.raises(TypeError) as caught:
        Song(*args, **values)

    assert told in str(caught.value)


def test_an_instance_shows_what_it_is() -> None:
    assert repr(Singer(name="Nina")) == "<Singer: Nina>"
    assert repr(Song(pk=3, title="x")) == "<Song: Song 3>"


# Saving


def test_save_inserts_once_and_then_updates(database: db.Database, seen: Seen) -> None:
    song = Song(title="x")
    assert song.is_stored is False

    song.save()
    song.title = "y"
    song.save()

    assert seen.writes() == ["INSERT", "UPDATE"]
    assert song.is_stored is True
    assert Song.objects.get().title == "y"


def test_update_fields_writes_one_column(database: db.Database, seen: Seen) -> None:
    song = Song.objects.create(title="x")
    seen.clear()

    song.title, song.plays = "y", 5
    song.save(update_fields=["title"])

    assert seen.writes() == ["UPDATE"]
    assert "plays" not in seen[0]
    assert (Song.objects.get().title, Song.objects.get().plays) == ("y", 0)


def test_no_update_fields_write_nothing(database: db.Database, seen: Seen) -> None:
    song = Song.objects.create(title="x")
    seen.clear()

    song.save(update_fields=[])

    assert seen == []


def test_update_fields_take_the_column_of_a_relation(database: db.Database) -> None:
    song, singer = Song.objects.create(title="x"), Singer.objects.create(name="Nina")

    song.singer = singer
    song.save(update_fields=["singer"])
    assert Song.objects.get().singer == singer
    song.singer = None
    song.save(update_fields=["singer_id"])
    assert Song.objects.get().singer is None


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"update_fields": ["titel"]}, "data/unknown-name"),
        ({"update_fields": "title"}, "data/argument"),
        ({"force_insert": True, "force_update": True}, "data/argument"),
        ({"force_insert": True, "update_fields": ["title"]}, "data/argument"),
    ],
)
def test_options_of_save_that_cannot_be_are_errors(database: db.Database, options: Any, code: str) -> None:
    song = Song.objects.create(title="x")

    with pytest.raises((ValueError, db.FieldError)) as caught:
        song.save(**options)

    assert caught.value.code == code  # type: ignore[union-attr]


def test_force_insert_fails_where_the_key_exists(database: db.Database) -> None:
    Tag.objects.create(word="a")

    with pytest.raises(db.IntegrityError) as caught:
        Tag(word="a").save(force_insert=True)

    assert caught.value.kind == "unique"


def test_force_update_fails_where_the_row_is_gone(database: db.Database) -> None:
    song = Song.objects.create(title="x")
    Song.objects.all().delete()

    with pytest.raises(db.DatabaseError) as caught:
        song.save(force_update=True)
    assert caught.value.code == "data/not-updated"
    with pytest.raises(db.DatabaseError):
        song.save(update_fields=["title"])
    with pytest.raises(ValueError):
        Song(title="new").save(force_update=True)


def test_a_row_that_was_deleted_meanwhile_is_inserted_again(database: db.Database) -> None:
    song = Song.objects.create(title="x")
    Song.objects.all().delete()

    song.save()

    assert Song.objects.get().pk == song.pk


def test_a_key_of_ones_own_updates_the_row_that_has_it(database: db.Database, seen: Seen) -> None:
    Tag(word="a", weight=1).save()
    Tag(word="a", weight=5).save()

    assert [tag.weight for tag in Tag.objects.all()] == [5]


def test_a_copy_is_made_by_taking_the_key_away(database: db.Database) -> None:
    song = Song.objects.create(title="x")

    song.pk = None
    song.save()

    assert Song.objects.count() == 2


def test_an_expression_is_computed_by_the_database(database: db.Database) -> None:
    song = Song.objects.create(title="x", plays=2)

    song.plays = db.F("plays") + 3  # type: ignore[assignment]
    song.save()

    assert song.plays == 5
    assert Song.objects.get().plays == 5


def test_an_expression_in_a_new_row_may_not_name_its_fields(database: db.Database) -> None:
    with pytest.raises(ValueError) as caught:
        Song(title="x", plays=db.F("plays") + 1).save()

    assert caught.value.code == "data/insert-expression"  # type: ignore[attr-defined]


def test_deferred_fields_are_not_written(database: db.Database, seen: Seen) -> None:
    Song.objects.create(title="x", plays=1)
    song = Song.objects.defer("plays").get()
    Song.objects.update(plays=9)
    seen.clear()

    song.title = "y"
    song.save()

    assert "plays" not in seen[0]
    assert Song.objects.get().plays == 9


def test_a_related_instance_must_be_saved_first(database: db.Database) -> None:
    song = Song(title="x", singer=Singer(name="Nina"))

    with pytest.raises(ValueError) as caught:
        song.save()

    assert caught.value.code == "data/unsaved"  # type: ignore[attr-defined]
    assert song.singer is not None
    song.singer.save()
    song.save()
    assert Song.objects.get().singer == song.singer


def test_save_goes_to_the_database_it_is_told(database: db.Database) -> None:
    from segue.db.schema import create_all

    other = db.connect("sqlite://:memory:", name="other")
    with other.connection() as connection:
        create_all(connection, ALL)
        connection.commit()

    song = Song(title="x")
    song.save(using="other")

    assert (Song.objects.count(), Song.objects.using("other").count()) == (0, 1)
    song.title = "y"
    song.save()
    assert Song.objects.using("other").get().title == "y"
    song.delete()
    assert Song.objects.using("other").count() == 0
    db.disconnect("other")


# Loading again


def test_refresh_loads_all_or_some_fields_anew(database: db.Database) -> None:
    song = Song.objects.create(title="x", plays=1)
    Song.objects.update(title="y", plays=2)

    song.refresh_from_db(fields=["title"])
    assert (song.title, song.plays) == ("y", 1)
    song.refresh_from_db()
    assert song.plays == 2


def test_refresh_forgets_relations(database: db.Database) -> None:
    first, second = Singer.objects.create(name="a"), Singer.objects.create(name="b")
    song = Song.objects.create(title="x", singer=first)
    Song.objects.update(singer=second)

    song.refresh_from_db()

    assert song.singer == second


def test_refresh_of_a_row_that_is_gone_says_so(database: db.Database) -> None:
    song = Song.objects.create(title="x")
    Song.objects.all().delete()

    with pytest.raises(Song.DoesNotExist):
        song.refresh_from_db()
    with pytest.raises(ValueError) as caught:
        Song(title="new").refresh_from_db()
    assert caught.value.code == "data/unsaved"  # type: ignore[attr-defined]


def test_refresh_may_come_from_a_queryset(database: db.Database) -> None:
    song = Song.objects.create(title="x", plays=1)

    song.refresh_from_db(from_queryset=Song.objects.filter(plays=1))
    with pytest.raises(Song.DoesNotExist):
        song.refresh_from_db(from_queryset=Song.objects.filter(plays=2))


def test_deferred_fields_are_told(database: db.Database) -> None:
    Song.objects.create(title="x")
    song = Song.objects.only("title").get()

    assert song.get_deferred_fields() == {"plays", "singer_id"}
    _ = song.plays
    assert song.get_deferred_fields() == {"singer_id"}


# Equality


def test_instances_are_equal_by_model_and_key(database: db.Database) -> None:
    song, other = Song.objects.create(title="x"), Song.objects.create(title="x")
    singer = Singer.objects.create(pk=song.pk, name="x")

    assert song == Song.objects.get(pk=song.pk)
    assert song != other
    assert song != singer
    assert song != song.pk
    assert len({song, Song.objects.get(pk=song.pk), other}) == 2


def test_unsaved_instances_are_equal_to_themselves_alone() -> None:
    song = Song(title="x")

    assert song == song
    assert song != Song(title="x")
    with pytest.raises(TypeError) as caught:
        hash(song)
    assert "not saved" in str(caught.value)


# Copies


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda song: pickle.loads(pickle.dumps(song))])
def test_a_copy_is_equal_and_apart(database: db.Database, copied: Any) -> None:
    singer = Singer.objects.create(name="Nina")
    Song.objects.create(title="x", singer=singer)
    song = Song.objects.select_related("singer").get()

    other = copied(song)
    other.title = "y"

    assert other == song
    assert song.title == "x"
    assert other.singer.name == "Nina"
    other.save()
    assert Song.objects.get().title == "y"


def test_a_pickled_instance_fetches_what_was_not_loaded(database: db.Database) -> None:
    Song.objects.create(title="x", singer=Singer.objects.create(name="Nina"))

    song = pickle.loads(pickle.dumps(Song.objects.only("title").get()))

    assert (song.plays, song.singer.name) == (0, "Nina")


def test_a_queryset_is_pickled_with_its_rows(database: db.Database, seen: Seen) -> None:
    Song.objects.create(title="x")
    songs = pickle.loads(pickle.dumps(Song.objects.filter(title="x")))
    seen.clear()

    assert [song.title for song in songs] == ["x"]
    assert seen == []


def test_an_error_of_a_model_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(Song.DoesNotExist("gone")))

    assert isinstance(error, Song.DoesNotExist)


# Deleting


def test_delete_counts_what_went(database: db.Database) -> None:
    singer = Singer.objects.create(name="Nina")
    Song.objects.create(title="x", singer=singer)

    assert singer.delete() == (2, {"songs.Song": 1, "songs.Singer": 1})
    assert singer.pk is None


def test_what_was_not_saved_cannot_be_deleted() -> None:
    with pytest.raises(ValueError) as caught:
        Song(title="x").delete()

    assert caught.value.code == "data/unsaved"  # type: ignore[attr-defined]


# In async code, and overriding one colour


def test_each_method_has_an_async_twin(database: db.Database) -> None:
    async def story() -> list[Any]:
        song = Song(title="x")
        await song.asave()
        await Song.objects.aupdate(plays=4)
        await song.arefresh_from_db()
        song.title = "y"
        await song.asave(update_fields=["title"])
        told = [song.plays, (await Song.objects.aget()).title]
        await song.afull_clean()
        return [*told, await song.adelete(), await Song.objects.acount()]

    assert on_loop(story()) == [4, "y", (1, {"songs.Song": 1}), 0]


def test_asave_runs_a_save_that_alone_is_overridden(database: db.Database) -> None:
    async def story() -> str:
        song = Shouting(title="x")
        await song.asave()
        async with db.atomic():
            song.title = "y"
            await song.asave()
        return (await Shouting.objects.aget(pk=song.pk)).title

    assert on_loop(story()) == "Y"


def test_adelete_runs_a_delete_that_alone_is_overridden(database: db.Database) -> None:
    async def story() -> int:
        song = await Shouting.objects.acreate(title="z")
        await song.adelete()
        return await Shouting.objects.acount()

    assert on_loop(story()) == 0
    assert Shouting.deleted[-1] == "Z"


def test_create_goes_through_save(database: db.Database) -> None:
    assert Shouting.objects.create(title="x").title == "X"
    assert Shouting.objects.get_or_create(title="y")[0].title == "Y"


def test_save_is_refused_where_asave_alone_is_overridden(database: db.Database) -> None:
    song = Whispering(title="X")

    with pytest.raises(ValueError) as caught:
        song.save()

    assert caught.value.code == "data/async-override"  # type: ignore[attr-defined]
    assert "await" in caught.value.hint  # type: ignore[attr-defined]

    async def story() -> str:
        await song.asave()
        return (await Whispering.objects.aget()).title

    assert on_loop(story()) == "x"
    with pytest.raises(ValueError):
        Whispering.objects.get().delete()


def test_a_blocking_call_on_the_loop_names_its_twin(database: db.Database) -> None:
    async def story() -> None:
        Song(title="x").save()

    with pytest.raises(db.errors.UsageError) as caught:
        on_loop(story())

    assert caught.value.code == "data/blocking-call"
    assert "asave" in caught.value.hint


# Neighbours


def test_neighbours_by_a_date(database: db.Database, tables: Tables) -> None:
    from datetime import date

    class Concert(db.Model):
        day = db.DateField()
        name = db.CharField(max_length=9)

    tables(Concert)
    first, second, third = (
        Concert.objects.create(day=date(2024, 1, day), name=name) for day, name in ((1, "a"), (2, "b"), (2, "c"))
    )

    assert first.get_next_by_day() == second  # type: ignore[attr-defined]
    assert second.get_next_by_day() == third  # type: ignore[attr-defined]
    assert third.get_previous_by_day() == second  # type: ignore[attr-defined]
    assert first.get_next_by_day(name="c") == third  # type: ignore[attr-defined]
    with pytest.raises(Concert.DoesNotExist):
        third.get_next_by_day()  # type: ignore[attr-defined]
    assert on_loop(first.aget_next_by_day()) == second  # type: ignore[attr-defined]
