"""A row, or the answer 404.

Holds: `get_object_or_404`, `get_list_or_404` and their async twins.
Imports: querysets, floor 0.
Never: answers itself; it raises what becomes the answer.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

from ..errors import NotFound, UsageError
from .queryset import QuerySet

__all__ = ["aget_list_or_404", "aget_object_or_404", "get_list_or_404", "get_object_or_404"]

R = TypeVar("R")


def _queryset(what: str, given: Any) -> QuerySet[Any]:
    if isinstance(given, QuerySet):
        return given  # pyright: ignore[reportUnknownVariableType]  # of any model
    options = getattr(given, "_meta", None)
    if isinstance(given, type) and options is not None:
        return options.default_queryset()  # type: ignore[no-any-return]  # of any model
    every = getattr(given, "all", None)
    found = every() if callable(every) else None
    if isinstance(found, QuerySet):
        return found  # pyright: ignore[reportUnknownVariableType]  # of a manager of related rows
    raise UsageError(
        f"{what}() takes a model or a queryset, not {type(given).__name__}.",
        code="data/argument",
        hint=f"{what}(Record, pk=1)",
    )


@overload
def get_object_or_404(given: type[R], /, *conditions: Any, **lookups: Any) -> R: ...
@overload
def get_object_or_404(given: QuerySet[R], /, *conditions: Any, **lookups: Any) -> R: ...
def get_object_or_404(given: Any, /, *conditions: Any, **lookups: Any) -> Any:
    """Return the one row for which all of these hold; where there is none, the answer is 404.

    Args:
        given: A model, or a queryset of what may be seen.

    Raises:
        NotFound: There is no such row.
        MultipleObjectsReturned: There are several.
    """
    return _queryset("get_object_or_404", given).get_or_404(*conditions, **lookups)


@overload
async def aget_object_or_404(given: type[R], /, *conditions: Any, **lookups: Any) -> R: ...
@overload
async def aget_object_or_404(given: QuerySet[R], /, *conditions: Any, **lookups: Any) -> R: ...
async def aget_object_or_404(given: Any, /, *conditions: Any, **lookups: Any) -> Any:
    """`get_object_or_404()` in async code."""
    return await _queryset("aget_object_or_404", given).aget_or_404(*conditions, **lookups)


@overload
def get_list_or_404(given: type[R], /, *conditions: Any, **lookups: Any) -> list[R]: ...
@overload
def get_list_or_404(given: QuerySet[R], /, *conditions: Any, **lookups: Any) -> list[R]: ...
def get_list_or_404(given: Any, /, *conditions: Any, **lookups: Any) -> list[Any]:
    """Return the rows for which all of these hold; where there is none, the answer is 404.

    Raises:
        NotFound: There is no such row.
    """
    chosen = _queryset("get_list_or_404", given).filter(*conditions, **lookups)
    return list(chosen) or _nothing(chosen)


@overload
async def aget_list_or_404(given: type[R], /, *conditions: Any, **lookups: Any) -> list[R]: ...
@overload
async def aget_list_or_404(given: QuerySet[R], /, *conditions: Any, **lookups: Any) -> list[R]: ...
async def aget_list_or_404(given: Any, /, *conditions: Any, **lookups: Any) -> list[Any]:
    """`get_list_or_404()` in async code."""
    chosen = _queryset("aget_list_or_404", given).filter(*conditions, **lookups)
    return await chosen or _nothing(chosen)


def _nothing(queryset: QuerySet[Any]) -> list[Any]:
    raise NotFound(f"No {queryset.model._meta.verbose_name} is here.")
