"""Forty things that people change in their models, and what comes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from migration_histories import Models

from segue import db
from segue.db.functions import Lower

Declare = Callable[[Models], None]


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        operations: What the differ finds, as it is written.
        answers: What a person answers.
        rows: Whether rows that were there stay comparable: `title` of each.
    """

    name: str
    before: Declare
    after: Declare
    operations: list[str]
    answers: Mapping[str, Any] = field(default_factory=dict)


def _with(name: str = "Record", meta: dict[str, Any] | None = None, **fields: Callable[[], Any]) -> Declare:
    """A musician, and a record with these fields."""

    def declare(models: Models) -> None:
        models.add("Musician", name=db.CharField(max_length=50))
        made = {key: make() for key, make in fields.items()}
        models.add(name, meta=meta() if callable(meta) else meta, title=db.CharField(max_length=100), **made)

    return declare


def _meta(**options: Any) -> Any:
    return options


PLAIN = _with()
YEAR = _with(year=lambda: db.IntegerField(default=1900))


def _year(**options: Any) -> Declare:
    return _with(year=lambda: db.IntegerField(**{"default": 1900, **options}))


def _leader(**options: Any) -> Declare:
    return _with(
        leader=lambda: db.ForeignKey("Musician", null=True, **{"on_delete": db.CASCADE, "related_name": "+", **options})
    )


def _titled(**options: Any) -> Declare:
    def declare(models: Models) -> None:
        models.add("Musician", name=db.CharField(max_length=50))
        models.add("Record", title=db.CharField(**{"max_length": 100, **options}))

    return declare


def _two(models: Models) -> None:
    PLAIN(models)
    models.add("Label", name=db.CharField(max_length=20), city=db.CharField(max_length=20, default="?"))


def _renamed_model(models: Models) -> None:
    models.add("Musician", name=db.CharField(max_length=50))
    models.add("Album", title=db.CharField(max_length=100), year=db.IntegerField(default=1900))


def _place(models: Models) -> None:
    PLAIN(models)
    place = models.add("Place", city=db.CharField(max_length=20))
    models.add("Club", place, seats=db.IntegerField(default=1))


def _key(make: Callable[[], Any]) -> Declare:
    def declare(models: Models) -> None:
        models.add("Musician", id=make(), name=db.CharField(max_length=50))
        models.add(
            "Record",
            title=db.CharField(max_length=100),
            leader=db.ForeignKey("Musician", on_delete=db.CASCADE, null=True, related_name="+"),
        )

    return declare


