"""Mistakes in templates are found before one is rendered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from segue.errors import Finding
from segue.templating import Folder, Templates

Check = Callable[..., list[Finding]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write one page beside a base and return the findings."""

    def run(source: str, name: str = "page.html") -> list[Finding]:
        (tmp_path / "base.html").write_text("{% block a %}{% endblock %}")
        (tmp_path / name).write_text(source)
        return Templates([Folder(tmp_path)]).check()

    return run


@pytest.fixture
def lint(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write one page and return the ids of the unsafe places in it, with their lines."""

    def run(source: str) -> list[str]:
        (tmp_path / "page.html").write_text(source)
        found = Templates([Folder(tmp_path)]).check_safety()
        return [f"{each.id.removeprefix('security.')}:{each.where.rpartition(':')[2]}" for each in found]

    return run


def test_good_templates_have_no_findings(check: Check) -> None:
    assert check("{% extends 'base.html' %}{% block a %}{{ x|floatformat(2) }}{% endblock %}") == []


def test_a_syntax_error_is_found_with_its_line(check: Check, tmp_path: Path) -> None:
    (finding,) = check("\n{% for %}")

    assert finding.id == "templates.E001"
    assert finding.level == "error"
    assert finding.where == f"{tmp_path / 'page.html'}:2"


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("{{ x|florm }}", ""),
        ("{{ x|floatformt }}", "floatformat"),
        ("{% if x %}{{ x|floatformt }}{% endif %}", "floatformat"),
        ("{% if x is divisble %}{% endif %}", "divisibleby"),
    ],
)
def test_an_unknown_filter_or_test_is_found_in_every_branch(check: Check, source: str, near: str) -> None:
    (finding,) = check(source)

    assert finding.id == "templates.E002"
    assert near in finding.hint


@pytest.mark.parametrize(
    "tag", ["extends 'bse.html'", "include 'bse.html'", "import 'bse.html' as m", "from 'bse.html' import x"]
)
def test_the_name_of_a_missing_template_is_found(check: Check, tag: str) -> None:
    (finding,) = check("{% " + tag + " %}")

    assert finding.id == "templates.E003"
    assert "base.html" in finding.hint


def test_a_template_that_may_be_missing_is_no_finding(check: Check) -> None:
    assert check("{% include 'none.html' ignore missing %}{% include which %}") == []


def test_a_template_of_another_encoding_is_found(check: Check, tmp_path: Path) -> None:
    (tmp_path / "latin.html").write_bytes(b"caf\xe9")

    (finding,) = check("")

    assert finding.id == "templates.E004"


def test_files_that_are_no_templates_are_left_alone(check: Check, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG{% if")

    assert check("") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<a href={{ x }}>", ["W031:1"]),
        ("<a\nclass={{ x }}>", ["W031:2"]),
        ("<a onclick=\"f('{{ x }}')\">", ["W032:1"]),
        ("<p style='color: {{ x }}'>", ["W032:1"]),
        ("<style>p { color: {{ x }} }</style>", ["W033:1"]),
        ("<script>let x = {{ x }};</script>", ["W034:1"]),
        ("<script>let x = '{{ x|upper }}';</script>", ["W034:1"]),
        ('<a href="{{ x }}">', ["W035:1"]),
        ('<form action="{{ x.url }}">', ["W035:1"]),
        ("<a {{ x }}>", ["W030:1"]),
    ],
)
def test_a_place_that_escaping_does_not_make_safe_is_reported(
    lint: Callable[[str], list[str]], source: str, expected: list[str]
) -> None:
    assert lint(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "<p class='{{ x }}' id=\"a{{ y }}\">{{ z }}</p>",
        "<a href='/user/{{ x }}'>",
        "<a href='{{ x|safe_url }}'>",
        "<a href='{{ url_for(\"x\") }}'>",
        "<a href='{{ x.get_absolute_url }}'>",
        "<img src=\"{{ static('a.png') }}\">",
        "<script>let x = {{ x|tojson }};</script>",
        "<script>a < b</script>{{ x }}",
        "<!-- <a href={{ x }}> -->{{ y }}",
        "<style>p {}</style>{{ x }}",
        "<input disabled value='{{ x }}'>{{ y }}",
        "a < b {{ x }}",
        "<p title=plain>{{ x }}</p>",
        "<a {% if x %}class='a'{% else %}class='b'{% endif %} title='{{ x }}'>",
    ],
)
def test_a_safe_place_is_not_reported(lint: Callable[[str], list[str]], source: str) -> None:
    assert lint(source) == []
