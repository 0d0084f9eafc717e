"""What models tell, and to whom: in both colours, of one database alone."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db
from segue.db import signals
from segue.db.schema import create_all
from segue.errors import UsageError


class Car(db.Model):
    make = db.CharField(max_length=20)
    parts = db.ManyToManyField("Part", related_name="cars")
    rivals = db.ManyToManyField("self", symmetrical=False, related_name="rivalled_by")
    friends = db.ManyToManyField("self")


class Part(db.Model):
    name = db.CharField(max_length=20)


class Estate(Car):
    load = db.IntegerField(default=0)


class Log(db.Model):
    text = db.CharField(max_length=40)


MODELS = [Car, Part, Estate, Log]


class Heard(list[Any]):
    """A receiver that keeps what it hears."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, sender: Any, **values: Any) -> None:
        self.append((sender.__name__, *[values[name] for name in self.names]))


def listen(database: db.Database, signal: Any, sender: Any, receiver: Any) -> Any:
    signals.connect(database, signal, sender, receiver)
    return receiver


async def test_saving_tells_before_and_after(tables: db.Database, both: Any) -> None:
    before = listen(tables, db.pre_save, Car, Heard("instance", "update_fields", "raw"))
    after = listen(tables, db.post_save, Car, Heard("created", "update_fields", "using"))

    car = await both.call(Car.objects.create, make="VW")
    car.make = "Opel"
    await both.call(car.save, update_fields=["make"])

    assert before == [("Car", car, None, False), ("Car", car, frozenset({"make"}), False)]
    assert after == [("Car", True, None, tables), ("Car", False, frozenset({"make"}), tables)]


async def test_before_it_is_saved_an_instance_may_be_changed(tables: db.Database, both: Any) -> None:
    def shout(sender: Any, instance: Any, **values: Any) -> None:
        instance.make = instance.make.upper()

    listen(tables, db.pre_save, Car, shout)

    await both.call(Car.objects.create, make="vw")

    assert (await both.call(Car.objects.get)).make == "VW"


async def test_a_def_receiver_may_ask_the_database(tables: db.Database, both: Any) -> None:
    def log(sender: Any, instance: Any, **values: Any) -> None:
        Log.objects.create(text=f"{instance.make} {Car.objects.count()}")

    listen(tables, db.post_save, Car, log)

    await both.call(Car.objects.create, make="VW")

    assert (await both.call(Log.objects.get)).text == "VW 1"


async def test_a_receivers_writes_go_with_the_transaction(tables: db.Database, both: Any) -> None:
    def log(sender: Any, **values: Any) -> None:
        Log.objects.create(text="x")

    listen(tables, db.post_save, Car, log)

    async with both.atomic(tables):
        await both.call(Car.objects.create, make="VW")
        tables.set_rollback(True)

    assert await both.call(Log.objects.count) == 0


def test_an_async_receiver_hears_async_saves(tables: db.Database) -> None:
    import asyncio

    async def log(sender: Any, instance: Any, **values: Any) -> None:
        await Log.objects.acreate(text=instance.make)

    listen(tables, db.post_save, Car, log)

    asyncio.run(Car.objects.acreate(make="VW"))

    assert Log.objects.get().text == "VW"


def test_an_async_receiver_of_a_sync_save_is_refused(tables: db.Database) -> None:
    async def log(sender: Any, **values: Any) -> None: ...

    listen(tables, db.post_save, Car, log)

    with pytest.raises(UsageError, match="data/async-receiver"):
        Car.objects.create(make="VW")


async def test_a_receiver_of_any_sender_hears_all(tables: db.Database, both: Any) -> None:
    heard = listen(tables, db.post_save, None, Heard())

    await both.call(Car.objects.create, make="VW")
    await both.call(Part.objects.create, name="wheel")

    assert heard == [("Car",), ("Part",)]


async def test_a_child_tells_as_itself(tables: db.Database, both: Any) -> None:
    children = listen(tables, db.post_save, Estate, Heard("created"))
    parents = listen(tables, db.post_save, Car, Heard())

    await both.call(Estate.objects.create, make="VW")

    assert (children, parents) == ([("Estate", True)], [])


async def test_many_rows_at_once_tell_nothing(tables: db.Database, both: Any) -> None:
    heard = listen(tables, db.post_save, Car, Heard())

    cars = await both.call(Car.objects.bulk_create, [Car(make="VW"), Car(make="Opel")])
    await both.call(Car.objects.bulk_update, cars, ["make"])
    await both.call(Car.objects.update, make="x")

    assert heard == []


