"""Each field takes what Django's documentation says, and refuses the rest without a crash."""

from __future__ import annotations

import io
import struct
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image

from segue import db, forms
from segue.errors import SetupError, ValidationError
from segue.http.bodies import Spool
from segue.http.multidict import MultiDict
from segue.http.uploads import UploadFile

MODELS: list[Any] = []


class Size(db.TextChoices):
    SMALL = "s", "Small"
    LARGE = "l", "Large"


CHOICES = [("a", "A"), ("Group", [("b", "B"), (3, "C")])]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (forms.CharField(), "  a b ", "a b"),
        (forms.CharField(strip=False), "  a ", "  a "),
        (forms.CharField(), 5, "5"),
        (forms.CharField(required=False), None, ""),
        (forms.CharField(required=False, empty_value=None), " ", None),
        (forms.CharField(), "a\n", "a"),
        (forms.CharField(), "\r\na", "a"),
        (forms.CharField(widget=forms.Textarea), "a\r\nb\rc", "a\nb\nc"),
        (forms.EmailField(), " a@b.example\n", "a@b.example"),
        (forms.URLField(), "b.example/x", "https://b.example/x"),
        (forms.URLField(assume_scheme="http"), "b.example", "http://b.example"),
        (forms.URLField(), "ftp://b.example", "ftp://b.example"),
        (forms.SlugField(), "a-b_9", "a-b_9"),
        (forms.SlugField(allow_unicode=True), "ñandú", "ñandú"),
        (forms.RegexField(r"^[0-9]{2}$"), "12", "12"),
        (
            forms.UUIDField(),
            "{12345678-1234-5678-1234-567812345678}",
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (forms.GenericIPAddressField(), " 2001:0db8::0001 ", "2001:db8::1"),
        (forms.GenericIPAddressField(unpack_ipv4=True), "::ffff:10.0.0.1", "10.0.0.1"),
        (forms.JSONField(), '{"a": [1, null]}', {"a": [1, None]}),
        (forms.JSONField(), {"a": 1}, {"a": 1}),
        (forms.IntegerField(), " 5 ", 5),
        (forms.IntegerField(), -7, -7),
        (forms.IntegerField(step_size=3, min_value=1), "7", 7),
        (forms.IntegerField(required=False), "", None),
        (forms.FloatField(), "1e3", 1000.0),
        (forms.FloatField(step_size=0.1), "0.3", 0.3),
        (forms.DecimalField(max_digits=4, decimal_places=2), "+12.50", Decimal("12.50")),
        (forms.DecimalField(), " .5 ", Decimal("0.5")),
        (forms.BooleanField(), "on", True),
        (forms.BooleanField(required=False), "False", False),
        (forms.NullBooleanField(), "true", True),
        (forms.NullBooleanField(), "other", None),
        (forms.DateField(), "2024-02-29", date(2024, 2, 29)),
        (forms.DateField(), "10/25/2006", date(2006, 10, 25)),
        (forms.DateField(), "10/25/06", date(2006, 10, 25)),
        (forms.DateField(), "Oct 25 2006", date(2006, 10, 25)),
        (forms.DateField(), "25 October, 2006", date(2006, 10, 25)),
        (forms.DateField(input_formats=["%d.%m.%Y"]), "25.10.2006", date(2006, 10, 25)),
        (forms.DateField(), datetime(2006, 10, 25, 14), date(2006, 10, 25)),
        (forms.TimeField(), "14:30:59", clock(14, 30, 59)),
        (forms.TimeField(), "14:30", clock(14, 30)),
        (forms.DateTimeField(), "2006-10-25 14:30", datetime(2006, 10, 25, 14, 30, tzinfo=UTC)),
        (forms.DateTimeField(), "2006-10-25T14:30:59.000200", datetime(2006, 10, 25, 14, 30, 59, 200, tzinfo=UTC)),
        (forms.DateTimeField(), "2006-10-25T14:30+02:00", datetime(2006, 10, 25, 12, 30, tzinfo=UTC)),
        (forms.DateTimeField(), "10/25/2006", datetime(2006, 10, 25, tzinfo=UTC)),
        (forms.DurationField(), "3 days 04:05:06", timedelta(days=3, hours=4, minutes=5, seconds=6)),
        (forms.DurationField(), "P3DT4H", timedelta(days=3, hours=4)),
        (forms.DurationField(), "30", timedelta(seconds=30)),
        (forms.DurationField(), "15:30", timedelta(minutes=15, seconds=30)),
        (forms.ChoiceField(choices=CHOICES), "3", "3"),
        (forms.ChoiceField(choices=Size), Size.LARGE, "l"),
        (forms.ChoiceField(choices=lambda: [("x", "X")]), "x", "x"),
        (forms.TypedChoiceField(choices=[(1, "One")], coerce=int), "1", 1),
        (forms.TypedChoiceField(choices=[(1, "One")], coerce=int, required=False, empty_value=None), "", None),
        (forms.MultipleChoiceField(choices=CHOICES), ["a", "b"], ["a", "b"]),
        (forms.TypedMultipleChoiceField(choices=CHOICES[1:], coerce=str.upper), ["b"], ["B"]),
        (forms.ComboField(fields=[forms.CharField(max_length=20), forms.EmailField()]), "a@b.example", "a@b.example"),
        (forms.SplitDateTimeField(), ["2006-10-25", "14:30"], datetime(2006, 10, 25, 14, 30, tzinfo=UTC)),
        (forms.SplitDateTimeField(required=False), ["", ""], None),
    ],
    ids=repr,
)
def test_a_field_reads_a_good_value(field: forms.Field, text: Any, value: Any) -> None:
    found = field.clean(text)

    assert found == value
    assert type(found) is type(value)


