"""Values from outside: bound on every database, and compared as what they are."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from paper_models import PAPERS, Paper, fill_papers

from segue.db import DataError, F, Q, Sum, Value
from segue.db.errors import QueryError
from segue.errors import SegueError

MODELS = PAPERS
fill = fill_papers


@pytest.mark.parametrize(
    "key", ["a'b", 'q"q', "100%", "0", "x]", "$", "$.a", "[*]", "a`b", "');--", "%s", ":x", "a b", "ключ"]
)
def test_keys_of_json_are_parameters(database, key):
    found = Paper.objects.filter(**{f"data__{key}": 1})
    expected = {"a'b": [0, 1, 2, 3, 4], 'q"q': [1] * 5, "100%": [2] * 5, "0": [3] * 5}.get(key)
    assert found.count() == (expected or []).count(1)
    values = list(Paper.objects.order_by("pk").values_list(f"data__{key}", flat=True))
    assert values == (expected or [None] * 5)
    rows = list(Paper.objects.order_by("pk").values(f"data__{key}"))
    assert rows[0] == {f"data__{key}": (expected or [None])[0]}
    assert Paper.objects.filter(data__has_key=key).count() == (5 if expected else 0)
    if "'" in key or '"' in key or key.startswith("ключ"):
        assert key not in found.sql()


KEYS = [2**63, -(2**63) - 1, 2**64, 10**400, "1e3", "１２", " 1 ", "1_0", "0x1", "", "1.0", "nan", "1; --", "1" * 5000]


@pytest.mark.parametrize("key", KEYS, ids=[str(each)[:12] for each in KEYS])
def test_a_key_that_no_row_has_is_not_found_or_a_value_error(database, key):
    with pytest.raises((Paper.DoesNotExist, ValueError)):
        Paper.objects.get(pk=key)
    with pytest.raises((Paper.DoesNotExist, ValueError)):
        asyncio.run(Paper.objects.aget(pk=key))
    try:
        found = Paper.objects.filter(pk__in=[key]).count()
        assert not Paper.objects.filter(owner=key).exists()
        assert not Paper.objects.filter(owner__pk=key).exists()
    except ValueError:
        found = 0
    assert found == 0


@pytest.mark.parametrize("bound", [2**63, -(2**63) - 1, 10**30, 2**31, -(2**31) - 1])
def test_comparisons_beyond_a_column_are_answered(database, bound):
    below = Paper.objects.filter(pages__lt=bound).count()
    assert below == (5 if bound > 0 else 0)
    assert Paper.objects.filter(pages__gte=bound).count() == 5 - below
    assert Paper.objects.filter(pages__range=(-bound if bound > 0 else bound, 3)).count() == 4
    assert Paper.objects.filter(pages__in=[bound, 1]).count() == 1
    assert Paper.objects.exclude(pages=bound).count() == 5
    assert Paper.objects.filter(Q(pages=bound) | Q(pages=2)).count() == 1


def test_texts_compare_with_numbers_as_texts_or_not_at_all(database):
    try:
        assert Paper.objects.filter(title=5).count() == 0
    except ValueError:
        pass
    assert Paper.objects.filter(title="5").count() == 0


def test_null_is_asked_for_by_name_alone(database):
    assert Paper.objects.filter(at=None).count() == 5
    assert Paper.objects.filter(at__isnull=True).count() == 5
    assert Paper.objects.filter(title__in=[None]).count() == 0
    assert Paper.objects.exclude(at=None).count() == 0


@pytest.mark.parametrize(
    "lookup", ["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "iexact"]
)
@pytest.mark.parametrize("text", ["%", "_", "\\", "%%", "50%", "[a-z]", "*", "?", "'", "';--", ":x", "%s", "{}"])
def test_patterns_mean_themselves(database, lookup, text):
    titles = ["50% off", "a_b", "back\\slash", "plain", "PLAIN"]
    test = {
        "contains": lambda title: text in title,
        "startswith": lambda title: title.startswith(text),
        "endswith": lambda title: title.endswith(text),
        "icontains": lambda title: text.lower() in title.lower(),
        "istartswith": lambda title: title.lower().startswith(text.lower()),
        "iendswith": lambda title: title.lower().endswith(text.lower()),
        "iexact": lambda title: title.lower() == text.lower(),
    }[lookup]
    found = Paper.objects.filter(**{f"title__{lookup}": text}).order_by("pk").values_list("title", flat=True)
    assert list(found) == [title for title in titles if test(title)]


@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE paper; --", "\\'; --", '"', "%s", "%(x)s", ":name", "$1", "?", "{0}", "\u2028", "😀", "\ud800"],
)
def test_values_are_never_sql(database, text):
    for name in ("title", "title__gt", "title__icontains", "title__in", "owner__name", "data__x"):
        value = [text] if name.endswith("__in") else text
        try:
            found = Paper.objects.filter(**{name: value})
            assert text == "?" or text == '"' or text not in found.sql() or text in ("%s", "$1")
            found.count()
        except ValueError:
            assert text == "\ud800"
    assert Paper.objects.count() == 5


@pytest.mark.slow
@pytest.mark.parametrize("size", [511, 512, 513, 5000, 100_000])
def test_lists_of_any_length_are_asked_in_one_query(database, sent, size):
    keys = [*range(10**6, 10**6 + size - 2), *Paper.objects.order_by("pk").values_list("pk", flat=True)[:2]]
    before = len(sent)
    assert Paper.objects.filter(pk__in=keys).count() == 2
    assert Paper.objects.exclude(pk__in=keys).count() == 3
    assert Paper.objects.filter(title__in=[str(key) for key in keys] + ["plain", "it's"]).count() == 1
    assert len(sent) - before == 3


@pytest.mark.slow
def test_long_lists_of_other_types(database):
    assert Paper.objects.filter(price__in=[Decimal(at) / 100 for at in range(1000)]).count() == 5
    assert Paper.objects.filter(weight__in=[at / 4 for at in range(1000)]).count() == 5
    assert Paper.objects.filter(open__in=[True] * 600).count() == 5
    assert Paper.objects.filter(owner__name__in=["x", "O'Brien", "%", "\\"] * 200).count() == 5


@pytest.mark.slow
def test_many_rows_are_inserted_in_chunks_of_one_transaction(undone, sent):
    made = Paper.objects.bulk_create([Paper(title=f"t{at}", pages=at) for at in range(20_000)])
    assert len({paper.pk for paper in made}) == 20_000
    assert len(sent) < 200
    assert Paper.objects.count() == 20_005


@pytest.mark.parametrize("high", [2**63 - 1, 10**12])
def test_a_huge_page_is_empty(database, high):
    assert list(Paper.objects.order_by("pk")[high - 10 : high]) == []
    assert Paper.objects.order_by("pk")[:high].count() == 5


ODD_NUMBERS = [Decimal("Infinity"), Decimal("sNaN"), Decimal("NaN"), Decimal("1e999999"), float("inf"), float("nan")]


@pytest.mark.parametrize("number", ODD_NUMBERS, ids=str)
@pytest.mark.parametrize("lookup", ["pages", "pages__in", "pages__gt", "pk", "data__a__gt", "data__a__range"])
def test_a_number_that_is_none_is_a_value_error(database, lookup, number):
    value = [number, number] if lookup.endswith(("__in", "__range")) else number

    with pytest.raises(QueryError) as caught:
        Paper.objects.filter(**{lookup: value})

    assert caught.value.code == "data/lookup-value"


@pytest.mark.parametrize(
    ("lookup", "value"),
    [
        ("data__a__gt", 10**400), ("data__a__lt", b"\xff"), ("data__a__gte", object()), ("data__has_keys", 5),
        ("data__has_keys", "ab"), ("data__has_any_keys", None), ("data__contains", F("pages")), ("pages__range", F("pk")),
        ("pages__in", F("pk")), ("at__isnull", Decimal("sNaN")),
    ],
)  # fmt: skip
def test_what_a_lookup_cannot_take_is_named(database, lookup, value):
    with pytest.raises(QueryError) as caught:
        Paper.objects.filter(**{lookup: value}).count()

    assert caught.value.code == "data/lookup-value"


@pytest.mark.parametrize("depth", [500, 3000, 10_000])
def test_a_condition_that_nests_too_deeply_says_so(database, depth):
    condition = Q(pages=1)
    for number in range(depth):
        condition = (condition | Q(pages=number)) & Q(title="x")

    with pytest.raises(QueryError, match="nested too deeply"):
        Paper.objects.filter(condition).count()
    with pytest.raises(QueryError, match="nested too deeply"):
        list(Paper.objects.filter(condition))


@pytest.mark.parametrize("depth", [500, 3000])
def test_an_expression_that_nests_too_deeply_says_so(database, depth):
    total = F("pages")
    for _ in range(depth):
        total = total + 1

    with pytest.raises(QueryError, match="nested too deeply"):
        Paper.objects.update(pages=total)
    with pytest.raises(QueryError, match="nested too deeply"):
        Paper.objects.aggregate(total=Sum(total))
    with pytest.raises(QueryError, match="nested too deeply"):
        list(Paper.objects.order_by(total))


def test_ten_thousand_denials_are_one_or_none(database):
    condition = Q(pages=1)
    for _ in range(10_000):
        condition = ~condition

    assert Paper.objects.filter(condition).count() == 1


@pytest.mark.parametrize("size", [0, -1, "5", 2.5, True, Decimal("NaN")])
def test_a_size_of_batches_that_is_none_is_named(undone, size):
    with pytest.raises(QueryError, match="batch_size="):
        Paper.objects.bulk_create([], batch_size=size)
    with pytest.raises(QueryError, match="batch_size="):
        Paper.objects.bulk_update([], ["title"], batch_size=size)


@pytest.mark.parametrize("size", [0, 2**31, 10**30, "5"])
def test_a_size_of_chunks_that_is_none_is_named(database, size):
    with pytest.raises(QueryError, match="chunk_size="):
        list(Paper.objects.iterator(chunk_size=size))


def test_an_expression_is_no_value_of_a_new_row_among_many(undone):
    with pytest.raises(QueryError) as caught:
        Paper.objects.bulk_create([Paper(title="new", pages=F("pk"))])

    assert caught.value.code == "data/insert-expression"


@pytest.mark.parametrize(
    "moment",
    [datetime.min, datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), datetime.max.replace(tzinfo=UTC)],
    ids=["naive", "first", "last"],
)
def test_a_moment_at_the_end_of_time_is_given_back_or_refused(database, moment):
    try:
        found = Paper.objects.annotate(moment=Value(moment)).values_list("moment", flat=True)[0]
    except DataError:
        found = moment
    assert found.replace(tzinfo=None) == moment.replace(tzinfo=None)


@pytest.mark.parametrize("value", [date(2026, 1, 2), time(1, 2, 3, 4), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)])
def test_a_moment_that_was_sent_comes_back_as_one(database, value):
    assert Paper.objects.annotate(sent=Value(value)).values_list("sent", flat=True)[0] == value


@pytest.mark.parametrize("value", [{}, {"a": 1}])
def test_a_parameter_of_no_type_of_the_database_is_an_error_of_segue(database, value):
    with pytest.raises(SegueError) as caught:
        database.execute("SELECT count(*) FROM paper WHERE title = :title", {"title": value})

    assert caught.value.code in ("data/value", "data/programming")


def test_more_parameters_than_the_database_takes_are_an_error_of_the_value(tables):
    many = {f"v{number}": number for number in range(70_000)}
    sql = f"SELECT count(*) FROM paper WHERE pages IN ({', '.join(f':{name}' for name in many)})"

    try:
        found = tables.execute(sql, many).scalar()
    except DataError as error:
        found = 5 if "65,535" in str(error) else -1
    assert found == 5


def test_an_unknown_parameter_is_named_in_characters_that_can_be_written(database):
    with pytest.raises(QueryError) as caught:
        database.execute("SELECT 1", {"\ud800": 1})

    assert str(caught.value).encode()
