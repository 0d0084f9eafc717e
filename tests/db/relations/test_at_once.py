"""Many callers at once: one row is made, no update is lost, no row is taken twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from segue import db
from segue.db.operations.retrying import retried
from segue.errors import UsageError


class Counter(db.Model):
    name = db.CharField(max_length=20, unique=True)
    n = db.IntegerField(default=0)


class Job(db.Model):
    name = db.CharField(max_length=20)
    taken_by = db.IntegerField(null=True)

    class Meta:
        ordering = ["id"]


class Owner(db.Model):
    name = db.CharField(max_length=20)


class Pet(db.Model):
    owner = db.ForeignKey(Owner, on_delete=db.CASCADE, null=True)


class Person(db.Model):
    name = db.CharField(max_length=20)
    groups = db.ManyToManyField("Group", related_name="people")


class Group(db.Model):
    name = db.CharField(max_length=20)


MODELS = [Counter, Job, Owner, Pet, Person, Group]
THREADS = 64


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do work in many threads that begin at once; return what each returned."""
    gate = threading.Barrier(count)

    def begin(number: int) -> Any:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def in_colour(both: Any, count: int, sync: Callable[[int], Any], concurrent: Callable[[int], Any]) -> list[Any]:
    """Do work in threads, or in tasks of one loop."""

    async def gathered() -> list[Any]:
        return list(await asyncio.gather(*[concurrent(number) for number in range(count)]))

    return asyncio.run(gathered()) if both.is_async else together(count, sync)


@pytest.mark.slow
def test_get_or_create_makes_one_row(tables: db.Database, both: Any) -> None:
    found = in_colour(
        both,
        THREADS,
        lambda number: Counter.objects.get_or_create(name="hits", defaults={"n": number}),
        lambda number: Counter.objects.aget_or_create(name="hits", defaults={"n": number}),
    )

    assert Counter.objects.count() == 1
    assert sum(created for _, created in found) == 1
    assert len({each.pk for each, _ in found}) == 1


@pytest.mark.slow
def test_update_or_create_makes_one_row(tables: db.Database, both: Any) -> None:
    found = in_colour(
        both,
        THREADS,
        lambda number: Counter.objects.update_or_create(name="hits", defaults={"n": number}),
        lambda number: Counter.objects.aupdate_or_create(name="hits", defaults={"n": number}),
    )

    assert Counter.objects.count() == 1
    assert sum(created for _, created in found) == 1
    assert Counter.objects.get().n in range(THREADS)


@pytest.mark.slow
def test_update_or_create_counts_exactly(tables: db.Database, both: Any) -> None:
    values = {"defaults": {"n": db.F("n") + 1}, "create_defaults": {"n": 1}}
    in_colour(
        both,
        THREADS,
        lambda number: Counter.objects.update_or_create(name="hits", **values),
        lambda number: Counter.objects.aupdate_or_create(name="hits", **values),
    )

    assert Counter.objects.get().n == THREADS


@pytest.mark.slow
def test_get_or_create_works_in_a_transaction(tables: db.Database) -> None:
    # MySQL lets a refused INSERT share the row until the end, so two that change it then may meet.
    @db.atomic(retry=50)
    def work(number: int) -> bool:
        _, created = Counter.objects.get_or_create(name="hits")
        Counter.objects.filter(name="hits").update(n=db.F("n") + 1)
        return created

    found = together(16, work)

    assert sum(found) == 1
    assert Counter.objects.get().n == 16


@pytest.mark.slow
def test_no_update_is_lost(tables: db.Database, both: Any) -> None:
    Counter.objects.create(name="hits")

    in_colour(
        both,
        THREADS,
        lambda number: Counter.objects.filter(name="hits").update(n=db.F("n") + 1),
        lambda number: Counter.objects.filter(name="hits").aupdate(n=db.F("n") + 1),
    )

    assert Counter.objects.get().n == THREADS


