"""Templates are found in order, escaped, rendered whole, in blocks and in pieces."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import segue.templating.templates as implementation
from segue.templating import (
    BlockNotFound,
    Folder,
    TemplateNotFound,
    Templates,
    TemplateSyntaxError,
    TooMuchOutput,
)

Write = Callable[..., Templates]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files given by name, and make the templates of that folder."""

    def make(files: Mapping[str, str], **options: Any) -> Templates:
        for name, text in files.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Templates([Folder(tmp_path / "templates")], **{"debug": True, **options})

    return make


# Escaping


@pytest.mark.parametrize("name", ["a.html", "a.xml", "a.svg", "a", "a.txt.html"])
def test_a_script_in_a_value_is_inert(write: Write, name: str) -> None:
    templates = write({name: "{{ value }}"})

    assert templates.render(name, {"value": "<script>"}) == "&lt;script&gt;"


def test_a_text_template_is_not_escaped(write: Write) -> None:
    templates = write({"mail.txt": "{{ value|linebreaksbr }}"})

    assert templates.render("mail.txt", {"value": "<a>"}) == "<a>"


def test_a_template_given_as_text_is_escaped(write: Write) -> None:
    assert write({}).render_string("{{ value }}", {"value": "<a>"}) == "&lt;a&gt;"


# Finding


@pytest.fixture
def three_folders(tmp_path: Path) -> list[Folder]:
    """The folders of an app, a blueprint and Segue, each with a page of its own name."""
    folders = [Folder(tmp_path / "app"), Folder(tmp_path / "blog", "blog"), Folder(tmp_path / "segue", "segue")]
    for folder in folders:
        folder.path.mkdir()
        (folder.path / "page.html").write_text(folder.path.name)
    return folders


def test_of_three_copies_the_apps_wins(three_folders: list[Folder]) -> None:
    assert Templates(three_folders).render("page.html", {}) == "app"


def test_the_blueprint_comes_before_segue(three_folders: list[Folder]) -> None:
    (three_folders[0].path / "page.html").unlink()

    assert Templates(three_folders).render("page.html", {}) == "blog"


def test_a_copy_that_appears_in_an_earlier_folder_is_noticed(three_folders: list[Folder]) -> None:
    (three_folders[0].path / "page.html").unlink()
    templates = Templates(three_folders, auto_reload=True)
    templates.render("page.html", {})

    (three_folders[0].path / "page.html").write_text("new")

    assert templates.render("page.html", {}) == "new"


def test_a_changed_file_is_noticed_where_files_are_looked_at_anew(write: Write, tmp_path: Path) -> None:
    templates = write({"a.html": "old"}, auto_reload=True)
    templates.render("a.html", {})

    path = tmp_path / "templates" / "a.html"
    path.write_text("new")
    os.utime(path, (1, 1))

    assert templates.render("a.html", {}) == "new"


def test_in_production_a_file_is_read_once(write: Write, tmp_path: Path) -> None:
    templates = write({"a.html": "old"})
    templates.render("a.html", {})

    (tmp_path / "templates" / "a.html").write_text("new")

    assert templates.render("a.html", {}) == "old"


def test_of_several_names_the_first_that_exists_is_rendered(write: Write) -> None:
    templates = write({"b.html": "b", "c.html": "c"})

    assert templates.render(["a.html", "b.html", "c.html"], {}) == "b"


def test_names_and_existence_are_known(write: Write) -> None:
    templates = write({"b.html": "", "core/a.html": "", ".hidden": ""})

    assert templates.names() == ["b.html", "core/a.html"]
    assert templates.exists("core/a.html")
    assert not templates.exists("a.html")


