"""Sitemaps: the addresses that search engines should know, of rows and of lists.

Holds: `Sitemap`, one section; `Sitemaps`, the battery that serves all sections, as one
file while it is small, else as an index of files of 50,000 addresses (sitemaps.org).
Search engines are nobody: a row that a policy hides from nobody is in no sitemap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from ..errors import NotFound, SetupError, did_you_mean
from ..handling.markers import mark
from ..http.request import Request
from ..http.response import Response
from ..places import caller_place
from ..typing import Setup
from .links import absolute, link_of
from .visible import visible
from .xml import document, element, group

__all__ = ["MOST_ADDRESSES", "Sitemap", "Sitemaps"]

MOST_ADDRESSES = 50_000
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

Frequency = Literal["always", "hourly", "daily", "weekly", "monthly", "yearly", "never"]
_FREQUENCIES = ("always", "hourly", "daily", "weekly", "monthly", "yearly", "never")
_KNOWN = frozenset({"items", "location", "lastmod", "changefreq", "priority", "limit"})


class Sitemap:
    """One section of a sitemap: derive, and say `items()`.

    Attributes:
        lastmod: When an item changed: a method of the item, or one value for all.
        changefreq: How often it changes, such as `weekly`; likewise.
        priority: From 0.0 to 1.0, among the pages of this site; likewise.
        limit: Most addresses in one file.
    """

    lastmod: Any = None
    changefreq: Any = None
    priority: Any = None
    limit: int = MOST_ADDRESSES

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls):
            near = "" if name.startswith("_") or name in _KNOWN else did_you_mean(name, _KNOWN)
            if near:
                raise SetupError(
                    f"A sitemap asks for no {name!r}, which {cls.__name__} has.",
                    code="content/unknown-name",
                    where=caller_place(),
                    hint=f"{near} Begin the names of your own with an underscore.",
                )

    def items(self) -> Any:
        """Return what has addresses: a queryset, or a list."""
        raise SetupError(
            f"{type(self).__name__} does not say what is in it.",
            code="content/incomplete",
            where=f"class {type(self).__qualname__} of {type(self).__module__}",
            hint="def items(self): return Record.objects.all()",
        )

    def location(self, item: Any) -> Any:
        """Return the address of an item: its `get_absolute_url()`, or the item itself if that is a text."""
        return item if isinstance(item, str) else link_of(item, what=type(self).__name__, attribute="location")

    def count(self) -> int:
        """Return how many addresses there are."""
        rows = self._rows()
        return rows.count() if hasattr(rows, "query") else len(rows)

    def page(self, number: int) -> Iterable[Any]:
        """Return the items of one file, counted from 1."""
        found: Iterable[Any] = self._rows()[(number - 1) * self.limit : number * self.limit]
        return found

    def entry(self, request: Request, item: Any) -> str:
        """Return the element of one item."""
        priority, frequency = self._said("priority", item), self._said("changefreq", item)
        if frequency is not None and frequency not in _FREQUENCIES:
            raise _bad_value(self, "changefreq", frequency, ", ".join(_FREQUENCIES))
        if priority is not None and not 0 <= float(priority) <= 1:
            raise _bad_value(self, "priority", priority, "0.0 to 1.0")
        values = {
            "loc": absolute(request, self.location(item)),
            "lastmod": _moment(self._said("lastmod", item)),
            "changefreq": frequency,
            "priority": None if priority is None else f"{float(priority):.1f}",
        }
        return group("url", (element(name, value) for name, value in values.items() if value is not None))

    def _rows(self) -> Any:
        rows = visible(self.items(), None)
        if hasattr(rows, "query"):
            # Without an order a row could be on two pages, and another on none.
            return rows if rows.ordered else rows.order_by("pk")
        return rows if hasattr(rows, "__getitem__") else list(rows)

    def _said(self, name: str, item: Any) -> Any:
        value = getattr(self, name)
        return value(item) if callable(value) else value


class _Plain(Sitemap):
    """The section of rows or addresses that were given as they are."""

    def __init__(self, rows: Any) -> None:
        self._given = rows

    def items(self) -> Any:
        # A queryset keeps what it read; this one stays for the app's life.
        return self._given.all() if hasattr(self._given, "query") else self._given


@dataclass(slots=True)
class Sitemaps:
    """Serves the sitemap of the site: `app.register(Sitemaps({"records": RecordSitemap}))`.

    Args:
        sections: By name: a `Sitemap`, its class, a queryset of things that have
            `get_absolute_url()`, or a list of paths.
        path: Where; the files of an index are beside it, `/sitemap-records-1.xml`.
    """

    sections: Mapping[str, Any]
    path: str = "/sitemap.xml"
    _made: dict[str, Sitemap] = field(init=False, default_factory=dict[str, Sitemap])

    def __post_init__(self) -> None:
        for name, given in self.sections.items():
            if not name.replace("_", "").isalnum():
                raise SetupError(
                    f"A section of a sitemap cannot be called {name!r}.",
                    code="content/bad-section",
                    where=caller_place(),
                    why="The name stands in the address of its files.",
                    hint="Use letters, digits and underscores.",
                )
            made = given() if isinstance(given, type) else given
            self._made[name] = made if isinstance(made, Sitemap) else _Plain(made)

    def install(self, setup: Setup) -> None:
        """Add the routes."""
        begin = self.path.removesuffix(".xml")
        # A search engine has no login, and these show what nobody in particular may see.
        views = mark(self._view(), login=False), mark(self._section_view(), login=False)
        setup.add_url_rule(self.path, "sitemap", views[0])
        setup.add_url_rule(f"{begin}-<section>-<int:number>.xml", "sitemap_section", views[1])

    def _view(self) -> Callable[..., Response]:
        begin = self.path.removesuffix(".xml")

        def sitemap(request: Request) -> Response:
            counts = {name: section.count() for name, section in self._made.items()}
            fits = all(count <= self._made[name].limit for name, count in counts.items())
            if fits and sum(counts.values()) <= MOST_ADDRESSES:
                return _urls(_entries(request, section, 1) for section in self._made.values())
            files = (
                element("loc", absolute(request, f"{request.root_path}{begin}-{name}-{number}.xml"))
                for name, count in counts.items()
                for number in range(1, _pages(count, self._made[name].limit) + 1)
            )
            return _answer(group("sitemapindex", (group("sitemap", [each]) for each in files), {"xmlns": _NAMESPACE}))

        return sitemap

    def _section_view(self) -> Callable[..., Response]:
        def sitemap_section(request: Request, section: str, number: int) -> Response:
            found = self._made.get(section)
            if found is None or not 1 <= number <= _pages(found.count(), found.limit):
                raise NotFound()
            return _urls([_entries(request, found, number)])

        return sitemap_section


def _pages(count: int, limit: int) -> int:
    return max(1, -(-count // limit))


def _entries(request: Request, section: Sitemap, number: int) -> Iterator[str]:
    for item in section.page(number):
        yield section.entry(request, item)


def _urls(sections: Iterable[Iterable[str]]) -> Response:
    return _answer(group("urlset", (each for entries in sections for each in entries), {"xmlns": _NAMESPACE}))


def _answer(root: str) -> Response:
    # The list itself should be in no list of results.
    return Response(document(root), 200, {"x-robots-tag": "noindex"}, content_type="application/xml; charset=utf-8")


def _moment(value: Any) -> str | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else None


def _bad_value(section: Sitemap, name: str, value: object, allowed: str) -> SetupError:
    return SetupError(
        f"{type(section).__name__} says {name} {value!r}.",
        code="content/bad-value",
        where=f"class {type(section).__qualname__} of {type(section).__module__}",
        why=f"A sitemap knows: {allowed}.",
    )