LONG = "1" * 1_000_000


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        (forms.CharField(), " ", "required"),
        (forms.CharField(max_length=2), "abc", "max_length"),
        (forms.CharField(min_length=2), "a", "min_length"),
        (forms.CharField(), "a\0", "null_characters_not_allowed"),
        (forms.CharField(), "a\r\nb", "line_break"),
        (forms.CharField(strip=False), "a\n", "line_break"),
        (forms.CharField(), ["a"], "several"),
        (forms.EmailField(), "a@", "email"),
        (forms.EmailField(), "a@" + "a." * 500_000, "max_length"),
        (forms.EmailField(), "\N{RIGHT-TO-LEFT OVERRIDE}a@b.example", "email"),
        (forms.EmailField(), "a@b.ex\N{SOFT HYPHEN}ample", "email"),
        (forms.EmailField(), "a@b.example\N{LINE SEPARATOR}c", "email"),
        (forms.EmailField(), "a@b.example\r\nBcc: c@d.example", "line_break"),
        (forms.URLField(), "http://" + "-" * 1_000_000, "max_length"),
        (forms.URLField(), "javascript:alert(1)", "url"),
        (forms.SlugField(), "a b", "slug"),
        (forms.SlugField(allow_unicode=True), "\ufdfa" * 1_000_000, "max_length"),
        (forms.RegexField(r"^[0-9]+$"), "12\n", "line_break"),
        (forms.RegexField(r"^(a+)+$"), "a" * 20_000 + "b", "invalid"),
        (forms.UUIDField(), LONG, "invalid"),
        (forms.GenericIPAddressField(), "1:" * 100_000, "invalid"),
        (forms.GenericIPAddressField(), "fe80::1%eth0", "invalid"),
        (forms.GenericIPAddressField(protocol="ipv4"), "::1", "invalid"),
        (forms.JSONField(), "{", "invalid"),
        (forms.JSONField(), "NaN", "invalid"),
        (forms.JSONField(), "[" * 100_000, "invalid"),
        (forms.JSONField(), "[" * 70 + "]" * 70, "invalid"),
        (forms.IntegerField(), "1_000", "invalid"),
        (forms.IntegerField(), "１２", "invalid"),
        (forms.IntegerField(), "+5", "invalid"),
        (forms.IntegerField(), "0b1", "invalid"),
        (forms.IntegerField(), "1" * 20, "invalid"),
        (forms.IntegerField(), LONG, "invalid"),
        (forms.IntegerField(), 10**4000, "invalid"),
        (forms.IntegerField(), 1e300, "invalid"),
        (forms.IntegerField(), True, "invalid"),
        (forms.IntegerField(min_value=3), "2", "min_value"),
        (forms.IntegerField(max_value=3), "4", "max_value"),
        (forms.IntegerField(step_size=3), "4", "step_size"),
        (forms.FloatField(), "nan", "invalid"),
        (forms.FloatField(), "inf", "invalid"),
        (forms.FloatField(), "1e999", "invalid"),
        (forms.FloatField(), "1_0", "invalid"),
        (forms.FloatField(), "0x10", "invalid"),
        (forms.FloatField(), LONG, "invalid"),
        (forms.DecimalField(), "1E+1000000", "invalid"),
        (forms.DecimalField(), "1E+999", "invalid"),
        (forms.DecimalField(), Decimal("1E+1000000"), "invalid"),
        (forms.DecimalField(), "NaN", "invalid"),
        (forms.DecimalField(), "sNaN", "invalid"),
        (forms.DecimalField(), "٣", "invalid"),
        (forms.DecimalField(), LONG, "invalid"),
        (forms.DecimalField(max_digits=3), "1234", "max_digits"),
        (forms.DecimalField(max_digits=4, decimal_places=2), "1.234", "max_decimal_places"),
        (forms.DecimalField(max_digits=4, decimal_places=2), "123", "max_whole_digits"),
        (forms.BooleanField(), "", "required"),
        (forms.DateField(), "2023-02-29", "invalid"),
        (forms.DateField(), "２０２３-01-01", "invalid"),
        (forms.DateField(), LONG, "invalid"),
        (forms.TimeField(), "25:00", "invalid"),
        (forms.DateTimeField(), "9999-12-31T23:59-23:59", "invalid"),
        (forms.DateTimeField(), "2006-10-25T24:30", "invalid"),
        (forms.DurationField(), "P", "invalid"),
        (forms.DurationField(), "999999999 999:00:00", "overflow"),
        (forms.ChoiceField(choices=CHOICES), "z", "invalid_choice"),
        (forms.ChoiceField(choices=CHOICES), "x" * 1_000_000, "invalid_choice"),
        (forms.ChoiceField(choices=CHOICES), "a\0", "invalid_choice"),
        (forms.ChoiceField(choices=CHOICES), ["a"], "several"),
        (forms.MultipleChoiceField(choices=CHOICES), ["a"] * 100_000, "too_many"),
        (forms.MultipleChoiceField(choices=CHOICES), ["a", "a\0"], "invalid_choice"),
        (forms.MultipleChoiceField(choices=CHOICES), "a", "invalid_list"),
        (forms.MultipleChoiceField(choices=CHOICES), [["a"]], "invalid_list"),
        (forms.TypedChoiceField(choices=[("x", "X")], coerce=int), "x", "invalid_choice"),
        (forms.SplitDateTimeField(), ["2006-10-25", ""], "required"),
        (forms.SplitDateTimeField(required=False), ["2006-10-25", ""], "incomplete"),
        (forms.SplitDateTimeField(), ["x", "14:30"], "invalid"),
        (forms.SplitDateTimeField(), "x", "invalid"),
        (forms.FileField(), "text", "invalid"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_field_refuses_a_bad_value(field: forms.Field, text: Any, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field.clean(text)

    assert caught.value.faults[0].code == code
    assert max(len(fault.message) for fault in caught.value.faults) < 300


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        (forms.CharField(max_length=2), "abc", "2 3 abc"),
        (forms.CharField(min_length=9), "abc", "9 3 abc"),
        (forms.IntegerField(min_value=5), "3", "5 3 3"),
        (forms.IntegerField(max_value=lambda: 5), "7", "5 7 7"),
        (forms.DecimalField(max_value=5), "7.5", "5 7.5 7.5"),
    ],
)
def test_a_message_names_what_django_s_name(field: forms.Field, text: str, message: str) -> None:
    validator: Any = field.validators[0]
    field.error_messages[validator.code] = "%(limit_value)s %(show_value)s %(value)s"
    own = type(validator)(validator.limit_value, "%(limit_value)s %(show_value)s %(value)s")

    with pytest.raises(ValidationError) as by_field:
        field.clean(text)
    with pytest.raises(ValidationError) as by_validator:
        own(field.to_python(text))

    assert by_field.value.messages == by_validator.value.messages == [message]
    assert "value" not in by_field.value.faults[0].params


