"""SQLite: writers wait their turn, readers never wait, and the loop goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from segue.db.database import Database
from segue.db.errors import ConnectionLost, OperationalError, SegueError, TransactionManagementError
from segue.db.steps import Prepared

WRITERS, ROWS = 20, 50
INSERT = Prepared("INSERT INTO rows (writer, n) VALUES (?, ?)", writes=True, returns_rows=False)
COUNT = Prepared("SELECT count(*) FROM rows")


@pytest.fixture(params=["file", "memory"])
def rows(request: pytest.FixtureRequest) -> Database:
    """A SQLite database, in a file and in memory, with a table of rows."""
    database: Database = request.getfixturevalue(str(request.param))
    database.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    return database


def write(database: Database, writer: int) -> None:
    """Write many rows, each in a block that reads before."""
    for n in range(ROWS):
        with database.atomic():
            database.fetch(COUNT)
            database.perform("execute", INSERT, (writer, n))


async def awrite(database: Database, writer: int) -> None:
    """Write many rows, each in a block that reads before."""
    for n in range(ROWS):
        async with database.atomic():
            await database.afetch(COUNT)
            await database.aperform("execute", INSERT, (writer, n))


def start(count: int, function: Any, *arguments: Any) -> list[threading.Thread]:
    """Start so many threads, each with its number."""
    threads = [threading.Thread(target=function, args=(*arguments, number)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_twenty_threads_write_without_a_locked_database(rows: Database) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            write(rows, number)
        except BaseException as error:
            errors.append(error)

    for thread in start(WRITERS, work):
        thread.join()

    assert (errors, rows.fetch(COUNT)) == ([], [(WRITERS * ROWS,)])


async def test_twenty_tasks_write_without_a_locked_database(rows: Database) -> None:
    await asyncio.gather(*(awrite(rows, number) for number in range(WRITERS)))

    assert await rows.afetch(COUNT) == [(WRITERS * ROWS,)]


async def test_threads_and_tasks_write_to_one_database(rows: Database) -> None:
    threads = [asyncio.to_thread(write, rows, number) for number in range(5)]
    tasks = [awrite(rows, number) for number in range(5, 10)]
    await asyncio.gather(*threads, *tasks)

    assert await rows.afetch(COUNT) == [(10 * ROWS,)]


async def test_statements_outside_a_block_wait_their_turn_too(rows: Database) -> None:
    async def work(number: int) -> None:
        for n in range(ROWS):
            await rows.aperform("execute", INSERT, (number, n))

    await asyncio.gather(*(work(number) for number in range(WRITERS)))

    assert await rows.afetch(COUNT) == [(WRITERS * ROWS,)]


def test_two_databases_of_one_file_share_the_queue(file: Database, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    file.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    link.symlink_to(tmp_path / "test.db")
    other = Database(f"sqlite:///{link}")

    assert other.writers is file.writers


WORKER = """
import asyncio, sys
sys.path.insert(0, {source!r})
from segue.db.database import Database
from segue.db.steps import Prepared
database = Database({address!r})
INSERT = Prepared("INSERT INTO rows (writer, n) VALUES (?, ?)", writes=True, returns_rows=False)
def write(number):
    for n in range({rows}):
        with database.atomic():
            database.fetch(Prepared("SELECT count(*) FROM rows"))
            database.perform("execute", INSERT, (number, n))
async def awrite(number):
    for n in range({rows}):
        async with database.atomic():
            await database.aperform("execute", INSERT, (number, n))
sys.stdin.readline()
if {is_async}:
    async def main():
        await asyncio.gather(*(awrite(number) for number in range({writers})))
    asyncio.run(main())
else:
    import threading
    threads = [threading.Thread(target=write, args=(number,)) for number in range({writers})]
    [each.start() for each in threads]
    [each.join() for each in threads]
