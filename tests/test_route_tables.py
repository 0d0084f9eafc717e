"""Django-style tables, and regular expressions in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from segue import include, path, re_path
from segue.errors import SetupError
from segue.routing import Match, NotAllowed, Redirect, Router, RouteTable
from segue.tables import flatten


def view(name: str = "view") -> Any:
    return lambda: name


def compile_table(entries: Any, prefix: str = "") -> Router:
    table = RouteTable()
    for number, entry in enumerate(flatten(entries)):
        rule = table.rule(
            entry.path,
            endpoint=entry.name or f"unnamed{number}",
            defaults=entry.kwargs,
            is_regex=entry.is_regex,
            prefix=prefix,
            place=entry.place,
        )
        table.add(rule, entry.name)
    return table.compile()


def parameters(router: Router, request_path: str) -> Any:
    match = router.resolve("GET", request_path)
    return (match.target, match.parameters) if isinstance(match, Match) else match


def values(router: Router, request_path: str) -> Any:
    match = router.resolve("GET", request_path)
    return match.values if isinstance(match, Match) else match


def test_a_table_is_a_list_of_entries_with_their_places() -> None:
    entry, *_ = flatten([path("profile/<int:pk>/", view(), {"tab": "music"}, name="profile")])

    assert (entry.path, entry.name, entry.kwargs) == ("/profile/<int:pk>/", "profile", {"tab": "music"})
    assert entry.place.partition(":")[0].endswith("test_route_tables.py")


def test_the_root_of_a_table_is_the_empty_text() -> None:
    assert [entry.path for entry in flatten([path("", view())])] == ["/"]


def test_an_included_table_stands_below_its_prefix_and_namespace() -> None:
    inner = [path("", view(), name="index"), path("<slug:slug>/", view(), {"b": 2}, name="post")]
    outer = [path("blog/", include(inner, namespace="blog"), {"a": 1, "b": 1}), path("about", view(), name="about")]

    entries = flatten(outer)

    assert [(entry.path, entry.name) for entry in entries] == [
        ("/blog/", "blog.index"),
        ("/blog/<slug:slug>/", "blog.post"),
        ("/about", "about"),
    ]
    assert entries[1].kwargs == {"a": 1, "b": 2}


def test_namespaces_nest() -> None:
    deepest = [path("x", view(), name="x")]
    table = [path("a/", include([path("b/", include(deepest, namespace="b"))], namespace="a"))]

    assert [(entry.path, entry.name) for entry in flatten(table)] == [("/a/b/x", "a.b.x")]


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("routing_table_of_a_test")
    made.app_name = "shop"  # type: ignore[attr-defined]
    made.urlpatterns = [path("cart/", view(), name="cart")]  # type: ignore[attr-defined]
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


def test_a_module_or_its_name_is_a_table(module: ModuleType) -> None:
    by_name = flatten([path("shop/", include(module.__name__))])

    assert [(entry.path, entry.name) for entry in by_name] == [("/shop/cart/", "shop.cart")]
    assert [entry.name for entry in flatten([path("x/", include(module, namespace="other"))])] == ["other.cart"]
    assert [entry.path for entry in flatten(module)] == ["/cart/"]
    assert [entry.name for entry in flatten(([path("", view(), name="a")], "pair"))] == ["pair.a"]


def test_a_prefix_stands_before_everything() -> None:
    entries = flatten([path("a", view()), re_path(r"^b/(\d+)$", view())], prefix="/v1")

    assert [(entry.path, entry.is_regex) for entry in entries] == [("/v1/a", False), (r"v1/b/(\d+)", True)]


def test_a_class_is_made_a_view() -> None:
    class Page:
        @classmethod
        def as_view(cls) -> str:
            return "made"

    assert flatten([path("", Page)])[0].view == "made"


@pytest.mark.parametrize("table", [[view()], "sys", 7, [("a", view())], ["a"]])
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(SetupError) as caught:
        include(table)

    assert caught.value.code == "routing/bad-table"
    assert "test_route_tables.py" in caught.value.where


def test_named_groups_are_parameters_and_unnamed_ones_are_positional() -> None:
    router = compile_table(
        [
            re_path(r"^named/(?P<pk>\d+)/$", view(), name="named"),
            re_path(r"^unnamed/(\d+)/(\w+)/$", view(), name="unnamed"),
            re_path(r"^both/(?P<pk>\d+)/(\w+)/$", view(), name="both"),
        ]
    )

    assert parameters(router, "/named/5/") == ("named", {"pk": "5"})
    assert values(router, "/unnamed/5/x/") == ("5", "x")
    assert router.rules[1].value_names == (None, None)
    assert parameters(router, "/both/5/x/") == ("both", {"pk": "5"})
    assert values(router, "/both/5/x/") == ("5",)


def test_word_characters_are_those_of_every_language() -> None:
    router = compile_table([re_path(r"^profile/(?P<username>\w+)/$", view(), name="profile")])

    assert parameters(router, "/profile/жук/") == ("profile", {"username": "жук"})


@pytest.mark.parametrize("regex", [r"^a/(\d+)$", r"a/(\d+)", r"^/a/(\d+)$", r"/a/(\d+)", r"\Aa/(\d+)\Z"])
def test_a_regular_expression_is_matched_in_full_however_it_is_anchored(regex: str) -> None:
    router = compile_table([re_path(regex, view())])

    assert values(router, "/a/5") == ("5",)
    assert router.resolve("GET", "/a/5/more") is None
    assert router.resolve("GET", "/more/a/5") is None
    assert router.resolve("GET", "/a/5\n") is None
    assert router.resolve("GET", "//a/5") is None


def test_an_optional_group_that_took_no_part_is_none() -> None:
    router = compile_table([re_path(r"^a/(?:p(?P<page>\d+)/)?$", view(), name="a")])

    assert parameters(router, "/a/") == ("a", {"page": None})
    assert parameters(router, "/a/p3/") == ("a", {"page": "3"})


def test_regular_expressions_come_after_everything_else_in_their_order() -> None:
    router = compile_table(
        [
            re_path(r"^(?P<x>\d+)$", view(), name="first"),
            re_path(r"^(?P<x>\w+)$", view(), name="second"),
            path("<int:x>", view(), name="rule"),
            path("word", view(), name="static"),
        ]
    )

    assert parameters(router, "/5") == ("rule", {"x": 5})
    assert parameters(router, "/word") == ("static", {})
    assert parameters(router, "/other") == ("second", {"x": "other"})
    assert parameters(router, "/" + "5" * 30) == ("first", {"x": "5" * 30})
    assert router.find("/other") == ({"GET": "second", "HEAD": "second"}, ("other",))


def test_a_regular_expression_redirects_and_refuses_like_a_rule() -> None:
    router = compile_table([re_path(r"^archive/(\d{4})/$", view())])

    assert router.resolve("GET", "/archive/2024") == Redirect("/archive/2024/")
    assert router.resolve("POST", "/archive/2024/") == NotAllowed(frozenset({"GET", "HEAD", "OPTIONS"}))
    assert router.resolve("POST", "/archive/2024") is None


def test_a_regular_expression_without_strict_slashes_redirects_nobody() -> None:
    table = RouteTable()
    table.add(table.rule("^a/$", endpoint="a", is_regex=True, strict_slashes=False), "a")

    assert table.compile().resolve("GET", "/a") is None


def test_a_prefix_of_a_regular_expression_keeps_its_converters() -> None:
    table = [path("team/<int:team>/v1.0/", include([re_path(r"^archive/(?P<year>\d{4})/$", view(), name="year")]))]
    router = compile_table(table)

    assert parameters(router, "/team/7/v1.0/archive/2024/") == ("year", {"team": 7, "year": "2024"})
    assert router.resolve("GET", "/team/7/v1x0/archive/2024/") is None
    assert router.url_for("year", {"team": 7, "year": "2024"}) == "/team/7/v1.0/archive/2024/"


def test_a_rule_below_a_regular_expression_keeps_its_converters() -> None:
    router = compile_table([re_path(r"^(?P<lang>[a-z]{2})/", include([path("u/<int:pk>/", view(), name="user")]))])

    assert parameters(router, "/de/u/5/") == ("user", {"lang": "de", "pk": 5})


def test_a_blueprints_prefix_stands_before_a_regular_expression() -> None:
    router = compile_table([re_path(r"^a$|^b$", view(), name="ab")], prefix="/blog/<date:day>")

    assert parameters(router, "/blog/2024-02-29/b") is not None
    assert router.resolve("GET", "/blog/2024-02-30/b") is None
    assert router.resolve("GET", "/b") is None


def test_a_group_may_name_a_converter() -> None:
    router = compile_table([re_path(r"^y(?P<int(min=1900):year>)$", view(), name="year")])

    assert parameters(router, "/y1935") == ("year", {"year": 1935})
    assert router.resolve("GET", "/y1899") is None


@pytest.mark.parametrize("regex", ["(", "[a", "a**", "(?P<x>a)(?P<x>b)", "(?P<nonsense:x>)"])
def test_a_wrong_regular_expression_is_refused_with_its_place(regex: str) -> None:
    with pytest.raises(SetupError) as caught:
        compile_table([re_path(regex, view())])

    assert caught.value.code in ("routing/bad-rule", "routing/unknown-converter")
    assert "test_route_tables.py" in caught.value.where
