"""CORE-59: `segue check --security` finds HTML that is put together without escaping."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Project = Callable[..., Path]
Command = Callable[..., Result]
Find = Callable[[str], list[dict[str, Any]]]

HEAD = (
    "from markupsafe import Markup, escape\n"
    "from segue import App, Blueprint, Request, Response, html, render_template, url_for\n"
    "app = App(__name__)\n"
    "PAGE = '<p>%s</p>'\n"
)


@pytest.fixture
def find(find_unsafe: Callable[[str, str], list[dict[str, Any]]]) -> Find:
    """Return what is found in a view with this body."""
    return partial(find_unsafe, f"{HEAD}@app.get('/<name>/<int:pk>')\ndef view(name: str, pk: int):\n")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return f'<b>{name}</b>'", "security.W001"),
        ("return f'Hello {name}'", "security.W001"),
        ("return f'<b>{name!r}</b>'", "security.W001"),
        ("return f'<b>{name}</b>', 201", "security.W001"),
        ("return Response(f'<b>{name}</b>')", "security.W001"),
        ("return Markup(f'<b>{name}</b>')", "security.W001"),
        ("return html(f'<b>{name}</b>')", "security.W001"),
        ("return 'none' if pk else f'<b>{name}</b>'", "security.W001"),
        ("return (f'<b>{name}</b>').strip()", "security.W001"),
        ("return '<ul>' + ''.join(f'<li>{each}</li>' for each in name) + '</ul>'", "security.W001"),
        ("rows = f'<li>{name}</li>'\nreturn f'<ul>{rows}</ul>'", "security.W001"),
        ("if (page := f'<b>{name}</b>'):\n    return page", "security.W001"),
        ("yield f'<b>{name}</b>'", "security.W001"),
        ("items = [f'<li>{x}</li>' for x in name]\nreturn f\"<ul>{''.join(items)}</ul>\"", "security.W001"),
        ("items = []\nitems.append(f'<li>{name}</li>')\nreturn ''.join(items)", "security.W001"),
        ("return f'<b>{name}</b>', 200, {'Content-Type': 'text/html'}", "security.W001"),
        ("return f'<b>{name}</b>', 200, {'X-Kind': 'text/plain'}", "security.W001"),
        ("return Response(f'<b>{name}</b>', headers={'X-Kind': 'plain'})", "security.W001"),
        ("return '<b>%s</b>' % name", "security.W002"),
        ("return '<b>%s %d</b>' % (name, pk)", "security.W002"),
        ("return '<b>%(name)s</b>' % {'name': name}", "security.W002"),
        ("return PAGE % name", "security.W002"),
        ("return '<b>{}</b>'.format(name)", "security.W003"),
        ("return '<b>{n}</b>'.format(n=name)", "security.W003"),
        ("page = '<b>{}</b>'\nreturn page.format(name)", "security.W003"),
        ("return '<b>' + name + '</b>'", "security.W004"),
        ("page = '<b>'\npage += name\nreturn page", "security.W004"),
    ],
)
def test_text_with_a_value_that_nothing_escaped_is_found(find: Find, body: str, code: str) -> None:
    assert [each["id"] for each in find(body)] == [code]


@pytest.mark.parametrize(
    "body",
    [
        "return html('<b>{}</b>', name)",
        "return html('<b>{}</b>', f'{name}!')",
        "return Markup('<b>{}</b>').format(name)",
        "return Markup('<b>%s</b>') % name",
        "return Markup('<b>') + name",
        "return f'<b>{escape(name)}</b>'",
        "return '<b>%s</b>' % escape(name)",
        "return f'<b>{pk}</b>'",
        "return f'<b>{len(name)}, {int(name) + 1}</b>'",
        "return f'<b>{pk:.2f}</b>'",
        "return '<b>%d</b>' % pk",
        "return '<a href=\"' + url_for('view', name=name, pk=1) + '\">x</a>'",
        "rows = ''.join(f'<li>{escape(each)}</li>' for each in name)\nreturn f'<ul>{rows}</ul>'",
        "return render_template('page.html', title=f'Hello {name}')",
        "return {'text': f'Hello {name}'}",
        "return Response(f'Hello {name}', content_type='text/plain')",
        "return '<b>' 'constant' '</b>'",
        "def other():\n    return f'<b>{name}</b>'\nreturn 'x'",
        "return [1] + [2]",
        "return 7 % 3, 200",
        "items = [f'<li>{escape(x)}</li>' for x in name]\nreturn f\"<ul>{''.join(items)}</ul>\"",
        "items = []\nfor x in name:\n    items.append(f'<li>{escape(x)}</li>')\nreturn '<ul>' + ''.join(items)",
        "return f\"<p>{''.join(map(escape, name))}</p>\"",
        "return f'Hello {name}', 200, {'Content-Type': 'text/plain'}",
        "return f'Hello {name}', 200, [('content-type', 'text/csv')]",
        "return Response(f'Hello {name}', headers={'content-type': 'text/plain; charset=utf-8'})",
        "data = {'name': escape(name)}\nreturn '<p>{name}</p>'.format(**data)",
    ],
)
def test_what_is_escaped_or_no_text_of_a_visitor_is_not_reported(find: Find, body: str) -> None:
    assert find(body) == []


def test_a_finding_says_where_it_is_and_what_to_type(find: Find) -> None:
    found = find("size = 1\nreturn f'<b>{name} {{}}</b>'")[0]

    assert found["where"] == "app.py:8"
    assert found["message"] == "view() returns text made by an f-string, and nothing escapes `name` in it."
    assert found["hint"] == "return html('<b>{} {{}}</b>', name)"
    assert found["level"] == "warning"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("return '<b>%s</b>' % name", "return html('<b>{}</b>', name)"),
        ("return '<b>{}</b>'.format(name)", "return html('<b>{}</b>', name)"),
        ("return '<b>' + name + '</b>'", "return html('<b>{}</b>', name)"),
        ("return '<p>{name}</p>'.format(**name)", "return html('<p>{name}</p>', **name)"),
        (
            "return f\"<p>{', '.join(name)}</p>\"",
            'return html("<b>{}</b>", value), or render_template(…): both escape every value.',
        ),
        ("return f'{name:>10} {pk}'", "return html('{:>10} {}', name, pk)"),
    ],
)
def test_the_hint_is_the_line_in_its_safe_form(find: Find, body: str, hint: str) -> None:
    assert find(body)[0]["hint"] == hint


def test_a_view_that_is_long_is_read(find: Find) -> None:
    total = " + ".join(["pk"] * 1200)

    assert [each["id"] for each in find(f"total = {total}\nreturn f'<b>{{name}}</b>'")] == ["security.W001"]


@pytest.mark.parametrize(
    "source",
    [
        "@app.errorhandler(404)\ndef missing(error):\n    return f'<b>{error.detail}</b>'\n",
        "@app.before_request\ndef stop(request: Request):\n    return f'<b>{request.path}</b>'\n",
        "blog = Blueprint('blog', __name__)\n@blog.get('/')\nasync def index(q: str):\n    return f'<b>{q}</b>'\n"
        "app.register(blog)\n",
        "app.get('/<q>')(lambda q: f'<b>{q}</b>')\n",
        "@app.get('/')\n@app.get('/again')\ndef index(q: str):\n    return f'<b>{q}</b>'\n",
        "class Page:\n    def get(self, q):\n        return f'<b>{q}</b>'\n"
        "def page(): return ''\npage.view_class = Page\napp.get('/')(page)\n",
    ],
)
def test_everything_that_answers_is_read_once(project: Project, command: Command, source: str) -> None:
    project(app=HEAD + source)

    found = json.loads(command("check", "--security", "--json").stdout)

    assert [each["id"] for each in found] == ["security.W001"]


def test_a_decorated_view_is_read_too(project: Project, command: Command) -> None:
    project(
        app=HEAD + "import functools\n"
        "def twice(function):\n"
        "    @functools.wraps(function)\n"
        "    def wrapper(*args, **named): return function(*args, **named)\n"
        "    return wrapper\n"
        "@app.get('/')\n@twice\ndef index(q: str):\n    return f'<b>{q}</b>'\n"
    )

    assert json.loads(command("check", "--security", "--json").stdout)[0]["where"] == "app.py:13"


def test_unsafe_places_of_templates_are_found(project: Project, command: Command) -> None:
    project({"templates/page.html": "<p class={{ kind }}>x</p>\n"}, app=HEAD)

    found = json.loads(command("check", "--security", "--json").stdout)

    assert [each["id"] for each in found] == ["security.W031"]


def test_without_the_option_nothing_is_read(project: Project, command: Command) -> None:
    project(app=HEAD + "@app.get('/')\ndef index(q: str):\n    return f'<b>{q}</b>'\n")

    assert json.loads(command("check", "--json").stdout) == []


def test_the_findings_are_warnings(project: Project, command: Command) -> None:
    project(app=HEAD + "@app.get('/')\ndef index(q: str):\n    return f'<b>{q}</b>'\n")

    result = command("check", "--security")

    assert result.exit_code == 0
    assert "security.W001" in result.stdout
