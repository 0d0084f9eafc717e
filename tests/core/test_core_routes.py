"""CORE-30 to CORE-40: routes, through an app and its answers."""

from __future__ import annotations

import datetime
import random
import sys
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from segue import (
    App,
    Blueprint,
    Request,
    SetupError,
    UsageError,
    include,
    path,
    re_path,
    redirect,
    render_template_string,
    url_for,
    url_for_lazy,
)
from segue.routing import Converter

# CORE-30


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
@pytest.mark.parametrize("colour", ["def", "async def"])
def test_each_method_has_its_decorator(app: App, client: Callable[..., Any], method: str, colour: str) -> None:
    def plain(request: Request) -> tuple[str, int]:
        return request.method, 203

    async def coroutine(request: Request) -> tuple[str, int]:
        return request.method, 203

    getattr(app, method)("/x")(plain if colour == "def" else coroutine)

    answer = getattr(client(), method)("/x")

    assert answer.status_code == 203
    assert answer.text == ("" if method == "head" else method.upper())


def test_a_decorator_and_add_url_rule_make_equal_rules() -> None:
    def view(pk: int) -> str:
        return ""

    one, other = App("one", static_folder=None), App("other", static_folder=None)
    one.route("/x/<int:pk>", methods=["GET", "POST"], endpoint="x")(view)
    other.add_url_rule("/x/<int:pk>", "x", view, methods=["GET", "POST"])

    assert list(one.url_map) == list(other.url_map)
    assert one.url_map[0] == other.url_map[0]


def test_sugar_for_one_method_is_route_with_that_method() -> None:
    one, other = App("one", static_folder=None), App("other", static_folder=None)
    one.post("/x", endpoint="x")(lambda: "")
    other.route("/x", methods=["POST"], endpoint="x")(lambda: "")

    assert one.url_map[0] == other.url_map[0]


# CORE-31: the rules of Flask's quickstart, unchanged, and the further converters


class Even(Converter):
    regex = r"\d+"

    def to_python(self, value: str) -> int:
        if int(value) % 2:
            raise ValueError(value)
        return int(value) // 2

    def to_url(self, value: int) -> str:
        return str(value * 2)


CONVERTED: list[tuple[str, str, Any]] = [
    ("/user/<username>", "/user/ann", "ann"),
    ("/user/<username>", "/user/%D0%B6%D1%83%D0%BA", "жук"),
    ("/post/<int:post_id>", "/post/7", 7),
    ("/path/<path:subpath>", "/path/a/b/c", "a/b/c"),
    ("/f/<float:x>", "/f/1.5", 1.5),
    ("/u/<uuid:x>", f"/u/{uuid.UUID(int=1)}", str(uuid.UUID(int=1))),
    ("/s/<slug:x>", "/s/kind-of-blue", "kind-of-blue"),
    ("/d/<date:x>", "/d/1959-08-17", "1959-08-17"),
    ("/a/<any(cats, dogs):x>", "/a/dogs", "dogs"),
    ("/l/<string(length=2):x>", "/l/de", "de"),
    ("/i/<int(min=1, max=9):x>", "/i/9", 9),
    ("/e/<even:x>", "/e/8", 4),
]
REFUSED = [
    ("/post/<int:post_id>", "/post/x"),
    ("/post/<int:post_id>", "/post/-1"),
    ("/f/<float:x>", "/f/1"),
    ("/u/<uuid:x>", "/u/1"),
    ("/s/<slug:x>", "/s/a%20b"),
    ("/d/<date:x>", "/d/1959-02-30"),
    ("/a/<any(cats, dogs):x>", "/a/birds"),
    ("/l/<string(length=2):x>", "/l/deu"),
    ("/i/<int(min=1, max=9):x>", "/i/10"),
    ("/user/<username>", "/user/a/b"),
    ("/e/<even:x>", "/e/7"),
]