@pytest.mark.parametrize(
    ("field", "text", "words", "message"),
    [
        (forms.SlugField(), "a b", {"slug": "%(value)s?"}, "a b?"),
        (forms.RegexField("^a$"), "b", {"invalid": "%(value)s?"}, "b?"),
        (forms.RegexField("^a$"), "b", {"invalid": "100% wrong"}, "100% wrong"),
        (forms.RegexField("^a$"), "b" * 999, {"invalid": "%(value)s"}, "b" * 79 + "…"),
        (forms.DecimalField(max_digits=2, decimal_places=1), "123", {"max_digits": "%(max)s %(value)s"}, "2 123"),
        (forms.DecimalField(max_digits=3, decimal_places=1), "1.55", {"max_decimal_places": "%(max)s"}, "1"),
        (forms.DecimalField(max_digits=3, decimal_places=2), "12", {"max_whole_digits": "%(max)s"}, "1"),
        (forms.IntegerField(step_size=2), "3", {"step_size": "%(limit_value)s"}, "2"),
        (forms.EmailField(), "a", {"email": "%(value)s?"}, "a?"),
    ],
)
def test_a_message_may_say_what_was_refused(field: forms.Field, text: str, words: dict[str, str], message: str) -> None:
    field.error_messages.update(words)

    with pytest.raises(ValidationError) as caught:
        field.clean(text)

    assert caught.value.messages == [message]


