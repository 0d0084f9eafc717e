"""The history: heads, merges, squashed migrations, snapshots, files."""

from __future__ import annotations

from pathlib import Path

import pytest
from migration_histories import History, Models

from segue import db
from segue.db import migrations
from segue.db.migrations.files import Migration, MigrationError, write_migration
from segue.db.migrations.graph import Graph
from segue.db.migrations.making import Maker
from segue.db.migrations.operations import Operation
from segue.db.migrations.squashing import squash
from segue.errors import SetupError


def _record(**fields: object) -> list[object]:
    models = Models()
    models.add("Record", title=db.CharField(max_length=100), **fields)
    return models.all


def _branch(history: History, parent: str, name: str, *operations: Operation) -> None:
    """Enter a migration after *parent*, whatever came since."""
    migration = Migration(name, [parent], operations)
    write_migration(history.folder, migration, migration.states(history.graph.state([parent]))[-1])


def _add(field: str) -> Operation:
    return migrations.add_column("Record", field, db.IntegerField(default=1))


@pytest.fixture
def forked(files: History) -> History:
    """Two branches that each added a column."""
    files.make(_record(), "initial")
    _branch(files, "0001_initial", "0002_year", _add("year"))
    _branch(files, "0001_initial", "0002_size", _add("size"))
    return files


# Two heads


def test_two_heads_are_found_before_anything_runs(history: History) -> None:
    history.make(_record(), "initial")
    _branch(history, "0001_initial", "0002_year", _add("year"))
    _branch(history, "0001_initial", "0002_size", _add("size"))

    with pytest.raises(MigrationError, match="2 heads: 0002_size and 0002_year") as caught:
        history.migrate()

    assert caught.value.where == f"{history.folder}/0002_size.py and {history.folder}/0002_year.py"
    assert list(history.executor.applied()) == []


def test_no_migration_is_made_after_two_heads(forked: History) -> None:
    with pytest.raises(MigrationError) as caught:
        forked.make(_record())

    assert caught.value.hint == "segue makemigrations --merge"


def test_a_merge_has_both_as_parents_and_the_changes_of_both(forked: History) -> None:
    maker = Maker(forked.folder)

    maker.write(maker.merge())

    assert forked.graph.parents("0003_merge") == ("0002_size", "0002_year")
    assert set(forked.graph.state()["record"]["fields"]) == {"id", "title", "size", "year"}


def test_a_merge_of_what_contradicts_is_refused_by_name(files: History) -> None:
    files.make(_record(), "initial")
    text = [migrations.alter_column("Record", "title", db.CharField(max_length=each)) for each in (10, 20)]
    _branch(files, "0001_initial", "0002_a", text[0])
    _branch(files, "0001_initial", "0002_b", text[1])

    with pytest.raises(MigrationError, match=r"0002_a and 0002_b contradict each other: record\.title") as caught:
        Maker(files.folder).merge()

    assert "Delete 0002_b" in caught.value.hint


def test_the_same_column_on_both_branches_is_a_contradiction(files: History) -> None:
    files.make(_record(), "initial")
    _branch(files, "0001_initial", "0002_a", _add("year"))
    _branch(files, "0001_initial", "0002_b", _add("year"))

    with pytest.raises(MigrationError, match=r"record\.year"):
        Maker(files.folder).merge()


def test_there_is_nothing_to_merge_with_one_head(files: History) -> None:
    files.make(_record(), "initial")

    with pytest.raises(MigrationError, match="nothing to merge"):
        Maker(files.folder).merge()


def test_branches_are_applied_in_either_order(history: History) -> None:
    history.make(_record(), "initial")
    _branch(history, "0001_initial", "0002_year", _add("year"))
    history.migrate()
    history.models().Record.objects.create(title="x", year=7)
    _branch(history, "0001_initial", "0002_size", _add("size"))
    maker = Maker(history.folder)
    maker.write(maker.merge())

    history.migrate()

    found = history.models().Record.objects.get()
    assert (found.title, found.year, found.size) == ("x", 7, 1)


