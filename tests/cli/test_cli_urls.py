"""GROW-15: `segue check` follows every URL that code and templates name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Project = Callable[..., Path]
Command = Callable[..., Result]

HEAD = """\
from segue import App, Blueprint, Request, redirect, render_template, url_for, url_for_lazy
app = App(__name__)
blog = Blueprint("blog", __name__, prefix="/blog")
@app.get("/")
def index(page: int = 1): return render_template("page.html")
@app.get("/search")
def search(request: Request): return request.query.get("words", "")
@app.get("/users/<int:pk>")
def user(pk): return "u"
@app.get("/years/<int:year>/<slug:slug>")
def record(year, slug): return "r"
@blog.get("/<slug:slug>")
def post(slug): return "p"
app.register(blog)
"""

FAULTS = """\
def one(): return url_for("indx")
def two(): return url_for("user")
def three(): return url_for("user", id=1)
def four(): return url_for("user", pk=1, tab="x")
def five(): return redirect(url_for("blog.pots", slug="a"))
def six(): return redirect(url_for("blog.post"))
def seven(): return url_for("record", year=1)
def eight(): return url_for("post", slug="a")
def nine(): return redirect("/serach")
def ten(): return url_for(".psot", slug="a")
class Form:
    success_url = url_for_lazy("usr", pk=1)
class Other:
    success_url = "/nowhere/"
class Third:
    success_url = "blog.index"
app.redirect("/old", "serch")
async def fifteen(): return url_for("search", wrods="x")
"""
RIGHT = """\
def one(): return url_for("index")
def two(): return url_for("user", pk=2)
def three(): return url_for("user", pk=1, _anchor="x", _external=True)
def four(): return url_for("index", page=2)
def five(): return redirect(url_for("blog.post", slug="a"))
def six(values): return redirect(url_for("blog.post", **values))
def seven(): return url_for("record", year=1, slug="a")
def eight(name): return url_for(name, slug="a")
def nine(): return redirect("/search?words=a")
def ten(): return url_for(".post", slug="a")
class Form:
    success_url = url_for_lazy("user", pk=1)
class Other:
    success_url = "/search"
class Third:
    success_url = "index"
class Fourth:
    success_url = "/users/%(pk)s"
app.redirect("/old", "search")
async def fifteen(): return url_for("search", words="x")
def outside(): return redirect("https://other.example/", external=True)
"""
PAGE_FAULTS = """\
<a href="{{ url_for('idnex') }}">
<a href="{{ url_for('user') }}">
{% if url_for('blog.post', slg='a') %}{% endif %}
<form action="{{ url_for('record', year=1, slgu='a') }}">
{% macro link() %}{{ url_for('blog.pst', slug='a') }}{% endmacro %}
"""
PAGE_RIGHT = """\
<a href="{{ url_for('index') }}">
<a href="{{ url_for('user', pk=user.pk) }}">
{% if url_for('blog.post', **values) %}{% endif %}
<form action="{{ url_for('record', year=1, slug='a') }}">
{% macro link(name) %}{{ url_for(name, slug='a') }}{% endmacro %}
<a href="{{ url_for('user', pk=1, view='x') }}">{{ request.query.view }}
"""


@pytest.fixture
def find(project: Project, command: Command) -> Callable[..., list[dict[str, Any]]]:
    """Return what is found in an app with this code and this template."""

    def run(code: str, page: str = "") -> list[dict[str, Any]]:
        project({"templates/page.html": page}, app=HEAD + code)
        found: list[dict[str, Any]] = json.loads(command("check", "--json").stdout)
        return found

    return run


def test_twenty_faults_are_twenty_findings(find: Callable[..., list[dict[str, Any]]]) -> None:
    found = find(FAULTS, PAGE_FAULTS)

    code = [each["where"] for each in found if each["where"].startswith("app.py")]
    pages = [each["where"] for each in found if "page.html" in each["where"]]
    first = HEAD.count("\n")
    lines = [*range(1, 11), 12, 14, 16, 17, 18]
    assert sorted(code) == sorted(f"app.py:{first + line}" for line in lines)
    assert sorted(pages) == [f"templates/page.html:{line}" for line in range(1, 6)]
    assert len(found) == len(code) + len(pages) == 20
    assert all(each["hint"] for each in found)


def test_the_mended_copy_has_none(find: Callable[..., list[dict[str, Any]]]) -> None:
    assert find(RIGHT, PAGE_RIGHT) == []


@pytest.mark.parametrize(
    ("code", "id", "hint"),
    [
        ("def f(): return url_for('indx')\n", "urls.E001", "index"),
        ("def f(): return url_for('post', slug='a')\n", "urls.E001", "blog.post"),
        ("def f(): return url_for('user', id=1)\n", "urls.E002", "Rename `id` to `pk`"),
        ("def f(): return url_for('user')\n", "urls.E002", "url_for('user', pk=…)"),
        ("def f(): return url_for('index', pgae=1)\n", "urls.W003", "pgae"),
        ("def f(): return redirect('/serach')\n", "urls.W004", "/search"),
    ],
)
def test_a_finding_says_what_to_type(find: Callable[..., Any], code: str, id: str, hint: str) -> None:
    (found,) = find(code)

    assert found["id"] == id
    assert hint in found["hint"]


@pytest.mark.parametrize(
    "code",
    [
        "@app.url_defaults\ndef add(endpoint, values): values['pk'] = 1\ndef f(): return url_for('user')\n",
        "@app.url_build_error\ndef find(error, endpoint, values): return '/x'\ndef f(): return url_for('elsewhere')\n",
        "from flask import url_for\ndef f(): return url_for('theirs')\n",
        "def f(): return url_for('search', words='a')\n",
        "class Filters:\n    genre: str = ''\ndef f(): return url_for('search', genre='a')\n",
    ],
)
def test_what_may_be_right_is_not_reported(find: Callable[..., Any], code: str) -> None:
    assert find(code) == []


def test_a_wrong_url_stops_migrate_before_it_touches_anything(project: Project, command: Command) -> None:
    project(
        {"migrations/.keep": ""},
        app="from segue import App, url_for\napp = App(__name__, database='sqlite:///a.db')\n"
        "def f(): return url_for('indx')\n",
    )

    done = command("migrate")

    assert done.exit_code == 1
    assert "urls.E001" in done.stderr
