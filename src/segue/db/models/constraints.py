"""Constraints and indexes of a model.

Holds: `CheckConstraint`, `UniqueConstraint`, `Index`.
Imports: `Q`, expressions, floor 0.
Never: asks the database by itself; `validation` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from ..errors import ModelError
from ..expressions.base import Expression, F, OrderBy
from ..expressions.q import Q
from ..naming import LONGEST

__all__ = ["BaseConstraint", "CheckConstraint", "Index", "UniqueConstraint"]


class BaseConstraint:
    """What every constraint has.

    Attributes:
        name: Its name in the database; unique there.
        violation_error_message: What `full_clean()` says.
        violation_error_code: The code of that fault.
        path: Whose fault it is, where no field says it: of expressions it is nobody's by itself.
    """

    path: tuple[str, ...] = ()
    default_message = "This breaks the rule {name}."

    def __init__(
        self, *, name: str, violation_error_message: str | None = None, violation_error_code: str | None = None
    ) -> None:
        if not isinstance(name, str) or not name or len(name) > LONGEST:  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
            raise ModelError(
                f"{type(self).__name__} needs a name of at most {LONGEST} characters.",
                code="data/constraint",
                hint=f'{type(self).__name__}(…, name="record_year_positive")',
            )
        self.name: str = name
        self.has_own_message: bool = violation_error_message is not None
        self.violation_error_message: str = violation_error_message or self.default_message.format(name=name)
        self.violation_error_code: str = violation_error_code or "constraint"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def named(self, options: Any) -> str:
        """Return its name in a model's table: `%(class)s` and `%(app_label)s` are filled in."""
        return self.name.replace("%(class)s", options.model_name).replace("%(app_label)s", options.app_label)


class CheckConstraint(BaseConstraint):
    """A condition that every row must meet: `CheckConstraint(condition=Q(year__gte=1900), name="…")`."""

    def __init__(self, *, condition: Q | Any, name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.condition: Q = condition if isinstance(condition, Q) else Q(condition)


class UniqueConstraint(BaseConstraint):
    """Values that no two rows may share.

    Args:
        expressions: In place of fields: `Lower("slug")`, `F("year").desc()`.
        fields: Names of fields.
        condition: Only rows that meet it count.
        include: Further fields in the index (PostgreSQL).
        nulls_distinct: Whether two NULLs differ; `None` is the database's own.
        deferrable: `deferred` or `immediate`, where it is checked at commit (PostgreSQL).
    """

    default_message = "A row with these values exists already."

    def __init__(
        self,
        *expressions: Any,
        fields: Sequence[str] = (),
        name: str,
        condition: Q | None = None,
        include: Sequence[str] = (),
        nulls_distinct: bool | None = None,
        deferrable: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        if bool(expressions) == bool(fields):
            raise ModelError(
                f"UniqueConstraint {name!r} takes fields or expressions, one of the two.",
                code="data/constraint",
                hint='UniqueConstraint(fields=["leader", "title"], name="…")',
            )
        _check_names(fields, f"UniqueConstraint {name!r}")
        if deferrable is not None and (condition is not None or expressions or include):
            raise ModelError(
                f"UniqueConstraint {name!r} is deferrable, and has a condition, expressions or include.",
                code="data/constraint",
                why="With those it is an index, and no index is checked later.",
                hint="Leave deferrable= out.",
            )
        if deferrable not in (None, "deferred", "immediate"):
            raise ModelError(
                f"deferrable={deferrable!r} is none of deferred, immediate.",
                code="data/constraint",
                hint='deferrable="deferred"',
            )
        if options.get("violation_error_code") is None:
            self.violation_error_code = "unique_together" if len(fields) > 1 else "unique"
        self.expressions: tuple[Expression, ...] = tuple(_part(each) for each in expressions)
        self.fields: tuple[str, ...] = tuple(str(each) for each in fields)
        self.condition = condition
        self.include: tuple[str, ...] = tuple(include)
        self.nulls_distinct = nulls_distinct
        self.deferrable = deferrable

    def also(self, condition: Q) -> UniqueConstraint:
        """Return the same, of the rows that meet *condition* as well."""
        new = copy(self)
        new.condition = condition if self.condition is None else self.condition & condition
        return new

    @property
    def is_index(self) -> bool:
        """Whether the database must be given an index: no plain constraint says this."""
        return bool(self.expressions or self.condition is not None or self.include)


class Index:
    """An index.

    Args:
        expressions: In place of fields: names (`-year`), or expressions.
        fields: Names of fields, `-` before those that descend.
        name: Made from table and fields where it is not given.
        condition: Only rows that meet it are in it; on MySQL all are.
        include: Further fields kept in it (PostgreSQL).
        using: The method, such as `gin` (PostgreSQL).
    """

    def __init__(
        self,
        *expressions: Any,
        fields: Sequence[str] = (),
        name: str = "",
        condition: Q | None = None,
        include: Sequence[str] = (),
        using: str = "",
    ) -> None:
        if bool(expressions) == bool(fields):
            raise ModelError(
                "Index() takes fields or expressions, one of the two.",
                code="data/constraint",
                hint='Index(fields=["-year", "title"])',
            )
        _check_names(fields, "Index()")
        if len(name) > LONGEST:
            raise ModelError(
                f"The name {name[:20]}… of an Index is longer than {LONGEST} characters.",
                code="data/constraint",
                hint="PostgreSQL and MariaDB would cut it.",
            )
        if expressions and not name:
            raise ModelError("An Index of expressions needs a name.", code="data/constraint", hint='Index(…, name="…")')
        if using and not using.isidentifier():
            raise ModelError(f"using={using[:40]!r} is no method.", code="data/constraint", hint='using="gin"')
        self.expressions: tuple[Expression, ...] = tuple(_part(each) for each in expressions)
        self.fields: tuple[str, ...] = tuple(str(each) for each in fields)
        self.name = name
        self.condition = condition
        self.include: tuple[str, ...] = tuple(include)
        self.using = using

    def __repr__(self) -> str:
        return f"<Index {self.name or ', '.join(self.fields)}>"


def _check_names(names: Any, what: str) -> None:
    if isinstance(names, str):
        raise ModelError(f"{what}: fields={names!r} is a text.", code="data/constraint", hint=f"fields=[{names!r}]")


def _part(thing: Any) -> Expression:
    if isinstance(thing, str):
        return OrderBy(F(thing.removeprefix("-")), descending=True) if thing.startswith("-") else F(thing)
    from ..expressions.base import as_expression

    return as_expression(thing)
