"""CORE-9, CORE-10: blueprints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from segue import (
    App,
    Blueprint,
    Request,
    Response,
    SetupError,
    UsageError,
    render_template,
    render_template_string,
    request_started,
    url_for,
)
from segue.cli import call_command
from segue.errors import Conflict, NotFound
from segue.routing import Converter


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a template and a static file, which a blueprint is made in."""
    (tmp_path / "templates" / "blog").mkdir(parents=True)
    (tmp_path / "templates" / "blog" / "page.html").write_text("page of the blog")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "blog.css").write_text("a{}")
    module = ModuleType("core_blog")
    module.__file__ = str(tmp_path / "__init__.py")
    monkeypatch.setitem(sys.modules, "core_blog", module)
    return "core_blog"


class Shout(Converter):
    regex = "[A-Z]+"

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value.upper()


def furnished(name: str, log: list[str]) -> Blueprint:
    """A blueprint with one of everything."""
    blog = Blueprint("blog", name)

    @blog.before_request
    def before() -> None:
        log.append("before")

    @blog.after_request
    def after(response: Response) -> None:
        response.headers["x-blog"] = "yes"

    @blog.middleware
    def around(request: Request) -> Iterator[None]:
        log.append("middleware")
        yield

    @blog.errorhandler(Conflict)
    def conflict(error: Conflict) -> tuple[str, int]:
        return "the blog's own conflict", 409

    @blog.context_processor
    def names() -> dict[str, str]:
        return {"author": "Ann"}

    @blog.get("/")
    def index() -> str:
        return render_template_string("by {{ author }}")

    @blog.get("/page")
    async def page() -> str:
        return render_template("blog/page.html")

    @blog.get("/conflict")
    def fail() -> str:
        raise Conflict()

    @blog.get("/shout/<shout:word>")
    def shout(word: str) -> str:
        return word

    @blog.get("/urls")
    def urls() -> list[str]:
        return [url_for(".index"), url_for("blog.shout", word="hi"), url_for("blog.static", filename="blog.css")]

    @blog.command
    def greet(who: str) -> str:
        """Greet somebody."""
        return f"hello {who}"

    blog.add_converter("shout", Shout)
    blog.on(request_started)(lambda sender, **named: log.append("signal"))
    return blog


@pytest.fixture
def site(app: App, package: str) -> tuple[App, list[str]]:
    """An app with a blueprint at /blog and a page of its own."""
    log: list[str] = []
    app.register(furnished(package, log), prefix="/blog")

    @app.get("/")
    def home() -> str:
        return render_template_string("{{ author is defined }}")

    @app.get("/conflict")
    async def fail() -> str:
        raise Conflict()

    return app, log


def test_routes_stand_below_the_prefix_alone(site: Any, client: Callable[..., Any]) -> None:
    browser = client()

    assert browser.get("/blog/").text == "by Ann"
    assert browser.get("/page").status_code == 404


def test_templates_and_static_files_come_along(site: Any, client: Callable[..., Any]) -> None:
    browser = client()

    assert browser.get("/blog/page").text == "page of the blog"
    assert browser.get("/static/blog/blog.css").text == "a{}"


def test_a_name_within_the_blueprint_is_enough_and_endpoints_have_its_name(
    site: Any, client: Callable[..., Any]
) -> None:
    urls = client().get("/blog/urls").json

    assert urls[:2] == ["/blog/", "/blog/shout/HI"]
    assert urls[2].startswith("/static/blog/blog.")


def test_converters_come_along(site: Any, client: Callable[..., Any]) -> None:
    browser = client()

    assert browser.get("/blog/shout/HELLO").text == "hello"
    assert browser.get("/blog/shout/hello").status_code == 404


def test_hooks_and_middleware_run_for_its_routes_alone(site: Any, client: Callable[..., Any]) -> None:
    _, log = site
    browser = client()

    inside = browser.get("/blog/")
    ran = [each for each in log if each != "signal"]
    log.clear()
    outside = browser.get("/")

    assert ran == ["middleware", "before"]
    assert inside.headers["x-blog"] == "yes"
    assert [each for each in log if each != "signal"] == []
    assert "x-blog" not in outside.headers


def test_error_handlers_answer_for_its_routes_alone(site: Any, client: Callable[..., Any]) -> None:
    browser = client()

    assert browser.get("/blog/conflict").text == "the blog's own conflict"
    assert "blog" not in browser.get("/conflict").text


def test_names_for_templates_are_known_in_its_routes_alone(site: Any, client: Callable[..., Any]) -> None:
    browser = client()

    assert browser.get("/blog/").text == "by Ann"
    assert browser.get("/").text == "False"


def test_receivers_come_along(site: Any, client: Callable[..., Any]) -> None:
    _, log = site

    client().get("/")

    assert log == ["signal"]


def test_commands_come_along(site: Any) -> None:
    app, _ = site

    with app.context():
        assert call_command("blog", "greet", "Bob") == "hello Bob"


def test_an_app_without_the_blueprint_has_nothing_of_it(app: App, client: Callable[..., Any]) -> None:
    browser = client()

    assert browser.get("/blog/").status_code == 404
    assert browser.get("/static/blog/blog.css").status_code == 404
    assert app.view_functions == {}


