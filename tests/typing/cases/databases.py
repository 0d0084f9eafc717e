"""Databases, transactions, policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from segue import db
from segue.db.atomic import Atomic
from segue.db.policies import Explanation
from segue.db.results import Result

from .models import Record, user

database = db.connect("sqlite://:memory:")
assert_type(database, db.Database)
assert_type(database.vendor, str)
assert_type(database.execute("SELECT 1"), Result)
assert_type(database.create_all(), list[str])
assert_type(db.current_database(), db.Database)
assert_type(db.execute("SELECT 1"), Result)
assert_type(db.atomic(), Atomic)
assert_type(db.atomic(using="other"), Atomic)
assert_type(db.on_commit(lambda: None), None)
assert_type(db.can(user, "view", Record), bool)
assert_type(db.policy.explain(user, "view", Record), Explanation)
assert_type(db.policy.explain(user, "view", Record).is_allowed, bool)


@db.atomic
def transfer(amount: int) -> str:
    return str(amount)


@db.atomic(retry=3)
def retried(amount: int) -> str:
    return str(amount)


@db.policy(Record, "view")
def the_public(user: Any) -> db.Q:
    return Record.is_public == True  # noqa: E712


assert_type(transfer(3), str)
assert_type(retried(3), str)
assert_type(the_public(user), db.Q)
rule: Callable[[Any], db.Q] = the_public


async def in_async_code() -> None:
    async with db.atomic():
        assert_type(await db.aexecute("SELECT 1"), Result)
    assert_type(await db.acan(user, "view", Record), bool)
