"""Nobody has to use a class, nor all of one, nor what a class would bring along."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from views_models import Member

from segue import App
from segue.testing import Client
from segue.views import DetailView

Clients = Callable[..., Client]


def loaded_by(program: str) -> set[str]:
    """Return the modules that a program of its own has loaded at its end."""
    lines = [program, "import sys", "print(*sys.modules)"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.slow
def test_a_site_of_functions_loads_no_class() -> None:
    site = "from segue import App\napp = App('x', template_folder=None)\napp.get('/')(lambda: 'x')\n"

    loaded = loaded_by(site + "assert app.test_client().get('/').text == 'x'")

    assert [name for name in loaded if name.startswith(("segue.views", "segue.lists", "segue.forms"))] == []


@pytest.mark.slow
def test_classes_bring_neither_database_nor_forms_nor_templates() -> None:
    site = """
from segue import App
from segue.views import DetailView, ListView, TemplateView, View, FormView
app = App('x', template_folder=None)
@app.route('/')
class Page(View):
    def get(self): return 'x'
assert app.test_client().get('/').text == 'x'
"""

    loaded = loaded_by(site)

    assert loaded.isdisjoint({"sqlalchemy", "jinja2", "segue.db", "segue.forms", "segue.forms.form"})


def test_a_class_needs_not_every_method(stored: App, client: Clients) -> None:
    class Delete(DetailView):
        model = Member
        http_method_names = ("delete",)

        def delete(self) -> tuple[str, int]:
            self.get_object().delete()
            return "", 204

    stored.add_url_rule("/<int:pk>", view_func=Delete)
    asked = client()

    assert (asked.get("/2").status_code, asked.delete("/2").status_code) == (405, 204)
    assert asked.delete("/2").status_code == 404


def test_a_class_stands_beside_functions_of_one_path(app: App, client: Clients) -> None:
    from segue.views import View

    class Read(View):
        def get(self) -> str:
            return "read"

    app.add_url_rule("/", view_func=Read)
    app.post("/")(lambda: "written")
    asked = client()

    assert (asked.get("/").text, asked.post("/").text) == ("read", "written")
    assert asked.options("/").headers["allow"] == "GET, HEAD, OPTIONS, POST"
