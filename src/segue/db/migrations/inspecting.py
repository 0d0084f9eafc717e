"""Models for tables that are there.

Holds: `inspect_database`: the source of models, made from what a database says of itself.
Imports: SQLAlchemy's inspection, names.
Never: is used to find out what a migration must do; snapshots say that.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from ..database import Database
from ..naming import short_name, snake
from .files import MigrationError
from .searches import FoundSearch, hidden_tables, read_searches
from .values import same_text

__all__ = ["inspect_database"]

_OURS = frozenset({"segue_migrations", "segue_migration_progress"})
_POSITIVE = re.compile(r"^\W*(\w+)\W*>=\W*0\W*$")


@dataclass
class _Table:
    """What is known of one table."""

    name: str
    columns: list[Any]
    key: list[str]
    references: dict[str, Any]
    uniques: list[Any]
    indexes: list[Any]
    checks: list[Any]
    comment: str | None
    descending: dict[str, set[str]]
    several: list[Any] = field(default_factory=list[Any])
    searches: list[FoundSearch] = field(default_factory=list[FoundSearch])
    names: dict[str, str] = field(default_factory=dict[str, str])
    attributes: dict[str, str] = field(default_factory=dict[str, str])

    def nullable(self, columns: Iterable[str]) -> set[bool]:
        """Return which of the two some columns are: NULL or not."""
        return {bool(each["nullable"]) for each in self.columns if each["name"] in columns}


def inspect_database(database: Database, tables: Sequence[str] = (), *, managed: bool = True) -> str:
    """Return the source of models for the tables of a database.

    Args:
        tables: Which; all but Segue's own where it is empty.
        managed: Whether migrations follow the models from here on.
    """
    with database.connection() as connection:
        inspector = sa.inspect(connection)
        ours = _OURS | hidden_tables(inspector)
        present = sorted(name for name in inspector.get_table_names() if name not in ours)
        missing = [name for name in tables if name not in present]
        if missing:
            raise MigrationError(
                f"The database has no table {missing[0]!r}.",
                code="data/unknown-table",
                hint=f"It has: {', '.join(present)}.",
            )
        chosen = sorted(tables) if tables else present
        found = [_read(inspector, name) for name in chosen]
        return _Writer(database.vendor, found, managed=managed).source()


def _read(inspector: Any, name: str) -> _Table:
    references: dict[str, Any] = {}
    several: list[Any] = []
    for each in inspector.get_foreign_keys(name):
        if len(each["constrained_columns"]) == 1:
            references[each["constrained_columns"][0]] = each
        else:
            several.append(each)
    try:
        comment = inspector.get_table_comment(name)["text"]
    except NotImplementedError:
        comment = None
    columns = inspector.get_columns(name)
    searches = read_searches(inspector, name, columns)
    kept = {each.column for each in searches} if inspector.dialect.name != "sqlite" else set[str]()
    return _Table(
        name,
        [each for each in columns if each["name"] not in kept],
        inspector.get_pk_constraint(name)["constrained_columns"],
        references,
        inspector.get_unique_constraints(name),
        [each for each in inspector.get_indexes(name) if not kept & set(each["column_names"])],
        inspector.get_check_constraints(name),
        comment,
        _descending(inspector, name),
        several,
        searches,
    )


def _descending(inspector: Any, table: str) -> dict[str, set[str]]:
    """The columns that indexes have the other way round; SQLAlchemy tells it of PostgreSQL alone."""
    connection, vendor = inspector.bind, inspector.dialect.name
    found: dict[str, set[str]] = {}
    if vendor == "sqlite":
        for index in inspector.get_indexes(table):
            quoted = inspector.dialect.identifier_preparer.quote(index["name"])
            for row in connection.exec_driver_sql(f"PRAGMA index_xinfo({quoted})"):
                if row[3] and row[2]:
                    found.setdefault(index["name"], set()).add(row[2])
    elif vendor == "postgresql":
        for index in inspector.get_indexes(table):
            sorting = index.get("column_sorting") or {}
            found[index["name"]] = {name for name, order in sorting.items() if "desc" in order}
    else:
        rows = connection.execute(
            sa.text(
                "SELECT index_name, column_name FROM information_schema.statistics "
                "WHERE table_schema = DATABASE() AND table_name = :name AND collation = 'D'"
            ),
            {"name": table},
        )
        for index, column in rows:
            found.setdefault(index, set()).add(column)
    return found


class _Writer:
    def __init__(self, vendor: str, tables: Sequence[_Table], *, managed: bool) -> None:
        self.vendor = vendor
        self.tables = tables
        self.managed = managed
        self.imports = {"from segue import db"}
        self.classes = _class_names([table.name for table in tables])

    def source(self) -> str:
        bodies = [self._model(table) for table in self._ordered()]
        head = '"""Models of tables that were there.\n\nWritten by `segue inspectdb`; they are yours to change.\n"""\n'
        theirs = sorted(each for each in self.imports if "segue" not in each)
        ours = sorted(each for each in self.imports if "segue" in each)
        imports = "\n".join([*theirs, *([""] if theirs else []), *ours])
        return "\n".join([head, imports, "", "", "\n\n\n".join(bodies) or "# The database has no tables.", ""])

    def _ordered(self) -> list[_Table]:
        waiting, order = list(self.tables), list[_Table]()
        while waiting:
            names = {table.name for table in waiting}
            ready = next((each for each in waiting if not self._targets(each) & names - {each.name}), waiting[0])
            waiting.remove(ready)
            order.append(ready)
        return order

    def _targets(self, table: _Table) -> set[str]:
        return {each["referred_table"] for each in (*table.references.values(), *table.several)}

    def _model(self, table: _Table) -> str:
        lines = [f"class {self.classes[table.name]}(db.Model):"]
        if not table.key:
            lines.append("    # This table has no key: say which column tells its rows apart, primary_key=True.")
        parts = self._parts(table)
        for column in table.columns:
            if column["name"] not in parts:
                lines += [f"    {each}" for each in self._field(table, column)]
        for reference in table.several:
            lines.append(f"    {self._reference_by_several(table, reference, parts)}")
        lines += [f"    {self._search(table, each)}" for each in table.searches]
        if len(table.key) > 1:
            names = ", ".join(map(same_text, dict.fromkeys(table.names[each] for each in table.key)))
            lines.append(f"    pk = db.CompositePrimaryKey({names})")
        lines += ["", "    class Meta:", *(f"        {each}" for each in self._meta(table))]
        return "\n".join(lines)

    # Foreign keys of several columns

    def _parts(self, table: _Table) -> dict[str, Any]:
        """Return the columns that are nothing but parts of one foreign key of several, with that key."""
        found: dict[str, Any] = {}
        for reference in table.several:
            reference["pairs"] = self._pairs(table, reference)
            own = [
                name
                for name, _ in reference["pairs"]
                if name not in table.key and name not in table.references and name not in found
            ]
            plain = all(each.get("default") is None for each in table.columns if each["name"] in own)
            if plain and len(table.nullable(own)) == 1:
                found |= dict.fromkeys(own, reference)
        return found

    def _pairs(self, table: _Table, reference: Any) -> list[tuple[str, str]]:
        """Return the columns here and there in the order of the other's key; none where it is not its key."""
        pairs = dict(zip(reference["referred_columns"], reference["constrained_columns"], strict=True))
        other = next((each for each in self.tables if each.name == reference["referred_table"]), None)
        if other is None or set(other.key) != set(pairs) or len(other.key) < 2:
            return []
        return [(pairs[name], name) for name in other.key]

    def _reference_by_several(self, table: _Table, reference: Any, parts: dict[str, Any]) -> str:
        pairs: list[tuple[str, str]] = reference["pairs"]
        columns = [here for here, _ in pairs]
        own = [each for each in columns if parts.get(each) is reference]
        nullable = table.nullable(own or columns)
        if not pairs or len(nullable) > 1 or (not own and nullable != table.nullable(columns)):
            names = ", ".join(reference["constrained_columns"])
            return f"# A foreign key that no field says: {names} to {reference['referred_table']}."
        target = reference["referred_table"]
        other = next(each for each in self.tables if each.name == target)
        name = self._name(
            table, f"{table.name}({', '.join(columns)})", _stem(pairs, own) or snake(self.classes[target])
        )
        for here, there in pairs:
            if here in own:
                table.attributes[here] = f"{name}_{other.attributes.get(there, other.names.get(there, there))}"
                table.names[here] = table.attributes[here]
        options: dict[str, str] = {"*to": same_text("self" if target == table.name else self.classes[target])}
        options |= self._deletes(reference)
        if nullable == {True}:
            options["null"] = "True"
        if columns != [table.attributes.get(each) for each in columns]:
            options["db_columns"] = f"({', '.join(map(same_text, columns))})"
        options |= self._way_back(table, name, target)
        unique = self._named(table.uniques, short_name("uq", table.name, *columns))
        if unique is None and self._named(table.indexes, short_name("ix", table.name, *columns)) is None:
            options["db_index"] = "False"
        arguments = ", ".join(each if key.startswith("*") else f"{key}={each}" for key, each in options.items())
        return f"{name} = db.{'ForeignKey' if unique is None else 'OneToOneField'}({arguments})"

    def _deletes(self, reference: Any) -> dict[str, str]:
        deletes = str(reference["options"].get("ondelete") or "").upper()
        known = {"CASCADE": "DB_CASCADE", "SET NULL": "DB_SET_NULL", "SET DEFAULT": "DB_SET_DEFAULT"}
        return {"on_delete": f"db.{known.get(deletes, 'DO_NOTHING')}"}

    def _way_back(self, table: _Table, name: str, target: str) -> dict[str, str]:
        same = [each for each in (*table.references.values(), *table.several) if each["referred_table"] == target]
        return {"related_name": same_text(f"{snake(self.classes[table.name])}_{name}_set")} if len(same) > 1 else {}

    def _named(self, parts: Sequence[Any], name: str) -> Any:
        return next((each for each in parts if each["name"] == name), None)

    def _by_several(self, table: _Table, kind: str) -> set[str]:
        """Return the names of what comes with foreign keys of several columns: their checks, indexes, constraints."""
        return {
            short_name(kind, table.name, *[here for here, _ in each["pairs"]])
            for each in table.several
            if each["pairs"]
        }

    # Fields

    def _field(self, table: _Table, column: Any) -> list[str]:
        reference = table.references.get(column["name"])
        if reference is not None and reference["referred_table"] in self.classes:
            return [self._reference(table, column, reference)]
        name = self._name(table, column["name"])
        kind, options, remark = self._kind(table, column)
        if column["name"] in table.key and len(table.key) == 1 and not kind.endswith("AutoField"):
            options["primary_key"] = "True"
        self._common(table, column, name, options, column["name"])
        computed = column.get("computed")
        if computed is not None:
            self.imports.add("from segue.db import migrations")
            kept = {
                key: each for key, each in options.items() if key in ("db_column", "db_index", "unique", "db_comment")
            }
            inner = ", ".join(
                f"{key}={each}" for key, each in options.items() if key not in (*kept, "null", "db_default")
            )
            persisted = {} if computed.get("persisted", True) else {"db_persist": "False"}
            options = {
                "expression": f"migrations.sql({same_text(computed['sqltext'])})",
                "output_field": f"db.{kind}({inner})",
                **persisted,
                **kept,
            }
            kind = "GeneratedField"
        arguments = ", ".join(each if key.startswith("*") else f"{key}={each}" for key, each in options.items())
        maker = kind if "." in kind else f"db.{kind}"
        return [*(f"# {each}" for each in remark), f"{name} = {maker}({arguments})"]

    def _name(self, table: _Table, column: str, wanted: str | None = None) -> str:
        name = re.sub(r"_{2,}", "_", re.sub(r"\W", "_", wanted or column)).strip("_").lower() or "field"
        if not name[0].isalpha():
            name = f"field_{name}"
        if keyword.iskeyword(name) or _is_taken(name):
            name = f"{name}_value"
        while name in table.names.values():
            name = f"{name}_2"
        table.names[column] = name
        return name

    def _reference(self, table: _Table, column: Any, reference: Any) -> str:
        own = column["name"]
        name = self._name(table, own, own.removesuffix("_id") if own.endswith("_id") and len(own) > 3 else own)
        target = reference["referred_table"]
        is_one = self._unique_of(table, own) is not None or table.key == [own]
        options: dict[str, str] = {"*to": same_text("self" if target == table.name else self.classes[target])}
        options |= self._deletes(reference)
        remote = reference["referred_columns"][0]
        other = next(each for each in self.tables if each.name == target)
        if other.key != [remote]:
            options["to_field"] = same_text(other.names.get(remote, remote))
        options |= self._way_back(table, name, target)
        table.attributes[own] = f"{name}_id"
        if table.key == [own]:
            options["primary_key"] = "True"
        self._common(table, column, name, options, f"{name}_id")
        if is_one:
            options.pop("unique", None)
            options.pop("db_index", None)
        elif options.get("db_index") == "True":
            del options["db_index"]
        else:
            options["db_index"] = "False"
        arguments = ", ".join(each if key.startswith("*") else f"{key}={each}" for key, each in options.items())
        return f"{name} = db.{'OneToOneField' if is_one else 'ForeignKey'}({arguments})"

    def _search(self, table: _Table, found: FoundSearch) -> str:
        name = self._name(table, found.column)
        arguments = [same_text(table.names[each]) for each in found.columns]
        if len(set(found.levels)) > 1:
            arguments.append(f"weights={list(found.levels)}")
        if found.index:
            arguments.append(f"name={same_text(found.index)}")
        if name != found.column:
            arguments.append(f"column={same_text(found.column)}")
        return f"{name} = db.SearchField({', '.join(arguments)})"

    def _common(self, table: _Table, column: Any, name: str, options: dict[str, str], expected: str) -> None:
        own = column["name"]
        if column["nullable"] and own not in table.key:
            options["null"] = "True"
        if own != (expected if expected.endswith("_id") and own in table.references else name):
            options["db_column"] = same_text(own)
        if self._unique_of(table, own) is not None:
            options["unique"] = "True"
        elif self._index_of(table, own) is not None:
            options["db_index"] = "True"
        default = column.get("default")
        if default is not None and not self._counts(table, column) and column.get("computed") is None:
            self.imports.add("import sqlalchemy")
            options["db_default"] = f"sqlalchemy.text({same_text(str(default))})"
        if column.get("comment"):
            options["db_comment"] = same_text(column["comment"])

    def _counts(self, table: _Table, column: Any) -> bool:
        """Whether the database counts the column up."""
        if table.key != [column["name"]] or not isinstance(column["type"], sa.Integer):
            return False
        if self.vendor == "sqlite":
            return True
        return column.get("autoincrement") is True or "nextval(" in str(column.get("default") or "")

    def _kind(self, table: _Table, column: Any) -> tuple[str, dict[str, str], list[str]]:
        kind = column["type"]
        if self._counts(table, column):
            # SQLite counts in 64 bits, whatever the column is called.
            return f"{'Big' if self.vendor == 'sqlite' else _size(kind)}AutoField", {}, []
        if isinstance(kind, postgresql.ARRAY):
            inner, options, remark = self._kind(table, {**column, "type": kind.item_type, "name": ""})
            text = ", ".join(f"{key}={each}" for key, each in options.items())
            return "ArrayField", {"*item": f"db.{inner}({text})"}, remark
        found = self._plain_kind(table, column)
        if found is not None:
            return (*found, [])
        self.imports.add("from segue.db import migrations")
        self.imports.add("import sqlalchemy")
        shown = self._type_source(kind)
        return "migrations.PlainField", {"*type": shown}, [f"No field of Segue's has the type {kind}."]

    def _type_source(self, kind: Any) -> str:
        module = type(kind).__module__
        if module.startswith("sqlalchemy.dialects."):
            name = module.split(".")[2]
            self.imports.add(f"from sqlalchemy.dialects import {name}")
            return f"{name}.{kind!r}"
        return f"sqlalchemy.{kind!r}"

    def _plain_kind(self, table: _Table, column: Any) -> tuple[str, dict[str, str]] | None:
        kind, name = column["type"], column["name"]
        if isinstance(kind, sa.Boolean) or (isinstance(kind, mysql.TINYINT) and kind.display_width == 1):
            return "BooleanField", {}
        if isinstance(kind, sa.Integer):
            positive = "Positive" if self._positive_of(table, name) is not None else ""
            return f"{positive}{_size(kind)}IntegerField", {}
        if isinstance(kind, sa.Uuid) or (
            isinstance(kind, sa.CHAR) and kind.length == 32 and self.vendor != "postgresql"
        ):
            return "UUIDField", {}
        if isinstance(kind, sa.JSON) or self._json_of(table, name) is not None:
            return "JSONField", {}
        if (
            isinstance(kind, sa.Double | sa.REAL)
            or type(kind) is sa.Float
            or isinstance(kind, mysql.DOUBLE | mysql.FLOAT)
        ):
            return "FloatField", {}
        if isinstance(kind, sa.Numeric) and kind.precision is not None:
            return "DecimalField", {"max_digits": str(kind.precision), "decimal_places": str(kind.scale or 0)}
        if isinstance(kind, sa.DateTime):
            return "DateTimeField", {}
        for types, found in ((sa.Date, "DateField"), (sa.Time, "TimeField"), (sa.LargeBinary, "BinaryField")):
            if isinstance(kind, types):
                return found, {}
        if isinstance(kind, sa.Text) or (isinstance(kind, sa.String) and kind.length is None):
            return "TextField", _collation(kind, self.vendor)
        if isinstance(kind, sa.Enum):
            return None
        if isinstance(kind, sa.String):
            return "CharField", {"max_length": str(kind.length), **_collation(kind, self.vendor)}
        return None

    # Parts

    def _unique_of(self, table: _Table, column: str) -> Any:
        wanted = short_name("uq", table.name, column)
        return next(
            (each for each in table.uniques if each["column_names"] == [column] and each["name"] == wanted), None
        )

    def _index_of(self, table: _Table, column: str) -> Any:
        wanted = short_name("ix", table.name, column)
        return next(
            (each for each in table.indexes if each["column_names"] == [column] and each["name"] == wanted), None
        )

    def _positive_of(self, table: _Table, column: str) -> Any:
        wanted = short_name("ck", table.name, column)
        return next(
            (each for each in table.checks if each["name"] == wanted and _POSITIVE.match(each["sqltext"])), None
        )

    def _json_of(self, table: _Table, column: str) -> Any:
        """The check that MariaDB adds to a column of JSON, which it keeps as text."""
        wanted = f"json_valid(`{column}`)"
        return next((each for each in table.checks if each["sqltext"].strip("()") in (wanted, wanted.strip(")"))), None)

    def _meta(self, table: _Table) -> list[str]:
        lines = [f"db_table = {same_text(table.name)}"]
        if not self.managed:
            lines.append("managed = False")
        if table.comment:
            lines.append(f"db_table_comment = {same_text(table.comment)}")
        constraints, remarks = self._constraints(table)
        indexes, unique, more = self._indexes(table)
        if constraints or unique:
            lines += ["constraints = [", *(f"    {each}," for each in [*constraints, *unique]), "]"]
        if indexes:
            lines += ["indexes = [", *(f"    {each}," for each in indexes), "]"]
        return [*lines, *(f"# {each}" for each in [*remarks, *more])]

    def _constraints(self, table: _Table) -> tuple[list[str], list[str]]:
        found: list[str] = []
        remarks: list[str] = []
        for each in table.uniques:
            if each["name"] in self._by_several(table, "uq"):
                continue
            names = [table.names[name] for name in each["column_names"]]
            if len(names) == 1 and self._unique_of(table, each["column_names"][0]) is each:
                continue
            shown = ", ".join(map(same_text, names))
            found.append(f"db.UniqueConstraint(fields=[{shown}], name={same_text(each['name'])})")
        for each in table.checks:
            is_own = any(
                finder(table, column["name"]) is each
                for column in table.columns
                for finder in (self._positive_of, self._json_of)
            )
            if is_own or each["name"] in self._by_several(table, "ck"):
                continue
            if not each["name"]:
                remarks.append(f"A check without a name: {each['sqltext']}")
                continue
            self.imports.add("from segue.db import migrations")
            condition = f"db.Q(migrations.sql({same_text(each['sqltext'])}))"
            found.append(f"db.CheckConstraint(condition={condition}, name={same_text(each['name'])})")
        return found, remarks

    def _indexes(self, table: _Table) -> tuple[list[str], list[str], list[str]]:
        """Return the plain indexes, the unique ones, and what cannot be said."""
        found: list[str] = []
        unique: list[str] = []
        remarks: list[str] = []
        known = {each["name"] for each in table.uniques} | {each["name"] for each in table.references.values()}
        known |= {each["name"] for each in table.several} | self._by_several(table, "ix")
        for each in table.indexes:
            columns = each["column_names"]
            if each["name"] in known or each.get("duplicates_constraint"):
                continue
            options = each.get("dialect_options", {})
            where = next((text for name, text in options.items() if name.endswith("_where")), None)
            is_plain = None not in columns and where is None
            if is_plain and len(columns) == 1 and not each["unique"] and self._index_of(table, columns[0]) is each:
                continue
            if not all(name is None or name in table.names for name in columns):
                remarks.append(f"The index {each['name']} is of columns that are not shown: {each}")
                continue
            parts = self._index_parts(table, each, is_expression=(not is_plain and each["unique"]) or None in columns)
            if is_plain and each["unique"]:
                # A unique index, where `fields` would make a constraint.
                parts = ", ".join(self._sql(name) for name in columns)
            condition = f", condition=db.Q({self._sql(str(where))})" if where is not None else ""
            maker = "UniqueConstraint" if each["unique"] else "Index"
            text = f"db.{maker}({parts}, name={same_text(each['name'])}{condition})"
            (unique if each["unique"] else found).append(text)
        return found, unique, remarks

    def _index_parts(self, table: _Table, index: Any, *, is_expression: bool) -> str:
        columns, descending = index["column_names"], table.descending.get(index["name"], set[str]())
        if is_expression and None in columns:
            return ", ".join(self._sql(each) for each in index["expressions"])
        names = [("-" if name in descending else "") + table.names[name] for name in columns]
        return f"fields=[{', '.join(map(same_text, names))}]"

    def _sql(self, text: str) -> str:
        self.imports.add("from segue.db import migrations")
        return f"migrations.sql({same_text(text)})"


def _stem(pairs: Sequence[tuple[str, str]], own: Sequence[str]) -> str:
    """Return what the columns are called before the names of the target's; empty where they differ in it."""
    stems = {
        here.removesuffix(f"_{there}") if here.endswith(f"_{there}") else "" for here, there in pairs if here in own
    }
    return stems.pop() if len(stems) == 1 else ""


def _collation(kind: Any, vendor: str) -> dict[str, str]:
    collation = getattr(kind, "collation", None)
    # What Segue gives every table of MySQL is no choice of the column's.
    if not collation or (vendor == "mysql" and str(collation).endswith(("nopad_bin", "0900_bin"))):
        return {}
    return {"db_collation": same_text(str(collation))}


def _size(kind: Any) -> str:
    if isinstance(kind, sa.BigInteger):
        return "Big"
    return "Small" if isinstance(kind, sa.SmallInteger | mysql.TINYINT) else ""


def _is_taken(name: str) -> bool:
    from ..models.base import Model

    return name != "id" and hasattr(Model, name)


def _class_names(tables: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in tables:
        name = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+|_", table) if part) or "Table"
        name = name if name[0].isalpha() else f"Table{name}"
        while name in found.values() or keyword.iskeyword(name):
            name += "2"
        found[table] = name
    return found
