"""What a migration does to those who use the database meanwhile, and to the release before.

Holds: `lint` and its rules.
Imports: operations, states, the editor.
Never: asks a database.

A rule looks at one operation between two states. What it is about: rows that are lost or do
not fit, statements of the release before that fail, tables that are locked or written anew.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .context import model_key
from .differ import diff_names
from .fields import Facts, columns_of, is_many_to_many
from .files import Migration
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
    RenameTable,
    RunBatches,
    RunPython,
    RunSQL,
)
from .operations.base import UNSET
from .operations.columns import default_of
from .state import State

__all__ = ["RULES", "Change", "Risk", "lint"]

_TEXTS = frozenset({"char", "text", "slug", "email", "url", "ip"})
_INTEGERS = {
    "small_auto": 16, "small_integer": 16, "positive_small_integer": 16, "auto": 32, "integer": 32,
    "positive_integer": 32, "big_auto": 64, "big_integer": 64, "positive_big_integer": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Risk:
    """What a rule found.

    Attributes:
        rule: Its name: `add-unique`.
        kind: `data` (rows may be lost, or not fit), `release` (the release before fails), `lock`
            (others wait) or `form` (of the migration itself).
        message: What happens.
        hint: What to do instead, or before.
    """

    rule: str
    kind: Literal["data", "release", "lock", "form"]
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message} {self.hint}"


@dataclass(frozen=True)
class Change:
    """One operation, where it stands.

    Attributes:
        made: The models whose tables this migration has made itself: nobody uses them yet.
    """

    migration: Migration
    operation: Operation
    before: State
    after: State
    vendor: str
    made: frozenset[str]

    def field(self) -> tuple[Facts, Facts] | None:
        """Return a column's facts before and after, where it is altered."""
        operation = self.operation
        if not isinstance(operation, AlterColumn):
            return None
        key, name = model_key(operation.model), operation.new or operation.name
        return self.before.field(key, operation.name), self.after.field(key, name)

    @property
    def is_online(self) -> bool:
        """Whether PostgreSQL is told to let others go on."""
        return self.vendor == "postgresql" and self.migration.online


Rule = Callable[[Change], str | None]
RULES: dict[str, tuple[Literal["data", "release", "lock", "form"], str, Rule]] = {}


def _rule(name: str, kind: Literal["data", "release", "lock", "form"], hint: str) -> Callable[[Rule], Rule]:
    def enter(function: Rule) -> Rule:
        RULES[name] = (kind, hint, function)
        return function

    return enter


def lint(migration: Migration, before: State, vendor: str) -> list[tuple[Operation, Risk]]:
    """Return what is risky about a migration on one kind of database."""
    states = migration.states(before)
    found: list[tuple[Operation, Risk]] = []
    made: set[str] = set()
    for at, operation in enumerate(migration.operations):
        change = Change(migration, operation, states[at], states[at + 1], vendor, frozenset(made))
        is_used = not (operation.touched() and set(operation.touched()) <= made)
        for name, (kind, hint, rule) in RULES.items():
            message = rule(change) if is_used else None
            if message is not None:
                found.append((operation, Risk(name, kind, message, hint)))
        if isinstance(operation, CreateTable):
            made |= set(operation.touched())
    return found


# Rows that are lost


@_rule("drop-table", "data", "Drop it one release after nothing reads it any more: migrations.retire_table first.")
def _drop_table(change: Change) -> str | None:
    if isinstance(change.operation, DropTable):
        return f"All rows of {change.operation.name} are lost, and the release before still reads them."
    return None


@_rule("drop-column", "data", "Drop it one release after nothing reads it any more: migrations.retire_column first.")
def _drop_column(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, DropColumn) and not is_many_to_many(_dropped(change, operation)):
        if _dropped(change, operation).get("retired"):
            return None
        return f"The values of {operation.model}.{operation.name} are lost, and the release before still reads them."
    return None


@_rule("drop-many-to-many", "data", "Keep a dump of the table between, or drop the field one release later.")
def _drop_many(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, DropColumn) and is_many_to_many(_dropped(change, operation)):
        return f"The table between {operation.model} and {_dropped(change, operation)['to']} is dropped with its rows."
    return None