def test_messages_can_be_replaced_by_their_code() -> None:
    field = forms.CharField(max_length=2, error_messages={"max_length": "Two!", "required": "Say it."})

    with pytest.raises(ValidationError, match="Two!"):
        field.clean("abc")
    with pytest.raises(ValidationError, match="Say it"):
        field.clean("")


@pytest.mark.parametrize(
    ("field", "initial", "data", "changed"),
    [
        (forms.CharField(), None, "", False),
        (forms.CharField(), "a", "b", True),
        (forms.IntegerField(), 5, "5", False),
        (forms.IntegerField(), 5, "x", True),
        (forms.BooleanField(), None, False, False),
        (forms.DecimalField(), Decimal("1.0"), "1.00", False),
        (forms.DateField(), date(2024, 1, 1), "2024-01-01", False),
        (forms.MultipleChoiceField(), ["a", "b"], ["b", "a"], False),
        (forms.MultipleChoiceField(), None, ["a"], True),
        (forms.JSONField(), {"a": 1, "b": 2}, '{"b": 2, "a": 1}', False),
        (forms.SplitDateTimeField(), datetime(2024, 1, 1, 10, tzinfo=UTC), ["2024-01-01", "10:00"], False),
        (forms.FileField(), "a.txt", None, False),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_change_is_another_value_not_another_spelling(
    field: forms.Field, initial: Any, data: Any, changed: bool
) -> None:
    assert field.has_changed(initial, data) is changed


# Files


def upload(name: str, content: bytes) -> UploadFile:
    spool = Spool(threshold=10_000_000)
    spool.write(content)
    return UploadFile(spool, filename=name, content_type="image/png")


class Attached(forms.Form):
    file = forms.FileField(max_length=20)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([], "required"),
        ([("file", upload("a.txt", b""))], "empty"),
        ([("file", upload("a" * 30 + ".txt", b"x"))], "max_length"),
        ([("file", upload("a.txt", b"x")), ("file", upload("b.txt", b"x"))], "several"),
    ],
)
def test_a_file_is_refused(files: list[tuple[str, UploadFile]], code: str) -> None:
    form = Attached({}, MultiDict(files))

    assert not form.is_valid()
    assert form.errors["file"].as_data()[0].code == code
    assert form.is_multipart()


