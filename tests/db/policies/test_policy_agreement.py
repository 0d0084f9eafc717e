"""A policy says the same of a row in a list, asked alone, and in memory; NULLs included."""

from __future__ import annotations

import enum
import random
import uuid
from typing import Any

import pytest

from segue import db
from segue.db import Q, can, policy
from segue.db.database import Database


class State(enum.Enum):
    DRAFT = "draft"
    PUBLIC = "public"
    GONE = "gone"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 5


class Owner(db.Model):
    name = db.CharField(max_length=20)


class Page(db.Model):
    owner = db.ForeignKey(Owner, on_delete=db.CASCADE, null=True, related_name="pages")
    year = db.IntegerField(null=True)
    size = db.SmallIntegerField(default=3)
    is_open = db.BooleanField(null=True)
    token = db.UUIDField(null=True)
    state = db.CharField(max_length=10, choices=State, null=True)
    level = db.IntegerField(choices=Level, null=True)
    title = db.CharField(max_length=20, null=True)


MODELS = [Owner, Page]


class Reader:
    """A user who may see what a random condition says."""

    def __init__(self, condition: Q) -> None:
        self.condition = condition


@policy(Page, "view")
def what_the_reader_may(user: Reader) -> Q:
    return user.condition


TOKENS = [uuid.UUID(int=number) for number in range(4)]
TITLES = ["", "a", "A", "a ", "é", "zz"]
VALUES: dict[str, list[Any]] = {
    "year": [-5, 0, 1, 2, 7, 2**40, -(2**40)],
    "size": [0, 1, 2, 3, 2**20],
    "is_open": [True, False],
    "token": TOKENS,
    "state": list(State),
    "level": list(Level),
    "title": TITLES,
}
ORDERED = ("year", "size", "level", "owner", "pk")


def some_condition(chance: random.Random, values: dict[str, list[Any]], depth: int = 3) -> Q:
    """Return a random tree of look-ups."""
    if depth == 0 or chance.random() < 0.25:
        return some_leaf(chance, values)
    joined = some_condition(chance, values, depth - 1)
    for _ in range(chance.randint(0, 2)):
        other = some_condition(chance, values, depth - 1)
        joined = chance.choice([joined & other, joined | other, joined ^ other])
    return ~joined if chance.random() < 0.35 else joined


def some_leaf(chance: random.Random, values_of: dict[str, list[Any]]) -> Q:
    """Return one random look-up."""
    # Texts are compared by the database alone; there are fewer of them.
    names = [name for name in values_of if name != "title"]
    name = chance.choice([*names, *names, "title"])
    values = values_of[name]
    kinds = ["exact", "in", "isnull"] + (["gt", "gte", "lt", "lte", "range"] if name in ORDERED else [])
    kind = chance.choice(kinds)
    if kind == "isnull":
        return Q(**{f"{name}__isnull": chance.random() < 0.5})
    if kind == "in":
        return Q(**{f"{name}__in": [*chance.choices(values, k=chance.randint(0, 3)), *chance.choice([[], [None]])]})
    if kind == "range":
        return Q(**{f"{name}__range": (chance.choice(values[:-1]), chance.choice(values[:-1]))})
    return Q(**{f"{name}__{kind}": chance.choice(values)})


def some_pages(chance: random.Random, owners: list[Owner], count: int) -> list[Page]:
    """Return rows in which a third of what may be NULL is."""

    def maybe(values: list[Any]) -> Any:
        return chance.choice([None, *values[:2], *values[:2]])

    return [
        Page(
            owner=maybe(owners),
            year=chance.choice([None, -5, 0, 1, 2, 7]),
            size=chance.choice([0, 1, 2, 3]),
            is_open=maybe([True, False]),
            token=maybe(TOKENS),
            state=maybe(list(State)),
            level=maybe(list(Level)),
            title=chance.choice([None, *TITLES]),
        )
        for _ in range(count)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_list_a_question_and_memory_agree_on_500_pairs(emptied: Database, seed: int) -> None:
    chance = random.Random(seed)
    owners = Owner.objects.bulk_create([Owner(name=str(number)) for number in range(3)])
    Page.objects.bulk_create(some_pages(chance, owners, 20))
    pages = list(Page.objects.order_by("pk"))
    changed = list(Page.objects.order_by("pk"))
    for page in changed:
        page.title = page.title  # so the database is asked
    asked: list[Any] = []
    emptied.observers.append(lambda *statement: asked.append(statement))

    values = {**VALUES, "owner": [*(each.pk for each in owners), 2**50], "pk": [pages[0].pk, pages[9].pk, 0, 2**62]}

    for reader in [Reader(some_condition(chance, values)) for _ in range(25)]:
        listed = set(Page.objects.visible_to(reader).values_list("pk", flat=True))

        assert {page.pk for page in changed if can(reader, "view", page)} == listed, reader.condition
        assert {page.pk for page in pages if can(reader, "view", page)} == listed, reader.condition

    emptied.observers.clear()
    # Were nothing answered in memory, it would be 25 + 500 + 500.
    assert 525 <= len(asked) < 825
