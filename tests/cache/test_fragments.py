"""SITES-7: `{% cache %}` makes a part of a page once, and never shows one user what is another's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from segue import App, arender_template, render_template, render_template_string
from segue.cache.errors import BadKey
from segue.errors import UsageError
from segue.templating import TemplateSyntaxError

PAGE = """{% cache 300, "side", who %}<b>{{ text }}{{ make() }}</b>{% endcache %}"""


class Maker:
    """Counts how often it is asked."""

    calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app with one page."""
    (tmp_path / "page.html").write_text(
        PAGE + "{% block rows %}<i>{% cache 60, 'rows' %}{{ make() }}{% endcache %}</i>{% endblock %}"
    )
    return App("tests_app", static_folder=None, template_folder=str(tmp_path))


def test_a_part_is_made_once_for_each_key(app: App) -> None:
    make = Maker()
    with app.context():
        pages = [render_template_string(PAGE, who=who, text="&", make=make) for who in (1, 1, 2, 1)]

    assert pages == ["<b>&amp;1</b>", "<b>&amp;1</b>", "<b>&amp;2</b>", "<b>&amp;1</b>"]


def test_parts_of_a_key_do_not_run_into_each_other(app: App) -> None:
    make = Maker()
    source = "{% cache 300, a, b %}{{ make() }}{% endcache %}"
    with app.context():
        pages = [
            render_template_string(source, a=a, b=b, make=make) for a, b in (("x", "yz"), ("xy", "z"), ("x", "yz"))
        ]

    assert pages == ["1", "2", "1"]


@pytest.mark.parametrize("who", [SimpleNamespace(name="Nina"), [1], object()])
def test_an_object_is_no_part_of_a_key(app: App, who: Any) -> None:
    with app.context(), pytest.raises(BadKey, match="cache 300"):
        render_template_string(PAGE, who=who, text="", make=Maker())


def test_a_name_that_is_not_there_is_no_part_of_a_key(app: App) -> None:
    with app.context(), pytest.raises(BadKey):
        render_template_string(PAGE, text="", make=Maker())


def test_a_tag_without_a_name_is_refused(app: App) -> None:
    with app.context(), pytest.raises(TemplateSyntaxError, match="takes the seconds, then a name"):
        render_template_string("{% cache 300 %}x{% endcache %}")


def test_a_block_within_or_around_is_rendered_alone(app: App) -> None:
    make = Maker()
    with app.context():
        whole = render_template("page.html", who=1, text="", make=make)
        block = render_template("page.html#rows", who=1, text="", make=make)

    assert (whole, block) == ("<b>1</b><i>2</i>", "<i>2</i>")


def test_an_async_handler_renders_it_too(app: App) -> None:
    make = Maker()

    @app.get("/")
    async def index() -> str:
        return await arender_template("page.html", who=1, text="", make=make)

    client = app.test_client()

    assert [client.get("/").text for _ in range(2)] == ["<b>1</b><i>2</i>"] * 2


def test_it_is_rendered_on_the_loop_where_nothing_waits(app: App) -> None:
    make = Maker()

    @app.get("/")
    async def index() -> str:
        return render_template("page.html", who=1, text="", make=make)

    client = app.test_client()

    assert [client.get("/").text for _ in range(2)] == ["<b>1</b><i>2</i>"] * 2


def test_on_the_loop_what_waits_names_the_async_rendering(tmp_path: Path) -> None:
    app = App("tests_app", config={"CACHES": f"file://{tmp_path}"}, static_folder=None, template_folder=None)

    async def story() -> None:
        render_template_string(PAGE, who=1, text="", make=Maker())

    with app.context(), pytest.raises(UsageError, match="await arender_template"):
        asyncio.run(story())


def test_two_apps_keep_their_parts_apart(app: App) -> None:
    make = Maker()
    other = App("other_app", static_folder=None, template_folder=None)
    pages: list[str] = []
    with app.context():
        pages.append(render_template_string(PAGE, who=1, text="", make=make))
    with other.context():
        pages.append(render_template_string(PAGE, who=1, text="", make=make))

    assert pages == ["<b>1</b>", "<b>2</b>"]
