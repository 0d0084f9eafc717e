"""Names and values that cannot be: refused before any SQL."""

from __future__ import annotations

from typing import Any

import pytest
from paper_models import PAPERS, Owner, Paper, fill_papers

from segue import db
from segue.db import Count, F, OuterRef, Q, Subquery, Sum, Value
from segue.db import functions as fn
from segue.db.schema import create_all

MODELS = PAPERS
fill = fill_papers


@pytest.fixture(scope="module")
def tables():
    """A database in memory: nothing is sent, so one tells as much as three."""
    database = db.connect("sqlite://:memory:")
    with database.connection() as connection:
        create_all(connection, MODELS)
        connection.commit()
    fill()
    yield database
    db.disconnect()


NAMES = [
    "title; DROP TABLE paper",
    "title--",
    "title/*x*/",
    "title\n",
    " title",
    "title ",
    "'title'",
    '"title"',
    "`title`",
    "paper.title",
    "title DESC",
    "title,pages",
    "(SELECT 1)",
    "length(title)",
    "1",
    "0x1",
    "titlé",
    "title\x00",
    "title%s",
    "title:x",
    "$title",
    "",
    "-",
    "--title",
    "+-title",
    "?title",
    "??",
    "*",
    "title__",
    "__title",
    "owner__",
    "owner____name",
    "_meta",
    "objects",
    "__class__",
    "pk; --",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "use",
    [
        lambda name: Paper.objects.order_by(name),
        lambda name: Paper.objects.order_by("pages", name),
        lambda name: Paper.objects.distinct(name),
        lambda name: Paper.objects.values(name),
        lambda name: Paper.objects.values_list(name, flat=True),
        lambda name: Paper.objects.only(name),
        lambda name: Paper.objects.defer(name),
        lambda name: Paper.objects.select_related(name),
        lambda name: Paper.objects.filter(**{name: 1}),
        lambda name: Paper.objects.exclude(**{name: 1}),
        lambda name: Paper.objects.filter(Q(**{name: 1})),
        lambda name: Paper.objects.filter(pages=F(name)),
        lambda name: Paper.objects.annotate(x=F(name)),
        lambda name: Paper.objects.annotate(x=Count(name)) if name != "*" else Paper.objects.annotate(x=Sum(name)),
        lambda name: Paper.objects.annotate(x=fn.Lower(name)),
        lambda name: Paper.objects.aggregate(x=Sum(name)),
        lambda name: Paper.objects.values("pages").annotate(x=Sum(name)),
        lambda name: Paper.objects.dates(name, "year"),
        lambda name: Paper.objects.latest(name),
        lambda name: Paper.objects.in_bulk([1], field_name=name),
        lambda name: Paper.objects.order_by(F(name).desc()),
        lambda name: Paper.objects.annotate(x=db.Window(Sum("pages"), partition_by=name)),
        lambda name: Paper.objects.annotate(x=db.StringAgg("title", ",", order_by=name)),
        lambda name: Paper.objects.filter(owner__in=Owner.objects.values(name)),
        lambda name: Paper.objects.union(Paper.objects.all()).order_by(name).count(),
        lambda name: list(Paper.objects.annotate(x=Subquery(Owner.objects.filter(pk=OuterRef(name)).values("pk")))),
    ],
    ids=[
        "order_by", "order_by_2", "distinct", "values", "values_list", "only", "defer", "select_related", "filter",
        "exclude", "q", "f", "annotate", "count", "function", "sum", "group", "dates", "latest", "in_bulk", "desc",
        "window", "join_order", "subquery", "union_order", "outer",
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_refused_before_any_sql(database, sent, use, name):
    with pytest.raises((db.FieldError, ValueError)):
        use(name)
    assert len(sent) == 0


ALIASES = [
    "a b", "a;b", "a--b", "a/*b*/", 'a"b', "a'b", "a`b", "a.b", "a%b", "a%sb", "a(b", "a)b", "a:b", "a$b", "a\nb", "a\tb", "a\x00b",
    "1a", "", "é", "a" * 64, "a__b", "a-b", "a,b", "a=b", "\u202ea", "a\u200b", "a\\b",
]  # fmt: skip


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize(
    "use",
    [
        lambda name: Paper.objects.annotate(**{name: Value(1)}),
        lambda name: Paper.objects.alias(**{name: Value(1)}),
        lambda name: Paper.objects.aggregate(**{name: Count("*")}),
        lambda name: Paper.objects.values(**{name: F("title")}),
        lambda name: Paper.objects.values_list(**{name: F("title")}),
        lambda name: db.CTE(name, Paper.objects.values("pk")),
        lambda name: Paper.objects.prefetch_related(db.Prefetch("owner", to_attr=name)),
    ],
    ids=["annotate", "alias", "aggregate", "values", "values_list", "cte", "prefetch"],
)
def test_an_alias_is_a_plain_name(database, sent, use, alias, request):
    if "prefetch" in request.node.callspec.id and alias.isidentifier():
        return  # an attribute of Python, and no part of any SQL
    with pytest.raises(ValueError):
        use(alias)
    assert len(sent) == 0


@pytest.mark.parametrize(
    "name",
    [
        "_connector",
        "_negated",
        "_hints",
        "self",
        "__class__",
        "args",
        "kwargs",
        "model",
        "query",
        "_meta",
        "connector",
        "negated",
    ],
)
def test_internal_names_are_no_lookups(database, sent, name):
    for use in (
        lambda given: Paper.objects.filter(**given),
        lambda given: Paper.objects.exclude(**given),
        lambda given: Paper.objects.get(**given),
        lambda given: Paper.objects.filter(Q(**given)),
        lambda given: Paper.objects.get_or_create(**given),
    ):
        with pytest.raises((TypeError, db.FieldError, ValueError)):
            use({name: "OR 1=1"})
    assert len(sent) == 0


@pytest.mark.parametrize("bad", ["OR 1=1", "or", "AND; --"])
def test_a_connector_is_no_option(database, sent, bad):
    with pytest.raises((TypeError, db.FieldError)):
        Paper.objects.filter(Q(pages=1, _connector=bad))
    assert len(sent) == 0


def test_a_key_with_a_null_character_is_refused(database, sent):
    for use in (
        lambda: Paper.objects.filter(**{"data__a\x00b": 1}),
        lambda: Paper.objects.filter(data__has_key="a\x00"),
        lambda: Paper.objects.values("data__a\x00b"),
        lambda: Paper.objects.filter(title="a\x00b"),
        lambda: Paper.objects.filter(title__contains="\x00"),
        lambda: Paper.objects.filter(title__in=["a", "\x00"]),
    ):
        with pytest.raises((ValueError, db.FieldError)):
            use()
    assert len(sent) == 0


@pytest.mark.parametrize(
    "key",
    [True, False, [1], (1,), {"a": 1}, {1}, b"1", 1.5, float("inf"), float("nan"), object(), Paper],
    ids=lambda key: (
        key.__name__
        if isinstance(key, type)
        else f"{type(key).__name__}-{key}"
        if type(key) is not object
        else "object"
    ),
)
def test_a_key_of_another_type_is_a_value_error(database, sent, key):
    for lookup in ("pk", "pk__in", "pk__gt", "owner", "owner__pk"):
        with pytest.raises(ValueError):
            Paper.objects.filter(**{lookup: [key] if lookup == "pk__in" else key})
    assert len(sent) == 0


TYPED = [
    ("pages", "x"), ("pages", "1.5"), ("pages", [1]), ("pages", {}), ("pages", b"1"), ("pages", 1.5), ("pages", True), ("pages__gt", None),
    ("pages__lt", "abc"), ("pages__range", (1,)), ("pages__range", 5), ("pages__range", (None, 2)), ("pages__range", "12"), ("pages__in", 5),
    ("pages__in", "123"), ("pages__in", [[1]]), ("pages__in", ["x"]), ("pages__isnull", "yes"), ("pages__isnull", 3), ("pages__isnull", None),
    ("title", [1]), ("title", {}), ("title", b"x"), ("title__contains", None), ("title__contains", [1]), ("title__contains", {}),
    ("title__startswith", None), ("title__regex", 5), ("title__regex", "x" * 5000), ("title__in", "abc"), ("title__gt", None),
    ("weight", "x"), ("weight", float("nan")), ("weight", float("inf")), ("weight__gt", "1e999"), ("price", "x"), ("price", "NaN"),
    ("price", "Infinity"), ("price", "1_0"), ("open", "maybe"), ("open", 2), ("open", [True]), ("at", "x"),
    ("at", 5), ("at", "2024-13-45"), ("at__gt", "now"), ("day", "x"), ("day", "2024-02-30"), ("day", 5), ("day__year", "x"),
    ("day__year", [2024]), ("day__month__gt", None), ("at__hour", {}), ("owner", "x"), ("owner__name", [1]), ("owner__age", "x"),
    ("data__has_key", None), ("data__has_key", 1.5), ("data__has_keys", []), ("data__a__gt", None), ("data__a__in", 5),
]  # fmt: skip


@pytest.mark.parametrize(("lookup", "value"), TYPED, ids=[f"{name}-{value!r}"[:40] for name, value in TYPED])
def test_a_value_of_a_wrong_type_is_a_value_error_before_any_sql(database, sent, lookup, value):
    with pytest.raises(ValueError) as caught:
        Paper.objects.filter(**{lookup: value})
    assert not isinstance(caught.value, UnicodeError)
    assert len(sent) == 0


@pytest.mark.parametrize("option", [{"format": "xml"}, {"format": "json; DROP"}, {"format": "text) SELECT 1 --"}])
def test_options_of_explain_are_known_words(database, sent, option: Any):
    with pytest.raises(ValueError):
        Paper.objects.all().explain(**option)
    with pytest.raises(TypeError):
        Paper.objects.all().explain(**{"verbose; drop": True})
    assert len(sent) == 0


@pytest.mark.parametrize("name", ['x"; drop', "a b", "x;", "x'", "1x", "", "x" * 64, "x.y.z;", "x--", "ö"])
def test_names_of_functions_and_collations_are_checked(database, name):
    with pytest.raises(ValueError):
        fn.Collate("title", name)
    if name:
        with pytest.raises(ValueError):
            db.Func("title", function=name)
