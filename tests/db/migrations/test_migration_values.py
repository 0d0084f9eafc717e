"""What a snapshot keeps of values and expressions, and what a file shows of them."""

from __future__ import annotations

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from segue import db
from segue.db import migrations
from segue.db.errors import ModelError
from segue.db.functions import Lower, Now, TruncYear
from segue.db.migrations.fields import build_field, facts_of, field_source
from segue.db.migrations.values import Imports, Reference, decode, encode, source


class Kind(enum.Enum):
    LP = "lp"


def compute() -> int:
    return 3


def _evaluated(value: Any) -> Any:
    """What the source of an encoded value makes."""
    imports = Imports()
    text = source(value, imports)
    namespace: dict[str, Any] = {}
    exec("\n".join(imports.lines()), namespace)
    return eval(text, namespace)


VALUES = [
    None, True, 3, 2.5, "x", 'quo"te', "\n\x00é", [1, [2]], {"a": {"$b": 1}}, Decimal("1.50"), uuid.UUID(int=7),
    datetime.date(1956, 7, 7), datetime.datetime(1956, 7, 7, 20, 30, 1, 5, tzinfo=datetime.UTC),
    datetime.time(20, 30, 1, 7), datetime.timedelta(days=-1, microseconds=3), b"\x00\xff",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_the_same_from_json_and_from_source(value: Any) -> None:
    kept = encode(value)

    assert decode(kept) == value
    assert _evaluated(kept) == value


EXPRESSIONS = [
    (db.F("a") + 1, 'db.F("a") + db.Value(1)'),
    ((db.F("a") + 1) * db.F("b"), '(db.F("a") + db.Value(1)) * db.F("b")'),
    (db.F("a").desc(), 'db.F("a").desc()'),
    (Lower("a"), 'functions.Lower(db.F("a"))'),
    (Now(), "functions.Now()"),
    (db.Coalesce("a", "b"), 'db.Coalesce(db.F("a"), db.F("b"))'),
    (db.Cast("a", db.IntegerField()), 'db.Cast(db.F("a"), db.IntegerField())'),
    (
        TruncYear("made", tzinfo=ZoneInfo("Europe/Oslo")),
        'functions.TruncYear(db.F("made"), tzinfo=ZoneInfo("Europe/Oslo"))',
    ),
    (TruncYear("made"), 'functions.TruncYear(db.F("made"))'),
    (
        db.Case(db.When(a=1, then=db.Value("x")), default=db.Value("y")),
        'db.Case(db.When(db.Q(a=1), then=db.Value("x")), default=db.Value("y"))',
    ),
    (db.Q(a=1), "db.Q(a=1)"),
    (db.Q(a=1, b__gte=2), "db.Q(a=1, b__gte=2)"),
    (~db.Q(a=1), "~db.Q(a=1)"),
    (db.Q(a=1) | ~db.Q(b=2) & db.Q(c=3), "db.Q(a=1) | (~db.Q(b=2) & db.Q(c=3))"),
    (~(db.Q(a=1) | db.Q(b=2)), "~(db.Q(a=1) | db.Q(b=2))"),
    (db.Q(a=1) ^ db.Q(b=2), "db.Q(a=1) ^ db.Q(b=2)"),
    (db.Q(db.Q(db.Q(a=1))), "db.Q(a=1)"),
    (db.Q(a__in=[1, 2]), "db.Q(a__in=[1, 2])"),
    (db.Q(a__gt=db.F("b")), 'db.Q(a__gt=db.F("b"))'),
    (db.Q(kind=Kind.LP), 'db.Q(kind="lp")'),
    (sa.text("now()"), 'sqlalchemy.text("now()")'),
    (migrations.sql("a > b"), 'migrations.sql("a > b")'),
]


@pytest.mark.parametrize(("expression", "text"), EXPRESSIONS, ids=[text for _, text in EXPRESSIONS])
def test_an_expression_reads_as_it_was_written(expression: Any, text: str) -> None:
    assert source(encode(expression), Imports()) == text


@pytest.mark.parametrize("expression", [each for each, _ in EXPRESSIONS], ids=[text for _, text in EXPRESSIONS])
def test_an_expression_is_the_same_from_json_and_from_source(expression: Any) -> None:
    kept = encode(expression)

    assert encode(decode(kept)) == kept
    assert encode(_evaluated(kept)) == kept


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (uuid.uuid4, "uuid.uuid4"),
        (dict, "dict"),
        (datetime.date.today, "datetime.date.today"),
        (compute, f'migrations.reference("{__name__}:compute")'),
    ],
)
def test_a_function_is_named(function: Any, text: str) -> None:
    assert source(encode(function), Imports()) == text


def test_a_function_of_the_project_is_looked_up_when_it_is_called() -> None:
    gone = Reference("no.such.module:function")

    assert encode(gone) == {"$function": "no.such.module:function"}
    assert Reference(f"{__name__}:compute")() == 3


@pytest.mark.parametrize("value", [lambda: 3, object()], ids=["lambda", "object"])
def test_what_cannot_be_kept_is_refused(value: Any) -> None:
    with pytest.raises(ModelError, match="A migration cannot keep"):
        encode(value)


class ColourField(db.Field[str]):
    def make_type(self) -> Any:
        return sa.String(7)


class PhoneField(db.CharField[str]):
    pass


FIELDS = {
    "auto": db.BigAutoField(),
    "text": db.CharField(max_length=9, unique=True, db_collation="C", db_comment='a "b"', choices=["a", "b"]),
    "slug": db.SlugField(),
    "plain slug": db.SlugField(db_index=False),
    "numbers to choose": db.IntegerField(choices=[(1, "one")], default=1),
    "decimal": db.DecimalField(max_digits=8, decimal_places=2, db_default=Decimal("1.5")),
    "moment": db.DateTimeField(auto_now_add=True, null=True),
    "moment of the database": db.DateTimeField(db_default=Now()),
    "uuid": db.UUIDField(default=uuid.uuid4, primary_key=True),
    "json": db.JSONField(default=dict),
    "array": db.ArrayField(db.ArrayField(db.CharField(max_length=3)), null=True),
    "generated": db.GeneratedField(expression=db.F("a") * 2, output_field=db.IntegerField(null=True), db_persist=False),
    "key": db.ForeignKey("club.Musician", on_delete=db.SET_NULL, null=True, related_name="x", to_field="slug"),
    "key with a value": db.ForeignKey("club.musician", on_delete=db.SET(3)),
    "key without an index": db.ForeignKey("club.musician", on_delete=db.DB_CASCADE, db_index=False, db_column="who"),
    "one": db.OneToOneField("club.musician", on_delete=db.PROTECT, primary_key=True, parent_link=True),
    "many": db.ManyToManyField("club.musician", related_name="+", db_table="between"),
    "many through": db.ManyToManyField("club.musician", through="club.Seat", through_fields=("a", "b")),
    "of a class of its own": ColourField(null=True, unique=True),
    "of a class that is a text": PhoneField(max_length=20),
}


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_a_field_is_the_same_from_its_facts_and_from_source(field: Any) -> None:
    facts = facts_of(field, "name")
    imports = Imports()
    text = field_source(facts, "name", imports)
    namespace: dict[str, Any] = {}
    exec("\n".join(imports.lines()), namespace)

    assert facts_of(build_field(facts, "name"), "name") == facts
    assert facts_of(eval(text, namespace), "name") == facts


def test_a_field_of_a_project_is_kept_as_its_column() -> None:
    assert field_source(facts_of(ColourField(null=True), "name"), "name", Imports()) == (
        "migrations.PlainField(String(length=7), null=True)"
    )
