"""Code in migrations: with the models of that moment, in both colours, in batches."""

from __future__ import annotations

import pytest
from migration_histories import History, Models

from segue import db
from segue.db.errors import ModelError
from segue.db.migrations.files import MigrationError

FILL = """
def fill(models):
    for record in models.Record.objects.all():
        record.title = record.title.upper()
        record.save()

def back(models):
    models.Record.objects.update(title="back")

operations = [migrations.run_python(fill, back)]"""


def _models(**fields: object) -> list[object]:
    models = Models()
    models.add("Musician", name=db.CharField(max_length=50))
    models.add("Record", title=db.CharField(max_length=100), **fields)
    return models.all


@pytest.fixture
def filled(history: History) -> History:
    """A history with a table that has three rows."""
    history.make(_models(), "initial")
    history.migrate()
    for title in "abc":
        history.models().Record.objects.create(title=title)
    return history


def _titles(history: History) -> list[str]:
    return sorted(history.models().Record.objects.values_list("title", flat=True))


def test_code_sees_the_models_of_its_moment_though_fields_came_later(filled: History) -> None:
    filled.write(FILL)
    filled.make(_models(year=db.IntegerField(default=5)), "year")

    filled.migrate()

    assert _titles(filled) == ["A", "B", "C"]
    assert set(filled.models().Record.objects.values_list("year", flat=True)) == {5}


def test_code_is_taken_back(filled: History) -> None:
    filled.write(FILL)
    filled.migrate()

    filled.migrate("0001")

    assert _titles(filled) == ["back"] * 3


def test_async_code_runs_in_the_same_transaction(filled: History) -> None:
    filled.write(
        """
async def fill(models):
    async for record in models.Record.objects.all():
        record.title *= 2
        await record.asave()
    await models.Record.objects.acreate(title="z")

operations = [migrations.run_python(fill)]"""
    )

    filled.migrate()

    assert _titles(filled) == ["aa", "bb", "cc", "z"]


def test_relations_can_be_walked_both_ways(history: History) -> None:
    fields = {"leader": db.ForeignKey("Musician", on_delete=db.CASCADE, null=True, related_name="records")}
    history.make(_models(**fields), "initial")
    history.migrate()
    duke = history.models().Musician.objects.create(name="Duke")
    history.models().Record.objects.create(title="x", leader_id=duke.pk)
    history.write(
        """
def fill(models):
    for musician in models.Musician.objects.prefetch_related("records"):
        musician.name = ", ".join(record.title + " by " + record.leader.name for record in musician.records.all())
        musician.save()

operations = [migrations.run_python(fill)]"""
    )

    history.migrate()

    assert history.models().Musician.objects.get().name == "x by Duke"


def test_rows_come_in_batches(filled: History) -> None:
    filled.write(
        """
def fill(models, records):
    for record in records:
        record.title = f"{record.title} of {len(records)}"
        record.save()

operations = [migrations.run_batches("Record", fill, size=2)]"""
    )

    filled.migrate()

    assert _titles(filled) == ["a of 2", "b of 2", "c of 1"]


def test_an_interrupted_run_goes_on_behind_the_last_batch_that_was_saved(filled: History) -> None:
    filled.write(
        """
import os

atomic = False

def fill(models, records):
    if records[0].title == "c" and not os.environ.get("SEGUE_TEST_MENDED"):
        raise RuntimeError("interrupted")
    for record in records:
        record.title += "!"
        record.save()

operations = [migrations.run_batches("Record", fill, size=1)]"""
    )
    with pytest.raises(MigrationError, match=r"0002_code failed at: Run fill\(\) over Record"):
        filled.migrate()
    assert _titles(filled) == ["a!", "b!", "c"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGUE_TEST_MENDED", "1")
        filled.migrate()

    assert _titles(filled) == ["a!", "b!", "c!"]


def test_a_model_is_found_by_any_of_its_names(filled: History) -> None:
    models = filled.models()

    assert models.Record is models["record"] is models.get_model("", "Record") is models["Record"]


def test_a_model_that_is_not_there_is_an_error_that_says_which_are(filled: History) -> None:
    with pytest.raises(ModelError, match="No models are called 'Recrod'") as caught:
        filled.models()["Recrod"]

    assert caught.value.hint == "Did you mean Record?"


def test_callbacks_of_the_commit_run_after_it(filled: History) -> None:
    filled.write(
        """
def fill(models):
    models.Record.objects.create(title="d")
    db.on_commit(lambda: models.Record.objects.create(title="after"))

operations = [migrations.run_python(fill)]"""
    )

    filled.migrate()

    assert _titles(filled) == ["a", "after", "b", "c", "d"]