@pytest.mark.slow
def test_saving_an_expression_loses_nothing(tables: db.Database) -> None:
    Counter.objects.create(name="hits")

    def work(number: int) -> None:
        counter = Counter.objects.get(name="hits")
        counter.n = db.F("n") + 1
        counter.save()

    together(16, work)

    assert Counter.objects.get().n == 16


@pytest.mark.slow
def test_pairs_are_joined_once_by_many(tables: db.Database, both: Any) -> None:
    person, group = Person.objects.create(name="x"), Group.objects.create(name="y")

    in_colour(both, 16, lambda number: person.groups.add(group), lambda number: person.groups.aadd(group))

    assert person.groups.through.objects.count() == Person.groups.through.objects.count() == 1


# Locks


@pytest.mark.slow
def test_two_workers_never_take_one_row(tables: db.Database, both: Any) -> None:
    Job.objects.bulk_create([Job(name=f"{n}") for n in range(40)])
    skip = tables.vendor != "sqlite"

    def work(number: int) -> int:
        taken = 0
        while True:
            with db.atomic():
                job = Job.objects.select_for_update(skip_locked=skip).filter(taken_by=None).first()
                if job is None:
                    return taken
                job.taken_by = number
                job.save()
                taken += 1

    async def awork(number: int) -> int:
        taken = 0
        while True:
            async with db.atomic():
                job = await Job.objects.select_for_update(skip_locked=skip).filter(taken_by=None).afirst()
                if job is None:
                    return taken
                job.taken_by = number
                await job.asave()
                taken += 1

    found = in_colour(both, 8, work, awork)

    assert sum(found) == 40
    assert Job.objects.filter(taken_by=None).count() == 0


def test_a_lock_makes_another_wait(tables: db.Database) -> None:
    Counter.objects.create(name="hits")

    def work(number: int) -> None:
        with db.atomic():
            counter = Counter.objects.select_for_update().get(name="hits")
            counter.n += 1
            counter.save()

    together(8, work)

    assert Counter.objects.get().n == 8


async def test_a_lock_outside_a_transaction_is_refused(tables: db.Database, both: Any) -> None:
    with pytest.raises(db.TransactionManagementError, match="data/lock-outside"):
        await both.call(Job.objects.select_for_update().first)


def test_a_lock_that_is_never_fetched_is_no_error(tables: db.Database) -> None:
    assert "FOR UPDATE" in Job.objects.select_for_update().sql() or tables.vendor == "sqlite"


def test_nowait_fails_at_once(tables: db.Database) -> None:
    if tables.vendor == "sqlite":
        with db.atomic(), pytest.raises(db.NotSupportedError):
            Job.objects.select_for_update(nowait=True).first()
        return
    Job.objects.create(name="x")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with db.atomic():
            Job.objects.select_for_update().get()
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        with pytest.raises(db.OperationalError), db.atomic():
            Job.objects.select_for_update(nowait=True).get()
    finally:
        done.set()
        thread.join()


def test_both_of_nowait_and_skip_locked_are_refused(tables: db.Database) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        Job.objects.select_for_update(nowait=True, skip_locked=True)


def test_a_lock_of_the_models_own_rows_leaves_the_joined_ones(tables: db.Database) -> None:
    pet = Pet.objects.create(owner=Owner.objects.create(name="x"))
    rows = Pet.objects.select_related("owner").select_for_update(of=("self",))

    with db.atomic():
        if tables.vendor == "postgresql":
            assert rows.get() == pet
        else:
            with pytest.raises(db.NotSupportedError):
                rows.get()


def test_a_lock_names_what_it_cannot_lock(tables: db.Database) -> None:
    if tables.vendor == "sqlite":
        pytest.skip("SQLite locks the whole database")
    with db.atomic(), pytest.raises((UsageError, LookupError), match="owner"):
        list(Pet.objects.select_for_update(of=("owner",)))


