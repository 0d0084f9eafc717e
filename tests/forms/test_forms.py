"""A form reads what was sent, checks it, and says what is wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from segue import App, Request, forms
from segue.errors import Fault, SetupError, UsageError, ValidationError
from segue.http.multidict import MultiDict


class Contact(forms.Form):
    subject = forms.CharField(max_length=100)
    message = forms.CharField(widget=forms.Textarea)
    sender = forms.EmailField()
    cc_myself = forms.BooleanField(required=False)


GOOD = {"subject": "hello", "message": "Hi there", "sender": "foo@example.com", "cc_myself": "on"}


# Checking


def test_good_data_becomes_clean_values() -> None:
    form = Contact(GOOD)

    assert form.is_valid()
    assert form.cleaned_data == {**GOOD, "cc_myself": True}


def test_bad_data_is_told_by_field() -> None:
    form = Contact({"subject": "", "message": "Hi", "sender": "no address", "cc_myself": ""})

    assert not form.is_valid()
    assert form.errors == {"subject": ["This field is required."], "sender": ["This is not an e-mail address."]}
    assert form.cleaned_data == {"message": "Hi", "cc_myself": False}


def test_a_form_without_data_is_not_valid_and_shows_no_errors() -> None:
    form = Contact()

    assert not form.is_bound
    assert not form.is_valid()
    assert form.errors == {}


def test_an_empty_mapping_is_data() -> None:
    assert "subject" in Contact({}).errors


def test_a_form_takes_what_a_request_has() -> None:
    form = Contact(MultiDict(list(GOOD.items())), MultiDict())

    assert form.is_valid()


def test_what_no_field_asks_for_does_not_get_in() -> None:
    form = Contact({**GOOD, "is_admin": "1", "__class__": "x", "Subject": "other"})

    assert form.is_valid()
    assert set(form.cleaned_data) == set(GOOD)


def test_errors_are_data_for_programs() -> None:
    form = Contact({**GOOD, "sender": "<b>"})

    assert json.loads(form.errors.as_json()) == {
        "sender": [{"message": "This is not an e-mail address.", "code": "email"}]
    }
    assert form.errors.as_data()["sender"][0].code == "email"
    assert form.faults == [Fault(("sender",), "email", "This is not an e-mail address.")]
    assert form.has_error("sender", "email")
    assert not form.has_error("sender", "required")


def test_errors_are_shown_escaped() -> None:
    form = Contact(GOOD)
    form.is_valid()
    form.add_error("subject", "<script>")

    assert "<script>" not in str(form.errors)
    assert "&lt;script&gt;" in str(form.errors["subject"])
    assert form.errors.as_text() == "* subject\n  * <script>"


# Own rules


class Booking(forms.Form):
    seats = forms.IntegerField()
    name = forms.CharField(required=False)

    def clean_seats(self) -> int:
        seats: int = self.cleaned_data["seats"]
        if seats > 10:
            raise ValidationError("At most %(most)s.", code="many", params={"most": 10})
        return seats * 2

    def clean(self) -> Any:
        if self.cleaned_data.get("seats") == 4 and not self.cleaned_data.get("name"):
            self.add_error("name", "Who comes?")
        if self.cleaned_data.get("seats") == 6:
            raise ValidationError("Not three.", code="three")
        if self.cleaned_data.get("seats") == 8:
            raise ValidationError({"seats": "Not four.", forms.NON_FIELD_ERRORS: ["Sorry."]})


def test_a_method_of_a_field_changes_its_value() -> None:
    form = Booking({"seats": "1"})

    assert form.is_valid()
    assert form.cleaned_data["seats"] == 2


def test_a_method_of_a_field_refuses_its_value() -> None:
    form = Booking({"seats": "11"})

    assert form.errors["seats"] == ["At most 10."]
    assert form.errors["seats"].as_data() == [Fault((), "many", "At most 10.", {"most": 10})]
    assert "seats" not in form.cleaned_data


@pytest.mark.parametrize(
    ("seats", "errors"),
    [
        ("2", {"name": ["Who comes?"]}),
        ("3", {forms.NON_FIELD_ERRORS: ["Not three."]}),
        ("4", {"seats": ["Not four."], forms.NON_FIELD_ERRORS: ["Sorry."]}),
    ],
)
def test_the_form_checks_what_concerns_several_fields(seats: str, errors: dict[str, list[str]]) -> None:
    form = Booking({"seats": seats})

    assert form.errors == errors
    assert form.non_field_errors() == errors.get(forms.NON_FIELD_ERRORS, [])


def test_an_error_of_no_field_is_an_error_that_names_the_nearest() -> None:
    form = Booking({"seats": "1"})

    with pytest.raises(UsageError, match="seats") as caught:
        form.add_error("seat", "no")

    assert caught.value.code == "forms/unknown-field"


def test_a_misspelt_method_of_a_field_is_an_error_at_definition() -> None:
    with pytest.raises(SetupError, match="clean_name") as caught:

        class Wrong(forms.Form):
            name = forms.CharField()

            def clean_nmae(self) -> None: ...

    assert caught.value.code == "forms/unknown-clean"


def test_a_misspelt_option_of_a_field_is_an_error_at_definition() -> None:
    with pytest.raises(SetupError, match="max_length") as caught:
        forms.CharField(max_lenght=3)  # type: ignore[call-arg]

    assert caught.value.code == "forms/field-option"
    assert __file__ in caught.value.where


# Waiting


class Slow(forms.Form):
    name = forms.CharField()
    code = forms.CharField(required=False)

    async def clean_name(self) -> str:
        await asyncio.sleep(0)
        if self.cleaned_data["name"] == "taken":
            raise ValidationError("That is taken.")
        return str(self.cleaned_data["name"]).title()

    async def clean(self) -> Any:
        await asyncio.sleep(0)
        if self.cleaned_data.get("name") == "Nobody":
            raise ValidationError("Nobody may.")
        return {**self.cleaned_data, "seen": True}


def test_async_methods_are_waited_for() -> None:
    form = Slow({"name": "nina"})

    assert asyncio.run(form.ais_valid())
    assert form.cleaned_data == {"name": "Nina", "code": "", "seen": True}


@pytest.mark.parametrize(
    ("name", "errors"), [("taken", {"name": ["That is taken."]}), ("nobody", {"__all__": ["Nobody may."]})]
)
def test_async_methods_refuse(name: str, errors: dict[str, list[str]]) -> None:
    form = Slow({"name": name})

    assert not asyncio.run(form.ais_valid())
    assert form.errors == errors


def test_without_waiting_async_methods_are_an_error_that_names_the_twin() -> None:
    form = Slow({"name": "nina"})

    with pytest.raises(UsageError, match="ais_valid") as caught:
        form.is_valid()

    assert caught.value.code == "forms/async-clean"
    assert asyncio.run(form.ais_valid())


def test_a_form_without_async_methods_is_checked_in_async_code_too() -> None:
    async def check() -> tuple[bool, bool]:
        return await Contact(GOOD).ais_valid(), Contact(GOOD).is_valid()

    assert asyncio.run(check()) == (True, True)


# What it starts with


class Started(forms.Form):
    name = forms.CharField(initial="Nina")
    born = forms.IntegerField(initial=lambda: 1933)
    hidden = forms.CharField(initial="a", show_hidden_initial=True)


def test_what_the_form_starts_with_goes_before_what_the_field_does() -> None:
    form = Started(initial={"name": "Etta"})

    assert [form["name"].value(), form["born"].value()] == ["Etta", 1933]


def test_what_differs_from_the_start_has_changed() -> None:
    form = Started({"name": "Nina", "born": "1934", "hidden": "b", "initial-hidden": "b"})

    assert form.changed_data == ["born"]
    assert form.has_changed()


def test_a_disabled_field_takes_nothing_that_is_sent() -> None:
    class Fixed(forms.Form):
        price = forms.IntegerField(disabled=True, initial=10)

    form = Fixed({"price": "1"})

    assert form.is_valid()
    assert form.cleaned_data == {"price": 10}
    assert form.changed_data == []


def test_a_prefix_keeps_two_forms_apart() -> None:
    data = {"a-seats": "1", "b-seats": "5"}
    first, second = Booking(data, prefix="a"), Booking(data, prefix="b")

    assert first.is_valid()
    assert second.is_valid()
    assert (first.cleaned_data["seats"], second["seats"].data) == (2, "5")
    assert 'name="a-seats"' in str(first["seats"])
    assert 'id="id_a-seats"' in str(first["seats"])


def test_fields_are_inherited_replaced_and_taken_away() -> None:
    class Longer(Contact):
        phone = forms.CharField()
        message = forms.IntegerField()
        sender = None

    assert list(Longer.base_fields) == ["subject", "message", "cc_myself", "phone"]
    assert isinstance(Longer.base_fields["message"], forms.IntegerField)


def test_the_order_of_fields_can_be_said() -> None:
    form = Contact(field_order=["sender", "no such", "subject"])

    assert list(form.fields) == ["sender", "subject", "message", "cc_myself"]


def test_what_is_changed_in_one_form_stays_in_it() -> None:
    form = Contact()
    form.fields["subject"].required = False
    form.fields["subject"].widget.attrs["class"] = "wide"
    form.fields["subject"].error_messages["invalid"] = "other"

    assert Contact().fields["subject"].required
    assert 'class="wide"' in str(form["subject"])
    assert "wide" not in str(Contact()["subject"])
    assert Contact().fields["subject"].error_messages["invalid"] != "other"


def test_repr_of_a_form_shows_nothing_that_was_sent() -> None:
    class Login(forms.Form):
        name = forms.CharField()
        password = forms.CharField(widget=forms.PasswordInput)

    form = Login({"name": "nina", "password": "tops3cret"})
    form.is_valid()

    shown = f"{form!r} {form['password']!r} {form.fields!r} {form.errors!r} {form['password'].field.widget!r} {form}"
    assert "tops3cret" not in shown
    assert repr(form) == "<Login valid: name, password>"


def test_a_request_in_place_of_data_is_an_error_that_says_what_to_write() -> None:
    app = App("forms_app", static_folder=None, template_folder=None)
    app.add_url_rule("/", view_func=lambda request: str(Contact(request)), methods=["POST"])

    with pytest.raises(UsageError, match="from_request"):
        app.test_client().post("/", data=GOOD)


# Requests


def app_with(kind: type[forms.Form]) -> App:
    app = App("forms_app", static_folder=None, template_folder=None)

    def answer(form: forms.Form) -> Any:
        if form.is_valid():
            return {"clean": {name: str(each) for name, each in form.cleaned_data.items()}}
        return {"bound": form.is_bound, "errors": form.errors.get_json_data()}, 422 if form.is_bound else 200

    def in_def(form: Any) -> Any:
        return answer(form)

    async def in_async(form: Any) -> Any:
        await form.ais_valid()
        return answer(form)

    in_def.__annotations__["form"] = in_async.__annotations__["form"] = kind
    for path, handler in (("/def", in_def), ("/async", in_async)):
        app.add_url_rule(path, view_func=handler, methods=["GET", "POST", "PUT", "PATCH"])
    return app


@pytest.mark.parametrize("path", ["/def", "/async"])
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_parameter_is_a_form_bound_to_the_body(path: str, method: str) -> None:
    client = app_with(Contact).test_client()

    response = getattr(client, method)(path, data=GOOD)

    assert response.json == {"clean": {**GOOD, "cc_myself": "True"}}


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_a_parameter_is_a_form_to_fill_in_where_nothing_is_written(path: str) -> None:
    assert app_with(Contact).test_client().get(path).json == {"bound": False, "errors": {}}


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_a_json_body_is_data_too(path: str) -> None:
    client = app_with(Contact).test_client()

    assert client.post(path, json={**GOOD, "cc_myself": True}).json == {"clean": {**GOOD, "cc_myself": "True"}}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": [1]}, 400),
        ({"json": "text"}, 400),
        ({"data": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"data": b"<a/>", "headers": {"content-type": "text/xml"}}, 415),
        ({"data": b""}, 422),
        ({"json": {}}, 422),
    ],
)
def test_a_body_that_holds_no_fields_is_refused(options: dict[str, Any], status: int) -> None:
    client = app_with(Contact).test_client(raise_errors=False)

    assert client.post("/def", **options).status_code == status


@pytest.mark.parametrize(
    "hostile",
    [
        {"json": {**GOOD, "subject": ["a", "b"]}},
        {"json": {**GOOD, "subject": {"a": "b"}}},
        {"json": {**GOOD, "subject": True}},
        {"json": {**GOOD, "sender": [["a"]]}},
        {"data": [*GOOD.items(), ("subject", "second")]},
        {"data": {**{k: v for k, v in GOOD.items() if k != "subject"}, "subject[name][]": "x"}},
        {"data": {**GOOD, "subject": "a\r\nb"}},
    ],
)
def test_values_of_another_shape_are_refused_not_crashed_on(hostile: dict[str, Any]) -> None:
    response = app_with(Contact).test_client(raise_errors=False).post("/def", **hostile)

    assert response.status_code == 422


def test_a_handler_can_make_the_form_itself() -> None:
    app = App("forms_app", static_folder=None, template_folder=None)

    @app.post("/")
    def handler(request: Request) -> Any:
        form = Contact.from_request(request, prefix="c", initial={"subject": "x"})
        return {"valid": form.is_valid(), "changed": form.changed_data}

    response = app.test_client().post("/", data={f"c-{name}": value for name, value in GOOD.items()})

    assert response.json == {"valid": True, "changed": ["subject", "message", "sender", "cc_myself"]}
