"""Running migrations: targets, plans, faking, what goes wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from migration_histories import History, Models

from segue import db
from segue.db import migrations
from segue.db.database import Database
from segue.db.migrations.executor import Executor
from segue.db.migrations.files import MigrationError


def _record(**fields: db.Field) -> list[object]:  # type: ignore[type-arg]
    models = Models()
    models.add("Record", title=db.CharField(max_length=100), **fields)
    return models.all


@pytest.fixture
def three(history: History) -> History:
    """A history of three migrations: a table, and two columns."""
    history.make(_record(), "initial")
    history.make(_record(year=db.IntegerField(default=1)), "year")
    history.make(_record(year=db.IntegerField(default=1), place=db.CharField(default="?")), "place")
    return history


def _names(history: History) -> list[str]:
    return list(history.executor.applied())


def test_all_that_is_missing_is_applied_in_order(three: History) -> None:
    three.migrate()

    assert _names(three) == ["0001_initial", "0002_year", "0003_place"]


def test_a_second_run_has_nothing_to_do(three: History) -> None:
    three.migrate()

    assert three.migrate() == []


def test_a_target_takes_back_what_comes_after_it(three: History) -> None:
    three.migrate()

    three.migrate("0001")

    assert _names(three) == ["0001_initial"]
    assert three.lines[-2:] == ["Take back 0003_place…", "Take back 0002_year…"]


def test_zero_takes_everything_back(three: History) -> None:
    three.migrate()

    three.migrate("zero")

    assert _names(three) == []


def test_a_plan_says_what_would_be_done_and_does_nothing(three: History) -> None:
    three.migrate("0001")

    planned = [str(each) for each in three.executor.plan()]

    assert planned == ["Apply 0002_year", "Apply 0003_place"]
    assert _names(three) == ["0001_initial"]


def test_faking_notes_without_doing(three: History) -> None:
    three.migrate("0001")

    three.migrate(fake=True)

    assert _names(three) == ["0001_initial", "0002_year", "0003_place"]
    with pytest.raises(db.ProgrammingError):
        three.models().Record.objects.first()


def test_a_first_migration_whose_tables_are_there_is_noted(three: History) -> None:
    assert three.database is not None
    models = _record()
    with three.database.connection() as connection:
        from segue.db.schema import create_all

        create_all(connection, models)
        connection.commit()

    three.migrate()

    assert three.lines[0] == "Note 0001_initial; nothing is done"
    assert _names(three) == ["0001_initial", "0002_year", "0003_place"]


def test_a_table_with_more_columns_is_only_noted_where_that_is_said(three: History) -> None:
    assert three.database is not None
    with three.database.connection() as connection:
        from segue.db.schema import create_all

        create_all(connection, _record(more=db.IntegerField(null=True)))
        connection.commit()

    with pytest.raises(MigrationError, match="0001_initial failed at: Create Record"):
        three.migrate()


def test_fake_initial_takes_a_table_that_has_more_columns(three: History) -> None:
    assert three.database is not None
    with three.database.connection() as connection:
        from segue.db.schema import create_all

        create_all(connection, _record(more=db.IntegerField(null=True)))
        connection.commit()

    three.migrate("0001", fake_initial=True)

    assert _names(three) == ["0001_initial"]


def test_an_unknown_target_is_answered_with_those_there_are(three: History) -> None:
    with pytest.raises(MigrationError, match="No migrations are called '0009'"):
        three.migrate("0009")


def test_a_gap_in_what_was_applied_is_refused(three: History) -> None:
    three.migrate()
    executor = three.executor
    with executor.session.opened():
        executor.journal.forget("0002_year")

    with pytest.raises(MigrationError, match="0003_place was applied, and 0002_year, which comes before it, was not"):
        three.migrate()


def test_code_that_fails_leaves_no_rows_behind(three: History) -> None:
    three.write(
        """
def fail(models):
    models.Record.objects.create(title="half")
    raise ValueError("no")