def _dropped(change: Change, operation: DropColumn) -> Facts:
    return change.before.field(model_key(operation.model), operation.name)


@_rule("shorten-text", "data", "Look for longer values first; PostgreSQL and MySQL refuse them.")
def _shorten(change: Change) -> str | None:
    pair = change.field()
    if pair is None or not {pair[0]["kind"], pair[1]["kind"]} <= _TEXTS:
        return None
    old, new = pair[0].get("max_length"), pair[1].get("max_length")
    if new is not None and (old is None or new < old) and pair[1]["kind"] != "text":
        return f"Texts of more than {new} characters do not fit any more."
    return None


@_rule("narrow-number", "data", "Look for values out of the new range first.")
def _narrow(change: Change) -> str | None:
    pair = change.field()
    if pair is None:
        return None
    old, new = (_INTEGERS.get(each["kind"]) for each in pair)
    if old and new and new < old:
        return f"Numbers of {old} bits become numbers of {new}."
    if pair[0]["kind"] == pair[1]["kind"] == "decimal":
        whole = [each["max_digits"] - each["decimal_places"] for each in pair]
        if whole[1] < whole[0] or pair[1]["decimal_places"] < pair[0]["decimal_places"]:
            return "Digits are cut off."
    return None


@_rule("convert-type", "data", "Add a column of the new type, fill it in batches, switch over, drop the old one.")
def _convert(change: Change) -> str | None:
    pair = change.field()
    if pair is None or "to" in pair[0] or "to" in pair[1]:
        return None
    families = [_family(each["kind"]) for each in pair]
    if families[0] != families[1]:
        return f"{pair[0]['kind']} becomes {pair[1]['kind']}: values that cannot be converted stop the migration."
    return None


def _family(kind: str) -> str:
    return "text" if kind in _TEXTS else "integer" if kind in _INTEGERS else kind


@_rule("drop-choice", "data", "Change the rows that have the value, in a run_python before it.")
def _drop_choice(change: Change) -> str | None:
    pair = change.field()
    gone = [each for each in (pair[0].get("choices", []) if pair else []) if each not in pair[1].get("choices", [each])]  # type: ignore[index]  # a pair, where there is any
    return f"Rows may still have {', '.join(map(repr, gone[:5]))}, which is no choice any more." if gone else None


# Rows that do not fit


@_rule("add-required-column", "data", "Give it a default, or add_column(…, fill=…).")
def _add_required(change: Change) -> str | None:
    operation = change.operation
    if not isinstance(operation, AddColumn) or operation.fill is not UNSET:
        return None
    facts = operation.facts
    if facts.get("null") or "db_default" in facts or "expression" in facts or is_many_to_many(facts):
        return None
    if default_of(facts, operation.name) is UNSET:
        return f"{operation.model}.{operation.name} refuses NULL: where there are rows, this fails."
    return None


@_rule("require-value", "data", "Fill the rows in batches first; alter_column(…, fill=…) does it in one statement.")
def _require(change: Change) -> str | None:
    pair = change.field()
    if pair is not None and pair[0].get("null") and not pair[1].get("null"):
        return "Rows without a value are changed or stop the migration."
    return None


@_rule("add-unique", "data", 'Look for doubles first: values(…).annotate(n=Count("pk")).filter(n__gt=1).')
def _add_unique(change: Change) -> str | None:
    operation = change.operation
    pair = change.field()
    if pair is not None and pair[1].get("unique") and not pair[0].get("unique"):
        return "Rows with equal values stop the migration."
    if isinstance(operation, AddConstraint) and operation.facts["kind"] == "unique":
        return "Rows with equal values stop the migration."
    return None


@_rule("add-unique-together", "data", "Look for doubles first.")
def _add_together(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, AlterTable) and "unique_together" in operation.changes:
        old = change.before[model_key(operation.name)].get("unique_together", [])
        if any(group not in old for group in operation.changes["unique_together"]):
            return "Rows with equal values stop the migration."
    return None


