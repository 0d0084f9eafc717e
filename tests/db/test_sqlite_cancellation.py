"""What an interruption that comes too late leaves on a connection of SQLite: nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from segue.db import Database
from segue.db.steps import Prepared

SOME = Prepared("SELECT value FROM json_each('[1, 2, 3]') WHERE arrive() = 0")
ENDLESS = Prepared("WITH RECURSIVE c(n) AS (SELECT arrive() UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c")


@pytest.fixture
def arrived() -> threading.Event:
    """Set once a statement with `arrive()` runs."""
    return threading.Event()


@pytest.fixture
def watched(file: Database, arrived: threading.Event) -> Database:
    """A database whose statements can tell that they run."""
    return watch(file, arrived)


def watch(database: Database, arrived: threading.Event) -> Database:
    def arrive() -> int:
        arrived.set()
        return 0

    database.on_connect.append(lambda raw: raw.create_function("arrive", 0, arrive))
    return database


async def test_a_stream_that_is_cancelled_as_it_opens_holds_nothing(watched: Database, arrived: Any) -> None:
    await watched.aexecute("CREATE TABLE t (n INTEGER)")
    reading = asyncio.ensure_future(anext(watched.astream(SOME, (), 1)))
    await asyncio.sleep(0)
    arrived.wait()
    time.sleep(0.05)  # the thread has opened it, and the loop has not heard of it yet
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading

    await watched.aexecute("INSERT INTO t VALUES (1)")
    # Busy, if a snapshot were held.
    assert (await watched.aexecute("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0] == 0


async def test_a_transaction_cancelled_beside_an_open_stream_keeps_the_memory(memory: Database, arrived: Any) -> None:
    watch(memory, arrived)
    await memory.aexecute("CREATE TABLE t (n INTEGER)")

    async def work() -> None:
        async with memory.atomic():
            rows = memory.astream(Prepared("SELECT value FROM json_each('[1, 2, 3]')"), (), 1)
            await anext(rows)
            await memory.afetch(ENDLESS)

    working = asyncio.ensure_future(work())
    await asyncio.to_thread(arrived.wait)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert (await memory.aexecute("SELECT count(*) FROM t")).scalar() == 0