def test_of_several_files_every_one_is_checked() -> None:
    class Many(forms.ClearableFileInput):
        allow_multiple_selected = True

    class Album(forms.Form):
        files = forms.FileField(widget=Many)

    good, bad = upload("a.txt", b"x"), upload("b.txt", b"")

    assert Album({}, MultiDict([("files", good), ("files", bad)])).errors["files"].as_data()[0].code == "empty"
    form = Album({}, MultiDict([("files", good), ("files", good)]))
    assert form.is_valid()
    assert form.cleaned_data["files"] == [good, good]


def test_a_stored_file_stays_goes_or_is_replaced() -> None:
    class Optional(forms.Form):
        file = forms.FileField(required=False)

    new = upload("new.txt", b"x")
    results = [
        Optional(data, MultiDict(files), initial={"file": "old.txt"})
        for data, files in [({}, []), ({"file-clear": "on"}, []), ({}, [("file", new)])]
    ]

    assert [form.is_valid() and form.cleaned_data["file"] for form in results] == ["old.txt", False, new]
    both = Optional({"file-clear": "on"}, MultiDict([("file", new)]), initial={"file": "old.txt"})
    assert both.has_error("file", "contradiction")


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, kind)
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_an_image_is_taken(kind: str) -> None:
    file = upload(f"cover.{kind.lower()}", picture(kind))

    assert forms.ImageField().clean(file) is file


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid_image"),
        ("a.png", picture()[:40], "invalid_image"),
        ("a.jpg", picture("JPEG", (600, 600))[:-300], "invalid_image"),
        ("a.svg", picture(), "invalid_extension"),
        ("a.png", bomb(30_000, 30_000), "too_large"),
        ("a.png", bomb(10_000, 6_000), "too_large"),
    ],
)
def test_what_is_no_bearable_image_is_refused_before_it_is_decoded(name: str, content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        forms.ImageField().clean(upload(name, content))

    assert caught.value.faults[0].code == code


# Fields of several values


def test_a_field_of_several_values_joins_them() -> None:
    class Point(forms.MultiValueField):
        def compress(self, data_list: list[Any]) -> Any:
            return tuple(data_list) if data_list else None

    class PointWidget(forms.MultiWidget):
        def decompress(self, value: Any) -> list[Any]:
            return list(value) if value else [None, None]

    class Drawing(forms.Form):
        at = Point(
            fields=[forms.IntegerField(), forms.IntegerField(required=False)],
            widget=PointWidget({"x": forms.NumberInput, "y": forms.NumberInput}),
            require_all_fields=False,
        )

    form = Drawing({"at_x": "1", "at_y": ""})
    lacking = Drawing({"at_x": "", "at_y": "2"})

    assert form.is_valid()
    assert form.cleaned_data == {"at": (1, None)}
    assert lacking.has_error("at", "incomplete")
    assert 'name="at_x" value="1"' in str(form["at"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: forms.CharField(requird=False),  # type: ignore[call-arg]
        lambda: forms.GenericIPAddressField(protocol="ipv4", unpack_ipv4=True),
    ],
)
def test_options_that_mean_nothing_are_an_error_at_definition(make: Callable[[], Any]) -> None:
    with pytest.raises(SetupError) as caught:
        make()

    assert caught.value.code == "forms/field-option"