def add_echo(app: App, rule: str) -> None:
    app.add_converter("even", Even)

    def echo(**values: Any) -> list[Any]:
        (value,) = values.values()
        return [str(value) if isinstance(value, uuid.UUID | datetime.date) else value, type(value).__name__]

    app.get(rule)(echo)


@pytest.mark.parametrize(("rule", "url", "value"), CONVERTED, ids=[each[1] for each in CONVERTED])
def test_a_rule_converts_its_values(app: App, client: Callable[..., Any], rule: str, url: str, value: Any) -> None:
    add_echo(app, rule)

    assert client().get(url).json[0] == value


@pytest.mark.parametrize(("rule", "url"), REFUSED, ids=[each[1] for each in REFUSED])
def test_a_failed_conversion_is_not_found(app: App, client: Callable[..., Any], rule: str, url: str) -> None:
    add_echo(app, rule)

    assert client().get(url).status_code == 404


def test_defaults_fill_what_a_rule_does_not_have(app: App, client: Callable[..., Any]) -> None:
    def page(number: int) -> list[int]:
        return [number]

    app.add_url_rule("/pages/", "page", page, defaults={"number": 1})
    app.add_url_rule("/pages/<int:number>", "page_number", page)
    browser = client()

    assert browser.get("/pages/").json == [1]
    assert browser.get("/pages/3").json == [3]


# CORE-32


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_named_groups_are_keywords_and_unnamed_ones_positions(
    app: App, client: Callable[..., Any], colour: str
) -> None:
    def by_name(pk: str) -> list[str]:
        return ["named", pk]

    async def aby_name(pk: str) -> list[str]:
        return ["named", pk]

    def by_position(request: Request, *args: str, **kwargs: str) -> list[Any]:
        return [*args, kwargs]

    async def aby_position(request: Request, *args: str, **kwargs: str) -> list[Any]:
        return [*args, kwargs]

    plain = colour == "def"
    app.include(
        [
            re_path(r"^named/(?P<pk>\d+)/$", by_name if plain else aby_name, name="named"),
            re_path(r"^position/(\d+)/(\w+)/$", by_position if plain else aby_position, name="position"),
            re_path(r"^both/(\d+)/(?P<word>\w+)/$", by_position if plain else aby_position, name="both"),
        ]
    )
    browser = client()

    assert browser.get("/named/7/").json == ["named", "7"]
    assert browser.get("/position/7/x/").json == ["7", "x", {}]
    assert browser.get("/both/7/x/").json == [{"word": "x"}]


def test_word_characters_of_a_pattern_are_those_of_every_language(app: App, client: Callable[..., Any]) -> None:
    app.include([re_path(r"^profile/(?P<name>\w+)/$", lambda name: name, name="profile")])

    assert client().get("/profile/жук/").text == "жук"
    assert client().get("/profile/a-b/").status_code == 404


# CORE-33


class Page:
    """A class-based view in its smallest form."""

    methods = frozenset({"GET", "POST"})

    @classmethod
    def as_view(cls, **options: Any) -> Callable[..., Any]:
        def view(request: Request, **values: Any) -> list[Any]:
            return [cls.__name__, request.method, values, options]

        view.__name__ = cls.__name__
        view.methods = cls.methods  # type: ignore[attr-defined]
        return view


