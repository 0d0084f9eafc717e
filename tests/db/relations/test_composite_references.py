"""A foreign key to a key of several columns works wherever one to a key of one does."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from segue import db
from segue.db.errors import FieldError, QueryError
from segue.errors import ValidationError

Counting = Callable[[], AbstractContextManager[list[str]]]


class Label(db.Model):
    """Where a later model's key is of a reference, and of this."""

    name = db.CharField(max_length=20)


class Musician(db.Model):
    band = db.CharField(max_length=20)
    number = db.IntegerField()
    name = db.CharField(max_length=20, default="")
    teacher = db.ForeignKey("self", on_delete=db.SET_NULL, null=True, related_name="pupils")
    pk = db.CompositePrimaryKey("band", "number")


class Record(db.Model):
    title = db.CharField(max_length=20)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
    guest = db.ForeignKey(Musician, on_delete=db.SET_NULL, null=True, related_name="visits")
    label = db.ForeignKey(Label, on_delete=db.CASCADE, null=True)
    fans = db.ManyToManyField(Musician, related_name="favourites")

    class Meta:
        ordering = ["id"]


class Portrait(db.Model):
    of = db.OneToOneField(Musician, on_delete=db.PROTECT, related_name="portrait")
    colour = db.CharField(max_length=9, default="red")


class Place(db.Model):
    """Its key is a reference, and more."""

    record = db.ForeignKey(Record, on_delete=db.CASCADE)
    musician = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="places")
    at = db.IntegerField()
    pk = db.CompositePrimaryKey("musician", "at")


class Note(db.Model):
    place = db.ForeignKey(Place, on_delete=db.RESTRICT, related_name="notes")
    text = db.CharField(max_length=20)


class Stamp(db.Model):
    """Its key is of kinds that databases keep in different ways."""

    text = db.CharField(max_length=9)
    key = db.UUIDField()
    day = db.DateField()
    price = db.DecimalField(max_digits=8, decimal_places=2)
    moment = db.DateTimeField()
    pk = db.CompositePrimaryKey("text", "key", "day", "price", "moment")


class Letter(db.Model):
    stamp = db.ForeignKey(Stamp, on_delete=db.CASCADE, related_name="letters")


MODELS = [Label, Musician, Record, Portrait, Place, Note, Stamp, Letter]


@pytest.fixture
def records(tables: db.Database) -> list[Record]:
    """Three records of three leaders of two bands; the second has a guest."""
    miles, john, _ = Musician.objects.bulk_create(
        [
            Musician(band="quintet", number=1, name="Miles"),
            Musician(band="quintet", number=2, name="John"),
            Musician(band="trio", number=1, name="Bill"),
        ]
    )
    made = [Record(title="one", leader=miles), Record(title="two", leader=john, guest=miles)]
    for each in [*made, Record(title="three", leader_id=("trio", 1))]:
        each.save()
    return list(Record.objects.all())


def titles(rows: Any) -> list[str]:
    return [each.title for each in rows]


async def every(both: Any, queryset: Any) -> list[Any]:
    """All rows of a queryset, in the colour of the test."""
    return await queryset if both.is_async else list(queryset)


# The columns


def test_each_part_of_the_key_is_a_column_here(records: list[Record]) -> None:
    names = [field.name for field in Record._meta.fields]

    assert names == ["id", "title", "leader_band", "leader_number", "guest_band", "guest_number", "label"]
    assert Record.table.c.leader_band.type.length == 20  # type: ignore[attr-defined]
    assert records[0].leader_band == "quintet"  # type: ignore[attr-defined]


def test_the_key_is_read_and_set_as_a_tuple(records: list[Record]) -> None:
    record = records[0]
    assert record.leader_id == ("quintet", 1)  # type: ignore[attr-defined]
    assert record.guest_id is None  # type: ignore[attr-defined]

    record.leader_id = ("trio", 1)  # type: ignore[attr-defined]

    assert (record.leader_band, record.leader_number) == ("trio", 1)  # type: ignore[attr-defined]
    assert record.leader.name == "Bill"


def test_setting_the_instance_sets_every_part(records: list[Record]) -> None:
    bill = Musician.objects.get(name="Bill")
    record = records[0]

    record.leader = bill
    record.guest = bill
    record.save()

    assert Record.objects.get(pk=record.pk).guest_id == ("trio", 1)  # type: ignore[attr-defined]
    assert record.leader is bill


