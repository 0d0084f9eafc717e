"""Finding and ordering rows by words.

Holds: `searched`, what `search()` makes of a query; `Matches`, the condition; `SearchRank`.
Imports: expressions, queries, the search fields.
Never: puts a word into SQL; what is asked for is a slot of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.sql.elements import ColumnElement

from ..errors import QueryError
from ..expressions.base import Compiling, Expression, Resolving, Value
from ..expressions.kinds import Real, constant
from ..query.query import Query
from ..shapes import Keyer, bucket
from .fields import SearchField, search_field_of
from .words import Group, Words, fold, parse

__all__ = ["Matches", "SearchRank", "searched"]


def searched(query: Query, text: str, field: str = "") -> Query:
    """Return *query* with the rows alone that have the words of a text, best first.

    Raises:
        QueryError: The model has no such search field, or *text* is no text (`data/search`).
    """
    search = search_field_of(query.model, field)
    words = _parsed(text)
    if query.frame.statement is not None:
        raise QueryError(
            "search() of raw(), from_statement().",
            code="data/search",
            why="The index belongs to the table, and the rows come from a statement.",
            hint="filter(pk__in=….search(…))",
        )
    if words is None:
        return query.copy(empty=True)
    return query.filtered((Matches(search, words),), {}).ordered((_OwnRank(search, words).desc(), "pk"))


def _parsed(text: Any) -> Words | None:
    if not isinstance(text, str):
        raise QueryError(
            f"search() takes a text, not {type(text).__name__}.", code="data/search", hint='search("kind of blue")'
        )
    return parse(text)


class _Searching(Expression):
    """What is asked of one search field with the words of one text."""

    def __init__(self, search: SearchField, words: Words) -> None:
        self.search = search
        self.words = words

    def shape(self, keyer: Keyer) -> Hashable:
        # MariaDB has a parameter for each word, as many as a power of two.
        return keyer.slot(self, self.words, (type(self), self.search, bucket(len(self.words.wanted))))

    def columns(self, compiler: Compiling) -> list[Any]:
        """Return the columns of the fields, in the table that the query means."""
        return [compiler.path(each) for each in self.search.fields]

    def index(self, compiler: Compiling, kind: Any = None) -> Any:
        """Return the column of the index."""
        return sa.column(self.search.column, kind, _selectable=self.columns(compiler)[0].table)

    def parameter(self, compiler: Any, through: Callable[[Words], Any]) -> Any:
        """Return a parameter that is what *through* makes of the words."""
        return compiler.parameter(self, sa.Text(), 0, through)


class Matches(_Searching):
    """Whether a row has the words."""

    is_condition_expression = True

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        if compiler.vendor == "postgresql":
            asked = sa.func.to_tsquery(constant("'simple'::regconfig"), self.parameter(compiler, _tsquery))
            return self.index(compiler, postgresql.TSVECTOR()).op("@@", return_type=sa.Boolean())(asked)  # type: ignore[no-any-return]  # a column
        if compiler.vendor == "mysql":
            letters = "".join(self.search.letters)
            asked = self.parameter(compiler, lambda words: _boolean(words, letters))
            return mysql.match(self.index(compiler), against=asked).in_boolean_mode()
        table: Any = self.columns(compiler)[0].table
        assert self.search.owner is not None
        name = self.search.named(self.search.owner)
        fts = sa.table(name, sa.column("rowid"), sa.column(name))
        found = sa.select(fts.c.rowid).where(fts.c[name].op("MATCH")(self.parameter(compiler, _fts)))
        return sa.column("rowid", sa.Integer(), _selectable=table).in_(found.correlate_except(fts))


class _Rank(_Searching):
    """How well a row has the words.

    Each word counts the weight of each field that it stands in. How often it stands there
    adds less than one, so it decides between rows that are equal without it.
    """

    output_field = Real()

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        build = {"postgresql": self._on_postgresql, "mysql": self._on_mysql, "sqlite": self._on_sqlite}
        return sa.type_coerce(build[compiler.vendor](compiler), Real())

    def _on_postgresql(self, compiler: Any) -> Any:
        vector, letters = self.index(compiler, postgresql.TSVECTOR()), self.search.letters
        asked = self.parameter(compiler, lambda words: _vector_queries(words, letters))
        weights = self.parameter(
            compiler, lambda words: "{" + ",".join(str(each) for _ in words.wanted for each in letters.values()) + "}"
        )
        each = (
            sa.func.unnest(
                sa.cast(asked, postgresql.ARRAY(postgresql.TSQUERY())), sa.cast(weights, postgresql.ARRAY(sa.Integer()))
            )
            .table_valued(
                sa.column("query", postgresql.TSQUERY()),
                sa.column("weight", sa.Integer()),
                name=compiler.parameters.next_alias(),
            )
            .render_derived()
        )
        whole = sa.select(sa.func.sum(each.c.weight)).where(vector.op("@@")(each.c.query)).correlate_except(each)
        any_of = self.parameter(compiler, lambda words: " | ".join(f"'{word}'" for word in words.wanted))
        often = sa.func.ts_rank(
            constant("'{1,1,1,1}'::real[]"),
            vector,
            sa.func.to_tsquery(constant("'simple'::regconfig"), any_of),
        )
        return sa.func.coalesce(whole.scalar_subquery(), constant("0")) + often * constant("0.99::double precision")

    def _on_mysql(self, compiler: Any) -> Any:
        index, letters = self.index(compiler), self.search.letters

        def score(through: Callable[[Words], str]) -> Any:
            return mysql.match(index, against=self.parameter(compiler, through)).in_boolean_mode()

        whole: Any = None
        for at in range(bucket(len(self.words.wanted))):
            for letter, weight in letters.items():
                hit = score(_word_at(at, letter)) > constant("0")
                found = sa.case((hit, constant(str(weight))), else_=constant("0"))
                whole = found if whole is None else whole + found
        often = score(lambda words: " ".join(_spelled(word, letter) for word in words.wanted for letter in letters))
        return whole + often / (often + constant("1")) * constant("0.99")

    def _on_sqlite(self, compiler: Any) -> Any:
        weights = " ".join(str(self.search.weights[each]) for each in self.search.fields)
        asked = self.parameter(compiler, lambda words: " ".join(words.wanted))
        texts = [sa.type_coerce(each, sa.Text()) for each in self.columns(compiler)]
        return sa.func.segue_search_rank(asked, constant(f"'{weights}'"), *texts)


class _OwnRank(_Rank):
    """The rank that `search()` orders by where nobody asks for an order."""

    is_implied_order = True


class SearchRank(Expression):
    """How well a row fits a text, as `search()` orders by it.

    >>> Record.objects.search("blue").annotate(rank=db.SearchRank("blue"))  # doctest: +SKIP

    Args:
        text: What is searched for.
        field: The search field, where the model has several.
    """

    def __init__(self, text: str, *, field: str = "") -> None:
        self.words: Words | None = _parsed(text)
        self.field: str = field

    def resolve(self, resolver: Resolving) -> Expression:
        search = search_field_of(resolver.model, self.field)
        if self.words is None:
            return Value(0.0)
        return _Rank(search, self.words)


# What each database is asked


def _tsquery(words: Words) -> str:
    return " | ".join(f"({_joined(each, _tsphrase, ' & ', ' & !')})" for each in words.groups)


def _tsphrase(phrase: Iterable[str]) -> str:
    return "(" + " <-> ".join(f"'{fold(word)}'" for word in phrase) + ")"


def _fts(words: Words) -> str:
    return " OR ".join(f"({_joined(each, _quoted, ' AND ', ' NOT ')})" for each in words.groups)


def _quoted(phrase: Iterable[str]) -> str:
    return f'"{" ".join(phrase)}"'


def _joined(group: Group, shown: Callable[[Iterable[str]], str], both: str, without: str) -> str:
    found = "(" + both.join(shown(each) for each in group.wanted) + ")"
    return found + "".join(f"{without}{shown(each)}" for each in group.unwanted)


def _boolean(words: Words, letters: str) -> str:
    groups: list[str] = []
    for group in words.groups:
        parts = [f"+{_either(each, letters)}" for each in group.wanted]
        parts += [f"-{_either(each, letters)}" for each in group.unwanted]
        groups.append(" ".join(parts))
    return groups[0] if len(groups) == 1 else " ".join(f"({each})" for each in groups)


def _either(phrase: Iterable[str], letters: str) -> str:
    """Return a phrase as it stands in a field of any weight."""
    spelled = [" ".join(_spelled(word, letter) for word in phrase) for letter in letters]
    return "(" + " ".join(f'"{each}"' if " " in each else each for each in spelled) + ")"


def _spelled(word: str, letter: str) -> str:
    return f"zz{letter}{word}"


def _word_at(at: int, letter: str) -> Callable[[Words], str]:
    def word(words: Words) -> str:
        return _spelled(words.wanted[at], letter) if at < len(words.wanted) else ""

    return word


def _vector_queries(words: Words, letters: Iterable[str]) -> str:
    """Return an array of PostgreSQL: each word with each letter."""
    return "{" + ",".join(f"\"'{word}':{letter.upper()}\"" for word in words.wanted for letter in letters) + "}"
