"""What must be done so that the tables are as the models say.

Holds: `diff`: two states, and the operations from one to the other.
Imports: states, operations, questions.
Never: asks a database.

The order: what is only called differently; what stands in the way (constraints, indexes);
new tables; new columns; changed ones; new indexes and constraints; what goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .fields import Facts, columns_of, is_many_to_many
from .operations import (
    AddColumn,
    AddConstraint,
    AddIndex,
    AlterColumn,
    AlterTable,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    Operation,
    RenameIndex,
    RenameTable,
)
from .operations.base import UNSET
from .operations.columns import default_of
from .questions import Questions
from .state import State

__all__ = ["diff", "diff_names"]

# What may differ between a field and the same one under another name.
_NAMES = frozenset(
    {"column", "db_columns", "related_name", "related_query_name", "db_comment", "choices", "default", "max_length"}
)
_PARTS = (("constraints", AddConstraint, DropConstraint), ("indexes", AddIndex, DropIndex))


def diff(old: State, new: State, questions: Questions | None = None) -> list[Operation]:
    """Return the operations that make *new* of *old*.

    Raises:
        UndecidedError: Something looks renamed, or a column needs a value, and nobody said so.
    """
    return _Differ(old, new, questions or Questions()).operations()


class _Differ:
    def __init__(self, old: State, new: State, questions: Questions) -> None:
        self.state = old
        self.new = new
        self.questions = questions
        self.found: list[Operation] = []

    def do(self, operation: Operation) -> None:
        """Add an operation; from here on the state is what it makes."""
        self.state = operation.apply(self.state)
        self.found.append(operation)

    def operations(self) -> list[Operation]:
        self.rename_models()
        for key in self.kept():
            self.rename_fields(key)
        for key in self.kept():
            self.move_table(key)
        for key in self.kept():
            self.rename_indexes(key)
            self.drop_parts(key)
        self.create_tables()
        for key in self.kept():
            self.add_columns(key)
        for key in self.kept():
            self.part_columns(key)
        for key in self.kept():
            self.alter_columns(key)
        for key in self.kept():
            self.add_columns(key)
        for key in self.kept():
            self.drop_columns(key)
        for key in self.kept():
            self.add_parts(key)
        self.drop_tables()
        for key in self.kept():
            self.order_columns(key)
        return self.found

    def kept(self) -> list[str]:
        return [key for key in self.new if key in self.state]

    def title(self, key: str) -> str:
        facts = self.state.models.get(key) or self.new[key]
        return f"{facts['label']}.{facts['name']}" if facts["label"] else str(facts["name"])

    # Names

    def rename_models(self) -> None:
        added = [key for key in self.new if key not in self.state]
        for old in [key for key in self.state if key not in self.new and not self.state[key].get("retired")]:
            alike = [
                key for key in added
                if _alike_models(self.state[old], self.new[key], old, key) or self.is_followed(old, key)
            ]  # fmt: skip
            wanted = self.questions.new_name(old, added)
            candidates = [wanted] if wanted else alike
            for key in candidates:
                if self.questions.is_renamed("model", old, key, candidates):
                    new = self.new[key]
                    self.do(
                        RenameTable(self.title(old), f"{new['label']}.{new['name']}" if new["label"] else new["name"])
                    )
                    added.remove(key)
                    break

    def is_followed(self, old: str, new: str) -> bool:
        """Whether a reference that led to *old* leads to *new*: its rows would refer to nothing, were *old* dropped."""
        return any(
            before.get("to") == old and self.new[key]["fields"].get(name, {}).get("to") == new
            for key in self.kept()
            for name, before in self.state[key]["fields"].items()
        )

    def rename_fields(self, key: str) -> None:
        old, new = self.state[key]["fields"], self.new[key]["fields"]
        added = [name for name in self.new[key]["order"] if name not in old]
        gone = [each for each in self.state[key]["order"] if each not in new and not old[each].get("retired")]
        for name in gone:
            full = f"{key}.{name}"
            wanted = self.questions.new_name(full, [f"{key}.{each}" for each in added])
            alike = [each for each in added if _alike_fields(old[name], new[each])]
            candidates = [wanted.rpartition(".")[2]] if wanted else alike
            for each in candidates:
                if self.questions.is_renamed(
                    "field", full, f"{key}.{each}", [f"{key}.{other}" for other in candidates]
                ):
                    self.rename_field(key, name, each)
                    added.remove(each)
                    break

    def rename_field(self, key: str, name: str, new: str) -> None:
        renamed = AlterColumn(self.title(key), name, None, new)
        is_same = renamed.apply(self.state).field(key, new) == self.new.field(key, new)
        columns = columns_of(self.new.field(key, new))
        if not is_same and columns != columns_of(renamed.apply(self.state).field(key, new)):
            # The column keeps its name, or gets one of its own: said with the new name.
            told = "db_columns" if "db_columns" in self.new.field(key, new) else "column"
            facts = {**self.state.field(key, name), told: self.new.field(key, new)[told]}
            renamed = AlterColumn(self.title(key), name, facts, new)
        self.do(renamed)

    def rename_indexes(self, key: str) -> None:
        old, new = self.state[key].get("indexes", {}), self.new[key].get("indexes", {})
        for name in sorted(set(old) - set(new)):
            same = next((each for each in sorted(set(new) - set(old)) if _bare(old[name]) == _bare(new[each])), None)
            if same is not None and not new[same].get("unnamed"):
                self.do(RenameIndex(self.title(key), name, same))
                old = self.state[key].get("indexes", {})

    def move_table(self, key: str) -> None:
        old, new = self.state[key], self.new[key]
        empty: dict[str, Any] = {"table": "", "comment": "", "managed": True, "bases": []}
        changes = {
            name: new.get(name, empty[name])
            for name in empty
            if old.get(name, empty[name]) != new.get(name, empty[name])
        }
        if changes:
            self.do(AlterTable(self.title(key), changes))

    # Parts

    def drop_parts(self, key: str) -> None:
        for kind, _, dropping in _PARTS:
            old, new = self.state[key].get(kind, {}), self.new[key].get(kind, {})
            for name in sorted(old):
                if old[name] != new.get(name):
                    self.do(dropping(self.title(key), name))
        old, new = self.state[key].get("unique_together", []), self.new[key].get("unique_together", [])
        kept = [group for group in old if group in new]
        if kept != old:
            self.do(AlterTable(self.title(key), {"unique_together": kept}))

    def add_parts(self, key: str) -> None:
        new = self.new[key].get("unique_together", [])
        if self.state[key].get("unique_together", []) != new:
            self.do(AlterTable(self.title(key), {"unique_together": new}))
        for kind, adding, _ in _PARTS:
            for name, facts in sorted(self.new[key].get(kind, {}).items()):
                if name not in self.state[key].get(kind, {}):
                    self.do(adding(self.title(key), name, facts))

    # Tables

    def create_tables(self) -> None:
        waiting = [key for key in self.new if key not in self.state]
        while waiting:
            ready = next((key for key in waiting if not self.lacks(key, waiting)), waiting[0])
            waiting.remove(ready)
            self.create_table(ready, set(waiting))

    def lacks(self, key: str, waiting: list[str]) -> set[str]:
        facts = self.new[key]
        needed = set(facts.get("bases", ()))
        needed |= {field["to"] for field in facts["fields"].values() if "to" in field and not is_many_to_many(field)}
        return (needed & set(waiting)) - {key}

    def create_table(self, key: str, missing: set[str]) -> None:
        """Create a table, without what refers to one that is not there yet."""
        facts = self.new[key]
        later = {
            name for name, field in facts["fields"].items()
            if "to" in field and (field["to"] in missing or is_many_to_many(field)) and not field.get("parent_link")
        }  # fmt: skip
        now: Facts = {
            name: each for name, each in facts.items() if name not in ("unique_together", "constraints", "indexes")
        }
        now["fields"] = {name: each for name, each in facts["fields"].items() if name not in later}
        now["order"] = [name for name in facts["order"] if name not in later]
        groups = [group for group in facts.get("unique_together", []) if not later & set(group)]
        if groups:
            now["unique_together"] = groups
        for kind, _, _ in _PARTS:
            parts = {name: each for name, each in facts.get(kind, {}).items() if not later & set(_names_in(each))}
            if parts:
                now[kind] = parts
        self.do(CreateTable(self.title(key), now))

    def drop_tables(self) -> None:
        gone = [key for key in self.state if key not in self.new and not self.state[key].get("retired")]
        for key in gone:
            for name, field in list(self.state[key]["fields"].items()):
                if is_many_to_many(field) and "through" not in field:
                    self.do(DropColumn(self.title(key), name))
        while gone:
            free = next((key for key in gone if not self.referrers(key, gone)), None)
            if free is None:
                # A circle: one of its references goes first.
                free = gone[0]
                for other in self.referrers(free, gone):
                    for name, field in list(self.state[other]["fields"].items()):
                        if field.get("to") == free:
                            self.do(DropColumn(self.title(other), name))
            gone.remove(free)
            self.do(DropTable(self.title(free)))

    def referrers(self, key: str, among: list[str]) -> list[str]:
        return [
            other
            for other in among
            if other != key
            and any(key in (each.get("to"), each.get("through")) for each in self.state[other]["fields"].values())
        ]

    # Columns

    def add_columns(self, key: str) -> None:
        for name in self.new[key]["order"]:
            if name not in self.state[key]["fields"]:
                facts = self.new[key]["fields"][name]
                self.do(AddColumn(self.title(key), name, facts, self.fill_of(key, name, facts)))

    def fill_of(self, key: str, name: str, facts: Facts) -> Any:
        given = f"{key}.{name}" in self.questions.fills
        is_new = any(isinstance(each, CreateTable) and each.touched() == [key] for each in self.found)
        if is_new or (not given and not _needs_fill(facts, name)):
            return UNSET
        return self.questions.fill(key, name, narrows=False)

    def part_columns(self, key: str) -> None:
        """Drop what is another thing from now on; it is added when the keys are what they are to be."""
        for name in self.new[key]["order"]:
            old, new = self.state[key]["fields"].get(name), self.new[key]["fields"][name]
            if old is None or old == new:
                continue
            is_shared = self._shared(self.state[key], name) != self._shared(self.new[key], name)
            if is_many_to_many(old) != is_many_to_many(new) or is_shared or _leads_elsewhere(old, new):
                self.do(DropColumn(self.title(key), name))

    def _shared(self, facts: Facts, name: str) -> list[bool]:
        """Of the columns of a foreign key of several, whether each is another field's as well."""
        if "db_columns" not in facts["fields"][name]:
            return []
        others = {each for other, field in facts["fields"].items() if other != name for each in columns_of(field)}
        return [each in others for each in facts["fields"][name]["db_columns"]]

    def alter_columns(self, key: str) -> None:
        for name in self.new[key]["order"]:
            old, new = self.state[key]["fields"].get(name), self.new[key]["fields"][name]
            if old is None or old == new:
                continue
            fill: Any = UNSET
            if old.get("null") and not new.get("null"):
                given = f"{key}.{name}" in self.questions.fills
                if given or default_of(new, name) is UNSET or _is_made_up(new):
                    fill = self.questions.fill(key, name, narrows=True)
            self.do(AlterColumn(self.title(key), name, new, fill=fill))
        if self.state[key].get("key") != self.new[key].get("key"):
            self.do(AlterTable(self.title(key), {"key": self.new[key].get("key", [])}))

    def drop_columns(self, key: str) -> None:
        fields = self.state[key]["fields"]
        for name in [each for each in self.state[key]["order"] if each not in self.new[key]["fields"]]:
            if fields[name].get("retired"):
                continue  # it goes when somebody says so: `drop_column`
            self.do(DropColumn(self.title(key), name))

    def order_columns(self, key: str) -> None:
        """The order of columns is that of their making: nothing is done about it."""


