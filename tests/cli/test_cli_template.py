"""SITES-9: the command that the error about a missing template names."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue import App, render_template
from segue.cli import call_command
from segue.errors import SegueError


@pytest.fixture
def site(tmp_path: Path) -> App:
    app = App("template_site", static_folder=None, template_folder=str(tmp_path))
    app.get("/")(lambda: render_template("records/detail_page.html"))
    return app


def test_the_command_of_the_error_makes_the_page(site: App) -> None:
    with pytest.raises(SegueError, match=r"segue template new records/detail_page\.html"):
        site.test_client().get("/")

    call_command("template", "new", "records/detail_page.html", app=site)

    assert "<h1>Detail page</h1>" in site.test_client().get("/").text


def test_a_new_page_extends_the_base_that_is_there(site: App, tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("<main>{% block content %}{% endblock %}</main>")

    call_command("template", "new", "records/detail_page.html", app=site)

    assert "<main>" in site.test_client().get("/").text


def test_nothing_is_written_over(site: App, tmp_path: Path) -> None:
    (tmp_path / "kept.html").write_text("mine")

    with pytest.raises(SegueError) as caught:
        call_command("template", "new", "kept.html", app=site)

    assert caught.value.code == "cli/template-exists"
    assert (tmp_path / "kept.html").read_text() == "mine"


@pytest.mark.parametrize("name", ["../x.html", "/etc/x.html", ".hidden.html", "no-suffix", "a\\b.html"])
def test_a_name_that_leaves_the_folder_is_refused(site: App, name: str) -> None:
    with pytest.raises(SegueError) as caught:
        call_command("template", "new", name, app=site)

    assert caught.value.code == "cli/bad-template-name"
