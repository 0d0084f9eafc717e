"""What a migration does to those who use the database meanwhile: each unsafe edit raises its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from migration_histories import History, Models

from segue import db
from segue.db import migrations as m
from segue.db.functions import Now
from segue.db.migrations.files import Migration
from segue.db.migrations.linting import RULES, lint
from segue.db.migrations.operations import Operation
from segue.db.migrations.planning import describe_plan
from segue.db.migrations.state import State


def _state() -> State:
    models = Models()
    models.add("Musician", name=db.CharField(max_length=50))
    models.add(
        "Record",
        meta={
            "unique_together": [],
            "indexes": [db.Index(fields=["title"], name="ix_title")],
            "constraints": [db.UniqueConstraint(fields=["code"], name="uq_code")],
        },
        title=db.CharField(max_length=100),
        code=db.CharField(max_length=10, unique=True),
        year=db.IntegerField(null=True, db_index=True),
        size=db.BigIntegerField(default=1),
        kind=db.CharField(max_length=10, choices=["lp", "cd"], default="lp"),
        state=db.CharField(max_length=10, db_default="new"),
        price=db.DecimalField(max_digits=8, decimal_places=2, default=Decimal(1)),
        leader=db.ForeignKey("Musician", on_delete=db.CASCADE, null=True, related_name="+"),
        plain=db.BigIntegerField(null=True),
        players=db.ManyToManyField("Musician", related_name="+"),
    )
    return State.of(models.all)


def nothing(models: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Unsafe:
    """One unsafe edit, and the rule that must see it."""

    rule: str
    make: Callable[[], list[Operation]]
    vendor: str = "postgresql"
    atomic: bool = True
    online: bool = True


def _one(rule: str, make: Callable[[], Operation], vendor: str = "postgresql", **options: Any) -> Unsafe:
    return Unsafe(rule, lambda: [make()], vendor, **options)


UNSAFE: list[Unsafe] = [
    _one("drop-table", lambda: m.drop_table("Record")),
    _one("drop-column", lambda: m.drop_column("Record", "title")),
    _one("drop-many-to-many", lambda: m.drop_column("Record", "players")),
    _one("shorten-text", lambda: m.alter_column("Record", "title", db.CharField(max_length=9))),
    _one("narrow-number", lambda: m.alter_column("Record", "size", db.SmallIntegerField(default=1))),
    _one("narrow-number", lambda: m.alter_column("Record", "price", db.DecimalField(max_digits=6, decimal_places=2))),
    _one("convert-type", lambda: m.alter_column("Record", "title", db.IntegerField(default=1))),
    _one("drop-choice", lambda: m.alter_column("Record", "kind", db.CharField(max_length=10, choices=["lp"]))),
    _one("add-required-column", lambda: m.add_column("Record", "more", db.IntegerField())),
    _one("require-value", lambda: m.alter_column("Record", "year", db.IntegerField(default=1), fill=1)),
    _one("add-unique", lambda: m.alter_column("Record", "title", db.CharField(max_length=100, unique=True))),
    _one("add-unique", lambda: m.add_constraint("Record", db.UniqueConstraint(fields=["size"], name="uq_size"))),
    _one("add-unique-together", lambda: m.alter_table("Record", unique_together=[["title", "year"]])),
    _one("add-unique-column", lambda: m.add_column("Record", "more", db.IntegerField(unique=True, default=1))),
    _one("add-check", lambda: m.add_constraint("Record", db.CheckConstraint(condition=db.Q(size=1), name="ck"))),
    _one("restrict-sign", lambda: m.alter_column("Record", "size", db.PositiveBigIntegerField(default=1))),
    _one(
        "add-foreign-key",
        lambda: m.alter_column("Record", "plain", db.ForeignKey("musician", on_delete=db.CASCADE, null=True)),
    ),
    _one("rename-table", lambda: m.rename_table("Record", "Album")),
    _one("move-table", lambda: m.alter_table("Record", table="records")),
    _one("rename-column", lambda: m.alter_column("Record", "title", name="name")),
    _one("require-of-old-release", lambda: m.add_column("Record", "more", db.IntegerField(default=1))),
    _one("drop-default", lambda: m.alter_column("Record", "state", db.CharField(max_length=10))),
    _one("drop-unique", lambda: m.alter_column("Record", "code", db.CharField(max_length=10))),
    _one("drop-unique", lambda: m.drop_constraint("Record", "uq_code")),
    _one("drop-index", lambda: m.drop_index("Record", "ix_title")),
    _one("drop-index", lambda: m.alter_column("Record", "year", db.IntegerField(null=True))),
    _one("unmanage-table", lambda: m.alter_table("Record", managed=False)),
    _one("rewrite-type", lambda: m.alter_column("Record", "year", db.BigIntegerField(null=True, db_index=True))),
    _one("change-collation", lambda: m.alter_column("Record", "title", db.CharField(max_length=100, db_collation="C"))),
    _one("change-key", lambda: m.alter_column("Musician", "id", db.AutoField())),
    _one(
        "add-generated-column",
        lambda: m.add_column(
            "Record", "twice", db.GeneratedField(expression=db.F("size") * 2, output_field=db.IntegerField())
        ),
    ),
    _one("add-computed-default", lambda: m.add_column("Record", "made", db.DateTimeField(db_default=Now()))),
    _one("build-index", lambda: m.add_index("Record", db.Index(fields=["size"], name="ix_size")), "mysql"),
    _one("build-index", lambda: m.add_index("Record", db.Index(fields=["size"], name="ix_size")), online=False),
    _one("build-search", lambda: m.add_index("Record", db.SearchField("title", column="search"))),
    _one("build-search", lambda: m.add_index("Record", db.SearchField("title", column="search")), "sqlite"),
    _one("rebuild-table", lambda: m.alter_column("Record", "year", db.BigIntegerField(null=True)), "sqlite"),
    Unsafe("data-beside-tables", lambda: [m.drop_index("Record", "ix_title"), m.run_python(nothing)]),
    _one("data-in-one-transaction", lambda: m.run_python(nothing, m.noop)),
    _one("data-without-batches", lambda: m.run_python(nothing, m.noop), atomic=False),
    _one("no-way-back", lambda: m.run_python(nothing)),
    _one("sql-without-state", lambda: m.run_sql("ALTER TABLE record ADD COLUMN a INTEGER", "")),
    _one("sql-without-where", lambda: m.run_sql("UPDATE record SET size = 1", "")),
    _one("sql-that-drops", lambda: m.run_sql("TRUNCATE record", "")),
]  # fmt: skip


def _rules(operations: list[Operation], vendor: str = "postgresql", **options: Any) -> set[str]:
    migration = Migration("0002_x", ["0001_x"], operations, **options)
    return {risk.rule for _, risk in lint(migration, _state(), vendor)}


@pytest.mark.parametrize("unsafe", UNSAFE, ids=lambda unsafe: f"{unsafe.rule} on {unsafe.vendor}")
def test_an_unsafe_edit_raises_its_rule(unsafe: Unsafe) -> None:
    found = _rules(unsafe.make(), unsafe.vendor, atomic=unsafe.atomic, online=unsafe.online)

    assert unsafe.rule in found


def test_every_rule_has_an_edit_that_raises_it() -> None:
    assert {each.rule for each in UNSAFE} == set(RULES)


@pytest.mark.parametrize(
    ("make", "vendor"),
    [
        (lambda: m.add_column("Record", "more", db.IntegerField(null=True)), "postgresql"),
        (lambda: m.add_column("Record", "more", db.IntegerField(null=True)), "mysql"),
        (lambda: m.add_column("Record", "more", db.IntegerField(null=True)), "sqlite"),
        (lambda: m.add_column("Record", "more", db.IntegerField(db_default=1)), "postgresql"),
        (lambda: m.add_index("Record", db.Index(fields=["size"], name="ix_size")), "postgresql"),
        (lambda: m.alter_column("Record", "title", db.CharField(max_length=200)), "postgresql"),
        (lambda: m.alter_column("Record", "title", db.CharField(max_length=100, db_comment="x")), "postgresql"),
        (lambda: m.create_table("Label", fields={"id": db.BigAutoField(), "name": db.CharField()}), "postgresql"),
        (lambda: m.retire_column("Record", "size"), "postgresql"),
    ],
)
def test_a_safe_edit_raises_none(make: Callable[[], Operation], vendor: str) -> None:
    assert _rules([make()], vendor) == set()


def test_a_table_that_the_migration_makes_itself_is_nobodys_yet() -> None:
    operations = [
        m.create_table("Label", fields={"id": db.BigAutoField(), "name": db.CharField()}),
        m.add_column("Label", "city", db.CharField(unique=True, default="?")),
        m.add_constraint("Label", db.CheckConstraint(condition=db.Q(name="x"), name="ck")),
    ]

    assert _rules(operations) == set()


def test_a_plan_shows_locks_rewrites_rows_and_risks(history: History, vendor: str) -> None:
    models = Models()
    models.add("Record", title=db.CharField(max_length=100))
    history.make(models.all, "initial")
    history.migrate()
    for number in range(3):
        history.models().Record.objects.create(title=str(number))
    history.add(m.alter_column("Record", "title", db.IntegerField(default=1)))
    executor = history.executor

    lines = list(describe_plan(executor, executor.plan()))

    who = "writers" if vendor == "sqlite" else "all others"
    assert lines[:2] == ["Apply 0002_by_hand", "  Alter Record.title"]
    assert lines[2].startswith(f"    lock: {who}, rewrite: yes, record: about ")
    assert any(line.startswith("    ! convert-type: char becomes integer") for line in lines)


# What PostgreSQL is told so that others go on


def _sql(operation: Operation, vendor: str = "postgresql", **options: Any) -> list[str]:
    from sqlalchemy.dialects import mysql, postgresql, sqlite

    from segue.db.migrations.executor import steps_of

    dialects = {"postgresql": postgresql.dialect, "mysql": mysql.dialect, "sqlite": sqlite.dialect}
    migration = Migration("0002_x", ["0001_x"], [operation], **options)
    return [str(step) for _, steps in steps_of(migration, _state(), dialects[vendor]()) for step in steps]


def test_an_index_is_built_beside_its_writers() -> None:
    assert _sql(m.add_index("Record", db.Index(fields=["size"], name="ix_size"))) == [
        "CREATE INDEX CONCURRENTLY ix_size ON record (size)"
    ]


def test_an_index_is_built_at_once_where_that_is_said() -> None:
    assert _sql(m.add_index("Record", db.Index(fields=["size"], name="ix_size")), online=False) == [
        "CREATE INDEX ix_size ON record (size)"
    ]


def test_a_check_is_validated_after_it_holds_for_new_rows() -> None:
    assert _sql(m.add_constraint("Record", db.CheckConstraint(condition=db.Q(size__gte=1), name="ck"))) == [
        "ALTER TABLE record ADD CONSTRAINT ck CHECK (size >= 1) NOT VALID",
        "ALTER TABLE record VALIDATE CONSTRAINT ck",
    ]


def test_a_unique_constraint_is_made_of_an_index_that_was_built_beside_its_writers() -> None:
    assert _sql(m.add_constraint("Record", db.UniqueConstraint(fields=["size"], name="uq"))) == [
        "CREATE UNIQUE INDEX CONCURRENTLY uq ON record (size)",
        "ALTER TABLE record ADD CONSTRAINT uq UNIQUE USING INDEX uq",
    ]


def test_null_is_refused_by_a_check_first() -> None:
    assert _sql(m.alter_column("Record", "year", db.IntegerField(db_index=True), fill=1)) == [
        "UPDATE record SET year = 1 WHERE year IS NULL",
        "ALTER TABLE record DROP CONSTRAINT IF EXISTS segue_year_not_null",
        "ALTER TABLE record ADD CONSTRAINT segue_year_not_null CHECK (year IS NOT NULL) NOT VALID",
        "ALTER TABLE record VALIDATE CONSTRAINT segue_year_not_null",
        "ALTER TABLE record ALTER COLUMN year SET NOT NULL",
        "ALTER TABLE record DROP CONSTRAINT segue_year_not_null",
    ]


def test_renaming_a_column_is_one_alter_column() -> None:
    assert _sql(m.alter_column("Record", "title", name="name"))[0] == "ALTER TABLE record RENAME COLUMN title TO name"
    assert len(_sql(m.alter_column("Record", "title", name="name"))) == 1