# The same pair of look-ups and defaults, alone


async def test_get_or_create_tells_what_it_did(tables: db.Database, both: Any) -> None:
    first = await both.call(Counter.objects.get_or_create, name="x", defaults={"n": lambda: 3})
    second = await both.call(Counter.objects.get_or_create, name="x", defaults={"n": 4})

    assert (first[0].n, first[1], second[0].n, second[1]) == (3, True, 3, False)


async def test_get_or_create_leaves_lookups_out_of_the_new_row(tables: db.Database, both: Any) -> None:
    new, created = await both.call(
        Counter.objects.get_or_create, name__iexact="X", n__gt=5, defaults={"name": "x", "n": 9}
    )

    assert (new.name, new.n, created) == ("x", 9, True)


async def test_get_or_create_in_a_filtered_set(tables: db.Database, both: Any) -> None:
    await both.call(Counter.objects.create, name="x", n=1)

    _, created = await both.call(Counter.objects.filter(n=1).get_or_create, name="x")

    assert not created


async def test_get_or_create_says_why_a_row_cannot_be(tables: db.Database, both: Any) -> None:
    await both.call(Counter.objects.create, name="x", n=1)

    with pytest.raises(db.IntegrityError):
        await both.call(Counter.objects.get_or_create, n=2, defaults={"name": "x"})

    assert await both.call(Counter.objects.count) == 1


async def test_get_or_create_of_several_is_refused(tables: db.Database, both: Any) -> None:
    await both.call(Counter.objects.bulk_create, [Counter(name="a"), Counter(name="b")])

    with pytest.raises(Counter.MultipleObjectsReturned):
        await both.call(Counter.objects.get_or_create, n=0)


async def test_get_or_create_refuses_an_unknown_default(tables: db.Database, both: Any) -> None:
    with pytest.raises((LookupError, TypeError), match="size"):
        await both.call(Counter.objects.get_or_create, name="x", defaults={"size": 1})


async def test_update_or_create_writes_the_defaults(tables: db.Database, both: Any) -> None:
    new = await both.call(Counter.objects.update_or_create, name="x", defaults={"n": 1}, create_defaults={"n": 7})
    old = await both.call(Counter.objects.update_or_create, name="x", defaults={"n": 2}, create_defaults={"n": 8})

    assert (new[0].n, new[1], old[0].n, old[1]) == (7, True, 2, False)
    assert (await both.call(Counter.objects.get)).n == 2


async def test_update_or_create_refuses_an_unknown_default(tables: db.Database, both: Any) -> None:
    await both.call(Counter.objects.create, name="x")

    with pytest.raises((LookupError, TypeError), match="size"):
        await both.call(Counter.objects.update_or_create, name="x", defaults={"size": 1})


# Where two transactions met


def meeting(times: int, calls: list[int]) -> Any:
    """Return what makes an operation that meets another so many times."""

    def begin() -> Any:
        calls.append(len(calls))
        if len(calls) <= times:
            raise db.SerializationError("Two transactions met.")
        return "done"
        yield  # a generator, as operations are

    return begin


@pytest.mark.internal
async def test_what_met_another_is_tried_again(tables: db.Database, both: Any) -> None:
    calls: list[int] = []

    assert await both.run(tables, retried(tables, meeting(2, calls))) == "done"
    assert len(calls) == 3


@pytest.mark.internal
async def test_what_met_others_each_time_says_so(tables: db.Database, both: Any) -> None:
    with pytest.raises(db.SerializationError):
        await both.run(tables, retried(tables, meeting(1000, [])))


@pytest.mark.internal
async def test_nothing_is_tried_again_inside_a_transaction_of_the_caller(tables: db.Database, both: Any) -> None:
    calls: list[int] = []

    with pytest.raises(db.SerializationError):
        async with both.atomic(tables):
            await both.run(tables, retried(tables, meeting(1, calls)))

    assert len(calls) == 1