@pytest.fixture
def urls(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a table of its own, to be included by its name."""
    module = ModuleType("core_blog_urls")
    module.urlpatterns = [  # type: ignore[attr-defined]
        path("", lambda: "list", name="list"),
        path("<int:pk>/", lambda pk: f"detail {pk}", name="detail"),
    ]
    module.app_name = "blog"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "core_blog_urls", module)
    return module


def test_a_table_with_an_included_module_is_served(app: App, client: Callable[..., Any], urls: ModuleType) -> None:
    app.include([path("", lambda: "home", name="home"), path("blog/", include("core_blog_urls"))])
    app.get("/urls")(lambda: [url_for("home"), url_for("blog.list"), url_for("blog.detail", pk=3)])
    browser = client()

    assert browser.get("/").text == "home"
    assert browser.get("/blog/").text == "list"
    assert browser.get("/blog/7/").text == "detail 7"
    assert browser.get("/urls").json == ["/", "/blog/", "/blog/3/"]


# Tables as they stand in Django projects; nothing but the line of the import is changed.
URLCONFS: dict[str, tuple[str, dict[str, str]]] = {
    "functions": (
        """
from django.urls import path

urlpatterns = [
    path("articles/2003/", views.special, name="special"),
    path("articles/<int:year>/", views.year, name="year"),
    path("articles/<int:year>/<int:month>/<slug:slug>/", views.article, name="article"),
]
""",
        {
            "/articles/2003/": "special []",
            "/articles/2004/": "year [2004]",
            "/articles/2004/5/x-y/": "article [2004, 5, 'x-y']",
        },
    ),
    "expressions": (
        """
from django.urls import path, re_path

urlpatterns = [
    re_path(r"^articles/(?P<year>[0-9]{4})/$", views.year),
    re_path(r"^articles/(?P<year>[0-9]{4})/(?P<slug>[\\w-]+)/$", views.article),
    path("", views.special),
]
""",
        {"/articles/2004/": "year ['2004']", "/articles/2004/a-b/": "article ['2004', 'a-b']", "/": "special []"},
    ),
    "nested": (
        """
from django.urls import include, path

history = [path("", views.special, name="history"), path("<int:year>/", views.year, name="one")]
urlpatterns = [
    path("pages/<slug:slug>/", include(history)),
    path("shop/", include((history, "shop"))),
]
""",
        {"/pages/a/": "special ['a']", "/pages/a/2004/": "year ['a', 2004]", "/shop/2004/": "year [2004]"},
    ),
    "classes": (
        """
from django.urls import path

app_name = "polls"
urlpatterns = [
    path("", views.Page.as_view(), name="index"),
    path("<int:pk>/", views.Page.as_view(), name="detail"),
]
""",
        {"/": "Page []", "/7/": "Page [7]"},
    ),
    "extras": (
        """
from django.urls import path

urlpatterns = [
    path("blog/<int:year>/", views.extra, {"section": "news"}, name="blog"),
    path("files/<path:name>", views.year, name="file"),
]
""",
        {"/blog/2004/": "extra [2004, 'news']", "/files/a/b.txt": "year ['a/b.txt']"},
    ),
}


@pytest.mark.parametrize("name", URLCONFS)
def test_a_table_of_django_loads_with_only_its_import_changed(app: App, client: Callable[..., Any], name: str) -> None:
    def view_called(called: str) -> Callable[..., str]:
        return lambda request, **values: f"{called} {list(values.values())}"

    class Views:
        special, year, article, extra = map(view_called, ("special", "year", "article", "extra"))

        class Page:
            @classmethod
            def as_view(cls) -> Callable[..., str]:
                return view_called("Page")

    for view in ("special", "year", "article", "extra"):
        setattr(Views, view, staticmethod(getattr(Views, view)))
    source, answers = URLCONFS[name]
    module = ModuleType(f"core_urls_{name}")
    module.views = Views  # type: ignore[attr-defined]
    exec(source.replace("from django.urls import", "from segue import"), vars(module))

    app.include(module)
    browser = client()

    assert {url: browser.get(url).text for url in answers} == answers


def test_a_module_with_urlpatterns_is_a_table(app: App, client: Callable[..., Any], urls: ModuleType) -> None:
    app.include(urls, prefix="/news/")

    assert client().get("/news/7/").text == "detail 7"


def test_views_of_classes_and_extra_values_are_taken_from_a_table(app: App, client: Callable[..., Any]) -> None:
    app.include(
        [
            path("page/<int:pk>/", Page.as_view(title="x"), name="page"),
            path("old/", lambda year: [year], {"year": 1959}, name="old"),
        ]
    )
    browser = client()

    assert browser.post("/page/7/").json == ["Page", "POST", {"pk": 7}, {"title": "x"}]
    assert browser.delete("/page/7/").status_code == 405
    assert browser.get("/old/").json == [1959]


def test_a_blueprint_includes_a_table_below_its_prefix(app: App, client: Callable[..., Any]) -> None:
    shop = Blueprint("shop", __name__, prefix="/shop", static_folder=None)
    shop.include([path("items/<int:pk>/", lambda pk: url_for(".item", pk=pk + 1), name="item")])
    app.register(shop)

    assert client().get("/shop/items/1/").text == "/shop/items/2/"


# CORE-34


RULES = ["/a/<path:x>", "/a/<x>", "/a/<int:x>", "/a/7", "/a/<any(7, 8):x>"]


@pytest.mark.parametrize("order", [RULES, RULES[::-1], random.Random(5).sample(RULES, 5)], ids=["as is", "back", "any"])
def test_static_beats_converter_beats_path_in_every_order(
    app: App, client: Callable[..., Any], order: list[str]
) -> None:
    def says(rule: str) -> Callable[..., str]:
        return lambda **values: rule

    for number, rule in enumerate(order):
        app.add_url_rule(rule, f"r{number}", says(rule))
    browser = client()

    found = {url: browser.get(url).text for url in ("/a/7", "/a/9", "/a/word", "/a/b/c")}

    assert found == {"/a/7": "/a/7", "/a/9": "/a/<int:x>", "/a/word": "/a/<x>", "/a/b/c": "/a/<path:x>"}


@pytest.mark.slow
def test_an_app_of_ten_thousand_routes_starts_and_finds_each(app: App, client: Callable[..., Any]) -> None:
    def view_of(number: int) -> Callable[[int], list[int]]:
        def view(pk: int) -> list[int]:
            return [number, pk]

        return view

    for number in range(10_000):
        app.add_url_rule(f"/part{number % 100}/thing{number}/<int:pk>", f"thing{number}", view_of(number))
    browser = client()

    assert browser.get("/part0/thing0/1").json == [0, 1]
    assert browser.get("/part99/thing9999/5").json == [9999, 5]
    assert browser.get("/part1/thing9999/5").status_code == 404


# CORE-35


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_another_method_is_405_with_the_allowed_ones(app: App, client: Callable[..., Any], colour: str) -> None:
    def plain() -> str:
        return "made"

    async def coroutine() -> str:
        return "made"

    app.post("/things")(plain if colour == "def" else coroutine)

    answer = client().get("/things")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"


def test_head_is_get_without_its_body(app: App, client: Callable[..., Any]) -> None:
    app.get("/")(lambda: "hello")

    answer = client().head("/")

    assert (answer.status_code, answer.body, answer.headers["content-length"]) == (200, b"", "5")


def test_options_answers_by_itself(app: App, client: Callable[..., Any]) -> None:
    app.get("/x")(lambda: "")
    app.put("/x")(lambda: "")

    answer = client().options("/x")

    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PUT")


# CORE-36


def test_a_missing_slash_is_redirected_with_its_query(app: App, client: Callable[..., Any]) -> None:
    app.route("/a/", methods=["GET", "POST"])(lambda: "here")
    browser = client()

    answer = browser.get("/a?x=1")

    assert (answer.status_code, answer.location) == (308, "/a/?x=1")
    assert browser.post("/a").status_code == 308
    assert browser.get("/a?x=1", follow_redirects=True).text == "here"


def test_without_strict_slashes_both_forms_answer(app: App, client: Callable[..., Any]) -> None:
    app.get("/a/", strict_slashes=False)(lambda: "here")

    assert client().get("/a").text == "here"
    assert client().get("/a/").text == "here"


# CORE-37


def test_two_hosts_share_a_path(app: App, client: Callable[..., Any]) -> None:
    app.config["ALLOWED_HOSTS"] = [".example.com"]
    app.get("/", host="<tenant>.example.com", endpoint="tenant")(lambda tenant: f"tenant {tenant}")
    app.get("/", host="www.example.com", endpoint="www")(lambda: "www")
    app.get("/", host="<int:year>.archive.example.com", endpoint="archive")(lambda year: [year])

    assert client(base_url="http://www.example.com").get("/").text == "www"
    assert client(base_url="http://ann.example.com").get("/").text == "tenant ann"
    assert client(base_url="http://1959.archive.example.com").get("/").json == [1959]
    assert client(base_url="http://x.archive.example.com").get("/").status_code == 404


def test_a_subdomain_is_a_host_below_the_servers_name(app: App, client: Callable[..., Any]) -> None:
    app.config.update(SERVER_NAME="example.com", ALLOWED_HOSTS=[".example.com"])
    app.get("/", subdomain="<tenant>")(lambda tenant: tenant)

    assert client(base_url="http://ann.example.com").get("/").text == "ann"


# CORE-38


@pytest.fixture
def linked(app: App) -> App:
    """An app with a few endpoints to make URLs of."""
    blog = Blueprint("blog", __name__, prefix="/blog", static_folder=None)
    blog.get("/<int:pk>", endpoint="post")(lambda pk: url_for(".post", pk=pk + 1))
    app.register(blog)
    app.get("/musicians/<slug:slug>", endpoint="musician")(lambda slug: slug)
    return app


def test_urls_are_made_of_endpoints(linked: App) -> None:
    with linked.test_request_context("/blog/1"):
        assert url_for("musician", slug="ann", page=2, q="a b") == "/musicians/ann?page=2&q=a+b"
        assert url_for("musician", slug="ann", _anchor="top") == "/musicians/ann#top"
        assert url_for("musician", slug="ann", _external=True) == "http://localhost/musicians/ann"
        assert url_for("musician", slug="ann", _scheme="https") == "https://localhost/musicians/ann"
        assert url_for(".post", pk=2) == "/blog/2"


class Form:
    """What is made before any app runs."""

    success_url = url_for_lazy("musician", slug="ann", _anchor="top")


def test_a_lazy_url_is_made_where_it_is_used(linked: App) -> None:
    with linked.context():
        assert str(Form.success_url) == "/musicians/ann#top"
        assert Form.success_url == "/musicians/ann#top"
        assert Form.success_url != "/musicians/bob"
        assert f"{Form.success_url}" == "/musicians/ann#top"
        assert Form.success_url + "-1" == "/musicians/ann#top-1"
        assert "/x" + Form.success_url == "/x/musicians/ann#top"
        assert Form.success_url.startswith("/musicians")
        assert ("ann" in Form.success_url, len(Form.success_url), Form.success_url[0]) == (True, 18, "/")


def test_a_lazy_url_is_that_of_the_app_that_runs(linked: App) -> None:
    other = App("other", static_folder=None)
    other.get("/people/<slug:slug>", endpoint="musician")(lambda slug: slug)
    with linked.context():
        assert str(Form.success_url) == "/musicians/ann#top"

    with other.context():
        assert str(Form.success_url) == "/people/ann#top"


def test_a_lazy_url_is_redirected_to(linked: App, client: Callable[..., Any]) -> None:
    linked.get("/saved")(lambda: redirect(Form.success_url))

    assert client(app=linked).get("/saved", follow_redirects=False).headers["location"] == "/musicians/ann#top"


def test_a_lazy_url_stands_in_a_template(linked: App) -> None:
    with linked.context():
        shown = render_template_string("<a href='{{ url }}'>", url=url_for_lazy("musician", slug="ann", q="'", r="b"))

    assert shown == "<a href='/musicians/ann?q=%27&amp;r=b'>"


def test_a_lazy_url_needs_an_app_only_where_it_is_used() -> None:
    url = url_for_lazy("no.such.endpoint")

    assert repr(url) == "<LazyURL 'no.such.endpoint'>"
    with pytest.raises(UsageError):
        str(url)


def test_a_name_within_the_blueprint_is_found_while_it_answers(linked: App, client: Callable[..., Any]) -> None:
    assert client(app=linked).get("/blog/1").text == "/blog/2"


def test_an_unknown_endpoint_suggests_the_nearest(linked: App) -> None:
    with linked.context(), pytest.raises(LookupError, match=r"musicain") as caught:
        url_for("musicain", slug="x")

    assert caught.value.code == "routing/unknown-endpoint"  # type: ignore[attr-defined]
    assert "musician" in caught.value.hint  # type: ignore[attr-defined]


def test_a_missing_parameter_is_named_with_its_rule(linked: App) -> None:
    with linked.context(), pytest.raises(LookupError) as caught:
        url_for("musician")

    assert "slug" in str(caught.value)
    assert "/musicians/<slug:slug>" in str(caught.value)


def test_defaults_and_build_errors_have_their_hooks(app: App, client: Callable[..., Any]) -> None:
    app.get("/<lang>/about", endpoint="about")(
        lambda lang: url_for("about", lang="de") + " " + url_for("wiki", page="x")
    )

    @app.url_defaults
    def language(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", "en")

    @app.url_build_error
    def elsewhere(error: LookupError, endpoint: str, values: dict[str, Any]) -> str | None:
        return f"https://wiki.example/{values['page']}" if endpoint == "wiki" else None

    assert client().get("/fr/about").text == "/de/about https://wiki.example/x"
    with app.context():
        assert url_for("about") == "/en/about"


# CORE-39


def test_a_handler_that_reads_another_key_fails_at_the_start(app: App) -> None:
    def profile(request: Request, **kwargs: Any) -> str:
        return str(kwargs["username"])

    app.include([path("profile/<int:pk>/", profile, name="profile")])

    with pytest.raises(SetupError) as caught:
        app.compile()

    text = str(caught.value)
    assert caught.value.code == "routing/unknown-parameter"
    assert "test_core_routes.py:" in text
    assert "username" in text
    assert "pk" in text
    assert "profile" in text


def test_a_handler_that_takes_less_than_the_route_gives_fails_at_the_start(app: App) -> None:
    @app.get("/profile/<int:pk>")
    def profile() -> str:
        return ""

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert caught.value.code == "routing/unknown-parameter"
    assert "pk" in str(caught.value)


def test_a_handler_that_asks_for_more_than_the_route_gives_fails_at_the_start(app: App) -> None:
    @app.get("/profile/<int:pk>")
    def profile(slug, pk):  # type: ignore[no-untyped-def]
        return ""

    with pytest.raises(SetupError) as caught:
        app.compile()

    assert "slug" in str(caught.value)
    assert "profile" in str(caught.value)


# CORE-40


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_carries_parameters_and_query_over(app: App, client: Callable[..., Any], status: int) -> None:
    app.get("/new/<int:pk>", endpoint="new")(lambda pk: f"new {pk}")
    app.redirect("/old/<int:pk>", "new", status=status)
    browser = client()

    answer = browser.get("/old/7?page=2&q=a+b")

    assert (answer.status_code, answer.location) == (status, "/new/7?page=2&q=a+b")
    assert browser.get("/old/7", follow_redirects=True).text == "new 7"
    assert browser.get("/old/x").status_code == 404


def test_a_redirect_to_a_path_keeps_the_query(app: App, client: Callable[..., Any]) -> None:
    app.redirect("/old", "/new")

    answer = client().get("/old?a=1")

    assert (answer.status_code, answer.location) == (301, "/new?a=1")