def test_a_merge_of_merges_finds_what_they_have_in_common(files: History) -> None:
    files.make(_record(), "initial")
    _branch(files, "0001_initial", "0002_a", _add("a"))
    _branch(files, "0001_initial", "0002_b", _add("b"))
    maker = Maker(files.folder)
    maker.write(maker.merge("one"))
    _branch(files, "0003_one", "0004_c", _add("c"))
    _branch(files, "0002_b", "0004_d", _add("d"))
    maker = Maker(files.folder)

    maker.write(maker.merge("two"))

    assert set(files.graph.state()["record"]["fields"]) == {"id", "title", "a", "b", "c", "d"}


# Snapshots and files


def test_a_snapshot_is_sorted_and_one_fact_a_line(files: History) -> None:
    files.make(_record(), "initial")

    text = (files.folder / "0001_initial.json").read_text()

    assert text.startswith('{\n "models": {\n  "record": {\n   "fields": {\n    "id": {\n     "column": "id",\n')


def test_a_file_that_was_changed_without_its_snapshot_is_found(files: History) -> None:
    files.make(_record(), "initial")
    path = files.folder / "0001_initial.py"
    path.write_text(path.read_text().replace("max_length=100", "max_length=90"))

    with pytest.raises(MigrationError, match="0001_initial does other things than its snapshot says"):
        files.make(_record())


def test_snapshots_are_written_anew_from_the_operations(files: History) -> None:
    files.make(_record(), "initial")
    path = files.folder / "0001_initial.py"
    path.write_text(path.read_text().replace("max_length=100", "max_length=90"))

    changed = Maker(files.folder).resnapshot()

    assert changed == ["0001_initial"]
    assert [each.describe() for each in files.make(_record())] == ["Alter Record.title"]


def test_a_snapshot_of_a_newer_version_is_refused(files: History) -> None:
    files.make(_record(), "initial")
    path = files.folder / "0001_initial.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 99'))

    with pytest.raises(SetupError, match="snapshot of a migration cannot be read"):
        files.graph.state()


def test_a_file_with_a_mistake_is_named_with_its_line(files: History) -> None:
    files.folder.mkdir()
    (files.folder / "0001_broken.py").write_text("parents = []\noperations = [nothing]\n")

    with pytest.raises(MigrationError, match=r"0001_broken\.py cannot be read: NameError") as caught:
        _ = files.graph

    assert caught.value.where == f"{files.folder}/0001_broken.py:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("operations = []", "has no list `parents`"),
        ("parents = []", "has no list `operations`"),
        ("parents = []\noperations = [3]", "3 is no operation"),
        ("parents = ['0000_gone']\noperations = []", "comes after 0000_gone, which is not there"),
        ("parents = ['0001_x']\noperations = []", "come after each other"),
    ],
)
def test_a_file_that_is_no_migration_is_refused(files: History, text: str, message: str) -> None:
    files.folder.mkdir()
    (files.folder / "0001_x.py").write_text(text)

    with pytest.raises(MigrationError, match=message):
        _ = files.graph


def test_other_files_of_the_folder_are_left_alone(files: History) -> None:
    files.make(_record(), "initial")
    (files.folder / "__init__.py").write_text("raise SystemExit")
    (files.folder / "README.md").write_text("About these.")

    assert files.graph.order == ["0001_initial"]


def test_an_operation_that_does_not_fit_is_named(files: History) -> None:
    files.make(_record(), "initial")
    (files.folder / "0002_x.py").write_text(
        "from segue.db import migrations\nparents = ['0001_initial']\n"
        "operations = [migrations.drop_column('Record', 'titel')]\n"
    )

    with pytest.raises(MigrationError, match=r"0002_x, operation 1: record has no field 'titel' here") as caught:
        files.graph.state()

    assert caught.value.hint == "Did you mean title?"


def test_a_name_must_be_one(files: History) -> None:
    with pytest.raises(MigrationError, match="cannot be called 'a/b'"):
        files.make(_record(), "a/b")


# Squashing


@pytest.fixture
def four(history: History) -> History:
    """Four migrations, the third of code."""
    history.make(_record(), "initial")
    history.make(_record(year=db.IntegerField(default=1)), "year")
    history.write(
        """
import string

LETTERS = string.ascii_letters

def fill(models):
    models.Record.objects.update(title=LETTERS[0])

operations = [migrations.run_python(fill, migrations.noop)]""",
        "fill",
    )
    history.make(_record(born=db.IntegerField(default=1)), "born", renames=["record.year:born"])
    return history


