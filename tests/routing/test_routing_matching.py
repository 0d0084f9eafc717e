"""Which rule answers a request, and what is said where none does."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from segue.routing import WEBSOCKET, Match, NotAllowed, Redirect, Router, RouteTable
from segue.web.advice import explain


def site(*routes: str | tuple[str, dict[str, Any]]) -> Router:
    """Make a router of paths; a target is its path as written, with its methods where they are not GET."""
    table = RouteTable()
    for route in routes:
        path, options = (route, {}) if isinstance(route, str) else route
        methods = options.get("methods", ["GET"])
        target = path if methods == ["GET"] else f"{' '.join(methods)} {path}"
        table.add(table.rule(path, endpoint=target, **options), target)
    return table.compile()


def answer(router: Router, path: str, method: str = "GET", host: str = "") -> Any:
    found = router.resolve(method, path, host)
    return found.target if isinstance(found, Match) else found


ORDERED = (
    "/u/me",
    "/u/v<int:n>",
    "/u/<any(a, b):w>",
    "/u/<int:n>",
    "/u/<float:f>",
    "/u/<slug:s>",
    "/u/<x>",
    "/<path:p>",
)


@pytest.mark.parametrize("order", [ORDERED, ORDERED[::-1], *list(permutations(ORDERED))[::5039]])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/u/me", "/u/me"),
        ("/u/v7", "/u/v<int:n>"),
        ("/u/a", "/u/<any(a, b):w>"),
        ("/u/7", "/u/<int:n>"),
        ("/u/7.5", "/u/<float:f>"),
        ("/u/vx", "/u/<slug:s>"),
        ("/u/é", "/u/<x>"),
        ("/u/a/b", "/<path:p>"),
    ],
)
def test_the_most_specific_rule_wins_in_every_order(order: tuple[str, ...], path: str, expected: str) -> None:
    assert answer(site(*order), path) == expected


@pytest.mark.parametrize("turn", [1, -1])
def test_more_literal_text_comes_first_whatever_the_converters(turn: int) -> None:
    rules = ["/a/<slug:s>", "/a/v<x>", "/<path:p>/s/<x>", "/<path:p>/<int:n>", "/<path:p>/<x>/end"][::turn]
    router = site(*rules)

    assert answer(router, "/a/vab") == "/a/v<x>"
    assert router.find("/a/vab") == ({"GET": "/a/v<x>", "HEAD": "/a/v<x>"}, ("ab",))
    assert answer(router, "/z/s/5") == "/<path:p>/s/<x>"
    assert answer(router, "/z/s/end") == "/<path:p>/<x>/end"


def test_a_slash_to_come_is_seen_before_a_parameter_in_its_place() -> None:
    router = site("/a/<x>", "/a/b/")

    assert router.find("/a/b") == ({}, ())
    assert router.resolve("GET", "/a/b") == Redirect("/a/b/")
    assert router.find("/a/c") == ({"GET": "/a/<x>", "HEAD": "/a/<x>"}, ("c",))


def test_equals_are_tried_in_the_order_of_registration() -> None:
    assert answer(site("/<int(min=1):a>", "/<int:b>"), "/5") == "/<int(min=1):a>"
    assert answer(site("/<int:b>", "/<int(min=1):a>"), "/5") == "/<int:b>"


def test_a_choice_that_fails_further_right_is_taken_back() -> None:
    router = site("/a/<int:n>/x", "/a/<s>/y", "/<p>/7/z", "/<path:rest>/end")

    assert answer(router, "/a/7/x") == "/a/<int:n>/x"
    assert answer(router, "/a/7/y") == "/a/<s>/y"
    assert answer(router, "/a/7/z") == "/<p>/7/z"
    assert answer(router, "/a/7/w/end") == "/<path:rest>/end"
    assert answer(router, "/a/7/w") is None


def test_values_come_in_the_order_of_the_rule() -> None:
    match = site("/<a>/v<int:b>.<int:c>-<d>/<path:e>/raw").resolve("GET", "/x/v1.2-z/p/q/raw")

    assert isinstance(match, Match)
    assert match.values == ("x", 1, 2, "z", "p/q")
    assert match.parameters == {"a": "x", "b": 1, "c": 2, "d": "z", "e": "p/q"}


@pytest.mark.parametrize(
    ("rule", "path", "values"),
    [
        ("/<slug:a>-<int:b>", "/kind-of-blue-1959", ("kind-of-blue", 1959)),
        ("/<int:a>-<slug:b>", "/1959-kind-of-blue", (1959, "kind-of-blue")),
        ("/<a>-<b>-<c>", "/w-x-y-z", ("w", "x-y", "z")),
        ("/<any(a-b, a):a>-<b>", "/a-b-c", ("a-b", "c")),
        ("/<date:a>-<int:b>", "/2024-02-29-7", (date(2024, 2, 29), 7)),
        ("/<a>.<b>", "/archive.tar.gz", ("archive.tar", "gz")),
        ("/<a>.html", "/a.html.html", ("a.html",)),
        ("/v<int:a>", "/v7", (7,)),
        ("/<path:a>/x/<path:b>/end", "/1/x/2/x/3/end", ("1/x/2", "3")),
        ("/<path:a>/<path:b>/<int:c>", "/1/2/3/4", ("1", "2/3", 4)),
    ],
)
def test_text_that_could_be_parted_in_several_ways_is_parted_in_one(
    rule: str, path: str, values: tuple[Any, ...]
) -> None:
    match = site(rule).resolve("GET", path)

    assert isinstance(match, Match)
    assert match.values == values


@pytest.mark.parametrize(
    "rule", ["/<a>-<b>-<c>-<d>-end", "/<path:a>-<path:b>-<path:c>-end", "/<path:a>/<path:b>/<path:c>/end"]
)
@pytest.mark.parametrize("text", ["-", "a-", "a/", "a"])
def test_a_long_path_that_could_be_parted_in_many_ways_is_refused_at_once(rule: str, text: str) -> None:
    # Trying them all would take longer than anybody waits.
    assert site(rule).resolve("GET", "/" + text * 1500 + "x") is None


def test_rules_with_other_names_share_a_path_and_keep_their_names() -> None:
    router = site("/u/<int:pk>", ("/u/<int:id>", {"methods": ["POST"]}))

    get, post = router.resolve("GET", "/u/5"), router.resolve("POST", "/u/5")

    assert isinstance(get, Match)
    assert isinstance(post, Match)
    assert (get.parameters, post.parameters) == ({"pk": 5}, {"id": 5})
    assert router.find("/u/5") == ({"GET": "/u/<int:pk>", "HEAD": "/u/<int:pk>", "POST": "POST /u/<int:id>"}, (5,))


def test_paths_without_parameters_are_in_a_dictionary() -> None:
    router = site("/", "/about", "/u/<int:pk>")

    assert router.static == {"/": {"GET": "/", "HEAD": "/"}, "/about": {"GET": "/about", "HEAD": "/about"}}
    assert router.find("/about") is None


def test_defaults_are_among_the_parameters_of_a_match() -> None:
    match = site(("/users", {"defaults": {"page": 1}})).resolve("GET", "/users")

    assert isinstance(match, Match)
    assert match.parameters == {"page": 1}
    assert match.values == ()


def test_another_method_is_refused_with_those_that_exist() -> None:
    router = site(("/a", {"methods": ["POST"]}), ("/b/<x>", {"methods": ["GET"]}))

    assert router.resolve("GET", "/a") == NotAllowed(frozenset({"OPTIONS", "POST"}))
    assert router.resolve("DELETE", "/b/1") == NotAllowed(frozenset({"GET", "HEAD", "OPTIONS"}))
    assert router.resolve("OPTIONS", "/a") == NotAllowed(frozenset({"OPTIONS", "POST"}))


def test_a_less_specific_rule_answers_the_methods_that_the_better_one_lacks() -> None:
    router = site(("/u/me", {"methods": ["POST"]}), "/u/<name>")

    assert answer(router, "/u/me") == "/u/<name>"
    assert answer(router, "/u/me", "POST") == "POST /u/me"
    assert router.resolve("PUT", "/u/me") == NotAllowed(frozenset({"GET", "HEAD", "POST", "OPTIONS"}))


def test_head_is_answered_by_get_unless_it_has_its_own() -> None:
    assert answer(site("/a"), "/a", "HEAD") == "/a"
    assert answer(site("/a", ("/a", {"methods": ["HEAD"]})), "/a", "HEAD") == "HEAD /a"
    assert answer(site("/<x>", ("/<x>", {"methods": ["HEAD"]})), "/a", "HEAD") == "HEAD /<x>"


def test_a_missing_slash_is_redirected() -> None:
    router = site("/a/", "/u/<int:pk>/", "/f/<path:p>/")

    assert router.resolve("GET", "/a") == Redirect("/a/", 308)
    assert router.resolve("HEAD", "/u/5") == Redirect("/u/5/")
    assert router.resolve("GET", "/f/a/b") == Redirect("/f/a/b/")


def test_a_slash_too_many_is_not_found() -> None:
    router = site("/a", "/u/<int:pk>")

    assert router.resolve("GET", "/a/") is None
    assert router.resolve("GET", "/u/5/") is None


def test_a_rule_that_swallows_everything_does_not_stop_a_slash_redirect() -> None:
    router = site("/admin/", "/users/<int:pk>/", "/<path:rest>")

    assert router.resolve("GET", "/admin") == Redirect("/admin/")
    assert router.resolve("GET", "/users/5") == Redirect("/users/5/")
    assert router.find("/admin") == ({}, ())
    assert answer(router, "/users/x") == "/<path:rest>"


def test_only_a_method_that_is_answered_there_is_redirected() -> None:
    router = site("/a/", ("/a", {"methods": ["POST"]}))

    assert router.resolve("GET", "/a") == Redirect("/a/")
    assert answer(router, "/a", "POST") == "POST /a"
    assert router.resolve("PUT", "/a") == NotAllowed(frozenset({"GET", "HEAD", "OPTIONS", "POST"}))


def test_without_strict_slashes_both_forms_are_answered() -> None:
    loose = {"strict_slashes": False}
    router = site(("/a/", loose), ("/b", loose), ("/u/<int:pk>", loose), ("/v/<int:pk>/", loose), ("/", loose))

    assert [answer(router, path) for path in ("/a", "/a/", "/b", "/b/")] == ["/a/", "/a/", "/b", "/b"]
    assert [answer(router, path) for path in ("/u/5", "/u/5/")] == ["/u/<int:pk>"] * 2
    assert [answer(router, path) for path in ("/v/5", "/v/5/")] == ["/v/<int:pk>/"] * 2


def test_an_own_rule_comes_before_the_other_form_of_a_loose_one() -> None:
    router = site(("/a/", {"strict_slashes": False}), "/a")

    assert answer(router, "/a") == "/a"


@pytest.mark.parametrize("path", ["/\\evil.example", "/é", "/a b", "/%2f", "/x?y", "/x#y"])
def test_a_redirect_stays_on_this_site_and_is_encoded(path: str) -> None:
    redirect = site("/<name>/").resolve("GET", path)

    assert isinstance(redirect, Redirect)
    assert redirect.location.startswith("/")
    assert not redirect.location.startswith("//")
    assert redirect.location.isascii()
    assert not set(redirect.location) & set("\\ ?#")
    assert redirect.location.endswith("/")


@pytest.mark.parametrize("path", ["//evil.example", "/\t/evil.example", "/\t", "/a\n", "/a\r\nx: y", "//"])
@pytest.mark.parametrize("rule", ["/<name>/", "/<path:p>/", "/<a>/<b>/", "/<path:p>"])
def test_a_redirect_is_never_made_of_a_damaged_path(rule: str, path: str) -> None:
    assert site(rule).resolve("GET", path) is None


@pytest.mark.parametrize("path", ["/private\n", "/admin\n/", "/admin/\n", "/private\x00", "", "*", "private"])
def test_a_static_path_is_matched_to_the_letter(path: str) -> None:
    assert site("/private", "/admin/").resolve("GET", path) is None


@pytest.mark.parametrize("path", ["", "*", "5", "x/5", "evil.example/5", "http://evil.example/5", "u/5"])
def test_a_target_without_a_first_slash_is_no_path(path: str) -> None:
    table = RouteTable()
    for rule in ("/<int:x>", "/<a>/<b>", "/<path:p>", "/u/<int:x>"):
        table.add(table.rule(rule, endpoint=rule), rule)
    table.add(table.rule(".*", endpoint="all", is_regex=True), "all")
    router = table.compile()

    assert router.find(path) is None
    assert router.resolve("GET", path) is None


def test_websockets_and_methods_live_on_one_path() -> None:
    table = RouteTable()
    table.add(table.rule("/live", endpoint="page"), "page")
    table.add(table.rule("/live", endpoint="socket", websocket=True), "socket")
    table.add(table.rule("/only", endpoint="only", websocket=True), "only")
    router = table.compile()

    assert answer(router, "/live") == "page"
    assert answer(router, "/live", WEBSOCKET) == "socket"
    assert router.resolve("POST", "/live") == NotAllowed(frozenset({"GET", "HEAD", "OPTIONS"}), websocket=True)
    assert router.resolve("GET", "/only") == NotAllowed(frozenset(), websocket=True)
    assert router.resolve(WEBSOCKET, "/nothing") is None


def test_a_websocket_is_never_redirected() -> None:
    table = RouteTable()
    table.add(table.rule("/live/", endpoint="socket", websocket=True), "socket")
    table.add(table.rule("/page/", endpoint="page"), "page")
    router = table.compile()

    assert answer(router, "/live/", WEBSOCKET) == "socket"
    assert router.resolve(WEBSOCKET, "/live") is None
    assert router.resolve(WEBSOCKET, "/page") is None


def test_one_rule_may_have_several_targets() -> None:
    table = RouteTable()
    rule = table.rule("/a", endpoint="a", methods=["GET", "POST"])
    table.add(rule, "reads", methods=["GET"])
    table.add(rule, "writes", methods=["POST"])
    router = table.compile()

    assert router.static["/a"] == {"GET": "reads", "HEAD": "reads", "POST": "writes"}
    assert router.rules == (rule,)


def test_a_router_does_not_see_what_is_added_later() -> None:
    table = RouteTable()
    router = table.compile()
    table.add(table.rule("/late", endpoint="late"), "late")

    assert router.resolve("GET", "/late") is None
    assert answer(table.compile(), "/late") == "late"


def test_a_lookup_tries_no_more_choices_among_many_routes() -> None:
    calls: list[str] = []

    def count(converter: Any) -> None:
        accept = converter.accept

        def counted(text: str) -> Any:
            calls.append(text)
            return accept(text)

        converter.accept = counted

    table = RouteTable()
    for number in range(2000):
        rule = table.rule(f"/r{number}/<int:pk>/edit", endpoint=f"e{number}")
        count(rule.parameters["pk"])
        table.add(rule, number)
    router = table.compile()

    found = router.find("/r1234/5/edit")

    assert found is not None
    assert found[0]["GET"] == 1234
    assert calls == ["5"]


def test_near_misses_are_explained() -> None:
    rules = site("/items/<int:pk>", ("/save", {"methods": ["POST"]}), "/about", "/far/away/from/this").rules

    assert "does not take 'abc' as <pk> (IntConverter)" in explain(rules, "GET", "/items/abc")[0]
    assert "answers POST, not GET" in explain(rules, "GET", "/save")[0]
    assert "has 'about', not 'abuot'" in explain(rules, "GET", "/abuot")[0]
    assert "has no slash at the end" in explain(rules, "GET", "/about/")[0]
    assert explain(rules, "GET", "/entirely/other") == []
