"""Rows by their dates: index, year, month, week, day, one object."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App, db, path
from segue.clock import moved
from segue.errors import SetupError
from segue.http.request import Request
from segue.testing import Client
from segue.views import (
    ArchiveIndexView,
    DateDetailView,
    DayArchiveView,
    MonthArchiveView,
    TodayArchiveView,
    WeekArchiveView,
    YearArchiveView,
)

Clients = Callable[..., Client]
Write = Callable[[str, str], None]
UTC = datetime.UTC


class Article(db.Model):
    title = db.CharField(max_length=20)
    published = db.DateField()
    edited = db.DateTimeField()

    class Meta:
        app_label = ""


DATES = {
    "Feb": (1959, 2, 10),
    "Aug": (1959, 8, 17),
    "Aug2": (1959, 8, 25),
    "Later": (1964, 12, 9),
    "Future": (9000, 1, 1),
}


@pytest.fixture
def app(tmp_path: Path, write: Write) -> App:
    app = App(
        "tests_dates",
        database=f"sqlite:///{tmp_path}/club.db",
        models=[Article],
        static_folder=None,
        template_folder=str(tmp_path / "templates"),
    )
    app.db.create_all()
    Article.objects.using(app.db).bulk_create(
        [
            Article(title=title, published=datetime.date(*day), edited=datetime.datetime(*day, 23, 30, tzinfo=UTC))
            for title, day in DATES.items()
        ]
    )
    rows = "{% for each in object_list %}{{ each.title }} {% endfor %}"
    dates = "{% for each in date_list %}{{ each.isoformat() }} {% endfor %}"
    write("article_archive.html", "{% for each in latest %}{{ each.title }} {% endfor %}|" + dates)
    write("article_archive_year.html", f"{rows}|{dates}|{{{{ year }}}} {{{{ previous_year }}}} {{{{ next_year }}}}")
    write("article_archive_month.html", f"{rows}|{dates}|{{{{ month }}}} {{{{ previous_month }}}} {{{{ next_month }}}}")
    write("article_archive_week.html", f"{rows}|{{{{ week }}}} {{{{ previous_week }}}} {{{{ next_week }}}}")
    write(
        "article_archive_day.html",
        rows + "|{{ day }} {{ previous_day }} {{ next_day }} {{ previous_month }} {{ next_month }}",
    )
    write("article_detail.html", "{{ article.title }}")
    return app


@pytest.fixture(params=["published", "edited"])
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The same by a field of dates and one of moments."""
    return {"model": Article, "date_field": request.param}


