"""The app of the database scenarios: a ledger that takes pairs, in both colours.

`DATABASE_URL` names its database. Routes below `/d` are `def`, those below `/a` are `async def`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from typing import Any

from segue import App, db

__all__ = ["Entry", "app"]


class Entry(db.Model):
    """One half of a pair that is only ever written whole."""

    key = db.CharField(max_length=40)
    half = db.IntegerField()

    class Meta:
        constraints = [db.UniqueConstraint(fields=["key", "half"], name="one_of_each")]


app = App(__name__, config={"ALLOWED_HOSTS": ["localhost", "127.0.0.1"]}, static_folder=None, template_folder=None)
# How often a handler ran for each key, and the keys whose commit set a function off.
RUNS: Counter[str] = Counter()
AFTER_COMMIT: list[str] = []
# How long a transaction stays open between its two statements.
PAUSE_SECONDS = float(os.environ.get("LEDGER_PAUSE", "0.05"))

if app.db.vendor == "sqlite":
    app.db.on_connect.append(lambda raw: raw.create_function("pg_sleep", 1, time.sleep))


@app.get("/pid")
def pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.get("/ok")
async def ok() -> dict[str, bool]:
    return {"ok": True}


@app.get("/pool")
async def pool() -> dict[str, Any]:
    return app.db.statistics()


@app.post("/d/ledger")
def write(key: str) -> dict[str, str]:
    with db.atomic():
        Entry.objects.create(key=key, half=1)
        time.sleep(PAUSE_SECONDS)
        Entry.objects.create(key=key, half=2)
    return {"key": key}


@app.post("/a/ledger")
async def awrite(key: str) -> dict[str, str]:
    async with db.atomic():
        await Entry.objects.acreate(key=key, half=1)
        await asyncio.sleep(PAUSE_SECONDS)
        await Entry.objects.acreate(key=key, half=2)
    return {"key": key}


# Ways to write of which each sees its own commit: a block, the route's own transaction, a function that is
# tried again where two transactions met, and one statement alone.


@app.get("/seen")
async def seen() -> dict[str, Any]:
    return {"runs": RUNS, "after_commit": AFTER_COMMIT}


def pair(key: str) -> None:
    RUNS[key] += 1
    db.on_commit(lambda: AFTER_COMMIT.append(key))
    Entry.objects.bulk_create([Entry(key=key, half=1), Entry(key=key, half=2)])


async def apair(key: str) -> None:
    RUNS[key] += 1
    db.on_commit(lambda: AFTER_COMMIT.append(key))
    await Entry.objects.abulk_create([Entry(key=key, half=1), Entry(key=key, half=2)])


@app.post("/d/block")
def block(key: str) -> dict[str, str]:
    with db.atomic():
        pair(key)
    return {"key": key}


@app.post("/a/block")
async def ablock(key: str) -> dict[str, str]:
    async with db.atomic():
        await apair(key)
    return {"key": key}


@app.post("/d/route", atomic=True)
def route(key: str) -> dict[str, str]:
    pair(key)
    return {"key": key}


@app.post("/a/route", atomic=True)
async def aroute(key: str) -> dict[str, str]:
    await apair(key)
    return {"key": key}


@app.post("/d/again")
def again(key: str) -> dict[str, str]:
    db.atomic(retry=3)(pair)(key)
    return {"key": key}


@app.post("/a/again")
async def aagain(key: str) -> dict[str, str]:
    await db.atomic(retry=3)(apair)(key)
    return {"key": key}


@app.post("/d/alone")
def alone(key: str) -> dict[str, str]:
    RUNS[key] += 1
    Entry.objects.create(key=key, half=1)
    return {"key": key}


@app.post("/a/alone")
async def aalone(key: str) -> dict[str, str]:
    RUNS[key] += 1
    await Entry.objects.acreate(key=key, half=1)
    return {"key": key}


@app.post("/a/echo")
async def aecho(key: str) -> dict[str, str]:
    """Write, and answer by way of the database."""
    async with db.atomic():
        await Entry.objects.acreate(key=key, half=1)
        await asyncio.sleep(PAUSE_SECONDS)
        await Entry.objects.acreate(key=key, half=2)
        return {"key": (await Entry.objects.aget(key=key, half=2)).key}


@app.get("/d/count")
def count() -> dict[str, int]:
    return {"count": Entry.objects.count()}


@app.get("/a/count")
async def acount() -> dict[str, int]:
    return {"count": await Entry.objects.acount()}


@app.get("/d/slow")
def slow(seconds: float) -> dict[str, bool]:
    db.execute("SELECT pg_sleep(:seconds)", {"seconds": seconds})
    return {"slept": True}


@app.get("/a/slow")
async def aslow(seconds: float) -> dict[str, bool]:
    await db.aexecute("SELECT pg_sleep(:seconds)", {"seconds": seconds})
    return {"slept": True}


@app.get("/d/nested")
def nested() -> dict[str, int]:
    with db.atomic(), db.atomic(), db.atomic(savepoint=False):
        Entry.objects.count()
        db.execute("SELECT 1")
        return {"in_use": in_use()}


@app.get("/a/nested")
async def anested() -> dict[str, int]:
    async with db.atomic(), db.atomic(), db.atomic(savepoint=False):
        await Entry.objects.acount()
        await db.aexecute("SELECT 1")
        return {"in_use": in_use()}


def in_use() -> int:
    numbers = app.db.statistics()
    return sum(int(each["in_use"]) for each in (numbers["threads"], *numbers["loops"]))