EDITS: list[Edit] = [
    Edit(
        "a new model", PLAIN, _two,
        ['create_table("Label", fields={"id": db.BigAutoField(), "name": db.CharField(max_length=20), '
         '"city": db.CharField(max_length=20, default="?")}, table="label")'],
    ),
    Edit("a model that goes", _two, PLAIN, ['drop_table("Label")']),
    Edit("a model of another", PLAIN, _place, [
        'create_table("Place", fields={"id": db.BigAutoField(), "city": db.CharField(max_length=20)}, table="place")',
        'create_table("Club", fields={"place_ptr": db.OneToOneField("place", on_delete=db.CASCADE, primary_key=True, '
        'parent_link=True), "seats": db.IntegerField(default=1)}, table="club", bases=["place"])',
    ]),
    Edit("a renamed model", YEAR, _renamed_model, ['rename_table("Record", "Album")'], {"renames": ["record:Album"]}),
    Edit("a field", PLAIN, YEAR, ['add_column("Record", "year", db.IntegerField(default=1900))']),
    Edit(
        "a field that needs a value", PLAIN, _with(year=lambda: db.IntegerField()),
        ['add_column("Record", "year", db.IntegerField(), fill=1935)'], {"fills": {"record.year": 1935}},
    ),
    Edit(
        "a field that may be empty", PLAIN, _year(null=True, default=None),
        ['add_column("Record", "year", db.IntegerField(null=True, default=None))'],
    ),
    Edit("a field that goes", YEAR, PLAIN, ['drop_column("Record", "year")']),
    Edit(
        "a renamed field", YEAR, _with(born=lambda: db.IntegerField(default=1900)),
        ['alter_column("Record", "year", name="born")'], {"renames": ["record.year:born"]},
    ),
    Edit(
        "a field renamed, its column kept", YEAR, _with(born=lambda: db.IntegerField(default=1900, db_column="year")),
        ['alter_column("Record", "year", db.IntegerField(default=1900, db_column="year"), name="born")'],
        {"renames": ["record.year:born"]},
    ),
    Edit("a longer text", PLAIN, _titled(max_length=200),
         ['alter_column("Record", "title", db.CharField(max_length=200))']),
    Edit("a shorter text", PLAIN, _titled(max_length=60),
         ['alter_column("Record", "title", db.CharField(max_length=60))']),
    Edit("NULL allowed", PLAIN, _titled(null=True),
         ['alter_column("Record", "title", db.CharField(max_length=100, null=True))']),
    Edit(
        "NULL refused", _titled(null=True), PLAIN,
        ['alter_column("Record", "title", db.CharField(max_length=100), fill="?")'], {"fills": {"record.title": "?"}},
    ),
    Edit("another type", YEAR, _with(year=lambda: db.BigIntegerField(default=1900)),
         ['alter_column("Record", "year", db.BigIntegerField(default=1900))']),
    Edit("a number that becomes text", YEAR, _with(year=lambda: db.CharField(max_length=20, default="1900")),
         ['alter_column("Record", "year", db.CharField(max_length=20, default="1900"))']),
    Edit("more places", _with(price=lambda: db.DecimalField(max_digits=8, decimal_places=2, default=Decimal("1.5"))),
         _with(price=lambda: db.DecimalField(max_digits=9, decimal_places=3, default=Decimal("1.5"))),
         ['alter_column("Record", "price", db.DecimalField(max_digits=9, decimal_places=3, '
          'default=Decimal(\'1.5\')))']),
    Edit("a default", YEAR, _year(default=1935),
         ['alter_column("Record", "year", db.IntegerField(default=1935))']),
    Edit("a default of the database", YEAR, _year(db_default=1935),
         ['alter_column("Record", "year", db.IntegerField(default=1900, db_default=1935))']),
    Edit("a default of the database that goes", _year(db_default=1935), YEAR,
         ['alter_column("Record", "year", db.IntegerField(default=1900))']),
    Edit("choices", YEAR, _year(choices=[(1900, "old"), (2000, "new")]),
         ['alter_column("Record", "year", db.IntegerField(default=1900, choices=[[1900, "1900"], [2000, "2000"]]))']),
    Edit("a comment on a column", YEAR, _year(db_comment="of the recording"),
         ['alter_column("Record", "year", db.IntegerField(default=1900, db_comment="of the recording"))']),
    Edit("a comment on the table", PLAIN, _with(meta={"db_table_comment": "Long playing"}),
         ['alter_table("Record", comment="Long playing")']),
    Edit("a unique field", YEAR, _year(unique=True),
         ['alter_column("Record", "year", db.IntegerField(unique=True, default=1900))']),
    Edit("an indexed field", YEAR, _year(db_index=True),
         ['alter_column("Record", "year", db.IntegerField(default=1900, db_index=True))']),
    Edit("an index less", _year(db_index=True), YEAR,
         ['alter_column("Record", "year", db.IntegerField(default=1900))']),
    Edit("only positive numbers", YEAR, _with(year=lambda: db.PositiveIntegerField(default=1900)),
         ['alter_column("Record", "year", db.PositiveIntegerField(default=1900))']),
    Edit("an index", YEAR, _with(meta={"indexes": [db.Index(fields=["-year", "title"])]},
                                 year=lambda: db.IntegerField(default=1900)),
         ['add_index("Record", db.Index(fields=["-year", "title"]), name="ix_record_year_title")']),
    Edit("a partial index", YEAR,
         _with(meta={"indexes": [db.Index(fields=["year"], name="ix_new", condition=db.Q(year__gte=2000))]},
               year=lambda: db.IntegerField(default=1900)),
         ['add_index("Record", db.Index(fields=["year"], condition=db.Q(year__gte=2000), name="ix_new"))']),
    Edit("a renamed index", _with(meta={"indexes": [db.Index(fields=["title"], name="ix_a")]}),
         _with(meta={"indexes": [db.Index(fields=["title"], name="ix_b")]}),
         ['rename_index("Record", "ix_a", "ix_b")']),
    Edit("an index that goes", _with(meta={"indexes": [db.Index(fields=["title"], name="ix_a")]}), PLAIN,
         ['drop_index("Record", "ix_a")']),
    Edit("a check", YEAR,
         _with(meta={"constraints": [db.CheckConstraint(condition=db.Q(year__gte=1900), name="ck_year")]},
               year=lambda: db.IntegerField(default=1900)),
         ['add_constraint("Record", db.CheckConstraint(condition=db.Q(year__gte=1900), name="ck_year"))']),
    Edit("another check of that name",
         _with(meta={"constraints": [db.CheckConstraint(condition=db.Q(year__gte=1900), name="ck_year")]},
               year=lambda: db.IntegerField(default=1900)),
         _with(meta={"constraints": [db.CheckConstraint(condition=db.Q(year__gte=1850), name="ck_year")]},
               year=lambda: db.IntegerField(default=1900)),
         ['drop_constraint("Record", "ck_year")',
          'add_constraint("Record", db.CheckConstraint(condition=db.Q(year__gte=1850), name="ck_year"))']),
    Edit("a unique constraint", YEAR,
         _with(meta={"constraints": [db.UniqueConstraint(fields=["title", "year"], name="uq_both")]},
               year=lambda: db.IntegerField(default=1900)),
         ['add_constraint("Record", db.UniqueConstraint(fields=["title", "year"], name="uq_both"))']),
    Edit("a unique constraint of some rows", YEAR,
         _with(meta={"constraints": [db.UniqueConstraint(fields=["title"], condition=db.Q(year=1), name="uq_one")]},
               year=lambda: db.IntegerField(default=1900)),
         ['add_constraint("Record", db.UniqueConstraint(fields=["title"], condition=db.Q(year=1), name="uq_one"))']),
    Edit("a unique constraint of an expression", PLAIN,
         _with(meta={"constraints": [db.UniqueConstraint(Lower("title"), name="uq_low")]}),
         ['add_constraint("Record", db.UniqueConstraint(functions.Lower(db.F("title")), name="uq_low"))']),
    Edit("unique together", YEAR, _with(meta={"unique_together": [("title", "year")]},
                                        year=lambda: db.IntegerField(default=1900)),
         ['alter_table("Record", unique_together=[["title", "year"]])']),
    Edit("no more unique together", _with(meta={"unique_together": [("title", "year")]},
                                          year=lambda: db.IntegerField(default=1900)), YEAR,
         ['alter_table("Record", unique_together=[])']),
    Edit("another table", PLAIN, _with(meta={"db_table": "records"}), ['alter_table("Record", table="records")']),
    Edit("a foreign key", PLAIN, _leader(),
         ['add_column("Record", "leader", db.ForeignKey("musician", on_delete=db.CASCADE, null=True, '
          'related_name="+"))']),
    Edit("a foreign key that the database cascades", _leader(), _leader(on_delete=db.DB_CASCADE),
         ['alter_column("Record", "leader", db.ForeignKey("musician", on_delete=db.DB_CASCADE, null=True, '
          'related_name="+"))']),
    Edit("a foreign key the database does not check", _leader(), _leader(db_constraint=False),
         ['alter_column("Record", "leader", db.ForeignKey("musician", on_delete=db.CASCADE, null=True, '
          'db_constraint=False, related_name="+"))']),
    Edit("a foreign key that goes", _leader(), PLAIN, ['drop_column("Record", "leader")']),
    Edit("many to many", PLAIN, _with(players=lambda: db.ManyToManyField("Musician", related_name="played")),
         ['add_column("Record", "players", db.ManyToManyField("musician", related_name="played"))']),
    Edit("a generated column", YEAR,
         _with(year=lambda: db.IntegerField(default=1900),
               decade=lambda: db.GeneratedField(expression=db.F("year") * 10, output_field=db.IntegerField())),
         ['add_column("Record", "decade", db.GeneratedField(expression=db.F("year") * db.Value(10), '
          'output_field=db.IntegerField()))']),
    Edit("another key", _key(lambda: db.AutoField()), _key(lambda: db.BigAutoField()),
         ['alter_column("Musician", "id", db.BigAutoField())']),
    Edit("a table that others make", PLAIN, _with(meta={"managed": False}),
         ['alter_table("Record", managed=False)']),
    Edit("a field in place of another", YEAR, _with(born=lambda: db.IntegerField(default=1)),
         ['add_column("Record", "born", db.IntegerField(default=1))', 'drop_column("Record", "year")'],
         {"drops": ["record.year"]}),
]  # fmt: skip
