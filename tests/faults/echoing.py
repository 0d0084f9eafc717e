"""What X12 and X28 share: rows with an owner each, and ways to ask a database for what is one's own."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from segue import db
from segue.db import F

__all__ = ["ASYNC_WAYS", "SYNC_WAYS", "Possession", "echo_sql", "left_open", "make_owners", "numbers_of"]


class Possession(db.Model):
    """One of the rows of an owner."""

    # Without an index MySQL would lock the rows of others while it looks for one's own.
    owner = db.CharField(max_length=40, db_index=True)
    number = db.IntegerField()
    changes = db.IntegerField(default=0)


class Interrupted(Exception):
    """Takes an inner block back."""


# How many rows each owner has.
ROWS = 20


def make_owners(database: Any, owners: list[str]) -> None:
    """Make the table, and the rows of each owner."""
    database.create_all(Possession)
    Possession.objects.using(database).bulk_create(
        [Possession(owner=owner, number=number) for owner in owners for number in range(ROWS)]
    )


def echo_sql(vendor: str) -> str:
    """A statement that answers what it is given, and takes its time."""
    return {
        "postgresql": "SELECT CAST(:me AS text), pg_sleep(:seconds)",
        "mysql": "SELECT :me, SLEEP(:seconds)",
        "sqlite": "SELECT :me, pause(:seconds)",
    }[vendor]


# Each way takes a database and who asks, and returns the owners that it was answered with.


def statement(database: Any, me: str, chance: random.Random) -> list[str]:
    found = database.execute(echo_sql(database.vendor), {"me": me, "seconds": chance.uniform(0, 0.002)})
    return [found.one()[0]]


def get(database: Any, me: str, chance: random.Random) -> list[str]:
    row = Possession.objects.using(database).get(owner=me, number=chance.randrange(ROWS))
    return [row.owner]


def stream(database: Any, me: str, chance: random.Random) -> list[str]:
    return [row.owner for row in Possession.objects.using(database).filter(owner=me).iterator(chunk_size=3)]


def transaction(database: Any, me: str, chance: random.Random) -> list[str]:
    mine = Possession.objects.using(database).filter(owner=me)
    with database.atomic():
        mine.filter(number=0).update(changes=F("changes") + 1)
        try:
            with database.atomic():
                mine.update(owner="nobody")
                raise Interrupted
        except Interrupted:
            pass
        return [row.owner for row in mine.order_by("number")[:5]]


async def astatement(database: Any, me: str, chance: random.Random) -> list[str]:
    found = await database.aexecute(echo_sql(database.vendor), {"me": me, "seconds": chance.uniform(0, 0.002)})
    return [found.one()[0]]


async def aget(database: Any, me: str, chance: random.Random) -> list[str]:
    row = await Possession.objects.using(database).aget(owner=me, number=chance.randrange(ROWS))
    return [row.owner]


async def astream(database: Any, me: str, chance: random.Random) -> list[str]:
    rows = Possession.objects.using(database).filter(owner=me).aiterator(chunk_size=3)
    return [row.owner async for row in rows]


async def atransaction(database: Any, me: str, chance: random.Random) -> list[str]:
    mine = Possession.objects.using(database).filter(owner=me)
    async with database.atomic():
        await mine.filter(number=0).aupdate(changes=F("changes") + 1)
        try:
            async with database.atomic():
                await mine.aupdate(owner="nobody")
                raise Interrupted
        except Interrupted:
            pass
        return [row.owner async for row in mine.order_by("number")[:5]]


async def abridge(database: Any, me: str, chance: random.Random) -> list[str]:
    """Ask from a thread, on the transaction of the task and without one."""
    alone = await database.in_thread(lambda: get(database, me, chance))
    async with database.atomic():
        await Possession.objects.using(database).filter(owner=me, number=1).aupdate(changes=F("changes") + 1)
        return alone + await database.in_thread(lambda: transaction(database, me, chance))


SYNC_WAYS: tuple[Callable[..., Any], ...] = (statement, get, stream, transaction)
ASYNC_WAYS: tuple[Callable[..., Any], ...] = (astatement, aget, astream, atransaction, abridge)


def numbers_of(database: Any) -> dict[str, int]:
    """How many connections are in use and waited for, of all pools; and turns to write."""
    numbers = database.statistics()
    pools = [numbers["threads"], *numbers["loops"]]
    if database.writers is not None:
        pools.append(database.writers.statistics())
    return {name: sum(pool[name] for pool in pools) for name in ("in_use", "waiting")}


def left_open(address: str) -> int:
    """Count the transactions that nobody ends any more, by a connection of one's own."""
    parts = urlsplit(address)
    if parts.scheme == "sqlite":
        with sqlite3.connect(parts.path, timeout=0, isolation_level=None) as raw:
            try:
                raw.execute("BEGIN IMMEDIATE")
                raw.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return 1
        return 0
    database = db.Database(address)
    try:
        return int(database.execute(_OPEN[parts.scheme]).scalar())
    finally:
        database.close()


_OPEN = {
    "postgresql": (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    ),
    "mysql": (
        "SELECT count(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p "
        "ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND p.command = 'Sleep'"
    ),
}
