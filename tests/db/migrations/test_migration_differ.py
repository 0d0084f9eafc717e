"""What changed in the models, as operations; no database is asked."""

from __future__ import annotations

from typing import Any

import pytest
from migration_edits import EDITS, Edit
from migration_histories import History, Models

from segue import db
from segue.db.errors import ModelError
from segue.db.migrations.differ import diff
from segue.db.migrations.questions import Questions, UndecidedError
from segue.db.migrations.state import State
from segue.db.migrations.values import Imports


def written(operation: Any) -> str:
    """An operation as its file has it, on one line."""
    text = operation.source(Imports()).removeprefix("migrations.")
    lines = [line.strip() for line in text.splitlines()]
    joined = " ".join(lines)
    for long, short in (("( ", "("), (", )", ")"), ("{ ", "{"), (", }", "}"), ("[ ", "["), (", ]", "]")):
        joined = joined.replace(long, short)
    return joined


def state_after(declare: Any) -> State:
    models = Models()
    declare(models)
    return State.of(models.all)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_becomes_its_operations(edit: Edit) -> None:
    found = diff(state_after(edit.before), state_after(edit.after), Questions(**edit.answers))

    assert [written(each) for each in found] == edit.operations


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_after_its_operations_there_is_nothing_left_to_do(edit: Edit, files: History) -> None:
    before, after = Models(), Models()
    edit.before(before)
    edit.after(after)
    files.make(before.all)

    files.make(after.all, "edit", **edit.answers)

    assert diff(files.graph.state(), State.of(after.all)) == []


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_a_snapshot_is_what_the_operations_of_its_file_say(edit: Edit, files: History) -> None:
    before, after = Models(), Models()
    edit.before(before)
    edit.after(after)
    files.make(before.all)
    files.make(after.all, "edit", **edit.answers)

    files.graph.check_snapshots()


def test_models_that_refer_to_each_other_are_made_in_two_steps(declare: Models) -> None:
    declare.add("Hen", egg=db.ForeignKey("Egg", on_delete=db.CASCADE, related_name="+"))
    declare.add("Egg", hen=db.ForeignKey("Hen", on_delete=db.CASCADE, related_name="+"))

    found = diff(State(), State.of(declare.all))

    assert [each.describe() for each in found] == ["Create Egg", "Create Hen", "Add Egg.hen"]


def test_models_that_refer_to_each_other_go_in_two_steps(declare: Models) -> None:
    declare.add("Hen", egg=db.ForeignKey("Egg", on_delete=db.CASCADE, related_name="+"))
    declare.add("Egg", hen=db.ForeignKey("Hen", on_delete=db.CASCADE, related_name="+"))

    found = diff(State.of(declare.all), State())

    assert [each.describe() for each in found] == ["Drop Hen.egg", "Drop Egg", "Drop Hen"]


def test_a_model_is_made_after_those_it_refers_to(declare: Models) -> None:
    declare.add("Album", leader=db.ForeignKey("Musician", on_delete=db.CASCADE))
    declare.add("Musician", name=db.CharField())

    found = diff(State(), State.of(declare.all))

    assert [each.describe() for each in found] == ["Create Musician", "Create Album"]


def test_the_order_of_columns_is_no_change(files: History) -> None:
    one, two = Models(), Models()
    one.add("Record", title=db.CharField(), year=db.IntegerField())
    two.add("Record", year=db.IntegerField(), title=db.CharField())
    files.make(one.all)

    assert diff(files.graph.state(), State.of(two.all)) == []


@pytest.mark.parametrize(
    "option",
    [{"verbose_name": "Year"}, {"help_text": "?"}, {"editable": False}, {"blank": True}, {"validators": [str]}],
    ids=lambda option: next(iter(option)),
)
def test_what_the_database_does_not_hear_of_is_no_change(option: dict[str, Any]) -> None:
    one, two = Models(), Models()
    one.add("Record", year=db.IntegerField())
    two.add("Record", year=db.IntegerField(**option))

    assert diff(State.of(one.all), State.of(two.all)) == []


def test_abstract_models_and_proxies_have_no_tables(declare: Models) -> None:
    base = declare.add("Base", meta={"abstract": True}, title=db.CharField())
    record = declare.add("Record", base)
    declare.add("Hit", record, meta={"proxy": True})

    assert list(State.of(declare.all)) == ["record"]


def test_a_default_that_nobody_can_name_is_refused(declare: Models) -> None:
    declare.add("Record", year=db.IntegerField(default=lambda: 1935))

    with pytest.raises(ModelError, match=r"Record\.year: A migration cannot keep"):
        State.of(declare.all)


