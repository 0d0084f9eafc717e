"""Connections: how many there are, who gets them, and what becomes of broken ones."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from segue.db.database import Database
from segue.db.errors import ConnectionLost, OperationalError, PoolTimeout
from segue.db.steps import Prepared
from segue.errors import UsageError

ONE = Prepared("SELECT 1 AS one")
SERVERS = pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True)


def in_use(database: Database) -> int:
    """Count the connections that are not in a pool."""
    numbers = database.statistics()
    return int(numbers["threads"]["in_use"] + sum(each["in_use"] for each in numbers["loops"]))


async def test_a_statement_gives_its_connection_back(both: Any, database: Database) -> None:
    await both.fetch(database, ONE)

    assert in_use(database) == 0


async def test_a_block_holds_one_connection_whatever_nests_in_it(both: Any, database: Database) -> None:
    async with both.atomic(database):
        await both.fetch(database, ONE)
        async with both.atomic(database):
            await both.fetch(database, ONE)

            assert in_use(database) == 1

    assert in_use(database) == 0


async def test_a_connection_is_used_again(both: Any, database: Database) -> None:
    opened: list[Any] = []
    database.on_connect.append(opened.append)

    await both.fetch(database, ONE)
    await both.fetch(database, ONE)

    assert len(opened) == 1


async def test_what_on_connect_adds_is_there_for_statements(both: Any, file: Database) -> None:
    file.on_connect.append(lambda raw: raw.create_function("twice", 1, lambda n: 2 * n))

    assert await both.fetch(file, Prepared("SELECT twice(?)"), (21,)) == [(42,)]


@SERVERS
async def test_a_broken_connection_is_replaced_unnoticed_by_a_read(both: Any, database: Database, server: Any) -> None:
    await both.fetch(database, ONE)
    server.kill_all()

    assert await both.fetch(database, ONE) == [(1,)]


@SERVERS
async def test_a_broken_connection_is_replaced_unnoticed_by_a_block(both: Any, database: Database, server: Any) -> None:
    await both.execute(database, "CREATE TABLE notes (text VARCHAR(9))")
    server.kill_all()

    async with both.atomic(database):
        await both.execute(database, "INSERT INTO notes (text) VALUES ('a')")

    assert (await both.execute(database, "SELECT text FROM notes")).scalars() == ["a"]


@SERVERS
async def test_a_write_that_met_a_broken_connection_is_not_done_again(
    both: Any, database: Database, server: Any
) -> None:
    await both.execute(database, "CREATE TABLE notes (text VARCHAR(9))")
    server.kill_all()

    with pytest.raises(ConnectionLost):
        await both.execute(database, "INSERT INTO notes (text) VALUES ('a')")

    assert (await both.execute(database, "SELECT count(*) AS n FROM notes")).scalar() == 0


@SERVERS
async def test_a_connection_that_breaks_in_a_block_loses_the_whole_block(
    both: Any, database: Database, server: Any
) -> None:
    await both.execute(database, "CREATE TABLE notes (text VARCHAR(9))")

    with pytest.raises(ConnectionLost):
        async with both.atomic(database):
            await both.execute(database, "INSERT INTO notes (text) VALUES ('a')")
            server.kill_all()
            async with both.atomic(database):
                await both.fetch(database, ONE)

    assert in_use(database) == 0
    assert (await both.execute(database, "SELECT count(*) AS n FROM notes")).scalar() == 0


@SERVERS
async def test_after_one_broke_the_others_are_asked_before_they_are_used(
    both: Any, database: Database, server: Any
) -> None:
    database.close()
    await _open(both, database, 4)
    server.kill_all()
    with pytest.raises(ConnectionLost):
        await both.execute(database, "CREATE TABLE notes (text VARCHAR(9))")

    for _ in range(4):
        await both.execute(database, "CREATE TABLE IF NOT EXISTS notes (text VARCHAR(9))")


async def _open(both: Any, database: Database, count: int) -> None:
    """Fill the pool by as many at once."""
    if both.is_async:
        pool = database.loop_pool()
        taken = [await pool.atake() for _ in range(count)]
    else:
        pool = database.pool
        taken = [pool.take() for _ in range(count)]
    for each in taken:
        pool.give_back(each)


@SERVERS
async def test_an_old_idle_connection_is_asked_before_it_is_used(both: Any, database: Database, server: Any) -> None:
    await both.execute(database, "CREATE TABLE notes (text VARCHAR(9))")
    pool = database.loop_pool() if both.is_async else database.pool
    server.kill_all()
    for connection in pool._idle:
        connection.last_used -= 60

    await both.execute(database, "INSERT INTO notes (text) VALUES ('a')")

    assert (await both.execute(database, "SELECT text FROM notes")).scalars() == ["a"]


async def test_who_waits_too_long_for_a_connection_is_told_the_numbers(both: Any, database_url: str) -> None:
    database = Database(database_url, pool_size=2, pool_timeout=0.05)
    pool = database.loop_pool() if both.is_async else database.pool
    await _open(both, database, 2)
    taken = [await pool.atake() if both.is_async else pool.take() for _ in range(2)]

    with pytest.raises(PoolTimeout, match=r"one of 2 connections") as caught:
        await both.fetch(database, ONE)

    assert (caught.value.code, caught.value.status) == ("data/pool-timeout", 503)
    assert "DATABASE_POOL_SIZE = 4" in caught.value.hint
    for each in taken:
        pool.give_back(each)
    assert await both.fetch(database, ONE) == [(1,)]
    await both.close(database)


async def test_fifty_tasks_share_five_connections(database_url: str) -> None:
    database = Database(database_url, pool_size=5)

    found = await asyncio.gather(*(database.afetch(ONE) for _ in range(50)))

    assert (len(found), database.loop_pool().statistics()["idle"] <= 5, in_use(database)) == (50, True, 0)
    await database.aclose()


def test_fifty_threads_share_five_connections(database_url: str) -> None:
    database = Database(database_url, pool_size=5, pool_timeout=20)
    found: list[Any] = []

    _in_threads(50, lambda: found.append(database.fetch(ONE)))

    assert (len(found), database.statistics()["threads"]["idle"] <= 5, in_use(database)) == (50, True, 0)
    database.close()


def _in_threads(count: int, function: Any) -> None:
    threads = [threading.Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def test_who_came_first_is_served_first(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    pool = database.loop_pool()
    held = await pool.atake()
    order: list[int] = []

    async def want(number: int) -> None:
        connection = await pool.atake()
        order.append(number)
        pool.give_back(connection)

    tasks = [asyncio.create_task(want(number)) for number in range(5)]
    await asyncio.sleep(0)
    pool.give_back(held)
    await asyncio.gather(*tasks)

    assert order == [0, 1, 2, 3, 4]
    await database.aclose()


async def test_a_waiter_that_is_cancelled_does_not_keep_its_turn(database_url: str) -> None:
    database = Database(database_url, pool_size=1, pool_timeout=5)
    pool = database.loop_pool()
    held = await pool.atake()
    first = asyncio.create_task(database.afetch(ONE))
    second = asyncio.create_task(database.afetch(ONE))
    await asyncio.sleep(0)
    pool.give_back(held)
    first.cancel()

    assert await second == [(1,)]
    assert (in_use(database), await database.afetch(ONE)) == (0, [(1,)])
    await database.aclose()


async def test_a_task_that_is_cancelled_while_it_connects_gives_its_place_back(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    task = asyncio.create_task(database.afetch(ONE))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert (await database.afetch(ONE), in_use(database)) == ([(1,)], 0)
    await database.aclose()


async def test_one_that_cannot_be_opened_gives_its_place_back(both: Any) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1, pool_timeout=0.05)
    for _ in range(2):
        with pytest.raises(OperationalError) as caught:
            await both.fetch(database, ONE)

        assert caught.value.code == "data/unreachable"


async def test_a_closed_database_opens_again(both: Any, database: Database) -> None:
    await both.fetch(database, ONE)
    await both.close(database)

    assert await both.fetch(database, ONE) == [(1,)]


async def test_closing_waits_for_nobody_and_ends_what_is_in_use_later(both: Any, database: Database) -> None:
    opened: list[Any] = []
    database.on_connect.append(opened.append)

    async with both.atomic(database):
        await both.fetch(database, ONE)
        await both.close(database)
        assert await both.fetch(database, ONE) == [(1,)]

    assert await both.fetch(database, ONE) == [(1,)]
    assert len(opened) == 2


def test_each_loop_has_a_pool_of_its_own_that_ends_with_it(database: Database) -> None:
    opened: list[Any] = []
    database.on_connect.append(opened.append)

    asyncio.run(_fetch(database))
    asyncio.run(_fetch(database))
    gc.collect()  # an unclosed connection would warn

    assert len(opened) == (1 if database.vendor == "sqlite" else 2)


async def _fetch(database: Database) -> None:
    await database.afetch(ONE)
    async with database.atomic():
        await database.afetch(ONE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_empty(database: Database, database_url: str, tmp_path: Path) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
from segue.db.database import Database
from segue.db.steps import Prepared
database = Database({database_url!r})
def number():
    return database.fetch(Prepared({_identity(database)!r}))[0][0]
database.execute("CREATE TABLE forks (n INTEGER)")
with database.atomic():
    database.execute("INSERT INTO forks (n) VALUES (1)")
    child = os.fork()
    if not child:
        # Neither the connection nor the transaction of the parent is the child's.
        ok = database.statistics()["threads"]["in_use"] == 0 and not database.in_atomic
        ok = ok and database.fetch(Prepared("SELECT count(*) FROM forks"))[0][0] == 0
        database.close()
        os._exit(0 if ok else 5)
    status = os.waitpid(child, 0)[1]
    database.execute("INSERT INTO forks (n) VALUES (2)")
print(os.waitstatus_to_exitcode(status), database.execute("SELECT count(*) AS n FROM forks").scalar(), number())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout.split()[:2] == ["0", "2"], done.stderr


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs the list of open files that Linux has")
def test_a_forked_child_has_no_socket_that_the_loop_of_its_parent_watches(database_url: str) -> None:
    script = f"""
