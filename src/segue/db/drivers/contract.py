"""What a driver must do, and what those above it may rely on.

Holds: `Driver`, one for each database; `Connection` and `AsyncConnection`, what it opens; `Answer`.
Imports: floor 0, the errors, addresses and steps of this package.
Never: speaks to a database.
"""

from __future__ import annotations

import inspect
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from ...errors import SegueError
from ..errors import NotSupportedError, TransactionManagementError
from ..steps import Prepared, Row, Written
from ..urls import DatabaseURL

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect, Engine

__all__ = ["Answer", "AsyncConnection", "Connection", "Driver", "refuse_isolation"]

ISOLATION = ("read uncommitted", "read committed", "repeatable read", "serializable")


class Answer(NamedTuple):
    """What a statement was answered with, of which nothing was known before.

    Attributes:
        columns: Name and the driver's type of each; `None` where it returns no rows.
        rows: The rows.
        touched: How many rows it touched or returned; -1 where the driver does not say.
        last_id: The key that the database made, where it says so.
    """

    columns: tuple[tuple[str, Any], ...] | None
    rows: list[Row]
    touched: int
    last_id: Any = None


class _Either(Protocol):
    """What connections of both colours have.

    Attributes:
        last_used: `time.monotonic()` when it was given back.
        raw: The driver's own connection.
    """

    raw: Any  # Any: of whichever driver
    last_used: float

    @property
    def is_broken(self) -> bool:
        """Whether it can be used no more; it is closed then, not kept."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether the database has a transaction open on it, as far as the driver knows."""
        ...

    def reset(self) -> bool:
        """Make it clean if that needs no waiting; else false, and it is closed."""
        ...

    def close(self) -> None:
        """Close it at once, without waiting and from any thread; the database rolls back."""
        ...


class Connection(_Either, Protocol):
    """A connection whose calls wait. Every error is one of this package's."""

    def fetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        """Run one statement that returns rows."""
        ...

    def execute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        """Run one statement."""
        ...

    def execute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        """Run one statement for each of *rows*."""
        ...

    def answer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        """Run one statement of which nothing is known; more than one are refused."""
        ...

    def command(self, sql: str) -> None:
        """Run SQL of a transaction: begin, savepoint, commit."""
        ...

    def open_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> Any:
        """Begin a statement whose rows are read in lists of *size*."""
        ...

    def read_stream(self, stream: Any) -> list[Row]:
        """Return the next rows of what `open_stream` returned; empty at the end."""
        ...

    def close_stream(self, stream: Any) -> None:
        """End what `open_stream` began; closing twice does nothing."""
        ...

    def is_alive(self) -> bool:
        """Ask the database whether it is still there."""
        ...


