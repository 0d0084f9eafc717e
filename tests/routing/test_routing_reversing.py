"""From endpoints to URLs."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count
from typing import Any

import pytest

from segue.routing import BuildError, Router, RouteTable


@pytest.fixture
def router() -> Router:
    table = RouteTable()
    lines = count(1)

    def add(path: str, endpoint: str, **options: Any) -> None:
        place = f"urls.py:{next(lines)}"
        table.add(table.rule(path, endpoint=endpoint, place=place, **options), endpoint)

    add("/", "index")
    add("/u/<int:pk>", "user")
    add("/n/<name>", "name")
    add("/f/<path:file>", "file")
    add("/d/<date:day>/x", "day")
    add("/x/<float:x>", "number")
    add("/users", "users", defaults={"page": 1})
    add("/users/page/<int:page>", "users")
    add("/front", "front", defaults={"page": 1})
    add("/lang/<lang>", "lang", defaults={"lang": "en"})
    add("/tags/page/<int:page>", "tags")
    add("/tags", "tags", defaults={"page": 1})
    add("/tags/<tag>/page/<int:page>", "tags")
    add(r"^archive/(?P<year>\d{4})/(?:(?P<month>\d{2})/)?$", "archive", is_regex=True)
    add(r"^old/(\d+)/(\w+)\.html$", "old", is_regex=True)
    add(r"^two/(?P<a>\w+?)(?P<b>\w*)$", "two", is_regex=True)
    add(r"^odd/\d+/$", "odd", is_regex=True)
    add(r"^(?P<anything>.*)$", "anything", is_regex=True)
    return table.compile()


@pytest.mark.parametrize(
    ("endpoint", "values", "url"),
    [
        ("index", {}, "/"),
        ("user", {"pk": 5}, "/u/5"),
        ("user", {"pk": "5"}, "/u/5"),
        ("user", {"pk": 5, "q": "a b&c", "none": None}, "/u/5?q=a+b%26c"),
        ("user", {"pk": 5, "tag": ["x", "y"]}, "/u/5?tag=x&tag=y"),
        ("name", {"name": "жук ?#%\\;"}, "/n/%D0%B6%D1%83%D0%BA%20%3F%23%25%5C;"),
        ("name", {"name": "%2e%2e"}, "/n/%252e%252e"),
        ("file", {"file": "a/b c.txt"}, "/f/a/b%20c.txt"),
        ("day", {"day": date(2024, 2, 29)}, "/d/2024-02-29/x"),
        ("number", {"x": 1e-7}, "/x/0.0000001"),
        ("number", {"x": 3}, "/x/3.0"),
        ("number", {"x": 1e16}, "/x/10000000000000000.0"),
        ("users", {}, "/users"),
        ("users", {"page": 1}, "/users"),
        ("users", {"page": 2}, "/users/page/2"),
        ("tags", {"page": 1}, "/tags"),
        ("tags", {"page": 2}, "/tags/page/2"),
        ("tags", {"page": 2, "tag": "x"}, "/tags/x/page/2"),
        ("tags", {"tag": "x"}, "/tags?tag=x"),
        ("lang", {}, "/lang/en"),
        ("lang", {"lang": "de"}, "/lang/de"),
        ("archive", {"year": 2024}, "/archive/2024/"),
        ("archive", {"year": "2024", "month": "02", "x": 1}, "/archive/2024/02/?x=1"),
        ("anything", {"anything": "a/b"}, "/a/b"),
    ],
)
def test_a_url_is_made_of_an_endpoint_and_values(
    router: Router, endpoint: str, values: dict[str, Any], url: str
) -> None:
    assert router.url_for(endpoint, values) == url


def test_positional_values_fill_groups_without_names_or_parameters_in_order(router: Router) -> None:
    assert router.url_for("old", args=[5, "page"]) == "/old/5/page.html"
    assert router.url_for("user", args=[5]) == "/u/5"


def test_an_anchor_stands_at_the_end(router: Router) -> None:
    assert router.url_for("user", {"pk": 5, "a": 1}, anchor="top of é") == "/u/5?a=1#top%20of%20%C3%A9"


def test_an_unknown_endpoint_is_answered_with_the_nearest_names(router: Router) -> None:
    with pytest.raises(LookupError) as caught:
        router.url_for("usr")

    assert isinstance(caught.value, BuildError)
    assert caught.value.code == "routing/unknown-endpoint"
    assert "user" in caught.value.hint
    assert caught.value.endpoint == "usr"


@pytest.mark.parametrize("name", ["os.system", "builtins:eval", "", "../user"])
def test_only_names_of_routes_are_endpoints(router: Router, name: str) -> None:
    with pytest.raises(BuildError) as caught:
        router.url_for(name, {"command": "true"})

    assert caught.value.code == "routing/unknown-endpoint"


@pytest.mark.parametrize(
    ("endpoint", "values", "name", "place"),
    [
        ("user", {}, "`pk`", "urls.py:2"),
        ("user", {"pk": None}, "`pk`", "urls.py:2"),
        ("archive", {"month": "02"}, "`year`", "urls.py:14"),
        ("old", {}, "a positional value", "urls.py:15"),
    ],
)
def test_a_missing_parameter_is_named_with_its_rule(
    router: Router, endpoint: str, values: dict[str, Any], name: str, place: str
) -> None:
    with pytest.raises(BuildError) as caught:
        router.url_for(endpoint, values)

    assert caught.value.code == "routing/missing-parameter"
    assert name in caught.value.message
    assert caught.value.where == place


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("user", {"pk": -1}),
        ("user", {"pk": "x"}),
        ("user", {"pk": 2**63}),
        ("user", {"pk": True}),
        ("user", {"pk": 5.0}),
        ("front", {"page": 2}),
        ("name", {"name": "a/b"}),
        ("name", {"name": ""}),
        ("name", {"name": ".."}),
        ("name", {"name": "."}),
        ("name", {"name": "a\nb"}),
        ("name", {"name": "\ud800"}),
        ("file", {"file": "/evil.example"}),
        ("file", {"file": "a/../b"}),
        ("file", {"file": ""}),
        ("day", {"day": datetime(2024, 2, 29, 1)}),
        ("day", {"day": "2024-02-30"}),
        ("number", {"x": float("nan")}),
        ("number", {"x": float("inf")}),
        ("number", {"x": 1e300}),
        ("number", {"x": "no number"}),
        ("number", {"x": object()}),
        ("archive", {"year": "24"}),
        ("archive", {"year": "2024", "month": "2"}),
        ("anything", {"anything": "/evil.example"}),
        ("anything", {"anything": ".."}),
        ("anything", {"anything": "\x00"}),
        ("anything", {"anything": "\ud800"}),
        ("odd", {}),
        ("two", {"a": "x", "b": "y/z"}),
        ("two", {"a": "xx", "b": "yz"}),
        ("user", {"pk": 5, "q": "\ud800"}),
    ],
)
def test_a_value_that_the_route_would_not_take_is_refused(
    router: Router, endpoint: str, values: dict[str, Any]
) -> None:
    with pytest.raises(BuildError) as caught:
        router.url_for(endpoint, values)

    assert caught.value.code == "routing/bad-value"
