"""A foreign key of several columns is made, changed, renamed and dropped, with rows in the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from migration_histories import History, Models
from test_migration_differ import written

from segue import db
from segue.db import migrations
from segue.db.database import Database
from segue.db.migrations.differ import diff
from segue.db.migrations.linting import lint
from segue.db.migrations.questions import Questions
from segue.db.migrations.state import State

Read = Callable[[Database], dict[str, Any]]
Fresh = Callable[[Iterable[Any]], dict[str, Any]]
Declare = Callable[[Models], None]
Make = Callable[[], Any]


def _with(meta: dict[str, Any] | None = None, first: str = "band", **fields: Make) -> Declare:
    """A label, a musician whose key is of two columns, and a record with these fields."""

    def declare(models: Models) -> None:
        parts = {first: db.CharField(max_length=20), "number": db.IntegerField()}
        models.add("Label", name=db.CharField(max_length=20, default=""))
        models.add("Musician", **parts, name=db.CharField(max_length=20), pk=db.CompositePrimaryKey(first, "number"))
        made = {name: make() for name, make in fields.items()}
        models.add("Record", meta=meta, title=db.CharField(max_length=20), **made)

    return declare


def _to(target: str = "Musician", kind: Any = db.ForeignKey, **options: Any) -> Make:
    return lambda: kind(target, **{"on_delete": db.CASCADE, "related_name": "+", "null": True, **options})


@dataclass(frozen=True)
class Edit:
    """One change: what there was, what there is, and how the differ says it."""

    name: str
    before: Declare
    after: Declare
    operations: list[str]
    answers: Mapping[str, Any] = field(default_factory=dict)


PLAIN = _with()
LEADER = _with(leader=_to())
COLUMNS = 'db_columns=["leader_band", "leader_number"]'
SHOWN = f'db.ForeignKey("musician", on_delete=db.CASCADE, null=True, {COLUMNS}, related_name="+")'
REQUIRED = f'db.ForeignKey("musician", on_delete=db.CASCADE, {COLUMNS}, related_name="+")'
TO_LABEL = 'db.ForeignKey("label", on_delete=db.CASCADE, null=True, related_name="+")'
TENANT = {"band": lambda: db.CharField(max_length=20, default="orchestra")}

EDITS = [
    Edit("a reference is added", PLAIN, LEADER, [f'add_column("Record", "leader", {SHOWN})']),
    Edit("a reference is dropped", LEADER, PLAIN, ['drop_column("Record", "leader")']),
    Edit(
        "a reference that must be is added",
        PLAIN,
        _with(leader=_to(null=False)),
        [f'add_column("Record", "leader", {REQUIRED}, fill=["orchestra", 1])'],
        {"fills": {"record.leader": ("orchestra", 1)}},
    ),
    Edit(
        "a reference must be from now on",
        LEADER,
        _with(leader=_to(null=False)),
        [f'alter_column("Record", "leader", {REQUIRED}, fill=["orchestra", 1])'],
        {"fills": {"record.leader": ("orchestra", 1)}},
    ),
    Edit(
        "a reference need not be any more",
        _with(leader=_to(null=False)),
        LEADER,
        [f'alter_column("Record", "leader", {SHOWN})'],
    ),
    Edit(
        "a reference is renamed",
        LEADER,
        _with(boss=_to()),
        ['alter_column("Record", "leader", name="boss")'],
        {"renames": ["record.leader:boss"]},
    ),
    Edit(
        "a part of the key is renamed",
        LEADER,
        _with(first="ensemble", leader=_to()),
        [
            'alter_column("Musician", "band", name="ensemble")',
            'alter_column("Record", "leader", ' + SHOWN.replace("leader_band", "leader_ensemble") + ")",
        ],
        {"renames": ["musician.band:ensemble"]},
    ),
    Edit(
        "the database deletes from now on",
        LEADER,
        _with(leader=_to(on_delete=db.DB_CASCADE)),
        [f'alter_column("Record", "leader", {SHOWN.replace("db.CASCADE", "db.DB_CASCADE")})'],
    ),
    Edit(
        "the database sets NULL from now on",
        LEADER,
        _with(leader=_to(on_delete=db.DB_SET_NULL)),
        [f'alter_column("Record", "leader", {SHOWN.replace("db.CASCADE", "db.DB_SET_NULL")})'],
    ),
    Edit(
        "a reference leads to a key of several columns from now on",
        _with(leader=_to("Label")),
        LEADER,
        ['drop_column("Record", "leader")', f'add_column("Record", "leader", {SHOWN})'],
    ),
    Edit(
        "a reference leads to a key of one column from now on",
        LEADER,
        _with(leader=_to("Label")),
        ['drop_column("Record", "leader")', f'add_column("Record", "leader", {TO_LABEL})'],
    ),
    Edit(
        "no two rows share a reference from now on",
        LEADER,
        _with(leader=_to(kind=db.OneToOneField)),
        [f'alter_column("Record", "leader", {SHOWN.replace("ForeignKey", "OneToOneField")})'],
    ),
    Edit(
        "a reference shares a column",
        _with(**TENANT),
        _with(**TENANT, leader=_to(db_columns=("band", "leader_number"))),
        [f'add_column("Record", "leader", {SHOWN.replace("leader_band", "band")})'],
    ),
    Edit(
        "a reference has columns of other names",
        LEADER,
        _with(leader=_to(db_columns=("of", "nr"))),
        ['alter_column("Record", "leader", ' + SHOWN.replace("leader_band", "of").replace("leader_number", "nr") + ")"],
    ),
    Edit(
        "an index and a constraint are of a reference",
        LEADER,
        _with(
            {"indexes": [db.Index(fields=["leader", "title"])], "unique_together": [("leader", "title")]}, leader=_to()
        ),
        [
            'alter_table("Record", unique_together=[["leader", "title"]])',
            'add_index("Record", db.Index(fields=["leader", "title"]), '
            'name="ix_record_leader_band_leader_number_title")',
        ],
    ),
    Edit(
        "a many-to-many relation is added",
        PLAIN,
        _with(players=lambda: db.ManyToManyField("Musician", related_name="+")),
        ['add_column("Record", "players", db.ManyToManyField("musician", related_name="+"))'],
    ),
]
EACH = pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)


def models_of(declare: Declare) -> list[Any]:
    models = Models()
    declare(models)
    return models.all


def add_rows(history: History, name: str) -> None:
    """Add a musician, and two records that refer to it where they can."""
    models = history.models(name)
    first = models.Musician._meta.pk_fields[0].name
    musician = models.Musician.objects.create(**{first: "orchestra", "number": 1, "name": "Duke"})
    leader = models.Record._meta.find_field("leader")
    given = {"leader": musician} if leader is not None and leader.target is models.Musician else {}
    models.Record.objects.create(title="one", **given)
    # The other refers to none where it may.
    models.Record.objects.create(title="two", **(given if leader is not None and not leader.null else {}))


def titles(history: History, name: str) -> list[str]:
    return sorted(history.models(name).Record.objects.values_list("title", flat=True))


@EACH
def test_an_edit_becomes_its_operations(edit: Edit) -> None:
    found = diff(State.of(models_of(edit.before)), State.of(models_of(edit.after)), Questions(**edit.answers))

    assert [written(each) for each in found] == edit.operations


@EACH
def test_after_its_operations_there_is_nothing_left_to_do(edit: Edit, files: History) -> None:
    after = models_of(edit.after)
    files.make(models_of(edit.before))

    files.make(after, "edit", **edit.answers)

    assert diff(files.graph.state(), State.of(after)) == []


@pytest.mark.slow
@EACH
def test_up_down_and_up_again_equals_fresh_tables_and_keeps_the_rows(
    edit: Edit, history: History, fresh: Fresh, schema: Read
) -> None:
    before, after = models_of(edit.before), models_of(edit.after)
    expected = {"0001_one": fresh(before), "0002_two": fresh(after)}
    history.make(before, "one")
    history.make(after, "two", **edit.answers)
    assert history.database is not None
    history.migrate("0001")
    add_rows(history, "0001_one")
    seen: list[Any] = []

    for target in ("0002_two", "0001_one", "0002_two"):
        history.migrate(target)
        seen.append((schema(history.database), titles(history, target)))

    assert seen == [(expected[each], ["one", "two"]) for each in ("0002_two", "0001_one", "0002_two")]


def test_a_renamed_reference_keeps_what_it_refers_to(history: History) -> None:
    history.make(models_of(LEADER), "one")
    history.make(models_of(_with(boss=_to())), "two", renames=["record.leader:boss"])
    history.migrate("0001")
    add_rows(history, "0001_one")

    history.migrate()

    records = history.models().Record.objects.order_by("title")
    assert [each.boss and each.boss.name for each in records] == ["Duke", None]


def test_a_reference_that_is_added_is_filled(history: History) -> None:
    history.make(models_of(PLAIN), "one")
    history.make(models_of(_with(leader=_to(null=False))), "two", fills={"record.leader": ("orchestra", 1)})
    history.migrate("0001")
    add_rows(history, "0001_one")

    history.migrate()

    assert {each.leader.name for each in history.models().Record.objects.all()} == {"Duke"}


def test_a_reference_follows_a_key_that_becomes_one_of_several() -> None:
    before = Models()
    before.add("Label", name=db.CharField(max_length=20, default=""))
    parts = {"band": db.CharField(max_length=20), "number": db.IntegerField()}
    before.add("Musician", **parts, name=db.CharField(max_length=20))
    before.add("Record", title=db.CharField(max_length=20), leader=_to()())

    found = diff(State.of(before.all), State.of(models_of(LEADER)), Questions())

    assert [written(each) for each in found] == [
        'drop_column("Record", "leader")',
        'alter_table("Musician", key=["band", "number"])',
        f'add_column("Record", "leader", {SHOWN})',
        'drop_column("Musician", "id")',
    ]


def test_a_reference_goes_in_two_steps(history: History) -> None:
    history.make(models_of(_with(leader=_to(null=False))), "one")
    history.migrate()
    add_rows(history, "0001_one")
    history.add(migrations.retire_column("Record", "leader"))

    history.migrate()

    models = history.models()
    models.Record.objects.create(title="three")
    assert models.Record.objects.filter(leader=None).count() == 1
    history.add(migrations.drop_column("Record", "leader"))
    history.migrate()
    assert titles(history, "0003_by_hand") == ["one", "three", "two"]


def test_a_release_before_asks_for_the_columns_of_a_renamed_reference(files: History) -> None:
    files.make(models_of(LEADER), "one")
    files.make(models_of(_with(boss=_to())), "two", renames=["record.leader:boss"])
    graph = files.graph

    found = lint(graph.all["0002_two"], graph.state(["0001_one"]), "postgresql")

    assert [risk.message for _, risk in found] == [
        "The release before asks for leader_band, leader_number, which is called boss_band, boss_number."
    ]