def diff_names(old: Facts, new: Facts, names: Iterable[str]) -> list[str]:
    """Return those of *names* that differ."""
    return [name for name in names if old.get(name) != new.get(name)]


def _needs_fill(facts: Facts, name: str) -> bool:
    if facts.get("null") or "db_default" in facts or "expression" in facts or is_many_to_many(facts):
        return False
    return default_of(facts, name) is UNSET or _is_made_up(facts)


def _is_made_up(facts: Facts) -> bool:
    """Whether the value of `default_of` is no one's choice: the empty text of a field without a default."""
    return "default" not in facts and not facts.get("auto_now") and not facts.get("auto_now_add")


def _leads_elsewhere(old: Facts, new: Facts) -> bool:
    if is_many_to_many(new):
        return any(old.get(name) != new.get(name) for name in ("to", "through"))
    count = len(columns_of(old))
    if (count > 1 or len(columns_of(new)) > 1) and (count != len(columns_of(new)) or old.get("to") != new.get("to")):
        return True  # the columns of one key say nothing of another
    return ("expression" in old) != ("expression" in new)


def _bare(facts: Facts) -> Facts:
    return {name: each for name, each in facts.items() if name != "unnamed"}


def _alike_fields(old: Facts, new: Facts) -> bool:
    """Whether one may be the other under a new name: the same kind, for the same target."""
    names = (set(old) | set(new)) - _NAMES
    return all(old.get(name) == new.get(name) for name in names)


