"""Copies answer reads, but never what is older than the session's own last write.

The copy here is a stand-in that lags for ever: nothing that is written ever reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from segue import context, db
from segue.db import Prefetch
from segue.db.database import Database
from segue.db.sessions import this_session
from segue.errors import SetupError, UsageError


class Label(db.Model):
    name = db.CharField(max_length=20)


class Disc(db.Model):
    title = db.CharField(max_length=20)
    label = db.ForeignKey(Label, on_delete=db.CASCADE, null=True, related_name="discs")


MODELS = [Label, Disc]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class NoApp:
    """An app that provides nothing."""

    def provided(self, key: Any) -> Any:
        raise UsageError(f"nothing provides {key}", code="app/nothing-provided")


def request() -> Any:
    """Return a block as around a request."""
    return context.using(context.Context(NoApp()))


@pytest.fixture
def clock(pair: Any) -> Iterator[Clock]:
    """A primary with one copy, in which there is a disc `old` and no other; the time is in one's hands."""
    Disc.objects.using("other").create(pk=900, title="old")
    Disc.objects.create(title="new")
    clock = Clock()
    pair.default.add_replica(pair.other)
    pair.default.replicas.clock = clock
    this_session().marks.clear()
    yield clock
    this_session().marks.clear()
    pair.default.replicas = pair.other.primary = None


async def titles(both: Any, queryset: Any = None) -> list[str]:
    """Return the titles of discs."""
    return list(await both.call(Listed(queryset if queryset is not None else Disc.objects.all()).rows))


class Listed:
    """A queryset whose rows are asked in either colour."""

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset.order_by("title").values_list("title", flat=True)

    def rows(self) -> list[Any]:
        return list(self.queryset)

    async def arows(self) -> list[Any]:
        return list(await self.queryset)


async def test_a_read_is_answered_by_a_copy(clock: Clock, both: Any) -> None:
    assert await titles(both) == ["old"]
    assert await both.call(Disc.objects.count) == 1
    assert await both.call(Disc.objects.filter(title="new").exists) is False


async def test_what_was_written_is_read_back(clock: Clock, both: Any) -> None:
    with request():
        before = await titles(both)
        await both.call(Disc.objects.create, title="newer")
        after = await titles(both)

    assert before == ["old"]
    assert after == ["new", "newer"]


async def test_another_request_reads_the_copy_meanwhile(clock: Clock, both: Any) -> None:
    with request():
        await both.call(Disc.objects.create, title="newer")
        with request():
            other = await titles(both)
        mine = await titles(both)

    assert other == ["old"]
    assert mine == ["new", "newer"]


async def test_after_a_while_the_copy_answers_again(clock: Clock, both: Any) -> None:
    with request():
        await both.call(Disc.objects.update, title="changed")
        clock.now += 4.9
        # PostgreSQL is asked how far its copy is; this one is no standby, and cannot say.
        at_first = [await titles(both), await titles(both)]
        clock.now += 0.2
        later = await titles(both)

    assert at_first == [["changed"], ["changed"]]
    assert later == ["old"]


async def test_each_write_begins_the_while_anew(clock: Clock, both: Any) -> None:
    with request():
        await both.call(Disc.objects.update, title="changed")
        clock.now += 4
        await both.call(Disc.objects.update, title="again")
        clock.now += 4
        found = await titles(both)

    assert found == ["again"]


async def test_a_transaction_reads_what_it_writes_to(clock: Clock, pair: Any, both: Any) -> None:
    with request():
        async with both.atomic(pair.default):
            found = await titles(both)

    assert found == ["new"]


async def test_a_transaction_that_only_read_changes_nothing(clock: Clock, pair: Any, both: Any) -> None:
    with request():
        async with both.atomic(pair.default):
            await titles(both)
        found = await titles(both)

    assert found == ["old"]


async def test_what_a_transaction_wrote_counts_from_its_end(clock: Clock, pair: Any, both: Any) -> None:
    with request():
        async with both.atomic(pair.default):
            await both.call(Disc.objects.update, title="changed")
            clock.now += 10
        found = await titles(both)

    assert found == ["changed"]


def test_a_script_is_one_session(clock: Clock) -> None:
    Disc.objects.create(title="newer")

    assert Disc.objects.count() == 2


