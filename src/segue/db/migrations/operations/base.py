"""What every operation is.

Holds: `Operation`, and how its source is laid out.
Imports: states, transitions.
Never: runs a statement.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..context import Context, OperationError, model_key
from ..state import State
from ..transition import transition
from ..values import Imports, encode

if TYPE_CHECKING:
    from ..editor import Editor

__all__ = ["UNSET", "Context", "Operation", "OperationError", "call_source", "model_key"]

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "UNSET", "__bool__": lambda self: False})()
"""Says that an argument was not given, where `None` is a value."""


class Operation:
    """One change.

    Attributes:
        reversible: Whether it can be taken back.
        writes_data: Whether it changes rows by code or SQL of the project's own.
    """

    function: ClassVar[str] = ""
    reversible: bool = True
    writes_data: ClassVar[bool] = False

    def __repr__(self) -> str:
        return f"<{self.describe()}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def touched(self) -> list[str]:
        """Return the models it is about."""
        return []

    def apply(self, state: State) -> State:
        """Return what *state* is after it."""
        return state

    def steps(self, editor: Editor, before: State, after: State) -> None:
        """Add the steps from *before* to *after*."""
        transition(editor, before, after, self.touched())

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        """Add the steps from *after* back to *before*."""
        transition(editor, after, before, self.touched())

    def describe(self) -> str:
        """Say what it does: a short line for people."""
        return self.function

    def slug(self) -> str:
        """Return what names a migration that does only this."""
        return self.function

    def source(self, imports: Imports) -> str:
        """Return the Python source that makes it."""
        raise TypeError(f"{type(self).__name__} is written by hand")


def call_source(imports: Imports, function: str, parts: list[str], named: Mapping[str, str] | None = None) -> str:
    """Return `migrations.function(…)`, on one line where it fits."""
    texts = [*parts, *(f"{name}={text}" for name, text in (named or {}).items())]
    head = f"{imports.name('segue.db', 'migrations')}.{function}("
    line = f"{head}{', '.join(texts)})"
    if len(line) <= 110 and "\n" not in line:
        return line
    inner = "".join(f"    {_indented(text)},\n" for text in texts)
    return f"{head}\n{inner})"


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


def listed(texts: list[str], brackets: str = "[]") -> str:
    """Return a list or dictionary as source, one part a line where it is long."""
    line = f"{brackets[0]}{', '.join(texts)}{brackets[1]}"
    if len(line) <= 90 and "\n" not in line:
        return line
    inner = "".join(f"    {_indented(text)},\n" for text in texts)
    return f"{brackets[0]}\n{inner}{brackets[1]}"


def encoded(value: Any) -> Any:
    """Return an argument encoded, unless it was not given."""
    return UNSET if value is UNSET else encode(value)