def _alike_models(old: Facts, new: Facts, old_key: str, new_key: str) -> bool:
    """Whether most of the fields are the same."""
    first, second = old["fields"], new["fields"]
    same = [
        name for name in first
        if name in second and _alike_fields(_told(first[name], old_key, new_key), _told(second[name], old_key, new_key))
    ]  # fmt: skip
    # A key that every model has tells nothing.
    told = [name for name in same if not first[name].get("primary_key")]
    total = max(len(first), len(second)) - (len(same) - len(told))
    return bool(told) and len(told) * 2 >= total


def _told(facts: Facts, old: str, new: str) -> Facts:
    return {**facts, "to": "itself"} if facts.get("to") in (old, new) else facts


def _names_in(facts: Facts) -> Iterator[str]:
    """The fields that a constraint or an index names."""
    for name in (*facts.get("fields", ()), *facts.get("include", ())):
        yield name.removeprefix("-")
    for option in ("condition", "expressions"):
        yield from _names_of(facts.get(option))


def _names_of(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType]  # JSON
            yield from _names_of(each)
    elif isinstance(value, dict):
        if value.get("$call") == "F":  # pyright: ignore[reportUnknownMemberType]  # JSON
            yield _first(value["args"][0])  # pyright: ignore[reportUnknownArgumentType]  # JSON
            return
        for name, each in value.items():  # pyright: ignore[reportUnknownVariableType]  # JSON
            if name == "$q":
                for child in each:  # pyright: ignore[reportUnknownVariableType]  # JSON
                    if isinstance(child, list):
                        yield _first(child[0])  # pyright: ignore[reportUnknownArgumentType]  # JSON
                        yield from _names_of(child[1])
                    else:
                        yield from _names_of(child)
            else:
                yield from _names_of(each)


def _first(path: str) -> str:
    head = path.partition("__")[0]
    return head.removesuffix("_id") if head.endswith("_id") else head
