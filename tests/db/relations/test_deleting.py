"""What becomes of rows whose target is deleted, and what delete() returns."""

from __future__ import annotations

from typing import Any

import pytest

from segue import db
from segue.db import signals
from segue.db.errors import ModelError


class R(db.Model):
    name = db.CharField(max_length=10, default="")


def fallback() -> int:
    return R.objects.get(name="set").pk


class S(db.Model):
    r = db.ForeignKey(R, on_delete=db.CASCADE)


class T(db.Model):
    s = db.ForeignKey(S, on_delete=db.CASCADE)


class U(db.Model):
    t = db.ForeignKey(T, on_delete=db.CASCADE)


class A(db.Model):
    name = db.CharField(max_length=30)
    cascade = db.ForeignKey(R, on_delete=db.CASCADE, null=True, related_name="cascade_set")
    protect = db.ForeignKey(R, on_delete=db.PROTECT, null=True, related_name="protect_set")
    setnull = db.ForeignKey(R, on_delete=db.SET_NULL, null=True, related_name="setnull_set")
    setvalue = db.ForeignKey(R, on_delete=db.SET(fallback), null=True, related_name="setvalue_set")
    setnone = db.ForeignKey(R, on_delete=db.SET(None), null=True, related_name="setnone_set")
    setdefault = db.ForeignKey(R, on_delete=db.SET_DEFAULT, default=None, null=True, related_name="setdefault_set")
    donothing = db.ForeignKey(R, on_delete=db.DO_NOTHING, null=True, related_name="donothing_set", db_constraint=False)


class B(db.Model):
    protect = db.ForeignKey(R, on_delete=db.PROTECT)


class Owner(db.Model):
    pass


class Album(db.Model):
    owner = db.ForeignKey(Owner, on_delete=db.CASCADE)


class Song(db.Model):
    owner = db.ForeignKey(Owner, on_delete=db.CASCADE)
    album = db.ForeignKey(Album, on_delete=db.RESTRICT)


class Cover(db.Model):
    song = db.ForeignKey(Song, on_delete=db.CASCADE)


class Node(db.Model):
    parent = db.ForeignKey("self", on_delete=db.CASCADE, null=True, related_name="children")


class Base(db.Model):
    name = db.CharField(max_length=10, default="")


class Child(Base):
    extra = db.IntegerField(default=0)


class Grandchild(Child):
    more = db.IntegerField(default=0)


class ToBase(db.Model):
    base = db.ForeignKey(Base, on_delete=db.CASCADE)


class ToChild(db.Model):
    child = db.ForeignKey(Child, on_delete=db.CASCADE)


class Left(db.Model):
    right = db.ForeignKey("Right", on_delete=db.CASCADE, null=True)


class Right(db.Model):
    left = db.ForeignKey(Left, on_delete=db.CASCADE)


class InDatabase(db.Model):
    cascade = db.ForeignKey(Owner, on_delete=db.DB_CASCADE, null=True, related_name="+")
    setnull = db.ForeignKey(Owner, on_delete=db.DB_SET_NULL, null=True, related_name="+")


class Renamed(R):
    class Meta:
        proxy = True


MODELS = [R, S, T, U, A, B, Owner, Album, Song, Cover, Node, Base, Child, Grandchild, ToBase, ToChild, Left, Right]
MODELS += [InDatabase, Renamed]


async def test_cascade_deletes_along(tables: db.Database, both: Any) -> None:
    a = await both.call(A.objects.create, cascade=await both.call(R.objects.create))

    counts = await both.call((await both.call(R.objects.get)).delete)

    assert counts == (2, {"A": 1, "R": 1})
    assert not await both.call(A.objects.filter(pk=a.pk).exists)


async def test_cascade_goes_several_levels_down(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create)
    s = await both.call(S.objects.create, r=r)
    t = await both.call(T.objects.create, s=s)
    await both.call(U.objects.create, t=t)

    assert await both.call(r.delete) == (4, {"U": 1, "T": 1, "S": 1, "R": 1})


