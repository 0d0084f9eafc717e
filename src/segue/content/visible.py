"""Which rows may be shown: those that the model's policies let somebody see."""

from __future__ import annotations

from typing import Any

from ..http.request import Request

__all__ = ["has_policy", "user_of", "visible"]


def has_policy(rows: Any) -> bool:
    """Whether *rows* are of a model that has a policy; a list is of none."""
    model = getattr(rows, "model", None)
    if model is None or not hasattr(rows, "visible_to"):
        return False
    from ..db.policies import has_policy as declared  # where there are rows, the data layer is there

    return declared(model)


def visible(rows: Any, user: Any) -> Any:
    """Return those of *rows* that *user* may see; `None` is nobody.

    A slice is taken of them: the five newest are the five newest visible ones.
    """
    if not has_policy(rows):
        return rows
    query = rows.query
    if not query.is_sliced:
        return rows.visible_to(user)
    whole = rows._with(query.copy(low=0, high=None))
    return whole.visible_to(user)[query.low : query.high]


def user_of(request: Request) -> Any:
    """Return who asks, or `None` for nobody."""
    user = getattr(request, "user", None)
    return None if getattr(user, "is_anonymous", False) is True else user
