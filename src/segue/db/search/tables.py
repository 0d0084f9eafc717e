"""The index of a search on each database.

Holds: `SearchIndex`, a part of a table; the statements that make it and drop it.
Imports: SQLAlchemy's schema, the words' limits.
Never: asks a database; holds no text of a user.

PostgreSQL: a stored column of `tsvector`, a letter for each weight, with a GIN index. Accents are
taken away by the database's own `normalize()`, so that it needs no extension.

MariaDB and MySQL: a stored, invisible column with the words of all fields, each word behind
`zz` and the letter of its field's weight. So one FULLTEXT index holds all fields and tells them
apart, and no word is a stop word or too short for it. Its collation takes case and accents away.

SQLite: a table of FTS5 that keeps no text of its own, and triggers. Its rows are found by the
rowid. A table whose key is no integer has one too; VACUUM keeps it, since such a table has an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from ..types import vendor_of
from .fields import SearchField

__all__ = ["BETWEEN", "SearchIndex", "drop_texts", "left_behind", "make_texts"]

BETWEEN = ";\n\n"
"""Stands between the statements of one index."""

_COLLATION = "utf8mb4_unicode_520_ci"
_MOST_CHARACTERS = 100_000
# What parts words, beside spaces: punctuation, currencies, numbers that are no digits, arrows, signs and pictures, as
# regular expressions of PostgreSQL write it. Its own parser would take `AC/DC` for a path, and `a-b` for one word more.
_PARTING = (
    r"\u0001-\u0008\u000e-\u001f\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf"
    r"\u2000-\u2070\u2074-\u207e\u2080-\u208e\u20a0-\u20cf\u2150-\u2182\u2185-\u2bff\u2cfd"
    r"\u3001-\u3003\u3007-\u3029\u3038-\u303a\u3190-\u319f\u3200-\u33ff\uff01-\uff0f\U0001f000-\U0001ffff"
)
_MARKS = r"[\u0300-\u036f]+"
# The same characters as bytes of UTF-8, for MariaDB.
_PARTING_BYTES = "|".join(
    (
        r"[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]",
        r"\xc2[\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf]",
        r"\xe2(?:\x80.|\x81[\x80-\xb0\xb4-\xbe]|\x82[\x80-\x8e\xa0-\xbf]|\x83[\x80-\x8f]|\x85[\x90-\xbf]|\x86[\x80-\x82\x85-\xbf]|[\x87-\xaf].|\xb3\xbd)",
        r"\xe3(?:\x80[\x81-\x83\x87-\xa9\xb8-\xba]|\x86[\x90-\x9f]|[\x88-\x8f].)",
        r"\xef\xbc[\x81-\x8f]",
        r"\xf0\x9f..",
    )
)
_WORD_BYTES = rf"(?s)(?:{_PARTING_BYTES})*+((?:[0-9A-Za-z]++|(?!{_PARTING_BYTES})[\x80-\xff])++)(?:{_PARTING_BYTES})*+"
# MySQL's regular expressions read no bytes.
_WORD = r"[^\p{L}\p{Nd}\p{M}]*([\p{L}\p{Nd}\p{M}]+)[^\p{L}\p{Nd}\p{M}]*"


class SearchIndex(sa.Index):
    """The index of a `SearchField` in a table.

    Attributes:
        search: What declares it.
    """

    search: SearchField

    @classmethod
    def of(cls, name: str, search: SearchField, table: sa.Table, columns: Sequence[sa.Column[Any]]) -> SearchIndex:
        """Return the index, as a part of *table*."""
        found = cls(name, *columns, _table=table)
        found.search = search
        return found


def make_texts(index: SearchIndex, dialect: Dialect) -> list[str]:
    """Return the statements that make an index, and fill it with the rows that are there."""
    return _Writer(index, dialect).make()


def drop_texts(index: SearchIndex, dialect: Dialect) -> list[str]:
    """Return the statements that drop it."""
    return _Writer(index, dialect).drop()


def left_behind(table: sa.Table, dialect: Dialect) -> list[str]:
    """Return the statements that drop what a dropped table leaves: SQLite keeps the tables of its searches."""
    if vendor_of(dialect) != "sqlite":
        return []
    return [text for each in table.indexes if isinstance(each, SearchIndex) for text in drop_texts(each, dialect)]


class _Writer:
    def __init__(self, index: SearchIndex, dialect: Dialect) -> None:
        quote = dialect.identifier_preparer.quote
        self.search = index.search
        self.vendor = vendor_of(dialect)
        self.is_mariadb = bool(getattr(dialect, "is_mariadb", False))
        assert index.table is not None
        self.table_name: str = index.table.name
        self.table, self.index, self.column = (
            quote(index.table.name),
            quote(str(index.name)),
            quote(index.search.column),
        )
        self.columns = [quote(each.name) for each in index.columns]
        self.triggers = [quote(f"{index.name}_{event}") for event in ("insert", "delete", "update")]

    def make(self) -> list[str]:
        if self.vendor == "postgresql":
            return [
                f"ALTER TABLE {self.table} ADD COLUMN {self.column} tsvector "
                f"GENERATED ALWAYS AS ({self._vector()}) STORED",
                f"CREATE INDEX {self.index} ON {self.table} USING gin ({self.column})",
            ]
        if self.vendor == "mysql":
            return [
                f"ALTER TABLE {self.table} ADD COLUMN {self.column} LONGTEXT CHARACTER SET utf8mb4 "
                f"COLLATE {_COLLATION} GENERATED ALWAYS AS ({self._document()}) STORED INVISIBLE, "
                f"ADD FULLTEXT INDEX {self.index} ({self.column})"
            ]
        return self._fts()

    def drop(self) -> list[str]:
        if self.vendor == "postgresql":
            return [f"ALTER TABLE {self.table} DROP COLUMN {self.column}"]
        if self.vendor == "mysql":
            return [f"ALTER TABLE {self.table} DROP INDEX {self.index}, DROP COLUMN {self.column}"]
        return [f"DROP TRIGGER IF EXISTS {each}" for each in self.triggers] + [f"DROP TABLE IF EXISTS {self.index}"]

    # PostgreSQL

    def _vector(self) -> str:
        parts = [
            f"setweight(to_tsvector('simple'::regconfig, {_folded(column)}), '{self.search.letter(field).upper()}')"
            for field, column in zip(self.search.fields, self.columns, strict=True)
        ]
        # A word between the fields, so that no phrase goes from one into the next.
        return " || to_tsvector('simple'::regconfig, 'seguebetween') || ".join(parts)

    # MariaDB and MySQL

    def _document(self) -> str:
        # A word between the fields, so that no phrase goes from one into the next.
        between = ", ' zzz', "
        parts = [
            self._spelled(column, f" zz{self.search.letter(field)}")
            for field, column in zip(self.search.fields, self.columns, strict=True)
        ]
        return f"CONVERT(CONCAT({between.join(parts)}) USING utf8mb4)"

    def _spelled(self, column: str, prefix: str) -> str:
        """Return a column's words, each behind *prefix*."""
        text = f"COALESCE({column}, '')"
        if not self.is_mariadb:
            return f"REGEXP_REPLACE({text}, {_literal(_WORD)}, '{prefix}$1')"
        # PERF: of bytes. With characters the time grows with the square of the length: 100 s for a megabyte.
        return f"REGEXP_REPLACE(CAST({text} AS BINARY), {_literal(_WORD_BYTES)}, '{prefix}\\\\1')"

    # SQLite

    def _fts(self) -> list[str]:
        names = ", ".join(self.columns)
        content = self.table_name.replace("'", "''")
        put = f"INSERT INTO {self.index}(rowid, {names}) VALUES (new.rowid, {_of('new', self.columns)})"
        values = _of("old", self.columns)
        take = f"INSERT INTO {self.index}({self.index}, rowid, {names}) VALUES ('delete', old.rowid, {values})"
        changed = " OR ".join(f"old.{each} IS NOT new.{each}" for each in ("rowid", *self.columns))
        inserted, deleted, updated = self.triggers
        return [
            f"CREATE VIRTUAL TABLE {self.index} USING fts5({names}, content='{content}', "
            "tokenize=\"unicode61 remove_diacritics 2 categories 'L* Nd Co'\")",
            f"CREATE TRIGGER {inserted} AFTER INSERT ON {self.table} BEGIN {put}; END",
            f"CREATE TRIGGER {deleted} AFTER DELETE ON {self.table} BEGIN {take}; END",
            f"CREATE TRIGGER {updated} AFTER UPDATE ON {self.table} WHEN {changed} BEGIN {take}; {put}; END",
            f"INSERT INTO {self.index}({self.index}) VALUES ('rebuild')",
        ]


def _literal(pattern: str) -> str:
    """Return a pattern as a text of MariaDB, where a backslash is written twice."""
    return "'" + pattern.replace("\\", "\\\\") + "'"


def _of(row: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{row}.{each}" for each in columns)


def _folded(column: str) -> str:
    """Return a column of PostgreSQL without punctuation and accents; `simple` makes letters small.

    Words of over a hundred characters are parted first: a normalisation sorts the marks of a word.
    """
    text = f"left(coalesce({column}::text, ''), {_MOST_CHARACTERS}) COLLATE \"C\""
    plain = f"regexp_replace({text}, '[{_PARTING}]+', ' ', 'g')"
    parted = f"regexp_replace({plain}, '([^[:space:]]{{100}})', '\\1 ', 'g')"
    bare = f"regexp_replace(normalize({parted}, NFD), '{_MARKS}', '', 'g')"
    return f"translate(normalize({bare}, NFC), 'ς', 'σ')"
