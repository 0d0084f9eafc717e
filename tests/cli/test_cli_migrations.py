"""The commands about migrations and rows, in a project of their own, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Project = Callable[..., Path]
Command = Callable[..., Result]

APP = """
from segue import App, db

app = App(__name__, database="sqlite:///club.db")


class Musician(db.Model):
    name = db.CharField(max_length=100)


class Record(db.Model):
    titel = db.CharField(max_length=200)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, null=True, related_name="records")
"""
RENAMED = APP.replace("titel", "title")
TOUCH = "\n\n@app.command\ndef touch():\n    app.db.create_all()\n"
GROWN = APP.replace("    leader", "    year = db.IntegerField(default=1935)\n    leader")


@pytest.fixture
def club(project: Project, command: Command) -> Callable[[str], Path]:
    """A project whose app is the text that is given, as a new process would load it."""

    def write(text: str) -> Path:
        import sys

        from segue.db.registry import _registries  # as in a new process, the classes before are gone

        sys.modules.pop("app", None)
        registry = _registries.get("app")
        if registry is not None:
            registry._models.clear()
        return project(app=text)

    return write


@pytest.fixture
def migrated(club: Callable[[str], Path], command: Command) -> Path:
    """A project with a first migration that was applied."""
    folder = club(APP)
    assert command("makemigrations").exit_code == 0
    assert command("migrate").exit_code == 0
    return folder


def _tables(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "club.db") as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


# makemigrations


def test_the_first_migration_makes_the_tables_of_the_models(club: Callable[[str], Path], command: Command) -> None:
    folder = club(APP)

    result = command("makemigrations")

    assert result.output.splitlines() == [
        f"{folder}/migrations/0001_initial.py",
        "  Create Musician",
        "  Create Record",
    ]
    assert sorted(path.name for path in (folder / "migrations").iterdir()) == ["0001_initial.json", "0001_initial.py"]
    assert not (folder / "club.db").exists()


def test_without_changes_nothing_is_written(migrated: Path, command: Command) -> None:
    assert command("makemigrations").output == "No changes.\n"


def test_check_ends_with_one_where_something_changed(
    migrated: Path, club: Callable[[str], Path], command: Command
) -> None:
    before = command("makemigrations", "--check").exit_code
    club(GROWN)

    after = command("makemigrations", "--check")

    assert (before, after.exit_code) == (0, 1)
    assert 'migrations.add_column("Record", "year", db.IntegerField(default=1935))' in after.output
    assert len(list((migrated / "migrations").glob("*.py"))) == 1


def test_a_rename_without_an_answer_ends_with_one(
    migrated: Path, club: Callable[[str], Path], command: Command
) -> None:
    club(RENAMED)

    result = command("makemigrations", "--no-input")

    assert result.exit_code == 1
    assert "--rename record.titel:title" in result.output
    assert len(list((migrated / "migrations").glob("*.py"))) == 1


def test_a_rename_that_is_said_is_one_alter_column(
    migrated: Path, club: Callable[[str], Path], command: Command
) -> None:
    folder = club(RENAMED)

    command("makemigrations", "--no-input", "--rename", "record.titel:title", "--name", "title")

    text = (folder / "migrations" / "0002_title.py").read_text()
    assert text.count("migrations.alter_column(") == 1
    assert 'migrations.alter_column("Record", "titel", name="title")' in text


def test_a_rename_of_nothing_is_an_error(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(GROWN)

    result = command("makemigrations", "--rename", "record.nothing:title")

    assert result.exit_code == 1
    assert "nothing of that name is gone" in result.output


def test_a_value_for_rows_that_are_there_is_said(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(GROWN.replace("default=1935", ""))

    refused = command("makemigrations", "--no-input")
    result = command("makemigrations", "--no-input", "--default", "record.year=1900", "--dry-run")

    assert (refused.exit_code, result.exit_code) == (1, 0)
    assert "fill=1900" in result.output


def test_an_empty_migration_is_for_code(migrated: Path, command: Command) -> None:
    command("makemigrations", "--empty", "--name", "fill")

    assert "operations = []" in (migrated / "migrations" / "0002_fill.py").read_text()


def test_two_heads_end_with_one_and_name_both_files(
    migrated: Path, club: Callable[[str], Path], command: Command
) -> None:
    command("makemigrations", "--empty", "--name", "a")
    path = migrated / "migrations" / "0002_a.py"
    for suffix in (".py", ".json"):
        (path.parent / f"0002_b{suffix}").write_text(path.with_suffix(suffix).read_text())

    refused = command("migrate")
    merged = command("makemigrations", "--merge")

    assert refused.exit_code == 1
    assert "0002_a.py" in refused.output
    assert "0002_b.py" in refused.output
    assert merged.output.strip().endswith("0003_merge.py")
    assert command("migrate").exit_code == 0


def test_a_drop_is_split_in_two(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(APP.replace("    titel = db.CharField(max_length=200)\n", ""))
    command("makemigrations", "--name", "drop")

    result = command("makemigrations", "--split", "0002_drop")

    assert [Path(line).name for line in result.output.splitlines()] == ["0002_drop.py", "0003_drop_record_titel.py"]


def test_snapshots_are_written_anew(migrated: Path, command: Command) -> None:
    path = migrated / "migrations" / "0001_initial.py"
    path.write_text(path.read_text().replace("max_length=200", "max_length=150"))

    refused = command("makemigrations", "--check")
    mended = command("makemigrations", "--resnapshot")

    assert refused.exit_code == 1
    assert mended.output == "Written: 0001_initial.\n"


# migrate and those that look


def test_without_migrations_the_command_to_type_is_named(club: Callable[[str], Path], command: Command) -> None:
    club(APP)

    result = command("migrate")

    assert result.exit_code == 1
    assert "segue makemigrations" in result.output


def test_migrate_brings_the_tables_and_says_what_it_does(club: Callable[[str], Path], command: Command) -> None:
    folder = club(APP)
    command("makemigrations")

    result = command("migrate")

    assert result.output == "Apply 0001_initial…\n"
    assert {"musician", "record", "segue_migrations"} <= _tables(folder)


def test_a_second_run_says_that_there_is_nothing_to_do(migrated: Path, command: Command) -> None:
    assert command("migrate").output == "Nothing to do.\n"


def test_models_that_changed_since_are_mentioned(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    command("makemigrations", "--empty", "--name", "a")
    club(GROWN)

    assert command("migrate").output.endswith("The models have changed since: segue makemigrations.\n")


def test_check_and_plan_do_nothing(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(GROWN)
    command("makemigrations", "--name", "year")

    check, plan = command("migrate", "--check"), command("migrate", "--plan")

    assert (check.exit_code, plan.exit_code) == (1, 0)
    assert plan.output.startswith(
        "Apply 0002_year\n  Add Record.year\n    lock: writers, rewrite: yes, record: about 0"
    )
    assert "[ ] 0002_year" in command("showmigrations").output


def test_all_is_taken_back_with_zero(migrated: Path, command: Command) -> None:
    command("migrate", "zero")

    assert "record" not in _tables(migrated)
    assert command("showmigrations").output == "[ ] 0001_initial\n"


def test_faking_is_shown(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(GROWN)
    command("makemigrations", "--name", "year")

    result = command("migrate", "--fake")

    assert result.output == "Note 0002_year; nothing is done\n"


def test_migrations_are_listed_as_json(migrated: Path, command: Command) -> None:
    path = migrated / "migrations" / "0001_initial.py"
    path.write_text(path.read_text() + "# changed\n")

    rows = json.loads(command("showmigrations", "--json").stdout)

    assert rows == {"default": [{"name": "0001_initial", "applied": True, "changed": True, "missing": False}]}


def test_the_sql_of_a_migration_is_printed_both_ways(migrated: Path, command: Command) -> None:
    forwards, backwards = command("sqlmigrate", "0001").output, command("sqlmigrate", "0001", "--backwards").output

    assert "-- Create Record\nCREATE TABLE record (" in forwards
    assert backwards == "-- Create Record\nDROP TABLE record;\n-- Create Musician\nDROP TABLE musician;\n"


def test_migrations_are_squashed(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(GROWN)
    command("makemigrations", "--name", "year")
    command("migrate")

    result = command("squashmigrations", "0002")

    assert result.output.splitlines()[0].endswith("0003_squashed_0002.py")
    assert command("migrate").output == "Nothing to do.\n"
    assert command("showmigrations").output == "[X] 0003_squashed_0002\n"


def test_a_rehearsal_that_blocks_ends_with_one(migrated: Path, club: Callable[[str], Path], command: Command) -> None:
    club(APP.replace("    titel = db.CharField(max_length=200)\n", ""))
    command("makemigrations", "--name", "drop")

    result = command("migrate", "--rehearse")

    assert result.exit_code == 1
    assert "blocked: SELECT of Record" in result.output


def test_a_failing_check_stops_migrate(club: Callable[[str], Path], command: Command) -> None:
    club(APP)
    command("makemigrations")
    club(
        APP + "\nfrom segue.errors import Finding\n\n@app.check\ndef never(app):\n"
        '    return [Finding("app/no", "error", "It must not.", "Do not.", "")]\n'
    )

    refused, forced = command("migrate"), command("migrate", "--skip-checks")

    assert (refused.exit_code, forced.exit_code) == (1, 0)


def test_tables_that_were_made_without_migrations_are_taken_over(club: Callable[[str], Path], command: Command) -> None:
    folder = club(APP + TOUCH)
    assert command("touch").exit_code == 0
    before = _tables(folder)
    command("makemigrations")

    result = command("migrate")

    assert {"musician", "record"} <= before
    assert result.output == "Note 0001_initial; nothing is done\n"


# Several databases

TWO = """
from segue import App, db

