"""Rules that answer only some hosts."""

from __future__ import annotations

from typing import Any

import pytest

from segue.routing import Match, NotAllowed, Redirect, Router, RouteTable


@pytest.fixture
def router() -> Router:
    table = RouteTable(server_name="example.com")
    table.add(table.rule("/", endpoint="any"), "any host")
    table.add(table.rule("/plain", endpoint="plain"), "plain")
    table.add(table.rule("/", endpoint="tenant", host="<tenant>.example.com"), "tenant")
    table.add(table.rule("/", endpoint="numbered", host="<int:n>.example.com"), "numbered")
    table.add(table.rule("/", endpoint="api", subdomain="api"), "api")
    table.add(table.rule("/u/<int:pk>/", endpoint="user", host="<tenant>.example.com"), "user")
    table.add(table.rule("/save", endpoint="save", host="API.example.com", methods=["POST"]), "save")
    table.add(table.rule("/save", endpoint="form"), "form")
    return table.compile()


def answer(router: Router, host: str, path: str = "/", method: str = "GET") -> Any:
    found = router.resolve(method, path, host)
    return (found.target, found.values) if isinstance(found, Match) else found


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.example.com", ("api", ())),
        ("API.Example.COM:8000", ("api", ())),
        ("api.example.com.", ("api", ())),
        ("7.example.com", ("numbered", (7,))),
        ("blue.example.com", ("tenant", ("blue",))),
        ("a.b.example.com", ("any host", ())),
        ("example.com", ("any host", ())),
        ("blue.example.com.evil.test", ("any host", ())),
        ("blue.exampleXcom", ("any host", ())),
        (".example.com", ("any host", ())),
        ("[::1]:80", ("any host", ())),
        ("", ("any host", ())),
    ],
)
def test_the_most_specific_host_answers(router: Router, host: str, expected: tuple[str, tuple[Any, ...]]) -> None:
    found = router.find_for_host(host, "/")

    assert answer(router, host) == expected
    assert found is not None
    assert (found[0]["GET"], found[1]) == expected


def test_values_of_the_host_come_before_those_of_the_path(router: Router) -> None:
    match = router.resolve("GET", "/u/5/", "blue.example.com")

    assert isinstance(match, Match)
    assert match.values == ("blue", 5)
    assert match.parameters == {"tenant": "blue", "pk": 5}
    assert router.find_for_host("blue.example.com", "/u/5/") == ({"GET": "user", "HEAD": "user"}, ("blue", 5))


def test_a_path_that_a_host_rule_has_too_is_not_in_the_quick_dictionary(router: Router) -> None:
    assert list(router.static) == ["/plain"]
    assert router.has_hosts


def test_a_rule_without_a_host_answers_what_the_host_lacks(router: Router) -> None:
    assert answer(router, "api.example.com", "/save") == ("form", ())
    assert answer(router, "api.example.com", "/save", "POST") == ("save", ())
    assert answer(router, "example.com", "/save", "POST") == NotAllowed(frozenset({"GET", "HEAD", "OPTIONS"}))


def test_slashes_are_redirected_on_the_host_that_has_them(router: Router) -> None:
    assert router.resolve("GET", "/u/5", "blue.example.com") == Redirect("/u/5/")
    assert router.resolve("GET", "/u/5", "example.com") is None


def test_the_host_of_an_endpoint_is_made_of_its_values(router: Router) -> None:
    assert router.host_for("user", {"tenant": "blue", "pk": 5}) == "blue.example.com"
    assert router.url_for("user", {"tenant": "blue", "pk": 5}) == "/u/5/"
    assert router.host_for("any") == ""


def test_a_regular_expression_may_have_a_host() -> None:
    table = RouteTable()
    table.add(table.rule(r"^y/(\d+)$", endpoint="y", host="<t>.example.com", is_regex=True), "y")

    assert answer(table.compile(), "a.example.com", "/y/2026") == ("y", ("a", "2026"))
