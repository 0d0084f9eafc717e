"""A migration that is killed at any of its statements, and run again: nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from migration_histories import History, Models

from segue import db
from segue.db import migrations as m
from segue.db.database import Database
from segue.db.migrations.executor import Executor, steps_of
from segue.db.migrations.files import MigrationError
from segue.db.migrations.historic import Historic
from segue.db.migrations.journal import Journal
from segue.db.migrations.session import Session

Read = Callable[[Database], dict[str, Any]]
Fresh = Callable[[Iterable[Any]], dict[str, Any]]

ROWS = 20
POINTS = 6


class Killed(BaseException):
    """Stands for a process that ends here."""


class Dying(Session):
    """A session whose process ends at a statement of its migration.

    Attributes:
        left: How many statements it still runs; `None` runs all, and counts them.
        is_late: Whether it ends behind the statement, before anybody hears of it.
    """

    left: int | None = None
    is_late: bool = False
    count: int = 0

    def command(self, sql: str) -> None:
        self.count += 1
        is_last = self.left is not None and self.count > self.left
        if is_last and not self.is_late:
            raise Killed
        super().command(sql)
        if is_last:
            raise Killed


def _executor(history: History, left: int | None = None, *, is_late: bool = False) -> Executor:
    executor = history.executor
    session = Dying(executor.database)
    session.left, session.is_late = left, is_late
    executor.session, executor.journal = session, Journal(session)
    return executor


def _write(history: History) -> None:
    """A first migration, applied, with rows; and a second one that does about everything."""
    models = Models()
    models.add("Musician", name=db.CharField(max_length=50))
    models.add(
        "Record",
        title=db.CharField(max_length=100),
        year=db.IntegerField(null=True),
        leader=db.ForeignKey("Musician", on_delete=db.CASCADE, null=True, related_name="records"),
        players=db.ManyToManyField("Musician", related_name="played"),
    )
    history.make(models.all, "initial")
    history.migrate()
    made = history.models()
    duke = made.Musician.objects.create(name="Duke")
    made.Record.objects.bulk_create([made.Record(title=f"t{number}", leader=duke) for number in range(ROWS)])
    history.write(
        """
def upper(models):
    for record in models.Record.objects.all():
        record.title += "!"
        record.save()

def back(models):
    for record in models.Record.objects.all():
        record.title = record.title.removesuffix("!")
        record.save()