def test_setting_a_part_refers_to_another_row(records: list[Record]) -> None:
    record = records[0]
    assert record.leader.name == "Miles"

    record.leader_number = 2  # type: ignore[attr-defined]

    assert record.leader.name == "John"
    record.save()
    assert Record.objects.get(title="one").leader.name == "John"


def test_nothing_is_referred_to_where_every_part_is_null(records: list[Record]) -> None:
    record = records[1]

    record.guest = None
    record.save()

    assert Record.objects.get(title="two").guest is None
    assert Record.objects.filter(guest_band=None, guest_number=None).count() == 3


@pytest.mark.parametrize("values", [{"guest_band": "trio"}, {"guest_number": 1, "guest_band": None}])
def test_half_a_reference_is_refused(records: list[Record], values: dict[str, Any]) -> None:
    record = Record(title="half", leader=records[0].leader, **values)

    with pytest.raises(QueryError) as caught:
        record.save()

    assert caught.value.code == "data/relation-value"
    assert "half a reference" in str(caught.value)


def test_the_database_refuses_half_a_reference_too(records: list[Record]) -> None:
    with pytest.raises(db.IntegrityError) as caught:
        Record.objects.update(guest_band="trio", guest_number=None)

    assert caught.value.kind == "check"


@pytest.mark.parametrize("value", ["trio", ("trio",), ("trio", 1, 2), {"a": 1}])
def test_a_key_of_another_shape_is_refused(records: list[Record], value: Any) -> None:
    with pytest.raises(QueryError):
        records[0].leader_id = value  # type: ignore[attr-defined]
    with pytest.raises(ValueError):
        Record.objects.filter(leader=value).exists()


def test_the_database_enforces_the_reference(records: list[Record], tables: db.Database) -> None:
    with pytest.raises(db.IntegrityError), tables.atomic():
        Record.objects.create(title="lost", leader_id=("quintet", 9))


def test_an_instance_that_is_saved_later_gives_its_key_then(records: list[Record]) -> None:
    leader = Musician(name="Max")
    record = Record(title="four", leader=leader)
    with pytest.raises(QueryError) as caught:
        record.save()
    assert caught.value.code == "data/unsaved"

    leader.band, leader.number = "quartet", 4
    leader.save()
    record.save()

    assert Record.objects.get(title="four").leader == leader


def test_instances_are_pickled_and_copied_with_their_key(records: list[Record]) -> None:
    again = pickle.loads(pickle.dumps(records[1]))

    assert again.guest_id == copy.deepcopy(records[1]).guest_id == ("quintet", 1)  # type: ignore[attr-defined]
    assert again.guest.name == "Miles"


# Asking


async def test_rows_are_found_by_what_they_refer_to(records: list[Record], both: Any) -> None:
    miles = await both.call(Musician.objects.get, name="Miles")

    assert titles(await every(both, Record.objects.filter(leader=miles))) == ["one"]
    assert titles(await every(both, Record.objects.filter(leader=("trio", 1)))) == ["three"]
    assert titles(await every(both, Record.objects.filter(leader_id=("trio", 1)))) == ["three"]
    assert titles(await every(both, Record.objects.exclude(guest=miles))) == ["one", "three"]
    assert titles(await every(both, Record.objects.filter(leader__in=[miles, ("trio", 1)]))) == ["one", "three"]
    assert await both.call(Record.objects.filter(leader__in=[]).count) == 0


def test_rows_are_found_by_a_queryset(records: list[Record]) -> None:
    quintet = Musician.objects.filter(band="quintet")

    assert titles(Record.objects.filter(leader__in=quintet)) == ["one", "two"]
    assert titles(Record.objects.filter(leader__in=quintet.values("pk"))) == ["one", "two"]
    assert titles(Record.objects.exclude(leader__in=quintet)) == ["three"]
    assert set(Musician.objects.filter(pk__in=Record.objects.values("guest"))) == {Musician.objects.get(name="Miles")}
    assert titles(Record.objects.filter(leader=quintet.filter(number=2))) == ["two"]