async def test_protect_lists_every_row_that_protects(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create)
    a = await both.call(A.objects.create, protect=r)
    b = await both.call(B.objects.create, protect=r)

    with pytest.raises(db.ProtectedError) as caught:
        await both.call(r.delete)

    assert caught.value.code == "data/protected"
    assert set(map(repr, caught.value.protected_objects)) == {repr(a), repr(b)}
    assert f"A {a.pk}, B {b.pk} refer to it by A.protect, B.protect" in str(caught.value)
    assert await both.call(R.objects.count) == 1


async def test_protect_deletes_nothing_of_the_rest(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create)
    await both.call(S.objects.create, r=r)
    await both.call(A.objects.create, protect=r)

    with pytest.raises(db.ProtectedError):
        await both.call(R.objects.all().delete)

    assert await both.call(S.objects.count) == 1


@pytest.mark.parametrize("name", ["setnull", "setnone", "setdefault"])
async def test_a_reference_becomes_null(tables: db.Database, both: Any, name: str) -> None:
    a = await both.call(A.objects.create, **{name: await both.call(R.objects.create)})

    counts = await both.call((await both.call(R.objects.get)).delete)

    assert counts == (1, {"R": 1})
    assert getattr(await both.call(A.objects.get, pk=a.pk), f"{name}_id") is None


def test_a_reference_becomes_what_a_function_says(tables: db.Database) -> None:
    instead, r = R.objects.create(name="set"), R.objects.create()
    A.objects.create(setvalue=r)

    r.delete()

    assert A.objects.get().setvalue == instead


async def test_nothing_is_done_where_nothing_is_asked(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create)
    key = r.pk
    await both.call(A.objects.create, donothing=r)

    await both.call(r.delete)

    assert (await both.call(A.objects.get)).donothing_id == key


async def test_restrict_refuses_and_lists(tables: db.Database, both: Any) -> None:
    owner = await both.call(Owner.objects.create)
    album = await both.call(Album.objects.create, owner=owner)
    song = await both.call(Song.objects.create, owner=owner, album=album)

    with pytest.raises(db.RestrictedError) as caught:
        await both.call(album.delete)

    assert caught.value.restricted_objects == [song]
    assert f"Song {song.pk} refer to it by Song.album" in str(caught.value)


async def test_restrict_allows_what_goes_anyway(tables: db.Database, both: Any) -> None:
    owner = await both.call(Owner.objects.create)
    album = await both.call(Album.objects.create, owner=owner)
    song = await both.call(Song.objects.create, owner=owner, album=album)
    await both.call(Cover.objects.create, song=song)

    counts = await both.call(owner.delete)

    assert counts == (4, {"Owner": 1, "Album": 1, "Song": 1, "Cover": 1})


async def test_restrict_refuses_what_another_owner_keeps(tables: db.Database, both: Any) -> None:
    owner, other = await both.call(Owner.objects.create), await both.call(Owner.objects.create)
    album = await both.call(Album.objects.create, owner=owner)
    await both.call(Song.objects.create, owner=other, album=album)

    with pytest.raises(db.RestrictedError):
        await both.call(owner.delete)


async def test_the_database_deletes_where_it_is_told_to(tables: db.Database, both: Any, counting: Any) -> None:
    owner = await both.call(Owner.objects.create)
    await both.call(InDatabase.objects.create, cascade=owner)
    kept = await both.call(InDatabase.objects.create, setnull=owner)

    counts = await both.call(owner.delete)

    assert counts == (1, {"Owner": 1})
    assert [each.pk for each in (await both.call(InDatabase.objects.in_bulk)).values()] == [kept.pk]
    assert (await both.call(InDatabase.objects.get)).setnull_id is None


async def test_a_tree_goes_with_its_root(tables: db.Database, both: Any) -> None:
    root = await both.call(Node.objects.create)
    branch = await both.call(Node.objects.create, parent=root)
    await both.call(Node.objects.create, parent=branch)

    assert await both.call(root.delete) == (3, {"Node": 3})


async def test_a_cycle_of_rows_goes_together(tables: db.Database, both: Any) -> None:
    left = await both.call(Left.objects.create)
    right = await both.call(Right.objects.create, left=left)
    left.right = right
    await both.call(left.save)

    assert await both.call(left.delete) == (2, {"Left": 1, "Right": 1})


