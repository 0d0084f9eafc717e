"""SITES-1 to SITES-10: templates and static files, through an app and its answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue import (
    App,
    Blueprint,
    Request,
    arender_template,
    render_template,
    render_template_string,
    stream_template,
    template_rendered,
    url_for,
)

PAGE = "<h1>{{ title }}</h1>{% block rows %}{% for row in rows %}<li>{{ row }}{% endfor %}{% endblock %}<footer>"


class Values(msgspec.Struct):
    title: str
    rows: list[str]


@pytest.fixture
def site(tmp_path: Path) -> App:
    """An app with templates and static files beside it."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    (tmp_path / "templates" / "page.txt").write_text("{{ title }}")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "app.css").write_text("body{}")
    app = App("core_site", static_folder=str(tmp_path / "static"), template_folder=str(tmp_path / "templates"))
    app.testing = True
    return app


VALUES = {"title": "<script>", "rows": ["a", "b"]}
RENDERED = "<h1>&lt;script&gt;</h1><li>a<li>b<footer>"
WAYS: dict[str, Callable[[], Any]] = {
    "keywords": lambda: render_template("page.html", title="<script>", rows=["a", "b"]),
    "mapping": lambda: render_template("page.html", VALUES),
    "struct": lambda: render_template("page.html", Values("<script>", ["a", "b"])),
    "both": lambda: render_template("page.html", {"title": "x", "rows": ["a", "b"]}, title="<script>"),
    "text": lambda: render_template_string(PAGE, VALUES),
    "stream": lambda: stream_template("page.html", VALUES),
}


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize("way", WAYS)
def test_a_page_is_rendered_from_values_of_each_kind(
    site: App, client: Callable[..., Any], colour: str, way: str
) -> None:
    def plain() -> Any:
        return WAYS[way]()

    async def coroutine() -> Any:
        return WAYS[way]()

    site.get("/")(plain if colour == "def" else coroutine)

    answer = client(app=site).get("/")

    assert answer.text == RENDERED
    assert answer.content_type == "text/html; charset=utf-8"


def test_an_async_handler_may_render_in_a_thread(site: App, client: Callable[..., Any]) -> None:
    @site.get("/")
    async def index() -> str:
        return await arender_template("page.html", VALUES)

    assert client(app=site).get("/").text == RENDERED


def test_a_text_template_is_not_escaped(site: App, client: Callable[..., Any]) -> None:
    site.get("/")(lambda: render_template("page.txt", VALUES))

    assert client(app=site).get("/").text == "<script>"


def test_one_block_is_that_part_of_the_page(site: App, client: Callable[..., Any]) -> None:
    site.get("/")(lambda: render_template("page.html", VALUES))
    site.get("/rows")(lambda: render_template("page.html#rows", VALUES))
    browser = client(app=site)

    whole, part = browser.get("/").body, browser.get("/rows").body

    assert part == b"<li>a<li>b"
    assert part in whole


class Member:
    def __init__(self) -> None:
        self.deleted = 0

    def get_full_name(self) -> str:
        return "Nina Simone"

    def delete(self) -> str:
        self.deleted += 1
        return "gone"

    delete.alters_data = True  # type: ignore[attr-defined]


def test_a_bound_method_is_called_unless_it_alters_data(client: Callable[..., Any]) -> None:
    app = App("core_production", static_folder=None, template_folder=None, config={"ALLOWED_HOSTS": ["localhost"]})
    member = Member()
    app.get("/")(lambda: render_template_string("{{ member.get_full_name }}|{{ member.delete }}", member=member))
    app.compile()

    answer = client(app=app).get("/")

    assert answer.text == "Nina Simone|"
    assert member.deleted == 0


def test_a_misspelt_name_says_which_was_meant(site: App) -> None:
    site.get("/")(lambda: render_template_string("{{ usr }}", user="x"))

    with pytest.raises(Exception, match="usr") as caught:
        site.test_client().get("/")

    assert "user" in caught.value.hint  # type: ignore[attr-defined]


def test_a_processor_runs_only_where_its_name_is_used(site: App, client: Callable[..., Any]) -> None:
    ran: list[str] = []

    @site.context_processor
    def names() -> dict[str, str]:
        ran.append("ran")
        return {"author": "Ann"}

    site.get("/uses")(lambda: render_template_string("{{ author }}"))
    site.get("/ignores")(lambda: render_template_string("x"))
    browser = client(app=site)

    ignored = browser.get("/ignores").text
    before = list(ran)
    used = browser.get("/uses").text

    assert (ignored, before, used, ran) == ("x", [], "Ann", ["ran"])


