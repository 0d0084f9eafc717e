"""What can only be seen when all models are known is found before an app starts."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from segue import db
from segue.db.models.checks import check_models
from segue.errors import SetupError


def told(*models: Any) -> list[tuple[str, str]]:
    """Return the id and message of what is found."""
    return [(finding.id, finding.message) for finding in check_models(models)]


def ids(*models: Any) -> list[str]:
    """Return the ids of what is found."""
    return [finding.id for finding in check_models(models)]


class Leader(db.Model):
    name = db.CharField(max_length=9)
    born = db.DateField(null=True)

    class Meta:
        app_label = "checks"


def test_good_models_have_no_findings() -> None:
    class Record(db.Model):
        leader = db.ForeignKey(Leader, on_delete=db.CASCADE, related_name="+")
        year = db.IntegerField()
        day = db.DateField(null=True)
        title = db.CharField(max_length=9, choices=[("a", "A")], unique_for_date="day")
        data = db.JSONField(default=dict)
        twice = db.GeneratedField(expression=db.F("year") * 2, output_field=db.IntegerField())

        class Meta:
            ordering = ["-leader__name", "?", db.F("year").desc(nulls_last=True), "data__a", "pk", "leader"]
            get_latest_by = ["year", "-day"]
            unique_together = [("leader", "year")]
            constraints = [
                db.CheckConstraint(condition=db.Q(year__gt=0, leader__isnull=False), name="checks_year"),
                db.UniqueConstraint(db.functions.Lower("title"), "leader", name="checks_title"),
            ]
            indexes = [db.Index(fields=["-year"], include=["title"], condition=db.Q(pk__gt=1))]

    assert told(Leader, Record) == []


def test_a_shared_column_has_the_type_of_what_it_refers_to() -> None:
    class Seat(db.Model):
        hall = db.CharField(max_length=9)
        number = db.IntegerField()
        pk = db.CompositePrimaryKey("hall", "number")

    class Ticket(db.Model):
        hall = db.IntegerField()
        seat = db.ForeignKey(Seat, on_delete=db.CASCADE, db_columns=("hall", "seat_number"), related_name="+")

        class Meta:
            unique_together = [("seat", "hall")]
            ordering = ["seat"]
            indexes = [db.Index(fields=["seat_number"])]

    ((number, message),) = told(Seat, Ticket)
    assert (number, message.partition(",")[0]) == ("models.E005", "Ticket.seat shares the column of hall")


def _wrong(meta: dict[str, Any], **body: Any) -> Any:
    return type(
        "Record",
        (db.Model,),
        {
            "__module__": __name__,
            "__qualname__": f"wrong{id(meta)}.<locals>.Record",
            "year": db.IntegerField(),
            "title": db.CharField(max_length=9),
            "leader": db.ForeignKey(Leader, on_delete=db.CASCADE, related_name="+"),
            **body,
            "Meta": type("Meta", (), meta),
        },
    )


@pytest.mark.parametrize(
    ("meta", "number", "hint"),
    [
        ({"ordering": ["-yaer"]}, "models.E006", "year"),
        ({"ordering": ["leader__nmae"]}, "models.E006", "name"),
        ({"ordering": [db.F("yaer").desc()]}, "models.E006", "year"),
        ({"ordering": "year"}, "models.E006", "['year']"),
        ({"get_latest_by": "yaer"}, "models.E007", "year"),
        ({"unique_together": [("year", "titel")]}, "models.E008", "title"),
        ({"constraints": [db.CheckConstraint(condition=db.Q(yaer=1), name="c")]}, "models.E010", "year"),
        ({"constraints": [db.CheckConstraint(condition=db.Q(leader__name="x"), name="c")]}, "models.E010", "own"),
        ({"constraints": [db.CheckConstraint(condition=db.Q(year=db.F("yaer")), name="c")]}, "models.E010", "year"),
        ({"constraints": [db.UniqueConstraint(fields=["titel"], name="c")]}, "models.E010", "title"),
        ({"constraints": [db.UniqueConstraint(fields=["year"], include=["titel"], name="c")]}, "models.E010", "title"),
        ({"constraints": [db.UniqueConstraint(db.F("titel"), name="c")]}, "models.E010", "title"),
        ({"indexes": [db.Index(fields=["-titel"])]}, "models.E011", "title"),
        ({"indexes": [db.Index(fields=["year"], condition=db.Q(titel="x"))]}, "models.E011", "title"),
        ({"indexes": [db.Index(db.functions.Lower("titel"), name="i")]}, "models.E011", "title"),
        ({"db_table": "x" * 64}, "models.E013", "db_table"),
    ],
)
def test_a_name_in_meta_that_means_nothing_is_found(meta: dict[str, Any], number: str, hint: str) -> None:
    model = _wrong(meta)

    findings = check_models([Leader, model])

    assert [finding.id for finding in findings] == [number]
    assert findings[0].level == "error"
    assert hint in findings[0].hint
    assert "Record" in findings[0].where or "test_model_checks" in findings[0].where


@pytest.mark.parametrize(
    ("body", "number", "hint"),
    [
        ({"slug": db.SlugField(unique_for_date="yaer")}, "models.E009", ""),
        ({"other": db.IntegerField(db_column="year")}, "models.E014", "db_column"),
        ({"kind": db.CharField(max_length=2, choices=["abc"])}, "models.E015", "max_length=3"),
        ({"tags": db.JSONField(default=[])}, "models.W016", "default=list"),
        ({"lost": db.ForeignKey("Nobody", on_delete=db.CASCADE)}, "models.E005", ""),
        ({"lost": db.ManyToManyField("Nobody")}, "models.E005", ""),
        ({"search": db.SearchField("titel")}, "models.E011", "title"),
        ({"search": db.SearchField("year")}, "models.E018", "CharField"),
        ({"rank": db.TextField(), "search": db.SearchField("rank")}, "models.E018", "rank_text"),
        ({"search": db.SearchField("title", column="title")}, "models.E018", "title_words"),
        ({"rowid": db.IntegerField(), "search": db.SearchField("title")}, "models.E018", "rowid_column"),
        (
            {"place": db.IntegerField(db_column="RowId"), "search": db.SearchField("title")},
            "models.E018",
            "place_column",
        ),
        (
            {"rowid": db.BigIntegerField(primary_key=True), "search": db.SearchField("title")},
            "models.E018",
            "AutoField",
        ),
        (
            {"to": db.ForeignKey(Leader, on_delete=db.CASCADE, to_field="born", related_name="+")},
            "models.E005",
            "unique=True",
        ),
        (
            {"sum": db.GeneratedField(expression=db.F("yaer") + 1, output_field=db.IntegerField())},
            "models.E012",
            "year",
        ),
    ],
)
def test_a_field_that_cannot_work_is_found(body: dict[str, Any], number: str, hint: str) -> None:
    findings = check_models([Leader, _wrong({}, **body)])

    assert [finding.id for finding in findings] == [number]
    assert hint in findings[0].hint


def test_an_integer_key_of_a_searched_model_may_be_called_rowid() -> None:
    class Take(db.Model):
        rowid = db.BigAutoField(primary_key=True)
        title = db.TextField()
        search = db.SearchField("title")

    assert ids(Take) == []


def test_a_part_of_a_key_may_not_be_null() -> None:
    class Seat(db.Model):
        row = db.IntegerField(null=True)
        number = db.IntegerField()
        pk = db.CompositePrimaryKey("row", "number")

    assert ids(Seat) == ["models.E017"]


def test_a_rule_of_a_child_may_not_look_at_its_parents_table() -> None:
    class Place(db.Model):
        name = db.CharField(max_length=9)

    class Bar(Place):
        stools = db.IntegerField()

        class Meta:
            unique_together = [("name", "stools")]

    assert ids(Place, Bar) == ["models.E008"]


def test_what_a_class_declares_must_be_made_by_a_relation() -> None:
    class Singer(db.Model):
        songs: db.Reverse[Any]

    class Song(db.Model):
        singer = db.ForeignKey(Singer, on_delete=db.CASCADE, related_name="song_list")
        singer_id: db.Key[int]
        label_id: db.Key[int]

    found = told(Singer, Song)

    assert [number for number, _ in found] == ["models.E004", "models.E004"]
    assert "Singer.songs" in found[0][1]
    assert "Song.label_id" in found[1][1]


def test_two_models_of_one_label_and_name_are_found() -> None:
    def make(module: str) -> Any:
        meta = type("Meta", (), {"app_label": "town"})
        return type("Bar", (db.Model,), {"__module__": module, "__qualname__": "Bar", "Meta": meta})

    first, second = make("one_town.models"), make("two_town.models")

    found = told(first, second)
    assert [number for number, _ in found] == ["models.E001"]
    assert "one_town.models.Bar" in found[0][1]
    assert "two_town.models.Bar" in found[0][1]


def test_two_models_of_one_package_with_one_name_are_found_though_one_hides_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def make(qualname: str) -> Any:
        return type("Bar", (db.Model,), {"__module__": "hidden_town", "__qualname__": qualname})

    first, second = make("Bar"), make("Other.Bar")
    monkeypatch.setitem(sys.modules, "hidden_town", SimpleNamespace(Bar=first, Other=SimpleNamespace(Bar=second)))

    assert ids(second) == ["models.E001"]


def test_a_model_whose_module_was_loaded_anew_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(module: str) -> Any:
        return type("Bar", (db.Model,), {"__module__": module, "__qualname__": "Bar"})

    make("moved_town")
    second = make("moved_town.models")
    monkeypatch.setitem(sys.modules, "moved_town.models", SimpleNamespace(Bar=second))

    assert ids(second) == []


def test_a_table_between_two_others_is_told_once() -> None:
    class Player(db.Model):
        name = db.CharField(max_length=9)

    class Concert(db.Model):
        players = db.ManyToManyField(Player)

    assert ids(Player, Concert, Concert.players.through) == []


def test_a_class_that_is_defined_again_takes_the_place_of_the_first() -> None:
    def make() -> Any:
        return type("Bar", (db.Model,), {"__module__": "reloaded_town", "__qualname__": "Bar"})

    make()

    assert ids(make()) == []


def test_two_models_of_one_table_are_found() -> None:
    class First(db.Model):
        class Meta:
            db_table = "things"

    class Second(db.Model):
        class Meta:
            db_table = "things"

    class Third(First):
        class Meta:
            proxy = True

    assert ids(First, Second, Third) == ["models.E003"]


def test_two_constraints_of_one_name_are_found() -> None:
    class Dated(db.Model):
        year = db.IntegerField()

        class Meta:
            abstract = True
            constraints = [db.CheckConstraint(condition=db.Q(year__gt=0), name="year_positive")]

    class First(Dated):
        pass

    class Second(Dated):
        pass

    found = check_models([First, Second])

    assert [finding.id for finding in found] == ["models.E003"]
    assert "%(class)s" in found[0].hint


def test_the_way_back_of_two_relations_may_not_have_one_name() -> None:
    with pytest.raises(SetupError) as caught:

        class Song(db.Model):
            singer = db.ForeignKey(Leader, on_delete=db.CASCADE, related_name="name")

    assert caught.value.code == "data/reverse-clash"
    assert "related_name" in caught.value.hint


@pytest.mark.parametrize("name", ["save", "objects", "pk", "a__b", "ends_", "_begins", "fetch", "table", "clean"])
def test_a_field_may_not_have_a_name_that_is_taken(name: str) -> None:
    with pytest.raises(SetupError) as caught:
        type("Song", (db.Model,), {"__module__": __name__, name: db.IntegerField()})

    assert caught.value.code == "data/reserved-name"
    assert "= …" in caught.value.hint
