"""Functions of the database: one result on all three, and values that are parameters."""

from __future__ import annotations

import hashlib
import math
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from segue import db
from segue.db import F, Value
from segue.db import functions as fn


class Thing(db.Model):
    word = db.CharField(max_length=100)
    other = db.CharField(max_length=100, null=True)
    number = db.IntegerField()
    real = db.FloatField()
    price = db.DecimalField(max_digits=10, decimal_places=2)
    huge = db.DecimalField(max_digits=30, decimal_places=5, default=Decimal("12345678901234567890.12345"))
    at = db.DateTimeField()
    day = db.DateField()
    clock = db.TimeField()
    yes = db.BooleanField(default=True)
    data = db.JSONField(default=dict)
    token = db.UUIDField(default=uuid.uuid4)
    span = db.DurationField(default=timedelta(hours=1))


MODELS = [Thing]
AT = datetime(2024, 5, 15, 14, 30, 50, 321, tzinfo=UTC)


def fill():
    Thing.objects.create(
        word="Ünïcode Ärger", other=None, number=-7, real=2.5, price=Decimal("12.35"), at=AT, day=AT.date(),
        clock=time(14, 30, 50), data={"a": [1, {"b": None}]},
    )  # fmt: skip


def value(expression):
    return Thing.objects.annotate(found=expression).values_list("found", flat=True).get()


