"""What nobody's browser sends: each field refuses it, at little cost, and says so; none crashes.

The cost is counted in calls. What no call shows, such as a pattern that goes back and forth over a
megabyte, would not come to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from segue import App, ValidationError, forms

MB = "x" * 1_000_000
CHOICES = [("a", "A"), ("b", "B")]

# A field that has a length or a form of its own; a CharField without max_length takes what a body may hold.
FIELDS: dict[str, Callable[[], forms.Field]] = {
    "CharField": lambda: forms.CharField(max_length=100),
    "Textarea": lambda: forms.CharField(max_length=100, widget=forms.Textarea),
    "PasswordInput": lambda: forms.CharField(max_length=100, widget=forms.PasswordInput),
    "EmailField": forms.EmailField,
    "URLField": forms.URLField,
    "SlugField": forms.SlugField,
    "RegexField": lambda: forms.RegexField(r"^[0-9]{4}$", max_length=100),
    "UUIDField": forms.UUIDField,
    "JSONField": forms.JSONField,
    "GenericIPAddressField": forms.GenericIPAddressField,
    "IntegerField": forms.IntegerField,
    "FloatField": forms.FloatField,
    "DecimalField": lambda: forms.DecimalField(max_digits=10, decimal_places=2),
    "plain DecimalField": forms.DecimalField,
    "DateField": forms.DateField,
    "TimeField": forms.TimeField,
    "DateTimeField": forms.DateTimeField,
    "DurationField": forms.DurationField,
    "ChoiceField": lambda: forms.ChoiceField(choices=CHOICES),
    "TypedChoiceField": lambda: forms.TypedChoiceField(choices=CHOICES),
    "MultipleChoiceField": lambda: forms.MultipleChoiceField(choices=CHOICES),
    "TypedMultipleChoiceField": lambda: forms.TypedMultipleChoiceField(choices=CHOICES),
    "ComboField": lambda: forms.ComboField(fields=[forms.CharField(max_length=20), forms.EmailField()]),
    "SplitDateTimeField": forms.SplitDateTimeField,
}
NUMBERS = ["IntegerField", "FloatField", "DecimalField", "plain DecimalField"]


def form_of(field: forms.Field) -> type[forms.Form]:
    return type("Asked", (forms.Form,), {"x": field})


def sent(value: Any) -> dict[str, Any]:
    """A value as the field's own element sends it, and as each part of one of several parts."""
    return {"x": value, "x_0": value, "x_1": value}


# Of Python functions: of checking a form of one field, and of showing it.
MOST_CALLS = 850

Refused = Callable[[forms.Field, Any], int]


@pytest.fixture
def refused(calls_of: Callable[[Callable[[], Any]], int]) -> Refused:
    """Check a form and show it again; return the calls that it took."""

    def check_and_show(form: forms.Form) -> None:
        assert not form.is_valid()
        assert form.errors["x"]
        assert "aria-invalid" in str(form)

    return lambda field, value: calls_of(partial(check_and_show, form_of(field)(sent(value))))


@pytest.fixture(scope="module", autouse=True)
def _templates_and_formats_are_compiled() -> None:
    for make in FIELDS.values():
        str(form_of(make())({"x": "x", "x_0": "x", "x_1": "x"}))


SHAPES: dict[str, Any] = {
    "letters": MB,
    "digits": "9" * 1_000_000,
    "brackets": "[" * 1_000_000,
    "dashes": "-" * 1_000_000,
    "list": [MB],
    "nested": [[["a"]]],
    "list with NUL": ["a", "\0"],
    "NUL": "a\0",
    "half a pair": "\ud800",
    "bytes": b"\xff",
}
# To JSON a list is a value, and bytes no request has.
JSON_TAKES = {("JSONField", "list"), ("JSONField", "nested"), ("JSONField", "bytes")}


@pytest.mark.parametrize(
    ("kind", "shape"), [(kind, shape) for kind in FIELDS for shape in SHAPES if (kind, shape) not in JSON_TAKES]
)
def test_a_field_refuses_what_is_too_long_or_of_another_shape(refused: Refused, kind: str, shape: str) -> None:
    assert refused(FIELDS[kind](), SHAPES[shape]) <= MOST_CALLS


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "text",
    [
        "1E+1000000", "1e-1000000000", "nan", "sNaN", "inf", "-Infinity", "1_000", "１２", "٣", "0b1", "0x1f",
        "9" * 5_000, "1\n2", "1,5", "--1", "1 2", "5e", "",
    ],
)  # fmt: skip
def test_a_field_of_numbers_takes_plain_numbers_only(refused: Refused, kind: str, text: str) -> None:
    assert refused(FIELDS[kind](), text) <= MOST_CALLS


@pytest.mark.parametrize("kind", ["FloatField", "plain DecimalField"])
@pytest.mark.parametrize("text", ["1e5", "+5", " 5 "])
def test_what_people_type_is_a_number(kind: str, text: str) -> None:
    form = form_of(FIELDS[kind]())(sent(text))

    assert form.is_valid()
    assert form.cleaned_data["x"] in (5, 100_000)


