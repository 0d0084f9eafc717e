"""Transactions of the two colours, and which of them a context has open.

Holds: `SyncTransaction`, `AsyncTransaction`; `find_transaction`.
Imports: the rules in `blocks`, drivers, errors.
Never: knows how a connection was come by.

Which transaction is open is known by a context variable, so tasks and threads that were
started inside a block see it as well. They may use it one after the other; *at once* they
are refused, since the answers of one would depend on how far the other is.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, ClassVar, TypeVar

from .blocks import Commands, Transaction
from .drivers import AsyncConnection, Connection, Driver
from .drivers.threads import workers
from .errors import TransactionManagementError
from .forks import leave_to_parent
from .places import Owner, place_of_caller, this_owner

__all__ = ["AsyncTransaction", "SyncTransaction", "current_transactions", "find_transaction", "hide", "show"]

T = TypeVar("T")

current_transactions: ContextVar[Mapping[object, Transaction] | None] = ContextVar("segue_transactions", default=None)


def find_transaction(database: object) -> Transaction | None:
    """Return the transaction that statements of this context belong to, or `None`.

    Raises:
        TransactionManagementError: `data/transaction-ended`: what started this was rolled back.
    """
    opened = current_transactions.get()
    if opened is None:
        return None
    transaction = opened.get(database)
    if transaction is None or transaction.outcome == "open":
        return transaction
    if transaction.outcome == "committed":
        return None
    raise TransactionManagementError(
        "This runs for a transaction that was rolled back.",
        code="data/transaction-ended",
        where=place_of_caller(),
        why="A task that was started inside an atomic() block belongs to its transaction; outside of it, "
        "this statement would stand alone.",
        hint="await the task inside the block, or start it by db.on_commit(…).",
    )


def show(database: object, transaction: Transaction) -> Callable[[], None]:
    """Make *transaction* the one of this context; returns what undoes it."""
    before = current_transactions.get()
    current_transactions.set({**(before or {}), database: transaction})

    # Not by a token: a block may end in another context than it began in, as in a generator.
    def undo() -> None:
        current_transactions.set(before)

    return undo


def hide() -> None:
    """Forget the transactions of this context: a forked child has none of its parent's."""
    for transaction in (current_transactions.get() or {}).values():
        transaction.is_inherited = True
        leave_to_parent(transaction)
    current_transactions.set(None)


os.register_at_fork(after_in_child=hide)


class SyncTransaction(Transaction):
    """A transaction on a connection whose calls wait."""

    is_async: ClassVar[bool] = False

    def __init__(self, driver: Driver, connection: Connection, *, read_only: bool, isolation: str | None) -> None:
        super().__init__(driver, connection, read_only=read_only, isolation=isolation)
        self._lock = threading.Lock()

    def perform(self, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        return self._perform(this_owner(), what, arguments, writes=writes)

    async def aperform(self, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        owner = this_owner()
        return await workers.run_in_context(lambda: self._perform(owner, what, arguments, writes=writes))

    def run(self, commands: Commands[T], *, ends: bool = False) -> T:
        return self._run(this_owner(), commands, ends=ends)

    async def arun(self, commands: Commands[T], *, ends: bool = False) -> T:
        owner = this_owner()
        return await workers.run_in_context(lambda: self._run(owner, commands, ends=ends))

    def _perform(self, owner: Owner, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        self.admit(writes=writes)
        self._hold(owner, waits=False)
        try:
            return getattr(self.connection, what)(*arguments)
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            self._let_go()

    def _run(self, owner: Owner, commands: Commands[T], *, ends: bool) -> T:
        self._hold(owner, waits=ends)
        try:
            sql = next(commands)
            while True:
                try:
                    self.connection.command(sql)
                except BaseException as error:
                    self.failed(error)
                    sql = commands.throw(error)
                else:
                    sql = next(commands)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the generator returns
        finally:
            self._let_go()

    def _hold(self, owner: Owner, *, waits: bool) -> None:
        if not self._lock.acquire(blocking=False):
            if not waits:
                raise self.shared()
            self.is_ending: bool = True
            self._lock.acquire()
            self.is_ending = False
        self.holder = owner

    def _let_go(self) -> None:
        self.holder = None
        self._lock.release()


class AsyncTransaction(Transaction):
    """A transaction on a connection of one event loop."""

    is_async: ClassVar[bool] = True

    def __init__(self, driver: Driver, connection: AsyncConnection, *, read_only: bool, isolation: str | None) -> None:
        super().__init__(driver, connection, read_only=read_only, isolation=isolation)
        self._loop = asyncio.get_running_loop()
        self._awaited: asyncio.Future[None] | None = None

    def perform(self, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        return self._from_thread(self._aperform(this_owner(), what, arguments, writes=writes))

    async def aperform(self, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        if asyncio.get_running_loop() is not self._loop:
            return await self._from_loop(self._aperform(this_owner(), what, arguments, writes=writes))
        return await self._aperform(this_owner(), what, arguments, writes=writes)

    def run(self, commands: Commands[T], *, ends: bool = False) -> T:
        return self._from_thread(self._arun(this_owner(), commands, ends=ends))

    async def arun(self, commands: Commands[T], *, ends: bool = False) -> T:
        if asyncio.get_running_loop() is not self._loop:
            return await self._from_loop(self._arun(this_owner(), commands, ends=ends))
        return await self._arun(this_owner(), commands, ends=ends)

    async def _aperform(self, owner: Owner, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        self.admit(writes=writes)
        if self.holder is not None:
            raise self.shared()
        self.holder = owner
        try:
            return await getattr(self.connection, "a" + what)(*arguments)
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            self._let_go()

    async def _arun(self, owner: Owner, commands: Commands[T], *, ends: bool) -> T:
        if self.holder is not None:
            if not ends:
                raise self.shared()
            await self._outwait()
        self.holder = owner
        try:
            sql = next(commands)
            while True:
                try:
                    await self.connection.acommand(sql)
                except BaseException as error:
                    self.failed(error)
                    sql = commands.throw(error)
                else:
                    sql = next(commands)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the generator returns
        finally:
            self._let_go()

    async def _outwait(self) -> None:
        """Wait until a task that was left behind has its answer; more it does not get."""
        cancelled: asyncio.CancelledError | None = None
        self.is_ending: bool = True
        while self.holder is not None:
            self._awaited = self._loop.create_future()
            try:
                await asyncio.wait([self._awaited])
            except asyncio.CancelledError as error:
                cancelled = error
        self.is_ending = False
        if cancelled is not None:
            # Too late to end well: what was written is not wanted any more.
            self.connection.close()
            raise cancelled

    def _let_go(self) -> None:
        self.holder = None
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    def _from_thread(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._submit(coroutine).result()

    async def _from_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self._submit(coroutine))

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise TransactionManagementError(
                "The event loop of this transaction is closed.",
                code="data/transaction-ended",
                where=place_of_caller(),
                why="A thread that was started inside the block outlived the loop on which the block runs.",
                hint="Wait for the thread inside the block.",
            ) from None
