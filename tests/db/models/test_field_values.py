"""Each type of field keeps the ends of its range, and finds them again, on every database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from databases import on_loop

from segue import db
from segue.db.schema import create_all, drop_all


class Medium(db.TextChoices):
    VINYL = "v", "Vinyl record"
    TAPE = "t"


class Grade(db.IntegerChoices):
    MINT = 9
    POOR = 1


class Format(Enum):
    MONO = "m"
    STEREO = "s"


class Values(db.Model):
    small = db.SmallIntegerField(null=True)
    integer = db.IntegerField(null=True)
    big = db.BigIntegerField(null=True)
    positive_small = db.PositiveSmallIntegerField(null=True)
    positive = db.PositiveIntegerField(null=True)
    positive_big = db.PositiveBigIntegerField(null=True)
    flag = db.BooleanField(null=True)
    real = db.FloatField(null=True)
    decimal_18 = db.DecimalField(max_digits=18, decimal_places=4, null=True)
    decimal_30 = db.DecimalField(max_digits=30, decimal_places=10, null=True)
    decimal_65 = db.DecimalField(max_digits=65, decimal_places=30, null=True)
    day = db.DateField(null=True)
    moment = db.DateTimeField(null=True)
    clock = db.TimeField(null=True)
    span = db.DurationField(null=True)
    char = db.CharField(max_length=40, null=True)
    text = db.TextField(null=True)
    slug = db.SlugField(null=True)
    email = db.EmailField(null=True)
    url = db.URLField(null=True)
    address = db.GenericIPAddressField(null=True)
    identity = db.UUIDField(null=True)
    document = db.JSONField(null=True)
    blob = db.BinaryField(null=True)
    file = db.FileField(null=True)
    integers = db.ArrayField(db.IntegerField(), null=True)
    words = db.ArrayField(db.CharField(max_length=20), null=True)
    matrix = db.ArrayField(db.ArrayField(db.IntegerField()), null=True)
    moments = db.ArrayField(db.DateTimeField(), null=True)
    decimals = db.ArrayField(db.DecimalField(max_digits=10, decimal_places=2), null=True)
    identities = db.ArrayField(db.UUIDField(), null=True)
    flags = db.ArrayField(db.BooleanField(), null=True)
    medium = db.CharField(max_length=1, choices=Medium, null=True)
    grade = db.IntegerField(choices=Grade, null=True)
    format = db.CharField(max_length=1, choices=Format, null=True)


NEPAL = timezone(timedelta(hours=5, minutes=45))

# Values of each field, smallest first.
ORDERED: dict[str, list[Any]] = {
    "small": [-(2**15), -1, 0, 1, 2**15 - 1],
    "integer": [-(2**31), -1, 0, 1, 2**31 - 1],
    "big": [-(2**63), -1, 0, 1, 2**63 - 1],
    "positive_small": [0, 1, 2**15 - 1],
    "positive": [0, 1, 2**31 - 1],
    "positive_big": [0, 1, 2**63 - 1],
    "flag": [False, True],
    "real": [-1.7976931348623157e308, -0.1, 0.0, 5e-324, 0.1, 1 / 3, 1e15 + 0.3, 1.7976931348623157e308],
    "decimal_18": [Decimal(f"{text}") for text in ("-99999999999999.9999", "-0.0001", "0.0000", "99999999999999.9999")],
    "decimal_30": [
        Decimal(text) for text in ("-99999999999999999999.9999999999", "-0.0000000001", "2.0000000000", "10.0000000000")
    ],
    "decimal_65": [
        Decimal("-" + "9" * 35 + "." + "9" * 30),
        Decimal("0." + "0" * 29 + "1"),
        Decimal("2." + "0" * 30),
        Decimal("10." + "0" * 30),
        Decimal("9" * 35 + "." + "9" * 30),
    ],
    "day": [date(1, 1, 1), date(1582, 10, 10), date(2024, 2, 29), date(9999, 12, 31)],
    "moment": [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2024, 2, 29, 12, 30, 0, 1, tzinfo=NEPAL),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
    "clock": [time(0, 0), time(0, 0, 0, 1), time(12, 30, 15, 500000), time(23, 59, 59, 999999)],
    "span": [
        timedelta(days=-100000),
        timedelta(microseconds=-1),
        timedelta(0),
        timedelta(microseconds=1),
        timedelta(days=106751991),
    ],
    "blob": [b"", bytes(range(256)) * 300, b"\x00\xff\x00'\\%"],
    "identity": [
        uuid.UUID(int=0),
        uuid.UUID("12345678-1234-5678-1234-567812345678"),
        uuid.UUID(int=2**128 - 1),
    ],
}
# Values that have no order which means something on every database.
OTHERS: dict[str, list[Any]] = {
    "char": ["", " ", "A", "a", "a ", " a", "ä", "\\'\"%_", "\U0001f3ba" * 40],
    "text": ["", "line\r\nline\ttab", "x" * 100_000, "\U0001f3ba ä ﷽"],
    "slug": ["a-b_C9"],
    "email": ["a@b.example"],
    "url": ["https://example.org/ä?x=1"],
    "address": ["0.0.0.0", "255.255.255.255", "::1", "2001:db8::1", "::ffff:1.2.3.4"],
    "document": [
        {},
        [],
        "",
        "text",
        "null",
        "1",
        0,
        -1,
        1.5,
        True,
        False,
        {"a": {"b": [1, None, "x"]}},
        [1, [2, [3]]],
        {"ä \"q'": "\U0001f3ba"},
        2**53 + 1,
        {"z": 1, "a": 2},
        "1.5e3",
        [None],
        "a\\u0000 that is none",
    ],
    "file": ["covers/2024/blue-door.png"],
    "integers": [[], [1], [2**31 - 1, -(2**31)], [1, None, 2], [2, 1], [1, 1]],
    "words": [[], ["a", "", "ä", "'\\,{}\"", "NULL"]],
    "matrix": [[], [[1, 2], [3, 4]]],
    "moments": [[datetime(2024, 1, 1, 1, 2, 3, 4, tzinfo=UTC)]],
    "decimals": [[Decimal("1.50"), Decimal("-0.01")]],
    "identities": [[uuid.UUID(int=5)]],
    "flags": [[True, False]],
    "medium": [Medium.VINYL, Medium.TAPE],
    "grade": [Grade.MINT, Grade.POOR],
    "format": [Format.MONO, Format.STEREO],
}
EVERY = {**ORDERED, **OTHERS}


@pytest.fixture(scope="module")
def keys(database_url: str) -> Iterator[dict[str, list[int]]]:
    """The rows of all values, by field."""
    database = db.connect(database_url)
    with database.connection() as connection:
        create_all(connection, [Values])
        connection.commit()
    found = {
        name: [each.pk for each in Values.objects.bulk_create([Values(**{name: value}) for value in values])]
        for name, values in EVERY.items()
    }
    yield found
    with database.connection() as connection:
        drop_all(connection, [Values])
        connection.commit()
    db.disconnect()


@pytest.mark.parametrize("name", list(EVERY))
def test_values_are_read_as_they_were_written(keys: dict[str, list[int]], name: str) -> None:
    rows = Values.objects.in_bulk(keys[name])

    read = [getattr(rows[key], name) for key in keys[name]]

    assert read == EVERY[name]
    assert [type(value) for value in read] == [type(value) for value in EVERY[name]]


@pytest.mark.parametrize("name", ["decimal_18", "decimal_30", "decimal_65", "real"])
def test_numbers_come_back_with_all_their_digits(keys: dict[str, list[int]], name: str) -> None:
    rows = Values.objects.in_bulk(keys[name])

    assert [repr(getattr(rows[key], name)) for key in keys[name]] == [repr(value) for value in EVERY[name]]


@pytest.mark.parametrize("name", list(EVERY))
def test_a_row_is_found_by_its_value_and_no_other_is(keys: dict[str, list[int]], name: str) -> None:
    here = Values.objects.filter(pk__in=keys[name])
    ways = [{name: value} for value in EVERY[name]], [{f"{name}__in": [value]} for value in EVERY[name]]

    found = [[list(here.filter(**one).values_list("pk", flat=True)) for one in way] for way in ways]

    assert found == [[[key] for key in keys[name]]] * 2


@pytest.mark.parametrize("name", list(ORDERED))
def test_values_compare_and_sort_as_in_python(keys: dict[str, list[int]], name: str) -> None:
    here, values = Values.objects.filter(pk__in=keys[name]).order_by(name), ORDERED[name]
    compared = {
        (how, at): list(here.filter(**{f"{name}__{how}": value}).values_list(name, flat=True))
        for at, value in enumerate(values)
        for how in ("lt", "lte", "gt", "gte")
    }

    assert compared == {
        (how, at): part
        for at in range(len(values))
        for how, part in (
            ("lt", values[:at]),
            ("lte", values[: at + 1]),
            ("gt", values[at + 1 :]),
            ("gte", values[at:]),
        )
    }


@pytest.mark.parametrize("name", list(ORDERED))
def test_a_range_has_both_its_ends(keys: dict[str, list[int]], name: str) -> None:
    values = ORDERED[name]

    found = Values.objects.filter(**{f"{name}__range": (values[0], values[-1])}, pk__in=keys[name])

    assert found.count() == len(values)


MISFITS = [
    ("small", 2**15),
    ("small", -(2**15) - 1),
    ("integer", 2**31),
    ("big", 2**63),
    ("big", 10**400),
    ("positive_small", 2**15),
    ("positive", 2**31),
    ("positive_big", 2**63),
    ("decimal_18", Decimal("1e14")),
    ("decimal_65", Decimal("1e36")),
    ("span", timedelta.max),
    ("char", "x" * 41),
    ("char", "\ud800"),
    ("text", "\ud800"),
    ("document", float("nan")),
    ("document", {"deep": [float("inf")]}),
    ("document", {"zero": "\x00"}),
    ("document", "\ud800"),
    ("document", object()),
    ("integers", [2**31]),
]


@pytest.mark.parametrize(("name", "value"), MISFITS)
def test_what_does_not_fit_the_column_is_refused_by_every_database(
    keys: dict[str, list[int]], name: str, value: Any
) -> None:
    with pytest.raises(db.DataError) as caught:
        Values.objects.create(**{name: value})

    assert caught.value.code == "data/value"


@pytest.mark.parametrize("name", ["positive_small", "positive", "positive_big"])
def test_the_database_refuses_a_negative_value_of_a_positive_field(keys: dict[str, list[int]], name: str) -> None:
    with pytest.raises(db.IntegrityError) as caught:
        Values.objects.create(**{name: -1})

    assert caught.value.kind == "check"


REFUSED = [
    ("integer", "x"),
    ("integer", 1.5),
    ("integer", "١٢"),
    ("integer", "1_0"),
    ("flag", 2),
    ("flag", "maybe"),
    ("real", float("nan")),
    ("real", float("inf")),
    ("decimal_18", Decimal("NaN")),
    ("decimal_18", "x"),
    ("decimal_18", True),
    ("moment", "2024-13-01"),
    ("moment", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
    ("day", "yesterday"),
    ("clock", time(1, tzinfo=UTC)),
    ("span", "P"),
    ("identity", "x"),
    ("char", "a\x00b"),
    ("text", "a\x00b"),
    ("address", "1.2.3"),
    ("address", "fe80::1%eth0"),
    ("blob", "text"),
    ("integers", "abc"),
    ("integers", ["x"]),
    ("words", ["a\x00"]),
    ("matrix", [[1], [1, 2]]),
    ("matrix", [[]]),
    ("matrix", [None]),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_is_no_value_of_the_field_is_refused_before_any_statement(
    keys: dict[str, list[int]], name: str, value: Any
) -> None:
    with pytest.raises(ValueError) as caught:
        Values.objects.create(**{name: value})

    assert caught.value.code == "data/lookup-value"  # type: ignore[attr-defined]
    assert name in str(caught.value)


@pytest.mark.parametrize(("given", "kept"), [("0.00015", "0.0002"), ("0.00025", "0.0002"), ("1", "1.0000")])
def test_a_decimal_is_rounded_alike_by_every_database(keys: dict[str, list[int]], given: str, kept: str) -> None:
    row = Values.objects.create(decimal_18=Decimal(given))

    assert str(Values.objects.get(pk=row.pk).decimal_18) == kept


@pytest.mark.parametrize(
    ("name", "beyond"),
    [("big", 2**63), ("integer", 2**31), ("decimal_18", Decimal("1e30")), ("span", timedelta.max)],
)
def test_a_value_beyond_the_column_may_be_compared_with(keys: dict[str, list[int]], name: str, beyond: Any) -> None:
    here = Values.objects.filter(pk__in=keys[name])

    assert here.filter(**{f"{name}__lt": beyond}).count() == len(keys[name])
    assert not here.filter(**{f"{name}__gte": beyond}).exists()
    assert not here.filter(**{name: beyond}).exists()
    assert not here.filter(**{f"{name}__in": [beyond]}).exists()


def test_null_is_kept_in_every_column(keys: dict[str, list[int]]) -> None:
    row = Values.objects.get(pk=Values.objects.create().pk)

    assert {getattr(row, name) for name in EVERY} == {None}


def test_a_moment_comes_back_in_utc(keys: dict[str, list[int]]) -> None:
    row = Values.objects.create(moment=datetime(2024, 2, 29, 12, 30, tzinfo=NEPAL))

    assert Values.objects.get(pk=row.pk).moment.isoformat() == "2024-02-29T06:45:00+00:00"


def test_a_moment_without_a_zone_is_taken_as_utc(keys: dict[str, list[int]]) -> None:
    row = Values.objects.create(moment=datetime(2024, 2, 29, 12, 30))

    assert Values.objects.get(pk=row.pk).moment.isoformat() == "2024-02-29T12:30:00+00:00"


@pytest.mark.parametrize("name", list(EVERY))
def test_async_code_reads_what_it_wrote(keys: dict[str, list[int]], name: str) -> None:
    async def read() -> list[Any]:
        rows = await Values.objects.abulk_create([Values(**{name: value}) for value in EVERY[name]])
        found = await Values.objects.ain_bulk([row.pk for row in rows])
        return [getattr(found[row.pk], name) for row in rows]

    assert on_loop(read()) == EVERY[name]
