"""A back end in a table of a database: shared by all workers, without another server.

It stands outside the transactions of its users: a counter of failed log-ins counts though the
request is rolled back. Only SQLite, where one writes at a time, makes it part of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import db
from ..clock import now
from ..colours import Operation, arun, either, run
from ..db.transactions import current_transactions
from .backends import Backend, Count
from .errors import CacheUnavailable

__all__ = ["CacheEntry", "DatabaseBackend"]

_TRIES = 10
_SWEEP_EVERY = 200


class CacheEntry(db.Model):
    """A value: bytes, or a number, so that the database can count."""

    key = db.CharField(max_length=81, primary_key=True)
    value = db.BinaryField()
    number = db.BigIntegerField(null=True)
    until = db.FloatField(null=True, db_index=True)

    class Meta:
        app_label = "segue_cache"
        db_table = "segue_cache"


class DatabaseBackend(Backend):
    """Keeps values in the table `segue_cache`, which it makes where it is missing.

    Args:
        database: The database, or a function that says which one it is now.
        clock: The moment in seconds, on which all workers agree.
    """

    def __init__(self, database: db.Database | Callable[[], db.Database], *, clock: Callable[[], float] = now) -> None:
        self._find: Callable[[], db.Database] = (lambda: database) if isinstance(database, db.Database) else database
        self._clock = clock
        self._prepared: db.Database | None = None
        self._lock = threading.Lock()
        self._writes = 0

    def __repr__(self) -> str:
        return "<DatabaseBackend>"

    # Reading

    def _get(self, key: str) -> Operation[bytes | None]:
        found: dict[str, bytes] = yield from self._get_many([key])
        return found.get(key)

    def get(self, key: str) -> bytes | None:
        """Do what `Backend.get()` says."""
        return run(self._get(key))

    async def aget(self, key: str) -> bytes | None:
        """`get()` in async code."""
        return await arun(self._get(key))

    def _get_many(self, keys: Sequence[str]) -> Operation[dict[str, bytes]]:
        with self._outside():
            yield from self._ready()
            chosen = self._live.filter(key__in=list(keys)).values_list("key", "value", "number")
            rows: list[Any] = yield from either(lambda: list(chosen), lambda: _rows(chosen))
        return {key: value if number is None else b"%d" % number for key, value, number in rows}

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Do what `Backend.get_many()` says."""
        return run(self._get_many(keys))

    async def aget_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """`get_many()` in async code."""
        return await arun(self._get_many(keys))

    # Writing

    def _set(self, key: str, value: bytes, seconds: float | None) -> Operation[None]:
        yield from self._set_many({key: value}, seconds)

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Do what `Backend.set()` says."""
        return run(self._set(key, value, seconds))

    async def aset(self, key: str, value: bytes, seconds: float | None) -> None:
        """`set()` in async code."""
        return await arun(self._set(key, value, seconds))

    def _set_many(self, values: Mapping[str, bytes], seconds: float | None) -> Operation[None]:
        entries = [self._entry(key, value, seconds) for key, value in values.items()]
        with self._outside():
            yield from self._ready()
            yield from either(
                self._all.bulk_create,
                self._all.abulk_create,
                entries,
                update_conflicts=True,
                unique_fields=["key"],
                update_fields=["value", "number", "until"],
            )
            yield from self._sweep()

    def set_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """Do what `Backend.set_many()` says."""
        return run(self._set_many(values, seconds))

    async def aset_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """`set_many()` in async code."""
        return await arun(self._set_many(values, seconds))

    def _add(self, key: str, value: bytes, seconds: float | None) -> Operation[bool]:
        with self._outside():
            yield from self._ready()
            return (yield from self._insert(self._entry(key, value, seconds)))

    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Do what `Backend.add()` says."""
        return run(self._add(key, value, seconds))

    async def aadd(self, key: str, value: bytes, seconds: float | None) -> bool:
        """`add()` in async code."""
        return await arun(self._add(key, value, seconds))

    def _delete(self, key: str) -> Operation[bool]:
        with self._outside():
            yield from self._ready()
            there = self._live.filter(key=key)
            count, _ = yield from either(there.delete, there.adelete)
        return count > 0

    def delete(self, key: str) -> bool:
        """Do what `Backend.delete()` says."""
        return run(self._delete(key))

    async def adelete(self, key: str) -> bool:
        """`delete()` in async code."""
        return await arun(self._delete(key))

    def _delete_many(self, keys: Sequence[str]) -> Operation[None]:
        with self._outside():
            yield from self._ready()
            chosen = self._all.filter(key__in=list(keys))
            yield from either(chosen.delete, chosen.adelete)

    def delete_many(self, keys: Sequence[str]) -> None:
        """Do what `Backend.delete_many()` says."""
        return run(self._delete_many(keys))

    async def adelete_many(self, keys: Sequence[str]) -> None:
        """`delete_many()` in async code."""
        return await arun(self._delete_many(keys))

    def _touch(self, key: str, seconds: float | None) -> Operation[bool]:
        with self._outside():
            yield from self._ready()
            there = self._live.filter(key=key)
            return (yield from either(there.update, there.aupdate, until=self._until(seconds))) > 0

    def touch(self, key: str, seconds: float | None) -> bool:
        """Do what `Backend.touch()` says."""
        return run(self._touch(key, seconds))

    async def atouch(self, key: str, seconds: float | None) -> bool:
        """`touch()` in async code."""
        return await arun(self._touch(key, seconds))

    def _count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Operation[Count | None]:
        with self._outside():
            yield from self._ready()
            for _ in range(_TRIES):
                counted = yield from either(self._step, self._astep, key, step)
                if counted is not None:
                    return counted
                if initial is None:
                    return None
                made = self._entry(key, b"%d" % (initial + step), seconds)
                if (yield from self._insert(made)):
                    return Count(initial + step, seconds)
            raise CacheUnavailable("The counter was made and ended by others again and again.")

    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Do what `Backend.count()` says."""
        return run(self._count(key, step, initial, seconds))

    async def acount(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """`count()` in async code."""
        return await arun(self._count(key, step, initial, seconds))

    def _swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> Operation[bool]:
        before, after = self._entry(key, old, None), self._entry(key, new, seconds)
        with self._outside():
            yield from self._ready()
            same = self._live.filter(key=key, value=before.value)
            same = same.filter(number__isnull=True) if before.number is None else same.filter(number=before.number)
            values = {"value": after.value, "number": after.number, "until": after.until}
            return (yield from either(same.update, same.aupdate, **values)) > 0

    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """Do what `Backend.swap()` says."""
        return run(self._swap(key, old, new, seconds))

    async def aswap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """`swap()` in async code."""
        return await arun(self._swap(key, old, new, seconds))

    def _clear(self, start: str) -> Operation[None]:
        with self._outside():
            yield from self._ready()
            chosen = self._all.filter(key__startswith=start)
            yield from either(chosen.delete, chosen.adelete)

    def clear(self, start: str) -> None:
        """Do what `Backend.clear()` says."""
        return run(self._clear(start))

    async def aclear(self, start: str) -> None:
        """`clear()` in async code."""
        return await arun(self._clear(start))

    # Counting: the row is locked by its update, so what is read after it is this caller's number.

    def _step(self, key: str, step: int) -> Count | None:
        with self._find().atomic():
            if not self._live.filter(key=key).update(number=db.F("number") + step):
                return None
            return self._counted(self._all.filter(key=key).values_list("number", "until").get())

    async def _astep(self, key: str, step: int) -> Count | None:
        async with self._find().atomic():
            if not await self._live.filter(key=key).aupdate(number=db.F("number") + step):
                return None
            return self._counted(await self._all.filter(key=key).values_list("number", "until").aget())

    def _counted(self, row: Any) -> Count:
        number, until = row
        if number is None:
            raise ValueError("what is there is no number")  # caught by the cache: cache/no-counter
        return Count(number, None if until is None else until - self._clock())

    # The table

    @property
    def _all(self) -> db.QuerySet[CacheEntry]:
        return CacheEntry.objects.using(self._find())

    @property
    def _live(self) -> db.QuerySet[CacheEntry]:
        return self._all.filter(db.Q(until__isnull=True) | db.Q(until__gt=self._clock()))

    def _until(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._clock() + seconds

    def _entry(self, key: str, value: bytes, seconds: float | None) -> CacheEntry:
        is_number = value[:1] not in (b"v", b"e")
        return CacheEntry(
            key=key,
            value=b"" if is_number else value,
            number=int(value) if is_number else None,
            until=self._until(seconds),
        )

    def _insert(self, entry: CacheEntry) -> Operation[bool]:
        ended = self._all.filter(key=entry.key, until__lte=self._clock())
        yield from either(ended.delete, ended.adelete)
        try:
            yield from either(self._save, self._asave, entry)
        except db.IntegrityError:
            return False
        return True

    def _save(self, entry: CacheEntry) -> None:
        with self._find().atomic():
            entry.save(using=self._find(), force_insert=True)

    async def _asave(self, entry: CacheEntry) -> None:
        async with self._find().atomic():
            await entry.asave(using=self._find(), force_insert=True)

    def _sweep(self) -> Operation[None]:
        """Forget what has ended, now and then."""
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0:
            ended = self._all.filter(until__lte=self._clock())
            yield from either(ended.delete, ended.adelete)

    def prepare(self) -> None:
        """Make the table, where it is missing and no transaction is in the way."""
        database = self._find()
        with self._lock:
            if self._prepared is database or database.in_atomic:
                return
            try:
                database.create_all(CacheEntry)
            except db.DatabaseError:
                database.create_all(CacheEntry)  # another process may have made it meanwhile
            self._prepared = database

    def _ready(self) -> Operation[None]:
        if self._prepared is not self._find():
            yield from either(self.prepare, self._aprepare)

    async def _aprepare(self) -> None:
        await self._find().in_thread(self.prepare)

    @contextmanager
    def _outside(self) -> Generator[None]:
        """Run the block outside the caller's transaction, where the database can do that."""
        token = None
        if self._find().vendor != "sqlite":
            token = current_transactions.set(None)
        try:
            yield
        except db.IntegrityError:
            raise
        except db.DatabaseError as error:
            raise CacheUnavailable(f"The database of the cache cannot be used: {error}") from error
        finally:
            if token is not None:
                current_transactions.reset(token)


async def _rows(queryset: db.QuerySet[Any]) -> list[Any]:
    return await queryset
