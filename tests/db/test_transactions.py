"""`atomic()`: what is saved, what is not, who may use it, and what runs after it."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from segue.db.current import atomic, on_commit
from segue.db.database import Database
from segue.db.errors import (
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SerializationError,
    TransactionManagementError,
)
from segue.errors import UsageError

INSERT = "INSERT INTO notes (text) VALUES (:text)"


class Stop(Exception):
    """What a test lets leave a block."""


@pytest.fixture
def notes(database: Database) -> Database:
    """The database with a table of notes that must differ."""
    database.execute("CREATE TABLE notes (text VARCHAR(40) PRIMARY KEY)")
    return database


async def texts(both: Any, database: Database) -> list[str]:
    """Return what is saved."""
    found: list[str] = (await both.execute(database, "SELECT text FROM notes ORDER BY text")).scalars()
    return found


async def test_what_a_block_wrote_is_saved_at_its_end(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        await both.execute(notes, INSERT, {"text": "a"})
        assert notes.in_atomic

    assert (await texts(both, notes), notes.in_atomic) == (["a"], False)


async def test_an_error_undoes_the_whole_block(both: Any, notes: Database) -> None:
    with pytest.raises(Stop):
        async with both.atomic(notes):
            await both.execute(notes, INSERT, {"text": "a"})
            raise Stop

    assert await texts(both, notes) == []


async def test_a_block_sees_what_it_wrote(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        await both.execute(notes, INSERT, {"text": "a"})

        assert await texts(both, notes) == ["a"]


async def test_an_inner_block_that_fails_undoes_itself_alone(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        await both.execute(notes, INSERT, {"text": "outer"})
        with pytest.raises(Stop):
            async with both.atomic(notes):
                await both.execute(notes, INSERT, {"text": "inner"})
                raise Stop
        await both.execute(notes, INSERT, {"text": "after"})

    assert await texts(both, notes) == ["after", "outer"]


async def test_blocks_nest_deeply(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        async with both.atomic(notes):
            with pytest.raises(Stop):
                async with both.atomic(notes):
                    await both.execute(notes, INSERT, {"text": "deepest"})
                    raise Stop
            await both.execute(notes, INSERT, {"text": "middle"})
        await both.execute(notes, INSERT, {"text": "outer"})

    assert await texts(both, notes) == ["middle", "outer"]


async def test_a_statement_that_fails_in_an_inner_block_leaves_the_outer_whole(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        await both.execute(notes, INSERT, {"text": "a"})
        with pytest.raises(IntegrityError):
            async with both.atomic(notes):
                await both.execute(notes, INSERT, {"text": "a"})
        await both.execute(notes, INSERT, {"text": "b"})

    assert await texts(both, notes) == ["a", "b"]


async def test_after_an_error_a_block_refuses_statements(both: Any, notes: Database) -> None:
    with pytest.raises(TransactionManagementError) as caught:
        async with both.atomic(notes):
            await both.execute(notes, INSERT, {"text": "a"})
            with pytest.raises(IntegrityError):
                await both.execute(notes, INSERT, {"text": "a"})
            await texts(both, notes)

    assert caught.value.code == "data/transaction-broken"
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert await texts(both, notes) == []


async def test_a_block_that_ends_well_after_an_error_says_that_nothing_was_saved(both: Any, notes: Database) -> None:
    with pytest.raises(TransactionManagementError, match="nothing of it was saved") as caught:
        async with both.atomic(notes):
            await both.execute(notes, INSERT, {"text": "a"})
            with pytest.raises(IntegrityError):
                await both.execute(notes, INSERT, {"text": "a"})

    assert caught.value.code == "data/transaction-broken"
    assert await texts(both, notes) == []


async def test_without_a_savepoint_an_inner_failure_breaks_the_outer_block(both: Any, notes: Database) -> None:
    with pytest.raises(TransactionManagementError) as caught:
        async with both.atomic(notes):
            await both.execute(notes, INSERT, {"text": "a"})
            with pytest.raises(Stop):
                async with both.atomic(notes, savepoint=False):
                    raise Stop
            await both.execute(notes, INSERT, {"text": "b"})

    assert caught.value.code == "data/transaction-broken"
    assert await texts(both, notes) == []


async def test_without_a_savepoint_an_inner_block_is_saved_with_the_outer(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        async with both.atomic(notes, savepoint=False):
            await both.execute(notes, INSERT, {"text": "a"})

    assert await texts(both, notes) == ["a"]


async def test_set_rollback_undoes_a_block_that_ends_well(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        await both.execute(notes, INSERT, {"text": "a"})
        notes.set_rollback(True)

    assert await texts(both, notes) == []


def test_set_rollback_outside_a_block_is_refused(notes: Database) -> None:
    with pytest.raises(TransactionManagementError, match="outside"):
        notes.set_rollback(True)


async def test_a_durable_block_inside_another_is_refused(both: Any, notes: Database) -> None:
    async with both.atomic(notes, durable=True):
        with pytest.raises(TransactionManagementError) as caught:
            async with both.atomic(notes, durable=True):
                pass

    assert caught.value.code == "data/transaction-nested"


async def test_another_isolation_inside_a_block_is_refused(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        with pytest.raises(TransactionManagementError) as caught:
            async with both.atomic(notes, isolation="serializable"):
                pass

    assert caught.value.code == "data/transaction-nested"


async def test_a_block_runs_at_the_isolation_it_asks_for(both: Any, notes: Database) -> None:
    asked = {
        "postgresql": "SELECT current_setting('transaction_isolation')",
        "mysql": "SELECT LOWER(trx_isolation_level) FROM information_schema.innodb_trx "
        "WHERE trx_mysql_thread_id = CONNECTION_ID()",
        "sqlite": "SELECT 'serializable'",
    }
    async with both.atomic(notes, isolation="serializable"):
        await both.execute(notes, INSERT, {"text": "a"})

        assert (await both.execute(notes, asked[notes.vendor])).scalar() == "serializable"


async def test_an_unknown_isolation_lists_the_choices(both: Any, notes: Database) -> None:
    with pytest.raises(TransactionManagementError) as caught:
        async with both.atomic(notes, isolation="serialisable"):
            pass

    assert "repeatable read" in caught.value.hint
    assert await texts(both, notes) == []


async def test_sqlite_refuses_an_isolation_that_it_has_not(both: Any, file: Database) -> None:
    with pytest.raises(NotSupportedError):
        async with both.atomic(file, isolation="read committed"):
            pass


async def test_a_read_only_block_refuses_writes(both: Any, notes: Database) -> None:
    with pytest.raises(TransactionManagementError) as caught:
        async with both.atomic(notes, read_only=True):
            await both.execute(notes, INSERT, {"text": "a"})

    assert caught.value.code == "data/read-only"
    await both.execute(notes, INSERT, {"text": "b"})
    assert await texts(both, notes) == ["b"]


async def test_the_database_itself_refuses_writes_in_a_read_only_block(both: Any, notes: Database) -> None:
    hidden = {"sqlite": "PRAGMA user_version = 5", "postgresql": "SELECT nextval('numbers')"}
    hidden["mysql"] = "SELECT NEXTVAL(numbers)"
    if notes.vendor != "sqlite":
        await both.execute(notes, "CREATE SEQUENCE numbers")

    with pytest.raises((TransactionManagementError, OperationalError)):
        async with both.atomic(notes, read_only=True):
            await both.execute(notes, hidden[notes.vendor])


async def test_a_read_only_block_inside_a_writing_one_refuses_writes(both: Any, notes: Database) -> None:
    async with both.atomic(notes):
        with pytest.raises(TransactionManagementError):
            async with both.atomic(notes, read_only=True):
                await both.execute(notes, INSERT, {"text": "a"})
        await both.execute(notes, INSERT, {"text": "b"})

    assert await texts(both, notes) == ["b"]


async def test_a_read_only_block_sees_one_snapshot(both: Any, notes: Database, database_url: str) -> None:
    other = Database(database_url)
    async with both.atomic(notes, read_only=True):
        before = await texts(both, notes)
        await both.execute(other, INSERT, {"text": "a"})

        assert await texts(both, notes) == before == []
    await both.close(other)

    assert await texts(both, notes) == ["a"]


async def test_a_decorated_function_is_a_block(both: Any, notes: Database) -> None:
    async def write(text: str) -> str:
        await both.execute(notes, INSERT, {"text": text})
        if text == "bad":
            raise Stop
        return text.upper()

    decorated = both.decorate(notes, write)

    assert await decorated("good") == "GOOD"
    with pytest.raises(Stop):
        await decorated("bad")
    assert await texts(both, notes) == ["good"]


def test_a_decorator_of_the_current_database_needs_no_parentheses(notes: Database) -> None:
    @atomic
    def write(text: str) -> None:
        notes.execute(INSERT, {"text": text})
        raise Stop

    with pytest.raises(Stop):
        write("a")

    assert notes.execute("SELECT text FROM notes").all() == []
    assert write.__name__ == "write"


def test_a_decorated_function_may_call_itself(notes: Database) -> None:
    @atomic
    def write(count: int) -> None:
        notes.execute(INSERT, {"text": str(count)})
        if count:
            write(count - 1)

    write(2)

    assert notes.execute("SELECT text FROM notes ORDER BY text").scalars() == ["0", "1", "2"]


def test_a_generator_function_cannot_be_decorated() -> None:
    with pytest.raises(TransactionManagementError, match="yields"):

        @atomic
        def rows() -> Any:
            yield 1


def test_a_block_cannot_be_entered_twice_at_once(notes: Database) -> None:
    block = notes.atomic()

    with block, pytest.raises(TransactionManagementError, match="entered already"), block:
        pass


async def test_a_decorated_function_is_tried_again_where_transactions_met(both: Any, notes: Database) -> None:
    tries: list[int] = []

    async def write() -> str:
        tries.append(1)
        await both.execute(notes, INSERT, {"text": f"try {len(tries)}"})
        if len(tries) < 3:
            raise SerializationError("met")
        return "done"

    assert await both.decorate(notes, write, retry=3)() == "done"
    assert await texts(both, notes) == ["try 3"]


async def test_tries_come_to_an_end(both: Any, notes: Database) -> None:
    tries: list[int] = []

    async def write() -> None:
        tries.append(1)
        raise SerializationError("met")

    with pytest.raises(SerializationError):
        await both.decorate(notes, write, retry=2)()
    assert len(tries) == 3


async def test_an_inner_function_is_not_tried_again(both: Any, notes: Database) -> None:
    tries: list[int] = []

    async def write() -> None:
        tries.append(1)
        raise SerializationError("met")

    with pytest.raises(SerializationError):
        async with both.atomic(notes):
            await both.decorate(notes, write, retry=2)()
    assert len(tries) == 1


async def test_what_fails_after_the_commit_is_not_done_again(both: Any, notes: Database) -> None:
    tries: list[int] = []

    def fail() -> None:
        raise SerializationError("met elsewhere")

    async def write() -> None:
        tries.append(1)
        await both.execute(notes, INSERT, {"text": "a"})
        notes.on_commit(fail)

    with pytest.raises(SerializationError):
        await both.decorate(notes, write, retry=2)()
    assert (len(tries), await texts(both, notes)) == (1, ["a"])


async def test_a_block_cannot_be_tried_again(both: Any, notes: Database) -> None:
    with pytest.raises(UsageError) as caught:
        async with both.atomic(notes, retry=2):
            pass

    assert caught.value.code == "data/transaction-retry"


async def test_transactions_that_meet_raise_a_serialization_error(
    both: Any, notes: Database, database_url: str
) -> None:
    if notes.vendor == "sqlite":
        pytest.skip("writers of SQLite stand in a queue, so they do not meet")
    await both.execute(notes, INSERT, [{"text": "a"}, {"text": "b"}])
    with pytest.raises(SerializationError) as caught:
        await _deadlock(both, notes, database_url)

    assert caught.value.code == "data/serialization"
    assert await texts(both, notes) in (["a", "b", "c"], ["a", "b"], ["x", "y"], ["a2", "b2"], ["a1", "b1"])


async def _deadlock(both: Any, database: Database, url: str) -> None:
    """Let two transactions wait for each other; the one that loses raises here."""
    update = "UPDATE notes SET text = :new WHERE text = :old"
    at_start = threading.Barrier(2)
    errors: list[BaseException] = []

    def work(order: str, number: str, database: Database) -> None:
        try:
            with database.atomic():
                database.execute(update, {"old": order[0], "new": order[0] + number})
                at_start.wait(5)
                database.execute(update, {"old": order[1], "new": order[1] + number})
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(order, number, database)) for order, number in (("ab", "1"), ("ba", "2"))
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if both.is_async:
            await asyncio.sleep(0.01)
        else:
            threads[0].join(0.01)
    raise errors[0]


# After the commit


async def test_on_commit_runs_after_the_outermost_commit(both: Any, notes: Database) -> None:
    seen: list[str] = []

    async with both.atomic(notes):
        async with both.atomic(notes):
            notes.on_commit(lambda: seen.append(f"in a block: {notes.in_atomic}"))
        seen.append("inner block is over")

    assert seen == ["inner block is over", "in a block: False"]


async def test_on_commit_is_dropped_with_the_transaction(both: Any, notes: Database) -> None:
    seen: list[str] = []

    with pytest.raises(Stop):
        async with both.atomic(notes):
            notes.on_commit(lambda: seen.append("called"))
            raise Stop

    assert seen == []


async def test_on_commit_is_dropped_with_its_savepoint_alone(both: Any, notes: Database) -> None:
    seen: list[str] = []

    async with both.atomic(notes):
        notes.on_commit(lambda: seen.append("outer"))
        with pytest.raises(Stop):
            async with both.atomic(notes):
                notes.on_commit(lambda: seen.append("inner"))
                async with both.atomic(notes):
                    notes.on_commit(lambda: seen.append("innermost"))
                raise Stop
        notes.on_commit(lambda: seen.append("after"))

    assert seen == ["outer", "after"]


async def test_on_commit_outside_a_block_runs_at_once(both: Any, notes: Database) -> None:
    seen: list[str] = []

    on_commit(lambda: seen.append("called"))

    assert seen == ["called"]


async def test_an_error_after_the_commit_is_raised_and_stops_the_others(both: Any, notes: Database) -> None:
    seen: list[str] = []

    def fail() -> None:
        raise Stop

    with pytest.raises(Stop):
        async with both.atomic(notes):
            await both.execute(notes, INSERT, {"text": "a"})
            notes.on_commit(fail)
            notes.on_commit(lambda: seen.append("second"))

    assert (seen, await texts(both, notes)) == ([], ["a"])


async def test_an_error_of_a_robust_function_is_logged(
    both: Any, notes: Database, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def fail() -> None:
        raise Stop

    async with both.atomic(notes):
        notes.on_commit(fail, robust=True)
        notes.on_commit(lambda: seen.append("second"))

    assert seen == ["second"]
    assert [each.levelno for each in caplog.records if each.name == "segue.db"] == [logging.ERROR]


async def test_what_runs_after_the_commit_may_write(both: Any, notes: Database) -> None:
    if both.is_async:

        async def write() -> None:
            await notes.aexecute(INSERT, {"text": "after"})

        function: Callable[[], Any] = write
    else:

        def function() -> None:
            notes.execute(INSERT, {"text": "after"})

    async with both.atomic(notes):
        notes.on_commit(function)

    assert await texts(both, notes) == ["after"]


def test_an_async_function_cannot_wait_for_a_sync_commit(notes: Database) -> None:
    async def send() -> None: ...

    with notes.atomic(), pytest.raises(UsageError) as caught:
        notes.on_commit(send)

    assert caught.value.code == "data/async-receiver"


def test_an_awaitable_after_a_sync_commit_is_an_error(notes: Database) -> None:
    async def send() -> None: ...

    with pytest.raises(UsageError) as caught, notes.atomic():
        notes.on_commit(lambda: send())

    assert caught.value.code == "data/async-receiver"


async def test_an_async_function_outside_a_block_runs_as_a_task(notes: Database) -> None:
    called = asyncio.Event()

    async def send() -> None:
        called.set()

    notes.on_commit(send)

    await asyncio.wait_for(called.wait(), 5)


async def test_what_a_thread_registers_in_an_async_block_runs_in_a_thread(notes: Database) -> None:
    threads: list[threading.Thread] = []

    async with notes.atomic():
        await asyncio.to_thread(lambda: notes.on_commit(lambda: threads.append(threading.current_thread())))

    assert threads[0] is not threading.current_thread()


# Who may use it


async def test_two_tasks_at_once_are_refused_with_both_lines(notes: Database) -> None:
    async def write(text: str) -> None:
        await notes.aexecute(INSERT, {"text": text})

    async def write_too(text: str) -> None:
        await notes.aexecute(INSERT, {"text": text})

    with pytest.raises(TransactionManagementError) as caught:
        async with notes.atomic():
            await asyncio.gather(write("a"), write_too("b"))

    assert caught.value.code == "data/transaction-shared"
    lines = [int(each) for each in re.findall(r"test_transactions\.py:(\d+)", caught.value.where)]
    first = write.__code__.co_firstlineno
    assert lines == [first + 1, first + 4]
    assert (await notes.aexecute("SELECT * FROM notes")).all() == []


async def test_two_statements_gathered_as_they_are_name_the_line_that_gathers(notes: Database) -> None:
    with pytest.raises(TransactionManagementError) as caught:
        async with notes.atomic():
            await asyncio.gather(
                notes.aexecute(INSERT, {"text": "a"}),
                notes.aexecute(INSERT, {"text": "b"}),
            )

    assert re.search(r"test_transactions\.py:\d+", caught.value.where)


async def test_a_gathered_loser_cannot_write_outside_the_transaction(notes: Database) -> None:
    async def write_twice(text: str) -> None:
        await notes.aexecute(INSERT, {"text": text})
        await notes.aexecute(INSERT, {"text": text + text})

    with pytest.raises(TransactionManagementError):
        async with notes.atomic():
            await asyncio.gather(write_twice("a"), write_twice("b"))
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    assert (await notes.aexecute("SELECT * FROM notes")).all() == []


async def test_two_tasks_one_after_the_other_share_a_transaction(notes: Database) -> None:
    async with notes.atomic():
        await asyncio.wait_for(notes.aexecute(INSERT, {"text": "a"}), 5)
        await asyncio.create_task(notes.aexecute(INSERT, {"text": "b"}))
        notes.set_rollback(True)

    assert (await notes.aexecute("SELECT * FROM notes")).all() == []


async def test_blocks_of_two_tasks_cannot_be_mixed(notes: Database) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with notes.atomic():
            entered.set()
            await left.wait()

    async def second() -> None:
        await entered.wait()
        try:
            async with notes.atomic():
                left.set()
                await asyncio.sleep(0.05)
        finally:
            left.set()

    with pytest.raises(TransactionManagementError):
        async with notes.atomic():
            results = await asyncio.gather(first(), second(), return_exceptions=True)
            assert any(isinstance(each, TransactionManagementError) for each in results)

    assert (await notes.aexecute("SELECT * FROM notes")).all() == []


async def test_a_task_of_a_transaction_that_was_committed_goes_on_without_it(notes: Database) -> None:
    committed = asyncio.Event()

    async def later() -> None:
        await committed.wait()
        await notes.aexecute(INSERT, {"text": "later"})

    async with notes.atomic():
        task = asyncio.create_task(later())
    committed.set()
    await task

    assert (await notes.aexecute("SELECT text FROM notes")).scalars() == ["later"]


async def test_a_task_of_a_transaction_that_was_rolled_back_is_refused(notes: Database) -> None:
    ended = asyncio.Event()

    async def later() -> None:
        await ended.wait()
        await notes.aexecute(INSERT, {"text": "later"})

    with pytest.raises(Stop):
        async with notes.atomic():
            task = asyncio.create_task(later())
            raise Stop
    ended.set()
    with pytest.raises(TransactionManagementError) as caught:
        await task

    assert caught.value.code == "data/transaction-ended"


async def test_a_sync_call_in_a_thread_reaches_the_transaction_of_the_loop(notes: Database) -> None:
    with pytest.raises(Stop):
        async with notes.atomic():
            await notes.aexecute(INSERT, {"text": "a"})
            seen = await asyncio.to_thread(lambda: notes.execute("SELECT text FROM notes").scalars())
            await asyncio.to_thread(lambda: notes.execute(INSERT, {"text": "b"}))
            raise Stop

    assert seen == ["a"]
    assert (await notes.aexecute("SELECT * FROM notes")).all() == []


def test_a_thread_that_outlives_the_loop_of_its_transaction_is_told_so(file: Database) -> None:
    async def begin() -> contextvars.Context:
        await file.atomic().__aenter__()
        return contextvars.copy_context()

    context = asyncio.run(begin())

    with pytest.raises(TransactionManagementError, match="loop of this transaction is closed"):
        context.run(file.execute, "SELECT 1")


async def test_a_sync_block_in_a_thread_is_a_block_of_the_async_transaction(notes: Database) -> None:
    def inner() -> None:
        with pytest.raises(Stop), notes.atomic():
            notes.execute(INSERT, {"text": "inner"})
            raise Stop
        with notes.atomic():
            notes.execute(INSERT, {"text": "second"})

    async with notes.atomic():
        await notes.aexecute(INSERT, {"text": "outer"})
        await asyncio.to_thread(inner)

    assert (await notes.aexecute("SELECT text FROM notes ORDER BY text")).scalars() == ["outer", "second"]


def test_an_async_call_reaches_the_transaction_of_a_thread(notes: Database) -> None:
    async def story() -> list[str]:
        async with notes.atomic():
            await notes.aexecute(INSERT, {"text": "b"})
        found: list[str] = (await notes.aexecute("SELECT text FROM notes ORDER BY text")).scalars()
        return found

    with pytest.raises(Stop), notes.atomic():
        notes.execute(INSERT, {"text": "a"})
        seen = asyncio.run(story())
        raise Stop

    assert seen == ["a", "b"]
    assert notes.execute("SELECT * FROM notes").all() == []


def test_two_threads_at_once_are_refused(notes: Database) -> None:
    started, done = threading.Event(), threading.Event()
    slow = {"sqlite": _slow_sqlite(notes), "postgresql": "SELECT pg_sleep(0.4)", "mysql": "SELECT SLEEP(0.4)"}

    def other() -> None:
        started.set()
        notes.execute(slow[notes.vendor])
        done.set()

    with pytest.raises(TransactionManagementError) as caught, notes.atomic():
        thread = threading.Thread(target=contextvars.copy_context().run, args=(other,))
        thread.start()
        started.wait(5)
        while not done.is_set():
            notes.execute("SELECT 1 AS a")
    thread.join()

    assert caught.value.code == "data/transaction-shared"


def _slow_sqlite(database: Database) -> str:
    return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) SELECT count(*) FROM n"


def test_a_thread_of_its_own_has_no_part_in_a_transaction(notes: Database) -> None:
    seen: list[bool] = []

    with notes.atomic():
        thread = threading.Thread(target=lambda: seen.append(notes.in_atomic))
        thread.start()
        thread.join()

    assert seen == [False]


async def test_two_databases_have_a_transaction_each(both: Any, notes: Database, memory: Database) -> None:
    await both.execute(memory, "CREATE TABLE notes (text VARCHAR(40) PRIMARY KEY)")

    async with both.atomic(memory):
        await both.execute(memory, INSERT, {"text": "memory"})
        with pytest.raises(Stop):
            async with both.atomic(notes):
                await both.execute(notes, INSERT, {"text": "notes"})
                raise Stop

    assert (await texts(both, memory), await texts(both, notes)) == (["memory"], [])


# What must not be left behind


async def test_a_constraint_that_fails_at_the_commit_leaves_nothing_open(
    both: Any, database: Database, server: Any
) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB checks constraints at once")
    await both.execute(database, "CREATE TABLE a (id INTEGER PRIMARY KEY)")
    await both.execute(database, "CREATE TABLE b (a_id INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)")
    seen: list[str] = []

    with pytest.raises(IntegrityError):
        async with both.atomic(database):
            await both.execute(database, "INSERT INTO b (a_id) VALUES (5)")
            database.on_commit(lambda: seen.append("called"))

    assert (seen, (await both.execute(database, "SELECT * FROM b")).all()) == ([], [])
    assert server is None or server.idle_in_transaction() == 0


async def test_what_cannot_begin_gives_its_connection_back(both: Any, notes: Database) -> None:
    with pytest.raises(TransactionManagementError):
        async with both.atomic(notes, isolation="none such"):
            pass

    async with both.atomic(notes):
        await both.execute(notes, INSERT, {"text": "a"})
    assert await texts(both, notes) == ["a"]


async def test_a_cancelled_task_leaves_nothing_in_a_transaction(notes: Database, server: Any) -> None:
    slow = {"sqlite": _slow_sqlite(notes), "postgresql": "SELECT pg_sleep(30)", "mysql": "SELECT SLEEP(30)"}
    begun = asyncio.Event()

    async def work() -> None:
        async with notes.atomic():
            await notes.aexecute(INSERT, {"text": "a"})
            begun.set()
            await notes.aexecute(slow[notes.vendor])
            await notes.aexecute("SELECT 1 AS a")

    task = asyncio.create_task(work())
    await begun.wait()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await notes.aexecute("SELECT * FROM notes")).all() == []
    await _settle(server)


async def test_a_cancelled_statement_outside_a_transaction_leaves_nothing(notes: Database, server: Any) -> None:
    slow = {"sqlite": _slow_sqlite(notes), "postgresql": "SELECT pg_sleep(30)", "mysql": "SELECT SLEEP(30)"}
    task = asyncio.create_task(notes.aexecute(slow[notes.vendor]))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await notes.aexecute("SELECT 1 AS a")).scalar() == 1
    await _settle(server)


async def _settle(server: Any) -> None:
    """Wait until the server has noticed that nobody waits for it any more."""
    for _ in range(200):
        if server is None or (server.idle_in_transaction() == 0 and server.running() == 0):
            return
        await asyncio.sleep(0.02)
    pytest.fail("a transaction or a statement was left behind")


async def test_cancelling_between_statements_rolls_back(notes: Database, server: Any) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with notes.atomic():
            await notes.aexecute(INSERT, {"text": "a"})
            begun.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await notes.aexecute("SELECT * FROM notes")).all() == []
    assert server is None or server.idle_in_transaction() == 0


async def test_ddl_of_an_unknown_table_inside_a_block_breaks_it(both: Any, notes: Database) -> None:
    with pytest.raises(ProgrammingError):
        async with both.atomic(notes):
            await both.execute(notes, "SELECT * FROM nowhere")

    assert await texts(both, notes) == []


async def test_the_connection_of_migrations_is_refused_inside_a_block(notes: Database) -> None:
    def enter() -> None:
        with notes.atomic(), notes.connection():
            pass

    with pytest.raises(TransactionManagementError, match=r"db\.connection"):
        await asyncio.to_thread(enter)
