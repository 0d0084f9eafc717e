"""JSON, typed or not, and arrays: what is written, read and looked up, on every database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict

import msgspec
import pytest
from databases import on_loop

from segue import db
from segue.errors import ValidationError

Tables = Callable[..., None]


class Price(msgspec.Struct):
    amount: Decimal
    currency: str = "EUR"


class Details(msgspec.Struct):
    label: str
    tracks: list[str] = []
    price: Price | None = None
    pressed: datetime | None = None


@dataclass
class Size:
    width: int
    height: int = 1


class Links(TypedDict, total=False):
    home: str


class Album(db.Model):
    details = db.JSONField(Details)
    size = db.JSONField(Size, null=True)
    links = db.JSONField(Links, null=True)
    sizes = db.JSONField(list[Size], null=True)

    class Meta:
        app_label = "docs"


class Note(db.Model):
    data = db.JSONField(null=True)
    tags = db.ArrayField(db.CharField(max_length=9), null=True)
    grid = db.ArrayField(db.ArrayField(db.IntegerField()), null=True)
    days = db.ArrayField(db.DateField(), null=True)

    class Meta:
        app_label = "docs"


@pytest.fixture(autouse=True)
def made(request: pytest.FixtureRequest) -> None:
    if "database" in request.fixturenames:
        request.getfixturevalue("tables")(Album, Note)


# Typed


def test_a_struct_is_written_and_read_as_one(database: db.Database) -> None:
    details = Details("Verve", ["So What"], Price(Decimal("9.90")), datetime(2024, 1, 2, tzinfo=UTC))
    Album.objects.create(details=details, size=Size(3), links={"home": "x"}, sizes=[Size(1, 2)])

    found = Album.objects.get()

    assert found.details == details
    assert type(found.details) is Details
    assert (found.size, found.links, found.sizes) == (Size(3), {"home": "x"}, [Size(1, 2)])
    assert list(Album.objects.values_list("details", flat=True)) == [details]


def test_plain_values_become_the_type(database: db.Database) -> None:
    album = Album(details={"label": "Verve"}, size={"width": 2})

    album.full_clean()

    assert (album.details, album.size) == (Details("Verve"), Size(2))
    Album.objects.create(details={"label": "x", "price": {"amount": "1.5"}})
    assert Album.objects.get().details.price == Price(Decimal("1.5"))


@pytest.mark.parametrize("value", [{}, {"label": 3}, {"label": "x", "tracks": [1]}, [], "text"])
def test_a_value_of_another_shape_is_refused(database: db.Database, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Album(details=value).clean_fields()
    assert [(fault.path[0], fault.code) for fault in caught.value.faults] == [("details", "invalid")]

    with pytest.raises(ValueError):
        Album.objects.create(details=value)
    assert Album.objects.count() == 0


def test_the_keys_of_a_struct_are_looked_up(database: db.Database) -> None:
    album = Album.objects.create(details=Details("Verve", ["a", "b"], Price(Decimal(5))))
    Album.objects.create(details=Details("Blue Note"))

    for lookup in (
        {"details__label": "Verve"},
        {"details__label__startswith": "V"},
        {"details__tracks__1": "b"},
        {"details__price__currency": "EUR"},
        {"details__contains": {"label": "Verve"}},
        {"details__price__isnull": False, "details__price__currency": "EUR"},
    ):
        assert Album.objects.filter(**lookup).get() == album


def test_a_whole_struct_is_looked_up(database: db.Database) -> None:
    album = Album.objects.create(details=Details("Verve"), size=Size(1, 2))

    assert Album.objects.get(details=Details("Verve")) == album
    assert Album.objects.get(size={"height": 2, "width": 1}) == album


def test_a_struct_that_was_changed_in_place_is_saved(database: db.Database) -> None:
    album = Album.objects.create(details=Details("Verve"))

    album.details.tracks.append("x")
    album.save()

    assert Album.objects.get().details.tracks == ["x"]


def test_async_code_reads_structs(database: db.Database) -> None:
    async def story() -> Any:
        await Album.objects.acreate(details=Details("Verve"))
        return (await Album.objects.aget(details__label="Verve")).details

    assert on_loop(story()) == Details("Verve")


# Plain JSON

DOCUMENTS: list[Any] = [
    {"a": {"b": 1}, "name": "Nina", "tags": ["x", "y"], "n": 5},
    {"a": {"b": 2}, "name": "nina", "n": 7.5, "none": None},
    {"a": {"c": True}, "name": "Max%_", "n": "5"},
    [1, 2, {"k": "v"}],
    "text",
    5,
    None,
]


@pytest.fixture
def notes(database: db.Database, made: None) -> list[Note]:
    return [Note.objects.create(data=document) for document in DOCUMENTS]


def found_by(*conditions: Any, **lookups: Any) -> list[int]:
    """Return the positions of the documents that are found."""
    first = Note.objects.order_by("pk").values_list("pk", flat=True)[0]
    return [
        pk - first for pk in Note.objects.filter(*conditions, **lookups).order_by("pk").values_list("pk", flat=True)
    ]


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("lookups", "expected"),
    [
        ({"data__a__b": 1}, [0]),
        ({"data__a__b__gt": 1}, [1]),
        ({"data__a__b__lte": 2}, [0, 1]),
        ({"data__a__b__in": [1, 2, 3]}, [0, 1]),
        ({"data__a__c": True}, [2]),
        ({"data__a__c": 1}, []),
        ({"data__a": {"b": 1}}, [0]),
        ({"data__name": "Nina"}, [0]),
        ({"data__name__iexact": "NINA"}, [0, 1]),
        ({"data__name__startswith": "Ni"}, [0]),
        ({"data__name__icontains": "IN"}, [0, 1]),
        ({"data__name__contains": "Max%_"}, [2]),
        ({"data__name__contains": "%"}, []),
        ({"data__n__range": (4, 6)}, [0]),
        ({"data__name__range": ("N", "o")}, [0, 1]),
        ({"data__name__endswith": "%_"}, [2]),
        ({"data__name__regex": "^[Nn]ina$"}, [0, 1]),
        ({"data__name__gt": "Nina"}, [1]),
        ({"data__name__in": ["Nina", "nina"]}, [0, 1]),
        ({"data__n": 5}, [0]),
        ({"data__n": "5"}, [2]),
        ({"data__n__gte": 5}, [0, 1]),
        ({"data__n__lt": 7.6}, [0, 1]),
        ({"data__tags__0": "x"}, [0]),
        ({"data__2__k": "v"}, [3]),
        ({"data__0": 1}, [3]),
        ({"data__none": None}, [1]),
        ({"data__none__isnull": False}, [1]),
        ({"data__none__isnull": True}, [0, 2, 3, 4, 5, 6]),
        ({"data__isnull": True}, [6]),
        ({"data": None}, [6]),
        ({"data": "text"}, [4]),
        ({"data": 5}, [5]),
        ({"data": DOCUMENTS[3]}, [3]),
        ({"data": {"n": 5, "tags": ["x", "y"], "name": "Nina", "a": {"b": 1}}}, [0]),
        ({"data__in": ["text", 5]}, [4, 5]),
        ({"data__contains": {"name": "Nina"}}, [0]),
        ({"data__contains": {"tags": ["y"]}}, [0]),
        ({"data__contains": [2]}, [3]),
        ({"data__contained_by": [2, 1, {"k": "v"}, 9]}, [3]),
        ({"data__has_key": "a"}, [0, 1, 2]),
        ({"data__has_keys": ["a", "tags"]}, [0]),
        ({"data__has_any_keys": ["tags", "none"]}, [0, 1]),
        ({"data__a__has_key": "c"}, [2]),
        ({"data__missing": 1}, []),
    ],
)
def test_documents_are_found(lookups: dict[str, Any], expected: list[int]) -> None:
    assert found_by(**lookups) == expected


@pytest.mark.usefixtures("notes")
def test_what_is_excluded_has_another_value_or_none() -> None:
    assert found_by(~db.Q(data__a__b=1)) == [1, 2, 3, 4, 5, 6]
    assert found_by(~db.Q(data__has_key="a")) == [3, 4, 5, 6]


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    "key", ["a'b", 'a"b', "a$b", "a.b", "a[0]", "a]b", "%s", "a b", "ä", "\\", "{}", "a--b", "a`b", "?", ":x", "0x"]
)
def test_any_key_is_a_key_and_nothing_more(key: str) -> None:
    note = Note.objects.create(data={key: {"in": 3}})

    assert Note.objects.get(**{f"data__{key}__in": [{"in": 3}]}) == note
    assert Note.objects.filter(data__has_key=key).get() == note
    assert Note.objects.filter(data__contains={key: {"in": 3}}).get() == note
    assert list(Note.objects.filter(pk=note.pk).values_list(f"data__{key}", flat=True)) == [{"in": 3}]


def test_a_key_that_mariadb_cannot_find_is_refused_there(database: db.Database) -> None:
    note = Note.objects.create(data={"-a": 1})
    ways: list[dict[str, Any]] = [{"data__-a": 1}, {"data__has_key": "-a"}]

    if database.vendor != "mysql":
        assert [Note.objects.get(**way) for way in ways] == [note, note]
        return
    for way in ways:
        with pytest.raises(db.NotSupportedError):
            Note.objects.filter(**way).exists()


@pytest.mark.usefixtures("notes")
def test_a_value_inside_is_selected_ordered_and_grouped_by() -> None:
    assert list(Note.objects.filter(data__n__gte=5).order_by("-data__n").values_list("data__n", flat=True)) == [7.5, 5]
    assert list(Note.objects.order_by("pk").values_list("data__a__b", flat=True))[:3] == [1, 2, None]
    counted = Note.objects.filter(data__has_key="a").values("data__a__b").annotate(rows=db.Count("pk"))
    assert sorted((str(row["data__a__b"]), row["rows"]) for row in counted) == [("1", 1), ("2", 1), ("None", 1)]


@pytest.mark.usefixtures("notes")
def test_two_places_are_compared() -> None:
    note = Note.objects.create(data={"a": {"b": 3}, "n": 3})

    assert Note.objects.filter(data__n=db.F("data__a__b")).get() == note


def test_nulls_of_sql_and_of_json(database: db.Database) -> None:
    Note.objects.create(data=None)
    inner = Note.objects.create(data=[None])

    assert Note.objects.filter(data__isnull=True).count() == 1
    assert Note.objects.get(data=[None]) == inner


# Arrays


@pytest.fixture
def lists(database: db.Database, made: None) -> list[Note]:
    from datetime import date

    return [
        Note.objects.create(tags=["a", "b"], grid=[[1, 2], [3, 4]], days=[date(2024, 1, 2)]),
        Note.objects.create(tags=["b", "a"]),
        Note.objects.create(tags=[]),
        Note.objects.create(tags=["c", "c", "it's"]),
        Note.objects.create(),
    ]


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize(
    ("lookups", "expected"),
    [
        ({"tags": ["a", "b"]}, [0]),
        ({"tags": []}, [2]),
        ({"tags": ["c", "it's"]}, []),
        ({"tags__in": [["b", "a"], []]}, [1, 2]),
        ({"tags__contains": ["a"]}, [0, 1]),
        ({"tags__contains": ["it's", "c"]}, [3]),
        ({"tags__contained_by": ["a", "b", "z"]}, [0, 1, 2]),
        ({"tags__overlap": ["a", "c"]}, [0, 1, 3]),
        ({"tags__overlap": ["z"]}, []),
        ({"tags__len": 2}, [0, 1]),
        ({"tags__len": 0}, [2]),
        ({"tags__len__gt": 1}, [0, 1, 3]),
        ({"tags__0": "a"}, [0]),
        ({"tags__1__in": ["a", "b"]}, [0, 1]),
        ({"tags__2__startswith": "it"}, [3]),
        ({"tags__isnull": True}, [4]),
        ({"days__0": "2024-01-02"}, [0]),
        ({"days__0__lt": "2024-01-03"}, [0]),
        ({"days__contains": ["2024-01-02"]}, [0]),
        ({"grid": [[1, 2], [3, 4]]}, [0]),
        ({"grid__1__0": 3}, [0]),
        ({"grid__contains": [[3, 4]]}, [0]),
    ],
)
def test_arrays_are_found(lookups: dict[str, Any], expected: list[int]) -> None:
    assert found_by(**lookups) == expected


@pytest.mark.usefixtures("lists")
def test_items_and_lengths_are_selected() -> None:
    rows = Note.objects.order_by("pk").filter(tags__isnull=False)

    assert list(rows.values_list("tags__0", flat=True)) == ["a", "b", None, "c"]
    assert list(rows.values_list("tags__len", flat=True)) == [2, 2, 0, 3]
    assert list(rows.filter(tags__contains=["a"]).order_by("-tags__0").values_list("tags__0", flat=True)) == ["b", "a"]


@pytest.mark.parametrize(
    "lookups",
    [
        {"data__a\x00b": 1},
        {"data__has_key": "a\x00"},
        {"data__has_keys": []},
        {"data__has_key": {"a": 1}},
        {"data__gt": {"a": 1}},
        {"tags": "ab"},
        {"tags__contains": "a"},
        {"tags__len": "two"},
        {"tags__first": 2},
        {"tags__in": "ab"},
        {"data__in": 5},
    ],
)
def test_what_cannot_be_looked_up_is_refused_before_any_statement(
    database: db.Database, lookups: dict[str, Any]
) -> None:
    seen: list[Any] = []
    database.observers.append(lambda *told: seen.append(told))

    with pytest.raises((ValueError, db.FieldError)):
        list(Note.objects.filter(**lookups))

    assert seen == []


def test_a_new_key_does_not_fill_the_caches(database: db.Database) -> None:
    options = Note._meta
    list(Note.objects.filter(data__start=1))
    before = len(options.lookups), len(options._reached), len(database.plans)

    for number in range(50):
        list(Note.objects.filter(**{f"data__k{number}__deep__er": 1}))

    assert len(options.lookups) == before[0]
    assert len(options._reached) - before[1] <= 1
    assert len(database.plans) - before[2] <= 55


def test_a_queryset_is_no_list_of_json_values() -> None:
    with pytest.raises(ValueError, match="data/lookup-value") as caught:
        Album.objects.filter(links__in=Album.objects.values("links"))

    assert "list(queryset)" in str(caught.value)
