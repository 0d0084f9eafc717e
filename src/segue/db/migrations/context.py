"""What an operation that runs code is given.

Holds: `Context`, the error of an operation, the key of a model.
Imports: floor 0.
Never: knows how migrations are run.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from ...errors import SetupError

__all__ = ["Context", "OperationError", "model_key"]


class OperationError(SetupError):
    """An operation cannot be done here."""

    code = "data/migration"


class Context(Protocol):
    """What an operation that runs Python is given by whoever runs it."""

    database: Any

    def models(self, state: Any) -> Any:
        """Return the models of a state, as classes on this database."""
        ...

    def query(self, sql: str) -> list[Any]:
        """Return the rows of a statement."""
        ...

    def command(self, sql: str) -> None:
        """Run a statement."""
        ...

    def progress(self) -> Any:
        """Return what the interrupted try has noted, or `None`."""
        ...

    def note(self, value: Any) -> None:
        """Note how far this is, in the transaction that it was done in."""
        ...

    def block(self) -> AbstractContextManager[None]:
        """Return the block around one batch: a transaction of its own where the migration is none."""
        ...


def model_key(name: str) -> str:
    """Return the key of a model as a user names it."""
    return name.lower()
