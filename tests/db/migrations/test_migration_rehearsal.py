"""Trying migrations on a copy, and drops in two steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from migration_histories import History, Models

from segue import db
from segue.db.database import Database
from segue.db.migrations.making import Maker
from segue.db.migrations.rehearsing import rehearse


def _record(**fields: object) -> list[object]:
    models = Models()
    models.add("Musician", name=db.CharField(max_length=50))
    leader = db.ForeignKey("Musician", on_delete=db.CASCADE, null=True, related_name="records")
    models.add("Record", title=db.CharField(max_length=100), leader=leader, **fields)
    return models.all


@pytest.fixture
def there(history: History) -> History:
    """A history whose first migration was applied, with rows."""
    history.make(_record(year=db.IntegerField(default=1)), "initial")
    history.migrate()
    models = history.models()
    duke = models.Musician.objects.create(name="Duke")
    for title in "abc":
        models.Record.objects.create(title=title, leader=duke)
    return history


def _rehearse(history: History) -> tuple[bool, list[str]]:
    lines: list[str] = []
    assert history.database is not None
    return rehearse(history.database, history.folder, tell=lines.append), lines


def test_what_is_pending_runs_up_down_and_up_on_a_copy(
    there: History, schema: Callable[[Database], dict[str, Any]]
) -> None:
    there.make(_record(year=db.IntegerField(default=1), more=db.IntegerField(null=True)), "more")
    assert there.database is not None
    before = schema(there.database)

    is_well, lines = _rehearse(there)

    assert (is_well, lines) == (
        True,
        [
            "up: 0002_more",
            "down: 0002_more",
            "up: 0002_more",
            "The queries of the release before run on the new tables.",
        ],
    )
    assert schema(there.database) == before


def test_a_dropped_column_that_the_release_before_selects_is_blocked_with_a_plan(there: History) -> None:
    there.make(_record(), "drop")

    is_well, lines = _rehearse(there)

    assert not is_well
    assert any(line.startswith("blocked: SELECT of Record (record)") for line in lines)
    assert lines[-3:] == [
        "0002_drop in two steps (segue makemigrations --split 0002_drop):",
        "  1. with this release: Retire Record.year",
        "  2. with the next one: Drop Record.year",
    ]


def test_a_drop_that_was_split_is_let_through(there: History) -> None:
    there.make(_record(), "drop")

    paths = Maker(there.folder).split("0002_drop")
    there.migrate("0002_drop")

    assert [path.name for path in paths] == ["0002_drop.py", "0003_drop_record_year.py"]
    assert there.models("0002_drop").Record.objects.filter(title="a").values_list("year", flat=True)[0] == 1
    assert there.make(_record()) == []


def test_the_first_of_two_steps_passes_the_rehearsal(there: History) -> None:
    there.make(_record(), "drop")
    Maker(there.folder).split("0002_drop")
    second = there.folder / "0003_drop_record_year.py"
    second.rename(there.folder / "later.txt")

    is_well, _ = _rehearse(there)

    assert is_well


def test_code_is_rehearsed_on_the_rows_that_are_there(there: History) -> None:
    there.write(
        "def fill(models):\n    if models.Record.objects.filter(leader__name='Duke').count() != 3:\n"
        "        raise ValueError\n\noperations = [migrations.run_python(fill, migrations.noop)]"
    )

    is_well, _ = _rehearse(there)

    assert is_well


def test_a_migration_without_a_way_back_is_only_run_up(there: History) -> None:
    there.write("def fill(models):\n    pass\n\noperations = [migrations.run_python(fill)]")

    _, lines = _rehearse(there)

    assert lines[:2] == ["up: 0002_code", "down: skipped, there is no way back"]


def test_the_copy_is_gone_afterwards(there: History, vendor: str, servers: Any) -> None:
    there.make(_record(), "drop")

    _rehearse(there)

    if vendor == "postgresql":
        assert servers(vendor).execute("SELECT 1 FROM pg_database WHERE datname LIKE '%\\_rehearsal\\_%'") == []
    elif vendor == "mysql":
        assert servers(vendor).execute("SHOW DATABASES LIKE '%\\_rehearsal\\_%'") == []
