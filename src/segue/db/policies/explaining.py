"""Why somebody may do something, or may not.

Holds: `explain` and `aexplain`; `Explanation`, with the clause that decided.
Imports: rules, asking, reading.
Never: decides anything: it asks the same questions one by one.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

from ...errors import cut
from ..expressions.q import AND, OR, Q
from ..query.query import Query
from ..steps import Call, Operation
from .asking import ahas_permission, has_permission, holds, known_of, model_of, permission_of, row_query
from .rules import is_strict, is_superuser, rules_of

__all__ = ["Clause", "Explanation", "aexplain", "explain"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a rule, and whether it holds.

    Attributes:
        text: The condition, `year__gte=1935`; values of secret fields are left out.
        holds: Whether it is true for the object.
        rule: The name of the rule's function; empty where no rule decided.
        place: The file and line of that function.
    """

    text: str
    holds: bool
    rule: str = ""
    place: str = ""

    def __str__(self) -> str:
        said = f"{self.text} {'holds' if self.holds else 'does not hold'}"
        return f"{said}: {self.rule}(), {self.place}" if self.rule else self.text


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer of `can()`, and what it comes from.

    Attributes:
        question: Who, what, with which object.
        clauses: Of an allowed action the part of a rule that allows it; of a denied one, of each
            rule the part that stands against it.
        is_allowed: The answer.
    """

    question: str
    clauses: tuple[Clause, ...]
    is_allowed: bool

    def __bool__(self) -> bool:
        return self.is_allowed

    def __str__(self) -> str:
        lines = [f"{self.question}: {'allowed' if self.is_allowed else 'denied'}"]
        return "\n".join([*lines, *(f"  {clause}" for clause in self.clauses)])


def explain(user: Any, action: str, obj: Any) -> Explanation:
    """Return the answer of `can()` with the clause that decided it, its file and line."""
    operation = _explanation(user, action, obj)
    return _database_of(obj).run(operation, "explain()") if _asks(obj) else _alone(operation)


async def aexplain(user: Any, action: str, obj: Any) -> Explanation:
    """`explain()` in async code."""
    operation = _explanation(user, action, obj, permission=ahas_permission)
    return await _database_of(obj).arun(operation) if _asks(obj) else await _aalone(operation)


def _asks(obj: Any) -> bool:
    model_of(obj)
    return not isinstance(obj, type)


def _database_of(obj: Any) -> Any:
    return obj._database()


def _alone(operation: Operation[Explanation]) -> Explanation:
    """Drive an operation that needs no database: of a model as a whole."""
    result: Any = None
    try:
        while True:
            step = operation.send(result)
            assert isinstance(step, Call)
            result = step.function(*step.arguments)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the operation returns


async def _aalone(operation: Operation[Explanation]) -> Explanation:
    result: Any = None
    try:
        while True:
            step = operation.send(result)
            assert isinstance(step, Call)
            result = await step.function(*step.arguments)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the operation returns


def _explanation(user: Any, action: str, obj: Any, permission: Any = has_permission) -> Operation[Explanation]:
    model = model_of(obj)
    question = f"{_named(user)}, {action}, {_shown(obj)}"
    if is_superuser(user):
        return Explanation(question, (Clause("The user is a superuser.", holds=True),), is_allowed=True)
    rules = rules_of(model, action)
    if not rules:
        return (yield from _undeclared(user, action, model, question, permission))
    against: list[Clause] = []
    for rule in rules:
        said = rule.verdict(user)
        if isinstance(said, bool):
            clauses = [(f"return {said}", said)]
        elif isinstance(obj, type):
            clauses = [(_text(said, model), True)]
        else:
            clauses = yield from _decisive(said, obj)
        found = [Clause(text, each, rule.name, rule.place) for text, each in clauses]
        if found[0].holds:
            return Explanation(question, tuple(found), is_allowed=True)
        against += found
    return Explanation(question, tuple(against), is_allowed=False)


def _undeclared(user: Any, action: str, model: Any, question: str, permission: Any) -> Operation[Explanation]:
    nothing = f"No @policy({model.__name__}, {action!r}) says it"
    if is_strict():
        return Explanation(question, (Clause(f"{nothing}, and policies are strict.", holds=False),), is_allowed=False)
    name = permission_of(model, action)
    found: bool = yield Call(permission, user, name)
    text = f"{nothing}; the user has {'' if found else 'not '}the permission {name}."
    return Explanation(question, (Clause(text, holds=found),), is_allowed=found)


def _decisive(condition: Q, obj: Any) -> Operation[list[tuple[str, bool]]]:
    """Return the smallest parts of a condition that make it what it is for *obj*."""
    is_true = yield from _is_true(condition, obj)
    children = [_as_condition(child) for child in condition.children]
    model = cast("Any", type(obj))
    if not condition.negated:
        if len(children) == 1 and isinstance(condition.children[0], Q):
            return (yield from _decisive(children[0], obj))
        if condition.connector == (OR if is_true else AND) and len(children) > 1:
            for child in children:
                if (yield from _is_true(child, obj)) is is_true:
                    return (yield from _decisive(child, obj))
        elif condition.connector == OR and len(children) > 1:
            found: list[tuple[str, bool]] = []
            for child in children:
                found += yield from _decisive(child, obj)
            return found
    return [(_text(condition, model), is_true)]


def _is_true(condition: Q, obj: Any) -> Generator[Any, Any, bool]:
    known = known_of(condition, obj)
    if known is not None:
        return known
    return (yield from holds(row_query(condition, obj), _database_of(obj)))


def _as_condition(child: Any) -> Q:
    if isinstance(child, Q):
        return child
    condition = Q()
    condition.children = (child,)
    return condition


# Words


def _named(user: Any) -> str:
    return "nobody" if user is None else cut(user)


def _shown(obj: Any) -> str:
    return f"any {obj.__name__}" if isinstance(obj, type) else f"{obj._meta.label}:{obj.pk}"


def _text(condition: Q, model: Any) -> str:
    parts: list[str] = []
    for child in condition.children:
        if isinstance(child, Q):
            inner = _text(child, model)
            parts.append(f"({inner})" if len(child.children) > 1 and not child.negated else inner)
        elif isinstance(child, tuple):
            name, value = cast("tuple[str, Any]", child)
            parts.append(f"{name}={'…' if _is_secret(model, name) else cut(value)}")
        else:
            parts.append(cut(child))
    joined = f" {condition.connector} ".join(parts)
    return f"NOT ({joined})" if condition.negated else joined


def _is_secret(model: Any, name: str) -> bool:
    return bool(getattr(Query(model).target(name).field, "secret", False))
