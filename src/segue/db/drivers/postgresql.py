"""PostgreSQL, by psycopg 3, in both colours.

Holds: `PostgreSQL`, its driver, and the connections it opens.
Imports: floor 0, the contract beside it, psycopg; SQLAlchemy for the dialect alone.
Never: keeps a connection on which a statement was interrupted.

Statements go through raw cursors: `$1` stands in the text, and nothing in it is rewritten.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from weakref import WeakSet, finalize

from ...errors import SegueError, SetupError
from ..errors import OperationalError
from ..steps import Prepared, Row, Written
from ..urls import DatabaseURL
from .contract import ISOLATION, Answer, Connection, Driver, refuse_isolation
from .readiness import Readiness
from .sqlstates import translate_sqlstate

try:
    import psycopg
    from psycopg import AsyncRawCursor, RawCursor
except ImportError as _missing:
    raise SetupError(
        "PostgreSQL needs the package psycopg, which is not installed.",
        code="data/no-driver",
        hint='pip install "segue[postgres]"',
    ) from _missing

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect, Engine

__all__ = ["PostgreSQL", "PostgreSQLAsyncConnection", "PostgreSQLConnection"]

_CONNECT_SECONDS = 3
# A server that vanished without a word is noticed by the kernel in so many seconds (and milliseconds).
_KEEP_ALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
# What Segue reads itself; everything else of an address is for libpq.
_OURS = {"pool_size", "pool_timeout", "connect_timeout", "statement_timeout", "lock_timeout", "prepare_threshold"}
# Of libpq: no transaction; a statement runs. Of psycopg: what it waits for.
_IDLE, _ACTIVE = 0, 1
_TO_READ = 1
_CANCEL_SECONDS = 5.0
# How much longer than the server itself one waits for its word that a statement took too long.
_GRACE_SECONDS = 0.5
_PING_SECONDS = 1.0


class PostgreSQL(Driver):
    """The driver of PostgreSQL."""

    vendor: ClassVar[str] = "postgresql"
    position: ClassVar[Prepared | None] = Prepared("SELECT pg_current_wal_insert_lsn()::text")
    has_reached: ClassVar[Prepared] = Prepared("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn")

    def __init__(self, url: DatabaseURL, on_connect: list[Callable[[Any], None]]) -> None:
        super().__init__(url, on_connect)
        options = dict(url.options)
        self._settings = ["SET TIME ZONE 'UTC'"]
        for name in ("statement_timeout", "lock_timeout"):
            if name in options:
                self._settings.append(f"SET {name} = {int(options[name] * 1000)}")
        # Where no statement_timeout is given, none is kept here either.
        timeout = options.get("statement_timeout")
        self.patience_seconds: float = timeout + _GRACE_SECONDS if timeout else 0.0
        self._arguments: dict[str, Any] = {
            "host": url.host, "port": url.port, "user": url.user, "password": url.password, "dbname": url.database,
            **_KEEP_ALIVE,
            **{name: value for name, value in options.items() if name not in _OURS},
        }  # fmt: skip
        self._arguments = {name: value for name, value in self._arguments.items() if value not in ("", 0)}
        # libpq counts in whole seconds, and at least two.
        self._arguments["connect_timeout"] = max(2, round(options.get("connect_timeout", _CONNECT_SECONDS)))
        # Behind a pooler that switches connections, prepared statements must be off: 0.
        self._prepare_threshold: int | None = options.get("prepare_threshold", 5) or None

    def open(self) -> PostgreSQLConnection:
        connection = PostgreSQLConnection(self, self._connect(_Connection, cursor_factory=RawCursor, autocommit=True))
        connection.raw.patience_seconds = self.patience_seconds
        try:
            self.introduce(connection.raw)
        except BaseException:
            connection.close()
            raise
        return connection

    async def aopen(self) -> PostgreSQLAsyncConnection:
        raw: Any = None
        try:
            raw = await _AsyncConnection.connect(cursor_factory=AsyncRawCursor, autocommit=True, **self._options())
            raw.patience_seconds = self.patience_seconds
            await raw.execute(";".join(self._settings))
            await self.aintroduce(raw)
        except BaseException as error:
            if raw is not None:
                raw.readiness.stop_before(raw.pgconn.finish)
            if isinstance(error, psycopg.Error):
                raise self._unreachable(error) from error
            raise
        return PostgreSQLAsyncConnection(self, raw)

    # Of migrations the statements may take as long as they need, so theirs are of psycopg's own class.
    def _connect(self, kind: Any = psycopg.Connection, **options: Any) -> Any:
        raw: Any = None
        try:
            raw = kind.connect(**self._options(), **options)
            raw.execute(";".join(self._settings))
            if not raw.autocommit:
                raw.commit()
        except psycopg.Error as error:
            if raw is not None:
                raw.close()
            raise self._unreachable(error) from error
        return raw

    def _options(self) -> dict[str, Any]:
        # What the dialect has taught psycopg for this server: hstore, where it is installed.
        context = getattr(self._dialect, "_psycopg_adapters_map", None)
        return {**self._arguments, "prepare_threshold": self._prepare_threshold, "context": context}

    def begin(self, *, read_only: bool, isolation: str | None) -> tuple[str, ...]:
        if isolation is not None and isolation.casefold() not in ISOLATION:
            raise refuse_isolation(isolation)
        if read_only and isolation is None:
            isolation = "repeatable read"  # one snapshot for all statements
        parts = ["BEGIN"]
        if isolation is not None:
            parts.append(f"ISOLATION LEVEL {isolation.upper()}")
        if read_only:
            parts.append("READ ONLY")
        return (" ".join(parts),)

    def make_dialect(self) -> Dialect:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine(
            "postgresql+psycopg://",
            poolclass=NullPool,
            paramstyle="numeric_dollar",
            creator=lambda: self._connect(cursor_factory=RawCursor, autocommit=True),
        )
        with engine.connect():
            return engine.dialect

    def make_engine(self, shared: Connection | None, before_begin: Callable[[], None]) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine("postgresql+psycopg://", poolclass=NullPool, creator=self._connect)

    def translate(self, error: BaseException) -> SegueError | None:
        return translate_sqlstate(error)

    def _unreachable(self, error: psycopg.Error) -> OperationalError:
        # Without the reasons of each address that was tried, which name the user.
        reason = str(error).strip().splitlines()[-1].rpartition("FATAL:")[2].strip() if str(error).strip() else ""
        return OperationalError(
            f"The database {self.url} cannot be reached: {reason or type(error).__name__}",
            code="data/unreachable",
            hint="Is it running, and do host, port, user, password and name fit?",
        )


def _until(raw: Any, waiting: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Wait as *waiting* does; end the connection when nothing came from the server for too long.

    A statement_timeout is kept by the server: one that stands still, or a network that
    swallows what is sent, keeps none.
    """
    last = monotonic() + raw.patience_seconds
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if ready:
                last = monotonic() + raw.patience_seconds
            elif monotonic() > last:
                raw.is_given_up = True
                raw.pgconn.finish()
                raise psycopg.OperationalError("The server does not answer")
            wanted = waiting.send(ready)
    except StopIteration as end:
        return end.value