async def test_a_child_goes_with_its_parents_row(tables: db.Database, both: Any) -> None:
    child = await both.call(Grandchild.objects.create)
    base = await both.call(Base.objects.get, pk=child.pk)
    await both.call(ToBase.objects.create, base=base)
    await both.call(ToChild.objects.create, child=child)

    counts = await both.call(base.delete)

    assert counts == (5, {"Base": 1, "Child": 1, "Grandchild": 1, "ToBase": 1, "ToChild": 1})


async def test_a_parents_row_goes_with_its_child(tables: db.Database, both: Any) -> None:
    child = await both.call(Grandchild.objects.create)

    assert await both.call(child.delete) == (3, {"Base": 1, "Child": 1, "Grandchild": 1})
    assert await both.call(Base.objects.count) == 0


async def test_a_parents_row_can_be_kept(tables: db.Database, both: Any) -> None:
    child = await both.call(Child.objects.create, name="kept")

    assert await both.call(child.delete, keep_parents=True) == (1, {"Child": 1})
    assert (await both.call(Base.objects.get)).name == "kept"


async def test_a_queryset_of_children_deletes_their_parents_rows(tables: db.Database, both: Any) -> None:
    await both.call(Child.objects.create)
    await both.call(Child.objects.create)

    assert await both.call(Child.objects.filter(extra=0).delete) == (4, {"Base": 2, "Child": 2})


async def test_one_statement_deletes_what_nothing_refers_to(tables: db.Database, both: Any, counting: Any) -> None:
    for _ in range(3):
        await both.call(A.objects.create, name="x")

    with counting() as seen:
        counts = await both.call(A.objects.filter(name="x").delete)

    assert counts == (3, {"A": 3})
    assert len(seen) == 1


async def test_a_cascade_to_leaves_fetches_no_leaf(tables: db.Database, both: Any, counting: Any) -> None:
    s = await both.call(S.objects.create, r=await both.call(R.objects.create))
    t = await both.call(T.objects.create, s=s)
    await both.call(U.objects.create, t=t)

    with counting() as seen:
        await both.call(t.delete)

    assert len(seen) == 2


async def test_deleting_nothing_counts_nothing(tables: db.Database, both: Any) -> None:
    assert await both.call(R.objects.filter(name="none").delete) == (0, {})


async def test_an_instance_that_was_deleted_is_no_row(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create)

    await both.call(r.delete)

    assert r.pk is None
    assert r.is_stored is False
    with pytest.raises(ValueError, match="was not saved"):
        await both.call(r.delete)


async def test_an_instance_that_was_deleted_can_be_saved_anew(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create, name="again")
    await both.call(r.delete)

    await both.call(r.save)

    assert (await both.call(R.objects.get)).name == "again"


@pytest.mark.parametrize(
    "spoil", [lambda rows: rows[:1], lambda rows: rows.values("pk"), lambda rows: rows.union(rows)]
)
async def test_what_is_no_plain_set_of_rows_is_not_deleted(tables: db.Database, both: Any, spoil: Any) -> None:
    with pytest.raises(ValueError, match="delete"):
        await both.call(spoil(R.objects.all()).delete)


async def test_rows_chosen_through_a_relation_are_deleted(tables: db.Database, both: Any) -> None:
    r = await both.call(R.objects.create, name="gone")
    await both.call(A.objects.create, cascade=r, name="x")
    await both.call(A.objects.create, name="y")

    assert await both.call(A.objects.filter(cascade__name="gone").delete) == (1, {"A": 1})


async def test_a_proxys_rows_are_its_models(tables: db.Database, both: Any) -> None:
    r = await both.call(Renamed.objects.create)
    await both.call(S.objects.create, r_id=r.pk)

    assert await both.call(r.delete) == (2, {"R": 1, "S": 1})


