"""Copies of a database that answer reads.

Holds: `Replicas`: which of them may answer this session now.
Imports: sessions, the steps and errors of this package, and the database for types.
Never: lets a session read what is older than its own last write.

A request, a task or a script that wrote reads the database itself until its copies have what it
wrote. PostgreSQL is asked how far they are; where a database cannot say, a span of time must pass.
Reads inside a transaction never leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..errors import DatabaseError, SetupError
from .errors import OperationalError, SerializationError
from .sessions import this_session
from .steps import Prepared, Row

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Replicas"]

# How long a copy that did not answer is left alone.
_REST_SECONDS = 5.0
# How long between two questions of one session whether a copy has what it wrote.
_ASK_SECONDS = 0.02

Choice = Generator[tuple["Database", Prepared, Sequence[Any]], list[Row], "Database | None"]


class _Mark:
    """The last write of a session to one database."""

    __slots__ = ("asked", "at", "is_silent", "position", "reached")

    def __init__(self, at: float) -> None:
        self.at = at
        self.asked = at
        self.position: Any = None
        self.reached: set[Any] = set()
        self.is_silent = False


class Replicas:
    """The copies of one database.

    Args:
        primary: The database that is written to.
        window_seconds: How long after a write a session reads the primary, where nothing
            tells how far a copy is.

    Attributes:
        clock: What tells the time, in seconds.
    """

    def __init__(self, primary: Database, *, window_seconds: float = 5.0) -> None:
        self.primary: Database = primary
        self.window_seconds: float = window_seconds
        self.copies: list[Database] = []
        self.clock: Callable[[], float] = monotonic
        self._turns = count()
        self._resting: dict[Any, float] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(str(each.url) for each in self.copies)}>"

    def add(self, copy: Database) -> None:
        """Let one more copy answer reads.

        Raises:
            SetupError: It is another kind of database, or the database itself (`data/database-option`).
        """
        if copy.vendor != self.primary.vendor or copy is self.primary or copy.replicas is not None:
            raise SetupError(
                f"{copy.url} cannot be a replica of {self.primary.url}.",
                code="data/database-option",
                why="A replica is another server of the same kind, which has none of its own.",
                hint='Database("postgresql://a/club", replicas=["postgresql://b/club"])',
            )
        copy.primary = self.primary
        self.copies.append(copy)

    def wrote(self) -> None:
        """Remember that this session wrote."""
        this_session().marks[self.primary] = _Mark(self.clock())

    # Reads

    def read(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        """Run a read where it may be run."""
        copy = self.choose()
        if copy is not None:
            try:
                return copy.perform_here(what, prepared, parameters)
            except OperationalError as error:
                self._failed(copy, error)
        return self.primary.perform_here(what, prepared, parameters)

    async def aread(self, what: str, prepared: Prepared, parameters: Sequence[Any]) -> Any:
        """`read()` in async code."""
        copy = await self.achoose()
        if copy is not None:
            try:
                return await copy.aperform_here(what, prepared, parameters)
            except OperationalError as error:
                self._failed(copy, error)
        return await self.primary.aperform_here(what, prepared, parameters)

    def choose(self) -> Database | None:
        """Return the copy that may answer this session, or `None` for the primary."""
        choice = self._choice()
        try:
            database, prepared, parameters = next(choice)
            while True:
                try:
                    rows = database.perform_here("fetch", prepared, parameters)
                except DatabaseError as error:
                    database, prepared, parameters = choice.throw(error)
                else:
                    database, prepared, parameters = choice.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the generator returns

    async def achoose(self) -> Database | None:
        """`choose()` in async code."""
        choice = self._choice()
        try:
            database, prepared, parameters = next(choice)
            while True:
                try:
                    rows = await database.aperform_here("fetch", prepared, parameters)
                except DatabaseError as error:
                    database, prepared, parameters = choice.throw(error)
                else:
                    database, prepared, parameters = choice.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the generator returns

    def _choice(self) -> Choice:
        marks = this_session().marks
        mark: _Mark | None = marks.get(self.primary)
        copy = self._next()
        if copy is None or mark is None or copy in mark.reached:
            return copy
        driver, now = self.primary.driver, self.clock()
        if driver.position is None or mark.is_silent:
            if now - mark.at < self.window_seconds:
                return None
            mark.reached.add(copy)
            return copy
        if now - mark.asked < _ASK_SECONDS:
            return None
        mark.asked = now
        try:
            if mark.position is None:
                mark.position = (yield self.primary, driver.position, ())[0][0]
            has_reached = (yield copy, driver.has_reached, (mark.position,))[0][0]
        except OperationalError as error:
            self._failed(copy, error)
            return None
        except DatabaseError:
            has_reached = None  # not asked of a server that copies in this way
        if has_reached is None:
            mark.is_silent = True
        elif has_reached:
            mark.reached.add(copy)
            return copy
        return None

    def _next(self) -> Database | None:
        copies = self.copies
        if self._resting:
            now = self.clock()
            copies = [copy for copy in copies if self._resting.get(copy, now) <= now]
        return copies[next(self._turns) % len(copies)] if copies else None

    def _failed(self, copy: Database, error: OperationalError) -> None:
        # One that met the copying itself is well; another is given time to come back.
        if not isinstance(error, SerializationError):
            self._resting[copy] = self.clock() + _REST_SECONDS
