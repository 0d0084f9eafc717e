"""X19: many who make the same row at once make one, and nobody hears of the race."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

from harness import Options, Verdict, main
from ledger import on_each

from segue import db


class Tag(db.Model):
    """A row of which there may be but one for each name."""

    name = db.CharField(max_length=40, unique=True)
    uses = db.IntegerField(default=0)


def run(options: Options) -> Verdict:
    """Let threads and tasks call `get_or_create` and `update_or_create` with one key, round by round."""
    workers, rounds = (16, 5) if options.quick else (64, 100)

    def race(vendor: str, address: str) -> dict[str, Any]:
        # So many as want to write at once wait longer than a page's visitor would.
        patience = "&timeout=60" if vendor == "sqlite" else ""
        database = db.Database(f"{address}?pool_size=20&pool_timeout=60{patience}")
        database.create_all(Tag)
        errors: Counter[str] = Counter()
        made: list[str] = []  # appended to, since adding up is not one step
        threads = [
            threading.Thread(target=_work, args=(database, number, rounds, errors, made)) for number in range(workers)
        ]
        for thread in threads:
            thread.start()
        asyncio.run(_tasks(database, workers, rounds, errors, made))
        for thread in threads:
            thread.join()
        rows = database.execute("SELECT count(*), count(DISTINCT name) FROM tag").one()
        several = 2 * rounds - len(set(made)) + len(made) - len(set(made))
        database.close()
        return {"rows": list(rows), "errors": dict(errors), "not_made_once": several}

    figure = on_each(("sqlite", "postgresql", "mysql"), race)
    there = [each for each in figure.values() if "missing" not in each]
    target = {"rows": [2 * rounds, 2 * rounds], "errors": {}, "not_made_once": 0}
    return Verdict(figure, target, all(each == target for each in there))


def _work(database: Any, number: int, rounds: int, errors: Counter[str], made: list[str]) -> None:
    rows = Tag.objects.using(database)
    for turn in range(rounds):
        try:
            _, created = rows.get_or_create(name=f"get {turn}")
            made.extend([f"get {turn}"] * created)
            _, created = rows.update_or_create(name=f"update {turn}", defaults={"uses": number})
            made.extend([f"update {turn}"] * created)
        except Exception as error:
            errors[f"{type(error).__name__}: {error}"[:120]] += 1


async def _tasks(database: Any, count: int, rounds: int, errors: Counter[str], made: list[str]) -> None:
    rows = Tag.objects.using(database)

    async def work(number: int) -> None:
        for turn in range(rounds):
            try:
                _, created = await rows.aget_or_create(name=f"get {turn}")
                made.extend([f"get {turn}"] * created)
                _, created = await rows.aupdate_or_create(name=f"update {turn}", defaults={"uses": number})
                made.extend([f"update {turn}"] * created)
            except Exception as error:
                errors[f"{type(error).__name__}: {error}"[:120]] += 1

    await asyncio.gather(*(work(number) for number in range(count)))
    await database.aclose()


if __name__ == "__main__":
    main("X19", run)