def test_rows_that_refer_to_nothing_are_found(records: list[Record]) -> None:
    assert titles(Record.objects.filter(guest=None)) == ["one", "three"]
    assert titles(Record.objects.filter(guest__isnull=True)) == ["one", "three"]
    assert titles(Record.objects.filter(guest_id__isnull=False)) == ["two"]
    assert titles(Record.objects.exclude(guest=None)) == ["two"]
    assert set(Musician.objects.filter(records=None)) == set()
    assert {each.name for each in Musician.objects.filter(visits=None)} == {"John", "Bill"}


def test_many_keys_are_asked_for_at_once(records: list[Record]) -> None:
    keys = [("nobody", number) for number in range(1500)]

    assert titles(Record.objects.filter(leader__in=[*keys, ("trio", 1)])) == ["three"]
    assert Musician.objects.filter(pk__in=[*keys, ("trio", 1), ("quintet", 2)]).count() == 2
    assert Musician.objects.filter(pk__in=[("trio", 10**30)]).count() == 0
    assert Musician.objects.filter(pk=("trio", 10**30)).count() == 0


def test_what_is_behind_the_reference_is_joined(records: list[Record], counting: Counting) -> None:
    with counting() as seen:
        assert titles(Record.objects.filter(leader__name="Bill")) == ["three"]
        assert titles(Record.objects.filter(guest__name="Miles", leader__band="quintet")) == ["two"]
        assert titles(Record.objects.filter(leader__band="trio")) == ["three"]
        assert titles(Record.objects.filter(leader__number__gt=1)) == ["two"]

    assert [sql.count("JOIN") for sql in seen] == [1, 1, 0, 0]


def test_the_reference_is_one_value_in_a_row(records: list[Record]) -> None:
    assert list(Record.objects.values_list("guest", flat=True)) == [None, ("quintet", 1), None]
    assert Record.objects.values("title", "leader")[0] == {"title": "one", "leader": ("quintet", 1)}
    assert Record.objects.values_list("leader_id", "leader__name")[2] == (("trio", 1), "Bill")
    assert list(Musician.objects.order_by("pk").values_list("visits__leader", flat=True)) == [
        ("quintet", 2),
        None,
        None,
    ]


def test_rows_are_ordered_by_the_reference(records: list[Record]) -> None:
    assert titles(Record.objects.order_by("leader")) == ["one", "two", "three"]
    assert titles(Record.objects.order_by("-leader")) == ["three", "two", "one"]
    assert titles(Record.objects.order_by("-leader_id")) == ["three", "two", "one"]
    first = Record.objects.order_by(db.F("guest").desc(nulls_last=True), "id")
    assert titles(first) == ["two", "one", "three"]


def test_rows_are_grouped_and_counted_by_the_reference(records: list[Record]) -> None:
    Record.objects.create(title="four", leader_id=("quintet", 2))
    counted = Record.objects.values("leader").annotate(n=db.Count("id")).order_by("leader")

    assert [tuple(each.values()) for each in counted] == [
        (("quintet", 1), 1),
        (("quintet", 2), 2),
        (("trio", 1), 1),
    ]
    assert Record.objects.aggregate(n=db.Count("guest"))["n"] == 1
    assert Record.objects.aggregate(n=db.Count("leader", distinct=True))["n"] == 3
    assert Record.objects.aggregate(n=db.Count("guest", distinct=True))["n"] == 1
    assert Musician.objects.annotate(n=db.Count("records")).get(name="John").n == 2  # type: ignore[attr-defined]


def test_a_subquery_refers_to_the_key_around_it(records: list[Record]) -> None:
    theirs = Record.objects.filter(leader=db.OuterRef("pk"))
    visited = Record.objects.filter(guest=db.OuterRef("pk"))

    assert Musician.objects.filter(db.Exists(theirs)).count() == 3
    assert [each.name for each in Musician.objects.filter(db.Exists(visited))] == ["Miles"]
    titled = Musician.objects.annotate(first=db.Subquery(theirs.values("title")[:1])).order_by("pk")
    assert [each.first for each in titled] == ["one", "two", "three"]  # type: ignore[attr-defined]
    assert titles(Record.objects.filter(db.Exists(Musician.objects.filter(pk=db.OuterRef("guest"))))) == ["two"]