@pytest.fixture(params=["def", "async"])
def colour(request: pytest.FixtureRequest) -> Callable[[type[Any]], type[Any]]:
    """Make a view async, or leave it."""

    async def get(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.aget(request, *args, **kwargs)

    members = {"get": get} if request.param == "async" else {}
    return lambda cls: type(cls.__name__, (cls,), members)


def test_the_index_has_the_latest_and_the_years(
    app: App, client: Clients, options: dict[str, Any], colour: Callable[[Any], Any]
) -> None:
    app.add_url_rule("/", view_func=colour(ArchiveIndexView).as_view(**options))

    assert client().get("/").text == "Later Aug2 Aug Feb |1964-01-01 1959-01-01 "


def test_a_year_has_its_months_and_its_neighbours(
    app: App, client: Clients, options: dict[str, Any], colour: Callable[[Any], Any]
) -> None:
    cls = colour(YearArchiveView)
    app.include(
        [
            path("<int:year>/", cls.as_view(**options)),
            path("all/<int:year>/", cls.as_view("all", **options, make_object_list=True)),
        ]
    )
    asked = client()

    assert asked.get("/1959/").text == "|1959-02-01 1959-08-01 |1959-01-01 None 1964-01-01"
    assert asked.get("/all/1959/").text.startswith("Aug2 Aug Feb |")
    assert asked.get("/1960/").status_code == 404


def test_a_month_has_its_days_and_its_neighbours(
    app: App, client: Clients, options: dict[str, Any], colour: Callable[[Any], Any]
) -> None:
    cls = colour(MonthArchiveView)
    app.include(
        [
            path("<int:year>/<month>/", cls.as_view(**options)),
            path("n/<int:year>/<int:month>/", cls.as_view("n", **options, month_format="%m", allow_empty=True)),
        ]
    )
    asked = client()

    assert asked.get("/1959/aug/").text == "Aug2 Aug |1959-08-17 1959-08-25 |1959-08-01 1959-02-01 1964-12-01"
    assert asked.get("/n/1959/9/").text == "||1959-09-01 1959-08-01 1959-10-01"
    assert asked.get("/1959/sep/").status_code == 404


@pytest.mark.parametrize(
    ("week_format", "week", "begin", "neighbours"),
    [
        ("%W", 33, "1959-08-17", "1959-02-09 1959-08-24"),
        ("%U", 33, "1959-08-16", "1959-02-08 1959-08-23"),
        ("%V", 34, "1959-08-17", "1959-02-09 1959-08-24"),
    ],
)
def test_a_week_begins_as_its_format_says(
    app: App, client: Clients, options: dict[str, Any], week_format: str, week: int, begin: str, neighbours: str
) -> None:
    year_format = "%G" if week_format == "%V" else "%Y"
    view = WeekArchiveView.as_view(**options, week_format=week_format, year_format=year_format)
    app.add_url_rule("/<int:year>/<int:week>/", view_func=view)

    assert client().get(f"/1959/{week}/").text == f"Aug |{begin} {neighbours}"


def test_a_day_has_its_neighbours(
    app: App, client: Clients, options: dict[str, Any], colour: Callable[[Any], Any]
) -> None:
    app.add_url_rule("/<int:year>/<month>/<int:day>/", view_func=colour(DayArchiveView).as_view(**options))

    assert client().get("/1959/aug/17/").text == "Aug |1959-08-17 1959-02-10 1959-08-25 1959-02-01 1964-12-01"


def test_today_is_a_day(app: App, client: Clients, options: dict[str, Any]) -> None:
    app.add_url_rule("/today/", view_func=TodayArchiveView.as_view(**options))
    app.add_url_rule("/empty/", "empty", view_func=TodayArchiveView.as_view(**options, allow_empty=True))
    asked = client()

    assert (asked.get("/today/").status_code, asked.get("/empty/").status_code) == (404, 200)
    with moved(datetime.datetime(1959, 8, 17, 23, 45, tzinfo=UTC) - datetime.datetime.now(UTC)):
        assert asked.get("/today/").text == "Aug |1959-08-17 1959-02-10 None 1959-02-01 None"


def test_the_future_is_shown_where_it_is_allowed(app: App, client: Clients, options: dict[str, Any]) -> None:
    app.include(
        [
            path("no/<int:year>/", YearArchiveView.as_view("no", **options)),
            path("yes/<int:year>/", YearArchiveView.as_view("yes", **options, allow_future=True)),
        ]
    )
    asked = client()

    assert (asked.get("/no/9000/").status_code, asked.get("/yes/9000/").status_code) == (404, 200)
    assert asked.get("/yes/1964/").text.endswith("9000-01-01")
    assert asked.get("/no/1964/").text.endswith("None")


@pytest.mark.parametrize(
    "address",
    [
        "/0/jan/1/",
        "/10000/jan/1/",
        "/9999/dec/31/",
        "/1959/xyz/1/",
        "/1959/feb/30/",
        "/1959/feb/0/",
        "/1959/feb~1959/1/",
        "/1959/%F0%9D%9F%99/1/",
        "/1959/" + "a" * 4000 + "/1/",
    ],
)
def test_what_is_no_date_is_not_found(app: App, client: Clients, options: dict[str, Any], address: str) -> None:
    app.add_url_rule("/<int:year>/<month>/<int:day>/", view_func=DayArchiveView.as_view(**options, allow_future=True))

    assert client().get(address).status_code == 404


def test_the_date_may_come_from_the_query_or_the_class(app: App, client: Clients, options: dict[str, Any]) -> None:
    app.add_url_rule("/q", "q", view_func=YearArchiveView.as_view(**options))
    app.add_url_rule("/c", "c", view_func=YearArchiveView.as_view(**options, year="1964"))
    asked = client()

    assert asked.get("/q?year=1959").text.startswith("|1959-02-01")
    assert asked.get("/c").text.startswith("|1964-12-01")
    assert asked.get("/q").status_code == 404


def test_one_object_is_found_by_its_date_and_key(
    app: App, client: Clients, options: dict[str, Any], colour: Callable[[Any], Any]
) -> None:
    app.add_url_rule("/<int:year>/<month>/<int:day>/<int:pk>", view_func=colour(DateDetailView).as_view(**options))
    asked = client()

    assert asked.get("/1959/aug/17/2").text == "Aug"
    assert [asked.get(each).status_code for each in ("/1959/aug/17/3", "/1959/aug/32/2", "/9000/jan/1/5")] == [404] * 3


def test_pages_of_an_archive(app: App, client: Clients, options: dict[str, Any]) -> None:
    app.add_url_rule("/", view_func=ArchiveIndexView.as_view(**options, paginate_by=3))

    assert client().get("/?page=2").text.startswith("Feb |")


def test_overridden_items(app: App, client: Clients, options: dict[str, Any]) -> None:
    class First(YearArchiveView):
        make_object_list = True

        def get_dated_items(self) -> Any:
            dates, items, names = super().get_dated_items()
            return dates, items[:1], names

    app.add_url_rule("/<int:year>/", view_func=First.as_view(**options))

    assert client().get("/1959/").text.startswith("Aug2 |")


@pytest.mark.parametrize("cls", [ArchiveIndexView, DateDetailView])
def test_a_view_by_dates_needs_the_field(app: App, cls: Any) -> None:
    app.add_url_rule("/<int:pk>" if cls is DateDetailView else "/", view_func=cls.as_view(model=Article))

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.code == "views/no-date-field"


@pytest.mark.parametrize("cls", [ArchiveIndexView, DateDetailView, DayArchiveView, TodayArchiveView, YearArchiveView])
def test_four_classes_at_most_stand_before_object(cls: type) -> None:
    assert len(cls.__mro__) - 1 <= 4
