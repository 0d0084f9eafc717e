"""Each edit of the models, carried out: up, down and up again, on every database, with rows in the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from migration_edits import EDITS, Edit
from migration_histories import History, Models

from segue.db.database import Database

Read = Callable[[Database], dict[str, Any]]
Fresh = Callable[[Iterable[Any]], dict[str, Any]]

TITLES = ["Suite 1", "Suite 2"]


def add_rows(history: History, name: str) -> None:
    """Add a musician and two records, which differ in everything."""
    models = history.models(name)
    musician = models.Musician.objects.create(name="Duke")
    fields = {field.name for field in models.Record._meta.fields}
    for number, title in enumerate(TITLES):
        given: dict[str, Any] = {"year": 1931 + number, "leader": musician}
        models.Record.objects.create(title=title, **{name: value for name, value in given.items() if name in fields})


def titles(history: History, name: str) -> list[str]:
    """The titles of the records there are."""
    models = history.models(name)
    model = models.Album if "album" in history.graph.state([name]) else models.Record
    return sorted(model.objects.values_list("title", flat=True))


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_up_down_and_up_again_equals_fresh_tables_and_keeps_the_rows(
    edit: Edit, history: History, fresh: Fresh, schema: Read
) -> None:
    before, after = Models(), Models()
    edit.before(before)
    edit.after(after)
    expected = {"0001_one": fresh(before.all), "0002_two": fresh(after.all)}
    if edit.name == "a table that others make":
        expected["0002_two"] = expected["0001_one"]  # it stays as it is; a fresh database has none
    history.make(before.all, "one")
    history.make(after.all, "two", **edit.answers)
    assert history.database is not None
    history.migrate("0001")
    add_rows(history, "0001_one")
    seen: list[Any] = []

    for target in ("0002_two", "0001_one", "0002_two"):
        history.migrate(target)
        seen.append((schema(history.database), titles(history, target)))

    assert seen == [(expected[each], TITLES) for each in ("0002_two", "0001_one", "0002_two")]
