"""Operations: generators of steps, driven in both colours."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from segue.db.database import Database
from segue.db.errors import IntegrityError
from segue.db.steps import Call, Execute, ExecuteMany, Operation, Prepared, Transaction, Written
from segue.errors import UsageError


@pytest.fixture
def notes(database: Database) -> Database:
    """The database with a table of notes that must differ."""
    database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text VARCHAR(40) UNIQUE)")
    return database


def insert(database: Database, *, returning: bool = False) -> Prepared:
    """An INSERT in the parameter style of the driver."""
    marks = {"sqlite": "?, ?", "postgresql": "$1, $2", "mysql": "%s, %s"}[database.vendor]
    end = " RETURNING id, text" if returning else ""
    return Prepared(f"INSERT INTO notes (id, text) VALUES ({marks}){end}", writes=True, returns_rows=returning)


ALL = Prepared("SELECT text FROM notes ORDER BY id")


async def test_steps_are_answered_with_rows_and_with_written(both: Any, notes: Database) -> None:
    def operation() -> Operation[tuple[Any, Any]]:
        written = yield Execute(insert(notes), (1, "a"))
        rows = yield Execute(ALL)
        return written.count, rows

    assert await both.run(notes, operation()) == (1, [("a",)])


async def test_many_rows_are_written_together(both: Any, notes: Database) -> None:
    def operation() -> Operation[Any]:
        written = yield ExecuteMany(insert(notes), [(1, "a"), (2, "b"), (3, "c")])
        return written

    written = await both.run(notes, operation())

    assert (type(written), written.count) == (Written, 3)


async def test_many_rows_return_their_rows_in_order(both: Any, notes: Database) -> None:
    def operation() -> Operation[Any]:
        return (yield ExecuteMany(insert(notes, returning=True), [(3, "c"), (1, "a"), (2, "b")]))

    assert await both.run(notes, operation()) == [(3, "c"), (1, "a"), (2, "b")]


async def test_no_rows_at_all_are_written(both: Any, notes: Database) -> None:
    def operation() -> Operation[Any]:
        return (yield ExecuteMany(insert(notes, returning=True), []))

    assert await both.run(notes, operation()) == []


async def test_many_rows_are_saved_together_or_not_at_all(both: Any, notes: Database) -> None:
    def operation() -> Operation[None]:
        yield ExecuteMany(insert(notes), [(1, "a"), (2, "a")])

    with pytest.raises(IntegrityError):
        await both.run(notes, operation())

    assert await both.fetch(notes, ALL) == []


async def test_an_error_is_thrown_where_the_step_was_asked_for(both: Any, notes: Database) -> None:
    def operation() -> Operation[str]:
        yield Execute(insert(notes), (1, "a"))
        try:
            yield Execute(insert(notes), (1, "a"))
        except IntegrityError as error:
            return error.kind
        return "no error"

    assert await both.run(notes, operation()) == "unique"


async def test_a_transaction_step_undoes_its_operation_alone(both: Any, notes: Database) -> None:
    def inner(text: str) -> Operation[str]:
        yield Execute(insert(notes), (2, text))
        yield Execute(insert(notes), (3, text))
        return text

    def outer() -> Operation[list[Any]]:
        yield Execute(insert(notes), (1, "outer"))
        with suppress(IntegrityError):
            yield Transaction(inner("twice"))
        rows: list[Any] = yield Execute(ALL)
        return rows

    def whole() -> Operation[Any]:
        return (yield Transaction(outer()))

    assert await both.run(notes, whole()) == [("outer",)]


async def test_a_call_step_calls_the_users_code(both: Any, notes: Database) -> None:
    def double(number: int, *, plus: int) -> int:
        return 2 * number + plus

    def operation() -> Operation[int]:
        number: int = yield Call(double, 20, plus=2)
        return number

    assert await both.run(notes, operation()) == 42


async def test_an_async_operation_awaits_what_the_users_code_returns(notes: Database) -> None:
    async def double(number: int) -> int:
        return len((await notes.aexecute("SELECT 1 AS a")).all()) * 2 * number

    def operation() -> Operation[int]:
        number: int = yield Call(double, 21)
        return number

    assert await notes.arun(operation()) == 42


def test_async_code_of_the_user_in_a_sync_operation_is_an_error(notes: Database) -> None:
    async def receive() -> None: ...

    def operation() -> Operation[None]:
        yield Call(receive)

    with pytest.raises(UsageError) as caught:
        notes.run(operation())

    assert caught.value.code == "data/async-receiver"
    assert "receive" in caught.value.message
    assert "test_running.py" in caught.value.where


async def test_the_users_code_may_raise_anything(both: Any, notes: Database) -> None:
    def fail() -> None:
        raise StopIteration("oops")

    def operation() -> Operation[None]:
        yield Call(fail)

    with pytest.raises(RuntimeError):
        await both.run(notes, operation())


async def test_an_operation_cleans_up_when_it_fails(both: Any, notes: Database) -> None:
    seen: list[str] = []

    def operation() -> Operation[None]:
        try:
            yield Execute(Prepared("SELECT * FROM nowhere"))
        finally:
            seen.append("cleaned")

    with pytest.raises(Exception, match="nowhere"):
        await both.run(notes, operation())
    assert seen == ["cleaned"]


async def test_a_write_tells_the_key_that_the_database_made(both: Any, file: Database) -> None:
    await both.execute(file, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text VARCHAR(40))")

    def operation() -> Operation[Any]:
        prepared = Prepared("INSERT INTO notes (text) VALUES (?)", writes=True, returns_rows=False)
        yield Execute(prepared, ("a",))
        return (yield Execute(prepared, ("b",)))

    assert await both.run(file, operation()) == Written(1, 2)
