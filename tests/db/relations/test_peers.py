"""Relations are loaded for all instances of one fetch; on the loop, only when that is awaited."""

from __future__ import annotations

import asyncio
import gc
import inspect
import weakref
from typing import Any

import pytest

from segue import db
from segue.db.errors import ModelError, QueryError


class Country(db.Model):
    name = db.CharField(max_length=20)


class Musician(db.Model):
    name = db.CharField(max_length=20)
    country = db.ForeignKey(Country, on_delete=db.CASCADE, null=True)


class Record(db.Model):
    title = db.CharField(max_length=20)
    year = db.IntegerField(default=1950)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, null=True, related_name="records")

    class Meta:
        ordering = ["id"]


class Sleeve(db.Model):
    record = db.OneToOneField(Record, on_delete=db.CASCADE, related_name="sleeve")
    colour = db.CharField(max_length=10, default="red")


class Lonely(db.Model):
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="+")

    class Meta:
        fetch_mode = db.FETCH_ONE


class Strict(db.Model):
    title = db.CharField(max_length=20, default="")
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="+")

    class Meta:
        fetch_mode = db.RAISE


MODELS = [Country, Musician, Record, Sleeve, Lonely, Strict]


@pytest.fixture
def records(tables: db.Database) -> None:
    """A hundred records of ten leaders from two countries, every second with a sleeve."""
    Country.objects.bulk_create([Country(name=name) for name in ("US", "FR")])
    countries = list(Country.objects.order_by("id"))
    Musician.objects.bulk_create([Musician(name=f"M{n}", country=countries[n % 2]) for n in range(10)])
    leaders = list(Musician.objects.order_by("id"))
    Record.objects.bulk_create([Record(title=f"R{n}", leader=leaders[n % 10]) for n in range(100)])
    Sleeve.objects.bulk_create([Sleeve(record=each) for each in Record.objects.all()[::2]])


async def every(both: Any, queryset: Any) -> list[Any]:
    """The rows of a queryset."""
    return await queryset if both.is_async else list(queryset)


async def test_a_hundred_leaders_take_one_more_query(
    tables: db.Database, both: Any, records: None, counting: Any
) -> None:
    with counting() as seen:
        found = await every(both, Record.objects.all())
        await both.call(found[7].fetch, "leader")
        names = {each.leader.name for each in found}

    assert len(seen) == 2
    assert names == {f"M{n}" for n in range(10)}


