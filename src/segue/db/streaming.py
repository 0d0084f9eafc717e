"""Rows in chunks, for results that are too many to be held at once.

Holds: `stream` and `astream`; `Closing`, for who takes their rows on.
Imports: the steps of this package, and the database for types.
Never: gives back a connection on which a statement is still open, or speaks on one of a parent process.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .blocks import Transaction
from .forks import leave_to_parent
from .observing import tell
from .places import this_owner
from .steps import Prepared, Row
from .transactions import find_transaction

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Closing", "astream", "stream"]

T = TypeVar("T")


def stream(database: Database, prepared: Prepared, parameters: Sequence[Any], size: int) -> Generator[list[Row]]:
    """Yield the rows in lists of *size*, as a thread."""
    transaction = find_transaction(database)
    if transaction is not None:
        yield from _stream_inside(database, transaction, prepared, parameters, size)
    elif database.driver.has_one_connection:
        # It is in memory already; held open, it would keep everybody else away.
        yield from _chunks(database.perform("fetch", prepared, parameters), size)
    else:
        yield from _stream_alone(database, prepared, parameters, size)


def _stream_alone(database: Database, prepared: Prepared, parameters: Sequence[Any], size: int) -> Generator[list[Row]]:
    pool = database.pool
    connection = pool.take()
    opened: Any = None
    process = os.getpid()
    try:
        with _Told(database, prepared, parameters):
            opened = connection.open_stream(prepared, parameters, size)
        while len(rows := connection.read_stream(opened)) == size:
            yield rows
    finally:
        if not _is_inherited(process, connection, opened):
            try:
                if opened is not None and not connection.is_broken:
                    connection.close_stream(opened)
            finally:
                pool.give_back(connection)
    # A short chunk is the last one: who is slow to take it keeps no connection from others.
    if rows:
        yield rows


def _stream_inside(
    database: Database, transaction: Transaction, prepared: Prepared, parameters: Sequence[Any], size: int
) -> Generator[list[Row]]:
    # Empty where the transaction has ended, which then refuses the stream.
    begun_in = transaction.blocks[-1:]
    process = os.getpid()
    with _Told(database, prepared, parameters):
        opened = transaction.perform("open_stream", (prepared, parameters, size), writes=prepared.writes)
    try:
        while rows := transaction.perform("read_stream", (opened,), writes=False):
            yield rows
    finally:
        # The end of what it was begun in has closed it; a broken transaction refuses everything.
        is_open = not _is_inherited(process, transaction, opened) and transaction.is_usable
        if is_open and transaction.keeps(begun_in[0]):
            transaction.perform("close_stream", (opened,), writes=False)


def astream(database: Database, prepared: Prepared, parameters: Sequence[Any], size: int) -> AsyncGenerator[list[Row]]:
    """Yield the rows in lists of *size*, as a task."""
    # Not one generator around another: a loop that ends closes all that are left at once, and they
    # would meet.
    transaction = find_transaction(database)
    if transaction is not None:
        return _astream_inside(database, transaction, prepared, parameters, size)
    if database.driver.has_one_connection:
        return _astream_at_once(database, prepared, parameters, size)
    return _astream_alone(database, prepared, parameters, size)


async def _astream_at_once(
    database: Database, prepared: Prepared, parameters: Sequence[Any], size: int
) -> AsyncGenerator[list[Row]]:
    for chunk in _chunks(await database.aperform("fetch", prepared, parameters), size):
        yield chunk


async def _astream_alone(
    database: Database, prepared: Prepared, parameters: Sequence[Any], size: int
) -> AsyncGenerator[list[Row]]:
    pool = database.loop_pool()
    connection = await pool.atake()
    opened: Any = None
    process = os.getpid()
    try:
        with _Told(database, prepared, parameters):
            opened = await connection.aopen_stream(prepared, parameters, size)
        while len(rows := await connection.aread_stream(opened)) == size:
            yield rows
    finally:
        if not _is_inherited(process, connection, opened):
            try:
                if opened is not None and not connection.is_broken:
                    await connection.aclose_stream(opened)
            finally:
                pool.give_back(connection)
    if rows:
        yield rows


async def _astream_inside(
    database: Database, transaction: Transaction, prepared: Prepared, parameters: Sequence[Any], size: int
) -> AsyncGenerator[list[Row]]:
    begun_in = transaction.blocks[-1:]
    process, reader = os.getpid(), this_owner()
    with _Told(database, prepared, parameters):
        opened = await transaction.aperform("open_stream", (prepared, parameters, size), writes=prepared.writes)
    try:
        while True:
            reader = this_owner()
            rows = await transaction.aperform("read_stream", (opened,), writes=False)
            if not rows:
                break
            yield rows
    finally:
        # One that is dropped is closed by the loop, in a task of its own, while the transaction may be
        # about to run the next statement; so it stays for the end of the transaction.
        is_ours = not _is_inherited(process, transaction, opened) and this_owner() == reader
        is_free = transaction.is_usable and transaction.holder is None and not transaction.is_ending
        if is_ours and is_free and transaction.keeps(begun_in[0]):
            await transaction.aperform("close_stream", (opened,), writes=False)


class Closing(Generic[T]):
    """Closes the generator of rows *chunks* with the one around it, as `async with`.

    Only where the task that began it ends it: a loop that ends closes all generators at once, and
    nobody may close one that is being closed.
    """

    def __init__(self, chunks: AsyncGenerator[T]) -> None:
        self._chunks = chunks
        self._opener = this_owner()

    async def __aenter__(self) -> AsyncGenerator[T]:
        return self._chunks

    async def __aexit__(self, *_: object) -> None:
        if this_owner() == self._opener:
            await self._chunks.aclose()


def _is_inherited(process: int, *things: object) -> bool:
    """Return whether a stream begun in *process* is a parent's; then its *things* are left to it."""
    if os.getpid() == process:
        return False
    leave_to_parent(*things)
    return True


class _Told:
    """Tells who watches how long the block took."""

    def __init__(self, database: Database, prepared: Prepared, parameters: Sequence[Any]) -> None:
        self._arguments = database, prepared, parameters
        self._started = perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        database, prepared, parameters = self._arguments
        if database.is_observed:
            tell(database.observers, prepared, parameters, perf_counter() - self._started)


def _chunks(rows: list[Row], size: int) -> Iterator[list[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
