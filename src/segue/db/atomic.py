"""`atomic()`: a block in which all is saved, or nothing.

Holds: `Atomic`, as `with`, `async with` and decorator; running what waited for the commit.
Imports: floor 0, the transactions of this package.
Never: knows which database is the current one (it is told how to find it).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import UsageError, place_of
from .blocks import Block, Callback, Transaction
from .drivers.threads import workers
from .errors import ConnectionLost, SerializationError, TransactionManagementError
from .places import this_owner
from .pools import Pool, Writers
from .sessions import note_write
from .transactions import AsyncTransaction, SyncTransaction, find_transaction, show

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Atomic", "arun_callback", "async_callback", "run_callback"]

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("segue.db")
# The first of the pauses between two tries; each next one may be twice as long.
_PAUSE_SECONDS = 0.02


class Atomic:
    """A block in which all is saved, or nothing. Made by `atomic()`.

    Blocks nest: an inner one that fails takes back what was done in it alone. Each object
    is one block; a decorated function begins one with each call.
    """

    def __init__(
        self,
        find: Callable[[], Database],
        *,
        savepoint: bool = True,
        durable: bool = False,
        read_only: bool = False,
        isolation: str | None = None,
        retry: int = 0,
    ) -> None:
        self._find = find
        self._savepoint = savepoint
        self._durable = durable
        self._read_only = read_only
        self._isolation = isolation
        self._retry = retry
        self._entered: tuple[Transaction, Block, _Outermost | None] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'entered' if self._entered else 'not entered'}>"

    def __enter__(self) -> None:
        self._refuse_retry()
        self._enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for callback in self._leave(error):
            run_callback(callback)

    async def __aenter__(self) -> None:
        self._refuse_retry()
        await self._aenter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for callback in await self._aleave(error):
            await arun_callback(callback)

    def __call__(self, function: F) -> F:
        """Decorate *function*: each call is a block of its own."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TransactionManagementError(
                f"@atomic on {function.__qualname__}(), which yields: its block would end before the first value.",
                code="data/transaction",
                where=place_of(function),
                hint="with db.atomic(): inside the function, around what belongs together",
            )
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def in_async_block(*arguments: Any, **keywords: Any) -> Any:
                return await self._acall(function, arguments, keywords)

            return cast("F", in_async_block)

        @wraps(function)
        def in_block(*arguments: Any, **keywords: Any) -> Any:
            return self._call(function, arguments, keywords)

        return cast("F", in_block)

    # A decorated function is tried again where the transaction met another one. The callbacks run
    # behind the tries: by then everything is saved, and must not be done again.

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        database = self._find()
        tries = 0 if find_transaction(database) is not None else self._retry
        while True:
            block = self._again(database)
            try:
                block._enter()
                try:
                    result = function(*arguments, **keywords)
                except BaseException as error:
                    block._leave(error)
                    raise
                callbacks = block._leave(None)
            except SerializationError:
                if not tries:
                    raise
                tries -= 1
                time.sleep(self._pause(tries))
                continue
            for callback in callbacks:
                run_callback(callback)
            return result

    async def _acall(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        database = self._find()
        tries = 0 if find_transaction(database) is not None else self._retry
        while True:
            block = self._again(database)
            try:
                await block._aenter()
                try:
                    result = await function(*arguments, **keywords)
                except BaseException as error:
                    await block._aleave(error)
                    raise
                callbacks = await block._aleave(None)
            except SerializationError:
                if not tries:
                    raise
                tries -= 1
                await asyncio.sleep(self._pause(tries))
                continue
            for callback in callbacks:
                await arun_callback(callback)
            return result

    def _again(self, database: Database) -> Atomic:
        return Atomic(
            lambda: database,
            savepoint=self._savepoint,
            durable=self._durable,
            read_only=self._read_only,
            isolation=self._isolation,
        )

    def _pause(self, tries_left: int) -> float:
        longest: float = _PAUSE_SECONDS * 2.0 ** (self._retry - tries_left - 1)
        return random.uniform(0.2, 1.0) * longest

    def _refuse_retry(self) -> None:
        if self._retry:
            raise UsageError(
                f"atomic(retry={self._retry}) as a block: Python cannot run the lines of a block again.",
                code="data/transaction-retry",
                hint=f"@db.atomic(retry={self._retry})\ndef transfer(…): …",
            )

    # One block

    def _enter(self) -> None:
        database = self._find()
        database.refuse_on_loop("with db.atomic()", "async with db.atomic()")
        self._refuse_twice()
        transaction = find_transaction(database)
        outermost: _Outermost | None = None
        if transaction is None:
            outermost = _Outermost(database, read_only=self._read_only, isolation=self._isolation)
            transaction, block = outermost.begin()
        else:
            block = transaction.run(self._within(transaction))
        block.owner = this_owner()
        self._entered = transaction, block, outermost

    def _leave(self, error: BaseException | None) -> list[Callback]:
        transaction, block, outermost = self._left()
        if transaction.is_inherited:
            return []
        try:
            transaction.run(transaction.leave(block, error), ends=True)
        finally:
            if outermost is not None:
                outermost.end()
            self._note_end(transaction, outermost)
        return transaction.callbacks if outermost is not None else []

    async def _aenter(self) -> None:
        database = self._find()
        self._refuse_twice()
        transaction = find_transaction(database)
        outermost: _Outermost | None = None
        if transaction is None:
            outermost = _Outermost(database, read_only=self._read_only, isolation=self._isolation)
            transaction, block = await outermost.abegin()
        else:
            block = await transaction.arun(self._within(transaction))
        block.owner = this_owner()
        self._entered = transaction, block, outermost

    async def _aleave(self, error: BaseException | None) -> list[Callback]:
        transaction, block, outermost = self._left()
        if transaction.is_inherited:
            return []
        try:
            await transaction.arun(transaction.leave(block, error), ends=True)
        finally:
            if outermost is not None:
                outermost.end()
            self._note_end(transaction, outermost)
        return transaction.callbacks if outermost is not None else []

    def _note_end(self, transaction: Transaction, outermost: _Outermost | None) -> None:
        # What was read inside the block may not be so any more; what was written is there only now.
        note_write()
        if outermost is not None and transaction.has_written:
            outermost.database.note_write()

    def _within(self, transaction: Transaction) -> Any:
        return transaction.enter(
            savepoint=self._savepoint, durable=self._durable, read_only=self._read_only, isolation=self._isolation
        )

    def _refuse_twice(self) -> None:
        if self._entered is not None:
            raise TransactionManagementError(
                "This atomic() was entered already and not left.",
                code="data/transaction",
                hint="Make one for each block: with db.atomic(): …",
            )

    def _left(self) -> tuple[Transaction, Block, _Outermost | None]:
        entered, self._entered = self._entered, None
        if entered is None:
            raise TransactionManagementError(
                "This atomic() was not entered.", code="data/transaction", hint="with db.atomic(): …"
            )
        return entered


class _Outermost:
    """What the outermost block has taken, and must give back: a connection, and the writers' turn."""

    def __init__(self, database: Database, *, read_only: bool, isolation: str | None) -> None:
        self.database = database
        self._options: dict[str, Any] = {"read_only": read_only, "isolation": isolation}
        self._turn: Writers | None = None if read_only else database.writers
        self._pool: Pool | None = None
        self._transaction: Transaction | None = None
        self._undo: Callable[[], None] | None = None

    def begin(self) -> tuple[Transaction, Block]:
        if self._turn is not None:
            self._turn.take()
        try:
            try:
                return self._begin()
            except ConnectionLost:
                # Nothing was said on it yet, so nothing can happen twice.
                self._give_back()
                return self._begin()
        except BaseException:
            self.end()
            raise

    async def abegin(self) -> tuple[Transaction, Block]:
        if self._turn is not None:
            await self._turn.atake()
        try:
            try:
                return await self._abegin()
            except ConnectionLost:
                self._give_back()
                return await self._abegin()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Give back; never waits."""
        self._give_back()
        if self._turn is not None:
            self._turn.put("")

    def _begin(self) -> tuple[Transaction, Block]:
        self._pool = self.database.pool
        transaction = SyncTransaction(self.database.driver, self._pool.take(), **self._options)
        self._transaction = transaction
        block = transaction.run(transaction.begin())
        self._undo = show(self.database, transaction)
        return transaction, block

    async def _abegin(self) -> tuple[Transaction, Block]:
        self._pool = self.database.loop_pool()
        transaction = AsyncTransaction(self.database.driver, await self._pool.atake(), **self._options)
        self._transaction = transaction
        block = await transaction.arun(transaction.begin())
        self._undo = show(self.database, transaction)
        return transaction, block

    def _give_back(self) -> None:
        transaction, self._transaction = self._transaction, None
        if self._undo is not None:
            self._undo()
        if transaction is None or self._pool is None:
            return
        if transaction.outcome == "open":
            transaction.outcome = "rolled back"
        if isinstance(transaction.lost, ConnectionLost):
            self._pool.suspect()
        self._pool.give_back(transaction.connection)


def run_callback(callback: Callback) -> None:
    """Run what waited for the commit of a sync transaction."""
    try:
        result = callback.function()
        if inspect.isawaitable(result):
            _forget(result)
            raise async_callback(callback.function)
    except Exception:
        if not callback.is_robust:
            raise
        _log.exception("A function of on_commit(robust=True) failed; the transaction was committed.")


async def arun_callback(callback: Callback) -> None:
    """Run what waited for the commit of an async transaction."""
    try:
        if callback.in_thread:
            await workers.run_in_context(callback.function)
            return
        result = callback.function()
        if inspect.isawaitable(result):
            await result
    except Exception:
        if not callback.is_robust:
            raise
        _log.exception("A function of on_commit(robust=True) failed; the transaction was committed.")


def async_callback(function: Callable[..., Any]) -> UsageError:
    """Return the error for an async function that nobody could await."""
    return UsageError(
        f"on_commit() was given {getattr(function, '__qualname__', function)!s}, which is async, "
        "where nobody could await it.",
        code="data/async-receiver",
        where=place_of(function),
        hint="async with db.atomic(): …, or a `def` function",
    )


def _forget(awaitable: Any) -> None:
    # Closed, so that Python does not warn of a coroutine that was never awaited.
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