ONE_LINE = {
    "CharField": "value",
    "EmailField": "duke@example.com",
    "URLField": "https://example.com",
    "SlugField": "value",
    "UUIDField": "12345678-1234-5678-1234-567812345678",
    "GenericIPAddressField": "127.0.0.1",
    "IntegerField": "5",
    "FloatField": "5.0",
    "DecimalField": "5",
    "DateField": "2026-01-01",
    "TimeField": "12:00",
    "DateTimeField": "2026-01-01 12:00",
    "DurationField": "1:00",
    "RegexField": "1959",
    "ChoiceField": "a",
}


@pytest.mark.parametrize("kind", ONE_LINE)
@pytest.mark.parametrize("wrapped", ["{}\n", "\n{}", "{}\r\n", "a\r\n{}", "{}\x0b", "{}\u2028"])
def test_a_clean_value_never_has_a_line_break(kind: str, wrapped: str) -> None:
    form = form_of(FIELDS[kind]())(sent(wrapped.format(ONE_LINE[kind])))

    form.is_valid()

    assert set(str(form.cleaned_data.get("x", ""))).isdisjoint("\n\r\x0b\u2028")


@pytest.mark.parametrize(
    "text",
    [
        "1E+1000000",
        "[1, -1e999]",
        '"\\u0000"',
        '{"a": ["\\u0000"]}',
        '{"\\u0000": 1}',
        '"\\ud800"',
        "NaN",
        "[Infinity]",
    ],
)
def test_json_that_a_database_refuses_is_refused(refused: Refused, text: str) -> None:
    assert refused(forms.JSONField(), text) <= MOST_CALLS


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], {"a": "\0"}, {"\0": 1}, [[[["deep"]]]]],
    ids=["nan", "inf", "in", "key", "deep"],
)
def test_json_of_a_json_body_meets_the_same_limits(refused: Refused, value: Any) -> None:
    assert refused(forms.JSONField(max_depth=3), value) <= MOST_CALLS


@pytest.mark.parametrize("kind", ["MultipleChoiceField", "TypedMultipleChoiceField"])
@pytest.mark.parametrize(
    "value",
    [["a"] * 100_000, [str(each) for each in range(100_000)], ["a", MB], [None], [{"a": 1}], {"a": 1}],
    ids=["the same", "others", "long", "none", "mapping in a list", "mapping"],
)
def test_many_choices_are_refused(refused: Refused, kind: str, value: Any) -> None:
    assert refused(FIELDS[kind](), value) <= MOST_CALLS + len(value)  # each is shown again


class Small(forms.Form):
    title = forms.CharField(max_length=10)


@pytest.mark.parametrize("options", [{}, {"can_delete": True}, {"can_order": True}], ids=["plain", "delete", "order"])
@pytest.mark.parametrize(
    ("total", "initial"),
    [
        ("1000000", "0"), ("-1", "0"), ("x", "0"), (None, "0"), ("1", "5"), ("1", "9" * 30),
        ("9" * 1_000_000, "0"), ("1\0", "0"),
    ],
    ids=["million", "negative", "letters", "missing", "more before", "huge before", "long", "NUL"],
)  # fmt: skip
def test_counts_of_a_formset_that_cannot_be_make_no_form(options: dict[str, bool], total: Any, initial: str) -> None:
    formset = forms.formset_factory(Small, **options)({"form-TOTAL_FORMS": total, "form-INITIAL_FORMS": initial})

    assert not formset.is_valid()
    assert formset.forms == []
    assert str(formset)


class Asked(forms.Form):
    name = forms.CharField(max_length=254)
    many = forms.MultipleChoiceField(choices=CHOICES, required=False)
    data = forms.JSONField(required=False)


@pytest.fixture
def site() -> App:
    app = App("hostile", static_folder=None, template_folder=None)

    @app.post("/")
    def handler(form: Asked) -> dict[str, Any]:
        if not form.is_valid():
            raise ValidationError(form.faults)
        return form.cleaned_data

    return app


@pytest.mark.parametrize(
    "options",
    [
        {"data": {"name": "x" * 100_000}},
        {"data": [("many", "a")] * 900},
        {"data": b"name=%ff", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"data": b"name=%00", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"data": b'{"name": "\\ud800"}', "headers": {"content-type": "application/json"}},
        {"data": b'{"name": "x", "data": "\\u0000"}', "headers": {"content-type": "application/json"}},
        {"data": b'{"name": "x", "data": 1e999}', "headers": {"content-type": "application/json"}},
        {"data": b"[" * 50_000, "headers": {"content-type": "application/json"}},
    ],
    ids=["long", "many", "not UTF-8", "NUL", "half a pair", "NUL in JSON", "not finite", "deep"],
)
def test_a_request_of_it_is_answered_below_500(site: App, options: dict[str, Any]) -> None:
    answer = site.test_client(raise_errors=False).post("/", **options)

    assert answer.status_code in range(400, 500)
