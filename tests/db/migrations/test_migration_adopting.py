"""Existing tables: models written for them, and Alembic's history continued."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from migration_histories import History, Models

from segue import db
from segue.db.database import Database
from segue.db.functions import Lower
from segue.db.migrations.adopting import adopt
from segue.db.migrations.files import MigrationError
from segue.db.migrations.inspecting import inspect_database
from segue.db.schema import create_all, drop_all

Read = Callable[[Database], dict[str, Any]]


def _make(database: Database, models: list[Any]) -> None:
    with database.connection() as connection:
        create_all(connection, models)
        connection.commit()


def _drop(database: Database, models: list[Any]) -> None:
    with database.connection() as connection:
        drop_all(connection, models)
        connection.commit()


def _run(source: str) -> list[Any]:
    """The models of a source, as a module of its own."""
    module = ModuleType("inspected_models")
    sys.modules[module.__name__] = module
    exec(compile(source, "inspected_models.py", "exec"), vars(module))
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, db.Model)]
    return [each for each in found if each.__module__ == module.__name__]


@pytest.fixture
def club(declare: Models) -> list[Any]:
    """Models with about everything a table can have."""
    declare.add("Musician", name=db.CharField(max_length=50, db_comment="Who"), slug=db.SlugField(unique=True))
    declare.add(
        "Record",
        meta={
            "constraints": [
                db.UniqueConstraint(fields=["title", "year"], name="uq_both"),
                db.CheckConstraint(condition=db.Q(year__gte=1900), name="ck_year"),
            ],
            "indexes": [db.Index(fields=["-year", "title"], name="ix_by_year")],
            "db_table_comment": "Long playing",
        },
        title=db.CharField(max_length=100),
        text=db.TextField(null=True),
        year=db.IntegerField(db_index=True, db_default=1900),
        size=db.PositiveSmallIntegerField(null=True),
        large=db.BigIntegerField(null=True),
        price=db.DecimalField(max_digits=8, decimal_places=2, default=Decimal(1)),
        ratio=db.FloatField(null=True),
        made=db.DateTimeField(null=True),
        day=db.DateField(null=True),
        hour=db.TimeField(null=True),
        key=db.UUIDField(null=True),
        facts=db.JSONField(null=True),
        cover=db.BinaryField(null=True),
        good=db.BooleanField(default=False),
        leader=db.ForeignKey("Musician", on_delete=db.DB_CASCADE, null=True, related_name="+"),
        second=db.ForeignKey("Musician", on_delete=db.CASCADE, related_name="+", db_column="second"),
        parent=db.ForeignKey("self", on_delete=db.CASCADE, null=True, related_name="+"),
    )
    declare.add("Seat", row=db.IntegerField(), number=db.IntegerField(), pk=db.CompositePrimaryKey("row", "number"))
    declare.add("Guest", seat=db.ForeignKey("Seat", on_delete=db.DB_CASCADE, null=True, related_name="+"))
    declare.add(
        "Ticket",
        row=db.IntegerField(),
        price=db.IntegerField(),
        seat=db.OneToOneField("Seat", on_delete=db.CASCADE, db_columns=("row", "seat_number"), related_name="+"),
    )
    declare.add("Detail", record=db.OneToOneField("Record", on_delete=db.CASCADE, primary_key=True, related_name="+"))
    return declare.all


def test_tables_of_inspected_models_are_those_that_were_inspected(
    club: list[Any], database: Database, schema: Read
) -> None:
    _make(database, club)
    before = schema(database)

    models = _run(inspect_database(database))
    _drop(database, club)
    _make(database, models)

    assert schema(database) == before


def test_after_inspecting_there_are_no_changes(club: list[Any], history: History) -> None:
    assert history.database is not None
    _make(history.database, club)
    models = _run(inspect_database(history.database))

    history.make(models, "initial")
    history.migrate()

    assert history.lines == ["Note 0001_initial; nothing is done"]
    assert history.make(models, "again") == []


def test_some_tables_are_chosen_by_name(club: list[Any], database: Database) -> None:
    _make(database, club)

    source = inspect_database(database, ["musician"])

    assert "class Musician(db.Model)" in source
    assert "class Record" not in source


def test_a_table_that_is_not_there_is_named(database: Database) -> None:
    with pytest.raises(MigrationError, match="no table 'nothing'"):
        inspect_database(database, ["nothing"])


def test_tables_can_be_left_to_whoever_made_them(club: list[Any], history: History) -> None:
    assert history.database is not None
    _make(history.database, club)

    models = _run(inspect_database(history.database, managed=False))

    assert {model._meta.managed for model in models} == {False}


# SQLAlchemy cannot read them elsewhere.
@pytest.mark.parametrize("vendor", ["postgresql"])
def test_indexes_of_some_rows_and_of_expressions_are_inspected(
    declare: Models, database: Database, schema: Read
) -> None:
    declare.add(
        "Record",
        meta={
            "constraints": [
                db.UniqueConstraint(Lower("title"), name="uq_low"),
                db.UniqueConstraint(fields=["title"], condition=db.Q(year=1), name="uq_one"),
            ],
            "indexes": [db.Index(fields=["year"], condition=db.Q(year__gte=2), name="ix_two")],
        },
        title=db.CharField(max_length=100),
        year=db.IntegerField(default=1),
    )
    _make(database, declare.all)
    before = schema(database)

    models = _run(inspect_database(database))
    _drop(database, declare.all)
    _make(database, models)

    assert schema(database) == before


def test_the_order_of_an_index_is_inspected(declare: Models, database: Database) -> None:
    declare.add(
        "Record",
        meta={"indexes": [db.Index(fields=["-year", "title"], name="ix_both")]},
        title=db.CharField(max_length=100),
        year=db.IntegerField(),
    )
    _make(database, declare.all)

    assert 'db.Index(fields=["-year", "title"], name="ix_both")' in inspect_database(database)


@pytest.mark.parametrize("column", ["class", "2nd", "a__b", "save", "ends_", "Größe", "with space"])
def test_any_name_of_a_column_becomes_one_of_a_field(on_sqlite: History, column: str) -> None:
    assert on_sqlite.database is not None
    on_sqlite.database.execute(f'CREATE TABLE thing (id INTEGER PRIMARY KEY, "{column}" TEXT)')

    (model,) = _run(inspect_database(on_sqlite.database))
    model.objects.create(**{model._meta.fields[1].name: "x"})

    assert on_sqlite.database.execute(f'SELECT "{column}" FROM thing').scalar() == "x"


# Alembic


@pytest.fixture
def alembic(tmp_path: Path) -> Path:
    """A history of Alembic with two revisions."""
    folder = tmp_path / "alembic"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text("raise SystemExit('it is never run')")
    for revision, before in (("aaa111", None), ("bbb222", "aaa111")):
        (folder / "versions" / f"{revision}_x.py").write_text(
            f"revision = {revision!r}\ndown_revision = {before!r}\n\ndef upgrade():\n    raise SystemExit('never')\n"
        )
    return folder


def _at(database: Database, revision: str) -> None:
    database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    database.execute("INSERT INTO alembic_version VALUES (:revision)", {"revision": revision})


def _record(**fields: object) -> list[Any]:
    models = Models()
    models.add("Record", title=db.CharField(max_length=100), **fields)
    return models.all


def test_a_history_of_alembic_goes_on_and_none_of_it_runs_again(history: History, alembic: Path) -> None:
    assert history.database is not None
    _make(history.database, _record())
    _at(history.database, "bbb222")

    adopt(history.database, history.folder, alembic, _record())
    history.make(_record(year=db.IntegerField(default=3)), "year")
    history.migrate()

    assert history.lines == ["Apply 0002_year…"]
    assert list(history.executor.applied()) == ["0001_adopted_bbb222", "0002_year"]
    history.models().Record.objects.create(title="x")


def test_a_database_that_is_behind_is_refused(history: History, alembic: Path) -> None:
    assert history.database is not None
    _at(history.database, "aaa111")

    with pytest.raises(MigrationError, match="is at aaa111 of Alembic's history, which ends at bbb222") as caught:
        adopt(history.database, history.folder, alembic, _record())

    assert caught.value.hint == "alembic upgrade head"


def test_models_that_the_tables_do_not_have_are_refused(history: History, alembic: Path) -> None:
    assert history.database is not None
    _make(history.database, _record())
    _at(history.database, "bbb222")

    with pytest.raises(MigrationError, match=r"no column record\.year"):
        adopt(history.database, history.folder, alembic, _record(year=db.IntegerField()))


def test_a_folder_without_a_history_is_refused(on_sqlite: History, tmp_path: Path) -> None:
    assert on_sqlite.database is not None
    with pytest.raises(MigrationError, match="holds no history of Alembic"):
        adopt(on_sqlite.database, on_sqlite.folder, tmp_path, _record())