"""


def errors_of(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Let all of them go at once; return what each wrote to its errors."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[1] for process in processes]


@pytest.mark.slow
def test_four_processes_write_without_a_locked_database(file: Database, tmp_path: Path) -> None:
    file.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    source = str(Path(__file__).parents[2] / "src")
    scripts = [
        WORKER.format(source=source, address=f"sqlite:///{tmp_path}/test.db", rows=ROWS, writers=5, is_async=is_async)
        for is_async in (True, False, True, False)
    ]
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for script in scripts
    ]
    errors = errors_of(processes)

    assert (errors, file.fetch(COUNT)) == ([""] * 4, [(4 * 5 * ROWS,)])


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold the lock of writers, as another process would."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


@pytest.fixture
def impatient(file: Database, tmp_path: Path) -> Iterator[Database]:
    """The file again, by one who waits 100 ms for a lock."""
    file.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    database = Database(f"sqlite:///{tmp_path}/test.db?timeout=0.1")
    yield database
    database.close()


async def test_a_lock_that_is_held_too_long_is_an_error(both: Any, impatient: Database, tmp_path: Path) -> None:
    with locked(tmp_path / "test.db"), pytest.raises(OperationalError) as caught:
        async with both.atomic(impatient):
            pass

    assert (caught.value.code, caught.value.status) == ("data/locked", 503)
    async with both.atomic(impatient):
        await both.execute(impatient, "DELETE FROM rows")


async def test_readers_do_not_wait_for_a_writer(both: Any, impatient: Database, tmp_path: Path) -> None:
    with locked(tmp_path / "test.db"):
        assert await both.fetch(impatient, COUNT) == [(0,)]


async def test_the_loop_goes_on_while_a_writer_waits(file: Database, tmp_path: Path) -> None:
    await file.aexecute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    with locked(tmp_path / "test.db") as other:
        task = asyncio.create_task(file.aperform("execute", INSERT, (1, 1)))
        for _ in range(50):
            await file.afetch(COUNT)
            await asyncio.sleep(0.001)
        assert not task.done()
        other.execute("COMMIT")
        await task

    assert await file.afetch(COUNT) == [(1,)]


async def test_a_task_that_is_cancelled_while_it_waits_for_a_lock_waits_no_more(file: Database, tmp_path: Path) -> None:
    await file.aexecute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    with locked(tmp_path / "test.db"):
        task = asyncio.create_task(file.aperform("execute", INSERT, (1, 1)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 2)

    await file.aperform("execute", INSERT, (2, 2))
    assert await file.afetch(COUNT) == [(1,)]


async def test_waiting_writers_hold_no_connection(tmp_path: Path) -> None:
    database = Database("sqlite:///small.db", root=tmp_path, pool_size=2)
    await database.aexecute("CREATE TABLE rows (writer INTEGER, n INTEGER)")

    async with database.atomic():
        waiting = [asyncio.create_task(_detached(database, number)) for number in range(10)]
        await asyncio.sleep(0.01)
        numbers = database.pool.statistics()
    await asyncio.gather(*waiting)

    assert (numbers["in_use"], await database.afetch(COUNT)) == (1, [(10,)])
    database.close()


async def _detached(database: Database, number: int) -> None:
    """Write as another request would: outside the block that started it."""
    import contextvars

    await asyncio.get_running_loop().create_task(
        database.aperform("execute", INSERT, (number, 0)), context=contextvars.Context()
    )


async def test_a_cancelled_statement_does_not_lose_a_database_in_memory(memory: Database) -> None:
    await memory.aexecute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    slow = Prepared("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    slow.slow = True

    async def work() -> None:
        async with memory.atomic():
            await memory.aperform("execute", INSERT, (1, 1))
            await memory.afetch(slow)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await memory.afetch(COUNT) == [(0,)]
    await memory.aperform("execute", INSERT, (2, 2))
    assert await memory.afetch(COUNT) == [(1,)]


async def test_a_read_only_block_of_memory_leaves_it_writable(both: Any, memory: Database) -> None:
    await both.execute(memory, "CREATE TABLE rows (writer INTEGER, n INTEGER)")
    with pytest.raises(TransactionManagementError):
        async with both.atomic(memory, read_only=True):
            await both.execute(memory, "DELETE FROM rows")

    await both.execute(memory, "INSERT INTO rows VALUES (1, 1)")

    assert await both.fetch(memory, COUNT) == [(1,)]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 1), ("journal_size_limit", 2**25)],
)
def test_the_settings_of_a_file_are_safe_and_fast(file: Database, pragma: str, value: Any) -> None:
    assert file.fetch(Prepared(f"PRAGMA {pragma}")) == [(value,)]


def test_a_file_that_is_opened_for_reading_refuses_writes(file: Database, tmp_path: Path) -> None:
    file.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    reader = Database("sqlite:///test.db?mode=ro", root=tmp_path)

    assert reader.fetch(COUNT) == [(0,)]
    with pytest.raises(SegueError) as caught:
        reader.execute("DELETE FROM rows")
    assert caught.value.code == "data/read-only"
    reader.close()


def test_a_file_that_must_exist_is_not_made(tmp_path: Path) -> None:
    database = Database("sqlite:///absent.db?mode=rw", root=tmp_path)

    with pytest.raises(OperationalError):
        database.execute("SELECT 1")
    assert not (tmp_path / "absent.db").exists()


# Migrations have a connection of SQLAlchemy


def test_ddl_of_migrations_is_undone_by_an_error(rows: Database) -> None:
    with pytest.raises(ZeroDivisionError), rows.connection() as connection:
        connection.exec_driver_sql("CREATE TABLE other (n INTEGER)")
        raise ZeroDivisionError

    assert rows.fetch(Prepared("SELECT count(*) FROM sqlite_schema WHERE name = 'other'")) == [(0,)]


def test_migrations_and_writers_stand_in_one_queue(file: Database) -> None:
    file.execute("CREATE TABLE rows (writer INTEGER, n INTEGER)")
    threads = start(5, write, file)
    for number in range(20):
        with file.connection() as connection:
            connection.exec_driver_sql(f"CREATE TABLE made_{number} (n INTEGER)")
            connection.commit()
    for thread in threads:
        thread.join()

    assert file.fetch(COUNT) == [(5 * ROWS,)]


def test_functions_of_on_connect_survive_a_migration_in_memory() -> None:
    database = Database("sqlite://:memory:")
    database.on_connect.append(lambda raw: raw.create_function("regexp", 2, lambda pattern, text: 42))
    with database.connection() as connection:
        connection.exec_driver_sql("SELECT 1")

    assert database.fetch(Prepared("SELECT 'a' REGEXP 'b'")) == [(42,)]
    database.close()


@pytest.mark.slow
def test_the_write_ahead_log_becomes_small_again_after_a_long_reader(file: Database, tmp_path: Path) -> None:
    file.execute("CREATE TABLE blobs (data BLOB)")
    file.execute("INSERT INTO blobs VALUES (zeroblob(9))")
    reader = file.stream(Prepared("SELECT rowid, data FROM blobs UNION ALL SELECT 1, 2 UNION ALL SELECT 3, 4"), (), 1)
    next(reader)
    file.execute("INSERT INTO blobs VALUES (zeroblob(:size))", {"size": 40 * 1024 * 1024})
    log = tmp_path / "test.db-wal"
    at_most = log.stat().st_size
    reader.close()

    for _ in range(64):
        file.execute("UPDATE blobs SET data = 1 WHERE rowid = 1")

    assert (at_most > 32 * 1024 * 1024, log.stat().st_size < 1024 * 1024) == (True, True)


async def test_a_block_that_twice_cannot_begin_gives_the_turn_back(both: Any, file: Database) -> None:
    await both.execute(file, "CREATE TABLE t (n INTEGER)")
    await both.close(file)
    path = Path(file.name)
    kept = path.read_bytes()
    path.write_bytes(b"\xff" * 4096)

    with pytest.raises(ConnectionLost):
        async with both.atomic(file):
            pass

    path.write_bytes(kept)
    await both.execute(file, "INSERT INTO t VALUES (1)")
    assert file.statistics()["threads"]["in_use"] == 0
