"""Views of rows by their dates: the latest, those of a year, month, week, day.

Holds: `DateListMixin` and the archive views, `DateDetailView`.
Imports: listing, details, periods (what a route's texts mean as dates).
Never: shows rows of the future, unless `allow_future` says so.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from ..colours import Operation, arun, either, run
from ..errors import NotFound, SetupError, place_of
from ..http.request import Request
from .details import DetailView
from .hooks import hook, is_overridden
from .listing import MultipleObjectMixin
from .periods import Kind, Period, lookups_until, period_of, today

__all__ = [
    "ArchiveIndexView",
    "DateDetailView",
    "DateListMixin",
    "DayArchiveView",
    "MonthArchiveView",
    "TodayArchiveView",
    "WeekArchiveView",
    "YearArchiveView",
]

Items = tuple[Any, Any, dict[str, Any]]
_DAY: tuple[Kind, ...] = ("year", "month", "day")


class DateListMixin(MultipleObjectMixin):
    """Says which rows are shown by a date of theirs, newest first.

    Attributes:
        date_field: The field with the date or the moment (UTC).
        allow_future: Whether rows of the future are shown.
        date_list_period: What `date_list` has: the `year`s, `month`s or `day`s with rows.
        year: The year as text, where neither the route nor the query gives it; so do
            `month`, `week` and `day`.
        year_format: How the text of the year is read, by `strptime`; so do the others.
    """

    date_field: str | None = None
    allow_future: bool = False
    allow_empty: bool = False
    date_list_period: str | None = None
    year: str | None = None
    month: str | None = None
    week: str | None = None
    day: str | None = None
    year_format: str = "%Y"
    month_format: str = "%b"
    week_format: str = "%U"
    day_format: str = "%d"

    date_list: Any
    object_list: Any

    # What the route's values say here: `year`, `year month`, …
    period_parts: ClassVar[tuple[Kind, ...]] = ()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer with the page of the rows."""
        return run(self._get())

    async def aget(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`get()` in async code."""
        return await arun(self._get())

    def _get(self) -> Operation[Any]:
        self.date_list, self.object_list, names = yield from hook(self, "get_dated_items")
        names = {"date_list": self.date_list, **names}
        context = yield from hook(self, "get_context_data", object_list=self.object_list, **names)
        return (yield from hook(self, "render_to_response", context))

    def get_date_field(self) -> str:
        """Return the name of the field with the date."""
        if self.date_field is None:
            raise no_date_field(self)
        return self.date_field

    def get_allow_future(self) -> bool:
        """Return whether rows of the future are shown."""
        return self.allow_future

    def get_ordering(self) -> Any:
        """Return the order: the newest first, unless `ordering` says otherwise."""
        return self.ordering if self.ordering is not None else f"-{self.get_date_field()}"

    def get_date_list_period(self) -> str | None:
        """Return what `date_list` has."""
        return self.date_list_period

    def get_dated_items(self) -> Items:
        """Return the dates that have rows, the rows, and further names for the template."""
        return run(self._dated_items())

    async def aget_dated_items(self) -> Items:
        """`get_dated_items()` in async code."""
        return await arun(self._dated_items())

    # How they are found

    def _dated_items(self) -> Operation[Items]:
        period = period_of(self, self.period_parts)
        return (yield from self._items_of(period))

    def _items_of(self, period: Period) -> Operation[Items]:
        rows = yield from self._rows_in(period)
        dates = yield from self._dates_of(rows)
        return dates, rows, (yield from self._neighbours(period))

    def _visible_rows(self) -> Operation[Any]:
        """The rows that may be seen, whatever their date; not of the future, unless that is allowed."""
        rows = yield from self._seen_rows()
        if not self.get_allow_future():
            rows = rows.filter(**lookups_until(rows.model, self.get_date_field()))
        return rows

    def _rows_in(self, period: Period | None) -> Operation[Any]:
        rows = yield from self._visible_rows()
        if period is not None:
            rows = rows.filter(**period.lookups(rows.model, self.get_date_field()))
        if not self.get_allow_empty() and not (yield from self._has_rows(rows)):
            raise NotFound("There is nothing of that time.")
        return rows

    def _dates_of(self, rows: Any, order: str = "ASC") -> Operation[Any]:
        period = self.get_date_list_period()
        if period is None:
            return None
        found = rows.dates(self.get_date_field(), period, order)
        return (yield from either(lambda: list(found), lambda: _aread(found)))

    def _neighbours(self, period: Period) -> Operation[dict[str, Any]]:
        """Return the period by its name, and the one before and after it: with rows, where empty ones are 404."""
        names: dict[str, Any] = {period.kind: period.begin}
        kinds: tuple[Kind, ...] = ("day", "month") if period.kind == "day" else (period.kind,)
        for kind in kinds:
            whole = period.of_kind(kind)
            names[f"next_{kind}"] = yield from self._neighbour(whole, forward=True)
            names[f"previous_{kind}"] = yield from self._neighbour(whole, forward=False)
        return names

    def _neighbour(self, period: Period, *, forward: bool) -> Operation[datetime.date | None]:
        near = period.end if forward else period.begin - datetime.timedelta(days=1)
        if self.get_allow_empty():
            found: datetime.date | None = period.around(near).begin
        else:
            found = yield from self._nearest_with_rows(period, forward=forward)
        if found is None or (not self.get_allow_future() and found > today()):
            return None
        return found

    def _nearest_with_rows(self, period: Period, *, forward: bool) -> Operation[datetime.date | None]:
        rows = yield from self._visible_rows()
        name = self.get_date_field()
        rows = rows.filter(**period.lookups_beyond(rows.model, name, forward=forward))
        rows = rows.order_by(name if forward else f"-{name}").values_list(name, flat=True)
        moment = yield from either(rows.first, rows.afirst)
        if moment is None:
            return None
        day = moment.date() if isinstance(moment, datetime.datetime) else moment
        return period.around(day).begin

    # What start-up asks

    def _reads_from_route(self) -> frozenset[str]:
        return super()._reads_from_route() | frozenset(self.period_parts)

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        super()._check_setup(given, where)
        own = ("get_date_field", "get_dated_items", "aget_dated_items", "get")
        if self.date_field is None and not any(is_overridden(type(self), name) for name in own):
            raise no_date_field(self)


class ArchiveIndexView(DateListMixin):
    """Shows the latest rows, and the years that have some: `<label>/<model>_archive.html`."""

    context_object_name: str | None = "latest"
    date_list_period: str | None = "year"
    template_name_suffix = "_archive"

    def _dated_items(self) -> Operation[Items]:
        rows = yield from self._rows_in(None)
        dates = yield from self._dates_of(rows, "DESC")
        return dates, rows, {}


class YearArchiveView(DateListMixin):
    """Shows a year: the months with rows, and the rows if `make_object_list` says so.

    Attributes:
        make_object_list: Whether `object_list` has the rows of the year, or none.
    """

    make_object_list: bool = False
    date_list_period: str | None = "month"
    template_name_suffix = "_archive_year"
    period_parts: ClassVar[tuple[Kind, ...]] = ("year",)

    def get_make_object_list(self) -> bool:
        """Return whether `object_list` has the rows of the year."""
        return self.make_object_list

    def _items_of(self, period: Period) -> Operation[Items]:
        dates, rows, names = yield from super()._items_of(period)
        return dates, rows if self.get_make_object_list() else rows.none(), names


class MonthArchiveView(DateListMixin):
    """Shows the rows of a month: `<label>/<model>_archive_month.html`."""

    date_list_period: str | None = "day"
    template_name_suffix = "_archive_month"
    period_parts: ClassVar[tuple[Kind, ...]] = ("year", "month")


class WeekArchiveView(DateListMixin):
    """Shows the rows of a week: `<label>/<model>_archive_week.html`."""

    template_name_suffix = "_archive_week"
    period_parts: ClassVar[tuple[Kind, ...]] = ("year", "week")


class DayArchiveView(DateListMixin):
    """Shows the rows of a day: `<label>/<model>_archive_day.html`."""

    template_name_suffix = "_archive_day"
    period_parts: ClassVar[tuple[Kind, ...]] = _DAY


class TodayArchiveView(DateListMixin):
    """Shows the rows of today, by the template of a day."""

    template_name_suffix = "_archive_day"

    def _dated_items(self) -> Operation[Items]:
        return (yield from self._items_of(Period("day", today())))


class DateDetailView(DetailView):
    """Shows one object: by the year, month and day of the route, and its `pk` or `slug`.

    Attributes:
        date_field: The field with the date or the moment (UTC).
        allow_future: Whether an object of the future is shown.
    """

    date_field: str | None = None
    allow_future: bool = False
    year: str | None = None
    month: str | None = None
    day: str | None = None
    year_format: str = "%Y"
    month_format: str = "%b"
    day_format: str = "%d"

    def get_date_field(self) -> str:
        """Return the name of the field with the date."""
        if self.date_field is None:
            raise no_date_field(self)
        return self.date_field

    def get_allow_future(self) -> bool:
        """Return whether an object of the future is shown."""
        return self.allow_future

    def _narrowed(self, rows: Any) -> Any:
        name = self.get_date_field()
        rows = rows.filter(**period_of(self, _DAY).lookups(rows.model, name))
        return rows if self.get_allow_future() else rows.filter(**lookups_until(rows.model, name))

    def _reads_from_route(self) -> frozenset[str]:
        return super()._reads_from_route() | frozenset(_DAY)

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        super()._check_setup(given, where)
        if self.date_field is None and not is_overridden(type(self), "get_date_field") and self._finds_by_route():
            raise no_date_field(self)


def no_date_field(view: Any) -> SetupError:
    """Return what is wrong with a view by dates that does not know which date."""
    cls: type[Any] = view.__class__
    return SetupError(
        f"{cls.__name__} has no date_field.",
        code="views/no-date-field",
        where=place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}",
        hint='date_field = "published"',
    )


async def _aread(rows: Any) -> list[Any]:
    return list(await rows)