def test_filters_tests_and_globals_need_no_more_than_a_decorator(site: App, client: Callable[..., Any]) -> None:
    site.template_filter("loud")(lambda text: text.upper())
    site.template_test("short")(lambda text: len(text) < 3)
    site.template_global("twice")(lambda number: number * 2)
    source = "{{ 'a' | loud }} {{ 'a' is short }} {{ twice(2) }} {{ config.STATIC_URL }} "
    source += "{{ request.path }} {{ url_for('i') }}"
    site.get("/here", endpoint="i")(lambda: render_template_string(source))

    assert client(app=site).get("/here").text == "A True 4 /static/ /here /here"


def test_of_three_copies_the_apps_is_rendered(site: App, client: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shared.html").write_text(name)
        (folder / "page.html").write_text(name)
        site.register(Blueprint(name, __name__, static_folder=None, template_folder=str(folder)))
    site.get("/")(lambda: render_template("shared.html"))
    site.get("/page")(lambda: render_template("page.html", VALUES))
    browser = client(app=site)

    assert browser.get("/").text == "first"
    assert browser.get("/page").text == RENDERED


def test_a_missing_template_names_the_nearest_and_every_path(site: App, tmp_path: Path) -> None:
    site.get("/")(lambda: render_template("pgae.html"))

    with pytest.raises(LookupError) as caught:
        site.test_client().get("/")

    text = str(caught.value)
    assert "pgae.html" in text
    assert str(tmp_path / "templates") in text
    assert "page.html" in text


def test_a_rendering_is_told_to_who_listens(site: App, client: Callable[..., Any]) -> None:
    heard: list[str] = []
    site.on(template_rendered)(lambda sender, template, **named: heard.append(template.name))
    site.get("/")(lambda: render_template("page.html", VALUES))

    client(app=site).get("/")

    assert heard == ["page.html"]


# SITES-10


def test_a_static_file_has_a_name_by_its_content_and_may_be_kept_for_ever(
    site: App, client: Callable[..., Any]
) -> None:
    site.get("/")(lambda: render_template_string("{{ static('app.css') }}"))
    browser = client(app=site)

    link = browser.get("/").text
    by_hash, by_name = browser.get(link), browser.get("/static/app.css")

    assert re.fullmatch(r"/static/app\.[0-9a-f]{12}\.css", link)
    assert by_hash.text == by_name.text == "body{}"
    assert "immutable" in by_hash.headers["cache-control"]
    assert "immutable" not in by_name.headers["cache-control"]
    assert browser.get(link, headers={"if-none-match": by_hash.headers["etag"]}).status_code == 304


def test_static_files_may_be_on_another_host(site: App, client: Callable[..., Any]) -> None:
    site.config["STATIC_URL"] = "https://cdn.example/assets"
    site.get("/")(lambda: render_template_string("{{ static('app.css') }}"))
    browser = client(app=site)

    assert re.fullmatch(r"https://cdn\.example/assets/app\.[0-9a-f]{12}\.css", browser.get("/").text)
    assert browser.get("/static/app.css").status_code == 404


def test_a_compressed_copy_is_sent_as_it_is(site: App, client: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "static" / "app.css.br").write_bytes(b"not really brotli")

    answer = client(app=site).get("/static/app.css", headers={"accept-encoding": "br"})

    assert answer.body == b"not really brotli"
    assert answer.headers["content-encoding"] == "br"


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_an_early_answer_of_a_hook_can_be_a_page(site: App, client: Callable[..., Any], colour: str) -> None:
    def plain(request: Request) -> str:
        return render_template("page.html", VALUES)

    async def coroutine(request: Request) -> str:
        return await arender_template("page.html", VALUES)

    site.before_request(plain if colour == "def" else coroutine)
    site.get("/")(lambda: "never")

    assert client(app=site).get("/").text == RENDERED


def test_a_template_in_a_stream_knows_its_request(site: App, client: Callable[..., Any]) -> None:
    @site.get("/here", endpoint="here")
    def show() -> Iterator[str]:
        yield render_template_string("{{ request.path }} ")
        yield url_for("here")

    assert client(app=site).get("/here").text == "/here /here"
