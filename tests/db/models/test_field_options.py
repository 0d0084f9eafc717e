"""Each option of a field acts: in the schema, on an instance, or when it is checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

import pytest
import sqlalchemy as sa

from segue import db
from segue.errors import SetupError, ValidationError

Tables = Callable[..., None]


def columns_of(database: db.Database, model: Any) -> dict[str, Any]:
    """Return what the database says of a model's columns, by name."""
    with database.connection() as connection:
        return {each["name"]: each for each in sa.inspect(connection).get_columns(model._meta.db_table)}


def indexes_of(database: db.Database, model: Any) -> dict[tuple[str, ...], bool]:
    """Return the columns of a model's indexes, and whether each is unique."""
    with database.connection() as connection:
        inspector = sa.inspect(connection)
        found = {
            tuple(each["column_names"]): bool(each["unique"]) for each in inspector.get_indexes(model._meta.db_table)
        }
        unique = inspector.get_unique_constraints(model._meta.db_table)
        return found | {tuple(each["column_names"]): True for each in unique}


def codes_of(instance: db.Model) -> dict[tuple[Any, ...], str]:
    """Return the code of each fault, by its path."""
    try:
        instance.clean_fields()
    except ValidationError as error:
        return {fault.path: fault.code for fault in error.faults}
    return {}


@pytest.mark.parametrize(
    ("make", "suggested"),
    [
        (lambda: db.CharField(max_lenght=9), "max_length"),
        (lambda: db.IntegerField(min_valeu=1), "min_value"),
        (lambda: db.DateField(auto_nwo=True), "auto_now"),
        (lambda: db.TextField(nul=True), "null"),
        (lambda: db.BooleanField(defualt=True), "default"),
        (lambda: db.JSONField(db_colum="x"), "db_column"),
        (lambda: db.ForeignKey("self", on_delete=db.CASCADE, related_nam="x"), "related_name"),
        (lambda: db.ManyToManyField("self", symetrical=False), "symmetrical"),
        (lambda: db.DecimalField(max_digits=2, decimal_places=1, max_digit=2), "max_digits"),
        (lambda: db.AutoField(verbos_name="x"), "verbose_name"),
        (lambda: db.FileField(upload="x"), "upload_to"),
        (lambda: db.ArrayField(db.IntegerField(), max_len=2), "max_length"),
        (lambda: db.GenericIPAddressField(protocoll="ipv4"), "protocol"),
    ],
)
def test_a_misspelt_option_is_an_error_with_a_suggestion(make: Callable[[], Any], suggested: str) -> None:
    with pytest.raises(SetupError) as caught:
        make()

    assert caught.value.code == "data/field-option"
    assert suggested in caught.value.hint


@pytest.mark.parametrize(
    "make",
    [
        lambda: db.CharField(max_length=0),
        lambda: db.CharField(max_length="9"),  # type: ignore[call-overload]
        lambda: db.DecimalField(max_digits=2, decimal_places=3),
        lambda: db.DecimalField(max_digits=66, decimal_places=0),
        lambda: db.GenericIPAddressField(protocol="ipv5"),  # type: ignore[call-overload]
        lambda: db.FileField(upload_to="/etc"),
        lambda: db.FileField(upload_to="a/../.."),
        lambda: db.FileField(primary_key=True),
        lambda: db.DateField(auto_now=True, auto_now_add=True),
        lambda: db.DateTimeField(auto_now=True, default=date.today),
        lambda: db.GeneratedField(expression=db.F("a"), output_field=db.IntegerField(), default=1),
        lambda: db.CharField(max_length=1, choices=3),
    ],
)
def test_an_option_that_cannot_be_is_an_error(make: Callable[[], Any]) -> None:
    with pytest.raises(SetupError) as caught:
        make()

    assert caught.value.code == "data/field-option"
    assert caught.value.hint


