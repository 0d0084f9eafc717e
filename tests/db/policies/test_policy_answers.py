"""What the database has answered is kept for a request, until something is written in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from segue import context, db
from segue.db import Q, can, policy
from segue.db.database import Database
from segue.errors import UsageError


class Door(db.Model):
    name = db.CharField(max_length=20)
    weight = db.IntegerField(default=1)


MODELS = [Door]


@policy(Door, "open")
def by_name(user: Any) -> Q:
    return Q(name__startswith=str(user))


@policy(Door, "push")
def by_list(user: Any) -> Q:
    return Q(name__in=user)


class NoApp:
    """An app that provides nothing."""

    def provided(self, key: Any) -> Any:
        raise UsageError(f"nothing provides {key}", code="app/nothing-provided")


@pytest.fixture
def asked(emptied: Database) -> Iterator[list[Any]]:
    """The statements that were sent."""
    found: list[Any] = []
    emptied.observers.append(lambda prepared, *rest: found.append(prepared.sql))
    yield found
    emptied.observers.clear()


def request() -> Any:
    """Return a block as around a request."""
    return context.using(context.Context(NoApp()))


async def test_an_answer_is_kept_for_the_request(emptied: Database, asked: list[Any], both: Any) -> None:
    door = Door(name="front")
    await both.call(door.save)

    with request():
        user = Someone("fr")
        asked.clear()
        answers = [await both.call(user.can, "open", door) for _ in range(3)]

    assert answers == [True, True, True]
    assert len(asked) == 1


class Someone(db.Can):
    """A user who is a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def test_different_questions_are_kept_apart(emptied: Database, asked: list[Any]) -> None:
    door = Door.objects.create(name="front")

    with request():
        answers = [can(user, "open", door) for user in ("fr", "ba", "f", "ba")]
        lists = [can(user, "push", door) for user in (["front"], ["back"], ["front", "back"], ["back"])]

    assert answers == [True, False, True, False]
    assert lists == [True, False, True, False]


def test_another_request_asks_again(emptied: Database, asked: list[Any]) -> None:
    door = Door.objects.create(name="front")
    with request():
        can("fr", "open", door)
    asked.clear()

    with request():
        can("fr", "open", door)

    assert len(asked) == 1


def test_without_a_request_nothing_is_kept(emptied: Database, asked: list[Any]) -> None:
    door = Door.objects.create(name="front")
    asked.clear()

    assert can("fr", "open", door)
    assert can("fr", "open", door)
    assert len(asked) == 2


async def test_a_write_makes_the_database_be_asked_again(emptied: Database, asked: list[Any], both: Any) -> None:
    door = Door(name="front")
    await both.call(door.save)

    with request():
        before = await both.call(Someone("fr").can, "open", door)
        await both.call(Door.objects.update, name="back")
        after = await both.call(Someone("fr").can, "open", door)

    assert (before, after) == (True, False)


async def test_a_rollback_makes_the_database_be_asked_again(emptied: Database, asked: list[Any], both: Any) -> None:
    door = Door(name="front")
    await both.call(door.save)
    answers: list[bool] = []

    with request():
        try:
            async with both.atomic(emptied):
                await both.call(Door.objects.update, name="back")
                answers.append(await both.call(Someone("fr").can, "open", door))
                raise LookupError
        except LookupError:
            answers.append(await both.call(Someone("fr").can, "open", door))

    assert answers == [False, True]


async def test_a_savepoint_that_is_undone_makes_the_database_be_asked_again(
    emptied: Database, asked: list[Any], both: Any
) -> None:
    door = Door(name="front")
    await both.call(door.save)
    answers: list[bool] = []

    with request():
        async with both.atomic(emptied):
            try:
                async with both.atomic(emptied):
                    await both.call(Door.objects.update, name="back")
                    answers.append(await both.call(Someone("fr").can, "open", door))
                    raise LookupError
            except LookupError:
                answers.append(await both.call(Someone("fr").can, "open", door))

    assert answers == [False, True]
