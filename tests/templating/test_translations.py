"""Texts of templates in another language, and what they never make safe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from markupsafe import Markup

from segue import App, render_template_string
from segue.context import TRANSLATIONS, current
from segue.templating import Templates

GERMAN = {
    "Hello": "Hallo",
    "Hello %(name)s": "Hallo %(name)s",
    "<b>Hello</b> %(name)s": "<b>Hallo</b> %(name)s",
    "one record": "eine Platte",
    "%(num)s records": "%(num)s Platten",
    "May": "Mai",
    "<i>Live</i>": "<i>Lebend</i>",
}


class German:
    def gettext(self, message: str) -> str:
        return GERMAN.get(message, message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)

    def pgettext(self, context: str, message: str) -> str:
        return f"{self.gettext(message)} ({context})"

    def npgettext(self, context: str, singular: str, plural: str, n: int) -> str:
        return f"{self.ngettext(singular, plural, n)} ({context})"


@pytest.fixture(params=["nothing provided", "German"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(language: str) -> Iterator[App]:
    made = App("translated", static_folder=None, template_folder=None)
    made.testing = True
    if language == "German":
        made.provide(TRANSLATIONS, German())
    with made.context():
        yield made


SPELLINGS: list[tuple[str, dict[str, Any], str, str]] = [
    ("{% trans %}Hello{% endtrans %}", {}, "Hello", "Hallo"),
    ("{% trans name=who %}Hello {{ name }}{% endtrans %}", {"who": "Duke"}, "Hello Duke", "Hallo Duke"),
    ("{% trans trimmed %}\n  Hello\n{% endtrans %}", {}, "Hello", "Hallo"),
    (
        "{% trans num=n %}one record{% pluralize %}{{ num }} records{% endtrans %}",
        {"n": 1},
        "one record",
        "eine Platte",
    ),
    ("{% trans num=n %}one record{% pluralize %}{{ num }} records{% endtrans %}", {"n": 3}, "3 records", "3 Platten"),
    ('{% trans "month" %}May{% endtrans %}', {}, "May", "Mai (month)"),
    ('{% trans "Hello" %}', {}, "Hello", "Hallo"),
    ('{% translate "Hello" %}', {}, "Hello", "Hallo"),
    ('{% trans "Hello" %}, {{ who }}{% if who %}!{% endif %}', {"who": "Duke"}, "Hello, Duke!", "Hallo, Duke!"),
    ('{% trans "May" context "month" %}', {}, "May", "Mai (month)"),
    ('{% trans "Hello" as hello %}<{{ hello }}>', {}, "<Hello>", "<Hallo>"),
    ('{% trans "Hello" %}{% trans %}Hello{% endtrans %}', {}, "HelloHello", "HalloHallo"),
    ('{% trans "Hello" %}{% trans "month" %}May{% endtrans %}', {}, "HelloMay", "HalloMai (month)"),
    ('{{ _("Hello") }}', {}, "Hello", "Hallo"),
    ('{{ gettext("Hello %(name)s", name=who) }}', {"who": "Duke"}, "Hello Duke", "Hallo Duke"),
    ('{{ ngettext("one record", "%(num)s records", 3, x=1) }}', {}, "3 records", "3 Platten"),
    ('{{ pgettext("month", "May") }}', {}, "May", "Mai (month)"),
    ('{{ npgettext("shelf", "one record", "%(num)s records", 1) }}', {}, "one record", "eine Platte (shelf)"),
    ("{% trans %}100%{% endtrans %}", {}, "100%", "100%"),
]


@pytest.mark.parametrize(("source", "values", "english", "german"), SPELLINGS)
def test_a_text_is_translated(
    app: App, language: str, source: str, values: dict[str, Any], english: str, german: str
) -> None:
    expected = german if language == "German" else english

    assert render_template_string(source, values) == expected


EVIL = "<script>"
INERT = "&lt;script&gt;"


@pytest.mark.parametrize(
    ("source", "english", "german"),
    [
        ("{% trans name=evil %}<b>Hello</b> {{ name }}{% endtrans %}", "<b>Hello</b> !", "<b>Hallo</b> !"),
        ("{% trans num=2, name=evil %}a{% pluralize %}{{ num }} {{ name }}{% endtrans %}", "2 !", "2 !"),
        ('{{ gettext("<b>Hello</b> %(name)s"|safe, name=evil) }}', "<b>Hello</b> !", "<b>Hallo</b> !"),
        ('{{ gettext("Hello %(name)s", name=evil) }}', "Hello !", "Hallo !"),
        ('{{ gettext("Hello %(name)s") % {"name": evil} }}', "Hello !", "Hallo !"),
        ("{{ _(evil) }}", "!", "!"),
        ("{{ ngettext(evil, evil, 1) }}", "!", "!"),
        ('{{ _("<i>Live</i>") }}', "&lt;i&gt;Live&lt;/i&gt;", "&lt;i&gt;Lebend&lt;/i&gt;"),
        ('{% trans "<i>Live</i>" %}', "<i>Live</i>", "<i>Lebend</i>"),
    ],
)
def test_what_is_put_into_a_text_is_escaped(app: App, language: str, source: str, english: str, german: str) -> None:
    expected = (german if language == "German" else english).replace("!", INERT)

    assert render_template_string(source, {"evil": EVIL}) == expected


def test_a_value_that_is_markup_stays_so(app: App) -> None:
    source = "{% trans name=who %}Hello {{ name }}{% endtrans %}"

    assert render_template_string(source, {"who": Markup("<b>Duke</b>")}).endswith("<b>Duke</b>")


def test_a_hook_may_keep_translations_for_its_request() -> None:
    app = App("hooked", static_folder=None, template_folder=None)

    @app.before_request
    def choose(request: Any) -> None:
        if request.query.get("lang") == "de":
            current().keep(TRANSLATIONS, German())

    app.get("/")(lambda: render_template_string("{{ _('Hello') }}"))
    client = app.test_client()

    assert [client.get(url).text for url in ("/", "/?lang=de", "/")] == ["Hello", "Hallo", "Hello"]


def test_templates_without_an_app_translate_nothing() -> None:
    assert Templates([]).render_string("{% trans %}Hello{% endtrans %}", {}) == "Hello"