def _going_on(wanted: Any, waiting: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Wait as *waiting*, which has begun and wants something, does."""
    try:
        while True:
            wanted = waiting.send((yield wanted))
    except StopIteration as end:
        return end.value


class _Connection(psycopg.Connection[Any]):
    """A connection that gives a silent server up."""

    patience_seconds: float = 0.0
    is_given_up: bool = False

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        if self.patience_seconds:
            gen = _until(self, gen)
        return super().wait(gen, *arguments, **options)


class _AsyncConnection(psycopg.AsyncConnection[Any]):
    """A connection that gives a silent server up, and waits at half of psycopg's cost."""

    patience_seconds: float = 0.0
    is_given_up: bool = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.readiness: Readiness = Readiness()
        finalize(self, _collected, self.readiness, self.pgconn, os.getpid()).atexit = False
        _open.add(self)

    async def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        if self.patience_seconds or arguments or options:
            self.readiness.stop()
            return await super().wait(_until(self, gen) if self.patience_seconds else gen, *arguments, **options)
        socket = self.pgconn.socket  # raises where there is none any more
        wanted: Any = None
        try:
            wanted = next(gen)
            while wanted == _TO_READ:
                await self.readiness.wait(socket)
                wanted = gen.send(_TO_READ)
            self.readiness.stop()
            return await super().wait(_going_on(wanted, gen))
        except StopIteration as end:
            return end.value
        except Exception:
            self.readiness.stop()  # libpq may have closed the socket
            _end(gen)
            raise
        except GeneratorExit:
            self.readiness.stop()  # nothing can be awaited any more
            _end(gen)
            raise
        except BaseException:
            self.readiness.stop()
            await self._interrupt(_going_on(wanted, gen))
            _end(gen)
            raise

    async def _interrupt(self, waiting: Any) -> None:
        """Tell the server, which would not notice, that nobody waits any more; who called closes the connection."""
        if self.pgconn.transaction_status == _ACTIVE:
            with suppress(Exception):
                await self.cancel_safe(timeout=_CANCEL_SECONDS)
                await super().wait(waiting, timeout=_CANCEL_SECONDS)


_open: WeakSet[_AsyncConnection] = WeakSet()


def _collected(readiness: Readiness, pgconn: Any, process: int) -> None:
    """Close a connection that nobody has closed; in a forked child it is its parent's."""
    if os.getpid() == process:
        readiness.stop_before(pgconn.finish)


def _let_go() -> None:
    """Close a forked child's copies of sockets that its parent's loop watches.

    As long as somebody has one that broke, the kernel tells the parent's loop of it, without end.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for raw in list(_open):
        with suppress(psycopg.Error, OSError):
            os.dup2(nothing, raw.pgconn.socket, inheritable=False)
    os.close(nothing)


os.register_at_fork(after_in_child=_let_go)


def _end(waiting: Generator[Any, Any, Any]) -> None:
    """End what is left half-way; else it would try to speak to the server when it is collected."""
    with suppress(Exception):
        waiting.close()


class _Stream:
    """A cursor of the server, and whether its transaction is its own.

    Not psycopg's: those warn when they are left to the end of their transaction.
    """

    __slots__ = ("close", "declare", "fetch", "is_alone")

    def __init__(self, sql: str, size: int, *, is_alone: bool) -> None:
        name = f"segue_{next(_numbers)}"
        self.declare: str = f"DECLARE {name} NO SCROLL CURSOR FOR {sql}"
        self.fetch: str = f"FETCH FORWARD {int(size)} FROM {name}"
        self.close: str = f"CLOSE {name}"
        self.is_alone: bool = is_alone


_numbers = count(1)


class _Either:
    """What connections of both colours do alike: nothing here waits."""

    def __init__(self, driver: PostgreSQL, raw: Any) -> None:
        self._driver = driver
        # Any: of either colour; and psycopg takes literal texts alone, which these are not.
        self.raw: Any = raw
        self.last_used: float = 0.0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._driver.url}>"

    @property
    def is_broken(self) -> bool:
        return bool(self.raw.closed)

    @property
    def in_transaction(self) -> bool:
        return bool(self.raw.pgconn.transaction_status != _IDLE)

    def reset(self) -> bool:
        return False

    def close(self) -> None:
        # Not `raw.close()`, which is a coroutine on a loop; this ends the socket at once.
        self.raw.pgconn.finish()

    def _raise(self, error: BaseException) -> NoReturn:
        """Raise what *error* means; what interrupted a statement ends the connection."""
        if not isinstance(error, Exception):
            self.close()
        elif self.raw.is_given_up:
            # Not a lost connection: then a read would be asked again, and wait as long again.
            raise OperationalError(
                f"The database {self._driver.url} did not answer for {self._driver.patience_seconds:g} s.",
                code="data/statement-timeout",
                hint="Is it overloaded, or the network between?",
            ) from error
        failure = self._driver.translate(error)
        if failure is None:
            raise error
        raise failure from error


class PostgreSQLConnection(_Either):
    """A connection whose calls wait."""

    def fetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        try:
            rows: list[Row] = self.raw.cursor().execute(prepared.sql, parameters).fetchall()
            return rows
        except BaseException as error:
            self._raise(error)

    def execute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        try:
            cursor = self.raw.cursor().execute(prepared.sql, parameters)
            return cursor.fetchall() if prepared.returns_rows else Written(cursor.rowcount)
        except BaseException as error:
            self._raise(error)

    def execute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        try:
            cursor = self.raw.cursor()
            # PERF: a pipeline: all rows are on their way before the first is answered.
            cursor.executemany(prepared.sql, rows, returning=prepared.returns_rows)
            if not prepared.returns_rows:
                return Written(cursor.rowcount)
            found: list[Row] = cursor.fetchall() if rows else []
            while cursor.nextset():
                found += cursor.fetchall()
            return found
        except BaseException as error:
            self._raise(error)

    def answer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        cursor = self.raw.cursor()
        try:
            if parameters:
                cursor.execute(prepared.sql, parameters)
            else:
                # Outside a pipeline psycopg would let a text without parameters hold several statements.
                with self.raw.pipeline():
                    cursor.execute(prepared.sql)
            if cursor.description is None:
                return Answer(None, [], cursor.rowcount)
            return Answer(_columns(cursor.description), cursor.fetchall(), cursor.rowcount)
        except BaseException as error:
            self._raise(error)

    def command(self, sql: str) -> None:
        try:
            self.raw.cursor().execute(sql)
        except BaseException as error:
            self._raise(error)

    def open_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> _Stream:
        stream = _Stream(prepared.sql, size, is_alone=not self.in_transaction)
        try:
            if stream.is_alone:
                self.raw.cursor().execute("BEGIN")
            self.raw.cursor().execute(stream.declare, parameters, prepare=False)
        except BaseException as error:
            self._raise(error)
        return stream

    def read_stream(self, stream: _Stream) -> list[Row]:
        try:
            # Not prepared: each stream has a name of its own.
            rows: list[Row] = self.raw.cursor().execute(stream.fetch, prepare=False).fetchall()
            return rows
        except BaseException as error:
            self._raise(error)

    def close_stream(self, stream: _Stream) -> None:
        try:
            self.raw.cursor().execute("COMMIT" if stream.is_alone else stream.close, prepare=False)
        except BaseException as error:
            self._raise(error)

    def is_alive(self) -> bool:
        self.raw.patience_seconds = _PING_SECONDS
        try:
            self.raw.cursor().execute("")
        except psycopg.Error:
            return False
        self.raw.patience_seconds = self._driver.patience_seconds
        return True


class PostgreSQLAsyncConnection(_Either):
    """A connection whose calls are awaited."""

    def close(self) -> None:
        self.raw.readiness.stop_before(self.raw.pgconn.finish)

    async def afetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        try:
            cursor = await self.raw.cursor().execute(prepared.sql, parameters)
            rows: list[Row] = await cursor.fetchall()
            return rows
        except BaseException as error:
            self._raise(error)

    async def aexecute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        try:
            cursor = await self.raw.cursor().execute(prepared.sql, parameters)
            return await cursor.fetchall() if prepared.returns_rows else Written(cursor.rowcount)
        except BaseException as error:
            self._raise(error)

    async def aexecute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        try:
            cursor = self.raw.cursor()
            await cursor.executemany(prepared.sql, rows, returning=prepared.returns_rows)
            if not prepared.returns_rows:
                return Written(cursor.rowcount)
            found: list[Row] = await cursor.fetchall() if rows else []
            while cursor.nextset():
                found += await cursor.fetchall()
            return found
        except BaseException as error:
            self._raise(error)

    async def aanswer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        cursor = self.raw.cursor()
        try:
            if parameters:
                await cursor.execute(prepared.sql, parameters)
            else:
                async with self.raw.pipeline():
                    await cursor.execute(prepared.sql)
            if cursor.description is None:
                return Answer(None, [], cursor.rowcount)
            return Answer(_columns(cursor.description), await cursor.fetchall(), cursor.rowcount)
        except BaseException as error:
            self._raise(error)

    async def acommand(self, sql: str) -> None:
        try:
            await self.raw.cursor().execute(sql)
        except BaseException as error:
            self._raise(error)

    async def aopen_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> _Stream:
        stream = _Stream(prepared.sql, size, is_alone=not self.in_transaction)
        try:
            if stream.is_alone:
                await self.raw.cursor().execute("BEGIN")
            await self.raw.cursor().execute(stream.declare, parameters, prepare=False)
        except BaseException as error:
            self._raise(error)
        return stream

    async def aread_stream(self, stream: _Stream) -> list[Row]:
        try:
            cursor = await self.raw.cursor().execute(stream.fetch, prepare=False)
            rows: list[Row] = await cursor.fetchall()
            return rows
        except BaseException as error:
            self._raise(error)

    async def aclose_stream(self, stream: _Stream) -> None:
        try:
            await self.raw.cursor().execute("COMMIT" if stream.is_alone else stream.close, prepare=False)
        except BaseException as error:
            self._raise(error)

    async def ais_alive(self) -> bool:
        self.raw.patience_seconds = _PING_SECONDS
        try:
            await self.raw.cursor().execute("")
        except psycopg.Error:
            return False
        self.raw.patience_seconds = self._driver.patience_seconds
        return True

    async def aclose(self) -> None:
        self.close()


def _columns(description: Sequence[psycopg.Column]) -> tuple[tuple[str, Any], ...]:
    return tuple((each.name, each.type_code) for each in description)
