"""Rows in pages: Django's `Paginator`, in both colours.

Holds: `Paginator`, `Page`, their errors.
Imports: errors, colours.
Never: reads more than a page and a count, or trusts a page number.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from ..colours import Operation, arun, either, run
from ..errors import NotFound, UsageError
from ..places import caller_place

__all__ = ["EmptyPage", "InvalidPage", "Page", "PageNotAnInteger", "Paginator", "UnorderedObjectListWarning"]

T = TypeVar("T")

_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
# A number of more digits counts no rows of any database.
_MOST_DIGITS = 18


class InvalidPage(NotFound):
    """There is no such page; uncaught in a handler, the answer is 404."""

    code = "lists/invalid-page"


class PageNotAnInteger(InvalidPage):
    """The number of a page is no whole number."""

    code = "lists/page-not-an-integer"


class EmptyPage(InvalidPage):
    """The number is below 1, or beyond the last page."""

    code = "lists/empty-page"


class UnorderedObjectListWarning(RuntimeWarning):
    """A queryset without an order is cut into pages, so a row may come twice or never."""


class Paginator(Generic[T]):
    """Cuts a queryset or a list into pages.

    Args:
        object_list: A queryset, or any sequence. A queryset is read page by page.
        per_page: How many rows a page has.
        orphans: A last page of so many rows or fewer is added to the one before it.
        allow_empty_first_page: Whether no rows make one empty page, or none.

    >>> pages = Paginator(["ab", "cd", "ef"], per_page=2)
    >>> pages.num_pages, list(pages.page(2))
    (2, ['ef'])
    """

    ELLIPSIS: str = "…"

    def __init__(
        self, object_list: Any, per_page: int, orphans: int = 0, *, allow_empty_first_page: bool = True
    ) -> None:
        self.object_list = object_list
        self.per_page: int = int(per_page)
        self.orphans: int = int(orphans)
        self.allow_empty_first_page = allow_empty_first_page
        self._count: int | None = None
        if self.per_page < 1 or self.orphans < 0 or self.orphans >= self.per_page:
            raise UsageError(
                f"Paginator(per_page={per_page!r}, orphans={orphans!r}) makes no pages.",
                code="lists/bad-page-size",
                where=caller_place(),
                why="A page has one row at least, and fewer orphans than rows.",
                hint="Paginator(rows, per_page=20)",
            )
        if getattr(object_list, "ordered", True) is False:
            warnings.warn(
                f"The queryset of {object_list.model.__name__} has no order, so its pages may repeat or miss rows: "
                "add order_by(…), or Meta.ordering.",
                UnorderedObjectListWarning,
                stacklevel=2,
            )

    def __repr__(self) -> str:
        return f"<Paginator per_page={self.per_page}>"

    # How many

    @property
    def count(self) -> int:
        """How many rows there are; asked once."""
        return run(self._counted())

    async def acount(self) -> int:
        """`count` in async code."""
        return await arun(self._counted())

    def _counted(self) -> Operation[int]:
        rows, found = self.object_list, self._count
        if found is None:
            found = (yield from either(rows.count, rows.acount)) if hasattr(rows, "acount") else len(rows)
            self._count = found
        return int(found)

    @property
    def num_pages(self) -> int:
        """How many pages there are."""
        return self._pages(self.count)

    async def anum_pages(self) -> int:
        """`num_pages` in async code."""
        return self._pages(await self.acount())

    def _pages(self, count: int) -> int:
        if count == 0:
            return 1 if self.allow_empty_first_page else 0
        hits = max(1, count - self.orphans)
        return -(-hits // self.per_page)

    @property
    def page_range(self) -> range:
        """The numbers of the pages, from 1."""
        return range(1, self.num_pages + 1)

    async def apage_range(self) -> range:
        """`page_range` in async code."""
        return range(1, await self.anum_pages() + 1)

    # One page

    def validate_number(self, number: object) -> int:
        """Return the number of a page as an `int`.

        Raises:
            PageNotAnInteger: It is no whole number.
            EmptyPage: There is no such page.
        """
        return run(self._validated(number))

    async def avalidate_number(self, number: object) -> int:
        """`validate_number()` in async code."""
        return await arun(self._validated(number))

    def _validated(self, number: object) -> Operation[int]:
        wanted = _whole(number)
        count = yield from self._counted()
        if not 1 <= wanted <= self._pages(count):
            raise EmptyPage("That page has no rows.")
        return wanted

    def page(self, number: object) -> Page[T]:
        """Return a page.

        Raises:
            InvalidPage: There is no such page; uncaught in a handler, the answer is 404.
        """
        return run(self._page(number, is_async=False))

    async def apage(self, number: object) -> Page[T]:
        """`page()` in async code: its rows are read."""
        return await arun(self._page(number, is_async=True))

    def _page(self, number: object, *, is_async: bool) -> Operation[Page[T]]:
        wanted = yield from self._validated(number)
        bottom = (wanted - 1) * self.per_page
        top = bottom + self.per_page
        count = yield from self._counted()
        if top + self.orphans >= count:
            top = count
        rows = self.object_list[bottom:top]
        if is_async and hasattr(rows, "__await__"):
            rows = yield from either(_read, _aread, rows)
        return self._get_page(rows, wanted, self)

    def _get_page(self, *arguments: Any, **keywords: Any) -> Page[T]:
        """Make a page; what a subclass overrides to have pages of its own."""
        return Page(*arguments, **keywords)

    def get_page(self, number: object) -> Page[T]:
        """Return a page for any number: the first where it is none, the last where it is beyond."""
        return run(self._nearest_page(number, is_async=False))

    async def aget_page(self, number: object) -> Page[T]:
        """`get_page()` in async code."""
        return await arun(self._nearest_page(number, is_async=True))

    def _nearest_page(self, number: object, *, is_async: bool) -> Operation[Page[T]]:
        try:
            wanted = yield from self._validated(number)
        except PageNotAnInteger:
            wanted = 1
        except EmptyPage:
            count = yield from self._counted()
            wanted = self._pages(count)
        return (yield from self._page(wanted, is_async=is_async))

    def __iter__(self) -> Iterator[Page[T]]:
        for number in self.page_range:
            yield self.page(number)

    async def __aiter__(self) -> AsyncIterator[Page[T]]:
        for number in await self.apage_range():
            yield await self.apage(number)

    # What a template shows of them

    def get_elided_page_range(self, number: object = 1, *, on_each_side: int = 3, on_ends: int = 2) -> list[int | str]:
        """Return the numbers to show around *number*, with `…` for those left out.

        Args:
            on_each_side: How many to show before and after it.
            on_ends: How many to show at the begin and at the end.
        """
        return self._elided(self.validate_number(number), on_each_side, on_ends)

    async def aget_elided_page_range(
        self, number: object = 1, *, on_each_side: int = 3, on_ends: int = 2
    ) -> list[int | str]:
        """`get_elided_page_range()` in async code."""
        return self._elided(await self.avalidate_number(number), on_each_side, on_ends)

    def _elided(self, number: int, on_each_side: int, on_ends: int) -> list[int | str]:
        last = self._pages(self._count or 0)
        if last <= (on_each_side + on_ends) * 2:
            return list(range(1, last + 1))
        around = range(number - on_each_side, number + on_each_side + 1)
        ends = [*range(1, on_ends + 1), *range(last - on_ends + 1, last + 1)]
        shown = sorted({each for each in [*around, *ends] if 1 <= each <= last})
        found: list[int | str] = []
        before = 0
        for each in [*shown, last + 1]:
            if each - before == 2:
                found.append(before + 1)  # one number is no longer than the dots
            elif each - before > 2:
                found.append(self.ELLIPSIS)
            if each <= last:
                found.append(each)
            before = each
        return found


class Page(Sequence[T]):
    """One page: a sequence of its rows, and where it stands among the others.

    Attributes:
        object_list: Its rows.
        number: From 1.
        paginator: What cut it.
    """

    def __init__(self, object_list: Any, number: int, paginator: Paginator[T]) -> None:
        self.object_list: Any = object_list
        self.number = number
        self.paginator = paginator

    def __repr__(self) -> str:
        return f"<Page {self.number} of {self.paginator.num_pages}>"

    def __len__(self) -> int:
        return len(self.object_list)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        # Read once as a list: a queryset asked for one row after the other would ask each time.
        if self.object_list.__class__ is not list:
            self.object_list = list(self.object_list)
        found: T | list[T] = self.object_list[index]
        return found

    def has_next(self) -> bool:
        """Tell whether a page follows."""
        return self.number < self.paginator.num_pages

    def has_previous(self) -> bool:
        """Tell whether a page comes before."""
        return self.number > 1

    def has_other_pages(self) -> bool:
        """Tell whether there is another page."""
        return self.has_previous() or self.has_next()

    def next_page_number(self) -> int:
        """Return the number of the following page.

        Raises:
            EmptyPage: There is none.
        """
        return self.paginator.validate_number(self.number + 1)

    def previous_page_number(self) -> int:
        """Return the number of the page before.

        Raises:
            EmptyPage: There is none.
        """
        return self.paginator.validate_number(self.number - 1)

    def start_index(self) -> int:
        """Return which row its first is, from 1; 0 where there are none."""
        return 0 if self.paginator.count == 0 else self.paginator.per_page * (self.number - 1) + 1

    def end_index(self) -> int:
        """Return which row its last is, from 1."""
        if self.number == self.paginator.num_pages:
            return self.paginator.count
        return self.number * self.paginator.per_page


def _read(rows: Any) -> list[Any]:
    return list(rows)


async def _aread(rows: Any) -> list[Any]:
    return list(await rows)


def _whole(number: object) -> int:
    if isinstance(number, int):
        return int(number)
    if isinstance(number, float) and number.is_integer() and abs(number) < 10**_MOST_DIGITS:
        return int(number)
    if not isinstance(number, str) or not _NUMBER.fullmatch(number[: 10 * _MOST_DIGITS]):
        raise PageNotAnInteger("That is not the number of a page.")
    if len(number) > _MOST_DIGITS:
        raise EmptyPage("That page has no rows.")
    return int(number)
