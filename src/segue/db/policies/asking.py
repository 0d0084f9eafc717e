"""Asking policies: for a queryset, and for one object.

Holds: `can`, `acan`, `scoped` and `ascoped`, the mixin `Can`.
Imports: rules, conditions, reading, the session of a context.
Never: answers in memory what the database could answer otherwise.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, cast

from ...context import Key, find_current
from ...errors import cut
from ..errors import QueryError
from ..expressions.base import Expression, F
from ..expressions.q import Q
from ..expressions.subqueries import Subquery
from ..instance import Instance
from ..operations.reading import fetch
from ..query.query import Query, Selection
from ..query.where import Leaf, Node
from ..sessions import this_session
from ..shapes import Keyer, UnshapedError
from ..steps import Operation
from .memory import Answer, answer
from .noticing import is_as_loaded
from .rules import Verdict, verdict

__all__ = [
    "Can",
    "acan",
    "ahas_permission",
    "ascoped",
    "can",
    "has_permission",
    "holds",
    "known_of",
    "model_of",
    "permission_of",
    "row_query",
    "scoped",
]


# Querysets


def scoped(queryset: Any, user: Any, action: str) -> Any:
    """Return the rows of *queryset* for which *user* may do *action*."""
    said = verdict(user, action, queryset.model)
    if said is None:
        said = has_permission(user, permission_of(queryset.model, action))
    return _narrowed(queryset, said)


async def ascoped(queryset: Any, user: Any, action: str) -> Any:
    """`scoped`, where the user's permissions may have to be fetched."""
    said = verdict(user, action, queryset.model)
    if said is None:
        said = await ahas_permission(user, permission_of(queryset.model, action))
    return _narrowed(queryset, said)


def _narrowed(queryset: Any, said: Verdict) -> Any:
    if said is True:
        return queryset.all()
    if said is False:
        return queryset.none()
    query: Query = queryset.query
    # Resolved against the model alone: no annotation of this queryset stands in for a field.
    condition = Query(query.model).condition(said)
    if _multiplies(condition, query.model) or query.frame.annotations:
        condition = _by_key(condition, query.model)
    return queryset._with(query.copy(where=(*query.where, condition)))


def _multiplies(condition: Expression, model: Any) -> bool:
    """Tell whether a condition reaches over a to-many relation: then a row would come several times."""
    for part in condition.walk():
        if isinstance(part, Leaf):
            reached = part.target.reached
        elif isinstance(part, F):
            reached = model._meta.resolve(part.name)
        else:
            continue
        if reached is not None and any(relation.many for relation in reached.relations):
            return True
    return False


def _by_key(condition: Node, model: Any) -> Node:
    keys = tuple(field.name for field in model._meta.pk_fields)
    inner = Query(model, (condition,)).framed(selection=Selection("tuple", keys), order=())
    return Node("AND", (Query(model).leaf("pk__in", Subquery(_Chosen(inner))),))


class _Chosen:
    """As much of a queryset as a subquery needs."""

    def __init__(self, query: Query) -> None:
        self.query = query


# One object


def can(user: Any, action: str, obj: Any) -> bool:
    """Tell whether *user* may do *action* with *obj*.

    The row in the database decides, not what was assigned to the instance since. Answers of the
    database are kept for the request, until something is written in it.

    Args:
        user: Anybody; `None` is nobody.
        action: `view`, `add`, `change`, `delete`, or a word of your own.
        obj: An instance; or a model, for whether there may be rows at all.

    Raises:
        QueryError: The instance is not in the database, and only that could tell (`data/policy-unsaved`).
    """
    model = model_of(obj)
    said = verdict(user, action, model)
    if said is None:
        return has_permission(user, permission_of(model, action))
    known = known_of(said, obj)
    if known is not None:
        return known
    asked = _Asked(said, action, obj)
    found = asked.kept()
    return found if found is not None else asked.keep(asked.database.run(holds(asked.query, asked.database), "can()"))


async def acan(user: Any, action: str, obj: Any) -> bool:
    """`can()` in async code."""
    model = model_of(obj)
    said = verdict(user, action, model)
    if said is None:
        return await ahas_permission(user, permission_of(model, action))
    known = known_of(said, obj)
    if known is not None:
        return known
    asked = _Asked(said, action, obj)
    found = asked.kept()
    return found if found is not None else asked.keep(await asked.database.arun(holds(asked.query, asked.database)))


class Can:
    """Gives a class of users the methods `can()` and `acan()`."""

    def can(self, action: str, obj: Any) -> bool:
        """Tell whether this user may do *action* with *obj*, an instance or a model."""
        return can(self, action, obj)

    async def acan(self, action: str, obj: Any) -> bool:
        """`can()` in async code."""
        return await acan(self, action, obj)


