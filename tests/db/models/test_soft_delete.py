"""`SoftDelete`: rows are hidden with what goes with them, and come back with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from databases import on_loop

from segue import db
from segue.errors import SetupError, ValidationError

Tables = Callable[..., None]


class Leader(db.SoftDelete):
    name = db.CharField(max_length=20, unique=True)

    class Meta:
        app_label = "soft"


class Record(db.SoftDelete):
    leader = db.ForeignKey(Leader, on_delete=db.CASCADE, related_name="records")
    title = db.CharField(max_length=20)
    year = db.IntegerField(default=1959)
    isbn = db.CharField(max_length=9, null=True)

    class Meta:
        app_label = "soft"
        unique_together = [("leader", "title")]
        constraints = [
            db.UniqueConstraint(fields=["isbn"], name="soft_isbn"),
            db.CheckConstraint(condition=db.Q(year__gt=0), name="soft_year"),
        ]


class Track(db.SoftDelete):
    record = db.ForeignKey(Record, on_delete=db.CASCADE, related_name="tracks")

    class Meta:
        app_label = "soft"


class Review(db.Model):
    record = db.ForeignKey(Record, on_delete=db.CASCADE, related_name="reviews")

    class Meta:
        app_label = "soft"


class Prize(db.SoftDelete):
    record = db.ForeignKey(Record, on_delete=db.PROTECT, related_name="prizes")

    class Meta:
        app_label = "soft"


MODELS = (Leader, Record, Track, Review, Prize)


@pytest.fixture(autouse=True)
def made(request: pytest.FixtureRequest) -> None:
    if "database" in request.fixturenames:
        request.getfixturevalue("tables")(*MODELS)


@pytest.fixture
def leader(database: db.Database, made: None) -> Leader:
    leader = Leader.objects.create(name="Nina")
    for title in ("a", "b"):
        record = Record.objects.create(leader=leader, title=title)
        Track.objects.create(record=record)
        Review.objects.create(record=record)
    return leader


def test_a_deleted_row_is_hidden_and_still_there(leader: Leader) -> None:
    record = Record.objects.get(title="a")

    deleted, by_model = record.delete()

    assert (deleted, by_model) == (2, {"soft.Record": 1, "soft.Track": 1})
    assert record.is_deleted
    assert record.pk is not None
    assert [each.title for each in Record.objects.all()] == ["b"]
    assert [each.title for each in leader.records.all()] == ["b"]
    assert Record.all_objects.count() == 2
    assert Record.all_objects.get(title="a").is_deleted
    assert not Record.objects.filter(title="a").exists()


def test_what_refers_to_it_goes_with_it_and_comes_back_with_it(leader: Leader) -> None:
    early = Track.objects.get(record__title="a")
    early.delete()

    assert leader.delete()[0] == 4
    assert (Leader.objects.count(), Record.objects.count(), Track.objects.count()) == (0, 0, 0)
    assert Review.objects.count() == 2

    assert leader.restore() == 4
    assert not leader.is_deleted
    assert (Leader.objects.count(), Record.objects.count()) == (1, 2)
    # The track that was deleted before stays so.
    assert [track.pk == early.pk for track in Track.objects.all()] == [False]


def test_a_value_may_be_used_again_and_to_restore_is_a_conflict(leader: Leader) -> None:
    leader.delete()
    second = Leader.objects.create(name="Nina")

    with pytest.raises(ValidationError) as caught:
        leader.restore()

    assert [(fault.path, fault.code, fault.message) for fault in caught.value.faults] == [
        (("name",), "unique", "Leader with this name already exists.")
    ]
    assert leader.is_deleted
    assert Leader.objects.get() == second
    assert Record.objects.count() == 0
    second.delete()
    leader.restore()
    assert Leader.objects.get() == leader


def test_constraints_count_visible_rows_alone(leader: Leader) -> None:
    Record.objects.filter(title="a").update(isbn="1")
    Record.objects.get(title="a").delete()

    again = Record.objects.create(leader=leader, title="a", isbn="1")

    with pytest.raises(db.IntegrityError):
        Record.objects.create(leader=leader, title="a")
    with pytest.raises(db.IntegrityError):
        Record.objects.create(leader=leader, title="c", isbn="1")
    with pytest.raises(db.IntegrityError):
        Record.objects.create(leader=leader, title="d", year=0)
    again.full_clean()
    with pytest.raises(ValidationError) as caught:
        Record(leader=leader, title="a", isbn="1").full_clean()
    assert sorted(fault.code for fault in caught.value.faults) == ["unique", "unique_together"]
    Leader(name="Max").full_clean()
    with pytest.raises(ValidationError):
        Leader(name="Nina").full_clean()
    leader.delete()
    Leader(name="Nina").full_clean()


def test_visible_rows_protect(leader: Leader) -> None:
    record = Record.objects.get(title="a")
    prize = Prize.objects.create(record=record)

    with pytest.raises(db.ProtectedError) as caught:
        leader.delete()
    assert caught.value.protected_objects == [prize]
    assert Leader.objects.count() == 1
    prize.delete()
    leader.delete()
    assert Leader.objects.count() == 0


def test_a_queryset_hides_shows_and_deletes(leader: Leader) -> None:
    assert Record.objects.filter(title__in=["a", "b"]).delete() == (4, {"soft.Record": 2, "soft.Track": 2})
    assert Record.objects.count() == 0
    assert Record.objects.all().delete() == (0, {})
    assert Record.all_objects.filter(title="a").restore() == 2
    assert [record.title for record in leader.records.all()] == ["a"]
    leader.records.all().delete()
    assert Record.all_objects.count() == 2
    Record.all_objects.all().hard_delete()
    assert (Record.all_objects.count(), Track.all_objects.count(), Review.objects.count()) == (0, 0, 0)


def test_a_row_can_be_deleted_for_good(leader: Leader) -> None:
    leader.delete()

    leader.hard_delete()

    assert Leader.all_objects.count() == Record.all_objects.count() == Review.objects.count() == 0


def test_a_reference_to_a_hidden_row_still_leads_there(leader: Leader) -> None:
    leader.delete()

    assert Review.objects.filter(record__title="a").get().record.is_deleted


def test_a_hidden_row_is_saved_and_loaded(leader: Leader) -> None:
    leader.delete()

    leader.name = "Nina S."
    leader.save()
    leader.refresh_from_db()

    assert leader.is_deleted
    assert Leader.all_objects.get().name == "Nina S."


def test_async_code_hides_and_shows(leader: Leader) -> None:
    async def story() -> list[Any]:
        found = await Leader.objects.aget()
        told = [(await found.adelete())[0], await Leader.objects.acount()]
        told += [await found.arestore(), await Leader.objects.acount()]
        told.append((await Record.objects.filter(title="a").adelete())[0])
        told.append(await Record.all_objects.filter(title="a").arestore())
        await found.ahard_delete()
        return [*told, await Leader.all_objects.acount()]

    assert on_loop(story()) == [5, 0, 5, 1, 2, 2, 0]


def test_receivers_are_told(database: db.Database, leader: Leader) -> None:
    told: list[tuple[str, Any]] = []
    signals = database.signals
    signals[db.pre_delete].connect(lambda sender, **values: told.append(("pre", sender)), weak=False)
    signals[db.post_delete].connect(lambda sender, **values: told.append(("post", sender)), weak=False)

    Record.objects.get(title="a").delete()

    assert told == [("pre", Record), ("post", Record), ("pre", Track), ("post", Track)]


def test_the_schema_makes_no_other_unique_rule() -> None:
    assert Leader._meta.get_field("name").unique is False
    assert [constraint.name for constraint in Record._meta.constraints] == [
        "soft_isbn",
        "soft_year",
        "uq_soft_record_leader_id_title",
    ]


def test_a_rule_that_is_checked_later_cannot_be_partial() -> None:
    with pytest.raises(SetupError) as caught:

        class Seat(db.SoftDelete):
            number = db.IntegerField()

            class Meta:
                constraints = [db.UniqueConstraint(fields=["number"], deferrable="deferred", name="seat")]

    assert caught.value.code == "data/constraint"