def test_references_are_compared_with_each_other(records: list[Record]) -> None:
    records[0].guest = records[0].leader
    records[0].save()

    assert titles(Record.objects.filter(leader=db.F("guest"))) == ["one"]
    assert Record.objects.update(guest=db.F("leader")) == 3
    assert Record.objects.filter(leader=db.F("guest")).count() == 3


def test_expressions_that_are_no_key_are_refused(records: list[Record]) -> None:
    with pytest.raises(QueryError):
        Record.objects.update(guest=db.F("title"))
    with pytest.raises(QueryError):
        Record.objects.filter(leader__in=[db.F("guest"), ("trio", 1)]).exists()


def test_keys_compare_part_by_part(records: list[Record]) -> None:
    assert titles(Record.objects.filter(leader__gt=("quintet", 1))) == ["two", "three"]
    assert titles(Record.objects.filter(leader__range=(("quintet", 2), ("trio", 1)))) == ["two", "three"]
    assert titles(Record.objects.filter(leader__gt=db.F("guest"))) == ["two"]
    assert titles(Record.objects.filter(leader__pk=("trio", 1))) == ["three"]


def test_a_look_up_of_one_column_is_refused(records: list[Record]) -> None:
    with pytest.raises(FieldError) as caught:
        Record.objects.filter(leader__contains="trio")

    assert "several columns" in str(caught.value)


# Loading


def test_a_join_loads_what_is_referred_to(records: list[Record], counting: Counting) -> None:
    with counting() as seen:
        found = list(Record.objects.select_related("leader", "guest"))
        names = [(each.leader.name, each.guest and each.guest.name) for each in found]

    assert names == [("Miles", None), ("John", "Miles"), ("Bill", None)]
    assert len(seen) == 1
    assert titles(Record.objects.select_related()) == ["one", "two", "three"]


async def test_one_query_loads_it_for_all_peers(records: list[Record], both: Any, counting: Counting) -> None:
    with counting() as seen:
        found = await every(both, Record.objects.all())
        names = [(await both.call(each.fetch, "leader")).name for each in found]

    assert names == ["Miles", "John", "Bill"]
    assert len(seen) == 2


def test_relations_are_loaded_ahead_both_ways(records: list[Record], counting: Counting) -> None:
    with counting() as seen:
        leaders = list(Musician.objects.order_by("pk").prefetch_related("records", "visits"))
        found = [(titles(each.records.all()), titles(each.visits.all())) for each in leaders]  # type: ignore[attr-defined]
        guests = [each.guest for each in Record.objects.prefetch_related("guest")]

    assert found == [(["one"], ["two"]), (["two"], []), (["three"], [])]
    assert [each and each.name for each in guests] == [None, "Miles", None]
    assert len(seen) == 5


def test_more_peers_than_parameters_are_loaded_at_once(records: list[Record]) -> None:
    Musician.objects.bulk_create([Musician(band="orchestra", number=number) for number in range(1200)])
    Record.objects.bulk_create([Record(title="x", leader_id=("orchestra", number)) for number in range(1200)])
    found = list(Record.objects.filter(title="x"))

    assert [each.leader.number for each in found] == list(range(1200))


def stamp_key(number: int) -> tuple[Any, ...]:
    moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return f"'{number}", UUID(int=number), moment.date(), Decimal(number) / 4, moment


async def test_long_lists_of_keys_of_every_kind_are_compared(tables: db.Database, both: Any) -> None:
    stamps = [Stamp(pk=stamp_key(number)) for number in range(520)]
    await both.call(Stamp.objects.bulk_create, stamps)
    await both.call(Letter.objects.bulk_create, [Letter(stamp=stamp) for stamp in stamps])

    assert await both.call(Letter.objects.filter(stamp__in=[each.pk for each in stamps[:515]]).count) == 515
    assert await both.call(Letter.objects.filter(stamp__in=stamps[:5]).count) == 5
    letters = await every(both, Letter.objects.order_by("id").prefetch_related("stamp"))
    assert [each.stamp.pk for each in letters] == [each.pk for each in stamps]
    assert (await both.call(Stamp.objects.filter(pk__in=[each.pk for each in stamps]).delete))[0] == 1040


