"""A form made of a Struct, and a Struct made of a form."""

from __future__ import annotations

import enum
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest

from segue import forms
from segue.errors import SetupError, ValidationError


class Kind(enum.Enum):
    LIVE = "live"
    STUDIO = "studio"


class Song(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(max_length=10)]
    minutes: Annotated[int, msgspec.Meta(ge=1)]
    kind: Kind
    price: Decimal | None = None
    released: date | None = None
    tempo: Literal["slow", "fast"] = "slow"
    is_cover: bool = False
    note: str = "none"

    def __post_init__(self) -> None:
        if self.title == "4'33":
            raise ValueError("Silence is no song")


SongForm = forms.form_for(Song)
GOOD = {"title": "So What", "minutes": "9", "kind": "live", "price": "1.50", "is_cover": "on"}


def test_clean_values_make_the_struct() -> None:
    form = SongForm(GOOD)

    assert form.is_valid(), form.errors
    assert form.to_struct() == Song("So What", 9, Kind.LIVE, Decimal("1.50"), is_cover=True)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"title": "x" * 11}, "title", "max_length"),
        ({"minutes": "0"}, "minutes", "min_value"),
        ({"kind": "other"}, "kind", "invalid_choice"),
        ({"tempo": "medium"}, "tempo", "invalid_choice"),
        ({"released": "soon"}, "released", "invalid"),
    ],
)
def test_the_rules_of_the_struct_are_those_of_the_form(changes: dict[str, Any], field: str, code: str) -> None:
    form = SongForm({**GOOD, **changes})

    assert form.has_error(field, code)
    with pytest.raises(ValidationError):
        form.to_struct()


def test_what_the_struct_itself_refuses_is_an_error_of_the_form() -> None:
    form = SongForm({**GOOD, "title": "4'33"})

    assert form.non_field_errors() == ["Silence is no song"]


def test_a_type_that_no_field_reads_is_an_error_at_definition() -> None:
    class Deep(msgspec.Struct):
        inner: dict[str, int]

    with pytest.raises(SetupError, match="inner") as caught:
        forms.form_for(Deep)

    assert caught.value.code == "forms/struct-field"
    assert __file__ in caught.value.where


@pytest.mark.slow
def test_a_form_without_a_model_loads_no_database_and_no_templates() -> None:
    program = (
        "import sys; from segue import forms\n"
        "class Contact(forms.Form):\n    name = forms.CharField()\n"
        "assert Contact({'name': 'x'}).is_valid()\n"
        "assert not {'sqlalchemy', 'jinja2', 'PIL'} & set(sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
