"""Each option of Meta acts as in Django."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from segue import db
from segue.errors import SetupError

Tables = Callable[..., None]


@pytest.mark.parametrize(
    ("given", "meant"), [("orderng", "ordering"), ("unique_togeter", "unique_together"), ("db_tabel", "db_table")]
)
def test_a_misspelt_option_is_an_error_with_a_suggestion(given: str, meant: str) -> None:
    with pytest.raises(SetupError) as caught:
        type("Record", (db.Model,), {"__module__": __name__, "Meta": type("Meta", (), {given: ["x"]})})

    assert caught.value.code == "data/meta-option"
    assert meant in caught.value.hint


def test_ordering_is_that_of_every_queryset(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()
        title = db.CharField(max_length=9)

        class Meta:
            ordering = ["-year", db.F("title").asc()]

    tables(Record)
    for year, title in ((1, "b"), (2, "x"), (1, "a")):
        Record.objects.create(year=year, title=title)

    assert [row.title for row in Record.objects.all()] == ["x", "a", "b"]
    assert [row.title for row in Record.objects.filter(year=1)] == ["a", "b"]
    first = Record.objects.first()
    assert first is not None
    assert first.title == "x"
    assert [row.title for row in Record.objects.order_by("title")] == ["a", "b", "x"]
    assert Record.objects.order_by().query.frame.order == ()


def test_ordering_by_a_relation_is_that_of_its_model(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        name = db.CharField(max_length=9)

        class Meta:
            ordering = ["-name"]

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

        class Meta:
            ordering = ["leader"]

    tables(Leader, Record)
    for name in ("a", "c", "b"):
        Record.objects.create(leader=Leader.objects.create(name=name))

    assert [row.leader.name for row in Record.objects.select_related("leader")] == ["c", "b", "a"]


def test_get_latest_by_is_what_latest_means(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()

        class Meta:
            get_latest_by = "year"

    tables(Record)
    for year in (3, 9, 5):
        Record.objects.create(year=year)

    assert Record.objects.latest().year == 9
    assert Record.objects.earliest().year == 3


def test_unique_together_is_in_the_schema_and_checked(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()
        title = db.CharField(max_length=9)

        class Meta:
            unique_together = [("year", "title")]

    tables(Record)
    Record.objects.create(year=1, title="a")
    Record.objects.create(year=1, title="b")

    with pytest.raises(db.IntegrityError):
        Record.objects.create(year=1, title="a")
    with pytest.raises(db.IntegrityError):
        Record.objects.filter(title="b").update(title="a")


def test_unique_together_may_be_one_group(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()
        title = db.CharField(max_length=9)

        class Meta:
            unique_together = ("year", "title")

    tables(Record)
    Record.objects.create(year=1, title="a")

    with pytest.raises(db.IntegrityError):
        Record.objects.create(year=1, title="a")


def test_a_check_refuses_rows(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()
        sold = db.IntegerField(default=0)
        title = db.CharField(max_length=20, default="x")

        class Meta:
            constraints = [
                db.CheckConstraint(condition=db.Q(year__gte=1900) & ~db.Q(year=1950), name="%(class)s_year"),
                db.CheckConstraint(condition=db.Q(sold__lte=db.F("year")), name="record_sold"),
                db.CheckConstraint(condition=db.Q(title__in=["x", "it's", "100%"]), name="record_title"),
            ]

    tables(Record)
    Record.objects.create(year=1959, sold=1959, title="it's")
    Record.objects.create(year=1959, title="100%")

    for wrong, name in (
        ({"year": 1899}, "record_year"),
        ({"year": 1950}, "record_year"),
        ({"year": 1959, "sold": 1960}, "record_sold"),
        ({"year": 1959, "title": "its"}, "record_title"),
    ):
        with pytest.raises(db.IntegrityError) as caught:
            Record.objects.create(**wrong)
        assert (caught.value.kind, caught.value.constraint) == ("check", name)


def test_a_unique_constraint_may_have_a_condition(database: db.Database, tables: Tables) -> None:
    class Seat(db.Model):
        number = db.IntegerField()
        taken = db.BooleanField(default=True)

        class Meta:
            constraints = [db.UniqueConstraint(fields=["number"], condition=db.Q(taken=True), name="seat_taken_once")]

    tables(Seat)
    Seat.objects.create(number=1, taken=False)
    Seat.objects.create(number=1, taken=False)
    Seat.objects.create(number=1)

    with pytest.raises(db.IntegrityError):
        Seat.objects.create(number=1)


def test_a_unique_constraint_may_be_of_expressions(database: db.Database, tables: Tables) -> None:
    class Member(db.Model):
        name = db.CharField(max_length=20)
        club = db.IntegerField()

        class Meta:
            constraints = [db.UniqueConstraint(db.functions.Lower("name"), "club", name="member_name")]

    tables(Member)
    Member.objects.create(name="Nina", club=1)
    Member.objects.create(name="NINA", club=2)

    with pytest.raises(db.IntegrityError):
        Member.objects.create(name="nina", club=1)


def test_nulls_may_be_equal_to_a_unique_constraint(database: db.Database, tables: Tables) -> None:
    class Seat(db.Model):
        number = db.IntegerField(null=True)

        class Meta:
            constraints = [db.UniqueConstraint(fields=["number"], nulls_distinct=False, name="seat_number")]

    if database.vendor != "postgresql":
        with pytest.raises(db.NotSupportedError) as refused:
            tables(Seat)
        assert "seat_number" in str(refused.value)
        return
    tables(Seat)
    Seat.objects.create()

    with pytest.raises(db.IntegrityError):
        Seat.objects.create()


def test_a_unique_constraint_may_be_checked_at_the_end(database: db.Database, tables: Tables) -> None:
    class Seat(db.Model):
        number = db.IntegerField()

        class Meta:
            constraints = [db.UniqueConstraint(fields=["number"], deferrable="deferred", name="seat_number")]

    if database.vendor != "postgresql":
        with pytest.raises(db.NotSupportedError) as refused:
            tables(Seat)
        assert "seat_number" in str(refused.value)
        return
    tables(Seat)
    first, second = Seat.objects.create(number=1), Seat.objects.create(number=2)

    with database.atomic():
        Seat.objects.filter(pk=first.pk).update(number=2)
        Seat.objects.filter(pk=second.pk).update(number=1)

    assert list(Seat.objects.order_by("pk").values_list("number", flat=True)) == [2, 1]


def test_indexes_are_in_the_schema(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()
        title = db.CharField(max_length=20)
        sold = db.IntegerField()

        class Meta:
            indexes = [
                db.Index(fields=["-year", "title"]),
                db.Index(fields=["title"], name="%(class)s_by_title"),
            ]

    tables(Record)

    with database.connection() as connection:
        found = {each["name"]: each["column_names"] for each in sa.inspect(connection).get_indexes("record")}
    assert found == {"ix_record_year_title": ["year", "title"], "record_by_title": ["title"]}


def test_an_index_may_be_partial_of_expressions_and_include_columns(database: db.Database, tables: Tables) -> None:
    class Record(db.Model):
        year = db.IntegerField()
        title = db.CharField(max_length=20)

        class Meta:
            indexes = [
                db.Index(fields=["year"], condition=db.Q(year__gt=1950), name="record_late"),
                db.Index(fields=["year"], include=["title"], name="record_covering"),
                db.Index(db.functions.Upper("title"), db.F("year").desc(), name="record_upper"),
            ]

    tables(Record)

    texts = index_texts(database)
    if database.vendor == "sqlite":
        assert "WHERE year > 1950" in texts["record_late"]
        assert "upper(title), year DESC" in texts["record_upper"]
    elif database.vendor == "postgresql":
        assert "WHERE (year > 1950)" in texts["record_late"]
        assert "INCLUDE (title)" in texts["record_covering"]
        assert "upper((title)::text), year DESC" in texts["record_upper"]
    else:
        assert set(texts) == {"PRIMARY", "record_late", "record_covering", "record_upper"}


def index_texts(database: db.Database) -> dict[str, str]:
    """Return the SQL of each index, by its name; of MariaDB nothing but the name."""
    sql = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "mysql": "SELECT index_name, '' FROM information_schema.statistics WHERE table_schema = DATABASE()",
    }
    return {row[0]: row[1] for row in database.execute(sql[database.vendor])}


def test_names_of_the_model_and_its_table() -> None:
    class JazzClub(db.Model):
        class Meta:
            db_table = "clubs"
            app_label = "town"
            verbose_name = "club of jazz"
            verbose_name_plural = "clubs of jazz"

    class HTTPLog(db.Model):
        class Meta:
            app_label = "town"

    class Entry(db.Model):
        pass

    options = JazzClub._meta
    assert (options.db_table, options.app_label, options.label, options.label_lower) == (
        "clubs",
        "town",
        "town.JazzClub",
        "town.jazzclub",
    )
    assert (options.verbose_name, options.verbose_name_plural) == ("club of jazz", "clubs of jazz")
    assert HTTPLog._meta.db_table == "town_http_log"
    assert (Entry._meta.verbose_name, Entry._meta.verbose_name_plural) == ("entry", "entrys")


def test_a_model_that_is_not_managed_gets_no_table(database: db.Database, tables: Tables) -> None:
    class Legacy(db.Model):
        title = db.CharField(max_length=9)

        class Meta:
            managed = False

    tables(Legacy)
    with database.connection() as connection:
        assert not sa.inspect(connection).has_table("legacy")

    database.execute("CREATE TABLE legacy (id INTEGER PRIMARY KEY, title VARCHAR(9))")
    database.execute("INSERT INTO legacy VALUES (1, 'x')")
    assert Legacy.objects.get().title == "x"


def test_permissions_are_kept_for_those_who_ask() -> None:
    class Record(db.Model):
        class Meta:
            permissions = [("press_record", "May press it")]
            default_permissions = ("view",)

    assert Record._meta.permissions == [("press_record", "May press it")]
    assert Record._meta.default_permissions == ("view",)


def test_default_related_name_names_the_way_back() -> None:
    class Leader(db.Model):
        pass

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

        class Meta:
            default_related_name = "%(class)ss"

    assert hasattr(Leader, "records")
    assert not hasattr(Leader, "record_set")


def test_fetch_mode_is_that_of_every_queryset(database: db.Database, tables: Tables) -> None:
    class Leader(db.Model):
        pass

    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE)

        class Meta:
            fetch_mode = "raise"

    tables(Leader, Record)
    Record.objects.create(leader=Leader.objects.create())

    with pytest.raises(ValueError) as caught:
        _ = Record.objects.get().leader
    assert caught.value.code == "data/unloaded-relation"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "make",
    [
        lambda: db.CheckConstraint(condition=db.Q(a=1), name=""),
        lambda: db.CheckConstraint(condition=db.Q(a=1), name="x" * 64),
        lambda: db.UniqueConstraint(name="x"),
        lambda: db.UniqueConstraint("a", fields=["b"], name="x"),
        lambda: db.UniqueConstraint(fields=["b"], name="x", deferrable="later"),
        lambda: db.UniqueConstraint(fields="title", name="x"),
        lambda: db.UniqueConstraint(fields=["a"], condition=db.Q(a=1), deferrable="deferred", name="x"),
        lambda: db.UniqueConstraint(db.F("a"), deferrable="deferred", name="x"),
        lambda: db.Index(),
        lambda: db.Index(db.F("a")),
        lambda: db.Index(fields="title"),
        lambda: db.Index(fields=["a"], using="gin; drop"),
        lambda: db.Index(fields=["a"], name="x" * 64),
    ],
)
def test_a_constraint_or_index_that_cannot_be_is_an_error(make: Callable[[], Any]) -> None:
    with pytest.raises(SetupError) as caught:
        make()

    assert caught.value.code in ("data/constraint", "data/constraint")
    assert caught.value.hint
