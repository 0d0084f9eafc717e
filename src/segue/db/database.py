"""A database: its address, its connections, and everything that is said to it.

Holds: `Database`.
Imports: floor 0, the drivers, pools and transactions of this package.
Never: writes SQL, knows a model, or keeps the event loop waiting.

A statement outside a transaction takes a connection from the pool of its caller's colour and
gives it back at once; inside one it goes to the transaction's connection, whoever asks.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from asyncio import events
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UsageError
from ..signals import Signals
from .atomic import Atomic, async_callback, run_callback
from .blocks import Callback, Transaction
from .drivers import Driver, driver_of
from .drivers.threads import workers
from .errors import ConnectionLost, TransactionManagementError
from .instance import FETCH_PEERS, FetchMode, fetch_mode_of
from .observing import Observer, is_observed, tell
from .places import place_of_caller
from .pools import LoopPools, Pool, Writers, writers_of
from .registry import every_model
from .replicas import Replicas
from .results import Result
from .running import arun, run
from .sessions import note_write
from .shapes import PlanCache
from .statements import Parameters, compile_statement
from .steps import Operation, Prepared, Row
from .streaming import Closing, astream, stream
from .transactions import current_transactions, find_transaction
from .urls import DatabaseURL, parse_url

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection as SQLAlchemyConnection
    from sqlalchemy.engine import Dialect

__all__ = ["Database", "running_on_loop"]

T = TypeVar("T")

_log = logging.getLogger("segue.db")
_DEFAULT_POOL_SIZE = 15
_DEFAULT_POOL_TIMEOUT_SECONDS = 2.0
# What a copy may answer. Of a user's own statement (`answer`) nobody knows what it calls.
_READS = frozenset({"fetch", "execute"})
# Tasks of on_commit functions that run outside any transaction: a loop holds them only weakly.
_tasks: set[asyncio.Task[Any]] = set()

_running_loop = events._get_running_loop  # pyright: ignore[reportPrivateUsage]  # documented for this


def running_on_loop() -> bool:
    """Tell whether this thread runs an event loop, on which nothing may wait."""
    return _running_loop() is not None


class Database:
    """A database, for both colours, all threads and all loops.

    Nothing is opened before the first statement. `close()` or `await aclose()` ends it.

    Args:
        url: Where it is: `sqlite:///club.db`, `postgresql://me@host/club`, …
        root: What the path of a SQLite file is relative to; `None` is the working directory.
        pool_size: How many connections there may be, for each colour. The address may say it too.
        pool_timeout: How many seconds one waits for a connection.
        replicas: Copies of it that answer reads: their addresses.
        replica_window: How many seconds after a write its session reads no copy, where the
            database cannot tell how far the copies are.
        fetch_mode: What touching an unloaded relation does, where neither queryset nor model says.
        options: What else an address may say after its question mark.

    Attributes:
        signals: Who listens to what happens to models; an app puts its own here.
        observers: Called with each statement, its parameters, and the seconds it took.
        on_connect: Called with each new driver connection, before it is used.

    >>> database = Database("sqlite://:memory:")
    >>> database.execute("SELECT 1 AS one").one()
    Row(one=1)
    """

    def __init__(
        self,
        url: str | DatabaseURL,
        *,
        root: str | Path | None = None,
        pool_size: int = _DEFAULT_POOL_SIZE,
        pool_timeout: float = _DEFAULT_POOL_TIMEOUT_SECONDS,
        replicas: Sequence[str | DatabaseURL] = (),
        replica_window: float = 5.0,
        fetch_mode: FetchMode | str = FETCH_PEERS,
        **options: Any,
    ) -> None:
        self.url: DatabaseURL = url if isinstance(url, DatabaseURL) else parse_url(url, root=root, options=options)
        self.observers: list[Observer] = []
        self.signals: Signals = Signals()
        self.plans: PlanCache = PlanCache()
        self.fetch_mode: FetchMode = fetch_mode_of(fetch_mode, "fetch_mode=")
        # Whose tables `create_all()` makes; an app says its own.
        self.models: Callable[[], Sequence[Any]] = every_model
        self.siblings: Mapping[str, Database] = {}
        self.on_connect: list[Callable[[Any], None]] = []
        self.driver: Driver = driver_of(self.url, self.on_connect)
        self._pool_options: dict[str, Any] = {
            "size": int(self.url.options.get("pool_size", pool_size)),
            "timeout_seconds": float(self.url.options.get("pool_timeout", pool_timeout)),
            "name": str(self.url),
        }
        self.pool: Pool = Pool(self.driver, **self._pool_options)
        self.writers: Writers | None = self._find_writers()
        self._loops = LoopPools(self.driver, **self._pool_options)
        # What it is a copy of, or its copies.
        self.primary: Database | None = None
        self.replicas: Replicas | None = None
        self._replica_window = replica_window
        self._own_replicas = [
            Database(each, root=root, pool_size=pool_size, pool_timeout=pool_timeout, fetch_mode=fetch_mode, **options)
            for each in replicas
        ]
        for copy in self._own_replicas:
            self.add_replica(copy)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def __getitem__(self, name: str) -> Database:
        """Return another database of the same app, by its name."""
        return self.siblings[name]

    def add_replica(self, copy: Database) -> None:
        """Let *copy*, a database that follows this one, answer reads.

        Raises:
            SetupError: It is of another kind (`data/database-option`).
        """
        if self.replicas is None:
            self.replicas = Replicas(self, window_seconds=self._replica_window)
        self.replicas.add(copy)

    def is_same_place(self, other: Database) -> bool:
        """Tell whether the other is this database too: itself, a copy, or another object for one address."""
        mine, theirs = self.primary or self, other.primary or other
        return mine is theirs or (mine.url == theirs.url and not mine.url.is_memory)

    @property
    def vendor(self) -> str:
        """`sqlite`, `postgresql` or `mysql` (which is MariaDB too)."""
        return self.driver.vendor

    @property
    def name(self) -> str:
        """The name of the database; of SQLite the path of its file."""
        return self.url.database

    @property
    def dialect(self) -> Dialect:
        """The SQLAlchemy dialect of this server, in the driver's parameter style.

        The first call connects; async operations do it in a thread before they begin.
        """
        return self.driver.dialect

    async def aprepare(self) -> None:
        """Make `dialect`, in a thread."""
        await workers.run(lambda: self.driver.dialect)

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Run *function* in a thread, in this context: on the transaction of the caller, if there is one."""
        return await workers.run_in_context(function)

    # Operations

    def run(self, operation: Operation[T], method: str = "") -> T:
        """Drive an operation to its end; waits.

        Args:
            method: The call that the user wrote, for the error about waiting on an event loop.
        """
        return run(self, operation, method=method)

    async def arun(self, operation: Operation[T]) -> T:
        """Drive an operation to its end on the running loop."""
        return await arun(self, operation)

    def fetch(self, prepared: Prepared, parameters: Sequence[Any] = (), method: str = "") -> list[Row]:
        """Run one statement that returns rows; waits."""
        if _running_loop() is not None:
            self.refuse_on_loop(method)
        found: list[Row]
        # PERF: the way of nearly every read; what `perform` does, without its calls.
        if not (
            prepared.writes
            or current_transactions.get()
            or self.observers
            or self.replicas is not None
            or is_observed()
        ):
            pool = self.pool
            connection = pool.find_idle() or pool.take()
            try:
                found = connection.fetch(prepared, parameters)
            except BaseException as error:
                pool.give_back(connection)
                if not isinstance(error, ConnectionLost):
                    raise
                pool.suspect()
                found = self._once("fetch", prepared, parameters)
            else:
                pool.give_back_clean(connection)
            return found
        found = self.perform("fetch", prepared, parameters)
        return found

    async def afetch(self, prepared: Prepared, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one statement that returns rows."""
        found: list[Row]
        # PERF: as in `fetch`.
        if not (
            prepared.writes
            or current_transactions.get()
            or self.observers
            or self.replicas is not None
            or is_observed()
        ):
            pool = self.pool if self.driver.both_colours else self._loops.here()
            connection = pool.find_idle() or await pool.atake()
            try:
                found = await connection.afetch(prepared, parameters)
            except BaseException as error:
                pool.give_back(connection)
                if not isinstance(error, ConnectionLost):
                    raise
                pool.suspect()
                found = await self._aonce("fetch", prepared, parameters)
            else:
                pool.give_back_clean(connection)
            return found
        found = await self.aperform("fetch", prepared, parameters)
        return found

    def perform(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        """Run a statement where it belongs; *what* is a method of `drivers.Connection`."""
        if what == "execute" and not (
            current_transactions.get() or self.observers or self.replicas is not None or is_observed()
        ):
            # PERF: the way of nearly every `save()`, a tenth of its time.
            try:
                return self.perform_here(what, prepared, parameters)
            finally:
                if prepared.writes:
                    note_write()
        is_seen = self.is_observed
        started = perf_counter() if is_seen else 0.0
        try:
            transaction = find_transaction(self)
            if transaction is not None:
                return transaction.perform(what, (prepared, parameters), writes=prepared.writes)
            if self.replicas is not None and what in _READS and not prepared.writes:
                return self.replicas.read(what, prepared, parameters)
            return self.perform_here(what, prepared, parameters)
        finally:
            if prepared.writes:
                self.note_write()
            if is_seen:
                tell(self.observers, prepared, parameters, perf_counter() - started)

    async def aperform(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        """Run a statement where it belongs; *what* is a method of `drivers.Connection`."""
        is_seen = self.is_observed
        started = perf_counter() if is_seen else 0.0
        try:
            transaction = find_transaction(self)
            if transaction is not None:
                return await transaction.aperform(what, (prepared, parameters), writes=prepared.writes)
            if self.replicas is not None and what in _READS and not prepared.writes:
                return await self.replicas.aread(what, prepared, parameters)
            return await self.aperform_here(what, prepared, parameters)
        finally:
            if prepared.writes:
                self.note_write()
            if is_seen:
                tell(self.observers, prepared, parameters, perf_counter() - started)

    def note_write(self) -> None:
        """Note that this session wrote, or may have: what it reads now must not be older."""
        note_write()
        if self.replicas is not None:
            self.replicas.wrote()

    # Outside a transaction. A read that found its connection broken is asked again, once, on
    # another; a write is not, since it may have been carried out.

    def perform_here(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        """Run a statement on a connection of this very database, outside any transaction."""
        if what == "execute_many":
            with self.atomic():
                return self._inside().perform(what, (prepared, parameters), writes=prepared.writes)
        turn = self.writers if prepared.writes else None
        if turn is not None:
            turn.take()
        try:
            return self._once(what, prepared, parameters)
        except ConnectionLost:
            if prepared.writes:
                raise
            return self._once(what, prepared, parameters)
        finally:
            if turn is not None:
                turn.put("")

    def _once(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        pool = self.pool
        connection = pool.take()
        try:
            return getattr(connection, what)(prepared, parameters)
        except ConnectionLost:
            pool.suspect()
            raise
        finally:
            pool.give_back(connection)

    async def aperform_here(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        """`perform_here()` in async code."""
        if what == "execute_many":
            async with self.atomic():
                return await self._inside().aperform(what, (prepared, parameters), writes=prepared.writes)
        turn = self.writers if prepared.writes else None
        if turn is not None:
            await turn.atake()
        try:
            return await self._aonce(what, prepared, parameters)
        except ConnectionLost:
            if prepared.writes:
                raise
            return await self._aonce(what, prepared, parameters)
        finally:
            if turn is not None:
                turn.put("")

    async def _aonce(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        pool = self.loop_pool()
        connection = await pool.atake()
        try:
            return await getattr(connection, "a" + what)(prepared, parameters)
        except ConnectionLost:
            pool.suspect()
            raise
        finally:
            pool.give_back(connection)

    def _inside(self) -> Transaction:
        transaction = find_transaction(self)
        assert transaction is not None
        return transaction

    # Rows in chunks

    def stream(
        self, prepared: Prepared, parameters: Sequence[Any] = (), chunk_size: int = 2000, method: str = ""
    ) -> Generator[list[Row]]:
        """Yield the rows in lists; its connection is held until the end, or until it is closed."""
        self.refuse_on_loop(method)
        replicas = self.replicas if self._may_leave(prepared) else None
        source = replicas.choose() if replicas is not None else None
        return stream(source or self, prepared, parameters, chunk_size)

    def astream(
        self, prepared: Prepared, parameters: Sequence[Any] = (), chunk_size: int = 2000
    ) -> AsyncGenerator[list[Row]]:
        """Yield the rows in lists; its connection is held until the end, or until it is closed."""
        if self._may_leave(prepared):
            return self._astream_of_copy(prepared, parameters, chunk_size)
        return astream(self, prepared, parameters, chunk_size)

    async def _astream_of_copy(
        self, prepared: Prepared, parameters: Sequence[Any], chunk_size: int
    ) -> AsyncGenerator[list[Row]]:
        source = await self.replicas.achoose() if self.replicas is not None else None
        async with Closing(astream(source or self, prepared, parameters, chunk_size)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _may_leave(self, prepared: Prepared) -> bool:
        """Tell whether a copy may answer: outside a transaction, for a read."""
        return self.replicas is not None and not prepared.writes and find_transaction(self) is None

    # Statements of users

    def execute(self, statement: Any, parameters: Parameters | None = None) -> Result:
        """Run a statement of SQLAlchemy Core, or a text with `:name` for each value.

        Args:
            statement: One statement; a text that holds several is refused.
            parameters: The values by name; a list of such dictionaries runs it for each of them.
        """
        self.refuse_on_loop("db.execute()")
        compiled = compile_statement(statement, parameters, self.dialect)
        return compiled.result(self.perform(*compiled.call))

    async def aexecute(self, statement: Any, parameters: Parameters | None = None) -> Result:
        """Run a statement of SQLAlchemy Core, or a text with `:name` for each value; see `execute`."""
        if not self.driver.is_prepared:
            await self.aprepare()
        compiled = compile_statement(statement, parameters, self.dialect)
        return compiled.result(await self.aperform(*compiled.call))

    # Transactions

    def atomic(
        self,
        *,
        savepoint: bool = True,
        durable: bool = False,
        read_only: bool = False,
        isolation: str | None = None,
        retry: int = 0,
    ) -> Atomic:
        """Return a block in which all is saved, or nothing: `with`, `async with`, or a decorator.

        Args:
            savepoint: Whether an inner block that fails takes back what was done in it alone;
                else the outer one is broken as well.
            durable: Refuse to be an inner block: at its end everything is in the database.
            read_only: See one snapshot, and refuse statements that write.
            isolation: `read committed`, `repeatable read` or `serializable`.
            retry: How often a decorated function is tried again where two transactions met.
        """
        return Atomic(
            lambda: self, savepoint=savepoint, durable=durable, read_only=read_only, isolation=isolation, retry=retry
        )

    @property
    def in_atomic(self) -> bool:
        """Whether this runs inside a transaction of this database."""
        return find_transaction(self) is not None

    def on_commit(self, function: Callable[[], Any], *, robust: bool = False) -> None:
        """Call *function* once the outermost block is committed; at once outside any block.

        It is dropped with the savepoint in which it was registered. In an async transaction
        it may be async.

        Args:
            robust: Whether an error in it is logged instead of raised.
        """
        transaction = find_transaction(self)
        on_loop = _running_loop() is not None
        if inspect.iscoroutinefunction(function) and not (transaction.is_async if transaction else on_loop):
            raise async_callback(function)
        if transaction is not None:
            in_thread = transaction.is_async and not on_loop and not inspect.iscoroutinefunction(function)
            transaction.callbacks.append(Callback(function, is_robust=robust, in_thread=in_thread))
        elif inspect.iscoroutinefunction(function):
            task = asyncio.ensure_future(function())
            _tasks.add(task)
            task.add_done_callback(_ended)
        else:
            run_callback(Callback(function, is_robust=robust, in_thread=False))

    def set_rollback(self, rollback: bool) -> None:  # noqa: FBT001  # Django's
        """Say whether the innermost block is rolled back at its end, though nothing failed."""
        transaction = find_transaction(self)
        if transaction is None:
            raise TransactionManagementError(
                "set_rollback() outside of any atomic() block.", code="data/transaction", hint="with db.atomic(): …"
            )
        transaction.blocks[-1].is_marked = rollback

    # Tables

    def create_all(self, *models: Any) -> list[str]:
        """Make the tables of *models* that are missing, of all models where none is named.

        Tables that are there are not changed: migrations do that.

        Returns:
            The names of those that were made.
        """
        from .schema import create_all  # with SQLAlchemy's DDL

        with self.connection() as connection:
            made = create_all(connection, models or self.models())
            connection.commit()
        return made

    def drop_all(self, *models: Any) -> None:
        """Drop the tables of *models*, of all models where none is named, with their rows."""
        from .schema import drop_all  # with SQLAlchemy's DDL

        with self.connection() as connection:
            drop_all(connection, models or self.models())
            connection.commit()

    # For migrations

    @contextmanager
    def connection(self) -> Generator[SQLAlchemyConnection]:
        """Give a sync SQLAlchemy connection of its own: for DDL, inspection and migrations.

        What is not committed (`connection.commit()`, `with connection.begin():`) is rolled back. In memory
        it is the one connection there is, so nobody else gets in until the block ends.
        """
        from sqlalchemy import event

        self.refuse_on_loop("db.connection()", "await run_sync(function)")
        if self.in_atomic:
            raise TransactionManagementError(
                "db.connection() inside an atomic() block: it would wait for the block, and the block for it.",
                code="data/transaction",
                where=place_of_caller(),
                hint="Use it outside the block, or db.execute() inside.",
            )
        shared = self.pool.take() if self.driver.has_one_connection else None
        turn = _Turn(self.writers)
        engine = self.driver.make_engine(shared, turn.take)
        event.listen(engine, "commit", turn.give)
        event.listen(engine, "rollback", turn.give)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            turn.give()
            self.note_write()
            if shared is not None:
                self.driver.introduce(shared.raw)  # SQLAlchemy has set functions of its own
                self.pool.give_back(shared)

    # The end

    def close(self) -> None:
        """Close all connections, those in use when they are given back; a later statement opens new ones."""
        for copy in self._own_replicas:
            copy.close()
        self.pool.close()
        self._loops.close()
        self.pool = Pool(self.driver, **self._pool_options)

    async def aclose(self) -> None:
        """Close all connections, with a good-bye to the server."""
        for copy in self._own_replicas:
            await copy.aclose()
        await self._loops.aclose()
        self.close()

    def statistics(self) -> dict[str, Any]:
        """Return how many connections there are: `threads`, and one entry for each of the `loops`."""
        return {"threads": self.pool.statistics(), "loops": self._loops.statistics()}

    # For those beside

    @property
    def is_observed(self) -> bool:
        """Whether anybody watches the statements."""
        return bool(self.observers) or is_observed()

    def loop_pool(self) -> Pool:
        """Return the pool of the running loop."""
        return self.pool if self.driver.both_colours else self._loops.here()

    def refuse_on_loop(self, method: str = "", instead: str = "") -> None:
        """Refuse to wait in a thread that runs an event loop.

        Args:
            method: What was called, such as `Record.objects.get()`.
            instead: What to write, where it is not the same name with an `a`.

        Raises:
            UsageError: `data/blocking-call`.
        """
        if _running_loop() is None:
            return
        head, dot, last = method.rpartition(".")
        twin = f"await {head}{dot}a{last}" if method else "await the method of the same name with an `a` before it"
        raise UsageError(
            f"{method or 'A call of the database'} would keep the event loop waiting.",
            code="data/blocking-call",
            where=place_of_caller(),
            why="While it waits for the database, no other request of this process is served.",
            hint=instead or twin,
        )

    def _find_writers(self) -> Writers | None:
        if self.vendor != "sqlite" or self.url.is_memory:
            return None
        return writers_of(self.url.database, float(self.url.options.get("timeout", 5.0)))


class _Turn:
    """The writers' turn of a SQLAlchemy connection, from BEGIN to the end of the transaction."""

    def __init__(self, writers: Writers | None) -> None:
        self._writers = writers
        self._is_held = False

    def take(self) -> None:
        if self._writers is not None and not self._is_held:
            self._writers.take()
            self._is_held = True

    def give(self, *_: Any) -> None:
        if self._writers is not None and self._is_held:
            self._is_held = False
            self._writers.put("")


def _ended(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("A function of on_commit() failed outside any transaction.", exc_info=error)
