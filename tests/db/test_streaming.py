"""Rows in chunks: never all at once, and nothing left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from segue import db
from segue.db.database import Database
from segue.db.errors import ProgrammingError, SegueError
from segue.db.steps import Prepared

ROWS = Prepared("SELECT n FROM numbers ORDER BY n")


class Leaf(db.Model):
    branch = db.ForeignKey("self", on_delete=db.CASCADE, null=True, related_name="leaves")

    class Meta:
        db_table = "leaves"


@pytest.fixture
def numbers(database: Database) -> Database:
    """The database with ten numbers."""
    _fill(database)
    return database


def _fill(database: Database) -> None:
    database.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    database.execute("INSERT INTO numbers (n) VALUES (:n)", [{"n": n} for n in range(10)])


async def test_rows_come_in_chunks(both: Any, numbers: Database) -> None:
    chunks = [chunk async for chunk in both.stream(numbers, ROWS, 4)]

    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    assert [n for chunk in chunks for (n,) in chunk] == list(range(10))


async def test_a_stream_in_a_block_sees_what_the_block_wrote(both: Any, numbers: Database) -> None:
    async with both.atomic(numbers):
        await both.execute(numbers, "INSERT INTO numbers (n) VALUES (10)")

        assert sum([len(chunk) async for chunk in both.stream(numbers, ROWS, 4)]) == 11


async def test_a_block_may_write_while_it_streams(both: Any, numbers: Database) -> None:
    async with both.atomic(numbers):
        async for chunk in both.stream(numbers, ROWS, 4):
            await both.execute(numbers, "UPDATE numbers SET n = n + 100 WHERE n = :n", {"n": chunk[0][0]})

    found = (await both.execute(numbers, "SELECT n FROM numbers WHERE n >= 100 ORDER BY n")).scalars()
    assert found == [100, 104, 108]


async def test_one_may_write_on_another_connection_while_streaming(both: Any, numbers: Database) -> None:
    async for chunk in both.stream(numbers, ROWS, 4):
        await both.execute(numbers, "UPDATE numbers SET n = n + 100 WHERE n = :n", {"n": chunk[0][0]})

    assert (await both.execute(numbers, "SELECT count(*) AS n FROM numbers WHERE n >= 100")).scalar() == 3


async def test_a_stream_that_is_left_early_gives_its_connection_back(both: Any, numbers: Database, server: Any) -> None:
    stream = both.stream(numbers, ROWS, 2)
    await anext(stream)
    await stream.aclose()

    pools = numbers.statistics()
    assert pools["threads"]["in_use"] + sum(each["in_use"] for each in pools["loops"]) == 0
    assert server is None or server.idle_in_transaction() == 0
    assert (await both.execute(numbers, "SELECT count(*) AS n FROM numbers")).scalar() == 10


async def test_a_stream_holds_no_connection_once_its_last_chunk_was_read(both: Any, numbers: Database) -> None:
    stream = both.stream(numbers, ROWS, 6)
    await anext(stream)

    last = await anext(stream)

    pools = numbers.statistics()
    assert len(last) == 4
    assert pools["threads"]["in_use"] + sum(each["in_use"] for each in pools["loops"]) == 0
    assert [chunk async for chunk in stream] == []


async def test_a_stream_of_a_wrong_statement_raises_its_error(both: Any, numbers: Database) -> None:
    with pytest.raises(ProgrammingError):
        await anext(both.stream(numbers, Prepared("SELECT * FROM nowhere"), 2))

    assert (await both.execute(numbers, "SELECT count(*) AS n FROM numbers")).scalar() == 10


async def test_a_stream_that_outlives_its_block_is_refused(both: Any, numbers: Database) -> None:
    async with both.atomic(numbers):
        stream = both.stream(numbers, ROWS, 2)
        await anext(stream)

    with pytest.raises(SegueError):
        await anext(stream)


async def test_in_memory_others_get_in_while_one_streams(both: Any, memory: Database) -> None:
    await both.execute(memory, "CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    await both.execute(memory, "INSERT INTO numbers (n) VALUES (:n)", [{"n": n} for n in range(10)])

    async for chunk in both.stream(memory, ROWS, 4):
        await both.execute(memory, "DELETE FROM numbers WHERE n = :n", {"n": chunk[0][0]})

    assert (await both.execute(memory, "SELECT count(*) AS n FROM numbers")).scalar() == 7


async def test_streams_are_observed(both: Any, numbers: Database) -> None:
    seen: list[str] = []
    numbers.observers.append(lambda prepared, values, seconds: seen.append(prepared.sql))

    assert len([chunk async for chunk in both.stream(numbers, ROWS, 4)]) == 3
    assert seen == [ROWS.sql]


async def test_a_stream_left_early_in_a_block_does_not_meet_the_next_statement(numbers: Database) -> None:
    async with numbers.atomic():
        async for _ in numbers.astream(ROWS, (), 2):
            break
        await asyncio.sleep(0)  # now the loop closes it
        await asyncio.sleep(0)
        await numbers.aexecute("INSERT INTO numbers (n) VALUES (10)")

    assert (await numbers.aexecute("SELECT count(*) FROM numbers")).scalar() == 11


async def test_a_stream_that_is_closed_in_a_block_leaves_nothing_open_on_the_server(
    both: Any, numbers: Database
) -> None:
    async with both.atomic(numbers):
        stream = both.stream(numbers, ROWS, 2)
        await anext(stream)
        await stream.aclose()

        # PostgreSQL refuses it while a cursor reads the table.
        await both.execute(numbers, "ALTER TABLE numbers ADD COLUMN m INTEGER")

    assert (await both.execute(numbers, "SELECT count(*) FROM numbers WHERE m IS NULL")).scalar() == 10


async def test_a_stream_that_another_task_reads_to_its_end_is_closed(numbers: Database) -> None:
    async with numbers.atomic():
        stream = numbers.astream(ROWS, (), 4)
        await anext(stream)
        assert await asyncio.create_task(_count(stream)) == 6

        await numbers.aexecute("ALTER TABLE numbers ADD COLUMN m INTEGER")


async def _count(stream: AsyncIterator[list[Any]]) -> int:
    return sum([len(chunk) async for chunk in stream])


async def test_a_stream_of_a_block_that_was_rolled_back_is_closed_without_harm(both: Any, numbers: Database) -> None:
    async with both.atomic(numbers):
        with pytest.raises(KeyError):
            async with both.atomic(numbers):
                stream = both.stream(numbers, ROWS, 2)
                await anext(stream)
                raise KeyError
        await stream.aclose()
        await both.execute(numbers, "INSERT INTO numbers (n) VALUES (10)")

    assert (await both.execute(numbers, "SELECT count(*) FROM numbers")).scalar() == 11


async def test_a_stream_of_a_block_within_that_ended_well_is_closed(both: Any, numbers: Database) -> None:
    async with both.atomic(numbers):
        async with both.atomic(numbers):
            stream = both.stream(numbers, ROWS, 2)
            await anext(stream)
        await stream.aclose()

        await both.execute(numbers, "ALTER TABLE numbers ADD COLUMN m INTEGER")

    assert (await both.execute(numbers, "SELECT count(*) FROM numbers WHERE m IS NULL")).scalar() == 10


async def test_a_stream_that_ends_with_a_short_chunk_keeps_its_connection(both: Any, numbers: Database) -> None:
    identity = {"sqlite": "1", "postgresql": "pg_backend_pid()", "mysql": "CONNECTION_ID()"}[numbers.vendor]
    before = (await both.execute(numbers, f"SELECT {identity}")).scalar()

    assert [len(chunk) async for chunk in both.stream(numbers, ROWS, 4)] == [4, 4, 2]
    assert (await both.execute(numbers, f"SELECT {identity}")).scalar() == before


@pytest.fixture
def leaves(database: Database) -> Database:
    """The database with leaf 1, and five leaves of it."""
    database.execute("CREATE TABLE leaves (id BIGINT PRIMARY KEY, branch_id BIGINT NULL)")
    database.execute("INSERT INTO leaves (id, branch_id) VALUES (1, NULL)")
    database.execute("INSERT INTO leaves (id, branch_id) VALUES (:n, 1)", [{"n": n} for n in range(2, 7)])
    return database


async def test_an_iterator_of_a_query_that_is_closed_in_a_block_leaves_nothing_open(leaves: Database) -> None:
    async with leaves.atomic():
        rows = Leaf.objects.aiterator(chunk_size=2)
        await anext(rows)
        await rows.aclose()

        await leaves.aexecute("ALTER TABLE leaves ADD COLUMN colour INTEGER")


async def test_an_iterator_of_related_rows_that_is_closed_in_a_block_leaves_nothing_open(leaves: Database) -> None:
    async with leaves.atomic():
        rows = Leaf(pk=1).leaves.aiterator(chunk_size=2)
        await anext(rows)
        await rows.aclose()

        await leaves.aexecute("ALTER TABLE leaves ADD COLUMN colour INTEGER")


async def test_an_iterator_left_early_in_a_block_does_not_meet_the_next_statement(leaves: Database) -> None:
    async with leaves.atomic():
        async for _ in Leaf(pk=1).leaves.aiterator(chunk_size=2):
            break
        await asyncio.sleep(0)  # now the loop closes it
        await leaves.aexecute("INSERT INTO leaves (id) VALUES (7)")

    assert (await leaves.aexecute("SELECT count(*) FROM leaves")).scalar() == 7


def test_a_loop_that_ends_amid_an_iterator_reports_nothing(leaves: Database, caplog: pytest.LogCaptureFixture) -> None:
    kept: list[Any] = []

    async def story() -> None:
        kept.append(Leaf(pk=1).leaves.aiterator(chunk_size=2))
        await anext(kept[0])

    asyncio.run(story())

    assert caplog.records == []
