"""Route tables as Django writes them: `path`, `re_path`, `include`, made into a flat list.

Holds: the entries of a table, and `flatten`.
Imports: errors, places, regexes, routing.
Never: knows what answers an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn, TypeAlias, cast

from .errors import SetupError, cut
from .places import caller_place
from .regexes import strip_anchors
from .routing.rules import rule_regex

__all__ = ["Include", "RouteEntry", "flatten", "include", "path", "re_path"]


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One line of a route table.

    Attributes:
        path: As written; `flatten` puts the prefixes of the includes before it.
        view: What answers, or an `Include`.
        kwargs: Values for the view beside those of the path.
        place: `file:line`.
    """

    path: str
    view: Any  # Any: a table does not know what answers
    name: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    place: str = ""
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """Another table, for below a prefix; names in it begin with the namespace and a dot."""

    entries: Sequence[RouteEntry]
    namespace: str | None = None


Entries: TypeAlias = "str | ModuleType | Include | Sequence[RouteEntry] | tuple[Sequence[RouteEntry], str]"


def path(route: str, view: Any, kwargs: Mapping[str, Any] | None = None, name: str | None = None) -> RouteEntry:
    """Return a table's entry for a rule such as `profile/<int:pk>/`.

    Args:
        route: With or without the first slash.
        view: A function, a class with `as_view`, or an `include(…)`.
        kwargs: Values for the view beside those of the path.
        name: The endpoint's name for `url_for`.
    """
    return RouteEntry(route, view, name, dict(kwargs or {}), caller_place())


def re_path(regex: str, view: Any, kwargs: Mapping[str, Any] | None = None, name: str | None = None) -> RouteEntry:
    r"""Return a table's entry for a regular expression such as `^archive/(?P<year>\d{4})/$`.

    It is matched in full against the path without its first slash. Named groups
    are keyword arguments; unnamed ones are positional, and ignored beside named ones.
    """
    return RouteEntry(regex, view, name, dict(kwargs or {}), caller_place(), is_regex=True)


def include(table: Entries, namespace: str | None = None) -> Include:
    """Return another table, to stand in the place of a view.

    Args:
        table: A list of entries, a pair of a list and a namespace, a module that has
            `urlpatterns`, or the name of one.
        namespace: What the names in it begin with; else the module's `app_name`.

    Raises:
        SetupError: It is none of these (`routing/bad-table`).
    """
    if isinstance(table, Include):
        return Include(table.entries, namespace or table.namespace)
    if isinstance(table, str):
        table = import_module(table)
    own: Any = None
    entries: Any = table
    if isinstance(table, ModuleType):
        own = getattr(table, "app_name", None)
        entries = getattr(table, "urlpatterns", None)
        if entries is None:
            _refuse(f"The module {table.__name__} has no `urlpatterns`.", "urlpatterns = [path(…), …]")
    elif isinstance(table, tuple) and len(table) == 2 and isinstance(table[1], str):
        entries, own = table
    if not isinstance(entries, list | tuple):
        _refuse(f"{cut(entries)} is not a route table.", "Give a list of path() and re_path() entries, or a module.")
    lines = tuple(cast("Sequence[object]", entries))
    for line in lines:
        if not isinstance(line, RouteEntry):
            _refuse(f"{cut(line)} stands in a route table.", "Write path(route, view) or re_path(regex, view).")
    return Include(cast("tuple[RouteEntry, ...]", lines), namespace or own)


def flatten(table: Entries, *, prefix: str = "") -> list[RouteEntry]:
    """Return a table's entries without includes: full paths, full names, merged kwargs.

    Args:
        table: What `include` takes.
        prefix: A rule's path that stands before all of them.
    """
    outer = RouteEntry(prefix.rstrip("/") + "/" if prefix else "", include(table))
    return list(_flat(outer))


def _flat(entry: RouteEntry) -> Iterator[RouteEntry]:
    if not isinstance(entry.view, Include):
        yield entry if entry.is_regex else replace(entry, path="/" + entry.path.removeprefix("/"))
        return
    namespace = entry.view.namespace
    for inner in entry.view.entries:
        text, is_regex = _join(entry, inner)
        name = inner.name
        if namespace and name is not None:
            name = f"{namespace}.{name}"
        view = inner.view
        if isinstance(view, Include):
            deeper = ".".join(part for part in (namespace, view.namespace) if part)
            view = Include(view.entries, deeper or None)
        elif isinstance(view, type) and hasattr(view, "as_view"):
            view = view.as_view()  # pyright: ignore  # hasattr said so
        kwargs = {**entry.kwargs, **inner.kwargs}
        yield from _flat(RouteEntry(text, view, name, kwargs, inner.place or entry.place, is_regex))


def _join(outer: RouteEntry, inner: RouteEntry) -> tuple[str, bool]:
    begin, end = outer.path, inner.path
    if not (outer.is_regex or inner.is_regex):
        return begin + (end.removeprefix("/") if begin.endswith("/") else end), False
    if not begin.strip("/"):
        return end, True
    begin = strip_anchors(begin) if outer.is_regex else rule_regex(begin.removeprefix("/"))
    end = strip_anchors(end) if inner.is_regex else rule_regex(end.removeprefix("/"))
    return begin + end, True


def _refuse(problem: str, hint: str) -> NoReturn:
    raise SetupError(problem, code="routing/bad-table", where=caller_place(), hint=hint)
