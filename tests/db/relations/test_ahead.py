"""Relations that are loaded with the rows, or right after them, because the query says so."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db
from segue.db.errors import QueryError
from segue.db.managers import manager_of


class Country(db.Model):
    name = db.CharField(max_length=20)


class Musician(db.Model):
    name = db.CharField(max_length=20)
    country = db.ForeignKey(Country, on_delete=db.CASCADE, null=True, related_name="musicians")


class Profile(db.Model):
    musician = db.OneToOneField(Musician, on_delete=db.CASCADE, related_name="profile")
    text = db.CharField(max_length=20, default="")


class Tag(db.Model):
    word = db.CharField(max_length=20)

    class Meta:
        ordering = ["word"]


class Live(db.Manager["Record"]):
    def get_queryset(self) -> db.QuerySet[Record]:
        return super().get_queryset().exclude(title="gone")


class Record(db.Model):
    title = db.CharField(max_length=20)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records", null=True)
    producer = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="produced", null=True)
    tags = db.ManyToManyField(Tag, related_name="records")

    objects = manager_of(Live)
    every = manager_of(db.QuerySet)

    class Meta:
        ordering = ["title"]


class Sleeve(db.Model):
    record = db.OneToOneField(Record, on_delete=db.CASCADE, primary_key=True)
    colour = db.CharField(max_length=10, default="red")


MODELS = [Country, Musician, Profile, Tag, Record, Sleeve]


@pytest.fixture
def discs(tables: db.Database) -> dict[str, Any]:
    us, fr = [Country.objects.create(name=name) for name in ("US", "FR")]
    duke, django = Musician.objects.create(name="Duke", country=us), Musician.objects.create(name="Django", country=fr)
    Profile.objects.create(musician=duke, text="piano")
    made: dict[str, Any] = {"us": us, "fr": fr, "duke": duke, "django": django}
    for title, leader in (("A", duke), ("B", duke), ("C", django), ("D", None)):
        made[title] = Record.objects.create(title=title, leader=leader)
    swing, ballad = Tag.objects.create(word="swing"), Tag.objects.create(word="ballad")
    made["A"].tags.add(swing, ballad)
    made["B"].tags.add(swing)
    Sleeve.objects.create(record=made["A"])
    return made | {"swing": swing, "ballad": ballad}


async def every(both: Any, queryset: Any) -> list[Any]:
    """The rows of a queryset."""
    return await queryset if both.is_async else list(queryset)


async def test_a_join_loads_a_relation(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    with counting() as seen:
        found = await every(both, Record.objects.select_related("leader"))
        names = [each.leader and each.leader.name for each in found]

    assert names == ["Duke", "Duke", "Django", None]
    assert len(seen) == 1


async def test_a_join_goes_several_steps(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    with counting() as seen:
        found = await every(both, Record.objects.select_related("leader__country"))
        names = [each.leader.country.name if each.leader else None for each in found]

    assert names == ["US", "US", "FR", None]
    assert len(seen) == 1


async def test_a_join_goes_back_one_to_one(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    with counting() as seen:
        found = await every(both, Record.objects.select_related("leader__profile", "sleeve"))
        first, second, third, fourth = found
        assert (first.sleeve.colour, first.sleeve.record) == ("red", first)
        assert first.leader.profile.text == "piano"
        assert first.leader.profile.musician is first.leader
        assert not hasattr(second, "sleeve")
        assert not hasattr(third.leader, "profile")
        assert fourth.leader is None

    assert len(seen) == 1


async def test_a_join_one_to_one_knows_both_ways(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    with counting() as seen:
        sleeve = (await every(both, Sleeve.objects.select_related("record")))[0]
        assert sleeve.record.sleeve is sleeve

    assert len(seen) == 1


async def test_two_keys_to_one_model_are_two_joins(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    await both.call(Record.objects.create, title="E", leader=discs["duke"], producer=discs["django"])

    with counting() as seen:
        found = await both.call(Record.objects.select_related("leader", "producer").get, title="E")
        assert (found.leader.name, found.producer.name) == ("Duke", "Django")

    assert len(seen) == 1


def test_select_related_alone_takes_what_is_never_null(discs: Any, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        assert Sleeve.objects.select_related().get().record.title == "A"
        assert Profile.objects.select_related().get().musician.name == "Duke"

    assert len(seen) == 2


def test_a_join_loads_chosen_columns(discs: Any, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        found = Record.objects.select_related("leader").only("title", "leader__name")[0]
        assert (found.title, found.leader.name) == ("A", "Duke")
        assert "country_id" not in found.leader.__dict__

    assert len(seen) == 1


@pytest.mark.parametrize("path", ["tags", "leader__records", "title", "nothing"])
def test_a_join_refuses_what_is_not_one(tables: db.Database, path: str) -> None:
    with pytest.raises(LookupError):
        Record.objects.select_related(path)


def test_none_forgets_what_was_to_be_joined(discs: Any, tables: db.Database, counting: Any) -> None:
    found = Record.objects.select_related("leader").select_related(None)[0]

    assert "leader" not in found.__dict__


# Queries of their own


@pytest.mark.parametrize("path", ["leader", "tags", "sleeve"])
async def test_each_level_takes_one_more_query(
    tables: db.Database, both: Any, discs: Any, counting: Any, path: str
) -> None:
    with counting() as seen:
        await every(both, Record.objects.prefetch_related(path))

    assert len(seen) == 2


async def test_levels_are_counted_once(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    with counting() as seen:
        found = await every(both, Country.objects.prefetch_related("musicians__records__tags", "musicians__records"))
        words = {
            tag.word
            for country in found
            for musician in await every(both, country.musicians.all())
            for record in await every(both, musician.records.all())
            for tag in await every(both, record.tags.all())
        }

    assert words == {"swing", "ballad"}
    assert len(seen) == 4


async def test_what_was_loaded_ahead_answers_its_manager(
    tables: db.Database, both: Any, discs: Any, counting: Any
) -> None:
    found = await every(both, Musician.objects.order_by("name").prefetch_related("records"))

    with counting() as seen:
        assert [await both.call(each.records.count) for each in found] == [1, 2]
        assert await both.call(found[0].records.exists) is True
        assert [each.title for each in await every(both, found[1].records.all())] == ["A", "B"]
        assert (await every(both, found[1].records.all()))[0].leader is found[1]

    assert seen == []


async def test_a_narrowed_relation_asks_anew(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    duke = await both.call(Musician.objects.prefetch_related("records").get, name="Duke")

    with counting() as seen:
        assert [each.title for each in await every(both, duke.records.filter(title="B"))] == ["B"]

    assert len(seen) == 1


async def test_what_was_loaded_ahead_is_forgotten_when_it_changes(tables: db.Database, both: Any, discs: Any) -> None:
    record = await both.call(Record.objects.prefetch_related("tags").get, title="B")

    await both.call(record.tags.add, discs["ballad"])

    assert [each.word for each in await every(both, record.tags.all())] == ["ballad", "swing"]


async def test_the_order_of_the_model_is_kept(tables: db.Database, both: Any, discs: Any) -> None:
    record = await both.call(Record.objects.prefetch_related("tags").get, title="A")

    assert [each.word for each in await every(both, record.tags.all())] == ["ballad", "swing"]


async def test_the_first_manager_chooses_as_without(tables: db.Database, both: Any, discs: Any) -> None:
    await both.call(Record.objects.create, title="gone", leader=discs["duke"])

    plain = await both.call(Musician.objects.get, name="Duke")
    ahead = await both.call(Musician.objects.prefetch_related("records").get, name="Duke")

    assert await both.call(plain.records.count) == 2
    assert await both.call(ahead.records.count) == 2


async def test_a_queryset_of_its_own(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    rows = Record.objects.filter(title="B").select_related("leader")

    with counting() as seen:
        found = await every(both, Musician.objects.order_by("name").prefetch_related(db.Prefetch("records", rows)))
        titles = [[each.title for each in await every(both, musician.records.all())] for musician in found]

    assert titles == [[], ["B"]]
    assert len(seen) == 2


async def test_a_list_of_another_name(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    ahead = db.Prefetch("records", Record.objects.filter(title="B"), to_attr="some")

    with counting() as seen:
        found = await every(both, Musician.objects.order_by("name").prefetch_related(ahead, "records"))
        assert [[each.title for each in musician.some] for musician in found] == [[], ["B"]]
        assert [await both.call(musician.records.count) for musician in found] == [1, 2]

    assert len(seen) == 3


async def test_a_list_of_another_name_leads_on(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    ahead = db.Prefetch("records", Record.objects.filter(title="B"), to_attr="some")

    with counting() as seen:
        found = await every(both, Musician.objects.order_by("name").prefetch_related(ahead, "some__tags"))
        tags = [each.word for each in await every(both, found[1].some[0].tags.all())]

    assert tags == ["swing"]
    assert len(seen) == 3


async def test_a_queryset_brings_what_it_loads_ahead(tables: db.Database, both: Any, discs: Any, counting: Any) -> None:
    rows = Record.objects.prefetch_related("tags")

    with counting() as seen:
        found = await every(both, Musician.objects.prefetch_related(db.Prefetch("records", rows)))
        for musician in found:
            for record in await every(both, musician.records.all()):
                await every(both, record.tags.all())

    assert len(seen) == 3


async def test_a_forward_key_takes_a_queryset_too(tables: db.Database, both: Any, discs: Any) -> None:
    ahead = db.Prefetch("leader", Musician.objects.filter(name="Duke"))

    found = await every(both, Record.objects.prefetch_related(ahead))

    assert [each.leader and each.leader.name for each in found] == ["Duke", "Duke", None, None]


async def test_an_iterator_loads_ahead_for_each_chunk(
    tables: db.Database, both: Any, discs: Any, counting: Any
) -> None:
    rows = Record.objects.prefetch_related("tags")

    with counting() as seen:
        if both.is_async:
            found = [each async for each in rows.aiterator(chunk_size=2)]
        else:
            found = list(rows.iterator(chunk_size=2))

    assert len(found) == 4
    assert len([sql for sql in seen if "FROM tag" in sql]) == 2


def test_a_slice_is_refused(discs: Any, tables: db.Database) -> None:
    with pytest.raises(QueryError, match="is sliced"):
        Musician.objects.prefetch_related(db.Prefetch("records", Record.objects.all()[:2]))


def test_values_are_refused(tables: db.Database) -> None:
    with pytest.raises(QueryError, match="queryset of instances"):
        Musician.objects.prefetch_related(db.Prefetch("records", Record.objects.values("title")))


def test_a_queryset_of_another_model_is_refused(discs: Any, tables: db.Database) -> None:
    with pytest.raises(QueryError, match="queryset of Tag"):
        list(Musician.objects.prefetch_related(db.Prefetch("records", Tag.objects.all())))


def test_an_unknown_relation_is_named(discs: Any, tables: db.Database) -> None:
    with pytest.raises(QueryError, match="no relation 'record'") as caught:
        list(Musician.objects.prefetch_related("record"))

    assert "records" in caught.value.hint


def test_a_second_queryset_for_one_relation_is_refused(discs: Any, tables: db.Database) -> None:
    with pytest.raises(QueryError, match="prefetched twice"):
        list(Musician.objects.prefetch_related("records", db.Prefetch("records", Record.objects.all())))


def test_none_forgets_what_was_to_be_loaded(discs: Any, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        list(Musician.objects.prefetch_related("records").prefetch_related(None))

    assert len(seen) == 1


async def test_instances_at_hand_are_given_their_relations(
    tables: db.Database, both: Any, discs: Any, counting: Any
) -> None:
    duke, django = discs["duke"], discs["django"]

    with counting() as seen:
        if both.is_async:
            await db.aprefetch_related_objects([duke, django], "records__tags")
        else:
            db.prefetch_related_objects([duke, django], "records__tags")
        assert await both.call(duke.records.count) == 2

    assert len(seen) == 2
