"""SQLite, by the standard library, in both colours.

Holds: `SQLite`, its driver, and the one kind of connection it opens.
Imports: floor 0, the contract and the threads beside it; SQLAlchemy for the dialect alone.
Never: lets a wait for a lock happen on an event loop.

A statement reads, or it writes. Readers never wait for anybody (write-ahead log), so on a
loop they run at once, there and then. Writers of this process queue for the file's turn
(`turns`, kept by those who hand out connections); what is left, writers of other processes,
is waited for by `_patiently`: SQLite's own wait sleeps up to 100 ms between two looks and so
starves under load, hence it may take but a moment, again and again.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from ...errors import SegueError
from ..errors import (
    ConnectionLost,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    TransactionManagementError,
)
from ..steps import Prepared, Row, Written
from ..urls import DatabaseURL
from .contract import Answer, Connection, Driver, refuse_isolation
from .functions import register
from .threads import workers

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection as SQLAlchemyConnection
    from sqlalchemy.engine import Dialect, Engine

__all__ = ["SQLite", "SQLiteConnection"]

T = TypeVar("T")

_BUSY_SECONDS = 5.0
# How long SQLite itself waits before `_patiently` looks again: it sleeps 1, 2, 5, 2 ms.
_MOMENT_MILLISECONDS = 10
# Who had to wait so long for other processes lets them in, for a while, before each transaction.
_LONG_WAIT_SECONDS = 0.2
_POLITE_SECONDS = 1.0
_POLITE_SLEEP_SECONDS = 0.001
_SLOW_SECONDS = 0.001
_UNKNOWN = -1 & 0xFF
_ENDINGS = ("COMMIT", "ROLLBACK")
_STATEMENTS = 512
# The write-ahead log begins anew when a checkpoint finds that nobody reads it. Under many writers
# that may never come by itself; so every so many writes its size is looked at, and made small.
_WAL_LIMIT_BYTES = 32 * 1024 * 1024
# From here on it is made to begin anew; until that works it grows.
_WAL_LARGE_BYTES = 16 * 1024 * 1024
_LOOK_EVERY_WRITES = 64
# How long one who has just saved something tries to make the log begin anew.
_PATIENCE_SECONDS = 0.2
# And when the next one tries, if somebody was reading all that time: meanwhile nobody could write.
_REST_SECONDS = 0.5

# A second statement in one text is a warning in Python 3.11, which is no error of sqlite3.
_ERRORS = (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError)

_UNIQUE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>[^']+)'|(?P<columns>.+))")
_CHECK = re.compile(r"CHECK constraint failed: (?P<name>.+)")
_NOT_NULL = re.compile(r"NOT NULL constraint failed: (?P<columns>.+)")


class SQLite(Driver):
    """The driver of SQLite."""

    vendor: ClassVar[str] = "sqlite"
    both_colours: ClassVar[bool] = True
    check_after_seconds: ClassVar[float] = 0.0

    def __init__(self, url: DatabaseURL, on_connect: list[Callable[[Any], None]]) -> None:
        super().__init__(url, on_connect)
        self.has_one_connection: bool = url.is_memory
        self.mode: str = str(url.options.get("mode", "rwc"))
        self._log: str = "" if url.is_memory else f"{url.database}-wal"
        self._writes = 0
        self.is_polite_until: float = 0.0
        self._rests_until = 0.0
        self.busy_seconds: float = float(url.options.get("timeout", _BUSY_SECONDS))

    def open(self) -> SQLiteConnection:
        try:
            raw = self._connect(_MOMENT_MILLISECONDS / 1000)
        except sqlite3.Error as error:
            raise self._unreachable(error) from error
        connection = SQLiteConnection(self, raw)
        try:
            self._prepare(connection)
        except BaseException:
            raw.close()
            raise
        return connection

    async def aopen(self) -> SQLiteConnection:
        return await workers.run(self.open)

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        # A connection is used by one thread at a time, but not always by the same one.
        options: dict[str, Any] = {
            "isolation_level": None, "check_same_thread": False, "cached_statements": _STATEMENTS,
            "timeout": busy_seconds,
        }  # fmt: skip
        where = self.url.database
        if not self.url.is_memory:
            where = f"{Path(where).as_uri()}?mode={self.mode}"
            options["uri"] = True
        raw: sqlite3.Connection = sqlite3.connect(where, **options)
        return raw

    def _prepare(self, connection: SQLiteConnection) -> None:
        command = connection.command
        command("PRAGMA foreign_keys = ON")
        if not self.url.is_memory and self.mode != "ro":
            command("PRAGMA journal_mode = WAL")
            command("PRAGMA synchronous = NORMAL")
            command(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        register(connection.raw)
        self.introduce(connection.raw)

    def wrote(self, connection: SQLiteConnection) -> None:
        """Keep the write-ahead log small, now that *connection* has saved something."""
        self._writes += 1
        if self._writes % _LOOK_EVERY_WRITES == 0 and self._log:
            try:
                if os.stat(self._log).st_size > _WAL_LARGE_BYTES and monotonic() > self._rests_until:
                    self._begin_log_anew(connection.raw)
            except (OSError, sqlite3.Error):
                pass  # another one is at it, or somebody reads: the next time, then

    def _begin_log_anew(self, raw: sqlite3.Connection) -> None:
        # Among many writers one try in a moment is lost: each commit of theirs is a small checkpoint, too.
        last = monotonic() + _PATIENCE_SECONDS
        while monotonic() < last:
            is_busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy:
                return
        self._rests_until = monotonic() + _REST_SECONDS

    def begin(self, *, read_only: bool, isolation: str | None) -> tuple[str, ...]:
        if isolation is not None and isolation.casefold() != "serializable":
            raise refuse_isolation(isolation)
        if not read_only:
            return ("BEGIN IMMEDIATE",)
        # The snapshot is taken by the first read, so there is one.
        return ("PRAGMA query_only = ON", "BEGIN", "SELECT 1 FROM sqlite_schema LIMIT 1")

    def end(self, *, commit: bool, read_only: bool) -> tuple[str, ...]:
        ending = super().end(commit=commit, read_only=read_only)
        return (*ending, "PRAGMA query_only = OFF") if read_only else ending

    def make_dialect(self) -> Dialect:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        # Its version is that of the library, so it need not be this database.
        engine = create_engine("sqlite://", poolclass=NullPool)
        with engine.connect():
            return engine.dialect

    def make_engine(self, shared: Connection | None, before_begin: Callable[[], None]) -> Engine:
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import NullPool, StaticPool

        if shared is None:
            engine = create_engine("sqlite://", poolclass=NullPool, creator=self._connect_for_engine)
        else:
            engine = create_engine("sqlite://", poolclass=StaticPool, creator=lambda: shared.raw)

        @event.listens_for(engine, "begin")
        def begin(connection: SQLAlchemyConnection) -> None:  # pyright: ignore[reportUnusedFunction]  # the event calls it
            before_begin()
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def _connect_for_engine(self) -> sqlite3.Connection:
        raw = self._connect(self.busy_seconds)
        self._prepare(SQLiteConnection(self, raw))
        return raw

    def translate(self, error: BaseException) -> SegueError | None:
        error = _meant(error)
        if isinstance(error, OverflowError | UnicodeError):
            return DataError(f"A value cannot be stored: {type(error).__name__}.")
        if not isinstance(error, _ERRORS):
            return None
        return _translate(error, str(error), getattr(error, "sqlite_errorcode", _UNKNOWN) & 0xFF)

    def _unreachable(self, error: sqlite3.Error) -> OperationalError:
        return OperationalError(
            f"The database file {self.url.database} cannot be opened: {error}.",
            code="data/unreachable",
            hint="Does its folder exist, and may this process write there?",
        )


def _translate(error: BaseException, text: str, number: int) -> SegueError:
    if number == sqlite3.SQLITE_CONSTRAINT:
        return _integrity(text)
    if number in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OperationalError(
            "The database is locked: another process kept writing.",
            code="data/locked",
            hint="Keep transactions short, or give the address ?timeout=15 (seconds).",
        )
    if number == sqlite3.SQLITE_READONLY:
        return _read_only(text)
    if number == sqlite3.SQLITE_FULL:
        return OperationalError(
            "The database is full: there is no room left on its disk.", hint="Make room, or move the file."
        )
    if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return ConnectionLost(f"The database file cannot be used: {text}.")
    if number == sqlite3.SQLITE_INTERRUPT:
        return OperationalError("The statement was interrupted.")
    if number in (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE):
        return DataError(f"A value does not fit: {text}.")
    if isinstance(error, sqlite3.DataError):
        return DataError(text)
    if text.startswith(("no such table", "no such column")) or "has no column named" in text:
        return ProgrammingError(f"The database has {text.replace('no such', 'no', 1)}.", hint="segue migrate")
    if number in (sqlite3.SQLITE_ERROR, _UNKNOWN):
        return ProgrammingError(f"{text}.")
    return OperationalError(f"{text}.")


def _read_only(text: str) -> SegueError:
    if text == "attempt to write a readonly database":
        return TransactionManagementError(
            "A statement that writes, where only reading is allowed.",
            code="data/read-only",
            hint="db.atomic() without read_only=True; for a file, the right to write to it and its folder",
        )
    return OperationalError(f"{text}.")


def _integrity(text: str) -> IntegrityError:
    if found := _UNIQUE.match(text):
        table, columns = _columns(found["columns"] or "")
        named = f"{table}: {', '.join(columns)}" if columns else found["index"]
        return IntegrityError(
            f"A row with these values exists already ({named}).",
            kind="unique", constraint=found["index"] or "", columns=columns, table=table,
        )  # fmt: skip
    if found := _NOT_NULL.match(text):
        table, columns = _columns(found["columns"])
        return IntegrityError(
            f"A value is missing ({table}: {', '.join(columns)}).", kind="not_null", columns=columns, table=table
        )
    if found := _CHECK.match(text):
        return IntegrityError(f"A rule refuses the row ({found['name']}).", kind="check", constraint=found["name"])
    if text.startswith("FOREIGN KEY"):
        return IntegrityError("A row refers to one that is not there.", kind="foreign_key")
    return IntegrityError(f"{text}.")


def _columns(text: str) -> tuple[str, tuple[str, ...]]:
    pairs = [each.strip().rpartition(".") for each in text.split(",") if each.strip()]
    return (pairs[0][0] if pairs else ""), tuple(name for _, _, name in pairs)


class SQLiteConnection:
    """A connection to SQLite, for both colours and any thread, one at a time."""

    __slots__ = ("_driver", "_is_read_only", "_is_stopped", "_run", "_streams", "is_broken", "last_used", "raw")

    def __init__(self, driver: SQLite, raw: sqlite3.Connection) -> None:
        self._driver = driver
        self.raw: sqlite3.Connection = raw
        # PERF: one cursor for every statement that is read to its end.
        self._run = raw.cursor().execute
        self._is_stopped = False
        self._is_read_only = False
        self._streams: set[sqlite3.Cursor] = set()
        self.is_broken: bool = False
        self.last_used: float = 0.0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._driver.url}>"

    @property
    def in_transaction(self) -> bool:
        return self._is_read_only or self.raw.in_transaction

    def reset(self) -> bool:
        # In memory there is but this one connection: closing it would lose everything.
        self._close_streams()
        if self.raw.in_transaction:
            self.raw.rollback()
        self.raw.execute("PRAGMA query_only = OFF")
        self._is_read_only = False
        return True

    def fetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        try:
            return self._run(prepared.sql, parameters).fetchall()
        except _ERRORS as error:
            if _is_busy(error):
                return self._patiently(lambda: self._run(prepared.sql, parameters).fetchall())
            self._raise(error)

    def execute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        if prepared.returns_rows:
            found: list[Row] | Written = self.fetch(prepared, parameters)
        else:
            try:
                found = self._write(prepared.sql, parameters)
            except _ERRORS as error:
                if not _is_busy(error):
                    self._raise(error)
                found = self._patiently(self._write, prepared.sql, parameters)
        if prepared.writes and not self.raw.in_transaction:
            self._driver.wrote(self)
        return found

    def _write(self, sql: str, parameters: Sequence[Any]) -> Written:
        cursor = self._run(sql, parameters)
        if cursor.rowcount < 0 and sql.startswith("WITH"):
            # Python's module takes what begins so for a query, and counts nothing.
            return Written(self.raw.execute("SELECT changes()").fetchone()[0], cursor.lastrowid)
        return Written(cursor.rowcount, cursor.lastrowid)

    def execute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        if prepared.returns_rows:
            # `executemany` drops what RETURNING returns.
            return [row for each in rows for row in self.fetch(prepared, each)]
        return self._patiently(self._write_many, prepared.sql, rows)

    def _write_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Written:
        return Written(self.raw.executemany(sql, rows).rowcount)

    def answer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        found = self._patiently(self._answer, prepared.sql, parameters)
        if prepared.writes and not self.raw.in_transaction:
            self._driver.wrote(self)
        return found

    def _answer(self, sql: str, parameters: Sequence[Any]) -> Answer:
        cursor = self.raw.execute(sql, parameters)
        if cursor.description is None:
            return Answer(None, [], cursor.rowcount, cursor.lastrowid)
        rows = cursor.fetchall()
        return Answer(tuple(each[:2] for each in cursor.description), rows, len(rows), cursor.lastrowid)

    def command(self, sql: str) -> None:
        if sql == "ROLLBACK" and not self.raw.in_transaction:
            return  # some errors of SQLite roll back by themselves
        if sql == "BEGIN IMMEDIATE" and self._driver.is_polite_until > monotonic():
            # Else the lock would be free only for the moment between two transactions of one process,
            # and those that look again now and then would never find it so.
            sleep(_POLITE_SLEEP_SECONDS)
        if sql in _ENDINGS:
            self._close_streams()
        self._patiently(lambda: self._run(sql).fetchall())
        if sql.startswith("PRAGMA query_only"):
            self._is_read_only = sql.endswith("ON")
        elif sql == "COMMIT" and not self._is_read_only:
            self._driver.wrote(self)

    def _close_streams(self) -> None:
        # One that is left half read would hold its snapshot. And while one is open, an interruption
        # that came too late goes on: it would hit the ROLLBACK, and all that comes after.
        for stream in list(self._streams):
            self.close_stream(stream)

    def open_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> sqlite3.Cursor:
        cursor = self.raw.cursor()
        self._open(cursor, prepared, parameters, size)
        return cursor

    def _open(self, cursor: sqlite3.Cursor, prepared: Prepared, parameters: Sequence[Any], size: int) -> None:
        cursor.arraysize = size
        self._patiently(cursor.execute, prepared.sql, parameters)
        self._streams.add(cursor)

    def read_stream(self, stream: sqlite3.Cursor) -> list[Row]:
        return self._patiently(stream.fetchmany)

    def close_stream(self, stream: sqlite3.Cursor) -> None:
        self._streams.discard(stream)
        stream.close()

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        self.is_broken = True
        self.raw.close()

    async def afetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        if prepared.slow or prepared.writes or self.raw.in_transaction:
            return await self._in_thread(self._fetch_timed, prepared, parameters)
        # PERF: read on the loop: a hop to a thread costs more than most reads take.
        started = perf_counter()
        try:
            rows = self._run(prepared.sql, parameters).fetchall()
        except _ERRORS as error:
            if _is_busy(error):
                return await self._in_thread(self._fetch_timed, prepared, parameters)
            self._raise(error)
        if perf_counter() - started > _SLOW_SECONDS:
            prepared.slow = True
        return rows

    def _fetch_timed(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        started = perf_counter()
        rows = self.fetch(prepared, parameters)
        # It may have been slow but once: because the machine was busy, or the disk was cold.
        prepared.slow = perf_counter() - started > _SLOW_SECONDS
        return rows

    async def aexecute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        if prepared.returns_rows:
            return await self.afetch(prepared, parameters)
        return await self._in_thread(self.execute, prepared, parameters)

    async def aexecute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        return await self._in_thread(self.execute_many, prepared, rows)

    async def aanswer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        return await self._in_thread(self.answer, prepared, parameters)

    async def acommand(self, sql: str) -> None:
        await self._in_thread(self.command, sql)

    async def aopen_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> sqlite3.Cursor:
        cursor = self.raw.cursor()
        try:
            await self._in_thread(self._open, cursor, prepared, parameters, size)
        except BaseException:
            # Cancelled, and opened nevertheless: nobody else knows of it.
            self.close_stream(cursor)
            raise
        return cursor

    async def aread_stream(self, stream: sqlite3.Cursor) -> list[Row]:
        return await self._in_thread(self.read_stream, stream)

    async def aclose_stream(self, stream: sqlite3.Cursor) -> None:
        self.close_stream(stream)

    async def ais_alive(self) -> bool:
        return True

    async def aclose(self) -> None:
        self.close()

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return await workers.run(function, *arguments, on_cancel=self._stop)
        finally:
            self._is_stopped = False

    def _stop(self) -> None:
        self._is_stopped = True
        self.raw.interrupt()

    def _patiently(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call *function* until nobody else holds the lock, or the time is up."""
        driver = self._driver
        started = 0.0
        while True:
            try:
                found = function(*arguments)
            except _ERRORS as error:
                now = monotonic()
                started = started or now
                if not _is_busy(error) or self._is_stopped or now - started > driver.busy_seconds:
                    self._raise(error)
            else:
                if started and monotonic() - started > _LONG_WAIT_SECONDS:
                    driver.is_polite_until = monotonic() + _POLITE_SECONDS
                return found

    def _raise(self, error: BaseException) -> NoReturn:
        failure = self._driver.translate(error)
        if failure is None:
            raise error
        raise failure from error


def _meant(error: BaseException) -> BaseException:
    """Return the error that happened.

    For a value that it could not bind, CPython's module raises what the connection failed with the last time;
    the reason is then its context, which was never raised.
    """
    inner = error.__context__
    return inner if inner is not None and inner.__traceback__ is None else error


def _is_busy(error: BaseException) -> bool:
    return getattr(_meant(error), "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
