"""What a field is on its class: a path, not a column.

Holds: `Column`, whose comparisons make the same conditions as look-ups by name.
Imports: the expressions.
Never: holds a value; that is on the instance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .expressions.base import Combinable, Expression, F, OrderBy
from .expressions.q import Q
from .naming import SEPARATOR

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

__all__ = ["Column"]

T = TypeVar("T")


class Column(Combinable, Generic[T]):
    """A field of a model, or what a relation reaches: `Record.year`, `Record.leader.name`.

    It can be used wherever a look-up name can, compared (`Record.year >= 1935` is
    `Q(year__gte=1935)`), and given to plain SQLAlchemy (`select(Record.year)`).
    """

    __slots__ = ("_model", "_path")
    # SQLAlchemy asks; without an answer here it would be taken for the name of a look-up.
    is_clause_element = False

    def __init__(self, model: Any, path: str) -> None:
        self._model = model
        self._path = path

    def __repr__(self) -> str:
        return f"<Column {self._model.__name__}.{self._path.replace(SEPARATOR, '.')}>"

    def __str__(self) -> str:
        return self._path

    def __getattr__(self, name: str) -> Column[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "through":
            field = getattr(self._model._meta.resolve(self._path).relation, "field", None)
            if hasattr(field, "through"):
                return field.through  # type: ignore[no-any-return, union-attr]  # Django's name: the model between
        path = f"{self._path}{SEPARATOR}{name}"
        self._model._meta.resolve(path)  # a name that is not there is an error here, at its line
        return Column(self._model, path)

    def __getitem__(self, key: str | int) -> Column[Any]:
        return Column(self._model, f"{self._path}{SEPARATOR}{key}")

    def __clause_element__(self) -> ColumnElement[T]:
        return self._model._meta.core_column(self._path)  # type: ignore[no-any-return]  # the model is any

    def __expression__(self) -> Expression:
        return F(self._path)

    def _lookup(self, name: str, value: Any) -> Q:
        return Q((f"{self._path}{SEPARATOR}{name}" if name else self._path, value))

    # Comparisons; equality with None asks for NULL

    def __eq__(self, other: object) -> Q:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # makes a condition
        return self._lookup("", other)  # of None: whether it is NULL

    def __ne__(self, other: object) -> Q:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # makes a condition
        return ~self._lookup("", other)

    def __lt__(self, other: Any) -> Q:
        return self._lookup("lt", other)

    def __le__(self, other: Any) -> Q:
        return self._lookup("lte", other)

    def __gt__(self, other: Any) -> Q:
        return self._lookup("gt", other)

    def __ge__(self, other: Any) -> Q:
        return self._lookup("gte", other)

    def __hash__(self) -> int:
        return hash((self._model, self._path))

    def in_(self, values: Iterable[T] | Any) -> Q:
        """Be one of *values*, or of a queryset's."""
        return self._lookup("in", values)

    def between(self, low: T, high: T) -> Q:
        """Lie between the two, both included."""
        return self._lookup("range", (low, high))

    def is_null(self, value: bool = True) -> Q:  # noqa: FBT001, FBT002  # reads as English
        """Be NULL, or not."""
        return self._lookup("isnull", value)

    def contains(self, value: Any) -> Q:
        """Contain a text, case counting; of JSON and arrays: contain a value."""
        return self._lookup("contains", value)

    def icontains(self, value: str) -> Q:
        """Contain a text, whatever its case."""
        return self._lookup("icontains", value)

    def startswith(self, value: str) -> Q:
        """Begin with a text, case counting."""
        return self._lookup("startswith", value)

    def endswith(self, value: str) -> Q:
        """End with a text, case counting."""
        return self._lookup("endswith", value)

    def matches(self, pattern: str) -> Q:
        """Match a regular expression."""
        return self._lookup("regex", pattern)

    # Order and arithmetic

    def asc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> OrderBy:
        """Order by this, smallest first."""
        return F(self._path).asc(nulls_first=nulls_first, nulls_last=nulls_last)

    def desc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> OrderBy:
        """Order by this, largest first."""
        return F(self._path).desc(nulls_first=nulls_first, nulls_last=nulls_last)