CASES = [
    # text
    (fn.Lower("word"), "ünïcode ärger"),
    (fn.Upper("word"), "ÜNÏCODE ÄRGER"),
    (fn.Length("word"), 13),
    (fn.Length("other"), None),
    (fn.Concat("word", Value(": "), "other"), "Ünïcode Ärger: "),
    (fn.Concat("word", Value("-"), "number", Value("-"), "price"), "Ünïcode Ärger--7-12.35"),
    (fn.Substr("word", 1, 3), "Ünï"),
    (fn.Substr("word", 9), "Ärger"),
    (fn.Substr("word", 3, 0), ""),
    (fn.Left("word", 2), "Ün"),
    (fn.Left("word", 200), "Ünïcode Ärger"),
    (fn.Right("word", 2), "er"),
    (fn.Right("word", 200), "Ünïcode Ärger"),
    (fn.Trim(Value("  a b  ")), "a b"),
    (fn.LTrim(Value("  a b  ")), "a b  "),
    (fn.RTrim(Value("  a b  ")), "  a b"),
    (fn.Replace("word", "Ünï", "uni"), "unicode Ärger"),
    (fn.Replace("word", "Ü"), "nïcode Ärger"),
    (fn.Replace("word", Value("n"), Value("%")), "Ü%ïcode Ärger"),
    (fn.Repeat(Value("ab"), 3), "ababab"),
    (fn.Repeat("other", 3), None),
    (fn.Repeat(Value("ab"), 0), ""),
    (fn.Reverse("word"), "regrÄ edocïnÜ"),
    (fn.LPad(Value("ab"), 5, "xyz"), "xyzab"),
    (fn.RPad(Value("ab"), 6, "xyz"), "abxyzx"),
    (fn.LPad(Value("abcdef"), 3), "abc"),
    (fn.RPad(Value("ab"), 4), "ab  "),
    (fn.StrIndex("word", Value("Ä")), 9),
    (fn.StrIndex("word", Value("ä")), 0),
    (fn.Chr(Value(65)), "A"),
    (fn.Chr(Value(8364)), "€"),
    (fn.Chr(Value(128512)), "😀"),
    (fn.Ord(Value("A")), 65),
    (fn.Ord(Value("€uro")), 8364),
    (fn.Ord(Value("😀")), 128512),
    (fn.Ord(Value("")), 0),
    (fn.Ord("other"), None),
    (fn.MD5("word"), hashlib.md5("Ünïcode Ärger".encode()).hexdigest()),
    (fn.SHA224("word"), hashlib.sha224("Ünïcode Ärger".encode()).hexdigest()),
    (fn.SHA256("word"), hashlib.sha256("Ünïcode Ärger".encode()).hexdigest()),
    (fn.SHA384("word"), hashlib.sha384("Ünïcode Ärger".encode()).hexdigest()),
    (fn.SHA512("word"), hashlib.sha512("Ünïcode Ärger".encode()).hexdigest()),
    (fn.SHA256("other"), None),
    # maths
    (fn.Abs("number"), 7),
    (fn.Abs(Value(-2.5)), 2.5),
    (fn.Abs(F("price") * -1), Decimal("12.35")),
    (fn.Ceil("price"), Decimal(13)),
    (fn.Floor("price"), Decimal(12)),
    (fn.Ceil(Value(-2.5)), -2.0),
    (fn.Floor(Value(-2.5)), -3.0),
    (fn.Ceil("number"), -7),
    (fn.Floor("huge"), Decimal("12345678901234567890")),
    (fn.Round("price"), Decimal(12)),
    (fn.Round("price", 1), Decimal("12.4")),
    (fn.Round("price", -1), Decimal(10)),
    (fn.Round("real"), 3.0),
    (fn.Round(Value(-2.5)), -3.0),
    (fn.Round(Value(1.25), 1), 1.3),
    (fn.Round("number", -1), -10),
    (fn.Round("huge", 2), Decimal("12345678901234567890.12")),
    (fn.Round(Value(1e300), 2), 1e300),
    (fn.Sqrt(Value(16)), 4.0),
    (fn.Sqrt("number"), None),
    (fn.Power(Value(2), 10), 1024.0),
    (F("number") ** 2, 49.0),
    (fn.Exp(Value(0)), 1.0),
    (fn.Ln(Value(1)), 0.0),
    (fn.Ln(Value(0)), None),
    (fn.Log(10, Value(1000)), 3.0),
    (fn.Log(2, Value(8)), 3.0),
    (fn.Log(10, Value(-1)), None),
    (fn.Mod("number", 3), -1),
    (fn.Mod(Value(7), -3), 1),
    (fn.Mod(Value(7.5), 2), 1.5),
    (fn.Mod("price", Value(Decimal("0.1"))), Decimal("0.05")),
    (fn.Mod("number", 0), None),
    (fn.Sign("number"), -1),
    (fn.Sign("price"), 1),
    (fn.Sign(Value(0.0)), 0),
    (fn.Pi(), math.pi),
    (fn.Sin(Value(1.0)), math.sin(1)),
    (fn.Cos(Value(1.0)), math.cos(1)),
    (fn.Tan(Value(1.0)), math.tan(1)),
    (fn.Cot(Value(1.0)), 1 / math.tan(1)),
    (fn.ASin(Value(0.5)), math.asin(0.5)),
    (fn.ACos(Value(0.5)), math.acos(0.5)),
    (fn.ACos(Value(1.5)), None),
    (fn.ATan(Value(0.5)), math.atan(0.5)),
    (fn.ATan2(Value(1.0), Value(2.0)), math.atan2(1, 2)),
    (fn.Degrees(Value(math.pi)), 180.0),
    (fn.Radians("number"), math.radians(-7)),
    (fn.Sqrt("price"), math.sqrt(12.35)),
    # comparison
    (fn.Coalesce("other", "word"), "Ünïcode Ärger"),
    (fn.Coalesce("other", Value("none")), "none"),
    (fn.Coalesce("other", "other"), None),
    (fn.Coalesce(fn.NullIf("price", "price"), Value(0)), Decimal(0)),
    (fn.Greatest("number", Value(3)), 3),
    (fn.Greatest("price", Value(12)), Decimal("12.35")),
    (fn.Greatest("price", Value(Decimal("12.355"))), Decimal("12.355")),
    (fn.Greatest("real", "number"), 2.5),
    (fn.Greatest("word", "other"), None),
    (fn.Greatest("huge", Value(Decimal("12345678901234567890.12346"))), Decimal("12345678901234567890.12346")),
    (fn.Least("number", "price"), Decimal(-7)),
    (fn.Least(Value("b"), Value("a")), "a"),
    (fn.NullIf("number", Value(-7)), None),
    (fn.NullIf("number", Value(7)), -7),
    (fn.Cast("number", db.FloatField()), -7.0),
    (fn.Cast("number", db.TextField()), "-7"),
    (fn.Cast("real", db.TextField()), "2.5"),
    (fn.Cast(Value(3.0), db.TextField()), "3"),
    (fn.Cast("price", db.TextField()), "12.35"),
    (fn.Cast("huge", db.TextField()), "12345678901234567890.12345"),
    (fn.Cast("yes", db.TextField()), "true"),
    (fn.Cast("word", db.CharField(max_length=3)), "Ünï"),
    (fn.Cast("real", db.IntegerField()), 3),
    (fn.Cast(Value(-2.5), db.IntegerField()), -3),
    (fn.Cast("price", db.IntegerField()), 12),
    (fn.Cast(Value("42"), db.IntegerField()), 42),
    (fn.Cast(Value("42.125"), db.DecimalField(max_digits=8, decimal_places=2)), Decimal("42.13")),
    (fn.Cast("price", db.DecimalField(max_digits=30, decimal_places=1)), Decimal("12.4")),
    (fn.Cast("price", db.FloatField()), 12.35),
    (fn.Cast("number", db.BooleanField()), True),
    (fn.Cast(Value(0), db.BooleanField()), False),
    (fn.Cast("at", db.DateField()), AT.date()),
    (fn.Cast("at", db.TimeField()), AT.time()),
    (fn.Cast("day", db.DateTimeField()), datetime(2024, 5, 15, tzinfo=UTC)),
    (fn.Cast(Value("2024-05-15"), db.DateField()), AT.date()),
    (fn.Cast(Value("2024-05-15 14:30:50.000321"), db.DateTimeField()), AT),
    (fn.Cast("at", db.TextField()), "2024-05-15 14:30:50.000321"),
    (fn.Cast("day", db.TextField()), "2024-05-15"),
    # dates
    (fn.ExtractYear("at"), 2024),
    (fn.ExtractIsoYear("at"), 2024),
    (fn.ExtractQuarter("at"), 2),
    (fn.ExtractMonth("day"), 5),
    (fn.ExtractWeek("day"), 20),
    (fn.ExtractDay("day"), 15),
    (fn.ExtractWeekDay("at"), 4),
    (fn.ExtractIsoWeekDay("at"), 3),
    (fn.ExtractHour("at"), 14),
    (fn.ExtractMinute("at"), 30),
    (fn.ExtractSecond("at"), 50),
    (fn.ExtractHour("clock"), 14),
    (fn.ExtractMinute("clock"), 30),
    (fn.Extract("at", "iso_year"), 2024),
    (fn.TruncYear("at"), datetime(2024, 1, 1, tzinfo=UTC)),
    (fn.TruncQuarter("at"), datetime(2024, 4, 1, tzinfo=UTC)),
    (fn.TruncMonth("at"), datetime(2024, 5, 1, tzinfo=UTC)),
    (fn.TruncWeek("at"), datetime(2024, 5, 13, tzinfo=UTC)),
    (fn.TruncDay("at"), datetime(2024, 5, 15, tzinfo=UTC)),
    (fn.TruncHour("at"), datetime(2024, 5, 15, 14, tzinfo=UTC)),
    (fn.TruncMinute("at"), datetime(2024, 5, 15, 14, 30, tzinfo=UTC)),
    (fn.TruncSecond("at"), datetime(2024, 5, 15, 14, 30, 50, tzinfo=UTC)),
    (fn.TruncYear("day"), date(2024, 1, 1)),
    (fn.TruncQuarter("day"), date(2024, 4, 1)),
    (fn.TruncWeek("day"), date(2024, 5, 13)),
    (fn.TruncHour("clock"), time(14)),
    (fn.Trunc("clock", "minute"), time(14, 30)),
    (fn.Trunc("at", "month", output_field=db.DateField()), date(2024, 5, 1)),
    (fn.Trunc("day", "month", output_field=db.DateTimeField()), datetime(2024, 5, 1, tzinfo=UTC)),
    (fn.TruncDate("at"), AT.date()),
    (fn.TruncTime("at"), AT.time()),
    (fn.ExtractHour("at", tzinfo=timezone(timedelta(hours=5, minutes=30))), 20),
    (fn.ExtractDay("at", tzinfo=timezone(timedelta(hours=10))), 16),
    (fn.ExtractHour("at", tzinfo=timezone(timedelta(hours=-3))), 11),
    (fn.TruncDay("at", tzinfo=timezone(timedelta(hours=10))), datetime(2024, 5, 15, 14, tzinfo=UTC)),
    (fn.TruncDate("at", tzinfo=timezone(timedelta(hours=10))), date(2024, 5, 16)),
    (fn.TruncTime("at", tzinfo=timezone(timedelta(hours=10))), time(0, 30, 50, 321)),
    # JSON
    (
        fn.JSONObject(word="word", other="other", number="number", half="real", yes="yes", inner="data", at="at", day="day", price="price"),
        {
            "word": "Ünïcode Ärger", "other": None, "number": -7, "half": 2.5, "yes": True, "inner": {"a": [1, {"b": None}]},
            "at": "2024-05-15T14:30:50.000321Z", "day": "2024-05-15", "price": 12.35,
        },
    ),
    (fn.JSONObject(nested=fn.JSONObject(number="number")), {"nested": {"number": -7}}),
    # arithmetic
    ((F("number") + 1) / 2, -3),
    (F("number") / 2 * 2, -6),
    (F("number") * (F("number") / 2), 21),
    (F("number") % 4, -3),
    (F("price") + 1, Decimal("13.35")),
    (F("price") * 2, Decimal("24.70")),
    (F("price") * F("price"), Decimal("152.5225")),
    (F("price") - Decimal("0.005"), Decimal("12.345")),
    (F("real") * 2, 5.0),
    (F("real") + F("number"), -4.5),
    (F("at") + timedelta(days=1, microseconds=1), AT + timedelta(days=1, microseconds=1)),
    (F("at") - timedelta(hours=3), AT - timedelta(hours=3)),
    (F("day") + timedelta(days=20), datetime(2024, 6, 4, tzinfo=UTC)),
    (F("at") - F("at"), timedelta(0)),
    (F("at") + F("span"), AT + timedelta(hours=1)),
    (F("span") + timedelta(minutes=1), timedelta(hours=1, minutes=1)),
    (F("number").bitand(5), 1),
    (Value(6).bitor(1), 7),
    (Value(6).bitxor(3), 5),
    (Value(1).bitleftshift(4), 16),
    (Value(16).bitrightshift(2), 4),
    (-F("number"), 7),
    (10 - F("number"), 17),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"), CASES, ids=[f"{at}-{type(each[0]).__name__}" for at, each in enumerate(CASES)]
)
def test_a_function_gives_one_result_on_every_database(database, expression, expected):
    found = value(expression)
    if isinstance(expected, float):
        assert isinstance(found, float)
        assert found == pytest.approx(expected, rel=1e-12)
    else:
        assert found == expected
        assert type(found) is type(expected)
    if not isinstance(expected, float | dict):
        assert Thing.objects.alias(found=expression).filter(found=expected).order_by("-found").count() == 1


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Asia/Kathmandu", "America/New_York"])
def test_zones_have_names_where_the_database_knows_them(database, zone):
    local = AT.astimezone(ZoneInfo(zone))
    if (
        database.vendor == "mysql"
        and database.execute("SELECT CONVERT_TZ(NOW(), 'UTC', 'Europe/Oslo')").scalar() is None
    ):
        pytest.skip("needs mysql_tzinfo_to_sql, whose tables this server has not")
    assert value(fn.ExtractHour("at", tzinfo=ZoneInfo(zone))) == local.hour
    assert value(fn.TruncDay("at", tzinfo=ZoneInfo(zone))) == local.replace(hour=0, minute=0, second=0, microsecond=0)


