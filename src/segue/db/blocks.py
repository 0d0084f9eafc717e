"""The rules of transactions and of the blocks within them, for both colours.

Holds: `Transaction`, one that is open on a connection; `Block`, one `atomic()` in it.
Imports: floor 0, the errors and drivers of this package.
Never: writes SQL (drivers do), waits, or lets two tasks use one connection at once.

What to say to the database when a block begins or ends is a generator that yields SQL commands,
so that one text serves both colours.

A block is *broken* by a statement that fails in it: then nothing but its end is possible, on
every database, as PostgreSQL has it. A transaction is *lost* once the database has rolled it back
by itself, as for a deadlock or a broken connection: then no block of it can be saved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any, ClassVar, Literal, TypeVar

from ..errors import DatabaseError
from .drivers import AsyncConnection, Connection, Driver
from .errors import TransactionManagementError
from .places import Owner, place_of_caller, place_of_owner

__all__ = ["Block", "Callback", "Commands", "Transaction"]

T = TypeVar("T")
Commands = Generator[str, None, T]
Outcome = Literal["open", "committed", "rolled back"]


class Callback:
    """What `on_commit` was given."""

    __slots__ = ("function", "in_thread", "is_robust")

    def __init__(self, function: Callable[[], Any], *, is_robust: bool, in_thread: bool) -> None:
        self.function: Callable[[], Any] = function
        self.is_robust: bool = is_robust
        self.in_thread: bool = in_thread


class Block:
    """One `atomic()` that was entered and not left.

    Attributes:
        savepoint: Its name; empty where it has none.
        is_read_only: Whether statements that write are refused.
        error: What broke it.
        is_marked: Whether it was asked to roll back at its end, whatever comes.
        first_callback: How many callbacks there were when it began.
        owner: Who entered it.
        outer: The block to which went what was done in it, when it ended well.
    """

    __slots__ = ("error", "first_callback", "is_marked", "is_read_only", "outer", "owner", "savepoint")

    def __init__(self, savepoint: str, *, is_read_only: bool, first_callback: int) -> None:
        self.savepoint: str = savepoint
        self.is_read_only: bool = is_read_only
        self.error: BaseException | None = None
        self.is_marked: bool = False
        self.first_callback: int = first_callback
        self.owner: Owner | None = None
        self.outer: Block | None = None


class Transaction(ABC):
    """A transaction that is open on one connection, with its blocks.

    Attributes:
        driver: What knows the commands.
        blocks: The blocks entered, innermost last.
        callbacks: What runs after the commit.
        outcome: Whether it is open, or how it ended.
        lost: Why the database has rolled it back by itself, if it has.
        has_written: Whether a statement was sent that may have changed something.
        is_inherited: Whether this process was forked inside it: then the parent ends it, and nobody else.
    """

    is_async: ClassVar[bool]

    def __init__(
        self, driver: Driver, connection: Connection | AsyncConnection, *, read_only: bool, isolation: str | None
    ) -> None:
        self.driver: Driver = driver
        self.connection: Any = connection  # Any: of the colour that a subclass says
        self.blocks: list[Block] = []
        self.callbacks: list[Callback] = []
        self.outcome: Outcome = "open"
        self.lost: BaseException | None = None
        self.is_read_only: bool = read_only
        self.isolation: str | None = isolation
        self.holder: Owner | None = None
        self.is_ending: bool = False
        self.has_written: bool = False
        self.is_inherited: bool = False
        self._savepoints = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.outcome}, {len(self.blocks)} blocks>"

    @property
    def is_usable(self) -> bool:
        """Whether it still takes statements."""
        return self.outcome == "open" and self.lost is None and bool(self.blocks) and self.blocks[-1].error is None

    def keeps(self, block: Block) -> bool:
        """Return whether what was begun in *block* is still there: no block around it was rolled back."""
        while block.outer is not None:
            block = block.outer
        return block in self.blocks

    # Both colours have all four: a sync call in an async transaction comes from a thread, and
    # the other way round.

    @abstractmethod
    def perform(self, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        """Run a statement as a thread; *what* is a method of a sync connection."""

    @abstractmethod
    async def aperform(self, what: str, arguments: Sequence[Any], *, writes: bool) -> Any:
        """Run a statement as a task; *what* is a method of a sync connection."""

    @abstractmethod
    def run(self, commands: Commands[T], *, ends: bool = False) -> T:
        """Carry out the commands of a rule as a thread; one that *ends* a block waits for its turn."""

    @abstractmethod
    async def arun(self, commands: Commands[T], *, ends: bool = False) -> T:
        """Carry out the commands of a rule as a task; one that *ends* a block waits for its turn."""

    # The rules

    def begin(self) -> Commands[Block]:
        """Begin the transaction and its outermost block."""
        yield from self.driver.begin(read_only=self.is_read_only, isolation=self.isolation)
        return self._add("", is_read_only=self.is_read_only)

    def enter(self, *, savepoint: bool, durable: bool, read_only: bool, isolation: str | None) -> Commands[Block]:
        """Begin a block within this one."""
        self._refuse_within(durable=durable, isolation=isolation)
        self.refuse_if_broken()
        name = ""
        if savepoint:
            self._savepoints += 1
            name = f"segue_{self._savepoints}"
            yield self.driver.savepoint(name)
        return self._add(name, is_read_only=read_only or self.blocks[-1].is_read_only)

    def leave(self, block: Block, error: BaseException | None) -> Commands[None]:
        """End *block*, which ended with *error* or well."""
        if self.blocks[-1:] != [block]:
            raise self._crossed(block)
        if len(self.blocks) == 1:
            yield from self._end(block, error)
        elif block.savepoint:
            yield from self._end_savepoint(block, error)
        else:
            self.blocks.pop()
            outer = block.outer = self.blocks[-1]
            outer.error = outer.error or block.error or error
            outer.is_marked = outer.is_marked or block.is_marked
        if error is None and block.error is not None and not block.is_marked:
            raise self._broken(block.error, at_end=True) from block.error

    def _end(self, block: Block, error: BaseException | None) -> Commands[None]:
        driver, read_only = self.driver, self.is_read_only
        is_well = error is None and block.error is None and not block.is_marked and self.lost is None
        # Until the commit has succeeded it has not; who looks meanwhile sees the pessimistic answer.
        self.outcome = "rolled back"
        self.blocks.pop()
        if is_well:
            try:
                yield from driver.end(commit=True, read_only=read_only)
            except BaseException:
                yield from self._roll_back()
                raise
            self.outcome = "committed"
            return
        yield from self._roll_back()
        if error is None and block.error is None and self.lost is not None:
            block.error = self.lost

    def _roll_back(self) -> Commands[None]:
        self.callbacks.clear()
        if self.connection.is_broken:
            return
        try:
            yield from self.driver.end(commit=False, read_only=self.is_read_only)
        except DatabaseError:
            # What cannot be rolled back is closed; the error that led here is the one to be seen.
            self.connection.close()

    def _end_savepoint(self, block: Block, error: BaseException | None) -> Commands[None]:
        driver = self.driver
        self.blocks.pop()
        if error is None and block.error is None and not block.is_marked:
            yield driver.release(block.savepoint)
            block.outer = self.blocks[-1]
            return
        del self.callbacks[block.first_callback :]
        if self.lost is not None:
            self.blocks[-1].error = self.blocks[-1].error or self.lost
            return
        try:
            yield driver.roll_back_to(block.savepoint)
            yield driver.release(block.savepoint)
        except DatabaseError as failure:
            self.blocks[-1].error = self.blocks[-1].error or failure

    def _add(self, savepoint: str, *, is_read_only: bool) -> Block:
        block = Block(savepoint, is_read_only=is_read_only, first_callback=len(self.callbacks))
        self.blocks.append(block)
        return block

    # What is refused

    def refuse_if_broken(self) -> None:
        """Refuse a statement where nothing but the end of the block is possible."""
        error = self.lost or self.blocks[-1].error
        if error is not None:
            raise self._broken(error, at_end=False) from error

    def admit(self, *, writes: bool) -> None:
        """Refuse a statement that must not run now."""
        if self.outcome != "open":
            raise TransactionManagementError(
                "The transaction that this belongs to has ended.",
                code="data/transaction-ended",
                where=place_of_caller(),
                hint="Read all rows inside the block.",
            )
        if self.is_ending or not self.blocks:
            raise self.shared()
        if self.lost is not None or self.blocks[-1].error is not None:
            self.refuse_if_broken()
        self.has_written = self.has_written or writes
        if writes and self.blocks[-1].is_read_only:
            raise TransactionManagementError(
                "A statement that writes, inside atomic(read_only=True).",
                code="data/read-only",
                where=place_of_caller(),
                hint="Write outside the block, or leave read_only away.",
            )

    def _refuse_within(self, *, durable: bool, isolation: str | None) -> None:
        if durable:
            raise TransactionManagementError(
                "atomic(durable=True) inside another atomic() block.",
                code="data/transaction-nested",
                where=place_of_caller(),
                why="Durable means: at its end everything is in the database. Inside another block it would not be.",
                hint="Call it outside the outer block, or leave durable away.",
            )
        if isolation is not None and isolation.casefold() != (self.isolation or "").casefold():
            raise TransactionManagementError(
                f"atomic(isolation={isolation!r}) inside another atomic() block.",
                code="data/transaction-nested",
                where=place_of_caller(),
                why="The isolation is that of the whole transaction, which has begun already.",
                hint=f"Give isolation={isolation!r} to the outermost block.",
            )

    def failed(self, error: BaseException) -> None:
        """Note what a statement that failed means for the blocks."""
        connection = self.connection
        if connection.is_broken or not connection.in_transaction:
            self.lost = self.lost or error
        if self.blocks and (isinstance(error, DatabaseError) or not isinstance(error, Exception)):
            self.blocks[-1].error = self.blocks[-1].error or error

    def _broken(self, error: BaseException, *, at_end: bool) -> TransactionManagementError:
        what = "The block ended well, but nothing of it was saved" if at_end else "The transaction is broken"
        return TransactionManagementError(
            f"{what}: a statement in it failed before ({type(error).__name__}).",
            code="data/transaction-broken",
            where=place_of_caller(),
            why="After an error the database refuses everything until the block is rolled back.",
            hint="Let the error leave the block, or put the statement that may fail in a block of its own:\n"
            "try:\n    with db.atomic():\n        …\nexcept db.IntegrityError:\n    …",
        )

    def shared(self, owner: Owner | None = None) -> TransactionManagementError:
        """Return the error for two who use the transaction at once."""
        # Of tasks that begin in Segue's own code, as in gather(a.asave(), b.asave()), the line is that
        # where the one who entered the block waits for them.
        around = place_of_owner(self.blocks[-1].owner) if self.blocks else ""
        there = place_of_owner(owner or self.holder) or around
        here = place_of_caller() or around
        return TransactionManagementError(
            "Two tasks use one transaction at once.",
            code="data/transaction-shared",
            where=" and ".join(dict.fromkeys(place for place in (there, here) if place)),
            why="A transaction is one connection, which runs one statement at a time; tasks and threads that are "
            "started inside a block share its transaction.",
            hint="await one after the other, or gather them outside the block.",
        )

    def _crossed(self, block: Block) -> TransactionManagementError:
        error = self.shared(self.blocks[-1].owner if self.blocks else None)
        for each in self.blocks:
            each.error = each.error or error
        return error
