"""One connection, on which all of a migration runs.

Holds: `Session`: its transactions, its lock against others who migrate, its statements.
Imports: drivers and transactions of the data layer.
Never: knows what a migration is.

Statements of DDL, those of querysets and the notes about progress share one transaction: a
transaction of the session is the one that `find_transaction` finds for the database.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from ..atomic import run_callback
from ..blocks import Transaction
from ..database import Database
from ..errors import OperationalError
from ..steps import Prepared
from ..transactions import SyncTransaction, show
from .files import MigrationError
from .locking import FileLock
from .rebuild import rescale

__all__ = ["Session"]

_KEY = 0x5E60_E000
_PAUSE_SECONDS = 0.1


class Session:
    """A connection for migrations.

    Args:
        lock_timeout: How many seconds a statement waits for a table that others use.
        wait: How many seconds to wait for another `migrate`.
    """

    def __init__(self, database: Database, *, lock_timeout: float = 3.0, wait: float = 60.0) -> None:
        self.database = database
        self.driver: Any = database.driver
        self.vendor: str = database.vendor
        self.lock_timeout = lock_timeout
        self.wait = wait
        self._transaction: Transaction | None = None
        self._connection: Any = None
        self._file: FileLock | None = None

    def __repr__(self) -> str:
        return f"<Session {self.database}>"

    @contextmanager
    def opened(self, *, locks: bool = True) -> Generator[Session]:
        """Open the connection, and keep others who migrate out until the end."""
        is_shared = self.driver.has_one_connection
        self._connection = self.database.pool.take() if is_shared else self.driver.open()
        try:
            self._prepare()
            if locks:
                self._lock()
            yield self
        finally:
            if self._file is not None:
                self._file.give()
            connection, self._connection = self._connection, None
            if is_shared:
                self.database.pool.give_back(connection)
            else:
                connection.close()

    def _prepare(self) -> None:
        if self.vendor == "sqlite":
            self._connection.raw.create_function("segue_rescale", 3, rescale, deterministic=True)
        elif self.vendor == "postgresql":
            # How long a migration may take, nobody can say; how long it may make others wait is said here.
            milliseconds = round(self.lock_timeout * 1000)
            self._connection.command(f"SET statement_timeout = 0; SET lock_timeout = {milliseconds}")
        else:
            seconds = max(1, round(self.lock_timeout))
            self._connection.command(f"SET SESSION lock_wait_timeout = {seconds}")

    def _lock(self) -> None:
        """Keep others out; the lock ends with the connection, or with the process."""
        take = self._taker()
        deadline = time.monotonic() + self.wait
        while take is not None and not take():
            if time.monotonic() > deadline:
                raise MigrationError(
                    "Another process is migrating this database.",
                    code="data/migration-locked",
                    why=f"It has not ended within {self.wait:g} seconds.",
                    hint="Try again when it is done; --wait 600 waits longer.",
                )
            time.sleep(_PAUSE_SECONDS)

    def _taker(self) -> Callable[[], Any] | None:
        """Return what tries to take the lock; `None` in memory, where nobody else is."""
        if self.driver.has_one_connection:
            return None
        if self.vendor == "sqlite":
            # A transaction locks the file, but a migration may be several.
            self._file = FileLock(f"{self.database.name}-migrating")
            return self._file.take
        if self.vendor == "postgresql":
            return lambda: self.query(f"SELECT pg_try_advisory_lock({_KEY})")[0][0]
        digest = hashlib.sha256(self.database.name.encode()).hexdigest()[:16]
        return lambda: self.query(f"SELECT GET_LOCK('segue_{digest}', 0)")[0][0]

    # Statements

    def query(self, sql: str) -> list[Any]:
        """Return the rows of a statement."""
        prepared = Prepared(sql)
        if self._transaction is not None:
            return list(self._transaction.perform("answer", (prepared, ()), writes=False).rows)
        return list(self._connection.answer(prepared, ()).rows)

    def command(self, sql: str) -> None:
        """Run a statement."""
        if self._transaction is None:
            self._connection.command(sql)
            return
        self._transaction.refuse_if_broken()
        self._transaction.run(_one(sql))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._transaction is not None

    # Transactions

    @contextmanager
    def transaction(self, *, foreign_keys: bool = True) -> Generator[None]:
        """Save all of the block, or nothing.

        Args:
            foreign_keys: Whether SQLite minds them in each statement. Where not, they are
                all checked before the commit.
        """
        off = self.vendor == "sqlite" and not foreign_keys
        turn = self.database.writers
        if turn is not None:
            turn.take()
        transaction = SyncTransaction(self.driver, self._connection, read_only=False, isolation=None)
        undo: Callable[[], None] | None = None
        try:
            if off:
                # It does nothing inside a transaction.
                self._connection.command("PRAGMA foreign_keys = OFF")
            block = self._begin(transaction)
            undo = show(self.database, transaction)
            self._transaction = transaction
            try:
                before = self._violations() if off else set[Any]()
                yield
                if off:
                    self._refuse_violations(before)
            except BaseException as error:
                transaction.run(transaction.leave(block, error), ends=True)
                raise
            transaction.run(transaction.leave(block, None), ends=True)
        finally:
            self._transaction = None
            if undo is not None:
                undo()
            if off:
                self._connection.command("PRAGMA foreign_keys = ON")
            if turn is not None:
                turn.put("")
        for callback in transaction.callbacks:
            run_callback(callback)

    def _begin(self, transaction: SyncTransaction) -> Any:
        deadline = time.monotonic() + self.wait
        while True:
            try:
                return transaction.run(transaction.begin())
            except OperationalError as error:
                # Another process writes: perhaps it migrates.
                if error.code != "data/locked" or time.monotonic() > deadline:
                    raise

    def _violations(self) -> set[Any]:
        return {tuple(row) for row in self.query("PRAGMA foreign_key_check")}

    def _refuse_violations(self, before: set[Any]) -> None:
        found = self._violations() - before
        if found:
            tables = sorted({f"{row[0]} → {row[2]}" for row in found})
            raise MigrationError(
                f"{len(found)} rows would refer to rows that are not there ({', '.join(tables)}).",
                code="data/migration-references",
                why="The migration removes rows, or a table, that others refer to. Nothing was saved.",
                hint="Delete or change the rows that refer to them first, in a run_python before it.",
            )


def _one(sql: str) -> Generator[str, None, None]:
    yield sql
