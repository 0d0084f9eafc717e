"""What goes wrong with models, queries and databases.

Holds: one class per who must act and what a caller may catch; Django's names stay.
Imports: floor 0.
Never: carries a row's values or a statement in a message that a client might see.
"""

from __future__ import annotations

from typing import Any

from ..errors import DatabaseError, FieldError, SegueError, SetupError, UsageError

__all__ = [
    "ConnectionLost",
    "DataError",
    "DatabaseError",
    "DoesNotExist",
    "FieldError",
    "IntegrityError",
    "ModelError",
    "MultipleObjectsReturned",
    "NotSupportedError",
    "OperationalError",
    "PoolTimeout",
    "ProgrammingError",
    "ProtectedError",
    "QueryBudgetError",
    "QueryError",
    "RestrictedError",
    "SerializationError",
    "TransactionManagementError",
    "too_deep",
]


class DoesNotExist(SegueError, LookupError):
    """No row is like this. Uncaught in a handler it becomes a 404."""

    code = "data/does-not-exist"
    status = 404


class MultipleObjectsReturned(SegueError, LookupError):
    """`get()` asked for one row, and there are more."""

    code = "data/multiple-objects"


class ModelError(SetupError):
    """A model's declaration cannot work."""

    code = "data/model"


class QueryError(UsageError, ValueError):
    """A query is put together in a way that cannot work."""

    code = "data/query"


def too_deep() -> QueryError:
    """Return the error for a query inside of which Python loses its way."""
    return QueryError(
        "The query is nested too deeply.",
        why="Conditions and expressions may hold others, about a hundred times.",
        hint="Join equals by one `&` or `|` after the other, which does not nest; look for many values by __in.",
    )


class TransactionManagementError(UsageError):
    """A call that the state of the transaction forbids."""

    code = "data/transaction"


class QueryBudgetError(UsageError):
    """A block asked the database more often than it may."""

    code = "data/query-budget"


class NotSupportedError(UsageError):
    """This database cannot do that."""

    code = "data/not-supported"


class OperationalError(DatabaseError):
    """The database is out of reach, locked or out of room."""

    code = "data/operational"


class ConnectionLost(OperationalError):
    """The connection broke; the next statement gets another one."""

    code = "data/connection-lost"


class PoolTimeout(OperationalError):
    """No connection came free in time."""

    code = "data/pool-timeout"


class SerializationError(OperationalError):
    """Two transactions met; this one may be tried again (deadlocks too)."""

    code = "data/serialization"


class ProgrammingError(DatabaseError):
    """The statement does not fit the schema: often a migration that was not run."""

    code = "data/programming"
    status = 500


class DataError(DatabaseError, ValueError):
    """A value does not fit its column."""

    code = "data/value"
    status = 500


class IntegrityError(DatabaseError):
    """A constraint of the database refused the rows.

    Attributes:
        kind: `unique`, `foreign_key`, `not_null`, `check`, or empty where it is not known.
        constraint: The name of the constraint, where the database says it.
        columns: The columns, where the database says them.
        table: The table, where the database says it.
    """

    code = "data/integrity"
    status = 409

    def __init__(
        self,
        message: str = "",
        *,
        kind: str = "",
        constraint: str = "",
        columns: tuple[str, ...] = (),
        table: str = "",
        **options: Any,
    ) -> None:
        super().__init__(message, **options)
        self.kind: str = kind
        self.constraint: str = constraint
        self.columns: tuple[str, ...] = columns
        self.table: str = table


class ProtectedError(IntegrityError):
    """Rows that refer by `PROTECT` stand against a delete.

    Attributes:
        protected_objects: The instances that protect.
    """

    code = "data/protected"

    def __init__(self, message: str, protected_objects: list[Any], **options: Any) -> None:
        super().__init__(message, kind="foreign_key", **options)
        self.protected_objects: list[Any] = protected_objects


class RestrictedError(ProtectedError):
    """Rows that refer by `RESTRICT`, and go not away themselves, stand against a delete."""

    code = "data/restricted"

    @property
    def restricted_objects(self) -> list[Any]:
        """The instances that restrict: Django's name."""
        return self.protected_objects
