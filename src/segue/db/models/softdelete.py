"""Rows that are hidden, not deleted.

Holds: `SoftDelete`, the mixin; its queryset.
Imports: `Model`, querysets, the operations that hide and show.
Never: hides rows from `all_objects`, or from a foreign key that refers to one.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from ..errors import ModelError
from ..expressions.q import Q
from ..fields.special import UUIDField
from ..fields.times import DateTimeField
from ..managers import Manager
from ..naming import short_name
from ..operations.deleting import delete_instances
from ..operations.hiding import hide, show
from ..query.query import Query
from ..queryset import QuerySet
from .base import Model
from .constraints import UniqueConstraint
from .faults import groups_of
from .options import Options

__all__ = ["SoftDelete", "SoftDeleteQuerySet"]

M = TypeVar("M", bound=Model)
_VISIBLE = Q(deleted_at__isnull=True)


class SoftDeleteQuerySet(QuerySet[M]):
    """A queryset whose `delete()` hides rows."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Hide all rows and what goes with them; return how many, and how many by model."""
        return self._run(hide(self.query, self._writer), "delete()", self._writer)

    async def adelete(self) -> tuple[int, dict[str, int]]:
        """`delete()` in async code."""
        return await self._arun(hide(self.query, self._writer), self._writer)

    def restore(self) -> int:
        """Show rows again, and what was hidden with them; return how many.

        Raises:
            ValidationError: Another row has taken a value that must be unique.
        """
        return self._run(show(self.query, self._writer), "restore()", self._writer)

    async def arestore(self) -> int:
        """`restore()` in async code."""
        return await self._arun(show(self.query, self._writer), self._writer)

    def hard_delete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows and what goes with them, for good."""
        return super().delete()

    async def ahard_delete(self) -> tuple[int, dict[str, int]]:
        """`hard_delete()` in async code."""
        return await super().adelete()

    delete.alters_data = True  # type: ignore[attr-defined]  # templates do not call it
    restore.alters_data = True  # type: ignore[attr-defined]
    hard_delete.alters_data = True  # type: ignore[attr-defined]


class _Visible(SoftDeleteQuerySet[M], Manager[M]):
    """Begins with the rows that are not hidden."""

    def get_queryset(self) -> QuerySet[M]:
        return super().get_queryset().filter(deleted_at__isnull=True)


class _Every(SoftDeleteQuerySet[M], Manager[M]):
    """Begins with every row."""


class SoftDelete(Model):
    """A mixin: `delete()` hides a row, and `restore()` shows it again.

    `objects` and relations give the rows that are not hidden, `all_objects` every one. What refers
    to a hidden row by CASCADE, and is of a model with this mixin, is hidden with it and comes back
    with it; rows of other models stay. Unique fields and constraints count visible rows alone, so a
    value may be used again; to restore then is a `ValidationError`.

    >>> class Record(SoftDelete):  # doctest: +SKIP
    ...     title = CharField(max_length=200, unique=True)
    """

    deleted_at = DateTimeField(null=True, blank=True, editable=False, db_index=True)
    # The delete that hid it: what went together comes back together.
    deletion = UUIDField(null=True, blank=True, editable=False, db_index=True)

    _hides_rows = True
    objects = _Visible[Any]()
    all_objects = _Every[Any]()

    class Meta:
        abstract = True

    @classmethod
    def _made(cls, options: Options) -> None:
        if options.proxy or options.find_field("deleted_at") not in options.local_fields:
            return  # a child's table does not have the column
        added: list[UniqueConstraint] = []
        for field in options.local_fields:
            if field.unique and not field.primary_key:
                field.unique = False
                added.append(_partial(options, (field.name,), (field.column,)))
        for group in groups_of(options.unique_together):
            columns = tuple(options.get_field(name).column for name in group)
            added.append(_partial(options, group, columns))
        options.unique_together = ()
        options.constraints = [*map(_visible_only, options.constraints), *added]

    @property
    def is_deleted(self) -> bool:
        """Whether it is hidden."""
        return self.deleted_at is not None

    def delete(self, *, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Hide this row and what goes with it; return how many, and how many by model.

        Raises:
            ProtectedError: Visible rows refer to it by PROTECT.
        """
        self._demand_key("delete")
        database = self._database(using, writes=True)
        return cast("tuple[int, dict[str, int]]", database.run(hide(self._own_row(), database, self), "delete()"))

    async def adelete(self, *, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """`delete()` in async code."""
        self._demand_key("delete")
        database = self._database(using, writes=True)
        return cast("tuple[int, dict[str, int]]", await database.arun(hide(self._own_row(), database, self)))

    def restore(self, *, using: Any = None) -> int:
        """Show this row again, and what was hidden with it; return how many.

        Raises:
            ValidationError: Another row has taken a value that must be unique.
        """
        self._demand_key("restore")
        database = self._database(using, writes=True)
        return cast("int", database.run(show(self._own_row(), database, self), "restore()"))

    async def arestore(self, *, using: Any = None) -> int:
        """`restore()` in async code."""
        self._demand_key("restore")
        database = self._database(using, writes=True)
        return cast("int", await database.arun(show(self._own_row(), database, self)))

    def hard_delete(self, *, using: Any = None) -> tuple[int, dict[str, int]]:
        """Delete this row and what goes with it, for good."""
        self._demand_key("hard_delete")
        database = self._database(using, writes=True)
        return cast("tuple[int, dict[str, int]]", database.run(delete_instances([self], database), "hard_delete()"))

    async def ahard_delete(self, *, using: Any = None) -> tuple[int, dict[str, int]]:
        """`hard_delete()` in async code."""
        self._demand_key("hard_delete")
        database = self._database(using, writes=True)
        return cast("tuple[int, dict[str, int]]", await database.arun(delete_instances([self], database)))

    delete.alters_data = True  # type: ignore[attr-defined]  # templates do not call it
    restore.alters_data = True  # type: ignore[attr-defined]
    hard_delete.alters_data = True  # type: ignore[attr-defined]

    def _own_row(self) -> Query:
        return Query(type(self)).framed(order=()).filtered((), {"pk": self.pk})


def _partial(options: Options, names: tuple[str, ...], columns: tuple[str, ...]) -> UniqueConstraint:
    return UniqueConstraint(fields=names, condition=_VISIBLE, name=short_name("uq", options.db_table, *columns))


def _visible_only(constraint: Any) -> Any:
    if not isinstance(constraint, UniqueConstraint):
        return constraint
    if constraint.deferrable is not None:
        raise ModelError(
            f"UniqueConstraint {constraint.name!r} is deferrable, and its model hides rows.",
            code="data/constraint",
            why="Only visible rows count, which makes it an index, and no index is checked later.",
            hint="Leave deferrable= out.",
        )
    return constraint.also(_VISIBLE)
