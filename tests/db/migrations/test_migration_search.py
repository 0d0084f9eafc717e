"""Search fields in migrations: made, changed, dropped, carried along, on every database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from migration_histories import History, Models

from segue import db
from segue.db import migrations as m
from segue.db.migrations.inspecting import inspect_database


def _record(search: db.SearchField | None = None, **fields: Any) -> list[Any]:
    models = Models()
    found = {"title": db.CharField(max_length=100), "notes": db.TextField(default=""), **fields}
    models.add("Record", **found, **({} if search is None else {"search": search}))
    return models.all


def _titles(history: History, text: str, **options: Any) -> list[str]:
    model = history.models().Record
    return list(model.objects.search(text, **options).values_list("title", flat=True))


def _leftovers(history: History) -> list[str]:
    """The columns, tables and triggers that no model declares."""
    assert history.database is not None
    with history.database.connection() as connection:
        inspector = sa.inspect(connection)
        tables = [each for each in inspector.get_table_names() if not each.startswith("segue_")]
        columns = [each["name"] for each in inspector.get_columns("record")]
        triggers: list[str] = []
        if history.database.vendor == "sqlite":
            rows = connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            triggers = [row[0] for row in rows]
    return [each for each in [*tables, *columns, *triggers] if "search" in each]


@pytest.fixture
def filled(history: History) -> History:
    """A table with two rows, and no search."""
    history.make(_record(), "initial")
    history.migrate()
    record = history.models().Record
    record.objects.create(title="Kind of Blue", notes="with Bill Evans")
    record.objects.create(title="Waltz for Debby", notes="kind and slow")
    return history


@pytest.fixture
def searched(filled: History) -> History:
    """The same, with a search of both texts."""
    filled.make(_record(db.SearchField("title", "notes", weights={"title": 4})), "search")
    filled.migrate()
    return filled


def test_rows_that_are_there_are_found_after_the_migration(searched: History) -> None:
    assert _titles(searched, "kind") == ["Kind of Blue", "Waltz for Debby"]


def test_the_migration_reads_as_the_model_does(searched: History) -> None:
    source = next(searched.folder.glob("0002*.py")).read_text()

    assert 'db.SearchField("title", "notes", weights=[2, 1], column="search")' in source


def test_nothing_is_left_to_do_after_it(searched: History) -> None:
    assert searched.make(_record(db.SearchField("title", "notes", weights={"title": 4}))) == []


def test_a_weight_that_stays_the_larger_one_changes_no_table(searched: History) -> None:
    assert searched.make(_record(db.SearchField("title", "notes", weights={"title": 9, "notes": 2}))) == []


def test_other_weights_make_the_index_anew(searched: History) -> None:
    searched.make(_record(db.SearchField("title", "notes", weights={"notes": 4})), "weights")

    searched.migrate()

    assert _titles(searched, "kind") == ["Waltz for Debby", "Kind of Blue"]


def test_other_fields_make_the_index_anew(searched: History) -> None:
    searched.make(_record(db.SearchField("notes")), "fields")

    searched.migrate()

    assert _titles(searched, "kind") == ["Waltz for Debby"]
    assert _titles(searched, "blue") == []


def test_a_search_that_is_taken_out_leaves_nothing(searched: History) -> None:
    searched.make(_record(), "none")

    searched.migrate()

    assert _leftovers(searched) == []


def test_it_is_taken_back_and_made_again(searched: History) -> None:
    searched.migrate("0001")
    taken_back = _leftovers(searched)

    searched.migrate()

    assert taken_back == []
    assert _titles(searched, "evans") == ["Kind of Blue"]


def test_a_dropped_table_takes_its_search_along(searched: History) -> None:
    assert searched.database is not None
    searched.add(m.drop_table("Record"))

    searched.migrate()

    with searched.database.connection() as connection:
        names = sa.inspect(connection).get_table_names()
    assert [each for each in names if "record" in each] == []


def test_a_new_table_has_it_at_once(history: History) -> None:
    history.make(_record(db.SearchField("title")), "initial")
    history.migrate()

    history.models().Record.objects.create(title="Milestones")

    assert _titles(history, "milestones") == ["Milestones"]


def test_a_changed_table_keeps_its_search(searched: History) -> None:
    search = db.SearchField("title", "notes", weights={"title": 4})
    searched.make(_record(search, year=db.IntegerField(default=1959)), "year")
    searched.migrate()

    searched.models().Record.objects.create(title="Sketches", notes="of a kind")

    assert _titles(searched, "kind") == ["Kind of Blue", "Waltz for Debby", "Sketches"]


def test_a_column_of_the_search_gets_another_type(searched: History) -> None:
    search = db.SearchField("title", "notes", weights={"title": 4})
    searched.make(_record(search, title=db.CharField(max_length=300)), "longer")
    searched.migrate()

    searched.models().Record.objects.filter(title="Kind of Blue").update(title="Kinds" + " of" * 70)

    assert _titles(searched, "kind") == ["Waltz for Debby"]
    assert len(_titles(searched, "kinds")) == 1


def test_a_renamed_column_is_searched_on(searched: History) -> None:
    searched.add(m.alter_column("Record", "notes", name="text"))
    searched.migrate()
    model = searched.models().Record

    model.objects.create(title="Undercurrent", text="with Jim Hall")

    assert _titles(searched, "evans") == ["Kind of Blue"]
    assert _titles(searched, "hall") == ["Undercurrent"]


def test_a_renamed_model_is_searched_on(searched: History) -> None:
    searched.add(m.rename_table("Record", "Album"))
    searched.migrate()
    album = searched.models().Album

    album.objects.create(title="Undercurrent")

    assert [each.title for each in album.objects.search("kind")] == ["Kind of Blue", "Waltz for Debby"]
    assert [each.title for each in album.objects.search("undercurrent")] == ["Undercurrent"]


def test_a_renamed_index_is_searched_on(searched: History) -> None:
    searched.add(m.rename_index("Record", "ix_record_search", "words_of_records"))
    searched.migrate()

    searched.models().Record.objects.create(title="Undercurrent")

    assert _titles(searched, "kind or undercurrent") == ["Kind of Blue", "Undercurrent", "Waltz for Debby"]


def test_rows_with_keys_of_texts_keep_their_words_when_the_table_is_rebuilt(history: History) -> None:
    fields: dict[str, Any] = {"title": db.CharField(max_length=50, primary_key=True)}
    history.make(_record(db.SearchField("title", "notes"), **fields), "initial")
    history.migrate()
    for title in ("So What", "Blue in Green", "All Blues"):
        history.models().Record.objects.create(title=title)
    history.models().Record.objects.filter(title="So What").delete()
    history.make(_record(db.SearchField("title", "notes"), year=db.IntegerField(default=1), **fields), "year")

    history.migrate()

    assert _titles(history, "green") == ["Blue in Green"]
    assert _titles(history, "blues") == ["All Blues"]


def test_an_inspected_table_shows_its_search_and_no_other_tables(searched: History) -> None:
    assert searched.database is not None
    weights = "" if searched.database.vendor == "sqlite" else ", weights=[2, 1]"  # SQLite keeps none

    source = inspect_database(searched.database)

    assert source.count("(db.Model)") == 1
    assert f'    search = db.SearchField("title", "notes"{weights})' in source
    assert "tsvector" not in source.lower()


def test_an_index_with_a_name_of_its_own_is_inspected(filled: History) -> None:
    filled.make(_record(db.SearchField("title", name="Words of titles")), "search")
    filled.migrate()
    assert filled.database is not None

    source = inspect_database(filled.database)

    assert 'search = db.SearchField("title", name="Words of titles")' in source
