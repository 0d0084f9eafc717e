"""The rows that a view shows: which there are, which may be seen, which one is meant.

Holds: a view's queryset, its narrowing by the model's policies, the look-up of one row.
Imports: colours, errors; the data layer where a row is read.
Never: shows a row that a policy hides.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..colours import Operation, either
from ..errors import FieldError, NotFound, SegueError, SetupError, place_of
from .hooks import is_overridden
from .naming import model_of

__all__ = ["demand_rows", "find_one", "may", "rows_of", "scoped", "unknown_field"]

# What a client sent cannot be compared with a column, or be stored in it: no row has it.
_UNFIT = frozenset({"data/lookup-value", "data/value", "data/value-type"})


def rows_of(view: Any) -> Any:
    """Return the rows of a view: those of its `queryset`, fresh, else all of its `model`.

    Raises:
        SetupError: It has neither (`views/no-model`).
    """
    queryset = view.queryset
    if queryset is not None:
        # A queryset keeps what it read; the one on the class must not, from one request to the next.
        return queryset.all() if hasattr(queryset, "all") else queryset
    model = model_of(view, None)
    if model is None:
        raise _no_model(view)
    return model._meta.default_queryset()


def demand_rows(view: Any) -> None:
    """Refuse at start-up a view that has no rows to show.

    Raises:
        SetupError: Neither a model nor a queryset, nor a method that gives them (`views/no-model`).
    """
    own = ("get_queryset", "aget_queryset", "get_object", "aget_object", "get", "dispatch")
    cls: type[Any] = view.__class__
    has_rows = view.queryset is not None or model_of(view, None) is not None
    if not has_rows and not any(is_overridden(cls, name) for name in own):
        raise _no_model(view)


def _no_model(view: Any) -> SetupError:
    cls: type[Any] = view.__class__
    return SetupError(
        f"{cls.__name__} has neither a model nor a queryset.",
        code="views/no-model",
        where=place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}",
        hint="model = Record, or queryset = Record.objects.filter(…), or def get_queryset(self)",
    )


def scoped(view: Any, rows: Any, action: str) -> Operation[Any]:
    """Return those of *rows* for which the model's policies let the user do *action*."""
    model = getattr(rows, "model", None)
    if model is None or not hasattr(rows, "visible_to"):
        return rows
    from ..db.policies import has_policy  # where there are rows, the data layer is there

    if not has_policy(model):
        return rows
    user = yield from _who(view)
    return (yield from either(rows.visible_to, rows.avisible_to, user, action))


def may(view: Any, action: str, model: Any) -> Operation[bool]:
    """Tell whether the user may do *action* with rows of *model*; where it has no policy, anybody may."""
    if not hasattr(model, "_meta"):
        return True
    from ..db.policies import acan, can, has_policy  # where there is a model, the data layer is there

    if not has_policy(model):
        return True
    user = yield from _who(view)
    return (yield from either(can, acan, user, action, model))


def _who(view: Any) -> Operation[Any]:
    user = yield from either(_user_of, _auser_of, view.request)
    return None if getattr(user, "is_anonymous", False) is True else user  # nobody, as policies have it


def _user_of(request: Any) -> Any:
    return getattr(request, "user", None)


async def _auser_of(request: Any) -> Any:
    load = getattr(request, "auser", None)
    return await load() if load is not None else getattr(request, "user", None)


def find_one(rows: Any, lookups: dict[str, Any]) -> Operation[Any]:
    """Return the row that *lookups* name.

    Raises:
        NotFound: There is none, or none could have such a value.
    """
    try:
        return (yield from either(partial(rows.get_or_404, **lookups), partial(rows.aget_or_404, **lookups)))
    except SegueError as error:
        if error.code not in _UNFIT:
            raise
        raise NotFound(f"No {rows.model._meta.verbose_name} is here.") from error


def unknown_field(model: Any, path: str) -> str | None:
    """Return what is wrong with *path* in lookups of *model*, or `None`."""
    try:
        model._meta.default_queryset().filter(**{path: ""})
    except FieldError as error:
        return error.hint or error.message
    except SegueError:
        return None
    return None