operations = [
    migrations.add_column("Record", "more", db.IntegerField(null=True)),
    migrations.run_python(fail),
]"""
    )

    with pytest.raises(MigrationError, match=r"0004_code failed at: Run fail\(\)") as caught:
        three.migrate()

    assert "ValueError: no" in (caught.value.why or "")
    assert str(caught.value.where).endswith("0004_code.py:9")
    assert _names(three) == ["0001_initial", "0002_year", "0003_place"]
    assert three.models("0003_place").Record.objects.count() == 0


def test_what_failed_goes_on_once_it_is_mended(three: History) -> None:
    assert three.database is not None
    three.migrate()
    three.models().Record.objects.create(title="x", year=-5)
    models = Models()
    models.add(
        "Record",
        meta={"constraints": [db.CheckConstraint(condition=db.Q(year__gte=0), name="ck_year")]},
        title=db.CharField(max_length=100),
        year=db.IntegerField(default=1),
        place=db.CharField(default="?"),
    )
    three.make(models.all, "check")
    with pytest.raises(MigrationError, match="Add constraint ck_year"):
        three.migrate()

    three.models("0003_place").Record.objects.update(year=5)
    three.migrate()

    assert _names(three)[-1] == "0004_check"


def test_a_migration_without_a_way_back_is_refused_before_anything_is_done(history: History) -> None:
    history.make(_record(), "initial")
    history.write(
        "def fill(models):\n    pass\n\n"
        'operations = [migrations.add_column("Record", "a", db.IntegerField(null=True)), migrations.run_python(fill)]'
    )
    history.migrate()

    with pytest.raises(MigrationError, match="0002_code cannot be taken back") as caught:
        history.migrate("0001")

    assert caught.value.code == "data/irreversible"
    assert _names(history) == ["0001_initial", "0002_code"]


def test_two_who_migrate_at_once_do_everything_once(three: History) -> None:
    done: list[int] = []

    def migrate() -> None:
        done.append(len(three.executor.migrate()))

    threads = [threading.Thread(target=migrate) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert _names(three) == ["0001_initial", "0002_year", "0003_place"]
    assert len(done) == 2


def test_sql_runs_as_it_is_written_on_its_database(three: History, vendor: str) -> None:
    three.add(
        migrations.run_sql({vendor: ["INSERT INTO record (title, year, place) VALUES ('100 % : raw', 1, 'x')"]}, ""),
    )

    three.migrate()

    assert three.models().Record.objects.get().title == "100 % : raw"


def test_sql_that_changes_tables_says_so_to_the_state(history: History) -> None:
    history.make(_record(), "initial")
    history.add(
        migrations.run_sql(
            "ALTER TABLE record ADD COLUMN more INTEGER",
            "ALTER TABLE record DROP COLUMN more",
            states=[migrations.add_column("Record", "more", db.IntegerField(null=True))],
        )
    )

    history.migrate()
    made = history.models().Record.objects.create(title="x", more=3)
    history.migrate("0001")

    assert made.more == 3
    assert history.models("0001_initial").Record.objects.get().title == "x"


def test_what_is_only_said_to_the_state_is_not_done(history: History) -> None:
    history.make(_record(), "initial")
    history.add(migrations.state_only(migrations.drop_column("Record", "title")))

    history.migrate()

    assert history.models("0001_initial").Record.objects.count() == 0


def test_each_row_gets_a_value_of_its_own_in_a_unique_column(three: History) -> None:
    three.migrate()
    records = three.models().Record.objects
    for number in range(5):
        records.create(title=str(number))
    three.add(migrations.add_column("Record", "key", db.UUIDField(unique=True, default=_uuid())))

    three.migrate()

    keys = list(three.models().Record.objects.values_list("key", flat=True))
    assert len(set(keys)) == 5
    assert None not in keys


def _uuid() -> object:
    import uuid

    return uuid.uuid4


def test_a_filled_column_keeps_no_default_in_the_database(three: History) -> None:
    three.migrate()
    three.models().Record.objects.create(title="x")
    three.add(migrations.add_column("Record", "size", db.IntegerField(), fill=12))

    three.migrate()

    assert three.models().Record.objects.get().size == 12
    assert three.database is not None
    with pytest.raises(db.IntegrityError):
        three.database.execute("INSERT INTO record (title, year, place) VALUES ('y', 1, 'x')")


def test_a_retired_column_is_there_for_the_release_before(three: History) -> None:
    three.migrate()
    three.add(migrations.retire_column("Record", "year"))

    three.migrate()

    assert three.database is not None
    three.database.execute("INSERT INTO record (title, place) VALUES ('new', 'x')")
    three.database.execute("INSERT INTO record (title, place, year) VALUES ('old', 'x', 3)")
    assert three.make(_record(place=db.CharField(default="?"))) == []


# In memory, where there is one connection


def test_a_database_in_memory_is_migrated(tmp_path: Path, memory: Database) -> None:
    history = History(tmp_path / "migrations", memory)
    history.make(_record(), "initial")
    history.write(
        "def fill(models):\n    models.Record.objects.create(title='filled')\n\n"
        "operations = [migrations.run_python(fill)]"
    )

    history.migrate()

    assert history.models().Record.objects.get().title == "filled"


# Tables that others use


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
def test_a_table_that_others_use_is_tried_again_until_it_is_free(three: History, vendor: str) -> None:
    assert three.database is not None
    three.migrate("0001")
    is_told = threading.Event()
    is_done = threading.Event()

    def use() -> None:
        assert three.database is not None
        with three.database.atomic():
            three.database.execute("SELECT count(*) FROM record")
            is_used.set()
            is_told.wait(30)
        is_done.set()

    def tell(line: str) -> None:
        three.lines.append(line)
        if "in use" in line:
            is_told.set()
            is_done.wait(30)

    is_used = threading.Event()
    other = threading.Thread(target=use)
    other.start()
    is_used.wait(30)

    Executor(three.database, three.folder, tell=tell, lock_timeout=0.2).migrate("0002")
    other.join()

    assert three.lines[-1] == "  a table is in use; trying again…"
    assert _names(three) == ["0001_initial", "0002_year"]