def test_null_decides_what_the_column_takes(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        title = db.CharField(max_length=10)
        note = db.CharField(max_length=10, null=True)

    tables(Record)

    columns = columns_of(database, Record)
    assert (columns["title"]["nullable"], columns["note"]["nullable"]) == (False, True)
    with pytest.raises(db.IntegrityError) as caught:
        Record.objects.create(title=None)
    assert (caught.value.kind, caught.value.columns) == ("not_null", ("title",))


def test_blank_decides_what_validation_takes() -> None:
    class Record(db.Model):
        title = db.CharField(max_length=10)
        note = db.CharField(max_length=10, blank=True)

    assert codes_of(Record()) == {("title",): "blank"}


def test_a_default_is_the_value_of_a_new_instance() -> None:
    class Record(db.Model):
        tags = db.JSONField(default=list)
        year = db.IntegerField(default=1959)
        note = db.IntegerField(null=True)

    first, second = Record(), Record(year=1)
    first.tags.append("x")

    assert (first.tags, second.tags, first.year, second.year, first.note) == (["x"], [], 1959, 1, None)


def test_a_database_default_fills_in_what_is_not_given(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField(db_default=1959)
        title = db.CharField(max_length=20, db_default="It's \\ %s")
        price = db.DecimalField(max_digits=8, decimal_places=2, db_default="9.50")
        sold = db.BooleanField(db_default=False)
        since = db.DateTimeField(db_default=datetime(2020, 1, 2, tzinfo=UTC))

    tables(Record)
    database.execute("INSERT INTO record (id) VALUES (7)")

    saved = Record.objects.create()
    for row in (Record.objects.get(pk=7), saved, Record.objects.get(pk=saved.pk)):
        assert (row.year, row.title, str(row.price), row.sold) == (1959, "It's \\ %s", "9.50", False)
        assert row.since == datetime(2020, 1, 2, tzinfo=UTC)


def test_a_database_default_gives_way_to_a_value(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField(db_default=1959)

    tables(Record)

    assert Record.objects.get(pk=Record.objects.create(year=3).pk).year == 3


def test_choices_may_be_pairs_groups_a_mapping_a_function_or_an_enum() -> None:
    class Format(Enum):
        LONG_PLAY = "lp"

    class Medium(db.TextChoices):
        VINYL = "v", "Vinyl record"

    assert db.CharField(choices=[("a", "A"), ("b", "B")]).choices == [("a", "A"), ("b", "B")]
    assert db.CharField(choices={"a": "A"}).choices == [("a", "A")]
    assert db.CharField(choices=lambda: [("a", "A")]).choices == [("a", "A")]
    assert db.CharField(choices=[("Audio", [("v", "V")]), ("x", "X")]).flat_choices == [("v", "V"), ("x", "X")]
    assert db.CharField(choices={"Audio": {"v": "V"}}).flat_choices == [("v", "V")]
    assert db.CharField(choices=["a", "b"]).choices == [("a", "a"), ("b", "b")]
    assert db.CharField(choices=Format).choices == [("lp", "Long Play")]
    assert db.CharField(choices=Medium).choices == [("v", "Vinyl record")]
    assert db.CharField(choices=Medium.choices).choices == [("v", "Vinyl record")]


def test_a_value_outside_the_choices_is_refused() -> None:
    class Record(db.Model):
        medium = db.CharField(max_length=1, choices=[("Audio", [("v", "Vinyl")]), ("b", "Book")])
        grade = db.IntegerField(choices={1: "good"}, null=True, blank=True)

    assert codes_of(Record(medium="v", grade=1)) == {}
    assert codes_of(Record(medium="x", grade="2")) == {("medium",): "invalid_choice", ("grade",): "invalid_choice"}


def test_a_field_with_choices_has_a_label() -> None:
    class Medium(db.TextChoices):
        VINYL = "v", "Vinyl record"
        TAPE = "t"

    class Record(db.Model):
        medium = db.CharField(max_length=1, choices=Medium)
        grade = db.IntegerField(choices=[(1, "good")], null=True)

        def get_grade_display(self) -> str:
            return "my own"

    assert Record(medium="v").get_medium_display() == "Vinyl record"  # type: ignore[attr-defined]
    assert Record(medium=Medium.TAPE).get_medium_display() == "Tape"  # type: ignore[attr-defined]
    assert Record(medium="?").get_medium_display() == "?"  # type: ignore[attr-defined]
    assert Record(medium=None).get_medium_display() == ""  # type: ignore[attr-defined]
    assert Record().get_grade_display() == "my own"


def test_an_enum_is_read_as_its_member(database: db.Database, tables: Tables) -> None:
    class Format(Enum):
        MONO = "m"

    class Record(db.Model):
        format = db.CharField(max_length=1, choices=Format)

    tables(Record)
    Record.objects.create(format=Format.MONO)
    Record.objects.create(format="?")

    assert Record.objects.get(format=Format.MONO).format is Format.MONO
    assert list(Record.objects.order_by("pk").values_list("format", flat=True)) == [Format.MONO, "?"]
    assert Record.objects.get(format__in=[Format.MONO]).format is Format.MONO


def test_validators_are_asked() -> None:
    from segue.errors import Fault

    def even(value: int) -> None:
        if value % 2:
            raise ValidationError([Fault((), "odd", "This must be even.")])

    class Record(db.Model):
        tracks = db.IntegerField(validators=[even])

    assert codes_of(Record(tracks=2)) == {}
    assert codes_of(Record(tracks=3)) == {("tracks",): "odd"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (db.CharField(max_length=2), "abc", "max_length"),
        (db.CharField(max_length=9, min_length=2), "a", "min_length"),
        (db.IntegerField(min_value=1), 0, "min_value"),
        (db.IntegerField(max_value=1), 2, "max_value"),
        (db.IntegerField(), 2**31, "max_value"),
        (db.SmallIntegerField(), -(2**15) - 1, "min_value"),
        (db.PositiveIntegerField(), -1, "min_value"),
        (db.FloatField(max_value=1.5), 1.6, "max_value"),
        (db.DecimalField(max_digits=3, decimal_places=1), "1.25", "max_decimal_places"),
        (db.DecimalField(max_digits=3, decimal_places=1), "100", "max_whole_digits"),
        (db.EmailField(), "nobody", "email"),
        (db.URLField(), "javascript:alert(1)", "url"),
        (db.SlugField(), "a b", "slug"),
        (db.GenericIPAddressField(protocol="ipv4"), "::1", "invalid"),
        (db.UUIDField(), "x", "invalid"),
        (db.DateField(), "2024-02-30", "invalid"),
        (db.JSONField(), {1: object()}, "invalid"),
        (db.FileField(), "../etc/passwd", "path"),
        (db.ImageField(), "cover.exe", "invalid_extension"),
        (db.ArrayField(db.IntegerField(), max_length=1), [1, 2], "max_length"),
        (db.BinaryField(max_length=1), b"ab", "max_length"),
        (db.CharField(max_length=9), None, "null"),
        (db.CharField(max_length=9), "a\x00", "null_characters"),
    ],
)
def test_each_field_checks_what_it_is_given(field: Any, value: Any, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field.clean(value)

    assert [fault.code for fault in caught.value.faults] == [code]


def test_a_fault_inside_an_array_says_where() -> None:
    with pytest.raises(ValidationError) as caught:
        db.ArrayField(db.IntegerField(max_value=5)).clean([1, 9, 2])

    assert [(fault.path, fault.code) for fault in caught.value.faults] == [((1,), "max_value")]


def test_error_messages_are_the_users_own() -> None:
    field = db.CharField(max_length=1, error_messages={"blank": "Say something."})

    with pytest.raises(ValidationError) as caught:
        field.clean("")

    assert caught.value.faults[0].message == "Say something."


def test_unique_and_db_index_are_in_the_schema(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        isbn = db.CharField(max_length=13, unique=True)
        year = db.IntegerField(db_index=True)
        slug = db.SlugField()
        note = db.IntegerField()

    tables(Record)

    assert indexes_of(database, Record) == {("isbn",): True, ("year",): False, ("slug",): False}
    Record.objects.create(isbn="1", year=1, slug="a", note=1)
    with pytest.raises(db.IntegrityError) as caught:
        Record.objects.create(isbn="1", year=1, slug="a", note=1)
    assert caught.value.kind == "unique"


def test_a_field_may_be_the_key(database: db.Database, tables: Tables) -> None:
    class Country(db.Model):
        code = db.CharField(max_length=2, primary_key=True)

    tables(Country)
    Country.objects.create(code="fr")

    found = Country.objects.get(pk="fr")
    assert (found.pk, found.code) == ("fr", "fr")
    with database.connection() as connection:
        key = sa.inspect(connection).get_pk_constraint("country")["constrained_columns"]
    assert key == ["code"]


@pytest.mark.parametrize("kind", [db.SmallAutoField, db.AutoField, db.BigAutoField])
def test_keys_are_counted_up_by_the_database(database: db.Database, tables: Tables, kind: Any) -> None:
    Record = type(
        "Record",
        (db.Model,),
        {"__module__": __name__, "__qualname__": f"keys.<locals>.{kind.__name__}", "number": kind()},
    )
    tables(Record)

    first, second = Record.objects.create(), Record.objects.create()  # type: ignore[attr-defined]

    assert isinstance(first.pk, int)
    assert second.pk > first.pk


def test_auto_now_is_set_at_each_save_and_auto_now_add_at_the_first(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        made = db.DateTimeField(auto_now_add=True)
        changed = db.DateTimeField(auto_now=True)
        day = db.DateField(auto_now_add=True)

    tables(Record)
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    record = Record.objects.create()
    assert (record.made - record.changed) < timedelta(seconds=5)
    assert record.day == record.made.date()

    record.made = record.changed = long_ago
    record.save()

    stored = Record.objects.get()
    assert (stored.made, stored.changed > long_ago) == (long_ago, True)


def test_automatic_fields_are_not_edited() -> None:
    assert (db.DateField(auto_now=True).editable, db.DateField(auto_now=True).blank) == (False, True)
    assert db.DateField().editable is True


def test_texts_for_people() -> None:
    class Record(db.Model):
        first_year = db.IntegerField(help_text="When it came out.")
        title = db.CharField(max_length=9, verbose_name="the title")

    fields = {field.name: field for field in Record._meta.fields}
    assert fields["first_year"].verbose_name == "first year"
    assert fields["first_year"].help_text == "When it came out."
    assert fields["title"].verbose_name == "the title"


def test_db_column_names_the_column(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        pass

    class Record(db.Model):
        title = db.CharField(max_length=9, db_column="Select")
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE, db_column="chef")

    tables(Leader, Record)
    record = Record.objects.create(title="x", leader=Leader.objects.create())

    assert set(columns_of(database, Record)) == {"id", "Select", "chef"}
    assert Record.objects.get(title="x", leader=record.leader_id) == record  # type: ignore[attr-defined]
    assert Record.objects.filter(title="x").update(title="y") == 1
    assert list(Record.objects.values("title", "leader_id")) == [{"title": "y", "leader_id": record.leader.pk}]


def test_comments_are_in_the_schema(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        title = db.CharField(max_length=9, db_comment="It's the title")

        class Meta:
            db_table_comment = "All 'records'"

    tables(Record)

    # SQLite keeps none, and takes the model all the same.
    kept = database.vendor != "sqlite"
    assert columns_of(database, Record)["title"].get("comment") == ("It's the title" if kept else None)
    with database.connection() as connection:
        found = sa.inspect(connection).get_table_comment("record")["text"] if kept else ""
    assert found == ("All 'records'" if kept else "")


COLLATIONS = {"sqlite": "NOCASE", "postgresql": "C", "mysql": "utf8mb4_general_ci"}


def test_a_collation_is_in_the_schema(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        title = db.CharField(max_length=9, db_collation=COLLATIONS[database.vendor])
        notes = db.TextField(db_collation=COLLATIONS[database.vendor])

    tables(Record)
    for title in ("b", "B", "a"):
        Record.objects.create(title=title, notes=title)

    # Whether case counts is the collation's to say.
    expected = ["B"] if database.vendor == "postgresql" else ["b", "B"]
    assert list(Record.objects.filter(title="B").order_by("pk").values_list("title", flat=True)) == expected
    assert list(Record.objects.filter(notes="B").order_by("pk").values_list("title", flat=True)) == expected


@pytest.mark.parametrize(
    ("option", "taken", "free"),
    [
        ("unique_for_date", date(2024, 5, 6), date(2024, 5, 7)),
        ("unique_for_month", date(2024, 5, 9), date(2024, 6, 6)),
        ("unique_for_year", date(2024, 8, 9), date(2025, 5, 6)),
    ],
)
def test_a_value_may_be_unique_for_a_day_a_month_or_a_year(
    database: db.Database, tables: Tables, option: str, taken: date, free: date
) -> None:
    Post = type(
        "Post",
        (db.Model,),
        {
            "__module__": __name__,
            "__qualname__": f"dates.<locals>.{option}",
            "slug": db.SlugField(**{option: "day"}),
            "day": db.DateField(),
        },
    )
    tables(Post)
    Post(slug="a", day=date(2024, 5, 6)).save()

    Post(slug="a", day=free).full_clean()
    Post(slug="b", day=taken).full_clean()
    with pytest.raises(ValidationError) as caught:
        Post(slug="a", day=taken).full_clean()
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(("slug",), option)]
