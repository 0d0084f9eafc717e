"""Many rows at once, as in Django."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db


class Country(db.Model):
    name = db.CharField(max_length=40)
    code = db.CharField(max_length=10, unique=True)
    size = db.IntegerField(default=0)
    seen = db.DateTimeField(auto_now=True)


class City(db.Model):
    name = db.CharField(max_length=40)
    country = db.ForeignKey(Country, on_delete=db.CASCADE, null=True, related_name="cities")
    rank = db.IntegerField(null=True)


class Word(db.Model):
    word = db.CharField(max_length=10, primary_key=True)


class Empty(db.Model):
    pass


class Base(db.Model):
    name = db.CharField(max_length=10, default="")


class Child(Base):
    pass


MODELS = [Country, City, Word, Empty, Base, Child]


def countries(count: int) -> list[Country]:
    return [Country(name=f"N{n}", code=f"c{n}", size=n) for n in range(count)]


async def every(both: Any, queryset: Any) -> list[Any]:
    """The rows of a queryset."""
    return await queryset if both.is_async else list(queryset)


async def test_new_rows_know_their_keys(tables: db.Database, both: Any) -> None:
    made = await both.call(Country.objects.bulk_create, countries(3))

    assert [each.pk for each in made] == [each.pk for each in await every(both, Country.objects.order_by("size"))]
    assert all(each.is_stored for each in made)


@pytest.mark.slow
async def test_ten_thousand_rows_take_few_statements(tables: db.Database, both: Any, counting: Any) -> None:
    with counting() as seen:
        made = await both.call(Country.objects.bulk_create, countries(10_007))

    assert len(seen) <= 20
    assert await both.call(Country.objects.count) == 10_007
    assert await both.call(Country.objects.get, pk=made[9_000].pk) == made[9_000]
    assert (await both.call(Country.objects.get, code="c9000")).pk == made[9_000].pk


async def test_a_batch_has_the_size_that_is_asked_for(tables: db.Database, both: Any, counting: Any) -> None:
    with counting() as seen:
        await both.call(Country.objects.bulk_create, countries(8), batch_size=4)

    assert len(seen) == 2


async def test_all_rows_or_none_are_made(tables: db.Database, both: Any) -> None:
    with pytest.raises(db.IntegrityError):
        await both.call(Country.objects.bulk_create, [*countries(5), *countries(1)], batch_size=2)

    assert await both.call(Country.objects.count) == 0


async def test_nothing_is_made_of_nothing(tables: db.Database, both: Any, counting: Any) -> None:
    with counting() as seen:
        assert await both.call(Country.objects.bulk_create, []) == []

    assert seen == []


async def test_keys_of_ones_own_are_kept(tables: db.Database, both: Any) -> None:
    await both.call(Word.objects.bulk_create, [Word(word="a"), Word(word="b")])

    assert set(await both.call(Word.objects.in_bulk)) == {"a", "b"}


async def test_some_rows_may_have_keys_already(tables: db.Database, both: Any) -> None:
    await both.call(City.objects.bulk_create, [City(pk=77, name="a"), City(name="b")])

    assert (await both.call(City.objects.get, name="a")).pk == 77
    assert (await both.call(City.objects.get, name="b")).pk != 77


async def test_rows_without_any_value_are_made(tables: db.Database, both: Any) -> None:
    made = await both.call(Empty.objects.bulk_create, [Empty(), Empty(), Empty()])

    assert len({each.pk for each in made}) == 3


async def test_related_rows_that_were_saved_later_are_taken(tables: db.Database, both: Any) -> None:
    country = Country(name="x", code="x")
    city = City(name="a", country=country)
    await both.call(country.save)

    await both.call(City.objects.bulk_create, [city])

    assert (await both.call(City.objects.get)).country_id == country.pk


async def test_related_rows_that_were_not_saved_are_refused(tables: db.Database, both: Any) -> None:
    with pytest.raises(ValueError, match="was not saved"):
        await both.call(City.objects.bulk_create, [City(name="a", country=Country(name="x", code="x"))])


async def test_a_child_has_rows_in_several_tables(tables: db.Database, both: Any) -> None:
    with pytest.raises(db.NotSupportedError, match="several tables"):
        await both.call(Child.objects.bulk_create, [Child()])


async def test_conflicts_can_be_ignored(tables: db.Database, both: Any) -> None:
    await both.call(Country.objects.create, name="old", code="c1")

    await both.call(Country.objects.bulk_create, countries(3), ignore_conflicts=True)

    assert await both.call(Country.objects.count) == 3
    assert (await both.call(Country.objects.get, code="c1")).name == "old"


async def test_another_error_than_a_conflict_is_not_ignored(tables: db.Database, both: Any) -> None:
    with pytest.raises(db.DatabaseError):
        await both.call(Country.objects.bulk_create, [Country(name=None, code="x")], ignore_conflicts=True)


async def test_conflicts_can_update(tables: db.Database, both: Any) -> None:
    old = await both.call(Country.objects.create, name="old", code="c1", size=99)

    made = await both.call(
        Country.objects.bulk_create,
        countries(3),
        update_conflicts=True,
        update_fields=["name"],
        unique_fields=["code"],
    )

    kept = await both.call(Country.objects.get, code="c1")
    assert (kept.pk, kept.name, kept.size) == (old.pk, "N1", 99)
    assert await both.call(Country.objects.count) == 3
    assert made[1].pk == old.pk


async def test_an_update_by_conflict_names_its_fields(tables: db.Database, both: Any) -> None:
    with pytest.raises(ValueError, match="update_fields"):
        await both.call(Country.objects.bulk_create, countries(1), update_conflicts=True)


async def test_ignoring_and_updating_exclude_each_other(tables: db.Database, both: Any) -> None:
    with pytest.raises(ValueError, match="both"):
        await both.call(
            Country.objects.bulk_create,
            countries(1),
            ignore_conflicts=True,
            update_conflicts=True,
            update_fields=["name"],
        )


async def test_fields_of_many_are_written(tables: db.Database, both: Any, counting: Any) -> None:
    rows = await both.call(Country.objects.bulk_create, countries(300))
    for each in rows:
        each.name, each.size = each.name.lower(), each.size + 1

    with counting() as seen:
        assert await both.call(Country.objects.bulk_update, rows, ["name", "size"]) == 300

    assert len(seen) <= 10
    assert (await both.call(Country.objects.get, code="c7")).name == "n7"
    assert (await both.call(Country.objects.get, code="c7")).size == 8


async def test_only_the_named_fields_are_written(tables: db.Database, both: Any) -> None:
    (row,) = await both.call(Country.objects.bulk_create, countries(1))
    row.name, row.size = "new", 5

    await both.call(Country.objects.bulk_update, [row], ["size"])

    assert (await both.call(Country.objects.get)).name == "N0"


async def test_keys_expressions_and_nothing_are_written(tables: db.Database, both: Any) -> None:
    country = await both.call(Country.objects.create, name="x", code="x")
    one, two, three = await both.call(City.objects.bulk_create, [City(name=n, rank=1) for n in "abc"])
    one.country, two.rank, three.rank = country, db.F("rank") + 4, None

    await both.call(City.objects.bulk_update, [one, two, three], ["country", "rank"])

    found = [(each.country_id, each.rank) for each in await every(both, City.objects.order_by("name"))]
    assert found == [(country.pk, 1), (None, 5), (None, None)]


async def test_a_key_cannot_be_written(tables: db.Database, both: Any) -> None:
    rows = await both.call(Country.objects.bulk_create, countries(1))

    with pytest.raises(ValueError, match="key"):
        await both.call(Country.objects.bulk_update, rows, ["id"])
    with pytest.raises(ValueError, match="no field"):
        await both.call(Country.objects.bulk_update, rows, [])
    with pytest.raises(ValueError, match="saved"):
        await both.call(Country.objects.bulk_update, countries(1), ["name"])


async def test_update_counts_what_matches(tables: db.Database, both: Any) -> None:
    await both.call(Country.objects.bulk_create, countries(5))

    assert await both.call(Country.objects.filter(size__gte=2).update, size=2) == 3
    assert await both.call(Country.objects.filter(size=2).update, size=db.F("size") * 10, name="x") == 3
    assert await both.call(Country.objects.filter(size=20, name="x").count) == 3


async def test_update_takes_rows_and_keys(tables: db.Database, both: Any) -> None:
    country = await both.call(Country.objects.create, name="x", code="x")
    await both.call(City.objects.create, name="a")

    await both.call(City.objects.update, country=country)
    assert await both.call(country.cities.count) == 1

    await both.call(City.objects.update, country=None)
    await both.call(City.objects.update, country_id=country.pk)
    assert await both.call(country.cities.count) == 1


async def test_update_chooses_through_relations(tables: db.Database, both: Any) -> None:
    country = await both.call(Country.objects.create, name="x", code="x")
    await both.call(City.objects.bulk_create, [City(name="a", country=country), City(name="b")])

    assert await both.call(City.objects.filter(country__code="x").update, rank=1) == 1
    assert await both.call(Country.objects.filter(cities__rank=1).update, size=7) == 1


async def test_update_takes_a_subquery(tables: db.Database, both: Any) -> None:
    country = await both.call(Country.objects.create, name="x", code="x", size=6)
    await both.call(City.objects.create, name="a", country=country)
    size = db.Subquery(Country.objects.filter(pk=db.OuterRef("country_id")).values("size"))

    await both.call(City.objects.update, rank=size)

    assert (await both.call(City.objects.get)).rank == 6


async def test_update_refuses_what_it_cannot_set(tables: db.Database, both: Any) -> None:
    with pytest.raises(LookupError, match="no field 'nam'"):
        await both.call(Country.objects.update, nam="x")
    with pytest.raises(ValueError, match="cannot be None"):
        await both.call(Country.objects.update, name=None)
    with pytest.raises(ValueError, match="slice"):
        await both.call(Country.objects.all()[:1].update, name="x")
    with pytest.raises(db.NotSupportedError):
        await both.call(City.objects.update, rank=db.F("country__size"))


async def test_a_childs_update_reaches_both_tables(tables: db.Database, both: Any) -> None:
    await both.call(Child.objects.create, name="a")

    assert await both.call(Child.objects.update, name="b") == 1
    assert (await both.call(Base.objects.get)).name == "b"
