"""Each layer of forms is of use without the one above it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from segue import App, Request, ValidationError, db, forms


class Song(db.Model):
    title = db.CharField(max_length=10)


MODELS = [Song]


def test_a_field_is_of_use_without_a_form() -> None:
    field = forms.IntegerField(min_value=1)

    with pytest.raises(ValidationError, match=r".+"):
        field.clean("0")
    assert field.clean(" 5 ") == 5


def test_a_widget_is_of_use_without_a_field() -> None:
    assert 'value="&lt;b&gt;"' in forms.TextInput().render("title", "<b>")


def test_a_handler_reads_a_request_without_a_form(database: Any) -> None:
    app = App("formless", static_folder=None, template_folder=None)

    @app.post("/")
    def handler(request: Request) -> str:
        song = Song(title=request.form["title"])
        song.full_clean()
        return song.title

    client = app.test_client(raise_errors=False)

    assert client.post("/", data={"title": "Duets"}).text == "Duets"
    assert client.post("/", data={"title": "x" * 11}).status_code == 422


def test_a_form_fills_a_model_without_a_model_form(database: Any) -> None:
    class Asked(forms.Form):
        title = forms.CharField(max_length=10)

    form = Asked({"title": "Duets"})
    assert form.is_valid()
    Song.objects.create(**form.cleaned_data)

    assert Song.objects.get().title == "Duets"


def test_a_page_is_written_by_hand_without_any_as() -> None:
    class Asked(forms.Form):
        title = forms.CharField(max_length=10)

    form = Asked({"title": ""})
    html = f"<label>{form['title'].label}</label><input name={form['title'].html_name}>{form.errors['title'][0]}"

    assert html == "<label>Title</label><input name=title>This field is required."


@pytest.mark.slow
def test_forms_are_checked_without_templates_and_models() -> None:
    program = """
from segue import forms
class Asked(forms.Form):
    title = forms.CharField(max_length=10)
assert Asked({'title': 'x'}).is_valid()
import sys
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert set(done.stdout.split()).isdisjoint({"sqlalchemy", "jinja2", "segue.db", "segue.views", "segue.app"})