app = App(__name__, database={"default": "sqlite:///club.db", "archive": "sqlite:///archive.db"})


class Musician(db.Model):
    name = db.CharField(max_length=100)


class Event(db.Model):
    text = db.CharField(max_length=100)

    class Meta:
        database = "archive"
"""


def test_each_database_has_its_own_migrations(club: Callable[[str], Path], command: Command) -> None:
    folder = club(TWO)

    command("makemigrations")
    command("migrate")

    found = sorted(str(path.relative_to(folder)) for path in (folder / "migrations").rglob("*.py"))
    assert found == ["migrations/0001_initial.py", "migrations/archive/0001_initial.py"]
    assert "musician" in _tables(folder)
    assert "event" not in _tables(folder)
    with sqlite3.connect(folder / "archive.db") as archive:
        assert archive.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_one_of_several_databases_is_chosen(club: Callable[[str], Path], command: Command) -> None:
    folder = club(TWO)
    command("makemigrations")

    command("migrate", "--database", "archive")

    assert not (folder / "club.db").exists() or "musician" not in _tables(folder)
    assert "[ ] 0001_initial" in command("showmigrations", "--database", "default").output
    assert "[X] 0001_initial" in command("showmigrations", "--database", "archive").output


def test_an_unknown_database_is_answered_with_the_nearest(club: Callable[[str], Path], command: Command) -> None:
    club(TWO)

    result = command("migrate", "--database", "archiv")

    assert result.exit_code == 1
    assert "Did you mean archive?" in result.output


# Rows


def test_rows_are_dumped_flushed_and_loaded(migrated: Path, command: Command) -> None:
    with sqlite3.connect(migrated / "club.db") as connection:
        connection.execute("INSERT INTO musician (id, name) VALUES (7, 'Duke')")
        connection.commit()
    command("dumpdata", "-o", "all.json", "--indent", "1")
    before = (migrated / "all.json").read_bytes()

    flushed = command("flush", "--yes")
    loaded = command("loaddata", "all.json")
    command("dumpdata", "-o", "again.json", "--indent", "1")

    assert (flushed.output, loaded.output) == ("2 tables are empty.\n", "all.json: 1 rows.\n")
    assert (migrated / "again.json").read_bytes() == before


def test_flushing_asks_first(migrated: Path, command: Command) -> None:
    result = command("flush", input="n\n")

    assert result.exit_code == 1
    assert "Delete all rows in" in result.output


def test_a_dump_is_of_the_models_that_are_named(migrated: Path, command: Command) -> None:
    with sqlite3.connect(migrated / "club.db") as connection:
        connection.execute("INSERT INTO musician (id, name) VALUES (7, 'Duke')")
        connection.commit()

    everything = json.loads(command("dumpdata").stdout)
    others = json.loads(command("dumpdata", "--exclude", "musician").stdout)
    wrong = command("dumpdata", "musicain")

    assert [each["model"] for each in everything] == ["musician"]
    assert others == []
    assert wrong.exit_code == 2
    assert "Did you mean musician?" in wrong.output


def test_models_of_tables_are_printed(migrated: Path, command: Command) -> None:
    result = command("inspectdb", "record", "musician")

    assert "class Record(db.Model):" in result.stdout
    assert "class Meta:" in result.stdout
    compile(result.stdout, "models.py", "exec")


def test_a_history_of_alembic_is_adopted(club: Callable[[str], Path], command: Command) -> None:
    folder = club(APP + TOUCH)
    command("touch")
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    (versions / "aaa_x.py").write_text("revision = 'aaa'\ndown_revision = None\n")
    with sqlite3.connect(folder / "club.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('aaa')")
        connection.commit()

    result = command("migrate", "--adopt", "alembic")

    assert result.exit_code == 0, result.output
    assert command("showmigrations").output == "[X] 0001_adopted_aaa\n"
    assert command("makemigrations", "--check").exit_code == 0
