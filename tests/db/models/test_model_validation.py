"""An instance is checked before it is written; what the database refuses is told the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from databases import on_loop

from segue import db
from segue.db.models.validation import fault_of
from segue.errors import Fault, ValidationError

Tables = Callable[..., None]


class Label(db.Model):
    name = db.CharField(max_length=20)
    closed = db.BooleanField(default=False)

    class Meta:
        app_label = "press"


class Release(db.Model):
    code = db.CharField(max_length=9, unique=True, error_messages={"unique": "That {field} is taken."})
    title = db.CharField(max_length=20)
    year = db.IntegerField(min_value=1900)
    tracks = db.PositiveIntegerField(default=1)
    price = db.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    label = db.ForeignKey(Label, on_delete=db.CASCADE, null=True, blank=True, limit_choices_to={"closed": False})
    side = db.CharField(max_length=1, default="a")
    position = db.IntegerField(default=1)
    edition = db.IntegerField(default=1)
    slug = db.CharField(max_length=20, default="", blank=True)

    class Meta:
        app_label = "press"
        unique_together = [("side", "position", "title")]
        constraints = [
            db.CheckConstraint(
                condition=db.Q(tracks__lte=db.F("position") * 100),
                name="%(class)s_tracks",
                violation_error_code="too_many",
                violation_error_message="Too many tracks.",
            ),
            db.CheckConstraint(condition=db.Q(price__isnull=True) | db.Q(price__gt=0), name="release_price"),
            db.UniqueConstraint(fields=["title", "year"], name="release_title_year"),
            db.UniqueConstraint(fields=["edition"], condition=db.Q(side="b"), name="release_edition"),
            db.UniqueConstraint(
                db.functions.Lower("slug"),
                condition=~db.Q(slug=""),
                name="release_slug",
                violation_error_message="That slug is taken.",
            ),
        ]


class Careful(db.Model):
    name = db.CharField(max_length=9)
    asked: list[str] = []

    class Meta:
        app_label = "press"

    def clean(self) -> None:
        self.asked.append("clean")
        if self.name == "bad":
            raise ValidationError([Fault(("name",), "bad", "That name is bad.")])
        if Label.objects.filter(name=self.name).exists():
            raise ValidationError([Fault((), "label", "A label has that name.")])

    def validate_unique(self, exclude: Any = ()) -> None:
        self.asked.append("unique")
        super().validate_unique(exclude)


MODELS = (Label, Release, Careful)


@pytest.fixture(autouse=True)
def made(tables: Tables) -> None:
    tables(*MODELS)


def release(**values: Any) -> Release:
    """Return a release that is good but for *values*."""
    return Release(**{"code": "a", "title": "x", "year": 1959, **values})


def told(check: Callable[[], Any]) -> list[tuple[Any, str, str]]:
    """Return the faults that a check finds, sorted by their paths."""
    try:
        check()
    except ValidationError as error:
        return sorted((fault.path, fault.code, fault.message) for fault in error.faults)
    return []


@pytest.fixture
def queries(database: db.Database) -> list[str]:
    """The statements from here on."""
    found: list[str] = []
    database.observers.append(lambda prepared, *_: found.append(prepared.sql))
    return found


def test_a_good_instance_passes_with_one_query_for_each_rule(queries: list[str]) -> None:
    release(side="b", slug="s").full_clean()

    # A unique field, unique_together, two checks, one unique constraint; two queries where there is a condition.
    assert len(queries) == 2 + 2 + 1 + 2 + 2


def test_bad_fields_are_told_all_at_once_and_their_rules_not_asked(queries: list[str]) -> None:
    found = told(release(title="", year=1, tracks=-1, price="1.234", code="too long a code").full_clean)

    assert [(path, code) for path, code, _ in found] == [
        (("code",), "max_length"),
        (("price",), "max_decimal_places"),
        (("title",), "blank"),
        (("tracks",), "min_value"),
        (("year",), "min_value"),
    ]


def test_values_are_converted(database: db.Database) -> None:
    one = release(year="1959", tracks="3", price="1.5")

    one.full_clean()

    assert (one.year, one.tracks, str(one.price)) == (1959, 3, "1.5")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"title": "other", "position": 2, "edition": 2}, (("code",), "unique", "That code is taken.")),
        (
            {"code": "b", "year": 1960, "edition": 2},
            ((), "unique_together", "Release with this side and position and title already exists."),
        ),
        (
            {"code": "b", "position": 2, "edition": 2},
            ((), "unique_together", "Release with this title and year already exists."),
        ),
        (
            {"code": "b", "title": "y", "edition": 1},
            (("edition",), "unique", "Release with this edition already exists."),
        ),
        ({"code": "b", "title": "y", "edition": 2, "slug": "SLUG"}, ((), "unique", "That slug is taken.")),
        ({"code": "b", "title": "y", "edition": 2, "tracks": 101}, ((), "too_many", "Too many tracks.")),
        (
            {"code": "b", "title": "y", "edition": 2, "price": "-1"},
            ((), "constraint", "This breaks the rule release_price."),
        ),
        ({"code": "b", "title": "y", "edition": 2, "label_id": 99}, (("label",), "invalid", "There is no such label.")),
        ({"code": "b", "edition": 2, "title": None}, (("title",), "null", "This field cannot be null.")),
        (
            {"code": "b", "title": "y", "edition": 2, "tracks": -1},
            (("tracks",), "min_value", "This must be at least 0."),
        ),
    ],
    ids=["unique", "together", "constraint", "partial", "expression", "check", "null-check", "key", "null", "positive"],
)
def test_a_lost_race_is_told_as_the_check_before_would(database: db.Database, values: Any, fault: Any) -> None:
    release(side="b", slug="slug").save()
    second = release(**{"side": "b", **values})

    with pytest.raises(db.IntegrityError) as caught, database.atomic():
        second.save()
    after = fault_of(caught.value, Release)

    assert told(second.full_clean) == [fault]
    if database.vendor == "sqlite" and fault[0] == ("label",):
        # SQLite says that a key is missing, not which.
        assert (after.code, after.message) == ("foreign_key", "A row that this refers to is not there.")
    else:
        assert (after.path, after.code, after.message) == fault


def test_an_error_that_no_rule_explains_is_told_without_values(database: db.Database) -> None:
    error = db.IntegrityError("secret 42", kind="unique", constraint="of_another_table")

    fault = fault_of(error, Release(code="42"))

    assert (fault.path, fault.code) == ((), "unique")
    assert "42" not in fault.message


def test_the_own_row_is_no_other_row(database: db.Database) -> None:
    one = release(side="b", slug="s")
    one.save()

    one.full_clean()
    Release.objects.get().full_clean()


def test_null_is_like_no_other_value(database: db.Database) -> None:
    class Seat(db.Model):
        number = db.IntegerField(null=True, blank=True, unique=True)
        row = db.IntegerField(null=True, blank=True)

        class Meta:
            constraints = [db.UniqueConstraint(fields=["row"], name="seat_row")]

    from segue.db.schema import create_all

    with database.connection() as connection:
        create_all(connection, [Seat])
        connection.commit()
    Seat.objects.create()

    Seat().full_clean()


def test_excluded_fields_and_their_rules_are_left_out(queries: list[str]) -> None:
    release(side="b", slug="s", label=Label.objects.create(name="x")).save()
    queries.clear()

    again = release(side="b", slug="s", year=1)
    assert told(lambda: again.full_clean(exclude=["year", "code", "title", "edition", "slug", "tracks", "price"])) == []
    assert queries == []


def test_unique_values_and_constraints_may_be_left_out(database: db.Database) -> None:
    release(side="b").save()

    again = release(side="b", tracks=101)
    assert [code for _, code, _ in told(lambda: again.full_clean(validate_unique=False))] == [
        "too_many",
        "unique_together",
        "unique",
    ]
    assert [code for _, code, _ in told(lambda: again.full_clean(validate_constraints=False))] == [
        "unique_together",
        "unique",
    ]
    assert told(lambda: again.full_clean(validate_unique=False, validate_constraints=False)) == []


def test_what_a_key_refers_to_must_be_among_the_choices(database: db.Database) -> None:
    open_label, closed = Label.objects.create(name="o"), Label.objects.create(name="c", closed=True)

    assert told(release(label=open_label).full_clean) == []
    assert told(release(label=closed).full_clean) == [(("label",), "invalid", "There is no such label.")]


def test_a_deferred_field_is_loaded_for_the_rules_that_need_it(database: db.Database) -> None:
    release().save()
    one = Release.objects.only("title").get()
    Release.objects.create(code="b", title="z", year=1959, side="x")
    one.title = "z"

    assert [code for _, code, _ in told(one.full_clean)] == ["unique_together"]


def test_clean_and_overridden_steps_are_called_in_order(database: db.Database) -> None:
    Careful.asked.clear()

    Careful(name="good").full_clean()

    assert Careful.asked == ["clean", "unique"]
    assert told(Careful(name="bad").full_clean) == [(("name",), "bad", "That name is bad.")]
    assert told(Careful(name="").full_clean) == [(("name",), "blank", "This field cannot be blank.")]


def test_async_code_checks_the_same(database: db.Database) -> None:
    release(side="b", slug="s").save()
    Label.objects.create(name="taken")

    async def story(instance: db.Model) -> list[Any]:
        try:
            await instance.afull_clean()
        except ValidationError as error:
            return sorted((fault.path, fault.code) for fault in error.faults)
        return []

    assert on_loop(story(release(title="y", side="b", edition=2, slug="S"))) == [((), "unique"), (("code",), "unique")]
    assert on_loop(story(Careful(name="taken"))) == [((), "label")]
    assert on_loop(story(Careful(name="good"))) == []


def test_a_child_checks_the_rules_of_its_parents(database: db.Database) -> None:
    class Base(db.Model):
        code = db.CharField(max_length=9, unique=True)

        class Meta:
            constraints = [db.CheckConstraint(condition=~db.Q(code="no"), name="base_code")]

    class Middle(Base):
        pass

    class Child(Middle):
        number = db.IntegerField(unique=True)

    from segue.db.schema import create_all

    with database.connection() as connection:
        create_all(connection, [Base, Middle, Child])
        connection.commit()
    child = Child.objects.create(code="a", number=1)
    child.full_clean()

    assert [(path, code) for path, code, _ in told(Child(code="a", number=1).full_clean)] == [
        (("code",), "unique"),
        (("number",), "unique"),
    ]
    assert [code for _, code, _ in told(Child(code="no", number=2).full_clean)] == ["constraint"]
    with pytest.raises(db.IntegrityError) as caught:
        Child(code="a", number=3).save()
    assert fault_of(caught.value, Child).path == ("code",)
