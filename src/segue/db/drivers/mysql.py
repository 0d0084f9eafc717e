"""MariaDB and MySQL: PyMySQL for threads, asyncmy for event loops.

Holds: `MySQL`, the driver of both servers, and the connections it opens.
Imports: floor 0, the contract beside it, PyMySQL, asyncmy; SQLAlchemy for the dialect alone.
Never: keeps a connection on which a statement was interrupted.

Both drivers put the values into the text themselves, so a text always comes with parameters,
be they none: in it `%` is written twice.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from ...errors import SegueError, SetupError
from ..errors import ConnectionLost, DataError, OperationalError
from ..steps import Prepared, Row, Written
from ..urls import DatabaseURL
from .contract import ISOLATION, Answer, Connection, Driver, refuse_isolation
from .mysqlcodes import DEADLOCK, translate_number

try:
    import pymysql
    from asyncmy import connection as asyncmy_connection
    from asyncmy.cursors import Cursor as AsyncCursor
    from asyncmy.cursors import SSCursor as AsyncStreamCursor
    from asyncmy.errors import MySQLError as AsyncmyError
    from pymysql.cursors import SSCursor as StreamCursor
    from pymysql.err import MySQLError as PyMySQLError
except ImportError as _missing:
    raise SetupError(
        "MariaDB and MySQL need the packages pymysql and asyncmy, which are not installed.",
        code="data/no-driver",
        hint='pip install "segue[mysql]"',
    ) from _missing

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect, Engine

__all__ = ["MySQL", "MySQLAsyncConnection", "MySQLConnection"]

# Any: what types it has are not complete.
_AsyncmyConnection: Any = cast("Any", asyncmy_connection).Connection

_CONNECT_SECONDS = 3
_IN_TRANSACTION = 1  # of the protocol: SERVER_STATUS_IN_TRANS
_MULTI_STATEMENTS = 1 << 16  # of the protocol
_FOUND_ROWS = 2  # of the protocol: count the rows that an UPDATE found, as all others do
# What the drivers raise for a connection that they, or the server, have closed before.
_CLOSED = 0


class MySQL(Driver):
    """The driver of MariaDB and MySQL."""

    vendor: ClassVar[str] = "mysql"

    def __init__(self, url: DatabaseURL, on_connect: list[Callable[[Any], None]]) -> None:
        super().__init__(url, on_connect)
        options = url.options
        ssl = {name: options[f"ssl_{name}"] for name in ("ca", "cert", "key") if f"ssl_{name}" in options}
        self._arguments: dict[str, Any] = {
            "host": url.host or "localhost",
            "port": url.port or 3306,
            "user": url.user or None,
            "password": url.password,
            "database": url.database,
            "unix_socket": options.get("unix_socket"),
            "read_timeout": options.get("read_timeout"),
            "connect_timeout": options.get("connect_timeout", _CONNECT_SECONDS),
            # Others are refused by the address: in some, escaped values would not be safe.
            "charset": "utf8mb4",
            "client_flag": _FOUND_ROWS,
            "ssl": ssl or None,
        }
        self._write_timeout = options.get("write_timeout")

    def open(self) -> MySQLConnection:
        connection = MySQLConnection(self, self._connect(autocommit=True))
        try:
            self.introduce(connection.raw)
        except BaseException:
            connection.close()
            raise
        return connection

    async def aopen(self) -> MySQLAsyncConnection:
        raw: Any = None
        try:
            raw = _AsyncmyConnection(autocommit=True, cursor_cls=_QuietCursor, **self._arguments)
            # It would let one text hold several statements, which is what injections need.
            raw._client_flag &= ~_MULTI_STATEMENTS
            await raw.connect()
            connection = MySQLAsyncConnection(self, raw)
            is_mariadb = "MariaDB" in raw.get_server_info()
            for sql in self._settings(is_mariadb=is_mariadb):
                await connection.acommand(sql)
            await self.aintroduce(raw)
        except BaseException as error:
            if raw is not None:
                raw.close()
            if isinstance(error, AsyncmyError | OSError):
                raise self._unreachable(error) from error
            raise
        return connection

    def _connect(self, *, autocommit: bool) -> Any:
        raw: Any = None
        try:
            raw = pymysql.connect(autocommit=autocommit, write_timeout=self._write_timeout, **self._arguments)
            with raw.cursor() as cursor:
                for sql in self._settings(is_mariadb="MariaDB" in raw.get_server_info()):
                    cursor.execute(sql)
        except (PyMySQLError, OSError) as error:
            if raw is not None:
                raw.close()
            raise self._unreachable(error) from error
        return raw

    def _settings(self, *, is_mariadb: bool) -> tuple[str, str]:
        settings = [
            "time_zone = '+00:00'",
            # Else a value that is too long is cut off without a word.
            "sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_TRANS_TABLES')",
        ]
        options = self.url.options
        if "lock_timeout" in options:
            settings.append(f"innodb_lock_wait_timeout = {max(1, round(options['lock_timeout']))}")
        if "statement_timeout" in options:
            seconds = float(options["statement_timeout"])
            settings.append(
                f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {round(seconds * 1000)}"
            )
        return f"SET {', '.join(settings)}", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

    def begin(self, *, read_only: bool, isolation: str | None) -> tuple[str, ...]:
        if isolation is not None and isolation.casefold() not in ISOLATION:
            raise refuse_isolation(isolation)
        if read_only and isolation is None:
            isolation = "repeatable read"  # one snapshot for all statements
        level = () if isolation is None else (f"SET TRANSACTION ISOLATION LEVEL {isolation.upper()}",)
        if not read_only:
            return (*level, "START TRANSACTION")
        return (*level, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def make_dialect(self) -> Dialect:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine(
            "mysql+pymysql://",
            poolclass=NullPool,
            paramstyle="format",
            creator=lambda: self._connect(autocommit=True),
        )
        with engine.connect():
            return engine.dialect

    def make_engine(self, shared: Connection | None, before_begin: Callable[[], None]) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine("mysql+pymysql://", poolclass=NullPool, creator=lambda: self._connect(autocommit=False))

    def translate(self, error: BaseException) -> SegueError | None:
        if isinstance(error, UnicodeError):
            return DataError("A text holds characters that cannot be stored.")
        if isinstance(error, TypeError):
            # Of the drivers, for a value that they cannot write as text.
            return DataError("A value is of a type that cannot be stored.")
        if isinstance(error, OSError):
            return ConnectionLost(f"The connection to the database broke: {type(error).__name__}.")
        if not isinstance(error, PyMySQLError | AsyncmyError):
            return None
        number = error.args[0] if error.args and isinstance(error.args[0], int) else -1
        if number == _CLOSED:
            return ConnectionLost("The connection to the database was closed.")
        return translate_number(number, str(error.args[-1]) if error.args else type(error).__name__)

    def kill(self, number: int) -> None:
        """End the connection with that number on the server, in a thread of its own.

        A statement that nobody waits for any more would go on, and keep its locks.
        """
        threading.Thread(target=self._kill, args=(number,), name="segue-kill", daemon=True).start()

    def _kill(self, number: int) -> None:
        raw: Any
        try:
            raw = pymysql.connect(**self._arguments)
        except (PyMySQLError, OSError):
            return
        try:
            raw.kill(number)
        except (PyMySQLError, OSError):
            pass  # it has ended by itself
        finally:
            raw.close()

    def _unreachable(self, error: BaseException) -> OperationalError:
        number = error.args[0] if error.args else ""
        return OperationalError(
            f"The database {self.url} cannot be reached ({number}).",
            code="data/unreachable",
            hint="Is it running, and do host, port, user, password and name fit?",
        )


class _QuietCursor(AsyncCursor):
    """A cursor that does not ask for warnings: a round trip for each, into a log of its own."""

    async def _show_warnings(self, conn: Any) -> None:
        pass


class _Stream:
    """A cursor that reads from the socket, or the rows that were read inside a transaction."""

    __slots__ = ("cursor", "is_at_end", "position", "rows", "size")

    def __init__(self, size: int, *, cursor: Any = None, rows: Sequence[Row] = ()) -> None:
        self.size: int = size
        self.cursor: Any = cursor  # Any: of either driver
        self.rows: Sequence[Row] = rows
        self.position: int = 0
        self.is_at_end: bool = False

    def following(self) -> list[Row]:
        """Return the next of the rows that are there already."""
        start, self.position = self.position, self.position + self.size
        return list(self.rows[start : self.position])


class _Either(ABC):
    """What connections of both colours do alike: nothing here waits."""

    def __init__(self, driver: MySQL, raw: Any) -> None:
        self._driver = driver
        self.raw: Any = raw  # Any: of either driver; neither has types to speak of
        self._is_rolled_back = False
        self.last_used: float = 0.0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._driver.url}>"

    @property
    @abstractmethod
    def is_broken(self) -> bool: ...

    @property
    def in_transaction(self) -> bool:
        return bool(self.raw.server_status & _IN_TRANSACTION) and not self._is_rolled_back

    def reset(self) -> bool:
        return False

    def close(self) -> None:
        self.raw.close()

    def _begins(self, sql: str) -> None:
        # An error carries no status, so what was said of the last transaction may still stand there.
        if sql.startswith("START"):
            self._is_rolled_back = False

    def _raise(self, error: BaseException) -> NoReturn:
        """Raise what *error* means; what interrupted a statement ends the connection."""
        if not isinstance(error, Exception):
            self._end_interrupted()
        failure = self._driver.translate(error)
        if failure is None:
            raise error
        if isinstance(failure, ConnectionLost):
            self.close()
        if error.args[:1] == (DEADLOCK,):
            self._is_rolled_back = True
        raise failure from error

    def _end_interrupted(self) -> None:
        number = self.raw.thread_id()
        self.close()
        self._driver.kill(number)


class MySQLConnection(_Either):
    """A connection whose calls wait."""

    @property
    def is_broken(self) -> bool:
        return not self.raw.open

    def close(self) -> None:
        if self.raw.open:
            self.raw.close()

    def fetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        try:
            cursor = self.raw.cursor()
            cursor.execute(prepared.sql, parameters)
            return list(cursor.fetchall())
        except BaseException as error:
            self._raise(error)

    def execute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        try:
            cursor = self.raw.cursor()
            cursor.execute(prepared.sql, parameters)
            if prepared.returns_rows:
                return list(cursor.fetchall())
            return Written(cursor.rowcount, cursor.lastrowid)
        except BaseException as error:
            self._raise(error)

    def execute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        if prepared.returns_rows:
            return [row for each in rows for row in self.fetch(prepared, each)]
        try:
            cursor = self.raw.cursor()
            # PERF: it makes one INSERT of many rows.
            return Written(cursor.executemany(prepared.sql, rows) or 0)
        except BaseException as error:
            self._raise(error)

    def answer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        try:
            cursor = self.raw.cursor()
            cursor.execute(prepared.sql, parameters)
            return _answer(cursor, cursor.fetchall())
        except BaseException as error:
            self._raise(error)

    def command(self, sql: str) -> None:
        self._begins(sql)
        try:
            self.raw.cursor().execute(sql)
        except BaseException as error:
            self._raise(error)

    def open_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> _Stream:
        if self.in_transaction:
            # A connection that reads from the socket can do nothing else meanwhile.
            return _Stream(size, rows=self.fetch(prepared, parameters))
        try:
            cursor = self.raw.cursor(StreamCursor)
            cursor.execute(prepared.sql, parameters)
        except BaseException as error:
            self._raise(error)
        return _Stream(size, cursor=cursor)

    def read_stream(self, stream: _Stream) -> list[Row]:
        if stream.cursor is None:
            return stream.following()
        try:
            rows = list(stream.cursor.fetchmany(stream.size))
        except BaseException as error:
            self._raise(error)
        stream.is_at_end = len(rows) < stream.size
        return rows

    def close_stream(self, stream: _Stream) -> None:
        if stream.cursor is not None and not stream.is_at_end:
            # What was not read would have to be read, however much it is; so the connection ends, and
            # the result must not try to read on when it is collected.
            stream.cursor._result.unbuffered_active = False
            stream.cursor.connection = None
            self._end_interrupted()

    def is_alive(self) -> bool:
        try:
            self.raw.ping(reconnect=False)
        except (PyMySQLError, OSError):
            return False
        return True


class MySQLAsyncConnection(_Either):
    """A connection whose calls are awaited."""

    @property
    def is_broken(self) -> bool:
        return not self.raw.connected

    def close(self) -> None:
        try:
            self.raw.close()
        except RuntimeError:
            # Its loop is closed, and with it the way to close the socket properly.
            self.raw._transport = None
            self.raw._connected = False

    async def afetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        try:
            cursor = self.raw.cursor()
            await cursor.execute(prepared.sql, parameters)
            return list(await cursor.fetchall())
        except BaseException as error:
            self._raise(error)

    async def aexecute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        try:
            cursor = self.raw.cursor()
            await cursor.execute(prepared.sql, parameters)
            if prepared.returns_rows:
                return list(await cursor.fetchall())
            return Written(cursor.rowcount, cursor.lastrowid)
        except BaseException as error:
            self._raise(error)

    async def aexecute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        if prepared.returns_rows:
            return [row for each in rows for row in await self.afetch(prepared, each)]
        try:
            return Written(await self.raw.cursor().executemany(prepared.sql, rows) or 0)
        except BaseException as error:
            self._raise(error)

    async def aanswer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        try:
            cursor = self.raw.cursor()
            await cursor.execute(prepared.sql, parameters)
            return _answer(cursor, await cursor.fetchall())
        except BaseException as error:
            self._raise(error)

    async def acommand(self, sql: str) -> None:
        self._begins(sql)
        try:
            await self.raw.cursor().execute(sql)
        except BaseException as error:
            self._raise(error)

    async def aopen_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> _Stream:
        if self.in_transaction:
            return _Stream(size, rows=await self.afetch(prepared, parameters))
        try:
            cursor = self.raw.cursor(AsyncStreamCursor)
            await cursor.execute(prepared.sql, parameters)
        except BaseException as error:
            self._raise(error)
        return _Stream(size, cursor=cursor)

    async def aread_stream(self, stream: _Stream) -> list[Row]:
        if stream.cursor is None:
            return stream.following()
        try:
            rows = list(await stream.cursor.fetchmany(stream.size))
        except BaseException as error:
            self._raise(error)
        stream.is_at_end = len(rows) < stream.size
        return rows

    async def aclose_stream(self, stream: _Stream) -> None:
        if stream.cursor is not None and not stream.is_at_end:
            self._end_interrupted()

    async def ais_alive(self) -> bool:
        try:
            await self.raw.ping(reconnect=False)
        except (AsyncmyError, OSError):
            return False
        return True

    async def aclose(self) -> None:
        try:
            await self.raw.ensure_closed()
        except (AsyncmyError, OSError):
            self.close()


def _answer(cursor: Any, rows: Sequence[Row]) -> Answer:
    if cursor.description is None:
        return Answer(None, [], cursor.rowcount, cursor.lastrowid)
    return Answer(tuple(each[:2] for each in cursor.description), list(rows), cursor.rowcount, cursor.lastrowid)
