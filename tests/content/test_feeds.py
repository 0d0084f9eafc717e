"""SITES-52, Q09: feeds of RSS 2.0 and Atom, which show what their reader may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from content_models import Draft, Record

from segue import App, Markup, path
from segue.content import Enclosure, Feed
from segue.errors import SegueError, SetupError

ATOM = "{http://www.w3.org/2005/Atom}"


class RecordFeed(Feed):
    title = "New records"
    link = "/records/"
    description = "What came in."
    language = "en"
    categories = ("jazz",)
    ttl = 60
    feed_copyright = "The club"
    author_name = "Nina"
    author_email = "nina@club.example"

    def items(self) -> Any:
        return Record.objects.order_by("-year")[:2]

    def item_description(self, item: Record) -> str:
        return f"From {item.year}"

    def item_pubdate(self, item: Record) -> date:
        return date(item.year, 8, 17)

    def item_updateddate(self, item: Record) -> datetime:
        return datetime(item.year, 8, 18, 12, tzinfo=UTC)

    def item_categories(self) -> list[str]:
        return ["vinyl"]

    def item_enclosures(self, item: Record) -> list[Enclosure]:
        return [Enclosure(f"/sound/{item.pk}.mp3", 1000, "audio/mpeg")]


class AtomRecordFeed(RecordFeed):
    feed_type = "atom"


@pytest.fixture
def stored(app: App) -> App:
    app.db.create_all()
    titles = {"Kind of Blue": 1959, "Duets": 1962, "Live <&> ]]> \x01\x08\x1b\"now'": 1965}
    Record.objects.using(app.db).bulk_create([Record(title=title, year=year) for title, year in titles.items()])
    app.get("/records.xml")(RecordFeed)
    app.get("/records.atom")(AtomRecordFeed)
    return app


def read(answer: Any) -> ElementTree.Element:
    return ElementTree.fromstring(answer.body)


def test_rss_has_what_the_feed_says(stored: App, client: Callable[..., Any]) -> None:
    answer = client().get("/records.xml")

    channel = read(answer)[0]
    values = {each.tag: each.text for each in channel if each.tag != "item"}
    assert answer.content_type == "application/rss+xml; charset=utf-8"
    assert values == {
        "title": "New records",
        "link": "https://club.example/records/",
        "description": "What came in.",
        f"{ATOM}link": None,
        "language": "en",
        "copyright": "The club",
        "lastBuildDate": "Wed, 18 Aug 1965 12:00:00 +0000",
        "category": "jazz",
        "ttl": "60",
    }
    assert channel.find(f"{ATOM}link").attrib["href"] == "https://club.example/records.xml"  # type: ignore[union-attr]


def test_rss_has_the_items_in_their_order(stored: App, client: Callable[..., Any]) -> None:
    first, second = read(client().get("/records.xml")).iter("item")

    assert {each.tag: each.text for each in second} == {
        "title": "Duets",
        "link": "https://club.example/records/2",
        "description": "From 1962",
        "pubDate": "Fri, 17 Aug 1962 00:00:00 +0000",
        "guid": "https://club.example/records/2",
        "category": "vinyl",
        "enclosure": None,
    }
    assert second.find("enclosure").attrib["url"] == "https://club.example/sound/2.mp3"  # type: ignore[union-attr]
    assert first.find("title").text == "Live <&> ]]> \"now'"  # type: ignore[union-attr]


def test_atom_has_the_same(stored: App, client: Callable[..., Any]) -> None:
    answer = client().get("/records.atom")

    feed = read(answer)
    entry = feed.findall(f"{ATOM}entry")[1]
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    assert feed.find(f"{ATOM}author/{ATOM}name").text == "Nina"  # type: ignore[union-attr]
    assert feed.find(f"{ATOM}updated").text == "1965-08-18T12:00:00+00:00"  # type: ignore[union-attr]
    assert {each.tag.removeprefix(ATOM): each.text for each in entry if each.tag != f"{ATOM}link"} == {
        "title": "Duets",
        "id": "https://club.example/records/2",
        "updated": "1962-08-18T12:00:00+00:00",
        "published": "1962-08-17T00:00:00+00:00",
        "summary": "From 1962",
        "category": None,
    }


@pytest.mark.parametrize("address", ["/records.xml", "/records.atom"])
def test_characters_that_xml_lacks_are_left_out(stored: App, client: Callable[..., Any], address: str) -> None:
    body = client().get(address).body

    assert not [byte for byte in body if byte < 32 and byte not in b"\t\n\r"]
    assert b"]]&gt;" in body


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_a_description_is_html_only_where_it_says_so(app: App, client: Callable[..., Any], kind: Any) -> None:
    class Mixed(Feed):
        feed_type = kind
        title, link = "Mixed", "/"
        item_link = "/"

        def items(self) -> list[Any]:
            return ["<script>", Markup("<b>bold</b>")]

        def item_description(self, item: Any) -> Any:
            return item

    app.get("/mixed")(Mixed)
    found = [each for each in read(client().get("/mixed")).iter() if each.tag in ("description", f"{ATOM}summary")]

    texts = [(each.attrib.get("type"), each.text) for each in found if each.text]
    assert (
        texts[-2:]
        == {
            "rss": [(None, "&lt;script&gt;"), (None, "<b>bold</b>")],
            "atom": [("text", "<script>"), ("html", "<b>bold</b>")],
        }[kind]
    )


class DraftFeed(Feed):
    title, link = "Drafts", "/drafts/"

    def items(self) -> Any:
        return Draft.objects.order_by("pk")[:2]


@pytest.mark.parametrize(
    ("user", "titles"), [(None, ["public", "another"]), (SimpleNamespace(name="nina"), ["hers", "public"])]
)
def test_a_feed_shows_what_its_reader_may_see(
    app: App, client: Callable[..., Any], user: Any, titles: list[str]
) -> None:
    app.db.create_all()
    rows = [
        Draft(title="hidden"),
        Draft(title="hers", owner="nina"),
        Draft(title="public", is_public=True),
        Draft(title="another", is_public=True),
    ]
    Draft.objects.using(app.db).bulk_create(rows)
    app.request_attribute("user")(lambda request: user)
    app.get("/drafts.xml")(DraftFeed)

    answer = client().get("/drafts.xml")

    assert [each.find("title").text for each in read(answer).iter("item")] == titles  # type: ignore[union-attr]
    assert answer.headers["cache-control"] == "private, no-cache"


def test_a_feed_is_about_what_its_route_names(app: App, client: Callable[..., Any]) -> None:
    class YearFeed(Feed):
        link = "/"

        def get_object(self, request: Any, **kwargs: Any) -> int:
            return int(kwargs["year"])

        def title(self, year: int) -> str:
            return f"Records of {year}"

        def items(self, year: int) -> list[str]:
            return [f"one of {year}"]

        def item_link(self, item: str) -> str:
            return "/one"

        def item_guid(self, item: str) -> str:
            return "tag:one"

    app.include([path("years/<int:year>.xml", YearFeed())])
    channel = read(client().get("/years/1959.xml"))[0]

    assert channel.find("title").text == "Records of 1959"  # type: ignore[union-attr]
    guid = channel.find("item/guid")
    assert guid is not None
    assert (channel.find("item/title").text, guid.text, guid.attrib) == (  # type: ignore[union-attr]
        "one of 1959",
        "tag:one",
        {"isPermaLink": "false"},
    )


def test_a_misspelt_name_is_an_error_where_it_stands() -> None:
    with pytest.raises(SetupError, match="item_titel") as caught:

        class Wrong(Feed):
            def item_titel(self, item: Any) -> str:
                return ""

    assert (caught.value.code, "item_title" in caught.value.hint) == ("content/unknown-name", True)


@pytest.mark.parametrize("missing", ["title", "link", "items"])
def test_a_feed_without_what_it_needs_is_refused_at_its_route(app: App, missing: str) -> None:
    said = {"title": "T", "link": "/", "items": lambda self: []}
    del said[missing]

    with pytest.raises(SetupError, match=missing) as caught:
        app.get("/feed")(type("Part", (Feed,), said))

    assert caught.value.code == "content/incomplete"


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(SetupError, match="feed_type") as caught:
        type("Other", (Feed,), {"feed_type": "jsonfeed"})

    assert caught.value.code == "content/bad-value"


def test_an_address_with_another_scheme_is_an_error(app: App) -> None:
    said = {"title": "T", "link": "/", "items": lambda self: [1], "item_link": "javascript:alert(1)"}
    app.get("/feed")(type("Hostile", (Feed,), said))

    with pytest.raises(SegueError) as caught:
        app.test_client().get("/feed")

    assert caught.value.code == "content/bad-link"