# Renames


def test_a_rename_that_nobody_decided_is_refused_rather_than_dropped() -> None:
    one, two = Models(), Models()
    one.add("Record", titel=db.CharField())
    two.add("Record", title=db.CharField())

    with pytest.raises(UndecidedError, match=r"record\.titel renamed to record\.title, or is it dropped") as caught:
        diff(State.of(one.all), State.of(two.all))

    assert caught.value.hint == "--rename record.titel:title\n--drop record.titel"


def test_a_model_that_looks_renamed_is_asked_for() -> None:
    one, two = Models(), Models()
    one.add("Record", title=db.CharField(), year=db.IntegerField())
    two.add("Album", title=db.CharField(), year=db.IntegerField())

    with pytest.raises(UndecidedError, match="the model record renamed to album"):
        diff(State.of(one.all), State.of(two.all))


def test_of_several_candidates_the_one_that_is_named_is_taken() -> None:
    one, two = Models(), Models()
    one.add("Record", a=db.CharField())
    two.add("Record", b=db.CharField(default=""), c=db.CharField(default=""))

    found = diff(State.of(one.all), State.of(two.all), Questions(renames=["record.a:c"]))

    assert [each.describe() for each in found] == [
        "Rename Record.a to c",
        "Add Record.b",
        "Alter Record.c",
    ]


def test_a_field_that_is_dropped_without_anything_like_it_is_dropped() -> None:
    one, two = Models(), Models()
    one.add("Record", title=db.CharField(), year=db.IntegerField())
    two.add("Record", title=db.CharField(), slogan=db.TextField(null=True))

    found = diff(State.of(one.all), State.of(two.all))

    assert [each.describe() for each in found] == ["Add Record.slogan", "Drop Record.year"]


def test_a_renamed_field_is_followed_into_constraints_and_indexes() -> None:
    one, two = Models(), Models()
    for models, name in ((one, "year"), (two, "born")):
        models.add(
            "Record",
            meta={
                "constraints": [db.CheckConstraint(condition=db.Q(**{f"{name}__gte": 1}), name="ck")],
                "indexes": [db.Index(fields=[f"-{name}"])],
                "unique_together": [("title", name)],
            },
            title=db.CharField(),
            **{name: db.IntegerField()},
        )

    found = diff(State.of(one.all), State.of(two.all), Questions(renames=["record.year:born"]))

    assert [each.describe() for each in found] == ["Rename Record.year to born"]


def test_a_renamed_model_is_followed_into_those_that_refer_to_it() -> None:
    one, two = Models(), Models()
    for models, name in ((one, "Record"), (two, "Album")):
        models.add(name, title=db.CharField(), year=db.IntegerField())
        models.add(
            "Track", record=db.ForeignKey(name, on_delete=db.CASCADE), also=db.ManyToManyField(name, related_name="+")
        )

    found = diff(State.of(one.all), State.of(two.all), Questions(renames=["record:Album"]))

    assert [each.describe() for each in found] == ["Rename Record to Album"]


# Values for rows that are there


def test_a_required_field_without_a_default_asks_for_a_value() -> None:
    one, two = Models(), Models()
    one.add("Record", title=db.CharField())
    two.add("Record", title=db.CharField(), year=db.IntegerField())

    with pytest.raises(UndecidedError, match=r"record\.year is new, refuses NULL and has no default") as caught:
        diff(State.of(one.all), State.of(two.all))

    assert "--default record.year=VALUE" in caught.value.hint


def test_a_moment_that_fills_itself_in_asks_for_nothing() -> None:
    one, two = Models(), Models()
    one.add("Record", title=db.CharField())
    two.add("Record", title=db.CharField(), made=db.DateTimeField(auto_now_add=True))

    found = diff(State.of(one.all), State.of(two.all))

    assert [each.describe() for each in found] == ["Add Record.made"]


def test_a_column_that_refuses_null_from_now_on_asks_for_a_value() -> None:
    one, two = Models(), Models()
    one.add("Record", year=db.IntegerField(null=True))
    two.add("Record", year=db.IntegerField())

    with pytest.raises(UndecidedError, match="refuses NULL from now on"):
        diff(State.of(one.all), State.of(two.all))


# Moves


def test_a_model_that_moves_with_its_label_kept_is_no_change() -> None:
    old, new = Models(), Models()
    for models, module in ((old, "club.models"), (new, "club.records.tables")):
        models.add(
            "Record", meta={"app_label": "club"}, __module__=module, title=db.CharField(), made=db.DateField(null=True)
        )

    assert diff(State.of(old.all), State.of(new.all)) == []
