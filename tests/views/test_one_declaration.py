"""DATA-4, DATA-9, DATA-10, DATA-13, DATA-51: what a model says reaches its forms and their pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from segue import App, db, forms
from segue.colours import Either
from segue.db.adopting import adopt
from segue.errors import ValidationError
from segue.http.request import Request
from segue.testing import Client
from segue.views import CreateView, DeleteView, DetailView, ListView, UpdateView


class PhoneField(db.CharField[str]):
    """Eight lines, and one method that is overridden."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 20, **options})

    def to_python(self, value: Any) -> str:
        digits = re.sub(r"[ ()/-]", "", super().to_python(value))
        if not re.fullmatch(r"\+?[0-9]{4,18}", digits):
            raise self.invalid()
        return digits


class Hall(db.Model):
    name = db.CharField(max_length=80)
    phone = PhoneField(blank=True, default="")
    price = db.DecimalField(max_digits=6, decimal_places=2, min_value=1, max_value=500)
    share = db.FloatField(min_value=0, max_value=1, default=0.5)

    class Meta:
        app_label = "once"


class Booking(db.Model):
    hall = db.ForeignKey(Hall, on_delete=db.CASCADE)
    day = db.IntegerField()
    starts = db.IntegerField()
    ends = db.IntegerField()

    class Meta:
        app_label = "once"
        constraints = [
            db.CheckConstraint(condition=db.Q(ends__gt=db.F("starts")), name="ends_after_it_starts"),
            db.UniqueConstraint(fields=["hall", "day"], name="one_a_day"),
        ]


class Seat(db.Model):
    row = db.CharField(max_length=2)
    number = db.IntegerField()
    note = db.CharField(max_length=20, blank=True, default="")
    pk = db.CompositePrimaryKey("row", "number")

    class Meta:
        app_label = "once"


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user_account"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(30))
    fullname: orm.Mapped[str | None] = orm.mapped_column(sa.String(50))
    addresses: orm.Mapped[list[Address]] = orm.relationship(back_populates="user", cascade="all, delete-orphan")


class Address(Base):
    __tablename__ = "address"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    email_address: orm.Mapped[str] = orm.mapped_column(sa.String(100))
    user_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("user_account.id"))
    user: orm.Mapped[User] = orm.relationship(back_populates="addresses")


class Kept(Base):
    """A column of each kind that a form has a field for, and one that none has."""

    __tablename__ = "kept"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    word: orm.Mapped[str] = orm.mapped_column(sa.Enum("a", "b", name="words"))
    count: orm.Mapped[int | None]
    price: orm.Mapped[Decimal] = orm.mapped_column(sa.Numeric(5, 2))
    is_new: orm.Mapped[bool]
    day: orm.Mapped[date]
    moment: orm.Mapped[datetime]
    text: orm.Mapped[str] = orm.mapped_column(sa.Text)
    picture: orm.Mapped[bytes | None]


ADOPTED = adopt(Base)
MODELS = [Hall, Booking, Seat]

Colour = Callable[[type[Any]], Any]


@pytest.fixture
def app(tmp_path: Path, write: Callable[[str, str], None]) -> Iterator[App]:
    """An app with the tables, whose pages show their form or their objects."""
    made = App(
        "tests_once",
        database=f"sqlite:///{tmp_path}/once.db",
        static_folder=None,
        template_folder=str(tmp_path / "templates"),
    )
    outside = db.connect(f"sqlite:///{tmp_path}/once.db")
    outside.create_all(*MODELS)
    with outside.connection() as connection:
        Base.metadata.create_all(connection)
        connection.commit()
    write(
        "page.html",
        "{% for each in object_list|default([]) %}{{ each.name }} {% endfor %}"
        "{{ form if form is defined else object.note if object is defined else '' }}",
    )
    yield made
    made.db.close()
    db.disconnect()


