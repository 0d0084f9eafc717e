"""References to rows of any model, as in Django's contenttypes framework."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

import pytest

from segue import db
from segue.db.errors import QueryError


class Tag(db.Model):
    word = db.CharField(max_length=20)
    content_type = db.ContentTypeField()
    object_id = db.PositiveBigIntegerField()
    about = db.GenericForeignKey()

    class Meta:
        ordering = ["word"]
        indexes = [db.Index(fields=["content_type", "object_id"])]


class Note(db.Model):
    """Keeps the key as text, so it can be about anything."""

    text = db.CharField(max_length=20, default="")
    kind = db.ContentTypeField(null=True)
    key = db.CharField(max_length=80, null=True)
    about = db.GenericForeignKey("kind", "key")

    class Meta:
        ordering = ["text"]


class Animal(db.Model):
    name = db.CharField(max_length=20)
    tags = db.GenericRelation(Tag, related_query_name="animal")
    notes = db.GenericRelation(Note, content_type_field="kind", object_id_field="key", related_query_name="animal")


class Mineral(db.Model):
    name = db.CharField(max_length=20)
    tags = db.GenericRelation("Tag", related_query_name="mineral")


class Gem(Mineral):
    carats = db.IntegerField(default=1)


class Pet(Animal):
    class Meta:
        proxy = True


class Token(db.Model):
    id = db.UUIDField(primary_key=True, default=uuid.uuid4)
    notes = db.GenericRelation(Note, content_type_field="kind", object_id_field="key", related_query_name="token")


class Word(db.Model):
    word = db.CharField(max_length=20, primary_key=True)
    notes = db.GenericRelation(Note, content_type_field="kind", object_id_field="key", related_query_name="word")


class Seat(db.Model):
    row = db.CharField(max_length=5)
    number = db.IntegerField()
    pk = db.CompositePrimaryKey("row", "number")
    notes = db.GenericRelation(Note, content_type_field="kind", object_id_field="key", related_query_name="seat")


class Filed(db.Model):
    """Keeps the key as JSON."""

    kind = db.ContentTypeField()
    key = db.JSONField()
    about = db.GenericForeignKey("kind", "key")


MODELS = [Tag, Note, Animal, Mineral, Gem, Token, Word, Seat, Filed]


@pytest.fixture
def zoo(tables: db.Database) -> dict[str, Any]:
    made: dict[str, Any] = {
        "lion": Animal.objects.create(name="Lion"),
        "frog": Animal.objects.create(name="Frog"),
        "quartz": Mineral.objects.create(name="Quartz"),
    }
    for word, about in (("yellow", "lion"), ("furry", "lion"), ("green", "frog"), ("shiny", "quartz")):
        made[word] = Tag.objects.create(word=word, about=made[about])
    return made


async def every(both: Any, queryset: Any) -> list[Any]:
    """The rows of a queryset."""
    return await queryset if both.is_async else list(queryset)


def words(tags: Any) -> list[str]:
    return [each.word for each in tags]


# Types


def test_a_type_is_a_label(tables: db.Database) -> None:
    kind = db.ContentType.of(Animal)

    assert kind == "animal"
    assert (kind.app_label, kind.model, kind.name) == ("", "animal", "animal")
    assert kind.model_class() is Animal
    assert db.ContentType.objects.get_for_model(Animal) == kind
    assert db.ContentType.objects.get_by_natural_key("club", "record") == "club.record"


def test_a_proxy_is_its_model_unless_it_is_asked_for(tables: db.Database) -> None:
    assert db.ContentType.of(Pet) == "animal"
    assert db.ContentType.of(Pet, for_concrete_model=False) == "pet"


def test_a_type_travels_as_text() -> None:
    kind = pickle.loads(pickle.dumps(db.ContentType.of(Animal)))

    assert type(kind) is db.ContentType
    assert kind.model_class() is Animal


def test_a_type_whose_model_is_gone_has_none() -> None:
    kind = db.ContentType("club.nothing")

    assert kind.model_class() is None
    with pytest.raises(db.DoesNotExist, match=r"no model 'club\.nothing'"):
        kind.get_object_for_this_type(pk=1)


async def test_a_type_finds_its_rows(tables: db.Database, both: Any, zoo: Any) -> None:
    kind = db.ContentType.of(Animal)

    assert await both.call(kind.get_object_for_this_type, name="Lion") == zoo["lion"]
    assert await both.call(kind.get_all_objects_for_this_type(name="Frog").get) == zoo["frog"]


# The reference


async def test_a_row_refers_to_any_model(tables: db.Database, both: Any, zoo: Any) -> None:
    tag = await both.call(Tag.objects.get, word="shiny")

    assert await both.call(tag.fetch, "about") == zoo["quartz"]
    assert tag.about == zoo["quartz"]
    assert tag.content_type == "mineral"
    assert tag.object_id == zoo["quartz"].pk


def test_assigning_sets_type_and_key(zoo: Any) -> None:
    tag = zoo["shiny"]

    tag.about = zoo["lion"]
    tag.save()

    assert (tag.content_type.model_class(), tag.object_id) == (Animal, zoo["lion"].pk)
    assert Tag.objects.get(pk=tag.pk).about == zoo["lion"]


def test_a_changed_key_is_seen(zoo: Any) -> None:
    tag = Tag.objects.get(word="yellow")
    assert tag.about == zoo["lion"]

    tag.object_id = zoo["frog"].pk

    assert tag.about == zoo["frog"]


def test_a_type_may_be_given_as_a_model_or_a_label(zoo: Any) -> None:
    one = Tag.objects.create(word="a", content_type=Animal, object_id=zoo["lion"].pk)
    two = Tag.objects.create(word="b", content_type="mineral", object_id=zoo["quartz"].pk)

    assert (one.about, two.about) == (zoo["lion"], zoo["quartz"])
    assert one.content_type.model_class() is Animal
    assert Tag.objects.filter(content_type=Animal).count() == 4
    assert Tag.objects.filter(content_type=db.ContentType.of(Mineral), object_id=zoo["quartz"].pk).count() == 2
    assert Tag.objects.filter(content_type__in=[Animal, Mineral]).count() == 6


def test_a_reference_may_lead_nowhere(zoo: Any) -> None:
    zoo["shiny"].object_id = 99_999
    zoo["shiny"].save()

    assert Tag.objects.get(word="shiny").about is None


def test_a_reference_may_be_empty(tables: db.Database) -> None:
    note = Note.objects.create()

    assert note.about is None
    assert Note.objects.get().about is None


def test_none_takes_a_reference_away(zoo: Any) -> None:
    note = Note.objects.create(about=zoo["lion"])

    note.about = None
    note.save()

    assert (Note.objects.get().kind, Note.objects.get().key) == (None, None)


def test_what_was_not_saved_is_refused(tables: db.Database) -> None:
    with pytest.raises(QueryError, match="was not saved"):
        Tag(about=Animal(name="x"))


def test_what_is_no_row_is_refused(tables: db.Database) -> None:
    with pytest.raises(QueryError, match="takes a row of a model, not str"):
        Tag(about="lion")


async def test_peers_take_one_query_for_each_type(tables: db.Database, both: Any, zoo: Any, counting: Any) -> None:
    with counting() as seen:
        tags = await every(both, Tag.objects.all())
        await both.call(tags[0].fetch, "about")
        names = [each.about.name for each in tags]

    assert names == ["Lion", "Frog", "Quartz", "Lion"]
    assert len(seen) == 3


async def test_a_prefetch_takes_one_query_for_each_type(
    tables: db.Database, both: Any, zoo: Any, counting: Any
) -> None:
    with counting() as seen:
        tags = await every(both, Tag.objects.prefetch_related("about"))
        names = [each.about.name for each in tags]

    assert names == ["Lion", "Frog", "Quartz", "Lion"]
    assert len(seen) == 3


async def test_a_prefetch_leads_on_from_every_type(tables: db.Database, both: Any, zoo: Any, counting: Any) -> None:
    with counting() as seen:
        tags = await every(both, Tag.objects.prefetch_related("about__tags"))
        found = [words(await every(both, each.about.tags.all())) for each in tags]

    assert found == [["furry", "yellow"], ["green"], ["shiny"], ["furry", "yellow"]]
    assert len(seen) == 5


async def test_each_type_may_have_its_queryset(tables: db.Database, both: Any, zoo: Any, counting: Any) -> None:
    ahead = db.GenericPrefetch("about", [Animal.objects.filter(name="Lion"), Mineral.objects.only("name")])

    with counting() as seen:
        tags = await every(both, Tag.objects.prefetch_related(ahead))
        names = [each.about and each.about.name for each in tags]

    assert names == ["Lion", None, "Quartz", "Lion"]
    assert len(seen) == 3


def test_one_queryset_for_every_type_is_refused(zoo: Any) -> None:
    with pytest.raises(QueryError, match="several models"):
        list(Tag.objects.prefetch_related(db.Prefetch("about", Animal.objects.all())))


def test_a_reference_that_was_not_loaded_is_refused_on_the_loop(zoo: Any) -> None:
    import asyncio

    async def handler() -> None:
        _ = (await Tag.objects.all())[0].about

    with pytest.raises(QueryError, match=r"Tag\.about was not loaded") as caught:
        asyncio.run(handler())

    assert 'prefetch_related("about")' in caught.value.hint


# The way back


async def test_the_way_back_has_the_rows_of_its_type(tables: db.Database, both: Any, zoo: Any) -> None:
    assert zoo["lion"].pk == zoo["quartz"].pk or True
    assert words(await every(both, zoo["lion"].tags.all())) == ["furry", "yellow"]
    assert words(await every(both, zoo["quartz"].tags.all())) == ["shiny"]
    assert await both.call(zoo["lion"].tags.filter(word="furry").count) == 1


async def test_rows_of_the_way_back_know_their_instance(
    tables: db.Database, both: Any, zoo: Any, counting: Any
) -> None:
    with counting() as seen:
        for each in await every(both, zoo["lion"].tags.all()):
            assert each.about is zoo["lion"]

    assert len(seen) == 1


async def test_the_way_back_creates(tables: db.Database, both: Any, zoo: Any) -> None:
    tag = await both.call(zoo["frog"].tags.create, word="wet")
    same, created = await both.call(zoo["frog"].tags.get_or_create, word="wet")

    assert tag.about is zoo["frog"]
    assert (same, created) == (tag, False)
    assert await both.call(zoo["frog"].tags.count) == 2


async def test_the_way_back_adds(tables: db.Database, both: Any, zoo: Any) -> None:
    await both.call(zoo["frog"].tags.add, zoo["shiny"])
    await both.call(zoo["frog"].tags.add, Tag(word="new"), bulk=False)

    assert words(await every(both, zoo["frog"].tags.all())) == ["green", "new", "shiny"]
    assert await both.call(zoo["quartz"].tags.exists) is False


async def test_removing_deletes(tables: db.Database, both: Any, zoo: Any) -> None:
    await both.call(zoo["lion"].tags.remove, zoo["furry"], zoo["green"])

    assert words(await every(both, Tag.objects.all())) == ["green", "shiny", "yellow"]


async def test_clearing_deletes_all_of_one(tables: db.Database, both: Any, zoo: Any) -> None:
    await both.call(zoo["lion"].tags.clear)

    assert words(await every(both, Tag.objects.all())) == ["green", "shiny"]


@pytest.mark.parametrize("clear", [True, False])
async def test_setting_deletes_the_others(tables: db.Database, both: Any, zoo: Any, clear: bool) -> None:
    keep = zoo["green"] if clear else zoo["furry"]

    await both.call(zoo["lion"].tags.set, [keep], clear=clear)

    assert words(await every(both, zoo["lion"].tags.all())) == [keep.word]


async def test_the_way_back_is_prefetched(tables: db.Database, both: Any, zoo: Any, counting: Any) -> None:
    with counting() as seen:
        animals = await every(both, Animal.objects.order_by("name").prefetch_related("tags"))
        found = [words(await every(both, each.tags.all())) for each in animals]
        assert animals[1].tags.all()[0].about is animals[1] if not both.is_async else True

    assert found == [["green"], ["furry", "yellow"]]
    assert len(seen) == 2


def test_queries_go_both_ways(zoo: Any) -> None:
    assert list(Animal.objects.filter(tags__word="furry")) == [zoo["lion"]]
    assert list(Mineral.objects.filter(tags__word="furry")) == []
    assert list(Animal.objects.exclude(tags__word="furry")) == [zoo["frog"]]
    assert words(Tag.objects.filter(animal__name="Lion")) == ["furry", "yellow"]
    assert words(Tag.objects.filter(mineral__name="Quartz")) == ["shiny"]
    assert words(Tag.objects.exclude(animal__name="Lion")) == ["green", "shiny"]
    assert words(Tag.objects.filter(animal=zoo["frog"])) == ["green"]
    assert words(Tag.objects.filter(animal__isnull=True)) == ["shiny"]
    assert Animal.objects.annotate(n=db.Count("tags")).get(name="Lion").n == 2
    assert Animal.objects.aggregate(n=db.Count("tags"))["n"] == 3


async def test_rows_go_with_what_they_refer_to(tables: db.Database, both: Any, zoo: Any) -> None:
    assert await both.call(zoo["lion"].delete) == (3, {"Animal": 1, "Tag": 2})
    assert await both.call(Mineral.objects.all().delete) == (2, {"Mineral": 1, "Tag": 1})
    assert words(await every(both, Tag.objects.all())) == ["green"]


async def test_a_child_has_its_own_rows(tables: db.Database, both: Any) -> None:
    gem = await both.call(Gem.objects.create, name="Ruby")
    await both.call(gem.tags.create, word="red")

    assert words(await every(both, gem.tags.all())) == ["red"]
    assert (await both.call(Tag.objects.get)).content_type == "gem"
    assert await both.call(gem.delete) == (3, {"Gem": 1, "Mineral": 1, "Tag": 1})


def test_the_way_back_cannot_be_assigned(zoo: Any) -> None:
    with pytest.raises(QueryError, match=r"tags\.set"):
        zoo["lion"].tags = []


# Keys of every kind


def made_of(kind: str) -> Any:
    return {
        "number": lambda: Animal.objects.create(name="Lion"),
        "uuid": lambda: Token.objects.create(),
        "text": lambda: Word.objects.create(word='a "b" ü'),
        "several": lambda: Seat.objects.create(row='A"ü', number=7),
    }[kind]()


KEYS = ["number", "uuid", "text", "several"]


@pytest.mark.parametrize("kind", KEYS)
def test_a_text_keeps_every_key(tables: db.Database, kind: str) -> None:
    target, other = made_of(kind), Mineral.objects.create(name="x")
    Note.objects.create(text="b", about=target)
    Note.objects.create(text="c", about=other)

    assert Note.objects.get(text="b").about == target
    assert [each.text for each in target.notes.all()] == ["b"]
    assert target.notes.create(text="d").about == target
    assert [each.about for each in Note.objects.prefetch_related("about")] == [target, other, target]


@pytest.mark.parametrize("kind", KEYS)
def test_queries_join_by_every_key(tables: db.Database, kind: str) -> None:
    target, other = made_of(kind), Mineral.objects.create(name="x")
    Note.objects.create(text="b", about=target)
    Note.objects.create(text="c", about=other)
    Note.objects.create(text="d")
    model, name = type(target), type(target).__name__.lower()

    assert list(model.objects.filter(notes__text="b")) == [target]
    assert list(model.objects.filter(notes__text="c")) == []
    assert [each.text for each in Note.objects.filter(**{name: target})] == ["b"]
    assert [each.text for each in Note.objects.filter(**{f"{name}__isnull": True})] == ["c", "d"]


@pytest.mark.parametrize("kind", KEYS)
def test_rows_are_deleted_by_every_key(tables: db.Database, kind: str) -> None:
    target = made_of(kind)
    Note.objects.create(about=target)

    assert target.delete()[0] == 2
    assert Note.objects.count() == 0


@pytest.mark.parametrize("kind", KEYS)
def test_json_keeps_every_key(tables: db.Database, kind: str) -> None:
    target = made_of(kind)
    Filed.objects.create(about=target)

    assert Filed.objects.get().about == target


def test_a_number_cannot_keep_several_columns(tables: db.Database) -> None:
    with pytest.raises(QueryError, match=r"Tag\.object_id cannot keep the key of Seat") as caught:
        Tag(about=Seat.objects.create(row="A", number=7))

    assert "CharField" in caught.value.hint


def test_a_number_cannot_keep_a_uuid(tables: db.Database) -> None:
    with pytest.raises(QueryError, match=r"Tag\.object_id cannot keep the key of Token"):
        Tag(about=Token.objects.create())
