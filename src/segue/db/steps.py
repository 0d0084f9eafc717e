"""What an operation asks of whoever drives it.

Holds: the steps that operations yield, and what a step is answered with.
Imports: the standard library only.
Never: knows a driver, a colour or a model.

An operation is a generator: it yields steps and receives their results, so that one
text serves `def` and `async def`. A driver of operations (`running`) performs each step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

__all__ = ["Call", "Execute", "ExecuteMany", "Operation", "Prepared", "Row", "Step", "Transaction", "Written"]

T = TypeVar("T")
Row = tuple[Any, ...]


class Prepared:
    """One SQL text in the parameter style of its driver, ready for a cursor.

    Attributes:
        sql: The text.
        writes: Whether it may change something; a writer may have to wait for its turn.
        returns_rows: Whether it is answered with rows.
        slow: Whether it was seen to take more than a millisecond. The driver sets it.
    """

    __slots__ = ("returns_rows", "slow", "sql", "writes")

    def __init__(self, sql: str, *, writes: bool = False, returns_rows: bool = True) -> None:
        self.sql: str = sql
        self.writes: bool = writes
        self.returns_rows: bool = returns_rows
        self.slow: bool = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.sql!r}>"


class Written(NamedTuple):
    """The answer to a statement that returns no rows.

    Attributes:
        count: Rows it touched; -1 where the driver does not say.
        last_id: The key that the database made for the last row, where it says so.
    """

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    last_id: Any = None


class Execute:
    """Run one statement; answered with a list of rows, or with `Written`."""

    __slots__ = ("parameters", "prepared")

    def __init__(self, prepared: Prepared, parameters: Sequence[Any] = ()) -> None:
        self.prepared: Prepared = prepared
        self.parameters: Sequence[Any] = parameters


class ExecuteMany:
    """Run one statement for each of many parameter rows.

    Answered with the rows of all of them, in their order, or with one `Written`.
    """

    __slots__ = ("prepared", "rows")

    def __init__(self, prepared: Prepared, rows: Sequence[Sequence[Any]]) -> None:
        self.prepared: Prepared = prepared
        self.rows: Sequence[Sequence[Any]] = rows


class Call:
    """Call the user's code; answered with what it returns, awaited where that is awaitable."""

    __slots__ = ("arguments", "function", "keywords")

    def __init__(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
        self.function: Callable[..., Any] = function
        self.arguments: tuple[Any, ...] = arguments
        self.keywords: dict[str, Any] = keywords


class Transaction:
    """Drive another operation inside `atomic()`; answered with its result.

    Attributes:
        savepoint: Whether a failure inside an open transaction undoes this operation alone.
    """

    __slots__ = ("operation", "savepoint")

    def __init__(self, operation: Operation[Any], *, savepoint: bool = True) -> None:
        self.operation: Operation[Any] = operation
        self.savepoint: bool = savepoint


Step = Execute | ExecuteMany | Call | Transaction
Operation = Generator[Step, Any, T]