def test_a_squashed_migration_makes_the_same_and_keeps_the_code(four: History) -> None:
    before = four.graph.state()

    path, replaced = squash(four.folder, None, "0004")

    text = path.read_text()
    assert replaced == ["0001_initial", "0002_year", "0003_fill", "0004_born"]
    assert four.graph.order == ["0005_squashed_0004"]
    assert four.graph.state() == before
    assert "import string\n\nfrom segue import db" in text
    assert "def fill(models):\n    models.Record.objects.update(title=LETTERS[0])" in text


def test_a_fresh_database_runs_the_squashed_one_alone(four: History) -> None:
    squash(four.folder, None, "0004")

    four.migrate()

    assert list(four.executor.applied()) == ["0005_squashed_0004"]
    four.models().Record.objects.create(title="x", born=3)


def test_a_database_that_ran_the_old_ones_has_run_the_squashed_one(four: History) -> None:
    four.migrate()
    squash(four.folder, None, "0004")

    assert four.executor.plan() == []
    assert four.migrate() == []
    assert "0005_squashed_0004" in four.executor.applied()


def test_a_database_that_ran_some_of_the_old_ones_runs_the_others(four: History) -> None:
    four.migrate("0002")
    squash(four.folder, None, "0004")

    four.migrate()

    assert four.lines[-2:] == ["Apply 0003_fill…", "Apply 0004_born…"]


def test_what_comes_later_comes_after_the_squashed_one(four: History) -> None:
    squash(four.folder, None, "0004")

    four.make(_record(born=db.IntegerField(default=1), size=db.IntegerField(default=1)), "size")
    four.migrate()

    assert four.graph.parents("0006_size") == ("0005_squashed_0004",)
    assert list(four.executor.applied()) == ["0005_squashed_0004", "0006_size"]


def test_the_old_files_can_go_once_they_were_run(four: History) -> None:
    four.migrate()
    path, replaced = squash(four.folder, None, "0004")
    four.migrate()
    for name in replaced:
        (four.folder / f"{name}.py").unlink()
        (four.folder / f"{name}.json").unlink()
    path.write_text(path.read_text().replace(f"replaces = {replaced!r}\n".replace("'", '"'), ""))

    assert four.migrate() == []


def test_a_rename_and_a_fill_survive_squashing(history: History) -> None:
    history.make(_record(), "initial")
    history.make(_record(year=db.IntegerField(default=1)), "year")
    history.migrate()
    history.models().Record.objects.create(title="x", year=7)
    history.make(_record(born=db.IntegerField(default=1)), "born", renames=["record.year:born"])
    fields = {"born": db.IntegerField(default=1), "size": db.IntegerField()}
    history.make(_record(**fields), "size", fills={"record.size": 3})

    squash(history.folder, "0003", "0004")
    history.migrate()

    found = history.models().Record.objects.get()
    assert (found.born, found.size) == (7, 3)


def test_two_functions_of_one_name_are_not_squashed(history: History) -> None:
    history.make(_record(), "initial")
    for number in (1, 2):
        history.write(
            f"def fill(models):\n    return {number}\n\noperations = [migrations.run_python(fill)]", f"fill{number}"
        )

    with pytest.raises(MigrationError, match="fill is defined twice"):
        squash(history.folder, None, "0003")


def test_a_branch_that_leaves_the_row_is_in_the_way(forked: History) -> None:
    _branch(forked, "0002_year", "0003_more", _add("more"))

    with pytest.raises(MigrationError, match="0002_size comes after one of them and is not among them"):
        squash(forked.folder, None, "0003_more")


# Names


def test_an_order_of_its_own_is_no_matter_of_numbers(tmp_path: Path) -> None:
    graph = Graph([Migration("0002_a", ["0009_b"]), Migration("0009_b")])

    assert graph.order == ["0009_b", "0002_a"]


def test_a_beginning_that_fits_two_names_is_refused(forked: History) -> None:
    with pytest.raises(MigrationError, match="2 migrations are called '0002'") as caught:
        forked.graph.find("0002")

    assert caught.value.hint == "0002_size, 0002_year"