def test_a_zone_is_a_parameter(database):
    oslo = Thing.objects.annotate(h=fn.ExtractHour("at", tzinfo=ZoneInfo("Europe/Oslo")))
    rome = Thing.objects.annotate(h=fn.ExtractHour("at", tzinfo=ZoneInfo("Europe/Rome")))
    assert oslo.sql() == rome.sql()
    assert "Oslo" not in oslo.sql()


def test_now_is_now(database):
    assert abs(value(fn.Now()) - datetime.now(UTC)) < timedelta(seconds=30)


def test_random_numbers_differ_and_are_below_one(database):
    found = {value(fn.Random()) for _ in range(5)}
    assert len(found) == 5
    assert all(0 <= each < 1 for each in found)


def test_sha1_is_there(database):
    if database.vendor == "postgresql":
        database.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
    assert value(fn.SHA1("word")) == hashlib.sha1("Ünïcode Ärger".encode()).hexdigest()


def test_a_collation_orders_and_compares(database):
    name = {"sqlite": "NOCASE", "postgresql": "C", "mysql": "utf8mb4_general_ci"}[database.vendor]
    assert Thing.objects.order_by(fn.Collate("word", name)).count() == 1
    assert Thing.objects.annotate(w=fn.Collate("word", name)).filter(w="Ünïcode Ärger").exists()


