"""A misspelt name is an error in debug; in production it is empty, and logged."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import jinja2
import pytest

from segue.errors import SegueError
from segue.templating import Folder, Templates, UndefinedName


class User:
    name = "Billie"

    def get_full_name(self) -> str:
        return "Billie Holiday"


@pytest.fixture(scope="module")
def loud() -> Templates:
    return Templates([], debug=True, globals={"url_for": lambda name: name})


@pytest.fixture
def quiet() -> Templates:
    return Templates([], debug=False)


def test_a_misspelt_name_says_which_was_meant_and_where(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("one\n{% if true %}\n{{ usr }}{% endif %}")
    templates = Templates([Folder(tmp_path)], debug=True)

    with pytest.raises(UndefinedName) as caught:
        templates.render("a.html", {"user": 1})

    assert isinstance(caught.value, SegueError)
    assert isinstance(caught.value, jinja2.UndefinedError)
    assert caught.value.code == "templates/undefined-name"
    assert caught.value.where == f"{tmp_path / 'a.html'}:3"
    assert "`usr`" in caught.value.message
    assert "Did you mean user" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("{{ usr.name }}", "user"),
        ("{{ usr['name'] }}", "user"),
        ("{{ usr() }}", "user"),
        ("{{ usr + 1 }}", "user"),
        ("{{ usr < 1 }}", "user"),
        ("{{ usr == 1 }}", "user"),
        ("{{ 1 in usr }}", "user"),
        ("{% for x in usr %}{% endfor %}", "user"),
        ("{{ usr|length }}", "user"),
        ("{{ usr ~ 'x' }}", "user"),
        ("{{ user.nme }}", "name"),
        ("{{ user.get_fullname }}", "get_full_name"),
        ("{{ table.titel }}", "title"),
        ("{% for record in [1] %}{{ recrd }}{% endfor %}", "record"),
        ("{% set colour = 1 %}{{ color }}", "colour"),
        ("{{ url_fr('x') }}", "url_for"),
        ("{% macro m(width) %}{{ widht }}{% endmacro %}{{ m(1) }}", "width"),
    ],
)
def test_using_a_name_that_is_not_there_is_an_error_in_debug(loud: Templates, source: str, near: str) -> None:
    with pytest.raises(UndefinedName) as caught:
        loud.render_string(source, {"user": User(), "table": {"title": 1}})

    assert f"{near}" in caught.value.hint


def test_a_name_that_resembles_none_says_how_to_give_it(loud: Templates) -> None:
    with pytest.raises(UndefinedName) as caught:
        loud.render_string("{{ zzzzz }}", dict.fromkeys("abcdefghijklm", 1))

    assert "zzzzz=…" in caught.value.hint
    assert "default('')" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% if usr %}yes{% else %}no{% endif %}", "no"),
        ("{{ 'yes' if usr else 'no' }}", "no"),
        ("{{ 'yes' if usr }}", ""),
        ("{{ usr or 'none' }}", "none"),
        ("{{ usr|default('none') }}", "none"),
        ("{{ user.nme|default('none') }}", "none"),
        ("{{ usr is defined }}", "False"),
        ("{{ usr is none }}", "False"),
        ("{{ []|first }}", ""),
        ("{{ []|max }}", ""),
    ],
)
def test_asking_whether_a_name_is_there_is_no_error(loud: Templates, source: str, expected: str) -> None:
    assert loud.render_string(source, {"user": User()}) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ usr }}",
        "{{ usr.name }}",
        "{{ usr.name.first['x'] }}",
        "{{ usr.get_name() }}",
        "{{ usr('x', y=1).z }}",
        "{{ user.nme }}",
        "{% for x in usr %}{{ x }}{% endfor %}",
        "{% for x in usr.rows.all %}{{ x }}{% endfor %}",
        "{{ usr|upper }}",
    ],
)
def test_in_production_it_is_empty_and_logged_once(
    quiet: Templates, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "segue.templating"):
        first = quiet.render_string(source, {"user": User()})
        again = quiet.render_string(source, {"user": User()})

    assert first == again == ""
    assert len(caplog.records) == 1
    assert "usr" in caplog.text or "nme" in caplog.text


def test_the_log_line_names_template_line_and_nearest_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.html").write_text("\n{{ usr }}")

    Templates([Folder(tmp_path)]).render("a.html", {"user": 1})

    assert f"{tmp_path / 'a.html'}:2" in caplog.text
    assert "Did you mean user?" in caplog.text


def test_one_app_does_not_silence_the_log_of_another(caplog: pytest.LogCaptureFixture) -> None:
    Templates([]).render_string("{{ usr }}", {})
    Templates([]).render_string("{{ usr }}", {})

    assert len(caplog.records) == 2


def test_a_sum_with_a_missing_number_is_an_error_in_production_too(quiet: Templates) -> None:
    with pytest.raises(UndefinedName):
        quiet.render_string("{{ 1 + usr }}", {})


def test_a_hostile_repr_is_not_asked_for(loud: Templates) -> None:
    class Hostile:
        def __repr__(self) -> Any:
            raise RuntimeError("repr")

    with pytest.raises(UndefinedName, match="Hostile"):
        loud.render_string("{{ it.x }}", {"it": Hostile()})