def test_a_key_that_was_not_loaded_is_fetched_when_touched(records: list[Record]) -> None:
    assert [each.leader_id for each in Record.objects.only("title")][2] == ("trio", 1)  # type: ignore[attr-defined]
    assert Record.objects.defer("leader").get(title="two").leader.name == "John"
    assert Record.objects.only("leader").first().__dict__.keys() >= {"leader_band", "leader_number"}
    assert "leader_band" not in Record.objects.defer("leader").first().__dict__
    assert Record.objects.only("title", "leader__name").select_related("leader").first().leader.name == "Miles"  # type: ignore[union-attr]


def test_refreshing_forgets_what_was_loaded(records: list[Record]) -> None:
    record = records[0]
    assert record.leader.name == "Miles"
    Record.objects.filter(pk=record.pk).update(leader=("trio", 1))

    record.refresh_from_db(fields=["leader"])
    assert record.leader.name == "Bill"

    Record.objects.filter(pk=record.pk).update(leader_id=("quintet", 2))
    record.refresh_from_db()
    assert record.leader.name == "John"


def test_a_relation_to_its_own_model_goes_both_ways(records: list[Record]) -> None:
    miles, john = (Musician.objects.get(name=name) for name in ("Miles", "John"))
    john.teacher = miles
    john.save()

    assert list(miles.pupils.all()) == [john]  # type: ignore[attr-defined]
    assert Musician.objects.get(teacher__name="Miles") == john
    assert Musician.objects.get(pupils=john) == miles
    assert miles.delete()[0] == 2
    assert Musician.objects.get(name="John").teacher is None


async def test_what_refers_to_an_instance_is_changed_from_there(records: list[Record], both: Any) -> None:
    miles: Any = await both.call(Musician.objects.get, name="Miles")
    one, two, three = records

    await both.call(miles.visits.add, one, three)
    assert await both.call(miles.visits.count) == 3
    await both.call(miles.visits.remove, two)
    await both.call(miles.visits.set, [two, three])
    assert titles(await every(both, miles.visits.all())) == ["two", "three"]
    await both.call(miles.visits.clear)
    made = await both.call(miles.records.create, title="four")
    assert made.leader_id == ("quintet", 1)
    assert await both.call(miles.records.count) == 2


def test_one_to_one_goes_both_ways_and_is_unique(records: list[Record], tables: db.Database) -> None:
    miles = Musician.objects.get(name="Miles")
    portrait = Portrait.objects.create(of=miles)

    assert Musician.objects.get(name="Miles").portrait == portrait  # type: ignore[attr-defined]
    assert Musician.objects.select_related("portrait").get(portrait__colour="red") == miles
    with pytest.raises(db.IntegrityError), tables.atomic():
        Portrait.objects.create(of=miles)
    with pytest.raises(ValidationError) as caught:
        Portrait(of=miles).full_clean()
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(("of",), "unique")]


async def test_many_to_many_ends_at_keys_of_several_columns(records: list[Record], both: Any) -> None:
    found: list[Any] = await every(both, Musician.objects.order_by("pk"))
    miles, john, bill = found
    one, two, _ = records

    await both.call(one.fans.add, miles, ("trio", 1))
    await both.call(two.fans.set, [john, bill])
    await both.call(two.fans.remove, john)

    assert {each.name for each in await every(both, one.fans.all())} == {"Miles", "Bill"}
    assert titles(await every(both, bill.favourites.all())) == ["one", "two"]
    assert titles(await every(both, Record.objects.filter(fans=miles))) == ["one"]
    assert await both.call(Musician.objects.filter(favourites=two).count) == 1
    await both.call(bill.favourites.clear)
    assert await both.call(one.fans.count) == 1


async def test_many_to_many_relations_are_loaded_ahead(records: list[Record], both: Any, counting: Counting) -> None:
    _, two, three = records
    await both.call(two.fans.add, ("quintet", 1))
    await both.call(three.fans.add, ("quintet", 1), ("quintet", 2))
    with counting() as seen:
        ahead = await every(both, Record.objects.prefetch_related("fans"))
        back: list[Any] = await every(both, Musician.objects.order_by("pk").prefetch_related("favourites"))

    assert [len(record.fans.all()) for record in ahead] == [0, 1, 2]
    assert [titles(each.favourites.all()) for each in back] == [["two", "three"], ["three"], []]
    assert len(seen) == 4


def test_the_table_between_has_the_columns_of_both_sides(tables: db.Database) -> None:
    through = Record.fans.through

    assert list(through.table.c.keys()) == ["id", "record_id", "musician_band", "musician_number"]