import asyncio, os, stat, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
from segue.db.database import Database
database = Database({database_url!r})
async def main():
    await database.aexecute("SELECT 1")
    sockets = [int(name) for name in os.listdir("/proc/self/fd") if is_connection(int(name))]
    child = os.fork()
    if child == 0:
        os._exit(sum(is_connection(each) for each in sockets))
    print(len(sockets), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print((await database.aexecute("SELECT 2")).scalar())
    await database.aclose()
def is_connection(number):
    try:
        return "socket" in os.readlink(f"/proc/self/fd/{{number}}") and peer(number)
    except OSError:
        return False
def peer(number):
    import socket
    with socket.socket(fileno=os.dup(number)) as one:
        return one.getpeername()[1:2] == ({urlsplit(database_url).port or 5432},)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout.split() == ["1", "0", "2"], done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_end_the_transaction_of_its_parent(database: Database, database_url: str) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
from segue.db.database import Database
database = Database({database_url!r})
database.execute("CREATE TABLE forks (n INTEGER)")
with database.atomic():
    database.execute("INSERT INTO forks (n) VALUES (1)")
    child = os.fork()
    if child == 0:
        sys.exit()  # would roll back
    os.waitpid(child, 0)
    database.execute("INSERT INTO forks (n) VALUES (2)")
print(database.execute("SELECT count(*) AS n FROM forks").scalar(), database.statistics()["threads"]["in_use"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "2 0\n", done.stderr


def _identity(database: Database) -> str:
    return {"sqlite": "SELECT 1", "postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}[
        database.vendor
    ]


@SERVERS
def test_a_script_that_closes_nothing_ends_without_a_warning(database_url: str) -> None:
    script = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
from segue.db.database import Database
database = Database({database_url!r})
print(database.execute("SELECT 1 AS a").scalar())
async def main():
    print((await database.aexecute("SELECT 2 AS a")).scalar())
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["1", "2"], "")


def test_sqlite_never_loads_the_drivers_of_servers() -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
from segue.db.database import Database
Database("sqlite://:memory:").execute("SELECT 1")
print(sorted({{"psycopg", "pymysql", "asyncmy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


# The event loop


@pytest.mark.parametrize("call", ["execute", "fetch", "stream", "run", "connection", "atomic"])
async def test_a_call_that_waits_is_refused_on_the_loop(database: Database, call: str) -> None:
    with pytest.raises(UsageError) as caught:
        _call(database, call)

    assert caught.value.code == "data/blocking-call"
    assert f"{Path(__file__).name}:" in caught.value.where


def _call(database: Database, call: str) -> None:
    if call in ("connection", "atomic"):
        with getattr(database, call)():
            pass
    elif call == "run":
        database.run(each for each in ())
    else:
        getattr(database, call)(ONE if call != "execute" else "SELECT 1")


async def test_the_error_about_waiting_names_the_async_method(database: Database) -> None:
    with pytest.raises(UsageError) as caught:
        database.run((each for each in ()), method="Record.objects.get()")

    assert "Record.objects.get()" in caught.value.message
    assert caught.value.hint == "await Record.objects.aget()"


async def test_a_thread_beside_the_loop_may_wait(database: Database) -> None:
    assert await asyncio.to_thread(database.fetch, ONE) == [(1,)]


async def test_the_loop_goes_on_while_a_statement_is_slow(database: Database) -> None:
    slow = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT 1 FROM n",
        "postgresql": "SELECT pg_sleep(0.1)",
        "mysql": "SELECT SLEEP(0.1)",
    }
    prepared = Prepared(slow[database.vendor])
    prepared.slow = True
    turns = 0
    task = asyncio.create_task(database.afetch(prepared))
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    await task

    assert turns > 20


async def test_a_read_of_sqlite_runs_at_once_on_the_loop(file: Database) -> None:
    await file.afetch(ONE)
    task = asyncio.create_task(file.afetch(ONE))
    await asyncio.sleep(0)

    assert task.done()


async def test_a_read_of_sqlite_that_was_slow_goes_to_a_thread_until_it_is_fast(file: Database) -> None:
    slow = Prepared(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"
    )
    await file.afetch(slow, (200_000,))
    was_slow = slow.slow
    async with asyncio.timeout(30):
        while slow.slow:  # a busy machine may hold up one of them
            await file.afetch(slow, (1,))

    assert was_slow
