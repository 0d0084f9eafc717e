"""Regular expressions that some paths make slow."""

from __future__ import annotations

import pytest

from segue.regexes import lint_regex
from segue.routing import Converter, RouteTable
from segue.web.advice import slow_rules


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+$",
        "^(a+)+$",
        "(?:a*)*b",
        r"(\w+\d)+x",
        r"(\d+)*",
        "((a+))+",
        r"(?P<x>[a-z]+)+/",
        r"([a-z]+/?)+",
        r"(a|a)+",
        r"(?:\w|\d)+$",
        r"(a|ab)*c",
        r"(?:x(?:y+)+)",
        r"(.*,)*",
        r"(a{1,})+",
        r"(a+){2,}",
    ],
)
def test_a_repeated_repetition_is_found(regex: str) -> None:
    assert lint_regex(regex) is not None


@pytest.mark.parametrize(
    "regex",
    [
        r"^archive/(?P<year>\d{4})/(?P<month>\d{2})/$",
        r"(?:[a-z]+-)+x",
        r"(?:[-\w]+/)*[-\w]+",
        r"(ab|ac)+",
        r"(a+)?",
        r"(a+){2}",
        r"[(a+)+]+",
        r"\(a+\)+",
        r"(?:a|b)+",
        r"(?=a+)b",
        r"(\d+)\.(\d+)",
        r"(?P<a>x)(?P=a)+",
        "",
    ],
)
def test_what_is_quick_is_left_alone(regex: str) -> None:
    assert lint_regex(regex) is None


def test_a_check_names_the_route_with_the_slow_expression() -> None:
    class Slow(Converter):
        regex = "(a+)+"

    table = RouteTable({"slow": Slow})
    table.add(table.rule("^(x+)+$", endpoint="one", is_regex=True, place="urls.py:3"), 1)
    table.add(table.rule("/<slow:x>", endpoint="two", place="urls.py:4"), 2)
    table.add(table.rule("/<path:p>/<slug:s>/<int:n>/<float:f>/<uuid:u>/<date:d>", endpoint="three"), 3)

    findings = slow_rules(table.compile().rules)

    assert [(finding.id, finding.level, finding.where) for finding in findings] == [
        ("routing.W001", "warning", "urls.py:3"),
        ("routing.W001", "warning", "urls.py:4"),
    ]