class AsyncConnection(_Either, Protocol):
    """A connection whose calls are awaited, on the loop that it was opened on."""

    async def afetch(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row]:
        """Run one statement that returns rows."""
        ...

    async def aexecute(self, prepared: Prepared, parameters: Sequence[Any]) -> list[Row] | Written:
        """Run one statement."""
        ...

    async def aexecute_many(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> list[Row] | Written:
        """Run one statement for each of *rows*."""
        ...

    async def aanswer(self, prepared: Prepared, parameters: Sequence[Any]) -> Answer:
        """Run one statement of which nothing is known; more than one are refused."""
        ...

    async def acommand(self, sql: str) -> None:
        """Run SQL of a transaction: begin, savepoint, commit."""
        ...

    async def aopen_stream(self, prepared: Prepared, parameters: Sequence[Any], size: int) -> Any:
        """Begin a statement whose rows are read in lists of *size*."""
        ...

    async def aread_stream(self, stream: Any) -> list[Row]:
        """Return the next rows of what `aopen_stream` returned; empty at the end."""
        ...

    async def aclose_stream(self, stream: Any) -> None:
        """End what `aopen_stream` began; closing twice does nothing."""
        ...

    async def ais_alive(self) -> bool:
        """Ask the database whether it is still there."""
        ...

    async def aclose(self) -> None:
        """Close it with a good-bye to the server."""
        ...


class Driver(ABC):
    """One database: how to open connections, and what is said on them.

    Args:
        url: Where it is.
        on_connect: Called with each new driver connection (`sqlite3.Connection`, …) before
            it is used: the place for SQL functions and collations.

    Attributes:
        vendor: `sqlite`, `postgresql` or `mysql`.
        has_one_connection: Whether all share a single connection, as in memory.
        both_colours: Whether its connections serve both colours and any loop.
        check_after_seconds: A connection that idled longer is asked before it is used; 0 is never.
        position: Asks how far the log of writes is, where the database says it.
        has_reached: Asks a copy whether it has everything up to a position; NULL where it is none.
    """

    vendor: ClassVar[str]
    both_colours: ClassVar[bool] = False
    check_after_seconds: ClassVar[float] = 5.0
    position: ClassVar[Prepared | None] = None
    has_reached: ClassVar[Prepared] = Prepared("")
    has_one_connection: bool = False

    def __init__(self, url: DatabaseURL, on_connect: list[Callable[[Any], None]]) -> None:
        self.url: DatabaseURL = url
        self.on_connect: list[Callable[[Any], None]] = on_connect
        self._dialect: Dialect | None = None
        self._dialect_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def introduce(self, raw: Any) -> None:
        """Give a new driver connection to the functions of `on_connect`."""
        for function in self.on_connect:
            function(raw)

    async def aintroduce(self, raw: Any) -> None:
        """Give a new driver connection of a loop to the functions of `on_connect`; they may be `async def`."""
        for function in self.on_connect:
            result: Any = function(raw)
            if inspect.isawaitable(result):
                await result

    @abstractmethod
    def open(self) -> Connection:
        """Open a connection whose calls wait."""

    @abstractmethod
    async def aopen(self) -> AsyncConnection:
        """Open a connection of the running loop."""

    @abstractmethod
    def begin(self, *, read_only: bool, isolation: str | None) -> tuple[str, ...]:
        """Return the SQL that begins a transaction."""

    def end(self, *, commit: bool, read_only: bool) -> tuple[str, ...]:
        """Return the SQL that ends a transaction."""
        return ("COMMIT",) if commit else ("ROLLBACK",)

    def savepoint(self, name: str) -> str:
        """Return the SQL that sets a savepoint."""
        return f"SAVEPOINT {name}"

    def release(self, name: str) -> str:
        """Return the SQL that keeps what was done since a savepoint."""
        return f"RELEASE SAVEPOINT {name}"

    def roll_back_to(self, name: str) -> str:
        """Return the SQL that undoes what was done since a savepoint."""
        return f"ROLLBACK TO SAVEPOINT {name}"

    @property
    def is_prepared(self) -> bool:
        """Whether `dialect` is there already, so that reading it does not wait."""
        return self._dialect is not None

    @property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled with; the first call asks the database.

        One object for both colours: the driver's parameter style, the server's version and
        kind are set in it.
        """
        if self._dialect is None:
            with self._dialect_lock:
                if self._dialect is None:
                    self._dialect = self._make_dialect()
        return self._dialect

    def _make_dialect(self) -> Dialect:
        from sqlalchemy.exc import DBAPIError

        try:
            return self.make_dialect()
        except DBAPIError as error:
            # The connection broke while the server was asked what it is.
            failure = self.translate(error.orig) if error.orig is not None else None
            raise failure or error from error

    @abstractmethod
    def make_dialect(self) -> Dialect:
        """Connect once, and return a dialect that knows the server."""

    @abstractmethod
    def make_engine(self, shared: Connection | None, before_begin: Callable[[], None]) -> Engine:
        """Return an engine of SQLAlchemy, for migrations; it opens a connection for each use.

        Args:
            shared: The connection to use instead, where there is but one.
            before_begin: Called before a transaction of SQLite begins: it may wait.
        """

    @abstractmethod
    def translate(self, error: BaseException) -> SegueError | None:
        """Return what an error of the driver means, or `None` where it is none of the database."""


def refuse_isolation(isolation: str) -> NotSupportedError | TransactionManagementError:
    """Return the error for an isolation level that is none, or not to be had here."""
    if isolation.casefold() not in ISOLATION:
        return TransactionManagementError(
            f"There is no isolation level {isolation!r}.",
            code="data/transaction",
            hint=f"Choices: {', '.join(ISOLATION)}.",
        )
    return NotSupportedError(
        f"SQLite has no isolation level {isolation!r}: its transactions are serializable.",
        hint="db.atomic(), or db.atomic(read_only=True) for a snapshot",
    )