@_rule("add-unique-column", "data", "Add it with null=True, fill it in batches, then make it unique.")
def _add_unique_column(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, AddColumn) and operation.facts.get("unique") and not operation.facts.get("null"):
        return f"Each row needs a value of its own in {operation.name}, and is written once."
    return None


@_rule("add-check", "data", "Look for rows that break it first: exclude(…).exists().")
def _add_check(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, AddConstraint) and operation.facts["kind"] == "check":
        return "Rows that break it stop the migration."
    return None


@_rule("restrict-sign", "data", "Look for negative values first.")
def _restrict_sign(change: Change) -> str | None:
    pair = change.field()
    if pair is not None and pair[1]["kind"].startswith("positive") and not pair[0]["kind"].startswith("positive"):
        return "Negative values stop the migration."
    return None


@_rule("add-foreign-key", "data", "Look for rows that refer to none first.")
def _add_key(change: Change) -> str | None:
    pair = change.field()
    if pair is None or "to" not in pair[1] or not pair[1].get("db_constraint", True):
        return None
    if "to" not in pair[0] or pair[0]["to"] != pair[1]["to"] or not pair[0].get("db_constraint", True):
        return f"Rows that refer to no row of {pair[1]['to']} stop the migration, and both tables are locked."
    return None


# What the release before cannot


@_rule("rename-table", "release", "Add the new table beside the old one, or stop the release before first.")
def _rename_table(change: Change) -> str | None:
    if isinstance(change.operation, RenameTable):
        return f"The release before asks for {change.operation.name}, which is called {change.operation.new}."
    return None


@_rule("move-table", "release", "Stop the release before first.")
def _move_table(change: Change) -> str | None:
    if isinstance(change.operation, AlterTable) and "table" in change.operation.changes:
        return f"The release before asks for {change.before[model_key(change.operation.name)]['table']}."
    return None


@_rule("rename-column", "release", 'Keep the column: db_column="…" renames the field alone.')
def _rename_column(change: Change) -> str | None:
    pair = change.field()
    if pair is None:
        return None
    old, new = (", ".join(columns_of(each)) for each in pair)
    if old != new:
        return f"The release before asks for {old}, which is called {new}."
    return None


@_rule("require-of-old-release", "release", "Give it a db_default, which the release before needs not know.")
def _require_of_old(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, AddColumn) and not is_many_to_many(operation.facts):
        facts = operation.facts
        if not facts.get("null") and "db_default" not in facts and "expression" not in facts:
            return f"The release before adds rows without {operation.name}: they are refused."
    return None


@_rule("drop-default", "release", "Drop it one release later.")
def _drop_default(change: Change) -> str | None:
    pair = change.field()
    if pair is not None and "db_default" in pair[0] and "db_default" not in pair[1] and not pair[1].get("null"):
        return "The release before relies on the database to fill it in."
    return None


@_rule("drop-unique", "release", "The release before may rely on it in get_or_create().")
def _drop_unique(change: Change) -> str | None:
    operation = change.operation
    pair = change.field()
    if pair is not None and pair[0].get("unique") and not pair[1].get("unique"):
        return "Equal values are possible from now on."
    if isinstance(operation, DropConstraint):
        facts = change.before[model_key(operation.model)]["constraints"][operation.name]
        if facts["kind"] == "unique":
            return "Equal values are possible from now on."
    return None


@_rule("drop-index", "release", "Drop it once no query of a running release needs it.")
def _drop_index(change: Change) -> str | None:
    operation = change.operation
    pair = change.field()
    if isinstance(operation, DropIndex):
        facts = change.before[model_key(operation.model)]["indexes"][operation.name]
        return "Searches fail." if _is_search(facts) else "Queries that used it read the whole table."
    if pair is not None and pair[0].get("db_index") and not pair[1].get("db_index") and not pair[1].get("unique"):
        return "Queries that used it read the whole table."
    return None


@_rule("unmanage-table", "release", "Say in the next release who makes the table.")
def _unmanage(change: Change) -> str | None:
    if isinstance(change.operation, AlterTable) and "managed" in change.operation.changes:
        return "From here on others make the table: the migrations do not follow it any more, or begin to."
    return None


