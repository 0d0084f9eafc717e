"""How rules are written, and what is said where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from segue.errors import SetupError
from segue.routing import NO_MATCH, Parameter, RouteTable, Rule, parse_rule


def test_a_rule_is_literal_texts_and_parameters() -> None:
    first, second, third = parse_rule("/u/<int(min=1):pk>/edit")

    assert (first, third) == ("/u/", "/edit")
    assert isinstance(second, Parameter)
    assert second.name == "pk"
    assert second.converter.accept("0") is NO_MATCH
    assert second.converter.accept("1") == 1


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("u/x", 1),
        ("/u/<int pk>", 4),
        ("/u/<>", 4),
        ("/u/<pk", 4),
        ("/u/pk>", 6),
        ("/u/<int:pk", 4),
        ("/<a>/<a>", 6),
        ("/<a><b>", 5),
        ("/a?x=1", 3),
        ("/a#b", 3),
        ("/a\\b", 3),
        ("/a\nb", 1),
        ("/a//b", 4),
        ("/a/../b", 4),
        ("/./b", 2),
        ("//evil.example/", 2),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_the_column(path: str, column: int) -> None:
    with pytest.raises(SetupError) as caught:
        Rule(path, "it", place="app.py:7")

    assert caught.value.code == "routing/bad-rule"
    assert f"column {column}." in caught.value.message
    assert caught.value.where == "app.py:7"


@pytest.mark.parametrize("host", ["example.com:8000", "a/b", "<path:x>.example.com", "<x", "<int:pk>.example.com"])
def test_a_host_that_cannot_be_read_is_refused(host: str) -> None:
    with pytest.raises(SetupError) as caught:
        Rule("/<pk>", "it", host=host)

    assert caught.value.code == "routing/bad-rule"


def test_rules_that_say_the_same_are_equal_wherever_they_stand() -> None:
    one = Rule("/a/<int:b>", "it", defaults={"c": 1}, place="a.py:1")
    two = Rule("/a/<int:b>", "it", defaults={"c": 1}, place="b.py:2")

    assert one == two
    assert hash(one) == hash(two)
    assert one != Rule("/a/<int:b>", "it", methods=frozenset({"POST"}), defaults={"c": 1})


def test_the_defaults_of_a_rule_cannot_be_changed() -> None:
    given = {"page": 1}
    rule = Rule("/", "it", defaults=given)

    given["page"] = 2

    assert rule.defaults == {"page": 1}
    assert isinstance(rule.defaults, Mapping)
    assert not hasattr(rule.defaults, "__setitem__")


def test_two_routes_for_one_request_are_refused_and_both_are_named() -> None:
    table = RouteTable()
    table.add(table.rule("/u/<int:pk>", endpoint="one", place="a.py:1"), 1)
    table.add(table.rule("/u/<int:id>", endpoint="two", place="b.py:2"), 2)

    with pytest.raises(SetupError) as caught:
        table.compile()

    assert caught.value.code == "routing/duplicate-rule"
    assert "a.py:1" in caught.value.where
    assert "b.py:2" in caught.value.where
    assert "`one` and `two`" in caught.value.message


def test_routes_that_differ_in_method_or_host_or_converter_are_no_duplicates() -> None:
    table = RouteTable()
    table.add(table.rule("/u/<int:pk>", endpoint="a"), 1)
    table.add(table.rule("/u/<int:pk>", endpoint="b", methods=["POST"]), 2)
    table.add(table.rule("/u/<int:pk>", endpoint="c", host="example.com"), 3)
    table.add(table.rule("/u/<int(min=9):pk>", endpoint="d"), 4)

    assert len(table.compile().rules) == 4


def test_a_subdomain_needs_the_name_of_the_server() -> None:
    assert RouteTable(server_name="example.com:80").rule("/", endpoint="it", subdomain="api").host == "api.example.com"

    with pytest.raises(SetupError) as caught:
        RouteTable().rule("/", endpoint="it", subdomain="api")

    assert caught.value.code == "routing/no-server-name"