def test_a_reference_may_be_of_the_key_and_be_referred_to(records: list[Record]) -> None:
    miles = Musician.objects.get(name="Miles")
    place = Place.objects.create(musician=miles, at=3, record=records[0])
    note = Note.objects.create(place=place, text="x")

    assert place.pk == ("quintet", 1, 3)
    assert note.place_id == ("quintet", 1, 3)  # type: ignore[attr-defined]
    assert Note.objects.get(place__musician=miles) == note
    assert Note.objects.get(place__musician__name="Miles").place.record == records[0]
    assert Note.objects.get(place=place) == note
    assert list(miles.places.all()) == [place]  # type: ignore[attr-defined]
    with pytest.raises(db.RestrictedError):
        place.delete()


# Writing


def test_many_rows_are_written_at_once(records: list[Record]) -> None:
    bill = Musician.objects.get(name="Bill")
    made = Record.objects.bulk_create([Record(title=f"new {at}", leader=bill) for at in range(3)])
    assert Record.objects.filter(leader=bill).count() == 4

    for each in made:
        each.leader_id, each.guest = ("quintet", 1), bill  # type: ignore[attr-defined]
    assert Record.objects.bulk_update(made, ["leader", "guest"]) == 3
    assert Record.objects.filter(leader=("quintet", 1), guest=bill).count() == 3
    assert Record.objects.filter(guest=bill).update(guest=None) == 3
    assert Record.objects.filter(guest=None).count() == 5


def test_some_fields_are_saved_alone(records: list[Record]) -> None:
    record = records[0]
    record.title, record.leader_id = "other", ("trio", 1)  # type: ignore[attr-defined]

    record.save(update_fields=["leader"])

    again = Record.objects.get(pk=record.pk)
    assert (again.title, again.leader_id) == ("one", ("trio", 1))  # type: ignore[attr-defined]


def test_rows_are_found_or_made(records: list[Record]) -> None:
    bill = Musician.objects.get(name="Bill")

    assert Record.objects.get_or_create(leader=bill) == (records[2], False)
    made, is_new = Record.objects.get_or_create(title="x", leader_id=("quintet", 1), defaults={"guest": bill})
    assert (made.guest, is_new) == (bill, True)
    assert Record.objects.update_or_create(title="x", defaults={"leader": bill})[0].leader == bill
    assert Record.objects.get(title="x").leader == bill


def test_deleting_what_is_referred_to(records: list[Record]) -> None:
    miles = Musician.objects.get(name="Miles")

    assert miles.delete()[0] == 2
    assert titles(Record.objects.all()) == ["two", "three"]
    assert Record.objects.get(title="two").guest is None


def test_what_is_protected_stays(records: list[Record]) -> None:
    bill = Musician.objects.get(name="Bill")
    Portrait.objects.create(of=bill)

    with pytest.raises(db.ProtectedError):
        bill.delete()
    with pytest.raises(db.ProtectedError):
        Musician.objects.all().delete()
    assert Musician.objects.count() == 3


# Checking


def test_a_reference_to_nothing_is_a_fault(records: list[Record]) -> None:
    lost = Record(title="lost", leader_id=("quintet", 9))

    with pytest.raises(ValidationError) as caught:
        lost.full_clean()

    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(("leader",), "invalid")]


def test_a_reference_is_checked_as_one_field(records: list[Record]) -> None:
    wrong: Any = Record(title="x", guest_band="trio", guest_number=None)

    with pytest.raises(ValidationError) as caught:
        wrong.full_clean()

    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        (("leader",), "null"),
        (("guest",), "invalid"),
    ]


def test_a_key_that_is_a_reference_and_more_is_told_of_by_its_fields(records: list[Record]) -> None:
    place = Place.objects.create(musician_id=("trio", 1), at=1, record=records[0])

    with pytest.raises(ValidationError) as caught:
        Place(musician=place.musician, at=1, record=records[0]).full_clean()

    assert [fault.message for fault in caught.value.faults] == ["Place with this musician and at already exists."]


def test_values_are_converted_part_by_part(records: list[Record]) -> None:
    record = Record(title="x", leader_id=("trio", "1"))

    record.full_clean(exclude=["guest", "label"])

    assert record.leader_id == ("trio", 1)  # type: ignore[attr-defined]
