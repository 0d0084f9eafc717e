"""How often a block may ask the database, and what to write where it asks too often.

Holds: `QueryBudget`, `query_budget`.
Imports: watching, the places of callers, the paths of relations.
Never: stops a statement; the block ends, and then is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

from .errors import QueryBudgetError
from .observing import Loading, now_loading, watching
from .operations.reading import origin_of
from .places import place_of_caller
from .steps import Prepared

__all__ = ["Counted", "QueryBudget", "query_budget"]

# What a report shows: lines of code, not statements.
_MOST_LINES = 10


class Counted(NamedTuple):
    """One statement of a block.

    Attributes:
        sql: Its text.
        model: Whose rows it was about; `None` of a text or a Core statement.
        loading: What was touched, where a touch was the reason.
        place: `file:line` of the code that caused it.
    """

    sql: str
    model: Any
    loading: Loading | None
    place: str

    @property
    def subject(self) -> str:
        """What was asked for: `Record.leader`, `Record`, or the first words of the SQL."""
        if self.loading is not None:
            return f"{self.loading.model.__name__}.{self.loading.name}"
        return self.model.__name__ if self.model is not None else " ".join(self.sql.split())[:60]


class QueryBudget:
    """A block that may ask the database so many times: `with`, or `async with`.

    Args:
        most: How often.
        what: What a report calls it.
        where: Where it stands; the block's own line where that is not said.

    Attributes:
        queries: What was asked so far.

    >>> with QueryBudget(1) as budget:
    ...     pass
    >>> len(budget.queries)
    0
    """

    def __init__(self, most: int, *, what: str = "This block", where: str = "") -> None:
        self.most = most
        self.what = what
        self.where: str = where
        self.queries: list[Counted] = []
        self._blocks = ExitStack()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self.queries)} of {self.most}>"

    def __enter__(self) -> Self:
        self.where = self.where or place_of_caller()
        self._blocks.enter_context(watching(self.note))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._blocks.close()
        if kind is None:
            self.check()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.__exit__(kind, *rest)

    def note(self, prepared: Prepared, parameters: Sequence[Any], seconds: float) -> None:
        """Count one statement."""
        model = getattr(prepared, "model", None)
        self.queries.append(Counted(prepared.sql, model, now_loading(), place_of_caller()))

    def check(self) -> None:
        """Refuse what was over the budget.

        Raises:
            QueryBudgetError: With the lines that asked, and what to write instead.
        """
        count = len(self.queries)
        if count > self.most:
            raise QueryBudgetError(
                f"{self.what} asked the database {_times(count)}, and may {_times(self.most)}.",
                where=self.where,
                why=self.report(),
                hint="\n".join(self.suggestions()) or "Ask for more at once, or raise the budget.",
            )

    def report(self) -> str:
        """Return who asked for what, a line for each: `Record.leader, 100 times, at club/views.py:12`."""
        counted = Counter((each.subject, each.place) for each in self.queries)
        lines = [
            f"{subject}{f', {_times(count)},' if count > 1 else ''} at {place or 'an unknown line'}"
            for (subject, place), count in counted.most_common(_MOST_LINES)
        ]
        left = len(counted) - len(lines)
        return "\n".join([*lines, f"and {left} more lines"] if left > 0 else lines)

    def suggestions(self) -> list[str]:
        """Return the lines to write instead: what loads the touched relations ahead."""
        return [*_ahead(self.queries), *_repeated(self.queries)]


def query_budget(most: int) -> QueryBudget:
    """Let a block ask the database at most so often; it is an error at its end if it asked more.

    >>> with query_budget(3):
    ...     pass
    """
    return QueryBudget(most)


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _ahead(queries: Iterable[Counted]) -> list[str]:
    """Return the calls that load with the first query what was loaded by touches."""
    lines: list[str] = []
    touched: Counter[tuple[Any, str]] = Counter()
    for each in queries:
        loading = each.loading
        if loading is None:
            continue
        root, path = origin_of(loading.instance, loading.name)
        field = loading.model._meta.find_field(loading.name)
        if field is not None and field.kind != "many_to_many" and (not field.is_relation or field.name != loading.name):
            lines.append(f'{root.__name__}.objects…: load {path} too, by only(…, "{path}") or no defer()')
        elif loading.is_whole:
            touched[root, path] += 1
        else:
            lines.append(_part(root, path, loading))
    return list(dict.fromkeys([*_calls(touched), *lines]))


def _calls(touched: Mapping[tuple[Any, str], int]) -> list[str]:
    """Return for each model the call that loads its paths; one that saves no query is left out."""
    calls: dict[Any, dict[str, list[str]]] = {}
    for (root, path), count in touched.items():
        joinable = _is_joinable(root, path)
        if joinable or count > 1:
            call = "select_related" if joinable else "prefetch_related"
            calls.setdefault(root, {}).setdefault(call, []).append(path)
    return [
        f"{root.__name__}.objects" + "".join(f".{call}({_longest(paths)})" for call, paths in sorted(by_call.items()))
        for root, by_call in calls.items()
    ]


def _longest(paths: Sequence[str]) -> str:
    # What leads on loads what it goes through.
    kept = [path for path in paths if not any(other.startswith(f"{path}__") for other in paths)]
    return ", ".join(f'"{path}"' for path in kept)


def _is_joinable(root: Any, path: str) -> bool:
    """Tell whether a join can load a path: keys, and one-to-one relations both ways."""
    options = root._meta
    for part in path.split("__"):
        relation = _relation(options, part)
        if relation is None or relation.many or relation.kind.startswith("generic"):
            return False
        options = relation.target._meta
    return True


def _relation(options: Any, name: str) -> Any:
    found = options.relation(name)
    if found is not None and (found.accessor or found.name) == name:
        return found
    return next((each for each in options.reverse.values() if each.accessor == name), None)


def _part(root: Any, path: str, loading: Loading) -> str:
    target = _relation(loading.model._meta, loading.name)
    model = target.target.__name__ if target is not None else "…"
    return (
        f'{root.__name__}.objects.prefetch_related(Prefetch("{path}", {model}.objects.filter(…), '
        f'to_attr="some_{loading.name}"))'
    )


def _repeated(queries: Sequence[Counted]) -> list[str]:
    """Return what is asked again and again at one line, without a touch."""
    counted = Counter((each.sql, each.place) for each in queries if each.loading is None)
    found: list[str] = []
    for each in queries:
        count = counted.pop((each.sql, each.place), 0)
        if count > 1 and each.model is not None and each.loading is None:
            name = each.model.__name__
            found.append(
                f"{each.place}: {name} is asked {_times(count)}; once is enough with "
                f"{name}.objects.in_bulk(keys), or filter(pk__in=keys)"
            )
    return found