async def test_many_rows_take_as_many_statements_as_one(tables: db.Database, both: Any, counting: Any) -> None:
    statements: list[int] = []
    for count in (1, 300):
        r = await both.call(R.objects.create)
        await both.call(S.objects.bulk_create, [S(r=r) for _ in range(count)])
        with counting() as seen:
            assert (await both.call(r.delete))[0] == count + 1
        statements.append(len(seen))

    assert statements[0] == statements[1]


# Signals


def heard(database: db.Database, *models: Any) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []

    def listen(sender: Any, *, instance: Any, using: Any, origin: Any) -> None:
        told.append((sender.__name__, str(instance.pk is not None)))

    for model in models:
        signals.connect(database, db.pre_delete, model, listen)
        signals.connect(database, db.post_delete, model, listen)
    return told


async def test_receivers_hear_of_every_row_before_and_after(tables: db.Database, both: Any) -> None:
    told = heard(tables, R, S, T)
    s = await both.call(S.objects.create, r=await both.call(R.objects.create))
    await both.call(T.objects.create, s=s)

    await both.call((await both.call(R.objects.get)).delete)

    assert [name for name, _ in told] == ["R", "S", "T", "T", "S", "R"]
    assert {has_key for _, has_key in told} == {"True"}


async def test_a_queryset_tells_of_each_row(tables: db.Database, both: Any) -> None:
    told = heard(tables, U)
    s = await both.call(S.objects.create, r=await both.call(R.objects.create))
    t = await both.call(T.objects.create, s=s)
    for _ in range(2):
        await both.call(U.objects.create, t=t)

    await both.call(U.objects.all().delete)

    assert len(told) == 4


async def test_a_receiver_of_another_model_does_not_slow_a_delete(
    tables: db.Database, both: Any, counting: Any
) -> None:
    heard(tables, R)
    await both.call(A.objects.create, name="x")

    with counting() as seen:
        await both.call(A.objects.all().delete)

    assert len(seen) == 1


async def test_a_receiver_is_told_where_it_began(tables: db.Database, both: Any) -> None:
    told: list[Any] = []
    signals.connect(tables, db.post_delete, S, lambda sender, **values: told.append(values["origin"]))
    r = await both.call(R.objects.create)
    await both.call(S.objects.create, r=r)

    await both.call(r.delete)

    assert told == [r]


async def test_a_receiver_that_fails_undoes_the_delete(tables: db.Database, both: Any) -> None:
    def refuse(sender: Any, **values: Any) -> None:
        raise RuntimeError("no")

    signals.connect(tables, db.post_delete, R, refuse)
    r = await both.call(R.objects.create)
    await both.call(S.objects.create, r=r)

    with pytest.raises(RuntimeError, match="no"):
        await both.call(r.delete)

    assert await both.call(S.objects.count) == 1


# Declarations that cannot work


def test_set_null_needs_null() -> None:
    with pytest.raises(ModelError, match="NULL"):
        db.ForeignKey(R, on_delete=db.SET_NULL)


def test_set_default_needs_a_default() -> None:
    with pytest.raises(ModelError, match="needs a default"):
        db.ForeignKey(R, on_delete=db.SET_DEFAULT)


def test_on_delete_is_one_of_those_there_are() -> None:
    with pytest.raises(ModelError, match="none of Segue's"):
        db.ForeignKey(R, on_delete="CASCADE")  # type: ignore[arg-type]


# Defaults


class Shelf(db.Model):
    name = db.CharField(max_length=10, primary_key=True)


class Book(db.Model):
    shelf = db.ForeignKey(Shelf, on_delete=db.SET_DEFAULT, default="spare", related_name="+")
    second = db.ForeignKey(Shelf, on_delete=db.SET("spare"), null=True, related_name="+")


MODELS += [Shelf, Book]


async def test_a_reference_becomes_its_default(tables: db.Database, both: Any) -> None:
    await both.call(Shelf.objects.create, name="spare")
    shelf = await both.call(Shelf.objects.create, name="old")
    await both.call(Book.objects.create, shelf=shelf, second=shelf)

    await both.call(shelf.delete)

    book = await both.call(Book.objects.get)
    assert (book.shelf_id, book.second_id) == ("spare", "spare")
