"""Whole tables.

Holds: `CreateTable`, `DropTable`, `RenameTable`, `AlterTable`, `RetireTable`.
Imports: the parts of `base`, transitions.
Never: drops what it was not told to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import ModelError
from ...naming import short_name, snake
from ..fields import Facts, field_source
from ..renaming import rename_model
from ..state import State, constraint_source
from ..transition import rename_tables, transition
from ..values import Imports, same_text
from .base import Operation, OperationError, call_source, listed, model_key

if TYPE_CHECKING:
    from ..editor import Editor

__all__ = ["AlterTable", "CreateTable", "DropTable", "RenameTable", "RetireTable", "table_facts"]


class CreateTable(Operation):
    """Create the table of a model."""

    function: ClassVar[str] = "create_table"

    def __init__(self, name: str, facts: Facts) -> None:
        self.name = name
        self.facts = facts

    def touched(self) -> list[str]:
        return [model_key(self.name)]

    def apply(self, state: State) -> State:
        key = model_key(self.name)
        if key in state:
            raise OperationError(f"create_table({self.name!r}): there is one already.", hint="Leave it out.")
        return state.with_model(key, deepcopy(self.facts))

    def describe(self) -> str:
        return f"Create {self.name}"

    def slug(self) -> str:
        return snake(self.facts["name"])

    def source(self, imports: Imports) -> str:
        facts = self.facts
        fields = [f"{same_text(name)}: {field_source(facts['fields'][name], name, imports)}" for name in facts["order"]]
        named = {
            "fields": "{\n" + "".join(f"    {each},\n" for each in fields) + "}",
            "table": same_text(facts["table"]),
        }
        for option in ("key", "bases", "unique_together"):
            if option in facts:
                named[option] = repr(facts[option]).replace("'", '"')
        if "comment" in facts:
            named["comment"] = same_text(facts["comment"])
        if "managed" in facts:
            named["managed"] = "False"
        for option in ("constraints", "indexes"):
            if option in facts:
                named[option] = listed(
                    [constraint_source(each, name, imports) for name, each in sorted(facts[option].items())]
                )
        return call_source(imports, self.function, [same_text(self.name)], named)


class DropTable(Operation):
    """Drop the table of a model."""

    function: ClassVar[str] = "drop_table"

    def __init__(self, name: str) -> None:
        self.name = name

    def touched(self) -> list[str]:
        return [model_key(self.name)]

    def apply(self, state: State) -> State:
        return state.without(model_key(self.name))

    def describe(self) -> str:
        return f"Drop {self.name}"

    def slug(self) -> str:
        return f"drop_{model_key(self.name).replace('.', '_')}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.name)])


class RenameTable(Operation):
    """Rename a model; its table goes with it where its name follows from that of the model."""

    function: ClassVar[str] = "rename_table"

    def __init__(self, name: str, new: str) -> None:
        self.name = name
        self.new = new

    def touched(self) -> list[str]:
        return [model_key(self.name), model_key(self.new)]

    def apply(self, state: State) -> State:
        return rename_model(state, model_key(self.name), self.new)

    def steps(self, editor: Editor, before: State, after: State) -> None:
        rename_tables(editor, before, after, {model_key(self.name): model_key(self.new)})

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        rename_tables(editor, after, before, {model_key(self.new): model_key(self.name)})

    def describe(self) -> str:
        return f"Rename {self.name} to {self.new}"

    def slug(self) -> str:
        return f"rename_{model_key(self.name).replace('.', '_')}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.name), same_text(self.new)])


class AlterTable(Operation):
    """Change what a table is called, its comment, or what must be unique together."""

    function: ClassVar[str] = "alter_table"
    options: ClassVar[tuple[str, ...]] = ("table", "comment", "unique_together", "managed", "key", "bases")

    def __init__(self, name: str, changes: Mapping[str, Any]) -> None:
        self.name = name
        self.changes: dict[str, Any] = dict(changes)

    def touched(self) -> list[str]:
        return [model_key(self.name)]

    def apply(self, state: State) -> State:
        return self._applied(state, self.changes)

    def _applied(self, state: State, changes: Mapping[str, Any]) -> State:
        state, facts = state.edit(model_key(self.name))
        for name, value in changes.items():
            if value in ("", [], None) or (name == "managed" and value is True):
                facts.pop(name, None)
            else:
                facts[name] = deepcopy(value)
        if "table" in changes:
            from ..renaming import name_indexes

            name_indexes(facts)
        return state

    def steps(self, editor: Editor, before: State, after: State) -> None:
        self._lead(editor, before, after)

    def steps_back(self, editor: Editor, before: State, after: State) -> None:
        self._lead(editor, after, before)

    def _lead(self, editor: Editor, before: State, after: State) -> None:
        key = model_key(self.name)
        is_managed = before[key].get("managed", True) == after[key].get("managed", True)
        if not is_managed:
            return  # whose table it is changes, not the table
        middle = self._applied(before, {"table": after[key]["table"]})
        rename_tables(editor, before, middle, {key: key})
        transition(editor, middle, after, [key])

    def describe(self) -> str:
        return f"Alter {', '.join(self.changes)} of {self.name}"

    def slug(self) -> str:
        return f"alter_{model_key(self.name).replace('.', '_')}_{'_'.join(self.changes)}"

    def source(self, imports: Imports) -> str:
        named = {
            name: same_text(each) if isinstance(each, str) else repr(each).replace("'", '"')
            for name, each in self.changes.items()
        }
        return call_source(imports, self.function, [same_text(self.name)], named)


class RetireTable(Operation):
    """Let a table go in two steps: the models forget it, the release before still finds it."""

    function: ClassVar[str] = "retire_table"

    def __init__(self, name: str) -> None:
        self.name = name

    def touched(self) -> list[str]:
        return [model_key(self.name)]

    def apply(self, state: State) -> State:
        state, facts = state.edit(model_key(self.name))
        facts["retired"] = True
        return state

    def describe(self) -> str:
        return f"Retire {self.name}"

    def slug(self) -> str:
        return f"retire_{model_key(self.name).replace('.', '_')}"

    def source(self, imports: Imports) -> str:
        return call_source(imports, self.function, [same_text(self.name)])


def table_facts(name: str, *, fields: Mapping[str, Any], table: str | None, **options: Any) -> Facts:
    """Return the facts of a model from the arguments of `create_table`."""
    from ..fields import facts_of
    from ..state import constraint_facts, index_facts, index_name

    label, _, short = name.rpartition(".")
    if not short.isidentifier():
        raise ModelError(
            f"{name!r} is no name of a model.", code="data/migration", hint='create_table("club.Record", …)'
        )
    own = snake(short)
    facts: Facts = {
        "name": short,
        "label": label,
        "table": table or (short_name(label, own) if label else own),
        "fields": {each: facts_of(field, each) for each, field in fields.items()},
        "order": list(fields),
    }
    for option in ("key", "bases", "comment"):
        if options.get(option):
            facts[option] = options[option] if isinstance(options[option], str) else list(options[option])
    if options.get("unique_together"):
        facts["unique_together"] = [list(group) for group in options["unique_together"]]
    if options.get("managed") is False:
        facts["managed"] = False
    if options.get("constraints"):
        facts["constraints"] = {each.name: constraint_facts(each) for each in options["constraints"]}
    indexes: Sequence[Any] = options.get("indexes") or ()
    if indexes:
        facts["indexes"] = {each.name or index_name(facts, index_facts(each)): index_facts(each) for each in indexes}
    return facts
