"""What clients send is read, or refused with every fault of it."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from segue.errors import BadRequest, Fault, SetupError, UnsupportedMediaType, UsageError, ValidationError
from segue.validation import (
    BodyReader,
    Invalid,
    body_reader,
    decimal_limits,
    is_scalar,
    list_reader,
    result_encoder,
    scalar_reader,
    struct_reader,
)
from segue.validation.readers import _parse


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Line(msgspec.Struct, rename="camel"):
    unit_name: Annotated[str, Meta(min_length=1)]
    qty: Annotated[int, Meta(ge=1, le=99)] = 1


class Order(msgspec.Struct):
    name: Annotated[str, Meta(max_length=5, pattern="^a")]
    lines: Annotated[list[Line], Meta(min_length=1)]
    price: Annotated[Decimal, decimal_limits(gt=0, max_digits=6, decimal_places=2)] = Decimal(1)
    paid: bool = False


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    name: str


@dataclasses.dataclass
class Span:
    start: int
    end: int = 9

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("The end comes before the start.")


class Point(TypedDict):
    x: int
    y: int


class Pair(NamedTuple):
    left: int
    right: int = 0


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    tricks: list[str]


class Branch(msgspec.Struct):
    branches: list[Branch] = []


class Signup(msgspec.Struct):
    age: int
    nickname: str | None
    terms: bool
    size: int = 3
    topics: list[str] = []
    at: datetime.datetime | None = None


class Public(msgspec.Struct):
    name: str
    owner: Owner | None = None


class Owner(msgspec.Struct):
    name: str


class FullOwner(Owner):
    password: str = "secret"


class Full(Public):
    token: str = "secret"


Price = Annotated[Decimal, Meta(ge=0)]


def codes(faults: list[Fault]) -> list[tuple[tuple[str | int, ...], str]]:
    return [(fault.path, fault.code) for fault in faults]


def faults_of(call: Callable[[], object]) -> list[Fault]:
    try:
        call()
    except Invalid as invalid:
        return invalid.faults
    return []


def read(annotation: Any, text: str | None, **options: Any) -> Any:
    return scalar_reader(annotation, name="x", source="query", **options)(text)


def code_of(annotation: Any, text: str | None, **options: Any) -> str:
    with pytest.raises(Invalid) as caught:
        read(annotation, text, **options)
    [fault] = caught.value.faults
    assert fault.path == ("query", "x")
    return fault.code


# One string


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "12", 12),
        (int, "+5", 5),
        (int, "-9223372036854775808", -(2**63)),
        (bool, "on", True),
        (bool, "No", False),
        (float, "-1.5e2", -150.0),
        (Decimal, "1.10", Decimal("1.10")),
        (Price, "0", Decimal(0)),
        (str, "é", "é"),
        (str, "", ""),
        (Color, "red", Color.RED),
        (Literal["a", 1], "1", 1),
        (datetime.date, "2030-05-31", datetime.date(2030, 5, 31)),
        (datetime.datetime, "2030-05-31T18:30", datetime.datetime(2030, 5, 31, 18, 30)),
        (datetime.time, "18:30", datetime.time(18, 30)),
        (uuid.UUID, "00000000-0000-0000-0000-000000000001", uuid.UUID(int=1)),
        (int | str, "7", 7),
        (int | str, "seven", "seven"),
        (int | None, "7", 7),
    ],
)
def test_a_string_becomes_what_the_annotation_says(annotation: Any, text: str, value: object) -> None:
    found = read(annotation, text)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("annotation", "text", "code"),
    [
        (int, "9223372036854775808", "too_large"),
        (int, "9" * 5000, "too_large"),
        (int, "-" + "9" * 5000, "too_small"),
        (int, "１２", "type"),
        (int, " 5 ", "type"),
        (int, "1_0", "type"),
        (int, "0x1", "type"),
        (int, "1.0", "type"),
        (Annotated[int, Meta(multiple_of=5)], "7", "step"),
        (bool, "maybe", "type"),
        (float, "nan", "not_finite"),
        (float, "1e999", "not_finite"),
        (float, "1_0", "type"),
        (Decimal, "1E+1000000", "too_many_digits"),
        (Decimal, "Infinity", "not_finite"),
        (Decimal, "9" * 5000, "too_many_digits"),
        (Price, "-0.01", "too_small"),
        (Annotated[Decimal, decimal_limits(decimal_places=2)], "0.001", "too_many_places"),
        (Annotated[str, Meta(min_length=2)], "a", "too_short"),
        (Annotated[str, Meta(pattern="^a$")], "b", "pattern"),
        (str, "a\0b", "format"),
        (str, "\ud800", "format"),
        (Color, "green", "choice"),
        (Literal["a", 1], "2", "choice"),
        (datetime.date, "2030-02-30", "format"),
        (Annotated[datetime.datetime, Meta(tz=True)], "2030-05-31T18:30:00", "format"),
        (uuid.UUID, "1", "format"),
        (int, None, "missing"),
    ],
)
def test_a_string_that_breaks_a_rule_has_the_code_of_that_rule(annotation: Any, text: str, code: str) -> None:
    assert code_of(annotation, text) == code


def test_nothing_sent_means_the_default() -> None:
    assert read(int, None, default=3) == 3
    assert read(int, "", default=3) == 3
    assert read(int | None, None, default=3) == 3


def test_an_empty_text_is_none_for_an_optional_whatever_its_default() -> None:
    assert read(int | None, "", default=3) is None
    assert read(str | None, "", default="all") is None
    assert read(int | None, None) is None


def test_a_fault_names_the_rule_and_its_values() -> None:
    with pytest.raises(Invalid) as caught:
        read(Annotated[int, Meta(ge=1)], "0")

    assert caught.value.faults == [Fault(("query", "x"), "too_small", "At least 1 is needed.", {"ge": 1})]


@pytest.mark.parametrize("annotation", [int, str | None, Color, Price, Literal["a"], Annotated[int, Meta(ge=1)]])
def test_a_type_with_one_text_form_is_a_scalar(annotation: Any) -> None:
    assert is_scalar(annotation)


@pytest.mark.parametrize("annotation", [list[int], Order, dict, bytes, Any, complex, int | Order, None])
def test_a_type_without_one_text_form_is_no_scalar(annotation: Any) -> None:
    assert not is_scalar(annotation)


# Repeated names


@pytest.mark.parametrize(
    ("annotation", "texts", "value"),
    [
        (list[int], ["1", "2"], [1, 2]),
        (list[int], ["", "2"], [2]),
        (set[int], ["1", "1"], {1}),
        (tuple[int, str], ["1", "1"], (1, "1")),
        (tuple[Color, ...], ["red"], (Color.RED,)),
        (list[int] | None, ["1"], [1]),
    ],
)
def test_a_repeated_name_is_a_list(annotation: Any, texts: list[str], value: object) -> None:
    assert list_reader(annotation, name="x", source="query")(texts) == value


def test_every_item_of_a_list_that_breaks_a_rule_is_reported_with_its_index() -> None:
    with pytest.raises(Invalid) as caught:
        list_reader(list[int], name="x", source="query")(["a", "1", "b"])

    assert codes(caught.value.faults) == [(("query", "x", 0), "type"), (("query", "x", 2), "type")]


def test_a_list_that_nobody_sent_is_its_default_or_missing() -> None:
    assert list_reader(list[int], default=[7], name="x", source="query")([]) == [7]
    with pytest.raises(Invalid) as caught:
        list_reader(list[int], name="x", source="query")([])
    assert codes(caught.value.faults) == [(("query", "x"), "missing")]


# JSON bodies


def test_a_json_body_becomes_a_struct() -> None:
    body = b'{"name": "abc", "lines": [{"unitName": "x", "qty": 2}], "price": "1.50"}'

    assert body_reader(Order).from_json(body) == Order("abc", [Line("x", 2)], Decimal("1.50"))


def test_every_fault_of_a_json_body_is_found_once() -> None:
    body = b'{"name": "bcdefg", "lines": [{"unitName": "", "qty": 0}, {}, 3], "price": -1, "paid": 1}'

    faults = body_reader(Order).faults_of(body)

    assert codes(faults) == [
        (("body", "name"), "too_long"),
        (("body", "lines", 0, "unitName"), "too_short"),
        (("body", "lines", 0, "qty"), "too_small"),
        (("body", "lines", 1, "unitName"), "missing"),
        (("body", "lines", 2), "type"),
        (("body", "price"), "too_small"),
        (("body", "paid"), "type"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} x",
        b'{"name": 1,',
        b'{"name": "\xff"}',
        b'{"name": NaN}',
        b"\xef\xbb\xbf{}",
        b"{/* */}",
        b"[" * 100_000,
        b'{"name": 1, "lines": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        body_reader(Order).from_json(body)

    assert caught.value.code == "http/bad-json"


@pytest.mark.parametrize("number", [str(2**63), str(2**64), "9" * 350, "9" * 5000])
@pytest.mark.parametrize(
    ("annotation", "template"),
    [
        (int, "%s"),
        (int | None, "%s"),
        (list[int], "[1, %s]"),
        (dict[str, Any], '{"a": [%s]}'),
        (dict[int, str], '{"%s": ""}'),
    ],
)
def test_a_whole_number_over_64_bits_is_too_large_wherever_it_stands(
    annotation: Any, template: str, number: str
) -> None:
    body = template % number

    [fault] = body_reader(annotation).faults_of(body.encode())

    assert "too_large" in (fault.code, fault.params.get("rule"))


def test_long_rows_of_digits_in_a_text_are_fine() -> None:
    digits = "1" * 40

    assert body_reader(Strict).from_json(f'{{"name": "{digits}"}}'.encode()) == Strict(digits)
    assert body_reader(dict[str, Any]).from_json(f'{{"a": "{digits}"}}'.encode()) == {"a": digits}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'"nan"', "not_finite"),
        (b'"-Infinity"', "not_finite"),
        (b"1e1000000", "too_many_digits"),
        (b"1e99999999999999999999999", "not_finite"),
        (b"-1", "too_small"),
        (b'"x"', "format"),
        (b"true", "type"),
    ],
)
def test_a_decimal_in_json_keeps_its_limits(body: bytes, code: str) -> None:
    class Invoice(msgspec.Struct):
        total: Annotated[Decimal, decimal_limits(ge=0)]

    faults = body_reader(Invoice).faults_of(b'{"total": ' + body + b"}")

    assert codes(faults) == [(("body", "total"), code)]


@pytest.mark.parametrize(
    ("annotation", "template"),
    [
        (list[Decimal], "[%s]"),
        (dict[str, Decimal], '{"a": %s}'),
        (Decimal | None, "%s"),
        (tuple[int, Decimal], "[1, %s]"),
        (TypedDict("Money", {"a": Decimal}), '{"a": %s}'),
        (NamedTuple("Money", [("a", Decimal)]), "[%s]"),
    ],
)
def test_decimals_are_tested_at_every_depth(annotation: Any, template: str) -> None:
    reader = body_reader(annotation)

    assert reader.faults_of((template % '"1.5"').encode()) == []
    assert [fault.code for fault in reader.faults_of((template % '"nan"').encode())] == ["not_finite"]


def test_minus_zero_is_zero() -> None:
    assert body_reader(int).from_json(b"-0") == 0


def test_an_unknown_field_is_a_fault_only_where_the_struct_forbids_it() -> None:
    assert body_reader(Point).from_json(b'{"x": 1, "y": 2, "z": 3}') == {"x": 1, "y": 2}

    faults = body_reader(Strict).faults_of(b'{"name": "a", "__proto__": {}}')
    assert codes(faults) == [(("body", "__proto__"), "unknown_field")]


def test_a_value_error_of_post_init_is_a_fault_of_its_object() -> None:
    faults = body_reader(list[Span]).faults_of(b'[{"start": 5, "end": 1}, {"start": "a"}, {"start": 8, "end": 1}]')

    assert codes(faults) == [(("body", 0), "invalid"), (("body", 1, "start"), "type"), (("body", 2), "invalid")]
    assert faults[0].message == "The end comes before the start."


def test_faults_that_post_init_raises_keep_their_own_paths() -> None:
    class Passwords(msgspec.Struct):
        first: str
        again: str

        def __post_init__(self) -> None:
            if self.first != self.again:
                raise ValidationError([Fault(("again",), "mismatch", "The passwords differ.")])

    faults = body_reader(Passwords).faults_of(b'{"first": "a", "again": "b"}')

    assert codes(faults) == [(("body", "again"), "mismatch")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"type": "Cat", "lives": "x"}', [(("body", "lives"), "type")]),
        (b'{"type": "Cow"}', [(("body", "type"), "choice")]),
        (b"{}", [(("body", "type"), "missing")]),
        (b"3", [(("body",), "type")]),
        (b'{"type": "Dog", "tricks": []}', []),
    ],
)
def test_the_tag_says_which_member_of_a_union_is_meant(body: bytes, expected: list[Any]) -> None:
    assert codes(body_reader(Cat | Dog).faults_of(body)) == expected


def test_an_answer_never_lists_more_than_a_hundred_faults() -> None:
    body = json.dumps(["x"] * 5000).encode()

    assert len(body_reader(list[int]).faults_of(body)) == 100


def test_a_deeply_nested_fault_ends_the_walk_and_not_the_worker() -> None:
    body = b'{"branches":[' * 400 + b"1" + b"]}" * 400

    assert codes(body_reader(Branch).faults_of(body)) == [(("body",), "too_deep")]


def test_faults_are_found_only_when_somebody_asks() -> None:
    asked: list[str] = []

    def find() -> list[Fault]:
        asked.append("now")
        return []

    invalid = Invalid(find)

    assert asked == []
    assert (invalid.faults, invalid.faults, asked) == ([], [], ["now"])


# Forms and queries


def test_one_struct_is_read_alike_from_json_and_from_a_form() -> None:
    reader = body_reader(Order)
    pairs = [("name", "abc"), ("lines[0].unitName", "x"), ("lines[0].qty", "2"), ("price", "1.5"), ("paid", "on")]
    body = b'{"name": "abc", "lines": [{"unitName": "x", "qty": 2}], "price": 1.5, "paid": true}'

    assert reader.from_form(pairs) == reader.from_json(body)


def test_every_fault_of_a_form_is_found_with_the_names_the_client_used() -> None:
    pairs = [
        ("name", "abc"),
        ("name", "abd"),
        ("lines[2].unitName", ""),
        ("lines[7].qty", "２"),
        ("price", "1_0"),
        ("paid.x", "1"),
    ]

    faults = body_reader(Order).faults_of(pairs)

    assert codes(faults) == [
        (("form", "name"), "too_many"),
        (("form", "lines", 2, "unitName"), "too_short"),
        (("form", "lines", 7, "unitName"), "missing"),
        (("form", "lines", 7, "qty"), "type"),
        (("form", "price"), "type"),
        (("form", "paid"), "type"),
    ]


def test_a_form_means_by_empty_and_absent_fields_what_browsers_mean() -> None:
    pairs = [("age", "7"), ("nickname", ""), ("size", ""), ("at", ""), ("topics", "a"), ("topics", "b")]

    found = body_reader(Signup).from_form(pairs)

    assert found == Signup(age=7, nickname=None, terms=False, size=3, topics=["a", "b"], at=None)


def test_an_empty_field_that_is_required_is_missing() -> None:
    assert codes(body_reader(Signup).faults_of([("age", "")])) == [(("form", "age"), "missing")]


def test_names_of_another_grammar_are_plain_names() -> None:
    pairs = [("a[b]", "1"), ("a..b", "2"), ("]", "3"), ("a" + ".a" * 30, "4")]

    assert body_reader(dict[str, str]).from_form(pairs) == dict(pairs)


def test_a_huge_index_makes_no_huge_list() -> None:
    assert body_reader(dict[str, list[int]]).from_form([("a[999999]", "1")]) == {"a": [1]}


class Upload:
    """Stands for the class of uploaded files."""


class FilesOfAForm:
    def __init__(self, *pairs: tuple[str, Any]) -> None:
        self.pairs = pairs

    def multi_items(self) -> tuple[tuple[str, Any], ...]:
        return self.pairs


class Report(msgspec.Struct):
    title: str
    file: Upload
    more: list[Upload] = []


def test_a_form_holds_files_where_fields_are_of_the_upload_class() -> None:
    first, second = Upload(), Upload()

    found = body_reader(Report, upload=Upload).from_form(
        [("title", "t")], FilesOfAForm(("file", first), ("more", second))
    )

    assert (found.title, found.file, found.more) == ("t", first, [second])


def test_a_file_is_no_text_and_a_text_is_no_file() -> None:
    files = FilesOfAForm(("title", Upload()), ("more", Upload()))

    faults = body_reader(Report, upload=Upload).faults_of([("file", "x")], files)

    assert codes(faults) == [(("form", "title"), "type"), (("form", "file"), "type")]


def test_two_files_where_one_is_wanted_are_too_many() -> None:
    files = FilesOfAForm(("file", Upload()), ("file", Upload()))

    assert codes(body_reader(Report, upload=Upload).faults_of([("title", "t")], files)) == [
        (("form", "file"), "too_many")
    ]


def test_a_type_without_fields_takes_no_form() -> None:
    with pytest.raises(UnsupportedMediaType):
        body_reader(list[int]).from_form([("a", "1")])


@pytest.mark.parametrize(
    ("annotation", "pairs", "value"),
    [
        (Span, [("start", "1")], Span(1)),
        (Point, [("x", "1"), ("y", "2")], {"x": 1, "y": 2}),
        (Cat | Dog, [("type", "Dog"), ("tricks", "sit")], Dog(["sit"])),
        (Span | None, [], None),
    ],
)
def test_query_pairs_are_gathered_into_an_object(annotation: Any, pairs: list[Any], value: object) -> None:
    assert struct_reader(annotation)(pairs) == value


def test_every_fault_of_a_query_object_is_found() -> None:
    with pytest.raises(Invalid) as caught:
        struct_reader(Point)([("x", "a")])

    assert codes(caught.value.faults) == [(("query", "x"), "type"), (("query", "y"), "missing")]


# Start-up


@pytest.mark.parametrize("make", [body_reader, struct_reader, result_encoder])
def test_a_type_that_cannot_be_read_is_named_at_start_up(make: Any) -> None:
    class Impossible(msgspec.Struct):
        z: int | complex | list[int] | set[int]

    with pytest.raises(SetupError) as caught:
        make(Impossible)

    assert caught.value.code == "handling/unsupported-type"
    assert "Impossible" in caught.value.message


def test_a_custom_class_is_no_input() -> None:
    with pytest.raises(SetupError) as caught:
        body_reader(list[complex])

    assert "complex" in caught.value.message


def test_a_bare_meta_on_a_decimal_field_says_what_to_write() -> None:
    class Invoice(msgspec.Struct):
        total: Annotated[Decimal, Meta(ge=0)]

    with pytest.raises(SetupError) as caught:
        body_reader(Invoice)

    assert "decimal_limits" in caught.value.hint


# Results


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Public, Public("a"), b'{"name":"a","owner":null}'),
        (Public, Full("a"), b'{"name":"a","owner":null}'),
        (Public, Public("a", FullOwner("o")), b'{"name":"a","owner":{"name":"o"}}'),
        (Public, {"name": "a", "token": "secret"}, b'{"name":"a","owner":null}'),
        (list[Owner], [Owner("o"), FullOwner("p")], b'[{"name":"o"},{"name":"p"}]'),
        (list[Owner], (FullOwner("p") for _ in range(1)), b'[{"name":"p"}]'),
        (dict[str, Owner], {"a": FullOwner("o")}, b'{"a":{"name":"o"}}'),
        (Owner | None, None, b"null"),
        (Owner | None, FullOwner("o"), b'{"name":"o"}'),
        (list[Owner] | Owner, [FullOwner("o")], b'[{"name":"o"}]'),
        (tuple[int, Owner], (1, FullOwner("o")), b'[1,{"name":"o"}]'),
        (Point, {"x": 1, "y": 2, "token": "secret"}, b'{"x":1,"y":2}'),
        (list[Point], [{"x": 1, "y": 2}, {"x": 3, "y": 4, "z": 5}], b'[{"x":1,"y":2},{"x":3,"y":4}]'),
        (Line, Line("a", 2), b'{"unitName":"a","qty":2}'),
        (Line, {"unit_name": "a"}, b'{"unitName":"a","qty":1}'),
        (Cat | Dog, Cat(9), b'{"type":"Cat","lives":9}'),
        (Pair, Pair(1, 2), b"[1,2]"),
        (Branch, Branch([Branch()]), b'{"branches":[{"branches":[]}]}'),
        (list[int], [1, 2], b"[1,2]"),
    ],
)
def test_a_declared_result_shows_the_declared_fields_only(annotation: Any, value: Any, expected: bytes) -> None:
    assert result_encoder(annotation)(value) == expected


def test_any_object_with_the_attributes_makes_a_declared_result() -> None:
    @dataclasses.dataclass
    class Row:
        name: str
        owner: Any
        password: str = "secret"

    row = Row("a", Row("o", None))

    assert result_encoder(Public)(row) == b'{"name":"a","owner":{"name":"o"}}'


def test_a_result_without_a_declared_field_is_the_handlers_mistake() -> None:
    with pytest.raises(UsageError) as caught:
        result_encoder(Owner)({"title": "x"})

    assert caught.value.code == "handling/result-mismatch"
    assert caught.value.status == 500


# Whatever comes


class Everything(msgspec.Struct):
    whole: Annotated[int, Meta(ge=-5, lt=1000)]
    open: int
    real: Annotated[float, Meta(gt=-1)]
    text: Annotated[str, Meta(min_length=1, max_length=4)]
    either: int | str | None
    color: Color
    choice: Literal["a", 1, None]
    day: datetime.date
    money: Annotated[Decimal, decimal_limits(max_digits=5, decimal_places=2)]
    point: Point
    pair: Pair
    span: Span
    tags: Annotated[set[str], Meta(max_length=2)]
    by_number: dict[int, float]
    pet: Cat | Dog
    anything: Any
    numbers: Annotated[tuple[int, ...], Meta(min_length=1)] = (1,)


GOOD = {
    "whole": 1,
    "open": 1,
    "real": 1,
    "text": "a",
    "either": None,
    "color": "red",
    "choice": "a",
    "day": "2030-05-31",
    "money": "1.5",
    "point": {"x": 1, "y": 1},
    "pair": [1],
    "span": {"start": 1},
    "tags": ["a"],
    "by_number": {"1": 2},
    "pet": {"type": "Cat", "lives": 9},
    "anything": 1,
}

keys = st.sampled_from(["x", "y", "start", "end", "type", "lives", "tricks", "1", "-7", "a"])
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-10, 1100)
    | st.sampled_from([2**63, -(2**63) - 1, 2**64, 10**330, "Cat", "Dog", "red", "a", "", "nan", "1e400", "2030-01-01"])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=True, allow_infinity=True).map(str)
    | st.text(st.characters(codec="utf-8"), max_size=6)
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
types = st.sampled_from(
    [
        Everything,
        *(
            Annotated[kind, Meta(**limits)] if limits else kind
            for kind, limits in [
                (int, {}),
                (int, {"multiple_of": 3}),
                (float, {"le": 10}),
                (str, {"pattern": "[a-m]"}),
                (bool, {}),
                (list[int | str], {"min_length": 1}),
                (dict[str, int | None], {"max_length": 1}),
                (set[int], {}),
                (bytes, {}),
            ]
        ),
        Decimal,
        float | str,
        int | float | None,
        Color | int,
        Literal[1, "a"],
        tuple[int, str],
        Point | list[int],
        Cat | Dog | None,
        Pair,
        Span,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        uuid.UUID,
        Any,
        list[Branch],
    ]
)
READERS: dict[str, BodyReader] = {}


def reader_of(annotation: Any) -> BodyReader:
    if repr(annotation) not in READERS:
        READERS[repr(annotation)] = body_reader(annotation)
    return READERS[repr(annotation)]


def is_read(reader: BodyReader, body: bytes) -> bool:
    return not faults_of(lambda: reader.from_json(body))


def walk_of(reader: BodyReader, body: bytes) -> list[Fault]:
    return reader._json_faults(_parse(body))


@settings(max_examples=500, deadline=None)
@given(types, values)
def test_a_body_is_read_exactly_if_the_walk_finds_no_fault(annotation: Any, value: Any) -> None:
    reader = reader_of(annotation)
    body = json.dumps(value).encode()

    walked = walk_of(reader, body)

    assert is_read(reader, body) is (not walked)
    assert all(fault.code != "invalid" for fault in walked if fault.message != "The end comes before the start.")


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(GOOD)), values)
def test_one_wrong_field_among_good_ones_is_found_where_it_is(name: str, value: Any) -> None:
    reader = reader_of(Everything)
    body = json.dumps({**GOOD, name: value}).encode()

    walked = walk_of(reader, body)

    assert is_read(reader, body) is (not walked)
    assert {fault.path[:2] for fault in walked} <= {("body", name)}
    assert len({(fault.path, fault.code) for fault in walked}) == len(walked)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([Everything, Order, Signup, Span, Point, dict[str, Any], Cat | Dog, Span | None]),
    st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,6}([.\[][a-z0-9]{0,3}\]?)*", fullmatch=True) | keys, st.text(max_size=8)),
        max_size=8,
    ),
)
def test_no_form_ends_in_anything_but_a_value_or_faults(annotation: Any, pairs: list[tuple[str, str]]) -> None:
    faults = reader_of(annotation).faults_of(pairs)

    assert all(fault.path[0] == "form" for fault in faults)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([int, float, Decimal, bool, str, Color, datetime.datetime, uuid.UUID, int | str]),
    st.text(max_size=30),
)
def test_no_text_ends_in_anything_but_a_value_or_one_fault(annotation: Any, text: str) -> None:
    reader = list_reader(list[annotation], default=[], name="x", source="query")

    assert len(faults_of(lambda: reader([text]))) == len(faults_of(lambda: read(annotation, text, default=0))) <= 1
