"""Forms whose texts are in the language of whoever looks at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue import db, forms
from segue.context import TRANSLATIONS, Context, using
from segue.text import gettext_lazy as _
from segue.text import ngettext_lazy

GERMAN = {
    "Your name": "Ihr Name",
    "As on your passport": "Wie im Pass",
    "Say it.": "Bitte angeben.",
    "Choose": "Wählen",
    "Red": "Rot",
    "At most %(limit_value)d letter.": "Höchstens %(limit_value)d Buchstabe.",
    "At most %(limit_value)d letters.": "Höchstens %(limit_value)d Buchstaben.",
    "No & nothing.": "Nein & nichts.",
    "title of the song": "titel des Lieds",
}


class German:
    def gettext(self, message: str) -> str:
        return GERMAN[message]

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, context: str, singular: str, plural: str, n: int) -> str:
        return self.ngettext(singular, plural, n)


class Visitor(forms.Form):
    name = forms.CharField(
        label=_("Your name"),
        help_text=_("As on your passport"),
        max_length=3,
        error_messages={
            "required": _("Say it."),
            "max_length": ngettext_lazy(
                "At most %(limit_value)d letter.", "At most %(limit_value)d letters.", "limit_value"
            ),
        },
    )
    colour = forms.ChoiceField(choices=[("", _("Choose")), ("r", _("Red"))], required=False)

    def clean(self) -> None:
        raise forms.ValidationError(_("No & nothing."))


class Song(db.Model):
    title = db.CharField(max_length=10, verbose_name=_("title of the song"))  # type: ignore[arg-type]  # lazy


class SongForm(forms.ModelForm):
    class Meta:
        model = Song
        fields = ["title"]


@pytest.fixture
def german() -> Iterator[None]:
    # Forms that were declared before are read in a language that is known only now.
    context = Context(app=None)
    context.keep(TRANSLATIONS, German())
    with using(context):
        yield


@pytest.mark.usefixtures("german")
def test_labels_and_errors_are_read_in_the_visitors_language() -> None:
    form = Visitor({"name": "Duke"})

    assert str(form["name"].label) == "Ihr Name"
    assert str(form["name"].help_text) == "Wie im Pass"
    assert form.errors["name"] == ["Höchstens 3 Buchstaben."]
    assert form.non_field_errors() == ["Nein & nichts."]
    assert Visitor({}).errors["name"] == ["Bitte angeben."]
    assert "Höchstens 3 Buchstaben." in form.errors.as_json()


@pytest.mark.usefixtures("german")
def test_the_name_of_a_models_field_is_read_in_the_visitors_language() -> None:
    assert str(SongForm()["title"].label) == "Titel des Lieds"


def test_lazy_texts_are_written_into_the_page() -> None:
    html = str(Visitor())

    assert ">Your name:</label>" in html
    assert "As on your passport" in html
    assert ">Choose</option>" in html
    assert str(SongForm()["title"].label) == "Title of the song"


def test_lazy_texts_are_escaped() -> None:
    class Evil(forms.Form):
        name = forms.CharField(label=_("<b>"), help_text=_("<i>"), error_messages={"required": _("<u>")})

    html = str(Evil({}))

    assert [each for each in ("<b>", "<i>", "<u>") if each in html] == []
    assert html.count("&lt;") == 3