operations = [
    migrations.add_column("Record", "size", db.IntegerField(), fill=7),
    migrations.alter_column("Record", "year", db.IntegerField(), fill=1935),
    migrations.run_python(upper, back),
    migrations.alter_column("Record", "size", name="weight"),
    migrations.add_index("Record", db.Index(fields=["weight"], name="ix_weight")),
    migrations.add_constraint("Record", db.CheckConstraint(condition=db.Q(weight__gte=1), name="ck_weight")),
    migrations.add_constraint("Record", db.UniqueConstraint(fields=["title"], name="uq_title")),
    migrations.rename_table("Record", "Album"),
    migrations.create_table("Label", fields={"id": db.BigAutoField(), "name": db.CharField(max_length=9)}),
    migrations.add_column("Album", "label", db.ForeignKey("label", on_delete=db.CASCADE, null=True)),
]"""
    )


def _check(history: History) -> None:
    models = history.models()
    albums = list(models.Album.objects.order_by("pk").values_list("title", "year", "weight", "leader__name"))
    assert albums == [(f"t{number}!", 1935, 7, "Duke") for number in range(ROWS)]
    models.Album.objects.get(title="t0!").players.add(models.Musician.objects.get())


@pytest.fixture
def written(history: History) -> History:
    _write(history)
    return history


def _statements(history: History, *, backwards: bool = False) -> int:
    """How many statements the second migration has."""
    return _statements_of(history, "0002_code", backwards=backwards)


def _statements_of(history: History, name: str, *, backwards: bool = False) -> int:
    assert history.database is not None
    graph = history.graph
    groups = steps_of(graph[name], graph.before(name), history.database.dialect, backwards=backwards)
    return sum(bool(step.sql) for _, steps in groups for step in steps)


@pytest.mark.slow
@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_migration_completes_when_it_is_run_again(
    written: History, point: int, is_late: bool, fresh: Fresh, schema: Read
) -> None:
    assert written.database is not None
    with pytest.raises(Killed):
        _executor(written, _statements(written) * point // POINTS, is_late=is_late).migrate()

    written.migrate()

    _check(written)
    tables = schema(written.database)
    written.migrate("zero")
    assert tables == fresh(list(Historic(written.graph.state())))


@pytest.mark.slow
@pytest.mark.parametrize("point", range(POINTS))
def test_taking_back_completes_when_it_is_run_again(written: History, point: int) -> None:
    written.migrate()
    count = _statements(written, backwards=True)
    with pytest.raises(Killed):
        _executor(written, count * point // POINTS, is_late=True).migrate("0001")

    written.migrate("0001")

    titles = list(written.models("0001_initial").Record.objects.order_by("pk").values_list("title", flat=True))
    assert titles == [f"t{number}" for number in range(ROWS)]


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", range(1, POINTS))
def test_what_an_interrupted_migration_did_is_taken_back(
    written: History, point: int, is_late: bool, schema: Read
) -> None:
    assert written.database is not None
    before = schema(written.database)
    with pytest.raises(Killed):
        _executor(written, _statements(written) * point // POINTS, is_late=is_late).migrate()

    written.executor.undo()

    assert schema(written.database) == before
    titles = list(written.models("0001_initial").Record.objects.order_by("pk").values_list("title", flat=True))
    assert titles == [f"t{number}" for number in range(ROWS)]
    assert not _is_noted(written)


def test_where_nothing_was_interrupted_there_is_nothing_to_undo(written: History) -> None:
    with pytest.raises(MigrationError, match="No migration was interrupted"):
        written.executor.undo()


# The journal


def test_a_file_that_changed_meanwhile_is_not_gone_on_with(written: History, vendor: str) -> None:
    steps = {"sqlite": 0, "postgresql": 12, "mysql": 5}[vendor]
    with pytest.raises(Killed):
        _executor(written, steps).migrate()
    path = written.folder / "0002_code.py"
    before = path.read_text()
    path.write_text(before + "\n# changed\n")
    interrupted = _is_noted(written)

    outcome = _outcome(written)

    assert outcome == ("data/migration-changed" if interrupted else "done")


def _is_noted(history: History) -> bool:
    executor = history.executor
    with executor.session.opened():
        return executor.journal.progress() is not None


def _outcome(history: History) -> str:
    try:
        history.migrate()
    except MigrationError as error:
        return error.code
    return "done"


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_an_index_whose_build_was_interrupted_is_built_anew(history: History, servers: Any, vendor: str) -> None:
    models = Models()
    models.add("Record", title=db.CharField(max_length=100))
    history.make(models.all, "initial")
    history.migrate()
    for _ in range(2):
        history.models().Record.objects.create(title="twice")
    history.add(m.add_constraint("Record", db.UniqueConstraint(fields=["title"], name="uq_title")))
    with pytest.raises(MigrationError, match="Add constraint uq_title"):
        history.migrate()
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    assert servers(vendor).execute(invalid) == [(1,)]

    history.models("0001_initial").Record.objects.first().delete()
    history.migrate()

    assert servers(vendor).execute(invalid) == [(0,)]
    assert list(history.executor.applied()) == ["0001_initial", "0002_by_hand"]


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_where_tables_can_be_changed_in_a_transaction_nothing_is_half_done(history: History, vendor: str) -> None:
    models = Models()
    models.add("Record", title=db.CharField(max_length=100))
    history.make(models.all, "initial")
    history.migrate()
    history.write(
        "def fail(models):\n    raise ValueError\n\noperations = [\n"
        '    migrations.add_column("Record", "a", db.IntegerField(default=1)),\n'
        '    migrations.rename_table("Record", "Album"),\n    migrations.run_python(fail),\n]'
    )

    with pytest.raises(MigrationError):
        history.migrate()

    assert not _is_noted(history)
    assert history.models("0001_initial").Record.objects.count() == 0


def test_what_was_made_by_hand_stays_though_each_step_is_a_transaction(on_sqlite: History) -> None:
    models = Models()
    models.add("Record", title=db.CharField(max_length=100), year=db.IntegerField(default=1))
    on_sqlite.make(models.all, "initial")
    on_sqlite.migrate()
    assert on_sqlite.database is not None
    on_sqlite.database.execute("CREATE INDEX by_hand ON record (title)")
    on_sqlite.add(m.alter_column("Record", "year", db.IntegerField(null=True)), atomic=False)
    with pytest.raises(Killed):
        _executor(on_sqlite, _statements_of(on_sqlite, "0002_by_hand") - 1, is_late=True).migrate()

    on_sqlite.migrate()

    assert on_sqlite.database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'by_hand'").scalar() == 1


# Who migrates at the same time


def test_two_who_resume_at_once_do_it_once(written: History) -> None:
    with pytest.raises(Killed):
        _executor(written, _statements(written) // 2, is_late=True).migrate()
    failed: list[BaseException] = []

    def migrate() -> None:
        try:
            written.executor.migrate()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failed == []
    _check(written)


def test_who_waits_too_long_is_told_who_is_in_the_way(written: History) -> None:
    executor = written.executor
    executor.session.wait = 0.2

    with (
        written.executor.session.opened(),
        pytest.raises(MigrationError, match="Another process is migrating") as caught,
    ):
        executor.migrate()

    assert caught.value.code == "data/migration-locked"


def test_the_lock_of_a_file_leaves_nothing_behind(on_sqlite: History) -> None:
    _write(on_sqlite)

    on_sqlite.migrate()

    assert on_sqlite.database is not None
    assert not Path(f"{on_sqlite.database.name}-migrating").exists()
