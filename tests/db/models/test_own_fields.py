"""A field of the user's own needs one method, and keeps all else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from segue import db
from segue.errors import Fault, ValidationError

Tables = Callable[..., None]


class PhoneField(db.CharField[str]):
    """Eight lines, and one method that is overridden."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 20, **options})

    def to_python(self, value: Any) -> str:
        digits = re.sub(r"[ ()/-]", "", super().to_python(value))
        if not re.fullmatch(r"\+?[0-9]{4,18}", digits):
            raise self.invalid()
        return digits


@dataclass(frozen=True)
class Point:
    x: int
    y: int


class PointField(db.Field[Point]):
    """A value object in one column of text."""

    kind = "point"

    def make_type(self) -> Any:
        return sa.String(40)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Point):
            return value
        try:
            return Point(*map(int, str(value).split(",")))
        except (TypeError, ValueError):
            raise self.invalid() from None

    def prepare(self, value: Any) -> Any:
        found = super().prepare(value)
        return None if found is None else f"{found.x},{found.y}"

    def from_database(self) -> Any:
        return lambda text: None if text is None else self.to_python(text)


class UpperField(db.CharField[str]):
    """Fills itself in when it is saved."""

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        value = super().pre_save(instance, adding=adding).upper()
        setattr(instance, self.attname, value)
        return value


class Person(db.Model):
    phone = PhoneField(unique=True)
    at = PointField(null=True)
    code = UpperField(max_length=9, default="x")
    places = db.ArrayField(db.CharField(max_length=9), default=list, blank=True)

    class Meta:
        app_label = "own"


@pytest.fixture(autouse=True)
def made(tables: Tables) -> None:
    tables(Person)


def test_what_is_parsed_is_checked_written_and_looked_up(database: db.Database) -> None:
    person = Person(phone="(030) 12 34-56")
    person.full_clean()
    assert person.phone == "030123456"
    person.save()

    assert Person.objects.get(phone="030123456") == person
    with pytest.raises(ValidationError) as caught:
        Person(phone="call me").full_clean()
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(("phone",), "invalid")]
    with pytest.raises(ValidationError) as again:
        Person(phone="030/123456").full_clean()
    assert [fault.code for fault in again.value.faults] == ["unique"]


def test_a_value_object_is_kept_in_one_column(database: db.Database) -> None:
    person = Person.objects.create(phone="0301", at=Point(1, 2))

    found = Person.objects.get(at=Point(1, 2))
    assert (found, found.at) == (person, Point(1, 2))
    assert Person.objects.filter(at__in=[Point(1, 2), "3,4"]).count() == 1
    assert list(Person.objects.values_list("at", flat=True)) == [Point(1, 2)]
    assert Person.objects.filter(at="1,2").update(at=Point(5, 6)) == 1
    person.refresh_from_db()
    assert person.at == Point(5, 6)
    with pytest.raises(ValueError):
        Person.objects.filter(at="nowhere")


def test_a_field_that_fills_itself_in(database: db.Database) -> None:
    person = Person(phone="0302", code="abc")
    person.save()

    assert (person.code, Person.objects.get().code) == ("ABC", "ABC")
    Person.objects.bulk_create([Person(phone="0303", code="def")])
    assert Person.objects.get(phone="0303").code == "DEF"


def test_an_own_field_takes_and_checks_the_options_of_its_parent(database: db.Database) -> None:
    field = PhoneField(null=True, help_text="With the area code.")

    assert (field.null, field.max_length, field.help_text) == (True, 20, "With the area code.")
    with pytest.raises(Exception, match="max_length"):
        PhoneField(max_lenght=3)


def test_a_field_without_a_column_says_what_to_write(database: db.Database) -> None:
    with pytest.raises(Exception, match="does not say what its column is") as caught:
        db.Field().column_type()

    assert "def make_type" in caught.value.hint  # type: ignore[attr-defined]


def test_own_validators_may_give_several_faults(database: db.Database) -> None:
    def check(value: str) -> None:
        faults = [Fault((), code, "No.") for code in ("a", "b") if code in value]
        if faults:
            raise ValidationError(faults)

    with pytest.raises(ValidationError) as caught:
        db.CharField(validators=[check]).clean("ab")

    assert [fault.code for fault in caught.value.faults] == ["a", "b"]


def test_own_look_ups_and_expressions_work_on_own_fields(database: db.Database) -> None:
    class EndsInDigit(db.Lookup):
        name = "last_digit"

        def build(self, compiler: Any, left: Any, right: Any) -> Any:
            return left.like(sa.literal("%") + right)

    db.register_lookup(PhoneField, EndsInDigit)
    Person.objects.create(phone="0307")
    Person.objects.create(phone="0308")

    assert Person.objects.get(phone__last_digit="8").phone == "0308"
    with pytest.raises(db.FieldError):
        Person.objects.filter(code__last_digit="8")
