"""A block that asks too often is told which relation, which line, and what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from segue import db
from segue.db.budgets import QueryBudget


class Country(db.Model):
    name = db.CharField(max_length=20)


class Musician(db.Model):
    name = db.CharField(max_length=20)
    country = db.ForeignKey(Country, on_delete=db.CASCADE)


class Record(db.Model):
    title = db.CharField(max_length=20)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
    tags = db.ManyToManyField("Tag", related_name="records")


class Sleeve(db.Model):
    record = db.OneToOneField(Record, on_delete=db.CASCADE, related_name="sleeve")


class Tag(db.Model):
    word = db.CharField(max_length=20)


MODELS = [Country, Musician, Record, Sleeve, Tag]


@pytest.fixture
def discs(tables: db.Database) -> None:
    country = Country.objects.create(name="US")
    tag = Tag.objects.create(word="swing")
    for name in ("Duke", "Count", "Ella"):
        leader = Musician.objects.create(name=name, country=country)
        for number in range(2):
            record = Record.objects.create(title=f"{name} {number}", leader=leader)
            record.tags.add(tag)
            Sleeve.objects.create(record=record)


def over(most: int, block: Callable[[], Any]) -> db.QueryBudgetError:
    with pytest.raises(db.QueryBudgetError) as caught, db.query_budget(most):
        block()
    return caught.value


def test_a_block_within_its_budget_is_left_alone(discs: None) -> None:
    with db.query_budget(2) as budget:
        assert Record.objects.count() == 6
        assert Musician.objects.count() == 3

    assert [each.subject for each in budget.queries] == ["Record", "Musician"]


def test_a_block_over_its_budget_says_so(discs: None) -> None:
    error = over(1, lambda: [Record.objects.count() for _ in range(3)])

    assert error.code == "data/query-budget"
    assert error.message == "This block asked the database 3 times, and may once."
    assert error.where.startswith(f"{__file__}:")


async def test_both_colours_are_counted(tables: db.Database, both: Any, discs: None) -> None:
    budget = db.query_budget(1)

    with pytest.raises(db.QueryBudgetError, match="twice"):
        if both.is_async:
            async with budget:
                await Record.objects.acount()
                await Record.objects.acount()
        else:
            with budget:
                Record.objects.count()
                Record.objects.count()


async def test_the_line_of_each_query_is_known(tables: db.Database, both: Any, discs: None) -> None:
    budget = db.query_budget(5)
    if both.is_async:
        async with budget:
            await Record.objects.all()
            line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    else:
        with budget:
            list(Record.objects.all())
            line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]

    assert [each.place for each in budget.queries] == [f"{__file__}:{line}"]


def test_an_error_of_the_block_goes_first(discs: None) -> None:
    with pytest.raises(ZeroDivisionError), db.query_budget(0):
        Record.objects.count()
        _ = 1 / 0


def test_blocks_count_each_for_itself(discs: None) -> None:
    with db.query_budget(2) as outer:
        with db.query_budget(1) as inner:
            Record.objects.count()
        Record.objects.count()

    assert (len(outer.queries), len(inner.queries)) == (2, 1)


def test_writes_are_counted_and_transactions_are_not(tables: db.Database) -> None:
    with QueryBudget(1) as budget, db.atomic():
        Tag.objects.create(word="x")

    assert [each.model for each in budget.queries] == [Tag]


# Relations that were loaded one by one: the line that is suggested passes


def leaders(rows: Any) -> list[str]:
    return [each.leader.name for each in rows]


def countries(rows: Any) -> list[str]:
    return [each.leader.country.name for each in rows]


def titles(rows: Any) -> list[list[str]]:
    return [[record.title for record in each.records.all()] for each in rows]


def counts(rows: Any) -> list[int]:
    return [each.records.count() for each in rows]


def found(rows: Any) -> list[bool]:
    return [each.records.exists() for each in rows]


def words(rows: Any) -> list[list[str]]:
    return [[tag.word for tag in each.tags.all()] for each in rows]


def deep(rows: Any) -> list[Any]:
    return [[tag.word for record in each.records.all() for tag in record.tags.all()] for each in rows]


def sleeves(rows: Any) -> list[Any]:
    return [each.sleeve for each in rows]


def sleeves_below(rows: Any) -> list[Any]:
    return [record.sleeve for each in rows for record in each.records.all()]


def both_kinds(rows: Any) -> list[Any]:
    return [(each.leader.name, [tag.word for tag in each.tags.all()]) for each in rows]


CASES: list[tuple[Any, Any, int, str]] = [
    (Record, leaders, 1, 'Record.objects.select_related("leader")'),
    (Record, countries, 1, 'Record.objects.select_related("leader__country")'),
    (Musician, titles, 2, 'Musician.objects.prefetch_related("records")'),
    (Musician, counts, 2, 'Musician.objects.prefetch_related("records")'),
    (Musician, found, 2, 'Musician.objects.prefetch_related("records")'),
    (Record, words, 2, 'Record.objects.prefetch_related("tags")'),
    (Musician, deep, 3, 'Musician.objects.prefetch_related("records__tags")'),
    (Record, sleeves, 1, 'Record.objects.select_related("sleeve")'),
    (Musician, sleeves_below, 3, 'Musician.objects.prefetch_related("records__sleeve")'),
    (Record, both_kinds, 2, 'Record.objects.prefetch_related("tags").select_related("leader")'),
]


@pytest.mark.parametrize(("model", "walk", "most", "line"), CASES, ids=[case[1].__name__ for case in CASES])
def test_the_suggested_line_passes(discs: None, model: Any, walk: Any, most: int, line: str) -> None:
    error = over(most, lambda: walk(model.objects.all()))

    assert error.hint == line
    with db.query_budget(most):
        walk(eval(line))


def test_relations_loaded_alone_are_suggested_too(discs: None) -> None:
    error = over(1, lambda: leaders(Record.objects.fetch_mode(db.FETCH_ONE)))

    assert error.hint == 'Record.objects.select_related("leader")'
    assert "Record.leader, 6 times, at" in error.why


def test_the_relation_and_its_line_are_named(discs: None) -> None:
    error = over(1, lambda: titles(Musician.objects.all()))

    _, line = inspect.getsourcelines(titles)
    assert f"Musician.records, 3 times, at {__file__}:{line + 1}" in error.why


def test_a_part_of_a_relation_suggests_a_prefetch_of_that_part(discs: None) -> None:
    error = over(1, lambda: [list(each.records.filter(title="x")) for each in Musician.objects.all()])

    assert 'Prefetch("records", Record.objects.filter(…), to_attr="some_records")' in error.hint


def test_a_deferred_column_suggests_to_load_it(discs: None) -> None:
    error = over(1, lambda: [each.title for each in Record.objects.defer("title")])

    assert 'only(…, "title")' in error.hint


def test_a_loop_of_gets_suggests_one_query(discs: None) -> None:
    keys = list(Record.objects.values_list("pk", flat=True))

    error = over(1, lambda: [Record.objects.get(pk=key) for key in keys])

    assert "Record is asked 6 times" in error.hint
    assert "Record.objects.in_bulk(keys)" in error.hint


def test_what_was_loaded_ahead_is_no_query(discs: None) -> None:
    with db.query_budget(4) as budget:
        deep(Musician.objects.prefetch_related("records__tags"))

    assert [each.subject for each in budget.queries] == ["Musician", "Record", "Tag"]
