"""The rules of models, and what they say of a user.

Holds: `declare`, `Rule`, which of them count for a model, and their joint `verdict`.
Imports: conditions, floor 0.
Never: asks a database.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from ...context import Key, find_current
from ...errors import UsageError, cut, place_of
from ..errors import ModelError, QueryError
from ..expressions.base import Expression
from ..expressions.q import Q
from ..instance import Instance
from .noticing import notice_changes

__all__ = ["STRICT_POLICIES", "Rule", "declare", "has_policy", "is_strict", "is_superuser", "rules_of", "verdict"]

F = TypeVar("F", bound=Callable[[Any], Any])
Verdict = Q | bool
"""For which rows: a condition, all of them, or none."""

STRICT_POLICIES: Key[bool] = Key("policies.strict")
"""Whether an action without a rule is denied; else the model's permission decides."""


class Rule:
    """One function that says for which rows a user may do something.

    Attributes:
        model: The model it was declared for.
        actions: What it allows.
        function: Takes a user; returns a `Q`, `True` or `False`.
        place: The file and line of the function.
    """

    __slots__ = ("actions", "function", "model", "place")

    def __init__(self, model: Any, actions: tuple[str, ...], function: Callable[[Any], Any]) -> None:
        self.model: Any = model  # Any: models are known by their options alone here
        self.actions: tuple[str, ...] = actions
        self.function: Callable[[Any], Any] = function
        self.place: str = place_of(function)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}() for {self.model.__name__}: {', '.join(self.actions)}>"

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", repr(self.function))

    def verdict(self, user: Any) -> Verdict:
        """Return what the function says of *user*.

        Raises:
            QueryError: It returned neither a condition nor a bool (`data/policy-value`).
        """
        said = self.function(user)
        if said is True or said is False:
            return said
        if inspect.isawaitable(said):
            close = getattr(said, "close", None)
            if close is not None:
                close()
        elif isinstance(said, Q):
            if _has_gap(said):
                raise self._refused("an empty Q()", "Q() joined with nothing says neither yes nor no.")
            self._refuse_none(said)
            return said
        elif isinstance(said, Expression) or hasattr(said, "__expression__") or hasattr(said, "__clause_element__"):
            return Q(said)
        raise self._refused(cut(said), "A rule says for which rows its action is allowed.")

    def _refuse_none(self, condition: Q) -> None:
        """Refuse `owner=None`: where the user is nobody it would open what belongs to nobody."""
        for child in condition.children:
            if isinstance(child, Q):
                self._refuse_none(child)
            elif isinstance(child, tuple):
                name, value = cast("tuple[str, Any]", child)
                if value is not None:
                    continue
                name = name.removesuffix("__exact")
                raise QueryError(
                    f"{self.name}(), a policy of {self.model.__name__}, compares {name} with None.",
                    code="data/policy-value",
                    where=self.place,
                    why="That is true of every row where it is NULL: for nobody (None) often more than was meant.",
                    hint=f"if user is None:\n    return False\nWhere NULL is meant: Q({name}__isnull=True)",
                )

    def _refused(self, what: str, why: str) -> QueryError:
        return QueryError(
            f"{self.name}(), a policy of {self.model.__name__}, returned {what}.",
            code="data/policy-value",
            where=self.place,
            why=why,
            hint="Return a Q(…), True (every row) or False (none).",
        )


def _has_gap(condition: Q) -> bool:
    """Tell whether a condition is empty, or has an empty one inside: joined by OR it would vanish."""
    return not condition.children or any(isinstance(child, Q) and _has_gap(child) for child in condition.children)


def declare(model: type[Instance], actions: tuple[str, ...]) -> Callable[[F], F]:
    """Return the decorator that makes a function a rule of *model*; see `policy`.

    Raises:
        ModelError: The declaration cannot work (`data/policy`).
    """
    options = getattr(model, "_meta", None)
    if options is None:
        raise ModelError(
            f"@policy({cut(model)}) does not name a model.",
            code="data/policy",
            hint='@policy(Record, "view")',
        )
    wrong = [action for action in actions if not isinstance(action, str) or not action.isidentifier()]  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
    if wrong or not actions:
        said = f"an action {cut(wrong[0])}" if wrong else "no action"
        raise ModelError(
            f"@policy({model.__name__}) has {said}.",
            code="data/policy",
            hint=f'@policy({model.__name__}, "view")',
        )

    def enter(function: F) -> F:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise ModelError(
                f"{function.__qualname__}() cannot be a policy: it is async, or yields.",
                code="data/policy",
                where=place_of(function),
                why="A policy is a condition in SQL, so it has nothing to wait for.",
                hint="A queryset in the condition is asked by the database: Q(team__in=user.teams.all())",
            )
        rule = Rule(model, actions, function)
        for action in actions:
            # A module that is loaded again declares its rules again.
            others = [each for each in options.policies.get(action, ()) if not _is_same(each.function, function)]
            options.policies[action] = (*others, rule)
        notice_changes(model)
        return function

    return enter


def _is_same(one: Any, other: Any) -> bool:
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__) and (
        "<lambda>" not in one.__qualname__
    )


def rules_of(model: Any, action: str) -> tuple[Rule, ...]:
    """Return the rules that say who may do *action*: the model's own, else those it inherits."""
    return next((rules[action] for rules in _policies_of(model) if action in rules), ())


def has_policy(model: Any, action: str | None = None) -> bool:
    """Tell whether a model has rules: for *action*, or for any."""
    if action is not None:
        return bool(rules_of(model, action))
    return any(_policies_of(model))


def _policies_of(model: Any) -> Iterator[dict[str, tuple[Rule, ...]]]:
    """Return the rules of a model by their actions, then those of what it derives from."""
    for each in model.__mro__:
        options = cast("dict[str, Any]", vars(each)).get("_meta")
        if options is not None:
            yield options.policies


def verdict(user: Any, action: str, model: Any) -> Verdict | None:
    """Return for which rows of *model* a user may do *action*; `None` where no rule says it."""
    if not isinstance(action, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
        raise UsageError(f"An action is a word, not {cut(action)}.", code="data/policy", hint='"view"')
    if is_superuser(user):
        return True
    rules = rules_of(model, action)
    if not rules:
        return False if is_strict() else None
    joined: Q | None = None
    for rule in rules:
        said = rule.verdict(user)
        if said is True:
            return True
        if said is not False:
            joined = said if joined is None else joined | said
    return False if joined is None else joined


def is_superuser(user: Any) -> bool:
    """Tell whether every action is allowed. `True` and nothing else: of a class it would be a column."""
    return getattr(user, "is_superuser", False) is True and getattr(user, "is_active", True) is True


def is_strict() -> bool:
    """Tell whether an action without a rule is denied here."""
    context = find_current()
    if context is None:
        return False
    try:
        return context.get(STRICT_POLICIES)
    except UsageError:
        return False
