"""What decided: the clause, its rule, its file and line."""

from __future__ import annotations

from typing import Any

import pytest

from segue import context, db
from segue.db import Q, policy
from segue.db.database import Database
from segue.db.policies import STRICT_POLICIES
from segue.errors import UsageError


class Desk(db.Model):
    room = db.IntegerField(null=True)
    owner = db.IntegerField(null=True)
    label = db.CharField(max_length=20, default="x")
    code = db.CharField(max_length=20, default="k", secret=True)


class Lamp(db.Model):
    room = db.IntegerField(null=True)


MODELS = [Desk, Lamp]


class Worker:
    """A user with a number."""

    is_superuser = False

    def __init__(self, number: int, *permissions: str) -> None:
        self.number = number
        self.permissions = permissions

    def __str__(self) -> str:
        return f"worker {self.number}"

    __repr__ = __str__

    def has_perm(self, name: str) -> bool:
        return name in self.permissions


@policy(Desk, "use")
def ones_own(user: Any) -> Q:
    return Q(owner=user.number)


@policy(Desk, "use")
def in_the_hall(user: Any) -> Q:
    return Q(room=1) & (Q(label__startswith="free") | Q(label="shared"))


@policy(Desk, "move")
def unless_secret(user: Any) -> Q:
    return ~Q(code="top", room=2)


@policy(Desk, "open")
def with_the_code(user: Any) -> Q:
    return Q(code="1234")


@policy(Desk, "burn")
def never(user: Any) -> bool:
    return False


async def explained(both: Any, user: Any, action: str, obj: Any) -> Any:
    """Return an explanation in the colour of the test."""
    return await both.call(policy.explain, user, action, obj)


async def test_an_allowed_action_names_the_clause_that_allows_it(emptied: Database, both: Any) -> None:
    desk = Desk(room=1, owner=7, label="shared")
    await both.call(desk.save)

    found = await explained(both, Worker(7), "use", desk)

    assert found.is_allowed
    (clause,) = found.clauses
    assert (clause.text, clause.holds, clause.rule) == ("owner=7", True, "ones_own")
    assert clause.place.endswith(f"test_policy_explanations.py:{line_of(ones_own)}")


async def test_the_deciding_part_of_an_or_is_named_alone(emptied: Database, both: Any) -> None:
    desk = Desk(room=1, owner=8, label="shared")
    await both.call(desk.save)

    found = await explained(both, Worker(7), "use", desk)

    assert [each.text for each in found.clauses] == ["room=1 AND (label__startswith='free' OR label='shared')"]
    assert found.clauses[0].rule == "in_the_hall"


async def test_a_denied_action_names_what_stands_against_it_in_each_rule(emptied: Database, both: Any) -> None:
    desk = Desk(room=2, owner=8, label="shared")
    await both.call(desk.save)

    found = await explained(both, Worker(7), "use", desk)

    assert not found
    assert [(clause.rule, clause.text) for clause in found.clauses] == [
        ("ones_own", "owner=7"),
        ("in_the_hall", "room=1"),
    ]
    assert all(clause.place and not clause.holds for clause in found.clauses)


async def test_every_part_of_an_or_stands_against_it(emptied: Database, both: Any) -> None:
    desk = Desk(room=1, owner=None, label="taken")
    await both.call(desk.save)

    found = await explained(both, Worker(7), "use", desk)

    assert [clause.text for clause in found.clauses] == ["owner=7", "label__startswith='free'", "label='shared'"]


async def test_a_denied_clause_is_shown_as_a_whole_and_without_secrets(emptied: Database, both: Any) -> None:
    desk = Desk(room=2, code="top")
    await both.call(desk.save)

    found = await explained(both, Worker(7), "move", desk)

    assert not found
    assert [clause.text for clause in found.clauses] == ["NOT (code=… AND room=2)"]


async def test_secrets_are_shown_nowhere(emptied: Database, both: Any) -> None:
    desk = Desk(code="other")
    await both.call(desk.save)

    found = await explained(both, Worker(7), "open", desk)

    assert "1234" not in str(found)
    assert "other" not in str(found)


async def test_a_plain_no_is_named_by_its_function(emptied: Database, both: Any) -> None:
    found = await explained(both, Worker(7), "burn", Desk)

    assert str(found).splitlines()[0] == "worker 7, burn, any Desk: denied"
    assert "return False does not hold: never()" in str(found)


async def test_a_superuser_is_named_as_the_reason(emptied: Database, both: Any) -> None:
    root = Worker(1)
    root.is_superuser = True

    found = await explained(both, root, "burn", Desk)

    assert found
    assert "superuser" in str(found)


async def test_without_a_rule_the_permission_is_named(emptied: Database, both: Any) -> None:
    name = f"{Lamp._meta.app_label}.view_lamp".lstrip(".")

    assert (await explained(both, Worker(1, name), "view", Lamp)).is_allowed
    denied = await explained(both, Worker(1), "view", Lamp)

    assert not denied
    assert f"the user has not the permission {name}" in str(denied)


class NoApp:
    """An app that provides nothing."""

    def provided(self, key: Any) -> Any:
        raise UsageError(f"nothing provides {key}", code="app/nothing-provided")


def test_strictness_is_named() -> None:
    running = context.Context(NoApp())
    running.keep(STRICT_POLICIES, True)

    with context.using(running):
        found = policy.explain(Worker(1), "view", Lamp)

    assert not found
    assert "policies are strict" in str(found)


@pytest.mark.parametrize("action", ["use", "move", "open", "burn"])
def test_an_explanation_says_what_can_says(emptied: Database, action: str) -> None:
    desks = [
        Desk(room=room, owner=owner, label=label) for room in (None, 1, 2) for owner in (None, 7) for label in "xy"
    ]
    Desk.objects.bulk_create(desks)

    said = [(policy.explain(Worker(7), action, desk).is_allowed, db.can(Worker(7), action, desk)) for desk in desks]

    assert [explained for explained, _ in said] == [known for _, known in said]


def line_of(function: Any) -> int:
    """Return the line a function's first decorator stands on."""
    return int(function.__code__.co_firstlineno)