def model_of(obj: Any) -> Any:
    """Return the model that a question is about.

    Raises:
        QueryError: It is about none (`data/policy`).
    """
    kind: type = obj if isinstance(obj, type) else type(obj)
    model: Any = kind  # Any: models are known by their options alone here
    if not issubclass(kind, Instance) or getattr(model, "_meta", None) is None:
        raise QueryError(
            f"can() was asked about {cut(obj)}.",
            code="data/policy",
            why="Policies are about models.",
            hint='can(user, "change", record), or can(user, "add", Record)',
        )
    return model


def known_of(said: Verdict, obj: Any) -> bool | None:
    """Return the answer where no database is needed."""
    if isinstance(said, bool):
        return said
    if isinstance(obj, type):
        return True  # for some rows; which, a row says
    if obj.is_stored and not is_as_loaded(obj):
        return None
    if not obj.is_stored and obj.pk is not None:
        return None  # a key alone says nothing of its row
    found = answer(Query(type(obj)).condition(said), obj)
    return None if found is Answer.OPEN else found is Answer.YES


def row_query(condition: Q, obj: Any) -> Query:
    """Return the query that gives the row of *obj* if *condition* holds for it."""
    model = cast("Any", type(obj))
    keys = tuple(field.name for field in model._meta.pk_fields)
    here = Query(model)
    found = Query(model, (Node("AND", (here.leaf("pk", obj.pk),)), here.condition(condition)), high=1)
    return found.framed(selection=Selection("tuple", keys), order=())


def holds(query: Query, database: Any) -> Operation[bool]:
    """Return whether a query has a row."""
    return bool((yield from fetch(query, database)))


_ANSWERS: Key[_Answers] = Key("policies.answers")


class _Answers:
    """What the database has answered since the last write of this context."""

    def __init__(self, writes: int) -> None:
        self.writes = writes
        self.known: dict[Any, bool] = {}


class _Asked:
    """One question to the database."""

    def __init__(self, said: Verdict, action: str, obj: Any) -> None:
        assert isinstance(said, Q)
        if obj.pk is None:
            raise QueryError(
                f"can(…, {action!r}, …): this {type(obj).__name__} was not saved, and its policy needs the database.",
                code="data/policy-unsaved",
                why="The condition reaches beyond what the instance itself holds.",
                hint="with db.atomic():\n    instance.save()\n    if not can(user, …, instance): raise …",
            )
        self.query = row_query(said, obj)
        self.database: Any = obj._database()
        self._key = self._key_of()

    def _key_of(self) -> Any:
        keyer = Keyer()
        try:
            shape = self.query.shape(keyer)
        except UnshapedError:
            return None
        values = _frozen(keyer.values)
        return None if values is None else (id(self.database), shape, values)

    def kept(self) -> bool | None:
        """Return what was answered in this request already."""
        answers = self._answers()
        return None if answers is None else answers.known.get(self._key)

    def keep(self, found: bool) -> bool:  # noqa: FBT001  # what is kept
        """Keep an answer for the rest of the request; return it."""
        answers = self._answers()
        if answers is not None:
            answers.known[self._key] = found
        return found

    def _answers(self) -> _Answers | None:
        context = find_current()
        if context is None or self._key is None:
            return None
        writes = this_session().writes
        found: _Answers | None = context.kept.get(_ANSWERS)
        if found is None or found.writes != writes:
            found = _Answers(writes)
            context.keep(_ANSWERS, found)
        return found


def _frozen(value: Any) -> Any:
    """Return a value as part of a key; `None` for what cannot be one. 1, 1.0 and True stay apart."""
    if isinstance(value, list | tuple):
        parts = tuple(_frozen(each) for each in cast("Iterable[Any]", value))
        return None if None in parts else (list, parts)
    try:
        hash(value)
    except TypeError:
        return None
    return type(value), value


# The permission of a model, where no rule says more


def permission_of(model: Any, action: str) -> str:
    """Return the model permission for *action*: `blog.change_post`, `change_post` with an empty label."""
    options = model._meta
    name = f"{action}_{options.model_name}"
    return f"{options.app_label}.{name}" if options.app_label else name


def has_permission(user: Any, permission: str) -> bool:
    """Tell whether a user has a model permission; nobody has any."""
    # An action of a policy's own need not be a permission, which `has_perm` of Segue's users demands.
    check = getattr(user, "holds_permission", None) or getattr(user, "has_perm", None)
    return callable(check) and check(permission) is True


async def ahas_permission(user: Any, permission: str) -> bool:
    """`has_permission()` in async code."""
    check = getattr(user, "aholds_permission", None) or getattr(user, "ahas_perm", None)
    if check is None:
        return has_permission(user, permission)
    found = check(permission)
    return (await found if inspect.isawaitable(found) else found) is True