# Locks and rewrites


@_rule("rewrite-type", "lock", "Add a column of the new type, fill it in batches, switch over, drop the old one.")
def _rewrite_type(change: Change) -> str | None:
    pair = change.field()
    if pair is None or change.vendor == "sqlite" or is_many_to_many(pair[1]):
        return None
    if not diff_names(pair[0], pair[1], ("kind", "max_length", "max_digits", "decimal_places", "type", "item")):
        return None
    if change.vendor == "postgresql" and _is_widened_text(*pair):
        return None
    kinds = {pair[0]["kind"], pair[1]["kind"]}
    if kinds <= _TEXTS and pair[0].get("max_length") == pair[1].get("max_length") and "text" not in kinds:
        return None
    return "The whole table is written anew, and nobody reads or writes it meanwhile."


def _is_widened_text(old: Facts, new: Facts) -> bool:
    if not {old["kind"], new["kind"]} <= _TEXTS:
        return False
    return new["kind"] == "text" or (
        old["kind"] != "text" and (new.get("max_length") or 0) >= (old.get("max_length") or 0)
    )


@_rule("change-collation", "lock", "Do it when the table is not needed.")
def _collation(change: Change) -> str | None:
    pair = change.field()
    if pair is not None and pair[0].get("db_collation") != pair[1].get("db_collation"):
        return "Indexes of the column are built anew while the table is locked; order and equality change."
    return None


@_rule("change-key", "lock", "Every table that refers to it is written anew with it: plan for a stop.")
def _change_key(change: Change) -> str | None:
    operation = change.operation
    pair = change.field()
    if pair is not None and pair[0].get("primary_key") and diff_names(pair[0], pair[1], ("kind", "max_length", "type")):
        others = [
            key
            for key in change.before
            if any(each.get("to") == operation.touched()[0] for each in change.before[key]["fields"].values())
        ]
        return f"The type of the key changes{', with that of references in ' + ', '.join(others) if others else ''}."
    if isinstance(operation, AlterTable) and "key" in operation.changes:
        return "Another key: the table is written anew."
    if pair is not None and bool(pair[0].get("primary_key")) != bool(pair[1].get("primary_key")):
        return "Another key: the table is written anew."
    return None


@_rule(
    "add-generated-column", "lock", "Add a plain column and fill it in batches, or do it when the table is not needed."
)
def _add_generated(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, AddColumn) and "expression" in operation.facts and operation.facts.get("db_persist", True):
        return "The whole table is written anew to compute it."
    pair = change.field()
    if pair is not None and "expression" in pair[1] and pair[0] != pair[1]:
        return "The whole table is written anew to compute it."
    return None


@_rule("add-computed-default", "lock", "Add it with null=True, fill it in batches, set the default then.")
def _add_computed_default(change: Change) -> str | None:
    operation = change.operation
    if (
        isinstance(operation, AddColumn)
        and change.vendor != "sqlite"
        and isinstance(operation.facts.get("db_default"), dict)
    ):
        default = operation.facts["db_default"]
        if "$call" in default or "$sql" in default:
            return "Where the default differs from row to row, the whole table is written anew."
    return None


@_rule("build-index", "lock", "On PostgreSQL leave online = False out; on MySQL do it when few write.")
def _build_index(change: Change) -> str | None:
    operation = change.operation
    pair = change.field()
    if isinstance(operation, AddIndex) and _is_search(operation.facts):
        return None
    builds = isinstance(operation, AddIndex) or (
        pair is not None and pair[1].get("db_index") and not pair[0].get("db_index")
    )
    if builds and not change.is_online:
        return (
            "Nobody writes to the table while the index is built."
            if change.vendor != "mysql"
            else "The index is built beside its writers, and locks the table at its beginning and end."
        )
    return None