def test_touching_one_loads_all(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        names = [each.leader.name for each in Record.objects.all()]

    assert len(seen) == 2
    assert len(names) == 100


def test_what_is_behind_a_relation_has_peers_too(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        names = {each.leader.country.name for each in Record.objects.all()}

    assert len(seen) == 3
    assert names == {"US", "FR"}


async def test_several_steps_are_fetched_at_once(tables: db.Database, both: Any, records: None, counting: Any) -> None:
    with counting() as seen:
        found = await every(both, Record.objects.all())
        country = await both.call(found[0].fetch, "leader__country")
        assert {each.leader.country.name for each in found} == {"US", "FR"}

    assert country.name == "US"
    assert len(seen) == 3


def test_peers_load_one_to_one_both_ways(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        colours = [each.sleeve.colour for each in Record.objects.all() if hasattr(each, "sleeve")]
        titles = [each.record.title for each in Sleeve.objects.all()]

    assert (len(colours), len(titles)) == (50, 50)
    assert len(seen) == 4


def test_peers_load_deferred_columns(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        titles = [each.title for each in Record.objects.defer("title")]

    assert titles[:2] == ["R0", "R1"]
    assert len(seen) == 2


def test_a_deferred_key_is_loaded_for_all_before_its_relation(
    records: None, tables: db.Database, counting: Any
) -> None:
    with counting() as seen:
        names = {each.leader.name for each in Record.objects.only("title")}

    assert len(names) == 10
    assert len(seen) == 3


def test_rows_beside_have_peers(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        names = {each.leader.country.name for each in Record.objects.select_related("leader")}

    assert names == {"US", "FR"}
    assert len(seen) == 2


def test_what_is_loaded_stays(records: None, tables: db.Database, counting: Any) -> None:
    record = Record.objects.all()[0]
    first = record.leader

    with counting() as seen:
        assert record.leader is first

    assert seen == []


def test_a_changed_key_is_seen(records: None, tables: db.Database) -> None:
    record, other = Record.objects.all()[0], Record.objects.all()[1]
    _ = record.leader

    record.leader_id = other.leader_id

    assert record.leader.pk == other.leader_id


def test_a_null_key_asks_nothing(tables: db.Database, counting: Any) -> None:
    Record.objects.create(title="x")
    record = Record.objects.get()

    with counting() as seen:
        assert record.leader is None

    assert seen == []


def test_one_instance_alone_is_loaded_in_the_other_mode(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        for each in Record.objects.fetch_mode(db.FETCH_ONE)[:5]:
            _ = each.leader

    assert len(seen) == 6


def test_a_model_may_say_its_mode(records: None, tables: db.Database, counting: Any) -> None:
    leader = Musician.objects.all()[0]
    Lonely.objects.bulk_create([Lonely(leader=leader) for _ in range(3)])

    with counting() as seen:
        for each in Lonely.objects.all():
            _ = each.leader

    assert len(seen) == 4


def test_raise_refuses_a_relation_that_was_not_loaded(records: None, tables: db.Database) -> None:
    record = Record.objects.fetch_mode(db.RAISE)[0]

    with pytest.raises(QueryError, match=r"Record\.leader was not loaded") as caught:
        _ = record.leader

    assert caught.value.code == "data/unloaded-relation"
    assert 'select_related("leader")' in caught.value.hint


def test_raise_refuses_a_column_that_was_not_loaded(records: None, tables: db.Database) -> None:
    record = Record.objects.fetch_mode(db.RAISE).defer("title")[0]

    with pytest.raises(QueryError, match=r"Record\.title was not loaded"):
        _ = record.title


def test_raise_allows_what_was_loaded_ahead(records: None, tables: db.Database) -> None:
    record = Record.objects.fetch_mode(db.RAISE).select_related("leader")[0]

    assert record.leader.name == "M0"
    with pytest.raises(QueryError, match=r"Musician\.country"):
        _ = record.leader.country


async def test_raise_allows_what_is_asked_for(tables: db.Database, both: Any, records: None) -> None:
    record = (await every(both, Record.objects.fetch_mode(db.RAISE)))[0]

    assert (await both.call(record.fetch, "leader")).name == "M0"


def test_a_model_may_refuse_by_default(records: None, tables: db.Database) -> None:
    Strict.objects.create(leader=Musician.objects.all()[0])

    with pytest.raises(QueryError, match=r"Strict\.leader"):
        _ = Strict.objects.get().leader


@pytest.fixture
def raising(tables: db.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database lets nothing be loaded by a touch."""
    monkeypatch.setattr(tables, "fetch_mode", db.RAISE)


def test_a_database_may_say_the_mode(records: None, raising: None) -> None:
    with pytest.raises(QueryError, match=r"Record\.leader was not loaded"):
        _ = Record.objects.all()[0].leader


def test_a_queryset_goes_before_its_database(records: None, raising: None) -> None:
    assert Record.objects.fetch_mode(db.FETCH_PEERS)[0].leader.name == "M0"


def test_an_instance_of_no_query_obeys_the_database(records: None, raising: None) -> None:
    record = Record(leader_id=Musician.objects.all()[0].pk)

    with pytest.raises(QueryError, match=r"Record\.leader was not loaded"):
        _ = record.leader


def test_a_mode_of_a_database_that_is_none_is_refused() -> None:
    with pytest.raises(QueryError, match="fetch_mode= was given 'all'"):
        db.Database("sqlite://:memory:", fetch_mode="all")


def test_a_mode_that_is_none_is_refused(tables: db.Database) -> None:
    with pytest.raises(QueryError, match="no fetch mode"):
        Record.objects.fetch_mode("all")  # type: ignore[arg-type]


def test_a_models_mode_that_is_none_is_refused() -> None:
    with pytest.raises((ModelError, QueryError), match=r"Odd\.Meta\.fetch_mode"):

        class Odd(db.Model):
            class Meta:
                fetch_mode = "sometimes"


def test_instances_do_not_keep_each_other_alive(records: None, tables: db.Database) -> None:
    found = list(Record.objects.all())
    others = [weakref.ref(each) for each in found[1:]]
    first = found[0]
    _ = first.leader

    del found
    gc.collect()

    assert [each() for each in others if each() is not None] == []


@pytest.mark.slow
def test_an_iterator_leaks_no_peers(tables: db.Database) -> None:
    Record.objects.bulk_create([Record(title="x") for _ in range(10_000)])
    alive = weakref.WeakSet[Any]()
    most = 0

    for at, each in enumerate(Record.objects.iterator(chunk_size=500)):
        alive.add(each)
        most = max(most, len(alive)) if at % 250 == 0 else most

    assert most <= 1001


def test_an_iterators_peers_are_its_chunk(records: None, tables: db.Database, counting: Any) -> None:
    with counting() as seen:
        names = {each.leader.name for each in Record.objects.iterator(chunk_size=50)}

    assert len(names) == 10
    assert len([sql for sql in seen if "FROM musician" in sql]) == 2


# On the loop


def test_a_relation_that_was_not_loaded_is_refused_on_the_loop(records: None, tables: db.Database) -> None:
    async def handler() -> int:
        record = (await Record.objects.all())[0]
        _ = record.leader
        return 0

    with pytest.raises(QueryError) as caught:
        asyncio.run(handler())

    _, line = inspect.getsourcelines(handler)
    assert caught.value.code == "data/unloaded-relation"
    assert "Record.leader was not loaded" in caught.value.message
    assert caught.value.where == f"{__file__}:{line + 2}"
    assert 'await record.afetch("leader")' in caught.value.hint
    assert 'select_related("leader")' in caught.value.hint


@pytest.mark.parametrize("fixed", ["afetch", "select_related", "prefetch_related"])
def test_each_way_out_works(records: None, tables: db.Database, fixed: str) -> None:
    async def handler() -> str:
        rows = Record.objects.all()
        if fixed != "afetch":
            rows = getattr(rows, fixed)("leader")
        record = (await rows)[0]
        if fixed == "afetch":
            await record.afetch("leader")
        return str(record.leader.name)

    assert asyncio.run(handler()) == "M0"


def test_the_way_back_is_refused_on_the_loop(records: None, tables: db.Database) -> None:
    async def handler() -> None:
        _ = (await Record.objects.all())[0].sleeve

    with pytest.raises(QueryError, match=r"Record\.sleeve was not loaded"):
        asyncio.run(handler())


def test_a_deferred_column_is_refused_on_the_loop(records: None, tables: db.Database) -> None:
    async def handler() -> None:
        _ = (await Record.objects.defer("title"))[0].title

    with pytest.raises(QueryError, match=r"Record\.title was not loaded") as caught:
        asyncio.run(handler())

    assert 'await record.afetch("title")' in caught.value.hint


def test_a_to_many_relation_names_its_async_way_on_the_loop(records: None, tables: db.Database) -> None:
    async def handler() -> None:
        musician = await Musician.objects.afirst()
        assert musician is not None
        list(musician.records.all())

    with pytest.raises(Exception, match="data/blocking-call"):
        asyncio.run(handler())


def test_a_to_many_relation_is_fetched_by_its_name(records: None, tables: db.Database) -> None:
    async def handler() -> int:
        musician = await Musician.objects.order_by("id").afirst()
        assert musician is not None
        return len(await musician.afetch("records"))

    assert asyncio.run(handler()) == 10
