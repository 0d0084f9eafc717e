"""X20: increments by many at once add up: by `F()`, by `select_for_update`, by a version that is compared."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness import Options, Verdict, main
from ledger import on_each

from segue import db
from segue.db import F


class Tally(db.Model):
    """A number that all count up."""

    way = db.CharField(max_length=20, unique=True)
    value = db.IntegerField(default=0)
    version = db.IntegerField(default=0)


def run(options: Options) -> Verdict:
    """Let threads and tasks count one row up, in three ways."""
    workers, turns = (8, 5) if options.quick else (64, 100)

    def count(vendor: str, address: str) -> dict[str, Any]:
        patience = "&timeout=120" if vendor == "sqlite" else ""
        database = db.Database(f"{address}?pool_size=20&pool_timeout=120{patience}")
        database.create_all(Tally)
        rows = Tally.objects.using(database)
        for way in ("F", "lock", "version"):
            rows.create(way=way)
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(_work, database, turns) for _ in range(workers)]
            asyncio.run(_tasks(database, workers, turns))
            for future in futures:
                future.result()
        found = {row.way: row.value for row in rows}
        database.close()
        return found

    figure = on_each(("sqlite", "postgresql", "mysql"), count)
    there = [each for each in figure.values() if "missing" not in each]
    target = dict.fromkeys(("F", "lock", "version"), 2 * workers * turns)
    return Verdict(figure, target, all(each == target for each in there))


def _work(database: Any, turns: int) -> None:
    rows = Tally.objects.using(database)
    for _ in range(turns):
        rows.filter(way="F").update(value=F("value") + 1)
        with database.atomic():
            row = rows.select_for_update().get(way="lock")
            row.value += 1
            row.save(using=database)
        while True:
            row = rows.get(way="version")
            same = rows.filter(pk=row.pk, version=row.version)
            if same.update(value=row.value + 1, version=row.version + 1):
                break


async def _tasks(database: Any, count: int, turns: int) -> None:
    rows = Tally.objects.using(database)

    async def work() -> None:
        for _ in range(turns):
            await rows.filter(way="F").aupdate(value=F("value") + 1)
            async with database.atomic():
                row = await rows.select_for_update().aget(way="lock")
                row.value += 1
                await row.asave(using=database)
            while True:
                row = await rows.aget(way="version")
                same = rows.filter(pk=row.pk, version=row.version)
                if await same.aupdate(value=row.value + 1, version=row.version + 1):
                    break

    await asyncio.gather(*(work() for _ in range(count)))
    await database.aclose()


if __name__ == "__main__":
    main("X20", run)