def test_the_app_wide_hooks_of_a_blueprint_run_everywhere(app: App, client: Callable[..., Any]) -> None:
    log: list[str] = []
    blog = Blueprint("blog", __name__, static_folder=None, template_folder=None)

    @blog.before_app_request
    def before() -> None:
        log.append("before")

    @blog.after_app_request
    async def after(response: Response) -> None:
        log.append("after")

    @blog.teardown_app_request
    def teardown(error: BaseException | None) -> None:
        log.append("teardown")

    @blog.app_errorhandler(404)
    def lost(error: NotFound) -> str:
        return "lost"

    @blog.app_context_processor
    def names() -> dict[str, str]:
        return {"site": "club"}

    @blog.app_template_filter("loud")
    def loud(text: str) -> str:
        return text.upper()

    app.register(blog)
    app.get("/")(lambda: render_template_string("{{ site | loud }}"))
    browser = client()

    assert browser.get("/").text == "CLUB"
    assert log == ["before", "after", "teardown"]
    answer = browser.get("/nowhere")
    assert (answer.status_code, answer.text) == (404, "lost")


def test_blueprints_nest(app: App, client: Callable[..., Any]) -> None:
    log: list[str] = []
    outer = Blueprint("a", __name__, prefix="/a", static_folder=None)
    inner = Blueprint("b", __name__, prefix="/b", static_folder=None)
    outer.before_request(lambda: log.append("outer"))
    inner.before_request(lambda: log.append("inner"))

    @inner.get("/view/<int:pk>")
    def view(pk: int) -> list[str]:
        return [url_for("a.b.view", pk=pk), url_for(".view", pk=2)]

    outer.register(inner)
    app.register(outer)

    assert client().get("/a/b/view/1").json == ["/a/b/view/1", "/a/b/view/2"]
    assert log == ["outer", "inner"]


def test_register_decides_prefix_name_and_host(app: App, client: Callable[..., Any]) -> None:
    blog = Blueprint("blog", __name__, prefix="/blog", static_folder=None)

    @blog.get("/", endpoint="index")
    def index(request: Request) -> str:
        return str(request.endpoint)

    app.config["ALLOWED_HOSTS"] = ["localhost", "news.example.com"]
    app.register(blog)
    app.register(blog, prefix="/news", name="news")
    app.register(blog, prefix="/on", name="hosted", host="news.example.com")
    browser = client(base_url="http://news.example.com")

    assert browser.get("/blog/").text == "blog.index"
    assert browser.get("/news/").text == "news.index"
    assert browser.get("/on/").text == "hosted.index"
    assert client().get("/on/").status_code == 404


def test_registering_twice_is_an_error_that_names_both_places(app: App) -> None:
    blog = Blueprint("blog", __name__)
    app.register(blog, prefix="/one")
    app.register(blog, prefix="/two")

    with pytest.raises(SetupError) as caught:
        app.compile()

    first, second = caught.value.where.splitlines()
    assert caught.value.code == "app/registered-twice"
    assert "test_core_blueprints.py" in first
    assert "test_core_blueprints.py" in second
    assert first != second
    assert "name=" in caught.value.hint


def test_a_blueprint_that_another_requires_is_named_when_missing(app: App) -> None:
    app.register(Blueprint("comments", __name__, requires=["blog"]))

    with pytest.raises(SetupError, match="'comments' requires 'blog'") as caught:
        app.compile()

    assert caught.value.code == "app/missing-blueprint"


def test_a_required_blueprint_may_come_later(app: App) -> None:
    app.register(Blueprint("comments", __name__, requires=["blog"]))
    app.register(Blueprint("blog", __name__))

    assert [part.name for part in app.compile().parts] == [None, "comments", "blog"]


def test_a_circle_of_requirements_is_drawn(app: App) -> None:
    app.register(Blueprint("a", __name__, requires=["b"]))
    app.register(Blueprint("b", __name__, requires=["a"]))

    with pytest.raises(SetupError, match="a → b → a") as caught:
        app.compile()

    assert caught.value.code == "app/blueprint-cycle"


def test_a_circle_of_blueprints_within_each_other_is_drawn(app: App) -> None:
    first, second = Blueprint("a", __name__), Blueprint("b", __name__)
    first.register(second)
    second.register(first)
    app.register(first)

    with pytest.raises(SetupError, match="a → b → a"):
        app.compile()


PREFIXES: list[Callable[[App], Any]] = [
    lambda app: Blueprint("blog", __name__, url_prefix="/blog"),
    lambda app: app.register_blueprint(Blueprint("blog", __name__), url_prefix="/blog"),
]


@pytest.mark.parametrize("say", PREFIXES, ids=["constructor", "registration"])
def test_the_name_that_flask_has_for_the_prefix_hints_at_ours(app: App, say: Callable[[App], Any]) -> None:
    with pytest.raises(UsageError) as caught:
        say(app)

    assert caught.value.code == "app/renamed"
    assert "prefix='/blog'" in caught.value.hint


def test_the_constructor_of_flask_is_understood() -> None:
    blog = Blueprint("blog", __name__, static_folder="assets", template_folder="pages")

    assert (blog.name, blog.static_folder, blog.template_folder) == ("blog", "assets", "pages")


@pytest.mark.parametrize("name", ["", "a.b"])
def test_a_name_that_endpoints_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(SetupError) as caught:
        Blueprint(name, __name__)

    assert caught.value.code == "app/bad-name"


def test_a_thing_that_is_neither_blueprint_nor_battery_is_refused(app: App) -> None:
    with pytest.raises(SetupError) as caught:
        app.register(object())

    assert caught.value.code == "app/not-registrable"
    assert "app.add" in caught.value.hint


def test_a_battery_without_its_parentheses_is_told_to_have_them(app: App) -> None:
    class Shop:
        def install(self, setup: object) -> None:
            """Install nothing."""

    with pytest.raises(SetupError, match=r"app\.register\(Shop\(\)\)"):
        app.register(Shop)
