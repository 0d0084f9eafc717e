"""Tables of SQLite are made anew: nothing that belongs to them is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from migration_histories import History, Models

from segue import db
from segue.db import migrations as m
from segue.db.migrations.files import MigrationError


@pytest.fixture
def there(on_sqlite: History) -> History:
    """A table that another refers to, with rows in both."""
    models = Models()
    models.add("Musician", name=db.CharField(max_length=50))
    models.add(
        "Record",
        meta={
            "constraints": [
                db.CheckConstraint(condition=db.Q(year__gte=1900), name="ck_year"),
                db.UniqueConstraint(fields=["title"], condition=db.Q(year=1), name="uq_some"),
            ]
        },
        title=db.CharField(max_length=100),
        year=db.IntegerField(default=1935),
        leader=db.ForeignKey("Musician", on_delete=db.DB_CASCADE, related_name="records"),
        parent=db.ForeignKey("self", on_delete=db.DB_CASCADE, null=True, related_name="+"),
        twice=db.GeneratedField(expression=db.F("year") * 2, output_field=db.IntegerField()),
    )
    on_sqlite.make(models.all, "initial")
    on_sqlite.migrate()
    made = on_sqlite.models()
    duke = made.Musician.objects.create(name="Duke")
    first = made.Record.objects.create(title="a", leader=duke)
    made.Record.objects.create(title="b", leader=duke, parent=first)
    return on_sqlite


def _rows(history: History, sql: str) -> list[tuple[Any, ...]]:
    assert history.database is not None
    return [tuple(row) for row in history.database.execute(sql)]


def test_rows_that_refer_to_a_table_outlive_its_rebuilding(there: History) -> None:
    there.add(m.alter_column("Musician", "name", db.CharField(max_length=60, null=True)))

    there.migrate()

    assert there.models().Record.objects.count() == 2
    assert there.models().Record.objects.get(title="b").parent.title == "a"


def test_references_are_minded_again_afterwards(there: History) -> None:
    there.add(m.alter_column("Musician", "name", db.CharField(max_length=60, null=True)))
    there.migrate()

    assert there.database is not None
    with pytest.raises(db.IntegrityError):
        there.database.execute("INSERT INTO record (title, year, leader_id) VALUES ('c', 1935, 99)")


def test_checks_partial_indexes_and_generated_columns_stay(there: History) -> None:
    there.add(m.alter_column("Record", "title", db.CharField(max_length=60, null=True)))

    there.migrate()

    record = there.models().Record
    assert record.objects.get(title="a").twice == 3870
    assert there.database is not None
    with pytest.raises(db.IntegrityError, match="ck_year"):
        there.database.execute("INSERT INTO record (title, year, leader_id) VALUES ('c', 1, 1)")
    assert _rows(there, "SELECT sql FROM sqlite_schema WHERE name = 'uq_some'") == [
        ("CREATE UNIQUE INDEX uq_some ON record (title) WHERE year = 1",)
    ]


def test_triggers_indexes_and_views_that_were_made_by_hand_stay(there: History) -> None:
    assert there.database is not None
    for sql in (
        "CREATE TABLE log (what TEXT)",
        "CREATE TRIGGER on_new AFTER INSERT ON record BEGIN INSERT INTO log VALUES (new.title); END",
        "CREATE INDEX by_hand ON record (title, year)",
        "CREATE VIEW titles AS SELECT title FROM record",
    ):
        there.database.execute(sql)
    there.add(m.alter_column("Record", "title", db.CharField(max_length=60, null=True)))

    there.migrate()

    there.models().Record.objects.create(title="c", leader_id=1)
    assert _rows(there, "SELECT what FROM log") == [("c",)]
    assert len(_rows(there, "SELECT title FROM titles")) == 3
    assert _rows(there, "SELECT 1 FROM sqlite_schema WHERE name = 'by_hand'") == [(1,)]


def test_a_trigger_that_does_not_fit_any_more_stops_the_migration(there: History) -> None:
    assert there.database is not None
    there.database.execute("CREATE INDEX by_hand ON record (title)")
    there.add(m.drop_constraint("Record", "uq_some"), m.drop_column("Record", "title"))

    with pytest.raises(MigrationError) as caught:
        there.migrate()

    assert "by_hand of the table record cannot be made again" in (caught.value.why or "")
    assert there.models("0001_initial").Record.objects.count() == 2


def test_rows_that_would_refer_to_none_stop_the_migration(there: History) -> None:
    there.add(
        m.alter_column("Musician", "name", db.CharField(max_length=60)),
        m.run_sql("DELETE FROM musician", ""),
    )

    with pytest.raises(MigrationError, match=r"2 rows would refer to rows that are not there \(record → musician\)"):
        there.migrate()

    assert there.models("0001_initial").Musician.objects.count() == 1


def test_a_column_that_may_be_empty_is_added_without_copying(there: History) -> None:
    name = there.add(m.add_column("Record", "more", db.IntegerField(null=True)))

    assert _statements(there, name) == ["ALTER TABLE record ADD COLUMN more INTEGER"]


def test_what_only_forms_know_changes_no_table(there: History) -> None:
    name = there.add(m.alter_column("Record", "year", db.IntegerField(default=7, db_comment="x")))

    assert _statements(there, name) == []


def _statements(history: History, name: str) -> list[str]:
    from segue.db.migrations.executor import steps_of

    assert history.database is not None
    graph = history.graph
    groups = steps_of(graph[name], graph.before(name), history.database.dialect)
    return [step.sql for _, steps in groups for step in steps if step.sql]


def _decimal(digits: int, places: int) -> Any:
    return db.DecimalField(max_digits=digits, decimal_places=places)


@pytest.mark.parametrize(
    ("old", "new", "value", "expected"),
    [
        (_decimal(8, 2), _decimal(9, 3), "1.25", "1.250"),
        (_decimal(8, 2), _decimal(8, 1), "1.25", "1.3"),
        (_decimal(8, 2), _decimal(8, 1), "-1.25", "-1.3"),
        (_decimal(18, 2), _decimal(30, 4), "9007199254740993.25", "9007199254740993.25"),
        (_decimal(30, 4), _decimal(18, 2), "9007199254740993.25", "9007199254740993.25"),
        (db.IntegerField(), _decimal(8, 2), 7, "7.00"),
        (db.CharField(max_length=20), _decimal(8, 2), "7.5", "7.50"),
    ],
)
def test_decimals_keep_their_value_when_their_size_changes(
    on_sqlite: History, old: Any, new: Any, value: Any, expected: str
) -> None:
    on_sqlite.add(m.create_table("Price", fields={"id": db.BigAutoField(), "value": old}))
    on_sqlite.migrate()
    on_sqlite.models().Price.objects.create(value=Decimal(value) if isinstance(old, db.DecimalField) else value)
    on_sqlite.add(m.alter_column("Price", "value", new))

    on_sqlite.migrate()

    assert on_sqlite.models().Price.objects.get().value == Decimal(expected)


def test_a_decimal_becomes_a_plain_number(on_sqlite: History) -> None:
    decimal = db.DecimalField(max_digits=8, decimal_places=2)
    on_sqlite.add(m.create_table("Price", fields={"id": db.BigAutoField(), "value": decimal}))
    on_sqlite.migrate()
    on_sqlite.models().Price.objects.create(value=Decimal("7.50"))
    on_sqlite.add(m.alter_column("Price", "value", db.FloatField()))

    on_sqlite.migrate()

    assert on_sqlite.models().Price.objects.get().value == 7.5


@pytest.mark.parametrize("is_back", [False, True])
def test_a_day_becomes_a_moment_and_back(history: History, is_back: bool) -> None:
    fields = [db.DateField(), db.DateTimeField()]
    values: list[Any] = [date(1956, 7, 7), datetime(1956, 7, 7, tzinfo=UTC)]
    first, last = (1, 0) if is_back else (0, 1)
    history.add(m.create_table("Concert", fields={"id": db.BigAutoField(), "at": fields[first]}))
    history.migrate()
    history.models().Concert.objects.create(at=values[first])
    history.add(m.alter_column("Concert", "at", fields[last]))

    history.migrate()

    assert history.models().Concert.objects.filter(at=values[last]).count() == 1