async def test_get_or_create_tells_of_what_it_makes(tables: db.Database, both: Any) -> None:
    heard = listen(tables, db.post_save, Car, Heard("created"))

    await both.call(Car.objects.get_or_create, make="VW")
    await both.call(Car.objects.get_or_create, make="VW")
    await both.call(Car.objects.update_or_create, make="VW")

    assert heard == [("Car", True), ("Car", False)]


def test_another_database_is_not_heard(tables: db.Database) -> None:
    heard = listen(tables, db.post_save, Car, Heard())
    other = db.Database("sqlite://:memory:")
    with other.connection() as connection:
        create_all(connection, MODELS)
        connection.commit()

    Car.objects.using(other).create(make="VW")

    assert heard == []
    other.close()


# Many-to-many


@pytest.fixture
def garage(tables: db.Database) -> dict[str, Any]:
    made: dict[str, Any] = {name: Part.objects.create(name=name) for name in ("wheel", "engine", "seat")}
    made["vw"], made["opel"] = Car.objects.create(make="VW"), Car.objects.create(make="Opel")
    made["vw"].parts.add(made["wheel"])
    return made


def heard_of(database: db.Database, field: Any) -> Any:
    return listen(database, db.m2m_changed, field.through, Heard("action", "instance", "reverse", "model", "pk_set"))


PARTS = Car._meta.get_field("parts")


async def test_adding_tells_what_is_new(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["vw"].parts.add, garage["wheel"], garage["engine"])

    new = {garage["engine"].pk}
    assert heard == [
        ("Car_parts", "pre_add", garage["vw"], False, Part, new),
        ("Car_parts", "post_add", garage["vw"], False, Part, new),
    ]


async def test_adding_what_is_there_tells_nothing(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["vw"].parts.add, garage["wheel"])

    assert heard == []


async def test_the_other_side_tells_that_it_is(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["engine"].cars.add, garage["vw"])

    assert heard[0] == ("Car_parts", "pre_add", garage["engine"], True, Car, {garage["vw"].pk})


async def test_removing_tells_what_was_given(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["vw"].parts.remove, garage["wheel"])

    assert [(each[1], each[5]) for each in heard] == [
        ("pre_remove", {garage["wheel"].pk}),
        ("post_remove", {garage["wheel"].pk}),
    ]


async def test_clearing_tells_no_keys(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["vw"].parts.clear)

    assert [(each[1], each[5]) for each in heard] == [("pre_clear", None), ("post_clear", None)]


async def test_setting_tells_what_goes_and_what_comes(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["vw"].parts.set, [garage["engine"], garage["seat"]])

    gone, new = {garage["wheel"].pk}, {garage["engine"].pk, garage["seat"].pk}
    assert [(each[1], each[5]) for each in heard] == [
        ("pre_remove", gone),
        ("post_remove", gone),
        ("pre_add", new),
        ("post_add", new),
    ]


async def test_setting_with_clear_tells_of_all(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    await both.call(garage["vw"].parts.set, [garage["wheel"]], clear=True)

    assert [each[1] for each in heard] == ["pre_clear", "post_clear", "pre_add", "post_add"]


async def test_both_ways_to_itself_are_told_apart(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, Car._meta.get_field("rivals"))

    await both.call(garage["vw"].rivals.add, garage["opel"])
    await both.call(garage["vw"].rivalled_by.add, garage["opel"])

    assert [each[3] for each in heard] == [False, False, True, True]


async def test_friends_are_told_of_once(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, Car._meta.get_field("friends"))

    await both.call(garage["vw"].friends.add, garage["opel"])

    assert [each[1] for each in heard] == ["pre_add", "post_add"]


async def test_rows_between_tell_nothing_themselves(tables: db.Database, both: Any, garage: Any) -> None:
    heard = listen(tables, db.post_delete, PARTS.through, Heard())

    await both.call(garage["vw"].parts.clear)
    await both.call(garage["vw"].delete)

    assert heard == []


async def test_creating_through_a_relation_tells(tables: db.Database, both: Any, garage: Any) -> None:
    heard = heard_of(tables, PARTS)

    part = await both.call(garage["vw"].parts.create, name="door")

    assert [(each[1], each[5]) for each in heard] == [("pre_add", {part.pk}), ("post_add", {part.pk})]
