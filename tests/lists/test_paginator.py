"""Pages of rows: Django's documented cases, hostile numbers, both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from segue import App, db
from segue.db.current import disconnect
from segue.db.database import Database
from segue.errors import NotFound, UsageError
from segue.lists import EmptyPage, InvalidPage, Page, PageNotAnInteger, Paginator, UnorderedObjectListWarning
from segue.testing import assert_queries


class Song(db.Model):
    title = db.CharField(max_length=20)

    class Meta:
        app_label = "pages"
        ordering = ["title"]


class Loose(db.Model):
    title = db.CharField(max_length=20)

    class Meta:
        app_label = "pages"


@pytest.fixture
def database() -> Iterator[Database]:
    database = db.connect("sqlite://:memory:")
    database.create_all(Song, Loose)
    Song.objects.bulk_create([Song(title=f"{number:02}") for number in range(1, 6)])
    yield database
    disconnect()
    database.close()


BEATLES = ["john", "paul", "george", "ringo"]


def test_the_documented_example() -> None:
    pages = Paginator(BEATLES, 2)
    first, second = pages.page(1), pages.page(2)

    assert (pages.count, pages.num_pages, pages.page_range) == (4, 2, range(1, 3))
    assert first.object_list == ["john", "paul"]
    assert second.object_list == ["george", "ringo"]
    assert (second.has_next(), second.has_previous(), second.has_other_pages()) == (False, True, True)
    assert second.previous_page_number() == 1
    assert (second.start_index(), second.end_index()) == (3, 4)
    assert (first.start_index(), first.end_index()) == (1, 2)


def test_a_page_is_a_sequence() -> None:
    page = Paginator(BEATLES, 3).page(1)

    assert (len(page), page[0], page[1:], "george" in page) == (3, "john", ["paul", "george"], True)
    assert repr(page) == "<Page 1 of 2>"


def test_beyond_the_ends_there_is_no_page() -> None:
    pages = Paginator(BEATLES, 2)

    with pytest.raises(EmptyPage):
        pages.page(2).next_page_number()
    with pytest.raises(EmptyPage):
        pages.page(1).previous_page_number()


@pytest.mark.parametrize("number", [0, -1, 3, "0", "-1", "3", "9" * 18, "9" * 19, "9" * 5000, 10**400])
def test_a_number_out_of_range_is_an_empty_page(number: object) -> None:
    with pytest.raises(EmptyPage):
        Paginator(BEATLES, 2).page(number)


@pytest.mark.parametrize(
    "number", ["", "x", "1.0", "1e1", "+1", " 1", "1_0", "１", "²", "1\0", "0x1", "--1", None, [], 1.5, float("nan")]
)
def test_what_is_no_number_is_not_an_integer(number: object) -> None:
    with pytest.raises(PageNotAnInteger):
        Paginator(BEATLES, 2).page(number)


@pytest.mark.parametrize("number", [2, "2", 2.0])
def test_a_number_may_be_a_text(number: object) -> None:
    assert Paginator(BEATLES, 2).page(number).number == 2


@pytest.mark.parametrize(("number", "found"), [("x", 1), (None, 1), (99, 2), (-3, 2), ("9" * 99, 2), (1, 1)])
def test_get_page_takes_any_number(number: object, found: int) -> None:
    assert Paginator(BEATLES, 2).get_page(number).number == found


@pytest.mark.parametrize(
    ("count", "per_page", "orphans", "sizes"),
    [
        (10, 10, 0, [10]),
        (11, 10, 0, [10, 1]),
        (11, 10, 1, [11]),
        (13, 10, 2, [10, 3]),
        (23, 10, 3, [10, 13]),
        (24, 10, 3, [10, 10, 4]),
        (1, 10, 9, [1]),
        (0, 10, 3, [0]),
    ],
)
def test_orphans_join_the_page_before(count: int, per_page: int, orphans: int, sizes: list[int]) -> None:
    pages = Paginator(list(range(count)), per_page, orphans)

    assert [len(page) for page in pages] == sizes
    assert pages.page(pages.num_pages).end_index() == count


def test_no_rows_are_one_page_or_none() -> None:
    assert Paginator([], 5).page(1).start_index() == 0
    assert Paginator([], 5, allow_empty_first_page=False).num_pages == 0
    with pytest.raises(EmptyPage):
        Paginator([], 5, allow_empty_first_page=False).get_page(1)


@pytest.mark.parametrize("sizes", [(0, 0), (-1, 0), (2, -1), (2, 2)])
def test_a_page_has_a_row_at_least(sizes: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="makes no pages") as caught:
        Paginator(BEATLES, *sizes)

    assert caught.value.code == "lists/bad-page-size"


@pytest.mark.parametrize(
    ("number", "options", "shown"),
    [
        (1, {}, "1 2 3 4 … 49 50"),
        (6, {}, "1 2 3 4 5 6 7 8 9 … 49 50"),
        (7, {}, "1 2 3 4 5 6 7 8 9 10 … 49 50"),
        (8, {}, "1 2 … 5 6 7 8 9 10 11 … 49 50"),
        (25, {}, "1 2 … 22 23 24 25 26 27 28 … 49 50"),
        (44, {}, "1 2 … 41 42 43 44 45 46 47 48 49 50"),
        (50, {}, "1 2 … 47 48 49 50"),
        (25, {"on_each_side": 1, "on_ends": 1}, "1 … 24 25 26 … 50"),
        (25, {"on_each_side": 1, "on_ends": 0}, "… 24 25 26 …"),
        (25, {"on_each_side": 0, "on_ends": 0}, "… 25 …"),
    ],
)
def test_the_elided_range_shows_the_ends_and_around(number: int, options: dict[str, int], shown: str) -> None:
    pages = Paginator(list(range(500)), 10)

    assert " ".join(map(str, pages.get_elided_page_range(number, **options))) == shown


def test_ten_pages_are_all_shown() -> None:
    assert Paginator(list(range(100)), 10).get_elided_page_range(1) == list(range(1, 11))


def test_a_subclass_has_pages_and_dots_of_its_own() -> None:
    class Marked(Page[str]):
        pass

    class Pages(Paginator[str]):
        ELLIPSIS = "..."

        def _get_page(self, *arguments: Any, **keywords: Any) -> Page[str]:
            return Marked(*arguments, **keywords)

    pages = Pages(list(map(str, range(500))), 10)

    assert isinstance(pages.page(1), Marked)
    assert "..." in pages.get_elided_page_range(1)


# Querysets


@pytest.mark.usefixtures("database")
def test_a_queryset_is_read_by_a_count_and_a_page() -> None:
    with assert_queries(2):
        page = Paginator(Song.objects.all(), 2).page(3)
        titles = [song.title for song in page]
        has_next = page.has_next()

    assert (titles, has_next) == (["05"], False)


@pytest.mark.usefixtures("database")
def test_pages_of_a_queryset_in_async_code() -> None:
    async def walk() -> list[list[str]]:
        pages: Paginator[Song] = Paginator(Song.objects.all(), 2)
        assert (await pages.acount(), await pages.anum_pages(), await pages.apage_range()) == (5, 3, range(1, 4))
        assert (await pages.aget_page("x")).number == 1
        assert await pages.aget_elided_page_range(2) == [1, 2, 3]
        assert await pages.avalidate_number("3") == 3
        return [[song.title for song in page] async for page in pages]

    assert asyncio.run(walk()) == [["01", "02"], ["03", "04"], ["05"]]


def test_pages_of_a_list_in_async_code() -> None:
    assert list(asyncio.run(Paginator(BEATLES, 3).apage(2))) == ["ringo"]


@pytest.mark.usefixtures("database")
def test_a_queryset_without_an_order_is_reported() -> None:
    with pytest.warns(UnorderedObjectListWarning, match="Loose has no order"):
        Paginator(Loose.objects.all(), 2)


# Answers


@pytest.mark.parametrize(
    ("query", "status"), [("1", 200), ("2", 200), ("3", 404), ("x", 404), ("9" * 400, 404), ("%00", 400)]
)
def test_a_bad_page_of_a_function_is_404(app: App, query: str, status: int) -> None:
    @app.get("/")
    def index(page: str) -> list[str]:
        return list(Paginator(BEATLES, 2).page(page))

    assert app.test_client().get(f"/?page={query}").status_code == status


def test_errors_of_pages_are_answers() -> None:
    assert issubclass(PageNotAnInteger, InvalidPage)
    assert issubclass(EmptyPage, InvalidPage)
    assert issubclass(InvalidPage, NotFound)
