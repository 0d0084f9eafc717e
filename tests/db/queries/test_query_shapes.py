"""Plans: compiled once for a shape, filled with the values of each query, never with another's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from segue import db
from segue.db import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from segue.db import functions as fn
from segue.db.shapes import PlanCache, key_of


class Band(db.Model):
    name = db.CharField(max_length=20)


class Song(db.Model):
    title = db.CharField(max_length=30, null=True)
    year = db.IntegerField(null=True)
    plays = db.BigIntegerField(default=0)
    length = db.FloatField(default=1.0)
    price = db.DecimalField(max_digits=8, decimal_places=2, default=Decimal(1))
    day = db.DateField(null=True)
    live = db.BooleanField(default=False)
    band = db.ForeignKey(Band, on_delete=db.CASCADE, null=True, related_name="songs")


MODELS = [Band, Song]
TITLES = ["Ko-Ko", "cotton tail", "Mood %", "a_b", "", "Ünïcode", None, "take\\five", "Ko"]


def fill():
    bands = [Band.objects.create(name=name) for name in ("Duke", "Count", "Nobody")]
    Song.objects.bulk_create(
        Song(
            title=TITLES[at % len(TITLES)],
            year=None if at % 7 == 3 else 1920 + at * 3 % 17,
            plays=at * at - 20,
            length=at / 4 - 2,
            price=Decimal(at * 37 % 400) / 100,
            day=None if at % 5 == 4 else date(1935 + at % 4, 1 + at % 12, 1 + at),
            live=at % 3 == 0,
            band=None if at % 6 == 5 else bands[at % 2],
        )
        for at in range(24)
    )


@dataclass
class Condition:
    """A condition for the database, and the same for a row in Python."""

    asked: Any
    holds: Callable[[Any], bool]


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "exact": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "year": st.integers(1918, 1940) | st.sampled_from([-(2**31), 2**31, 2**70]),
    "plays": st.integers(-25, 300),
    "length": st.floats(-3, 5, allow_nan=False).map(lambda value: round(value, 2)),
    "price": st.decimals(0, 4, places=2) | st.decimals(0, 4, places=3),
    "day": st.dates(date(1934, 1, 1), date(1940, 1, 1)),
    "title": st.sampled_from([title for title in TITLES if title is not None]) | st.text("aKo%_\\'", max_size=3),
    "live": st.booleans(),
}


def known(name: str, test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda row: getattr(row, name) is not None and test(getattr(row, name))


@st.composite
def comparisons(draw: Any) -> Condition:
    name = draw(st.sampled_from(sorted(VALUES)))
    kind = draw(
        st.sampled_from(
            ["compare", "list", "range", "null", "field", "pattern", "column", "core", "sum", "band", "songs"]
        )
    )
    if kind == "null":
        wanted = draw(st.booleans())
        return Condition(Q(**{f"{name}__isnull": wanted}), lambda row: (getattr(row, name) is None) == wanted)
    if kind == "list":
        values = draw(st.lists(VALUES[name] | st.none(), max_size=draw(st.sampled_from([2, 5, 40]))))
        return Condition(Q(**{f"{name}__in": values}), known(name, lambda value: value in values))
    if kind == "range" and name not in ("live", "title"):
        low, high = draw(VALUES[name]), draw(VALUES[name])
        return Condition(Q(**{f"{name}__range": (low, high)}), known(name, lambda value: low <= value <= high))
    if kind == "field":
        lookup = draw(st.sampled_from(sorted(COMPARE)))
        plus = draw(st.integers(-3, 3))
        asked = Q(**{f"plays__{lookup}": F("year") + plus})
        return Condition(asked, lambda row: row.year is not None and COMPARE[lookup](row.plays, row.year + plus))
    if kind == "pattern":
        lookup = draw(st.sampled_from(["contains", "startswith", "endswith"]))
        text = draw(VALUES["title"])
        test = {"contains": str.__contains__, "startswith": str.startswith, "endswith": str.endswith}[lookup]
        return Condition(Q(**{f"title__{lookup}": text}), known("title", lambda value: bool(test(value, text))))
    if kind == "column":
        year = draw(st.integers(1918, 1940))
        return Condition(Song.year >= year, known("year", lambda value: value >= year))
    if kind == "core":
        plays = draw(VALUES["plays"])
        column = Song._meta.table.c.plays
        return Condition(Q(column + 1 > plays), lambda row: row.plays + 1 > plays)
    if kind == "sum":
        number = draw(st.integers(-5, 5))
        return Condition(Q(plays__gt=Value(number) * 2 + F("plays") - 7), lambda row: number * 2 - 7 < 0)
    if kind == "band":
        text = draw(st.sampled_from(["Duke", "Count", "x"]))
        return Condition(Q(band__name=text), lambda row: row.band is not None and row.band.name == text)
    if kind == "songs":
        year = draw(st.integers(1918, 1940))
        inner = Song.objects.filter(band=OuterRef("band"), year__gt=year)

        def holds(row: Any) -> bool:
            return row.band_id is not None and any(
                other.band_id == row.band_id and other.year is not None and other.year > year for other in ROWS
            )

        return Condition(Exists(inner), holds)
    lookup = draw(st.sampled_from(sorted(COMPARE))) if name not in ("title", "live") else "exact"
    value = draw(VALUES[name])
    return Condition(Q(**{f"{name}__{lookup}": value}), known(name, lambda found: COMPARE[lookup](found, value)))


def _and(one: Condition, two: Condition) -> Condition:
    return Condition(Q(one.asked) & Q(two.asked), lambda row: one.holds(row) and two.holds(row))


def _or(one: Condition, two: Condition) -> Condition:
    return Condition(Q(one.asked) | Q(two.asked), lambda row: one.holds(row) or two.holds(row))


def _xor(one: Condition, two: Condition) -> Condition:
    return Condition(Q(one.asked) ^ Q(two.asked), lambda row: one.holds(row) != two.holds(row))


def _not(one: Condition) -> Condition:
    return Condition(~Q(one.asked), lambda row: not one.holds(row))


CONDITIONS = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(_and, inner, inner),
        st.builds(_or, inner, inner),
        st.builds(_xor, inner, inner),
        st.builds(_not, inner),
    ),
    max_leaves=5,
)
ROWS: list[Any] = []


def load() -> None:
    ROWS[:] = Song.objects.select_related("band").order_by("pk")


@st.composite
def questions(draw: Any) -> tuple[Any, list[Any]]:
    """A queryset, and what it must give."""
    found = Song.objects.all()
    rows = list(ROWS)
    for _ in range(draw(st.integers(0, 2))):
        condition = draw(CONDITIONS)
        if draw(st.booleans()):
            found, rows = found.filter(condition.asked), [row for row in rows if condition.holds(row)]
        else:
            found, rows = found.exclude(condition.asked), [row for row in rows if not condition.holds(row)]
    shape = draw(st.sampled_from(["rows", "slice", "annotated", "case", "counted", "joined", "value", "group"]))
    if shape == "slice":
        low, size = draw(st.integers(0, 8)), draw(st.integers(0, 8))
        order = draw(st.sampled_from(["pk", "-pk", "year"]))
        if order == "year":
            found = found.order_by(F("year").desc(nulls_last=True), "pk")
            rows.sort(key=lambda row: (row.year is None, -(row.year or 0), row.pk))
        else:
            found = found.order_by(order)
            rows.sort(key=lambda row: row.pk, reverse=order == "-pk")
        return found[low : low + size].values_list("pk", flat=True), [row.pk for row in rows[low : low + size]]
    found = found.order_by("pk")
    if shape == "annotated":
        plus, than = draw(st.integers(-9, 9)), draw(st.integers(-20, 300))
        found = found.annotate(more=F("plays") + plus).filter(more__gt=than)
        rows = [row for row in rows if row.plays + plus > than]
        return found.values_list("pk", "more"), [(row.pk, row.plays + plus) for row in rows]
    if shape == "case":
        condition = draw(CONDITIONS)
        yes, no = draw(st.integers(0, 9)), draw(st.integers(0, 9))
        found = found.annotate(choice=Case(When(Q(condition.asked) | Q(pk=-1), then=Value(yes)), default=Value(no)))
        return found.values_list("pk", "choice"), [(row.pk, yes if condition.holds(row) else no) for row in rows]
    if shape == "counted":
        return found, rows
    if shape == "joined":
        condition = draw(CONDITIONS)
        other = Song.objects.filter(condition.asked).values_list("pk", flat=True)
        keys = {row.pk for row in rows} | {row.pk for row in ROWS if condition.holds(row)}
        return found.values_list("pk", flat=True).union(other).order_by("pk"), sorted(keys)
    if shape == "value":
        text = draw(st.sampled_from(["a", "b", "'"]))
        joined = fn.Concat(fn.Coalesce("title", Value("-")), Value(text))
        return found.values_list("pk", joined), [
            (row.pk, ("-" if row.title is None else row.title) + text) for row in rows
        ]
    if shape == "group":
        least = draw(st.integers(1920, 1930))
        newest = Song.objects.filter(band=OuterRef("band"), year__gte=least).order_by("year", "pk").values("year")[:1]

        def first(row: Any) -> Any:
            years = [
                each.year for each in ROWS if row.band_id and each.band_id == row.band_id and (each.year or 0) >= least
            ]
            return min(years, default=None)

        return found.annotate(first=Subquery(newest)).values_list("pk", "first"), [(row.pk, first(row)) for row in rows]
    return found, rows


def given_by(queryset: Any) -> list[Any]:
    return list(queryset.all())


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_kept_plan_answers_as_a_fresh_one_and_as_python(database, data):
    if not ROWS or ROWS[0].__dict__.get("_of") is not database:
        load()
        ROWS[0].__dict__["_of"] = database
    queryset, expected = data.draw(questions())
    note(f"{queryset.sql()} with {key_of(queryset.query.shape)[1].values}")
    shared = given_by(queryset)
    assert shared == expected
    assert queryset.count() == len(expected)
    kept, database.plans = database.plans, PlanCache()
    try:
        assert given_by(queryset) == shared
        assert queryset.exists() == bool(expected)
    finally:
        database.plans = kept
    # What is run again takes the plan that is there, with the same values.
    compiled = database.plans.compiled
    assert given_by(queryset) == shared
    assert database.plans.compiled == compiled


@pytest.mark.slow
def test_a_thousand_gets_are_one_compilation(database):
    keys = list(Song.objects.values_list("pk", flat=True))
    Song.objects.get(pk=keys[0])
    compiled = database.plans.compiled
    for at in range(1000):
        assert Song.objects.get(pk=keys[at % len(keys)]).pk == keys[at % len(keys)]
    assert database.plans.compiled == compiled


@pytest.mark.parametrize(
    "make",
    [
        lambda value: Song.objects.filter(year=value),
        lambda value: Song.objects.filter(year__gt=value, title__contains=str(value)),
        lambda value: Song.objects.filter(Q(year=value) | ~Q(plays=value)),
        lambda value: Song.objects.filter(pk__in=range(value, value + 3)),
        lambda value: Song.objects.filter(pk__in=range(value, value + 2000)),
        lambda value: Song.objects.annotate(x=F("year") + value).filter(x__lt=value),
        lambda value: Song.objects.order_by("pk")[value % 10 : value % 10 + 5],
        lambda value: Song.objects.filter(Exists(Band.objects.filter(name=str(value)))),
        lambda value: Song.objects.annotate(x=Case(When(year=value, then=Value(value)), default=Value(0))),
        lambda value: Song.objects.annotate(x=Count("band", filter=Q(band__name=str(value)))),
        lambda value: Song.objects.filter(year=value).union(Song.objects.filter(plays=value)),
        lambda value: Song.objects.alias(x=fn.Substr("title", value % 9 + 1)).filter(x=str(value)),
        lambda value: Song.objects.annotate(x=fn.Round("price", value % 3)),
        lambda value: Song.objects.annotate(x=fn.Concat("title", Value(str(value)))),
        lambda value: Song.objects.filter(Song._meta.table.c.year > value),
        lambda value: Song.objects.filter(day__year=value),
    ],
)
def test_values_are_no_part_of_a_shape(database, make):
    list(make(1922))
    compiled = database.plans.compiled
    assert make(1925).sql() == make(1922).sql()
    list(make(1931))
    assert database.plans.compiled == compiled


PAIRS = [
    (lambda: Song.objects.filter(year=None), lambda: Song.objects.filter(year=1)),
    (lambda: Song.objects.filter(year__isnull=True), lambda: Song.objects.filter(year__isnull=False)),
    (lambda: Song.objects.filter(year__gt=1), lambda: Song.objects.filter(year__gte=1)),
    (lambda: Song.objects.filter(year=1), lambda: Song.objects.exclude(year=1)),
    (lambda: Song.objects.filter(Q(year=1) | Q(plays=1)), lambda: Song.objects.filter(Q(year=1) & Q(plays=1))),
    (lambda: Song.objects.filter(Q(year=1) ^ Q(plays=1)), lambda: Song.objects.filter(Q(year=1) | Q(plays=1))),
    (lambda: Song.objects.order_by("year"), lambda: Song.objects.order_by("-year")),
    (lambda: Song.objects.order_by("year"), lambda: Song.objects.order_by("year").reverse()),
    (lambda: Song.objects.order_by(F("year").asc(nulls_first=True)), lambda: Song.objects.order_by(F("year").asc())),
    (lambda: Song.objects.values_list("year"), lambda: Song.objects.values_list("plays")),
    (lambda: Song.objects.values("year"), lambda: Song.objects.values_list("year")),
    (lambda: Song.objects.values_list("year"), lambda: Song.objects.values_list("year", flat=True)),
    (lambda: Song.objects.values("year"), lambda: Song.objects.values("year").distinct()),
    (lambda: Song.objects.annotate(x=F("year") + 1), lambda: Song.objects.annotate(x=F("year") - 1)),
    (lambda: Song.objects.annotate(x=F("year") + 1), lambda: Song.objects.annotate(y=F("year") + 1)),
    (lambda: Song.objects.annotate(x=F("year") + 1), lambda: Song.objects.annotate(x=F("year") + 1.0)),
    (lambda: Song.objects.annotate(x=Value(1)), lambda: Song.objects.annotate(x=Value("1"))),
    (lambda: Song.objects.annotate(x=Value(1)), lambda: Song.objects.annotate(x=Value(True))),
    (lambda: Song.objects.annotate(x=Value(None)), lambda: Song.objects.annotate(x=Value(1))),
    (lambda: Song.objects.annotate(x=Count("band")), lambda: Song.objects.annotate(x=Count("band", distinct=True))),
    (lambda: Song.objects.annotate(x=fn.Lower("title")), lambda: Song.objects.annotate(x=fn.Upper("title"))),
    (lambda: Song.objects.annotate(x=fn.TruncYear("day")), lambda: Song.objects.annotate(x=fn.TruncMonth("day"))),
    (lambda: Song.objects.annotate(x=fn.MD5("title")), lambda: Song.objects.annotate(x=fn.SHA256("title"))),
    (
        lambda: Song.objects.annotate(x=fn.Collate("title", "C")),
        lambda: Song.objects.annotate(x=fn.Collate("title", "POSIX")),
    ),
    (
        lambda: Song.objects.annotate(x=fn.Cast("year", db.FloatField())),
        lambda: Song.objects.annotate(x=fn.Cast("year", db.TextField())),
    ),
    (
        lambda: Song.objects.annotate(x=fn.Cast("title", db.CharField(max_length=2))),
        lambda: Song.objects.annotate(x=fn.Cast("title", db.CharField(max_length=3))),
    ),
    (
        lambda: Song.objects.annotate(x=db.Window(fn.Rank(), order_by="year")),
        lambda: Song.objects.annotate(x=db.Window(fn.Rank(), order_by="-year")),
    ),
    (
        lambda: Song.objects.annotate(x=db.Window(db.Sum("plays"), order_by="pk", frame=db.RowRange(-1, 0))),
        lambda: Song.objects.annotate(x=db.Window(db.Sum("plays"), order_by="pk", frame=db.RowRange(-2, 0))),
    ),
    (
        lambda: Song.objects.annotate(x=db.Window(db.Sum("plays"), partition_by="year")),
        lambda: Song.objects.annotate(x=db.Window(db.Sum("plays"), order_by="year")),
    ),
    (lambda: Song.objects.filter(pk__in=[1]), lambda: Song.objects.filter(pk__in=[])),
    (lambda: Song.objects.filter(year=2**70), lambda: Song.objects.filter(year=1)),
    (lambda: Song.objects.filter(Exists(Band.objects.all())), lambda: Song.objects.filter(~Exists(Band.objects.all()))),
    (lambda: Song.objects.all()[:3], lambda: Song.objects.all()[1:3]),
    (lambda: Song.objects.all()[:3], lambda: Song.objects.all()[1:]),
    (lambda: Song.objects.only("title"), lambda: Song.objects.defer("title")),
    (lambda: Song.objects.select_related("band"), lambda: Song.objects.all()),
    (lambda: Song.objects.union(Song.objects.all()), lambda: Song.objects.union(Song.objects.all(), all=True)),
    (lambda: Song.objects.filter(band__name="x"), lambda: Song.objects.filter(band__songs__title="x")),
    (lambda: Song.objects.filter(title__contains="x"), lambda: Song.objects.filter(title__icontains="x")),
    (
        lambda: Song.objects.filter(Song._meta.table.c.year > 1),
        lambda: Song.objects.filter(Song._meta.table.c.year < 1),
    ),
]


@pytest.mark.parametrize(("one", "two"), PAIRS, ids=range(len(PAIRS)))
def test_what_differs_in_sql_differs_in_shape(database, one, two):
    from segue.db.shapes import Keyer

    first, second = one().query.shape(Keyer()), two().query.shape(Keyer())
    assert first != second
    assert one().query.shape(Keyer()) == first


def test_one_node_in_two_places_is_its_own_shape(database):
    shared = Value(3)
    twice = Song.objects.annotate(x=F("plays") + shared, y=F("plays") + shared)
    apart = Song.objects.annotate(x=F("plays") + Value(3), y=F("plays") + Value(4))
    for _ in range(2):
        row = twice.order_by("pk").first()
        assert row.x == row.y
        row = apart.order_by("pk").first()
        assert row.x + 1 == row.y


def test_a_frame_met_after_its_own_values_is_not_kept(database):
    shared = Value(1925)
    base = Song.objects.annotate(x=F("plays") + shared)
    assert base.filter(year=shared).order_by("pk").count() == sum(row.year == 1925 for row in Song.objects.all())
    found = base.filter(pk=Song.objects.order_by("pk").first().pk).get()
    assert found.x == found.plays + 1925


def test_a_core_expression_without_a_key_is_compiled_each_time(database):
    class Plus(sa.sql.elements.ColumnElement[int]):
        inherit_cache = False
        type = sa.Integer()

        def __init__(self, number: int) -> None:
            self.number = number

    from sqlalchemy.ext.compiler import compiles

    @compiles(Plus)
    def write(element: Plus, compiler: Any, **_: Any) -> str:
        return f"(1 + {element.number})"

    for number in (1, 2, 3):
        found = Song.objects.annotate(x=Plus(number)).filter(plays__gt=-100).order_by("pk").first()
        assert found.x == 1 + number
        assert Song.objects.annotate(x=Plus(number)).aggregate(n=db.Max("x")) == {"n": 1 + number}


def test_the_cache_is_bounded(database):
    kept, database.plans = database.plans, PlanCache(most=16)
    try:
        for size in range(60):
            list(Song.objects.annotate(**{f"x{size}": F("plays") + 1})[:1])
        assert len(database.plans) <= 16
        assert Song.objects.count() == 24
    finally:
        database.plans = kept


@pytest.mark.slow
def test_many_threads_share_one_cache(database):
    kept, database.plans = database.plans, PlanCache(most=8)
    expected = {year: Song.objects.filter(year=year).count() for year in range(1918, 1940)}
    wrong: list[Any] = []

    def ask(start: int) -> None:
        try:
            for at in range(40):
                year = 1918 + (start + at) % 22
                found = Song.objects.filter(year=year).annotate(**{f"x{at % 12}": F("plays") + at})
                rows = list(found)
                if len(rows) != expected[year] or any(getattr(row, f"x{at % 12}") != row.plays + at for row in rows):
                    wrong.append((year, rows))
        except Exception as error:
            wrong.append(error)

    try:
        threads = [threading.Thread(target=ask, args=(start,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        database.plans = kept
    assert wrong == []
    assert Song.objects.count() == 24
