"""Tables are made and dropped in an order that every database takes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from segue import db
from segue.db.schema import create_all, drop_all, full_table
from segue.errors import SetupError

Tables = Callable[..., None]


def names_in(database: db.Database) -> set[str]:
    """Return the names of all tables."""
    with database.connection() as connection:
        return set(sa.inspect(connection).get_table_names())


def drop(database: db.Database, *models: Any) -> None:
    """Drop the tables of models."""
    with database.connection() as connection:
        drop_all(connection, models)
        connection.commit()


def test_missing_tables_are_made_and_others_left_alone(database: db.Database) -> None:
    class Leader(db.Model):
        name = db.CharField(max_length=9)

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)
        tags = db.ManyToManyField(Leader, related_name="tagged")

    with database.connection() as connection:
        first = create_all(connection, [Leader])
        connection.commit()
    Leader.objects.create(name="Nina")
    with database.connection() as connection:
        second = create_all(connection, [Record, Leader])
        connection.commit()

    assert first == ["leader"]
    assert set(second) == {"record", "record_tags"}
    assert Leader.objects.get().name == "Nina"


def test_a_child_may_be_named_before_its_parent(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        pass

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

    tables(Record, Leader)

    assert names_in(database) == {"leader", "record"}


def test_a_model_may_refer_to_itself(database: db.Database, tables: Tables) -> None:
    class Node(db.Model):
        parent = db.ForeignKey("self", on_delete=db.CASCADE, null=True, related_name="children")
        friends = db.ManyToManyField("self")

    tables(Node)
    root = Node.objects.create()
    leaf = Node.objects.create(parent=root)
    root.friends.add(leaf)

    assert list(root.children.all()) == [leaf]  # type: ignore[attr-defined]
    assert list(leaf.friends.all()) == [root]
    drop(database, Node)
    assert names_in(database) == set()


def test_tables_may_refer_to_each_other(database: db.Database, tables: Tables) -> None:
    class Egg(db.Model):
        hen = db.ForeignKey("Hen", on_delete=db.CASCADE, null=True, related_name="eggs")

    class Hen(db.Model):
        egg = db.ForeignKey(Egg, on_delete=db.CASCADE, null=True, related_name="hens")

    tables(Egg, Hen)
    egg = Egg.objects.create()
    egg.hen = Hen.objects.create(egg=egg)
    egg.save()

    with pytest.raises(db.IntegrityError) as caught, database.atomic():
        Egg.objects.create(hen_id=12345)
    assert caught.value.kind == "foreign_key"
    drop(database, Egg, Hen)
    assert names_in(database) == set()


def test_only_tables_that_are_there_are_dropped(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        pass

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

    drop(database, Leader, Record)
    tables(Leader)
    drop(database, Record, Leader)

    assert names_in(database) == set()


def test_the_table_of_a_model_is_sqlalchemys(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        name = db.CharField(max_length=9)

    class Record(db.Model):
        year = db.IntegerField(db_index=True)
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

        class Meta:
            constraints = [db.CheckConstraint(condition=db.Q(year__gt=0), name="record_year")]

    tables(Leader, Record)
    leader = Leader.objects.create(name="Nina")
    Record.objects.create(year=1959, leader=leader)

    table = Record.table
    assert table is full_table(Record)
    assert [column.name for column in table.columns] == ["id", "year", "leader_id"]
    statement = sa.select(Record.year, Leader.name).join_from(Record.table, Leader.table)
    assert [tuple(row) for row in database.execute(statement)] == [(1959, "Nina")]


def test_a_generated_column_is_computed_by_the_database(database: db.Database, tables: Tables) -> None:
    class Line(db.Model):
        count = db.IntegerField()
        price = db.DecimalField(max_digits=8, decimal_places=2)
        name = db.CharField(max_length=20, default="Nina")
        twice = db.GeneratedField(expression=db.F("count") * 2 + 1, output_field=db.IntegerField())
        loud = db.GeneratedField(
            expression=db.functions.Upper("name"), output_field=db.CharField(max_length=20), db_persist=True
        )
        kind = db.GeneratedField(
            expression=db.Case(db.When(count__gt=5, then=db.Value("many")), default=db.Value("few")),
            output_field=db.CharField(max_length=4),
        )

    tables(Line)

    line = Line.objects.create(count=3, price=Decimal("1.50"))
    assert (line.twice, line.loud, line.kind) == (7, "NINA", "few")

    line.count = 6
    line.save()
    assert (line.twice, line.kind) == (13, "many")
    assert Line.objects.filter(twice=13, loud="NINA", kind="many").count() == 1
    assert list(Line.objects.values_list("twice", "loud")) == [(13, "NINA")]
    Line.objects.update(count=0)
    line.refresh_from_db()
    assert (line.twice, line.kind) == (1, "few")


def test_a_generated_column_may_be_computed_when_it_is_read(database: db.Database, tables: Tables) -> None:
    class Line(db.Model):
        count = db.IntegerField()
        twice = db.GeneratedField(expression=db.F("count") * 2, output_field=db.IntegerField(), db_persist=False)

    if database.vendor == "postgresql":
        with pytest.raises(db.NotSupportedError) as refused:
            tables(Line)
        assert "twice" in str(refused.value)
        return
    tables(Line)

    assert Line.objects.create(count=2).twice == 4


def test_a_generated_column_is_not_written(database: db.Database, tables: Tables) -> None:
    class Line(db.Model):
        count = db.IntegerField()
        twice = db.GeneratedField(expression=db.F("count") * 2, output_field=db.IntegerField())

    tables(Line)
    Line.objects.bulk_create([Line(count=each, twice=99) for each in range(3)])

    assert list(Line.objects.order_by("count").values_list("twice", flat=True)) == [0, 2, 4]
    with pytest.raises(ValueError) as caught:
        Line.objects.update(twice=1)
    assert "twice" in str(caught.value)
    Line(count=1).full_clean()


def test_a_database_default_may_be_an_expression(database: db.Database, tables: Tables) -> None:
    class Entry(db.Model):
        at = db.DateTimeField(db_default=db.functions.Now())
        size = db.IntegerField(db_default=db.Value(2) * 3)
        tags = db.JSONField(db_default={"a": [1]})

    tables(Entry)
    entry = Entry.objects.create()

    found = Entry.objects.get()
    assert (found.size, found.tags) == (6, {"a": [1]})
    assert found.at.tzinfo is not None
    assert entry.at == found.at


def test_a_database_default_of_a_foreign_key(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        pass

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.SET_DEFAULT, db_default=1)

    tables(Leader, Record)
    leader = Leader.objects.create(pk=1)

    assert Record.objects.create().leader == leader


def test_long_names_are_cut_alike_by_every_database(database: db.Database, tables: Tables) -> None:
    class AVeryLongNameOfAModelThatNobodyWouldEverWriteButSomebodyMightGenerateByATool(db.Model):
        a_name_of_a_field_that_is_longer_than_most_people_would_write = db.IntegerField(unique=True)
        another_name_of_a_field_that_is_longer_than_most_people = db.IntegerField(db_index=True)

    model = AVeryLongNameOfAModelThatNobodyWouldEverWriteButSomebodyMightGenerateByATool
    tables(model)

    assert len(model._meta.db_table) == 63
    assert names_in(database) == {model._meta.db_table}


def test_the_name_of_a_column_that_would_be_cut_is_an_error() -> None:
    name = "x" * 64

    with pytest.raises(SetupError) as caught:
        type("Record", (db.Model,), {"__module__": __name__, name: db.IntegerField()})

    assert caught.value.code == "data/long-name"
    assert "db_column=" in caught.value.hint


def test_models_whose_names_are_words_of_sql(database: db.Database, tables: Tables) -> None:
    class Order(db.Model):
        select = db.IntegerField(db_index=True)
        group = db.CharField(max_length=9, unique=True)

        class Meta:
            constraints = [db.CheckConstraint(condition=db.Q(select__gt=0), name="check")]
            indexes = [db.Index(db.functions.Lower("group"), name="index")]

    tables(Order)
    Order.objects.create(select=1, group="a")

    assert Order.objects.filter(select=1, group="a").order_by("group").get().select == 1
    assert Order.objects.filter(select=1).update(group="b") == 1
    assert Order.objects.all().delete()[0] == 1
