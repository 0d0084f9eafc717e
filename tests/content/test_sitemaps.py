"""SITES-52, Q09: sitemaps of rows and lists, as sitemaps.org has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from content_models import Draft, Record

from segue import App
from segue.content import Sitemap, Sitemaps
from segue.errors import SegueError, SetupError

NS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class RecordSitemap(Sitemap):
    changefreq = "monthly"
    limit = 2

    def items(self) -> Any:
        return Record.objects.all()

    def lastmod(self, item: Record) -> date:
        return date(item.year, 8, 17)

    def priority(self, item: Record) -> float:
        return 0.75


def read(answer: Any) -> ElementTree.Element:
    assert answer.content_type == "application/xml; charset=utf-8", answer.text
    return ElementTree.fromstring(answer.body)


def locations(answer: Any) -> list[str | None]:
    return [each.text for each in read(answer).iter(f"{NS}loc")]


def store(app: App, count: int) -> None:
    app.db.create_all()
    Record.objects.using(app.db).bulk_create([Record(title=str(each)) for each in range(count)])


def test_a_queryset_and_a_list_are_sections(app: App, client: Callable[..., Any]) -> None:
    store(app, 2)
    app.register(Sitemaps({"records": Record.objects.all(), "pages": ["/", "/about/"]}))

    assert locations(client().get("/sitemap.xml")) == [
        "https://club.example/records/1",
        "https://club.example/records/2",
        "https://club.example/",
        "https://club.example/about/",
    ]


def test_a_section_says_when_and_how_often_its_items_change(app: App, client: Callable[..., Any]) -> None:
    store(app, 1)
    app.register(Sitemaps({"records": RecordSitemap}))

    entry = read(client().get("/sitemap.xml"))[0]

    assert {each.tag.removeprefix(NS): each.text for each in entry} == {
        "loc": "https://club.example/records/1",
        "lastmod": "1959-08-17",
        "changefreq": "monthly",
        "priority": "0.8",
    }


def test_over_the_limit_there_is_an_index_of_files(app: App, client: Callable[..., Any]) -> None:
    store(app, 5)
    app.register(Sitemaps({"records": RecordSitemap, "pages": ["/"]}))
    browser = client()

    index = locations(browser.get("/sitemap.xml"))
    pages = [locations(browser.get(f"/sitemap-records-{number}.xml")) for number in (1, 2, 3)]

    assert index[:3] == [f"https://club.example/sitemap-records-{number}.xml" for number in (1, 2, 3)]
    assert index[3] == "https://club.example/sitemap-pages-1.xml"
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({each for page in pages for each in page}) == 5


@pytest.mark.slow
def test_fifty_thousand_addresses_are_the_most_of_one_file(app: App, client: Callable[..., Any]) -> None:
    app.register(Sitemaps({"pages": [f"/{number}" for number in range(50_001)]}))
    browser = client()

    assert len(locations(browser.get("/sitemap.xml"))) == 2
    assert locations(browser.get("/sitemap-pages-2.xml")) == ["https://club.example/50000"]


@pytest.mark.parametrize("path", ["/sitemap-records-0.xml", "/sitemap-records-4.xml", "/sitemap-other-1.xml"])
def test_a_file_that_is_not_in_the_index_is_not_found(app: App, client: Callable[..., Any], path: str) -> None:
    store(app, 5)
    app.register(Sitemaps({"records": RecordSitemap}))

    assert client().get(path).status_code == 404


def test_what_a_policy_hides_from_nobody_is_in_no_sitemap(app: App, client: Callable[..., Any]) -> None:
    app.db.create_all()
    Draft.objects.using(app.db).bulk_create([Draft(title="hidden"), Draft(title="shown", is_public=True)])
    app.register(Sitemaps({"drafts": Draft.objects.all()}))

    assert locations(client().get("/sitemap.xml")) == ["https://club.example/drafts/2"]


def test_addresses_are_escaped_and_encoded(app: App, client: Callable[..., Any]) -> None:
    app.register(Sitemaps({"pages": ["/a?x=1&y=\"<'>", "/ü b", "https://other.example/"]}))

    answer = client().get("/sitemap.xml")

    assert locations(answer)[1:] == ["https://club.example/%C3%BC%20b", "https://other.example/"]
    assert b"x=1&amp;y=" in answer.body


@pytest.mark.parametrize("location", ["javascript:alert(1)", "about/", "//evil.example/", "/a\x00b", "/a\nb"])
def test_what_is_no_address_is_an_error(app: App, location: str) -> None:
    app.register(Sitemaps({"pages": [location]}))

    with pytest.raises(SegueError) as caught:
        app.test_client().get("/sitemap.xml")

    assert caught.value.code == "content/bad-link"


def test_a_moment_has_its_time_zone(app: App, client: Callable[..., Any]) -> None:
    class Pages(Sitemap):
        lastmod = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

        def items(self) -> list[str]:
            return ["/"]

    app.register(Sitemaps({"pages": Pages()}))

    assert "<lastmod>2026-01-02T03:04:05+00:00</lastmod>" in client().get("/sitemap.xml").text


def test_a_misspelt_name_is_an_error_where_it_stands() -> None:
    with pytest.raises(SetupError, match="lastmodd") as caught:

        class Pages(Sitemap):
            lastmodd = None

    assert (caught.value.code, "lastmod" in caught.value.hint) == ("content/unknown-name", True)
    assert "test_sitemaps.py" in caught.value.where


def test_a_section_without_items_says_what_to_write(app: App) -> None:
    class Pages(Sitemap):
        pass

    app.register(Sitemaps({"pages": Pages}))

    with pytest.raises(SetupError, match="does not say") as caught:
        app.test_client().get("/sitemap.xml")

    assert caught.value.code == "content/incomplete"


def test_things_without_an_address_are_an_error(app: App) -> None:
    app.register(Sitemaps({"pages": [object()]}))

    with pytest.raises(SegueError) as caught:
        app.test_client().get("/sitemap.xml")

    assert caught.value.code == "content/no-link"


@pytest.mark.parametrize(("name", "value"), [("changefreq", "fortnightly"), ("priority", 2)])
def test_a_value_that_no_sitemap_knows_is_an_error(app: App, name: str, value: Any) -> None:
    section = type("Pages", (Sitemap,), {"items": lambda self: ["/"], name: value})
    app.register(Sitemaps({"pages": section}))

    with pytest.raises(SetupError) as caught:
        app.test_client().get("/sitemap.xml")

    assert caught.value.code == "content/bad-value"


def test_the_name_of_a_section_stands_in_addresses(app: App) -> None:
    with pytest.raises(SetupError) as caught:
        Sitemaps({"a/b": []})

    assert caught.value.code == "content/bad-section"
