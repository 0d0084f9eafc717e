"""How the parts of a table read on each database.

Holds: `Later`, an expression compiled when the dialect is known; what MySQL and MariaDB say
otherwise, or cannot say.
Imports: the compiler, SQLAlchemy's DDL.
Never: knows a model's options; `schema` asks for these parts.

MySQL has no partial indexes, MariaDB none of expressions either. A unique index with a
condition is there one of `CASE WHEN condition THEN column END`, since NULLs do not clash; on
MariaDB that stands in an invisible column, which is computed and not stored.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import desc_op

from .errors import NotSupportedError
from .expressions.base import Expression, F
from .naming import short_name
from .query.compiler import Parameters, SelectCompiler
from .query.query import Query
from .search.tables import BETWEEN, SearchIndex, drop_texts, make_texts
from .shapes import Keyer

__all__ = ["Later", "statements_of"]

_TEXT_LENGTH = 255


class _Literal(SelectCompiler):
    """Compiles conditions of DDL: there are no parameters, and no joins."""

    def parameter(self, node: object, type_: Any, offset: int = 0, through: Any = None) -> Any:
        value = self.literals[self.parameters.slots[id(node)] + offset]
        return sa.literal(through(value) if through is not None else value, type_, literal_execute=True)

    def bind(self, node: object, type_: Any, offset: int = 0) -> Any:
        return self.parameter(node, type_, offset)

    literals: list[Any]


class Later(sa.sql.expression.ColumnElement[Any]):
    """A condition or expression that is compiled when the dialect is known."""

    inherit_cache: bool | None = False
    __visit_name__ = "later"

    def __init__(self, model: Any, expression: Expression) -> None:
        self.model = model
        self.asked = expression
        self.type: Any = sa.types.NullType()

    def element(self, dialect: Any) -> Any:
        """Return the Core expression for *dialect*."""
        keyer = Keyer()
        self.asked.shape(keyer)
        compiler = _Literal(Query(self.model), Parameters(dialect, keyer.slots))
        compiler.literals = keyer.values
        return self.asked.compile(compiler)

    def kind(self, dialect: Any) -> Any:
        """Return the type of a column that could hold it; a text is as long as its longest part."""
        kind = self.element(dialect).type
        if not isinstance(kind, sa.String | sa.types.NullType):
            return kind
        options = self.model._meta
        fields = [options.find_field(each.name) for each in self.asked.walk() if isinstance(each, F)]
        lengths = [getattr(field, "max_length", None) or _TEXT_LENGTH for field in fields]
        return sa.String(max(lengths, default=_TEXT_LENGTH))


@compiles(Later)
def _compile_later(element: Later, compiler: Any, **options: Any) -> str:
    options.pop("literal_binds", None)
    options["include_table"] = False
    return str(compiler.process(element.element(compiler.dialect), literal_binds=True, **options))


@compiles(CreateTable, "mysql")
def _create_on_mysql(element: CreateTable, compiler: Any, **options: Any) -> str:
    """MariaDB, reached under MySQL's name, calls the same collation otherwise."""
    text = str(compiler.visit_create_table(element, **options))
    return text.replace("utf8mb4_0900_bin", "utf8mb4_nopad_bin") if compiler.dialect.is_mariadb else text


@compiles(sa.ForeignKeyConstraint, "mysql", "mariadb")
def _refer_on_mysql(element: sa.ForeignKeyConstraint, compiler: Any, **options: Any) -> str:
    """MySQL checks at once: it knows no other time."""
    text = str(compiler.visit_foreign_key_constraint(element, **options))
    return text.removesuffix(" INITIALLY DEFERRED").removesuffix(" DEFERRABLE")


@compiles(sa.UniqueConstraint)
def _unique(element: sa.UniqueConstraint, compiler: Any, **options: Any) -> str:
    dialect = compiler.dialect
    if element.deferrable and dialect.name != "postgresql":
        raise _cannot(element, dialect, "checks unique constraints at the end of a transaction", "deferrable=")
    _refuse_equal_nulls(element, dialect)
    return str(compiler.visit_unique_constraint(element, **options))


def _refuse_equal_nulls(element: Any, dialect: Any) -> None:
    equal = element.dialect_options["postgresql"].get("nulls_not_distinct")
    if equal and (dialect.name != "postgresql" or dialect.server_version_info < (15,)):
        raise _cannot(element, dialect, "takes two NULLs for the same", "nulls_distinct=False")


def _cannot(element: Any, dialect: Any, does: str, option: str) -> NotSupportedError:
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(dialect.name, "MySQL")
    return NotSupportedError(
        f"{element.name} of {element.table.name}: {name} never {does}.",
        code="data/not-supported",
        hint=f"Leave {option} out, or use a database that can (PostgreSQL 15).",
    )