@pytest.fixture(params=["def", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    """Make a view async, or leave it; its template is the one of the test."""

    async def get(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.aget(request, *args, **kwargs)

    async def post(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return await self.apost(request, *args, **kwargs)

    members: dict[str, Any] = {"template_name": "page.html"}
    if request.param == "async":
        members |= {"get": get, "post": post}
    return lambda cls: type(cls.__name__, (cls,), members if hasattr(cls, "post") else {**members, "post": None})


@pytest.fixture
def browser(app: App) -> Client:
    """A visitor."""
    return Client(app, raise_errors=False)


def attributes_of(form: Any, name: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', str(form[name])))


# DATA-4


@pytest.mark.parametrize("length", [80, 40])
def test_a_length_that_is_said_once_is_that_of_column_form_and_html(app: App, length: int) -> None:
    class Club(db.Model):
        name = db.CharField(max_length=length)

        class Meta:
            app_label = f"once_{length}"

    form = forms.modelform_factory(Club, fields=["name"])({"name": "x" * (length + 1)})

    assert Club.table.c.name.type.length == length
    assert form.fields["name"].max_length == length
    assert attributes_of(form, "name")["maxlength"] == str(length)
    assert form.errors["name"].as_data()[0].params["limit_value"] == length
    with pytest.raises(ValidationError, match=f"at most {length}"):
        Club(name="x" * (length + 1)).full_clean()


@pytest.mark.parametrize(("name", "low", "high"), [("price", "1", "500"), ("share", "0", "1")])
def test_limits_of_a_number_are_those_of_form_and_html(app: App, name: str, low: str, high: str) -> None:
    form = forms.modelform_factory(Hall, fields=[name])({name: "501"})

    assert (attributes_of(form, name)["min"], attributes_of(form, name)["max"]) == (low, high)
    assert form.errors[name].as_data()[0].code == "max_value"


def test_a_form_may_say_otherwise_than_its_model(app: App) -> None:
    widgets = {"name": forms.Textarea(attrs={"maxlength": "5"})}
    form = forms.modelform_factory(Hall, fields=["name"], widgets=widgets, labels={"name": "Who"})()

    assert "Who" in str(form)
    assert "<textarea" in str(form)


# DATA-9


class Book(CreateView):
    model = Booking
    fields = ["hall", "day", "starts", "ends"]
    success_url = "/done"


@pytest.fixture
def hall(app: App) -> Hall:
    """A hall that is booked on the first day."""
    made = Hall.objects.create(name="Cotton Club", price=1)
    Booking.objects.create(hall=made, day=1, starts=1, ends=2)
    return made


@pytest.mark.parametrize(
    ("sent", "said"),
    [({"day": 2, "starts": 3, "ends": 3}, "ends_after_it_starts"), ({"day": 1, "starts": 3, "ends": 4}, "exists")],
    ids=["check", "unique"],
)
def test_a_rule_of_the_model_is_told_before_anything_is_inserted(
    app: App, colour: Colour, browser: Client, hall: Hall, sent: dict[str, int], said: str
) -> None:
    app.add_url_rule("/", view_func=colour(Book))

    answer = browser.post("/", data={"hall": str(hall.pk), **{name: str(each) for name, each in sent.items()}})

    assert answer.status_code == 422
    assert said in answer.text
    assert Booking.objects.count() == 1


class Quick(forms.ModelForm):
    """A form that somebody is quicker than, between its check and its saving."""

    class Meta:
        model = Booking
        fields = ["hall", "day", "starts", "ends"]

    def _saving(self, *, commit: bool) -> Any:
        quicker = Booking(hall_id=self.instance.hall_id, day=5, starts=1, ends=2)
        yield Either(quicker.save, quicker.asave)
        return (yield from super()._saving(commit=commit))


def test_a_lost_race_is_told_as_the_check_before_would(app: App, colour: Colour, browser: Client, hall: Hall) -> None:
    app.add_url_rule("/quick", view_func=colour(Book).as_view(fields=None, form_class=Quick))
    app.add_url_rule("/", view_func=colour(Book))
    sent = {"hall": str(hall.pk), "day": "5", "starts": "3", "ends": "4"}

    lost = browser.post("/quick", data=sent)
    late = browser.post("/", data=sent)

    assert (lost.status_code, late.status_code) == (422, 422)
    assert lost.text == late.text
    assert "exists" in lost.text
    assert Booking.objects.filter(day=5).count() == 1


# DATA-10


class SeatForm(forms.ModelForm):
    class Meta:
        model = Seat
        fields = ["row", "number", "note"]


def test_a_row_with_a_key_of_two_columns_is_made_and_changed_by_forms(app: App) -> None:
    made = SeatForm({"row": "A", "number": "1", "note": "x"})
    assert made.is_valid()
    made.save()

    again = SeatForm({"row": "A", "number": "1", "note": "y"})
    changed = SeatForm({"row": "A", "number": "1", "note": "y"}, instance=Seat.objects.get(pk=("A", 1)))

    assert not again.is_valid()
    assert changed.is_valid()
    changed.save()
    assert list(Seat.objects.values_list("row", "number", "note")) == [("A", 1, "y")]


def test_a_row_with_a_key_of_two_columns_has_pages(app: App, colour: Colour, browser: Client) -> None:
    options = {"model": Seat, "success_url": "/done"}
    of_form = {**options, "fields": ["row", "number", "note"]}
    app.add_url_rule("/new", view_func=colour(CreateView).as_view(**of_form))
    app.add_url_rule("/<row>/<int:number>", view_func=colour(DetailView).as_view(model=Seat))
    app.add_url_rule(
        "/<row>/<int:number>/edit", view_func=colour(UpdateView).as_view(**{**of_form, "fields": ["note"]})
    )
    app.add_url_rule("/<row>/<int:number>/delete", view_func=colour(DeleteView).as_view(**options))

    new = browser.post("/new", data={"row": "A", "number": "1", "note": "first"}, follow_redirects=False)
    shown = browser.get("/A/1").text
    edited = browser.post("/A/1/edit", data={"note": "second"}, follow_redirects=False)

    assert (new.status_code, shown, edited.status_code) == (303, "first", 303)
    assert Seat.objects.get(pk=("A", 1)).note == "second"
    assert browser.get("/A/2").status_code == 404
    assert browser.post("/A/1/delete", follow_redirects=False).status_code == 303
    assert Seat.objects.count() == 0


# DATA-13


def test_a_field_of_eight_lines_is_a_field_of_forms(app: App, colour: Colour, browser: Client) -> None:
    view = colour(CreateView).as_view(model=Hall, fields=["name", "price", "phone"], success_url="/done")
    app.add_url_rule("/", view_func=view)
    sent = {"name": "Birdland", "price": "5"}

    bad = browser.post("/", data={**sent, "phone": "none"})
    good = browser.post("/", data={**sent, "phone": "(030) 12-34"}, follow_redirects=False)

    assert (bad.status_code, good.status_code) == (422, 303)
    assert 'aria-invalid="true"' in bad.text
    assert 'value="none"' in bad.text
    assert 'maxlength="20"' in bad.text
    assert Hall.objects.get().phone == "0301234"


class FormPhoneField(forms.CharField):
    def to_python(self, value: Any) -> str:
        digits = re.sub(r"[ ()/-]", "", super().to_python(value))
        if digits and not re.fullmatch(r"\+?[0-9]{4,18}", digits):
            raise self.fault("invalid")
        return digits


def test_a_field_of_a_form_needs_one_method_or_one_template(app: App, write: Callable[[str, str], None]) -> None:
    class Call(forms.Form):
        phone = FormPhoneField(max_length=20)
        other = forms.CharField(required=False, template_name="phone.html")

    write("phone.html", "<tel>{{ field.name }}</tel>")

    good, bad = Call({"phone": "(030) 12-34"}), Call({"phone": "none"})
    assert good.is_valid()
    assert good.cleaned_data["phone"] == "0301234"
    assert bad.errors["phone"].as_data()[0].code == "invalid"
    with app.context():
        assert "<tel>other</tel>" in str(bad)


# DATA-51


def test_adopted_models_have_forms_and_pages(app: App, colour: Colour, browser: Client) -> None:
    app.add_url_rule("/", view_func=colour(ListView).as_view(model=ADOPTED.User, ordering="name"))
    options: dict[str, Any] = {"success_url": "/"}
    user = {**options, "model": ADOPTED.User, "fields": ["name", "fullname"]}
    app.add_url_rule("/new", view_func=colour(CreateView).as_view(**user))
    app.add_url_rule("/<int:pk>/edit", view_func=colour(UpdateView).as_view(**user))
    address = {**options, "model": ADOPTED.Address, "fields": ["email_address", "user"]}
    app.add_url_rule("/address", view_func=colour(CreateView).as_view(**address))

    long = browser.post("/new", data={"name": "x" * 31})
    browser.post("/new", data={"name": "sandy", "fullname": ""})
    browser.post("/1/edit", data={"name": "patrick", "fullname": "Patrick"})
    browser.post("/address", data={"email_address": "p@example.org", "user": "1"})

    assert (long.status_code, 'maxlength="30"' in long.text) == (422, True)
    assert browser.get("/").text.split() == ["patrick"]
    assert ADOPTED.Address.objects.get().user.fullname == "Patrick"


def test_columns_of_adopted_tables_have_the_fields_of_their_types(app: App) -> None:
    made = forms.modelform_factory(ADOPTED.Kept, fields="__all__")
    sent = {"word": "b", "count": "", "price": "1.50", "day": "2026-01-02", "moment": "2026-01-02T03:04", "text": "x"}

    good, bad = made(sent), made({**sent, "word": "c", "count": "x", "price": "1000", "day": "x", "text": ""})

    assert "picture" not in made.base_fields
    assert good.is_valid(), good.errors
    good.save()
    kept = ADOPTED.Kept.objects.get()
    assert (kept.word, kept.count, kept.price, kept.is_new) == ("b", None, Decimal("1.50"), False)
    assert (kept.day, kept.moment, kept.text) == (date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), "x")
    assert set(bad.errors) == {"word", "count", "price", "day", "text"}