@_rule("build-search", "lock", "Do it when the app does not write.")
def _build_search(change: Change) -> str | None:
    operation = change.operation
    if not isinstance(operation, AddIndex) or not _is_search(operation.facts):
        return None
    if change.vendor == "sqlite":
        return "All rows are read, and nobody else writes to the database meanwhile."
    return "The table is written anew, with the words of its rows, and nobody writes to it meanwhile."


def _is_search(facts: Facts) -> bool:
    return facts.get("kind") == "search"


@_rule("rebuild-table", "lock", "Do it when the app does not write: SQLite has one writer.")
def _rebuild(change: Change) -> str | None:
    if change.vendor != "sqlite" or not isinstance(
        change.operation, AddColumn | DropColumn | AlterColumn | AddConstraint | DropConstraint | AlterTable
    ):
        return None
    from .editor import Editor

    editor = Editor(_sqlite_dialect())
    change.operation.steps(editor, change.before, change.after)
    copies = [
        step
        for step in editor.steps
        if step.sql.startswith("INSERT INTO _segue_new_") or step.sql.startswith('INSERT INTO "_segue_new_')
    ]
    return "The whole table is copied, and nobody else writes to the database meanwhile." if copies else None


def _sqlite_dialect() -> Any:
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect()


# The migration itself


@_rule("data-beside-tables", "form", "Put the code into a migration of its own.")
def _mixed(change: Change) -> str | None:
    others = [
        each for each in change.migration.operations if not each.writes_data and not isinstance(each, CreateTable)
    ]
    if change.operation.writes_data and others and change.migration.atomic and change.vendor == "postgresql":
        return "The tables that the migration changes stay locked while the code runs."
    return None


@_rule("data-in-one-transaction", "form", "migrations.run_batches(…), with atomic = False in the file.")
def _unbatched(change: Change) -> str | None:
    operation = change.operation
    if isinstance(operation, RunPython) or (isinstance(operation, RunBatches) and change.migration.atomic):
        return "All rows it changes stay locked until it has ended, and an interrupted run begins anew."
    return None


@_rule("data-without-batches", "form", "migrations.run_batches(…) notes how far it is.")
def _not_resumable(change: Change) -> str | None:
    if isinstance(change.operation, RunPython) and not change.migration.atomic:
        return "Outside a transaction an interrupted run has changed some rows, and begins anew."
    return None


@_rule("no-way-back", "form", "Give it a second argument; migrations.noop where nothing needs to be done.")
def _irreversible(change: Change) -> str | None:
    return "It cannot be taken back." if not change.operation.reversible else None


def _statements(operation: Operation) -> Iterator[str]:
    if isinstance(operation, RunSQL):
        given: Any = operation.sql
        values: list[Any] = list(given.values()) if isinstance(given, dict) else [given]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]  # of users
        for value in values:
            yield from [value] if isinstance(value, str) else value


_TABLES = re.compile(r"\b(CREATE|ALTER|DROP|RENAME)\s+TABLE\b", re.IGNORECASE)
_WRITES = re.compile(r"^\s*(UPDATE|DELETE)\b", re.IGNORECASE)
_LOSES = re.compile(r"\b(TRUNCATE|DROP\s+(TABLE|COLUMN|DATABASE|SCHEMA))\b", re.IGNORECASE)


@_rule("sql-without-state", "form", "run_sql(…, states=[…]) says what it does to the models.")
def _sql_without_state(change: Change) -> str | None:
    operation = change.operation
    if (
        isinstance(operation, RunSQL)
        and not operation.states
        and any(_TABLES.search(each) for each in _statements(operation))
    ):
        return "It changes tables, and the snapshot does not know."
    return None


@_rule("sql-without-where", "data", "Say which rows.")
def _sql_without_where(change: Change) -> str | None:
    found = [
        each
        for each in _statements(change.operation)
        if _WRITES.match(each) and " where " not in f" {each.lower()} ".replace("\n", " ")
    ]
    return "It changes every row of the table." if found else None


@_rule("sql-that-drops", "data", "Rows are gone for good: keep a dump.")
def _sql_that_drops(change: Change) -> str | None:
    return "It drops what rows are in." if any(_LOSES.search(each) for each in _statements(change.operation)) else None