def test_an_own_function_is_called(database):
    class Shorter(db.Func):
        function = "LTRIM"

    assert value(Shorter(Value("  x"))) == "x"
    assert value(db.Func("word", function="UPPER")).startswith("Ü")


BAD = [
    lambda bad: fn.Trunc("at", bad),
    lambda bad: fn.Extract("at", bad),
    lambda bad: fn.Collate("word", bad),
    lambda bad: db.Func("word", function=bad),
    lambda bad: Thing.objects.dates("day", bad),
    lambda bad: Thing.objects.datetimes("at", bad),
    lambda bad: Thing.objects.dates("day", "year", order=bad),
]


@pytest.mark.parametrize("make", BAD, ids=["trunc", "extract", "collate", "func", "dates", "datetimes", "order"])
@pytest.mark.parametrize("bad", ["year FROM dt)); drop--", "year' ", "bogus'", 'x"; drop', "a b", "x;", "--", "\x00"])
def test_a_word_that_is_not_known_never_reaches_the_database(database, sent, make, bad):
    with pytest.raises(ValueError):
        make(bad)
    assert len(sent) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: fn.Substr("word", 0),
        lambda: fn.Substr("word", 1, -1),
        lambda: fn.Left("word", 0),
        lambda: fn.Right("word", -1),
        lambda: fn.Repeat("word", -1),
        lambda: fn.LPad("word", -1),
        lambda: fn.LPad("word", 3, ""),
        lambda: fn.Concat("word"),
        lambda: fn.Coalesce("word"),
        lambda: fn.Greatest("word"),
        lambda: fn.Lag("word", 0),
        lambda: fn.Ntile(0),
        lambda: fn.NthValue("word", -1),
        lambda: fn.Lag("word", "1; drop"),
        lambda: fn.Round("price", "1; drop"),
        lambda: fn.Substr("word", "1; drop"),
        lambda: fn.Log("number"),
    ],
)
def test_an_argument_that_cannot_be_is_a_value_error(make):
    with pytest.raises(ValueError):
        make()


def test_hostile_arguments_are_parameters(database):
    hostile = "'); DROP TABLE thing; --"
    for make in (
        lambda text: fn.Replace("word", text, text),
        lambda text: fn.LPad("word", 3, text),
        lambda text: fn.Concat("word", Value(text)),
        lambda text: fn.Coalesce("other", Value(text)),
        lambda text: fn.StrIndex("word", Value(text)),
        lambda text: fn.JSONObject(**{text: "word"}),
        lambda text: fn.Cast(Value(text), db.TextField()),
    ):
        chosen = Thing.objects.annotate(found=make(hostile))
        assert hostile not in chosen.sql()
        assert chosen.sql() == Thing.objects.annotate(found=make("plain")).sql()
        assert len(chosen) == 1


def test_parts_that_a_kind_has_not_are_refused(database):
    for expression in (
        fn.ExtractHour("day"),
        fn.ExtractYear("clock"),
        fn.TruncHour("day"),
        fn.TruncDay("clock"),
        fn.ExtractYear("word"),
    ):
        with pytest.raises(ValueError, match=r"hour|year|day|date"):
            value(expression)


def test_a_window_function_outside_a_window_is_refused(database):
    with pytest.raises(ValueError, match="Window"):
        value(fn.RowNumber())
