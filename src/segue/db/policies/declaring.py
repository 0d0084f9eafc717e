"""What users write: `@policy(Record, "view")`.

Holds: `policy`.
Imports: rules, explaining.
Never: holds a rule; each is its model's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..instance import Instance
from .explaining import Explanation, aexplain, explain
from .rules import declare

__all__ = ["Policy", "policy"]

F = TypeVar("F", bound=Callable[[Any], Any])


class Policy:
    """Declares rules, and says what they come to. There is one: `policy`."""

    def __call__(self, model: type[Instance], *actions: str) -> Callable[[F], F]:
        """Declare a rule: for which rows of *model* a user may do these *actions*.

        The function takes the user (`None` for nobody) and returns a condition on rows, `True` for
        every row or `False` for none. A condition is SQL: a list is filtered by it, and one row is
        asked in the same words. Several rules for one action are joined by OR. A model's own rules
        for an action replace those of the models that it derives from.

        >>> @policy(Record, "view")  # doctest: +SKIP
        ... def the_published(user):
        ...     return Record.published == True

        Args:
            model: What the rows are of.
            actions: `view`, `add`, `change`, `delete`, or words of your own.

        Raises:
            ModelError: The declaration cannot work (`data/policy`).
        """
        return declare(model, actions)

    def explain(self, user: Any, action: str, obj: Any) -> Explanation:
        """Return the answer of `can()` with the clause that decided it, its file and line."""
        return explain(user, action, obj)

    async def aexplain(self, user: Any, action: str, obj: Any) -> Explanation:
        """`explain()` in async code."""
        return await aexplain(user, action, obj)


policy: Policy = Policy()
