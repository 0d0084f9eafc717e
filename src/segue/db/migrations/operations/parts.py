"""Indexes and constraints.

Holds: `AddIndex`, `DropIndex`, `RenameIndex`, `AddConstraint`, `DropConstraint`.
Imports: the parts of `base`.
Never: knows how a database says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ....errors import did_you_mean
from ..fields import Facts
from ..state import State, constraint_source, index_name
from ..values import Imports, same_text
from .base import Operation, OperationError, call_source, model_key

if TYPE_CHECKING:
    from ..editor import Editor

__all__ = ["AddConstraint", "AddIndex", "DropConstraint", "DropIndex", "RenameIndex"]


class _Part(Operation):
    """A part of a table that has a name."""

    kept_in: ClassVar[str] = ""
    noun: ClassVar[str] = ""

    def __init__(self, model: str, name: str) -> None:
        self.model = model
        self.name = name

    def touched(self) -> list[str]:
        return [model_key(self.model)]

    def _dropped(self, state: State) -> tuple[State, Facts]:
        state, facts = state.edit(model_key(self.model))
        parts = facts.get(self.kept_in, {})
        if self.name not in parts:
            raise OperationError(
                f"{self.function}: {self.model} has no {self.noun} {self.name!r} here.",
                hint=did_you_mean(self.name, parts),
            )
        told = parts.pop(self.name)
        if not parts:
            del facts[self.kept_in]
        return state, told

    def _added(self, state: State, name: str, told: Facts) -> State:
        state, facts = state.edit(model_key(self.model))
        parts = facts.setdefault(self.kept_in, {})
        if name in parts:
            raise OperationError(f"{self.function}: {self.model} has {name!r} already.", hint="Leave it out.")
        parts[name] = dict(told)
        return state

    def describe(self) -> str:
        return f"{self.function.partition('_')[0].title()} {self.noun} {self.name} of {self.model}"

    def slug(self) -> str:
        return self.name if self.function.startswith("add") else f"drop_{self.name}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.model), same_text(self.name)])


class _Added(_Part):
    def __init__(self, model: str, name: str, facts: Facts) -> None:
        super().__init__(model, name)
        self.facts = facts

    def apply(self, state: State) -> State:
        return self._added(state, self.name, self.facts)

    def source(self, imports: Imports) -> str:
        return call_source(
            imports, self.function, [same_text(self.model), constraint_source(self.facts, self.name, imports)]
        )


class _Dropped(_Part):
    def apply(self, state: State) -> State:
        return self._dropped(state)[0]


class AddIndex(_Added):
    """Add an index."""

    function: ClassVar[str] = "add_index"
    kept_in: ClassVar[str] = "indexes"
    noun: ClassVar[str] = "index"

    def apply(self, state: State) -> State:
        if not self.name:
            self.name: str = index_name(state[model_key(self.model)], self.facts)
        return super().apply(state)

    def source(self, imports: Imports) -> str:
        named = {"name": same_text(self.name)} if self.facts.get("unnamed") else {}
        parts = [same_text(self.model), constraint_source(self.facts, self.name, imports)]
        return call_source(imports, self.function, parts, named)


class DropIndex(_Dropped):
    """Drop an index."""

    function: ClassVar[str] = "drop_index"
    kept_in: ClassVar[str] = "indexes"
    noun: ClassVar[str] = "index"


class AddConstraint(_Added):
    """Add a constraint."""

    function: ClassVar[str] = "add_constraint"
    kept_in: ClassVar[str] = "constraints"
    noun: ClassVar[str] = "constraint"


class DropConstraint(_Dropped):
    """Drop a constraint."""

    function: ClassVar[str] = "drop_constraint"
    kept_in: ClassVar[str] = "constraints"
    noun: ClassVar[str] = "constraint"


class RenameIndex(_Part):
    """Give an index another name."""

    function: ClassVar[str] = "rename_index"
    kept_in: ClassVar[str] = "indexes"
    noun: ClassVar[str] = "index"

    def __init__(self, model: str, name: str, new: str) -> None:
        super().__init__(model, name)
        self.new = new

    def apply(self, state: State) -> State:
        state, told = self._dropped(state)
        return self._added(state, self.new, {name: each for name, each in told.items() if name != "unnamed"})

    def steps(self, editor: Editor, before: State, after: State) -> None:
        self._rename(editor, after, self.name, self.new, before)

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        self._rename(editor, before, self.new, self.name, after)

    def _rename(self, editor: Editor, state: State, old: str, new: str, before: State) -> None:
        if editor.vendor == "sqlite":
            super().steps(editor, before, state)
            return
        was, now = editor.name(old), editor.name(new)
        table = editor.name(state[model_key(self.model)]["table"])
        is_postgresql = editor.vendor == "postgresql"
        editor.sql(
            f"ALTER INDEX {was} RENAME TO {now}"
            if is_postgresql
            else f"ALTER TABLE {table} RENAME INDEX {was} TO {now}"
        )

    def describe(self) -> str:
        return f"Rename index {self.name} of {self.model} to {self.new}"

    def slug(self) -> str:
        return f"rename_{self.name}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.model), same_text(self.name), same_text(self.new)])
