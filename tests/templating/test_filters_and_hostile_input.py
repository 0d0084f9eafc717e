"""Filters stay safe and cheap, whatever they are given."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from markupsafe import Markup

from segue.errors import UsageError
from segue.templating import Templates, UndefinedName


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates([], debug=True)


EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "filters",
    [
        "addslashes", "capfirst", "center(50)", "cut('x')", "iriencode", "linebreaks", "linebreaksbr", "linenumbers",
        "ljust(50)", "make_list|join", "phone2numeric", "rjust(50)", "slice(':40')", "stringformat('s')",
        "truncatechars(20)", "truncatechars_html(20)", "truncatewords(1)", "truncatewords_html(1)", "urlize",
        "urlizetrunc(30)", "yesno('<script>,b')", "default_if_none('x')", "add('<script>')", "escapejs",
        "force_escape", "json_script('<script>')", "pluralize('<script>')", "intcomma", "wordwrap(5)",
    ],
)  # fmt: skip
def test_a_script_in_a_value_is_inert(templates: Templates, filters: str) -> None:
    text = templates.render_string("{{ value|" + filters + " }}", {"value": EVIL})

    assert "<script>" not in text


def test_a_list_of_scripts_is_inert(templates: Templates) -> None:
    text = templates.render_string("{{ value|unordered_list }}", {"value": [EVIL, [EVIL]]})

    assert text.count("&lt;script&gt;") == 2
    assert "<script>" not in text


def test_markup_stays_markup_where_it_is_only_wrapped(templates: Templates) -> None:
    text = templates.render_string("{{ value|linebreaks }}", {"value": Markup("<b>a</b>\nb")})

    assert text == "<p><b>a</b><br>b</p>"


def test_cutting_markup_makes_it_plain_text(templates: Templates) -> None:
    text = templates.render_string("{{ value|cut('x') }}", {"value": Markup("<scrxipt>")})

    assert text == "&lt;script&gt;"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "java\nscript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "\ufeffjavascript:alert(1)",
    ],
)
def test_safe_url_refuses_addresses_that_run(templates: Templates, address: str) -> None:
    assert templates.render_string("{{ value|safe_url }}", {"value": address}) == "#"


def test_safe_url_leaves_no_entity_for_the_browser_to_decode(templates: Templates) -> None:
    text = templates.render_string("{{ value|safe_url }}", {"value": Markup("&#106;avascript:alert(1)")})

    assert text == "&amp;#106;avascript:alert(1)"


@pytest.mark.parametrize(
    "address",
    ["https://example.com/a:b", "/a:b", "?next=a:b", "mailto:a@example.com", "tel:+123", "#top", "page", "a b.html"],
)
def test_safe_url_leaves_harmless_addresses(templates: Templates, address: str) -> None:
    assert templates.render_string("{{ value|safe_url }}", {"value": address}) == address


@pytest.mark.parametrize(
    ("filters", "value"),
    [
        ("floatformat(2)", Decimal("1E+1000000")),
        ("floatformat(2)", "1E+1000000"),
        ("floatformat(2)", "9" * 100_000),
        ("floatformat(999999999)", 1.5),
        ("intcomma", "9" * 100_000),
        ("intword", "9" * 100_000),
        ("filesizeformat", Decimal("1E+1000000")),
        ("get_digit(1)", "9" * 100_000),
        ("ordinal", "9" * 100_000),
        ("add(1)", "9" * 100_000),
        ("stringformat('999999999d')", 1),
        ("stringformat('.999999f')", 1.5),
    ],
)
def test_a_huge_number_is_not_worked_out(templates: Templates, filters: str, value: Any) -> None:
    text = templates.render_string("{{ value|" + filters + " }}", {"value": value})

    assert len(text) <= 100_001


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("sNaN"), Decimal("-Infinity")])
def test_a_number_that_is_none_is_shown_as_it_is(templates: Templates, value: Any) -> None:
    assert templates.render_string("{{ value|floatformat(2) }}", {"value": value}) == str(value)


def test_slugify_normalises_no_more_than_255_characters(templates: Templates, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = unicodedata.normalize

    def counting(form: Any, text: str) -> str:
        asked.append(len(text))
        return real(form, text)

    monkeypatch.setattr(unicodedata, "normalize", counting)
    templates.render_string("{{ value|slugify }}", {"value": "\u0301" * 200_000})

    assert asked == [255]


@pytest.mark.parametrize("unit", ["(", ".", ";", "&:", "@", "[", "<", "<a", "<!--", "&#", "</b>"])
@pytest.mark.parametrize(
    "filters",
    ["urlize", "urlizetrunc(9)", "truncatewords_html(9)", "truncatechars_html(9)", "linebreaks", "striptags"],
)
def test_a_long_row_of_one_sign_is_answered(templates: Templates, unit: str, filters: str) -> None:
    text = templates.render_string("{{ value|" + filters + " }}", {"value": unit * 10_000})

    assert "<script" not in text


def test_urlize_only_escapes_a_text_over_a_million_characters(templates: Templates) -> None:
    text = templates.render_string("{{ value|urlize }}", {"value": "<www.example.com>" + " " * 1_000_000})

    assert text.startswith("&lt;www.example.com&gt;")


def test_json_script_cannot_be_closed_from_inside(templates: Templates) -> None:
    text = templates.render_string("{{ value|json_script('x') }}", {"value": "</script><!-- ]]>"})

    assert "</script><" not in text
    assert text.endswith('\\u003C/script\\u003E\\u003C!-- ]]\\u003E"</script>')


def test_tojson_writes_dates_and_decimals_and_escapes_tags(templates: Templates) -> None:
    value = {"day": date(2024, 1, 2), "price": Decimal("1.50"), "text": "</script>"}

    text = templates.render_string("{{ value|tojson }}", {"value": value})

    assert text == '{"day": "2024-01-02", "price": "1.50", "text": "\\u003c/script\\u003e"}'


@pytest.mark.parametrize(
    "expression",
    [
        "users|map(attribute='__class__')|join",
        "users|map(attribute='name.__class__')|join",
        "users|map(attribute='_secret')|join",
        "users|selectattr('_secret')|list|length or ''",
    ],
)
def test_filters_do_not_look_up_names_with_an_underscore(expression: str) -> None:
    class User:
        name = "amy"
        _secret = 1

    text = Templates([], debug=False).render_string("{{ " + expression + " }}", {"users": [User(), User()]})

    assert text == ""


def test_dictsort_does_not_sort_by_a_hidden_name(templates: Templates) -> None:
    class User:
        _secret = 1

    assert templates.render_string("{{ users|dictsort('_secret')|length }}", {"users": [User()]}) == "0"


def test_a_format_that_asks_a_date_for_its_hour_says_so(templates: Templates) -> None:
    with pytest.raises(UsageError) as caught:
        templates.render_string("{{ day|date('H:i') }}", {"day": date(2024, 1, 2)})

    assert caught.value.code == "templates/date-format"
    assert "'H'" in caught.value.message


@pytest.mark.parametrize(
    "filters",
    ["date", "time", "timesince", "floatformat", "intcomma", "pluralize", "add(1)", "slugify", "linebreaks", "upper"],
)
def test_a_filter_does_not_hide_a_misspelt_name_in_production(filters: str) -> None:
    text = Templates([], debug=False).render_string("[{{ usr|" + filters + " }}]", {})

    assert text in {"[]", "[<p></p>]"}


@pytest.mark.parametrize(
    "filters",
    ["date", "time", "timesince", "floatformat", "intcomma", "pluralize", "add(1)", "slugify", "linebreaks", "upper"],
)
def test_a_filter_does_not_hide_a_misspelt_name_in_debug(templates: Templates, filters: str) -> None:
    with pytest.raises(UndefinedName, match="usr"):
        templates.render_string("{{ usr|" + filters + " }}", {})