@compiles(sa.Computed, "postgresql")
def _computed_on_postgresql(element: sa.Computed, compiler: Any, **options: Any) -> str:
    if element.persisted is False and element.column is not None and compiler.dialect.server_version_info < (18,):
        raise NotSupportedError(
            f"{element.column.table.name}.{element.column.name}: PostgreSQL computes columns when they are read "
            "only from version 18 on.",
            code="data/not-supported",
            hint="db_persist=True",
        )
    return str(compiler.visit_computed_column(element, **options))


def statements_of(element: Any, text: str) -> list[str]:
    """Return the statements that the text of a DDL element holds: the index of a search takes several."""
    is_several = isinstance(getattr(element, "element", None), SearchIndex)
    return text.split(BETWEEN) if is_several else [text]


# Indexes of MySQL and MariaDB


@compiles(CreateIndex)
def _create_index(element: CreateIndex, compiler: Any, **options: Any) -> str:
    if isinstance(element.element, SearchIndex):
        return BETWEEN.join(make_texts(element.element, compiler.dialect))
    _refuse_equal_nulls(element.element, compiler.dialect)
    return str(compiler.visit_create_index(element, **options))


@compiles(DropIndex)
def _drop_index(element: DropIndex, compiler: Any, **options: Any) -> str:
    if isinstance(element.element, SearchIndex):
        return BETWEEN.join(drop_texts(element.element, compiler.dialect))
    return str(compiler.visit_drop_index(element, **options))


@compiles(CreateIndex, "mysql", "mariadb")
def _create_index_on_mysql(element: CreateIndex, compiler: Any, **options: Any) -> str:
    index: Any = element.element
    if isinstance(index, SearchIndex):
        return _create_index(element, compiler, **options)
    _refuse_equal_nulls(index, compiler.dialect)
    if not _is_computed(index):
        return str(compiler.visit_create_index(element, **options))
    quote = compiler.preparer.quote
    table = compiler.preparer.format_table(index.table)
    unique = "UNIQUE " if index.unique else ""
    parts = [_computed(part, index, compiler) for part in index.expressions]
    if not compiler.dialect.is_mariadb:
        texts = [f"({text}){order}" if kind is not None else f"{text}{order}" for text, order, kind in parts]
        return f"CREATE {unique}INDEX {quote(index.name)} ON {table} ({', '.join(texts)})"
    added: list[str] = []
    names: list[str] = []
    for at, (text, _, kind) in enumerate(parts):
        if kind is None:
            names.append(text)
            continue
        name = quote(_column_name(index, at))
        ddl = compiler.dialect.type_compiler_instance.process(kind)
        added.append(f"ADD COLUMN {name} {ddl} GENERATED ALWAYS AS ({text}) VIRTUAL INVISIBLE")
        names.append(name)
    added.append(f"ADD {unique}INDEX {quote(index.name)} ({', '.join(names)})")
    return f"ALTER TABLE {table} {', '.join(added)}"


@compiles(DropIndex, "mysql", "mariadb")
def _drop_index_on_mysql(element: DropIndex, compiler: Any, **options: Any) -> str:
    index: Any = element.element
    if isinstance(index, SearchIndex):
        return _drop_index(element, compiler, **options)
    if not _is_computed(index) or not compiler.dialect.is_mariadb:
        return str(compiler.visit_drop_index(element, **options))
    quote = compiler.preparer.quote
    dropped = [f"DROP INDEX {quote(index.name)}"]
    dropped += [
        f"DROP COLUMN {quote(_column_name(index, at))}"
        for at, part in enumerate(index.expressions)
        if _computed(part, index, compiler)[2] is not None
    ]
    return f"ALTER TABLE {compiler.preparer.format_table(index.table)} {', '.join(dropped)}"


def _condition(index: Any) -> Any:
    return index.dialect_options["postgresql"].get("where") if index.unique else None


def _is_computed(index: Any) -> bool:
    """Tell whether an index has parts that are no columns, or a condition that makes them so."""
    return _condition(index) is not None or any(isinstance(_bare(part)[0], Later) for part in index.expressions)


def _bare(part: Any) -> tuple[Any, str]:
    """Return what a part of an index is of, and its order."""
    if isinstance(part, UnaryExpression):
        descends = part.modifier is desc_op
        return part.element, " DESC" if descends else ""
    return part, ""


def _computed(part: Any, index: Any, compiler: Any) -> tuple[str, str, Any]:
    """Return the text of a part, its order, and the type of what is computed; `None` of a column."""
    bare, order = _bare(part)
    condition = _condition(index)
    text = compiler.sql_compiler.process(bare, include_table=False, literal_binds=True)
    if condition is None and not isinstance(bare, Later):
        return text, order, None
    if condition is not None:
        when = compiler.sql_compiler.process(condition, include_table=False, literal_binds=True)
        text = f"CASE WHEN {when} THEN {text} END"
    return text, order, bare.kind(compiler.dialect) if isinstance(bare, Later) else bare.type


def _column_name(index: Any, at: int) -> str:
    return short_name(index.name, str(at))
