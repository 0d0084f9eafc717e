"""What else is called differently when a model or a field is.

Holds: `rename_model`, `rename_field`, `name_indexes`.
Imports: states.
Never: changes anything but names.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any, cast

from ..fields.relations import ForeignKey
from ..naming import SEPARATOR, short_name, snake
from .context import OperationError, model_key
from .fields import Facts, columns_of
from .state import State, index_name

__all__ = ["name_indexes", "rename_field", "rename_model", "table_of"]


def rename_model(state: State, key: str, name: str) -> State:
    """Return *state* with the model *key* called *name* (`label.Name`), everywhere."""
    new = model_key(name)
    label, _, short = name.rpartition(".")
    if new in state and new != key:
        raise OperationError(f"rename_table({key!r}, {name!r}): there is a {name} already.", hint="Another name.")
    state, facts = state.edit(key)
    if facts["table"] == table_of(facts["label"], facts["name"]):
        facts["table"] = table_of(label, short)
    facts["label"], facts["name"] = label, short
    name_indexes(facts)
    models = {**state.without(key).models, new: facts}
    for other in list(models):
        if other == new or _refers(models[other], key):
            state, changed = State(models).edit(other)
            for field in changed["fields"].values():
                for option in ("to", "through"):
                    if field.get(option) == key:
                        field[option] = new
            if key in changed.get("bases", ()):
                changed["bases"] = [new if each == key else each for each in changed["bases"]]
            models = state.models
    return State(models)


def _refers(facts: Facts, key: str) -> bool:
    if key in facts.get("bases", ()):
        return True
    return any(key in (field.get("to"), field.get("through")) for field in facts["fields"].values())


def table_of(label: str, name: str) -> str:
    """Return the table that a model has where its Meta names none."""
    return short_name(label, snake(name)) if label else snake(name)


def rename_field(state: State, key: str, old: str, new: str) -> State:
    """Return *state* with a field called *new*; its column goes with it where its name follows."""
    state.field(key, old)
    if new in state[key]["fields"]:
        raise OperationError(f"{key} has a field {new!r} already.", hint="Another name.")
    state, facts = state.edit(key)
    field = facts["fields"].pop(old)
    suffix = "_id" if field["kind"] in (ForeignKey.kind, "one_to_one") else ""
    if field.get("column") == old + suffix:
        field["column"] = new + suffix
    if "db_columns" in field:
        field["db_columns"] = _parts_renamed(facts, field["db_columns"], old, new)
    facts["fields"][new] = field
    facts["order"] = [new if each == old else each for each in facts["order"]]
    names = {old: new}
    if suffix:
        names[old + suffix] = new + suffix
    for option in ("key", "unique_together"):
        if option in facts:
            facts[option] = _renamed_list(facts[option], names)
    for each in (*facts.get("constraints", {}).values(), *facts.get("indexes", {}).values()):
        for option in ("fields", "include"):
            if option in each:
                each[option] = _renamed_list(each[option], names)
        for option in ("condition", "expressions"):
            if option in each:
                each[option] = _renamed(each[option], names)
    for each in facts["fields"].values():
        if "expression" in each:
            each["expression"] = _renamed(each["expression"], names)
    name_indexes(facts)
    for other in list(state.models):
        fields = state.models[other]["fields"].values()
        if any(
            (each.get("to") == key and each.get("to_field") == old) or each.get("through") == key for each in fields
        ):
            state, changed = state.edit(other)
            for each in changed["fields"].values():
                if each.get("to") == key and each.get("to_field") == old:
                    each["to_field"] = new
                if each.get("through") == key and "through_fields" in each:
                    each["through_fields"] = _renamed_list(each["through_fields"], names)
    return state


def _parts_renamed(facts: Facts, columns: list[str], old: str, new: str) -> list[str]:
    """Return the columns of a foreign key of several under its new name; what it shares keeps its own."""
    shared = {each for field in facts["fields"].values() for each in columns_of(field)}
    start = f"{old}_"
    return [
        f"{new}_{each.removeprefix(start)}" if each.startswith(start) and each not in shared else each
        for each in columns
    ]


def _renamed_list(given: list[Any], names: dict[str, str]) -> list[Any]:
    found: list[Any] = []
    for each in given:
        if isinstance(each, list):
            found.append(_renamed_list(cast("list[Any]", each), names))  # type: ignore[redundant-cast]  # pyright must be told
        elif each.startswith("-"):
            found.append("-" + str(names.get(each[1:], each[1:])))
        else:
            found.append(names.get(each, each))
    return found


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Rename in an encoded condition or expression: what `F` names, and what a look-up begins with."""
    if isinstance(value, list):
        return [_renamed(each, names) for each in cast("list[Any]", value)]  # type: ignore[redundant-cast]  # pyright must be told
    if not isinstance(value, dict):
        return value
    facts = cast("dict[str, Any]", value)
    if facts.get("$call") == "F":
        return {**facts, "args": [_renamed_path(facts["args"][0], names)]}
    if "$q" in facts:
        children = [
            [_renamed_path(each[0], names), _renamed(each[1], names)]
            if isinstance(each, list)
            else _renamed(each, names)
            for each in facts["$q"]
        ]
        return {
            **facts,
            "$q": sorted(children, key=_first) if all(isinstance(each, list) for each in children) else children,
        }
    return {name: _renamed(each, names) for name, each in facts.items()}


def _first(pair: Any) -> str:
    return str(pair[0])


def _renamed_path(path: str, names: dict[str, str]) -> str:
    head, separator, rest = path.partition(SEPARATOR)
    return names.get(head, head) + separator + rest


def name_indexes(facts: Facts) -> None:
    """Give the indexes that were given no name the one that follows now."""
    if "indexes" in facts:
        facts["indexes"] = {
            index_name(facts, each) if each.get("unnamed") else name: each for name, each in facts["indexes"].items()
        }