def test_a_statement_of_the_users_own_stays_on_the_primary(clock: Clock) -> None:
    assert [row.title for row in db.execute(Disc.table.select())] == ["new"]


async def test_rows_come_in_chunks_from_a_copy(clock: Clock, both: Any) -> None:
    found = [disc.title async for disc in Disc.objects.aiterator()] if both.is_async else [
        disc.title for disc in Disc.objects.iterator()
    ]  # fmt: skip

    assert found == ["old"]


async def test_locked_rows_are_the_primarys(clock: Clock, pair: Any, both: Any) -> None:
    async with both.atomic(pair.default):
        found = await titles(both, Disc.objects.select_for_update())

    assert found == ["new"]


async def test_a_row_of_a_copy_is_saved_on_the_primary(clock: Clock, pair: Any, both: Any) -> None:
    disc = await both.call(Disc.objects.get, title="old")

    disc.title = "saved"
    await both.call(disc.save, force_insert=True)

    assert await titles(both, Disc.objects.using(pair.other)) == ["old"]
    assert "saved" in await titles(both)


async def test_a_copy_that_is_named_is_read_and_never_written(clock: Clock, pair: Any, both: Any) -> None:
    assert await titles(both, Disc.objects.using("other")) == ["old"]

    await both.call(Disc.objects.using("other").create, title="written")

    assert await titles(both, Disc.objects.using("other")) == ["old"]
    assert await titles(both) == ["new", "written"]


def test_relations_are_read_where_they_may_be(clock: Clock, pair: Any) -> None:
    with request():
        label = Label.objects.create(name="Verve")
        label.discs.create(title="mine")

        found = Label.objects.prefetch_related(Prefetch("discs")).get(pk=label.pk)

        assert [disc.title for disc in found.discs.all()] == ["mine"]
        assert Disc.objects.get(title="mine").label == label


async def test_a_copy_that_does_not_answer_is_left_alone_for_a_while(
    clock: Clock, pair: Any, both: Any, tmp_path: Any
) -> None:
    urls = {"sqlite": f"sqlite:///{tmp_path}/no/such/folder.db", "postgresql": "postgresql://postgres@127.0.0.1:1/x",
            "mysql": "mysql://root@127.0.0.1:1/x"}  # fmt: skip
    gone = Database(urls[pair.default.vendor])
    pair.default.replicas.copies.clear()
    pair.default.add_replica(gone)

    found = await titles(both)

    assert found == ["new"]
    assert pair.default.replicas.choose() is None
    clock.now += 6
    assert pair.default.replicas.choose() is gone


async def test_several_copies_take_turns(clock: Clock, pair: Any) -> None:
    second = Database(pair.other.url)
    pair.default.add_replica(second)

    chosen = [pair.default.replicas.choose() for _ in range(4)]

    assert sorted(map(id, chosen)) == sorted(map(id, [pair.other, second] * 2))


def test_replicas_are_named_with_the_database(pair: Any) -> None:
    database = Database(pair.default.url, replicas=[pair.other.url], replica_window=1)
    assert database.replicas is not None

    assert [str(each.url) for each in database.replicas.copies] == [str(pair.other.url)]
    assert database.replicas.window_seconds == 1
    assert database.replicas.copies[0].primary is database


@pytest.mark.parametrize("url", ["sqlite://:memory:", "postgresql://h/x", "mysql://h/x"])
def test_a_copy_of_another_kind_is_refused(url: str) -> None:
    others = {"sqlite": "mysql://h/x", "postgresql": "sqlite://:memory:", "mysql": "postgresql://h/x"}
    database = Database(url)

    with pytest.raises(SetupError):
        database.add_replica(Database(others[database.vendor]))
    with pytest.raises(SetupError):
        database.add_replica(database)


def test_an_app_names_its_replicas(tmp_path: Any) -> None:
    from segue import App

    app = App(
        "tests_app",
        database={
            "default": f"sqlite:///{tmp_path}/a.db",
            "copy": {"url": f"sqlite:///{tmp_path}/b.db", "replica_of": "default"},
        },
        static_folder=None,
        template_folder=None,
    )

    assert app.db.replicas is not None
    assert app.db.replicas.copies == [app.db["copy"]]
