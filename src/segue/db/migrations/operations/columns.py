"""Columns.

Holds: `AddColumn`, `DropColumn`, `AlterColumn`, `RetireColumn`.
Imports: the parts of `base`, transitions, renaming.
Never: invents a value for rows that are there, but a field's own default.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..fields import Facts, build_field, columns_of, field_source, is_many_to_many
from ..renaming import rename_field
from ..state import State
from ..transition import rename_tables, transition
from ..values import Imports, Reference, decode, encode, same_text, source
from .base import UNSET, Context, Operation, OperationError, call_source, model_key

if TYPE_CHECKING:
    from ..editor import Editor

__all__ = ["AddColumn", "AlterColumn", "DropColumn", "RetireColumn", "default_of"]

_BATCH = 1000


def default_of(facts: Facts, name: str) -> Any:
    """Return what rows that are there get in a new column: encoded, or a function for each row, or `UNSET`."""
    if facts.get("null") or "db_default" in facts or is_many_to_many(facts) or "expression" in facts:
        return UNSET
    if facts.get("auto_now") or facts.get("auto_now_add"):
        clock = type(build_field(facts, name)).clock
        return encode(clock())
    if "default" in facts:
        value = decode(facts["default"])
        if not callable(value):
            return facts["default"]
        return value if facts.get("unique") else encode(value())
    if facts["kind"].startswith(("auto", "big_auto", "small_auto")) or "to" in facts:
        return UNSET
    value = build_field(facts, name).get_default()
    return UNSET if value is None else encode(value)


class AddColumn(Operation):
    """Add a column, or the table of a many-to-many field."""

    function: ClassVar[str] = "add_column"

    def __init__(self, model: str, name: str, facts: Facts, fill: Any = UNSET) -> None:
        self.model = model
        self.name = name
        self.facts = facts
        self.fill = fill

    def touched(self) -> list[str]:
        return [model_key(self.model)]

    def apply(self, state: State) -> State:
        state, facts = state.edit(model_key(self.model))
        if self.name in facts["fields"]:
            raise OperationError(f"add_column: {self.model} has a field {self.name!r} already.", hint="Leave it out.")
        facts["fields"][self.name] = dict(self.facts)
        facts["order"].append(self.name)
        return state

    def steps(self, editor: Editor, before: State, after: State) -> None:
        key = model_key(self.model)
        fill = default_of(self.facts, self.name) if self.fill is UNSET else self.fill
        if fill is UNSET:
            transition(editor, before, after, [key])
        elif callable(fill) or isinstance(fill, Reference):
            self._fill_each(editor, before, after, fill)
        else:
            transition(editor, before, after, [key], {(key, self.name): fill})

    def _fill_each(self, editor: Editor, before: State, after: State, make: Any) -> None:
        """Every row gets a value of its own: a column that may be NULL first, then what it is to be."""
        key, name = model_key(self.model), self.name
        middle, facts = after.edit(key)
        loose = {option: each for option, each in self.facts.items() if option not in ("unique", "db_index")}
        facts["fields"][name] = {**loose, "null": True}
        transition(editor, before, middle, [key])

        def fill(context: Context) -> None:
            model = context.models(middle).of(key)
            missing = model.objects.filter(**{f"{name}__isnull": True})
            while pks := list(missing.values_list("pk", flat=True)[:_BATCH]):
                with context.block():
                    for pk in pks:
                        model.objects.filter(pk=pk).update(**{name: make()})

        editor.call(fill, f"fill {self.model}.{name}, each row with a value of its own")
        transition(editor, middle, after, [key])

    def describe(self) -> str:
        return f"Add {self.model}.{self.name}"

    def slug(self) -> str:
        return f"{model_key(self.model).replace('.', '_')}_{self.name}"

    def source(self, imports: Imports) -> str:
        named = {} if self.fill is UNSET else {"fill": source(self.fill, imports)}
        parts = [same_text(self.model), same_text(self.name), field_source(self.facts, self.name, imports)]
        return call_source(imports, self.function, parts, named)


class DropColumn(Operation):
    """Drop a column, or the table of a many-to-many field."""

    function: ClassVar[str] = "drop_column"

    def __init__(self, model: str, name: str) -> None:
        self.model = model
        self.name = name

    def touched(self) -> list[str]:
        return [model_key(self.model)]

    def apply(self, state: State) -> State:
        state.field(model_key(self.model), self.name)
        state, facts = state.edit(model_key(self.model))
        del facts["fields"][self.name]
        facts["order"].remove(self.name)
        return state

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        facts = before.field(model_key(self.model), self.name)
        adding = AddColumn(self.model, self.name, facts)
        adding.steps(editor, after, before)

    def describe(self) -> str:
        return f"Drop {self.model}.{self.name}"

    def slug(self) -> str:
        return f"drop_{model_key(self.model).replace('.', '_')}_{self.name}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.model), same_text(self.name)])


class AlterColumn(Operation):
    """Change a column, rename it, or both."""

    function: ClassVar[str] = "alter_column"

    def __init__(self, model: str, name: str, facts: Facts | None = None, new: str = "", fill: Any = UNSET) -> None:
        self.model = model
        self.name = name
        self.facts = facts
        self.new = new
        self.fill = fill

    def touched(self) -> list[str]:
        return [model_key(self.model)]

    def _renamed(self, state: State) -> State:
        key = model_key(self.model)
        state.field(key, self.name)
        return rename_field(state, key, self.name, self.new) if self.new else state

    def apply(self, state: State) -> State:
        state = self._renamed(state)
        if self.facts is None:
            return state
        state, facts = state.edit(model_key(self.model))
        facts["fields"][self.new or self.name] = dict(self.facts)
        from ..renaming import name_indexes

        name_indexes(facts)
        return state

    def steps(self, editor: Editor, before: State, after: State) -> None:
        key, name = model_key(self.model), self.new or self.name
        middle = self._renamed_column(before, after, name)
        rename_tables(editor, before, middle, {key: key})
        fill = self.fill
        if fill is UNSET and before.field(key, self.name).get("null"):
            fill = default_of(after.field(key, name), name)
        fills = {} if fill is UNSET or callable(fill) else {(key, name): fill}
        transition(editor, middle, after, [key], fills)

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        key, name = model_key(self.model), self.new or self.name
        middle = self._renamed_column(before, after, name)
        fill = default_of(before.field(key, self.name), self.name) if after.field(key, name).get("null") else UNSET
        fills = {} if fill is UNSET or callable(fill) else {(key, name): fill}
        transition(editor, after, middle, [key], fills)
        rename_tables(editor, middle, before, {key: key})

    def _renamed_column(self, before: State, after: State, name: str) -> State:
        """The state in which the names are the new ones, and nothing else is."""
        key = model_key(self.model)
        middle = self._renamed(before)
        columns = columns_of(after.field(key, name))
        if columns == columns_of(middle.field(key, name)):
            return middle
        middle, facts = middle.edit(key)
        # There are as many: a field of another number of columns is dropped and added.
        if "db_columns" in facts["fields"][name]:
            facts["fields"][name]["db_columns"] = columns
        else:
            facts["fields"][name]["column"] = columns[0] if columns else None
        from ..renaming import name_indexes

        name_indexes(facts)
        return middle

    def describe(self) -> str:
        if self.new:
            return f"Rename {self.model}.{self.name} to {self.new}" + (", and alter it" if self.facts else "")
        return f"Alter {self.model}.{self.name}"

    def slug(self) -> str:
        kind = "rename" if self.new else "alter"
        return f"{kind}_{model_key(self.model).replace('.', '_')}_{self.name}"

    def source(self, imports: Imports) -> str:
        parts = [same_text(self.model), same_text(self.name)]
        if self.facts is not None:
            parts.append(field_source(self.facts, self.new or self.name, imports))
        named: dict[str, str] = {}
        if self.new:
            named["name"] = same_text(self.new)
        if self.fill is not UNSET:
            named["fill"] = source(self.fill, imports)
        return call_source(imports, self.function, parts, named)


class RetireColumn(Operation):
    """Let a column go in two steps: the models forget it, the release before still finds it.

    Nobody has to fill it in from now on. `drop_column` follows in the next release.
    """

    function: ClassVar[str] = "retire_column"

    def __init__(self, model: str, name: str) -> None:
        self.model = model
        self.name = name

    def touched(self) -> list[str]:
        return [model_key(self.model)]

    def apply(self, state: State) -> State:
        state.field(model_key(self.model), self.name)
        state, facts = state.edit(model_key(self.model))
        field = facts["fields"][self.name]
        field["retired"] = True
        if "db_default" not in field and "expression" not in field and not is_many_to_many(field):
            field["null"] = True
        return state

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        key = model_key(self.model)
        facts = before.field(key, self.name)
        fill = UNSET if facts.get("null") else default_of(facts, self.name)
        transition(editor, after, before, [key], {} if fill is UNSET or callable(fill) else {(key, self.name): fill})

    def describe(self) -> str:
        return f"Retire {self.model}.{self.name}"

    def slug(self) -> str:
        return f"retire_{model_key(self.model).replace('.', '_')}_{self.name}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.model), same_text(self.name)])