@pytest.mark.parametrize("name", ["../secret.html", "/../secret.html", "a/../../secret.html", "..", "", "\0", "//"])
def test_no_name_leads_out_of_the_folders(write: Write, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.html").write_text("secret")
    templates = write({"a/x.html": ""})

    with pytest.raises(TemplateNotFound):
        templates.render(name, {})


def test_an_absolute_name_is_looked_for_inside_the_folders(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("secret")

    with pytest.raises(TemplateNotFound):
        write({"a.html": ""}).render(str(tmp_path / "secret.html"), {})


# Missing


def test_a_missing_template_names_what_was_tried(three_folders: list[Folder]) -> None:
    (three_folders[1].path / "core").mkdir()
    (three_folders[1].path / "core" / "my_user_detail.html").write_text("")

    with pytest.raises(TemplateNotFound) as caught:
        Templates(three_folders).render(["core/myuser_detail.html", "core/user.html"], {})

    text = str(caught.value)
    assert caught.value.code == "templates/not-found"
    assert isinstance(caught.value, LookupError)
    assert "'core/myuser_detail.html' or 'core/user.html'" in text
    assert str(three_folders[0].path / "core/myuser_detail.html") in text
    assert str(three_folders[2].path / "core/user.html") in text
    assert "Did you mean core/my_user_detail.html" in text
    assert "segue template new core/myuser_detail.html" in text


def test_a_missing_parent_names_the_line_that_extends_it(write: Write, tmp_path: Path) -> None:
    templates = write({"page.html": "\n{% extends 'bse.html' %}", "base.html": ""})

    with pytest.raises(TemplateNotFound) as caught:
        templates.render("page.html", {})

    assert caught.value.names == ["bse.html"]
    assert caught.value.where == f"{tmp_path / 'templates' / 'page.html'}:2"
    assert "Did you mean base.html" in caught.value.hint


def test_a_missing_parent_is_not_taken_for_a_missing_page(write: Write) -> None:
    templates = write({"a.html": "{% extends 'none.html' %}", "b.html": "b"})

    with pytest.raises(TemplateNotFound) as caught:
        templates.render(["a.html", "b.html"], {})

    assert caught.value.names == ["none.html"]


def test_an_include_may_be_missing_where_it_says_so(write: Write) -> None:
    templates = write({"a.html": "[{% include 'none.html' ignore missing %}]"})

    assert templates.render("a.html", {}) == "[]"


def test_an_empty_list_of_names_says_so(write: Write) -> None:
    with pytest.raises(TemplateNotFound, match="empty list"):
        write({}).render([], {})


# Errors


def test_an_error_in_a_template_shows_its_file_and_line(write: Write, tmp_path: Path) -> None:
    templates = write({"a.html": "one\n\n{{ 1 // 0 }}\n"})

    with pytest.raises(ZeroDivisionError) as caught:
        templates.render("a.html", {})

    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == (str(tmp_path / "templates" / "a.html"), 3)
    assert last.line == "{{ 1 // 0 }}"


def test_an_error_in_a_streamed_template_shows_its_file_and_line(write: Write, tmp_path: Path) -> None:
    templates = write({"a.html": "one\n\n{{ 1 // 0 }}\n"})

    with pytest.raises(ZeroDivisionError) as caught:
        list(templates.stream("a.html", {}))

    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 3


def test_a_syntax_error_names_the_line(write: Write, tmp_path: Path) -> None:
    templates = write({"a.html": "one\n{% if %}"})

    with pytest.raises(TemplateSyntaxError) as caught:
        templates.render("a.html", {})

    assert caught.value.code == "templates/syntax"
    assert caught.value.where == f"{tmp_path / 'templates' / 'a.html'}:2"


def test_an_unknown_filter_is_an_error_with_the_nearest(write: Write) -> None:
    templates = write({"a.html": "{{ 1|intcoma }}"})

    with pytest.raises(TemplateSyntaxError) as caught:
        templates.render("a.html", {})

    assert "intcoma" in caught.value.message
    assert "Did you mean intcomma" in caught.value.hint


def test_a_rendering_beyond_the_limit_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementation, "MAX_OUTPUT", 5_000)
    templates = write({"a.html": "{% for i in range(9_000) %}{{ i }}{% endfor %}", "b.html": "{{ 'x' * 6000 }}"})

    with pytest.raises(TooMuchOutput, match="5,000"):
        templates.render("a.html", {})
    with pytest.raises(TooMuchOutput, match="5,000"):
        templates.render("b.html", {})


def test_a_long_rendering_within_the_limit_is_whole(write: Write) -> None:
    templates = write({"a.html": "{% for i in range(9_000) %}{{ i }},{% endfor %}"})

    assert templates.render("a.html", {}) == "".join(f"{i}," for i in range(9_000))


# Blocks

BASE = "{% set colour = 'blue' %}<title>{% block title %}Base{% endblock %}</title>{% block body %}{% endblock %}"
PAGE = """{% extends 'base.html' %}{% import 'm.html' as m %}{% set unit = 'kg' %}
{% block body %}<h1>{{ head }}</h1>
{% block rows %}<p>{{ m.bold(head) }} {{ unit }} {{ colour }}</p>{% endblock %}{% endblock %}"""
MACROS = "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}"


@pytest.fixture
def blocks(write: Write) -> Templates:
    return write(
        {
            "base.html": BASE,
            "page.html": PAGE,
            "m.html": MACROS,
            "child.html": "{% extends 'page.html' %}{% block rows %}[{{ super() }}]{% endblock %}",
        }
    )


@pytest.mark.parametrize("name", ["page.html", "child.html"])
@pytest.mark.parametrize("block", ["rows", "title", "body"])
def test_a_block_is_that_part_of_the_page(blocks: Templates, name: str, block: str) -> None:
    whole = blocks.render(name, {"head": "<Head>"})

    part = blocks.render(f"{name}#{block}", {"head": "<Head>"})

    assert part
    assert part in whole


def test_a_block_sees_imports_and_assignments_of_the_page_and_its_parents(blocks: Templates) -> None:
    assert blocks.render("page.html#rows", {"head": "x"}) == "<p><b>x</b> kg blue</p>"


def test_a_block_takes_its_parents_block_along(blocks: Templates) -> None:
    assert blocks.render("child.html#rows", {"head": "x"}) == "[<p><b>x</b> kg blue</p>]"


def test_a_block_renders_nothing_else(write: Write) -> None:
    templates = write(
        {
            "base.html": "{{ boom() }}{% for i in boom() %}{% endfor %}{% block a %}A{% endblock %}",
            "page.html": "{% extends 'base.html' %}{% block b %}{{ boom() }}{% endblock %}",
        }
    )

    def boom() -> str:
        raise AssertionError("rendered")

    assert templates.render("page.html#a", {"boom": boom}) == "A"


def test_a_block_inside_a_tag_of_the_page_is_found(write: Write) -> None:
    templates = write(
        {"a.html": "{% if true %}{% for i in [1] %}{% block rows %}R{% endblock %}{% endfor %}{% endif %}"}
    )

    assert templates.render("a.html#rows", {}) == "R"


def test_what_a_block_includes_is_whole(write: Write) -> None:
    templates = write(
        {
            "a.html": "x{% from 'm.html' import m %}{% block b %}{% include 'i.html' %}{{ m() }}{% endblock %}",
            "i.html": "i{% block c %}c{% endblock %}",
            "m.html": "{% macro m() %}{% include 'i.html' %}{% endmacro %}",
        }
    )

    assert templates.render("a.html#b", {}) == "icic"


def test_a_parent_chosen_by_a_condition_is_followed(write: Write) -> None:
    templates = write(
        {
            "a.html": "a{% block x %}A{% endblock %}",
            "b.html": "b{% block x %}B{% endblock %}",
            "page.html": "{% if wide %}{% extends 'a.html' %}{% else %}{% extends 'b.html' %}{% endif %}",
        }
    )

    assert templates.render("page.html#x", {"wide": True}) == "A"
    assert templates.render("page.html#x", {"wide": False}) == "B"


def test_an_unknown_block_names_the_nearest(blocks: Templates) -> None:
    with pytest.raises(BlockNotFound) as caught:
        blocks.render("page.html#row", {"head": ""})

    assert caught.value.code == "templates/no-such-block"
    assert "rows" in caught.value.hint


def test_a_block_of_the_first_template_that_exists_is_rendered(blocks: Templates) -> None:
    assert blocks.render(["none.html#rows", "page.html#title"], {}) == "Base"


# Streams


def test_streamed_pieces_are_the_rendered_text(write: Write) -> None:
    templates = write({"a.html": "{% for i in range(3_000) %}<p>{{ i }}é</p>{% endfor %}"})

    pieces = list(templates.stream("a.html", {}))

    assert len(pieces) > 2
    assert "".join(pieces) == templates.render("a.html", {})


def test_a_missing_template_is_known_before_the_first_piece(write: Write) -> None:
    with pytest.raises(TemplateNotFound):
        write({}).stream("none.html", {})


def test_a_stream_is_rendered_while_it_is_read(write: Write) -> None:
    seen: list[int] = []

    def numbers() -> Any:
        for number in range(5_000):
            seen.append(number)
            yield number

    templates = write({"a.html": "{% for i in numbers %}{{ i }}{% endfor %}"})
    next(templates.stream("a.html", {"numbers": numbers()}))

    assert len(seen) < 5_000


# Names and extensions


def test_globals_filters_and_tests_of_the_app_are_known(write: Write) -> None:
    templates = write(
        {"a.html": "{{ site }} {{ 3|double }} {{ 4 is big }} {{ 'x'|upper }}"},
        globals={"site": "Club"},
        filters={"double": lambda value: value * 2, "upper": lambda value: "own"},
        tests={"big": lambda value: value > 3},
    )

    assert templates.render("a.html", {}) == "Club 6 True own"


def test_a_value_given_hides_a_global(write: Write) -> None:
    templates = write({"a.html": "{{ site }}"}, globals={"site": "Club"})

    assert templates.render("a.html", {"site": "Own"}) == "Own"


def test_globals_are_seen_in_includes_imports_and_macros(write: Write) -> None:
    templates = write(
        {
            "a.html": "{% from 'm.html' import name %}{{ name() }} {% include 'i.html' %}"
            "{% for i in [1] %} {% include 'i.html' %}{{ i }}{% endfor %}",
            "m.html": "{% macro name() %}{{ site }}{% endmacro %}",
            "i.html": "{{ site }}{{ given }}",
        },
        globals={"site": "Club"},
    )

    assert templates.render("a.html", {"given": "!"}) == "Club Club! Club!1"


def test_an_included_template_sees_the_names_around_it(write: Write) -> None:
    templates = write(
        {"a.html": "{% set x = 1 %}{% for i in [7] %}{% include 'i.html' %}{% endfor %}", "i.html": "{{ x }}{{ i }}"}
    )

    assert templates.render("a.html", {}) == "17"


def test_a_scoped_block_sees_the_loop_and_the_globals(write: Write) -> None:
    templates = write(
        {"a.html": "{% for i in [1, 2] %}{% block b scoped %}{{ i }}{{ site }}{% endblock %}{% endfor %}"},
        globals={"site": "x"},
    )

    assert templates.render("a.html", {}) == "1x2x"


def test_an_extension_of_jinja_can_be_added(write: Write) -> None:
    templates = write({"a.html": "{% debug %}"}, extensions=["jinja2.ext.debug"])

    assert "&#39;filters&#39;" in templates.render("a.html", {}) or "'filters'" in templates.render("a.html", {})


def test_a_rendering_is_reported_with_its_values(write: Write) -> None:
    reported: list[tuple[str | None, Any]] = []
    templates = write(
        {"a.html": "{{ x }}{% block b %}{% endblock %}"},
        on_rendered=lambda template, values: reported.append((template.name, values["x"])),
    )

    templates.render("a.html", {"x": 1})
    templates.render("a.html#b", {"x": 2})
    list(templates.stream("a.html", {"x": 3}))
    templates.render_string("{{ x }}", {"x": 4})

    assert reported == [("a.html", 1), ("a.html", 2), ("a.html", 3), (None, 4)]


def test_the_values_given_are_left_as_they_were(write: Write) -> None:
    given = {"x": 1}

    write({"a.html": "{% set x = 2 %}{{ x }}"}).render("a.html", given)

    assert given == {"x": 1}


def test_renderings_side_by_side_do_not_mix(write: Write) -> None:
    templates = write(
        {
            "base.html": "{% block a %}{{ user }}{% endblock %}",
            "a.html": "{% extends 'base.html' %}{% macro m() %}{{ caller() }}{% endmacro %}"
            "{% block a %}{{ super() }}{% call m() %}{{ user }}{% endcall %}{% endblock %}",
        }
    )
    wrong: list[str] = []

    def render(user: str) -> None:
        for _ in range(100):
            text = templates.render("a.html", {"user": user})
            part = templates.render("a.html#a", {"user": user})
            if text != user * 2 or part != user * 2:
                wrong.append(text)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=render, args=(f"user{i}",)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)

    assert wrong == []
