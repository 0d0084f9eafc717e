"""A page with a form of every field, and one with formsets, as an attacker fills them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Request, db, forms
from segue.testing import Client


class Gig(db.Model):
    """What the forms change."""

    name = db.CharField(max_length=20)
    seats = db.IntegerField(null=True, blank=True)
    fee = db.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    is_paid = db.BooleanField(default=False)

    class Meta:
        app_label = "hostile_forms"


class Everything(forms.Form):
    """Every field that reads a text."""

    text = forms.CharField(max_length=20, required=False)
    whole = forms.IntegerField(required=False)
    decimal = forms.DecimalField(max_digits=6, decimal_places=2, required=False)
    number = forms.FloatField(required=False)
    choice = forms.ChoiceField(choices=[("a", "A")], required=False)
    choices = forms.MultipleChoiceField(choices=[("a", "A")], required=False)
    gig = forms.ModelChoiceField(queryset=Gig.objects.all(), required=False)
    gigs = forms.ModelMultipleChoiceField(queryset=Gig.objects.all(), required=False)
    moment = forms.DateTimeField(required=False)
    day = forms.DateField(required=False)
    time = forms.TimeField(required=False)
    span = forms.DurationField(required=False)
    url = forms.URLField(required=False)
    address = forms.EmailField(required=False)
    slug = forms.SlugField(required=False)
    uuid = forms.UUIDField(required=False)
    json = forms.JSONField(required=False)
    ip = forms.GenericIPAddressField(required=False)
    file = forms.FileField(required=False)


class GigForm(forms.ModelForm):
    """A form that must not reach `is_paid`."""

    class Meta:
        model = Gig
        fields = ("name", "seats", "fee")


Gigs = forms.modelformset_factory(Gig, form=GigForm, extra=1, can_delete=True)

HOSTILE = [
    "\x7f", "-", "+5", "1_000", "\N{FULLWIDTH DIGIT ONE}", "9" * 20, "9" * 5000, "1E+1000000", "1e400", "nan", "-inf",
    "sNaN", "0b1", "1" * 400 + ".5", "\N{ARABIC-INDIC DIGIT ONE}", "null", "[" * 2000, '{"a":' * 500, "2026-02-30",
    "0000-00-00", "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+14:00", "99:99", "P9999999999D",
    "999999999 days, 23:59:59.999999", "http://[::1", "http://" + "-" * 1500, "http://a@b:99999999/",
    "javascript:alert(1)", "::1%eth0", "1:" * 3000, "010.8.8.8", "a" * 100_000, "\N{RIGHT-TO-LEFT OVERRIDE}",
    "e\N{COMBINING ACUTE ACCENT}" * 5000, "a\N{LINE SEPARATOR}b", "\U0010ffff", "<script>", "{{7*7}}",
    "urn:uuid:" + "{" * 40,
]  # fmt: skip


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Client]:
    """A client of the pages; one gig is there."""
    app = App("club", database=f"sqlite:///{tmp_path}/club.db", static_folder=None, template_folder=None)

    @app.post("/everything")
    def everything(form: Everything) -> Any:
        return (str(form), 200 if form.is_valid() else 422)

    @app.post("/everything-async")
    async def everything_async(form: Everything) -> Any:
        return ("", 200 if await form.ais_valid() else 422)

    @app.post("/gig")
    def gig(form: GigForm) -> Any:
        return (str(form.save()), 200) if form.is_valid() else (str(form), 422)

    @app.post("/gigs")
    def gigs(request: Request) -> Any:
        formset = Gigs(request.form, queryset=Gig.objects.filter(name="ours"))
        return (str(formset.save()), 200) if formset.is_valid() else (str(formset), 422)

    with app.test_client() as client, app.context():
        app.db.create_all(Gig)
        Gig.objects.create(pk=1, name="ours")
        Gig.objects.create(pk=2, name="another's")
        yield client
    app.db.close()


@pytest.mark.parametrize("value", [pytest.param(each, id=f"{number}") for number, each in enumerate(HOSTILE)])
def test_k09_to_k11_a_hostile_value_in_every_field_is_refused(club: Client, value: str) -> None:
    answer = club.post("/everything", data=dict.fromkeys(Everything.base_fields, value))

    assert answer.status_code == 422
    assert "<script>" not in answer.text


# What JSON can hold where a text, a file or a count is expected.
SHAPES = [
    b"true", b"-99999999999999999999", b"9223372036854775808",
    b"1" + b"0" * 4000, b"1e308", b"1e999", b"[[]]", b"[null]", b'{"a": 1}',
    b'{"filename": "x", "size": 1}', b"[" * 60 + b"]" * 60, b'{"a":' * 60 + b"1" + b"}" * 60, b"NaN", b"Infinity",
    b'"\\ud800"', b'"\\u0000"', b'"9999-12-31T23:59:59-23:59"', b'"0001-01-01T00:00:00+23:59"', b'"10000-01-01"',
]  # fmt: skip


@pytest.mark.parametrize("path", ["/everything", "/everything-async", "/gig", "/gigs"])
@pytest.mark.parametrize("value", [pytest.param(each, id=f"{number}") for number, each in enumerate(SHAPES)])
def test_json_of_another_shape_in_every_field_is_refused_and_stores_nothing(
    club: Client, path: str, value: bytes
) -> None:
    management = ["form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-id", "form-0-name", "form-0-DELETE"]
    names = [*Everything.base_fields, *GigForm.base_fields, *management]
    body = b",".join(b'"%s": %s' % (name.encode(), value) for name in names)

    answer = club.post(path, data=b"{%s}" % body, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422)
    assert list(Gig.objects.order_by("pk").values_list("name", flat=True)) == ["ours", "another's"]


@pytest.mark.parametrize("path", ["/everything", "/everything-async", "/gig", "/gigs"])
def test_a_file_where_a_text_is_expected_is_none(club: Client, path: str) -> None:
    fields = [*Everything.base_fields, "form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-name", "name"]
    files = {name: ("../a\0.txt", b"\xff", "text/plain") for name in fields if name != "file"}

    answer = club.post(path, files=files)

    assert answer.status_code in (200, 400, 422)
    assert list(Gig.objects.order_by("pk").values_list("name", flat=True)) == ["ours", "another's"]


@pytest.mark.parametrize(
    "name", ["is_paid", "IS_PAID", "id", "pk", "_state", "__class__", "name__is_paid", "is_paid[]", "name.is_paid"]
)
def test_k15_a_field_that_the_form_does_not_list_is_not_bound(club: Client, name: str) -> None:
    answer = club.post("/gig", data={"name": "new", name: "1"})

    assert answer.status_code == 200
    assert list(Gig.objects.order_by("pk").values_list("name", "is_paid")) == [
        ("ours", False), ("another's", False), ("new", False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        {"form-TOTAL_FORMS": "1000000"},
        {"form-TOTAL_FORMS": "-1"},
        {"form-TOTAL_FORMS": "x"},
        {"form-TOTAL_FORMS": "1" + "0" * 30},
        {"form-TOTAL_FORMS": "\N{FULLWIDTH DIGIT ONE}\x7f"},
        {"form-TOTAL_FORMS": ""},
        {"form-INITIAL_FORMS": "5"},
        {"form-INITIAL_FORMS": "-1"},
        {"form-INITIAL_FORMS": ""},
    ],
)
def test_k12_forged_management_of_a_formset_is_an_error_of_the_form(club: Client, sent: dict[str, str]) -> None:
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": "1", "form-0-name": "changed"}

    answer = club.post("/gigs", data={**data, **sent})

    assert answer.status_code == 422
    assert list(Gig.objects.order_by("pk").values_list("name", flat=True)) == ["ours", "another's"]


@pytest.mark.parametrize("key", ["2", "999", "-1", "x", "9" * 30, "1e0", "True", ""])
@pytest.mark.parametrize("act", ["form-0-name", "form-0-DELETE"])
def test_k14_a_row_outside_the_queryset_is_out_of_reach(club: Client, key: str, act: str) -> None:
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": key, "form-0-name": "another's"}

    answer = club.post("/gigs", data={**data, act: "on"})

    assert answer.status_code == 422
    assert list(Gig.objects.order_by("pk").values_list("name", flat=True)) == ["ours", "another's"]
