"""X28, of the database: threads and tasks share one, and every answer is that of who asked."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from echoing import ASYNC_WAYS, SYNC_WAYS, Possession, left_open, make_owners, numbers_of
from harness import Options, Verdict, main
from ledger import on_each

from segue import db


def run(options: Options) -> Verdict:
    """Let 32 threads and 200 tasks ask one database with small pools, by statement, transaction, stream and bridge."""
    threads, tasks = 32, 200
    turns = 3 if options.quick else 60

    def share(vendor: str, address: str) -> dict[str, Any]:
        # So many as want to write at once wait longer than a page's visitor would.
        patience = "&timeout=240" if vendor == "sqlite" else ""
        database = db.Database(f"{address}?pool_size=4&pool_timeout=240{patience}")
        database.on_connect.append(_teach_pause)
        owners = [f"thread-{number}" for number in range(threads)] + [f"task-{number}" for number in range(tasks)]
        make_owners(database, owners)
        found: list[str] = []  # appended to, since adding up is not one step

        def work(me: str) -> None:
            chance = random.Random(f"{options.seed} {me}")
            for turn in range(turns * 4):
                way = SYNC_WAYS[(turn + chance.randrange(2)) % len(SYNC_WAYS)]
                _note(found, me, lambda way=way: way(database, me, chance))

        async def awork(me: str) -> None:
            chance = random.Random(f"{options.seed} {me}")
            for turn in range(turns):
                way = ASYNC_WAYS[(turn + chance.randrange(len(ASYNC_WAYS))) % len(ASYNC_WAYS)]
                try:
                    answered = await way(database, me, chance)
                except Exception as error:
                    found.append(f"{type(error).__name__}: {error}"[:200])
                else:
                    found.append("answered" if set(answered) == {me} else "mismatched")

        async def all_tasks() -> None:
            await asyncio.gather(*(awork(f"task-{number}") for number in range(tasks)))

        begun = time.monotonic()
        working = [threading.Thread(target=work, args=(owner,)) for owner in owners[:threads]]
        for thread in working:
            thread.start()
        asyncio.run(all_tasks())
        for thread in working:
            thread.join()
        seconds = time.monotonic() - begun
        counted = Counter(found)
        astray = Possession.objects.using(database).exclude(owner__in=owners).count()
        numbers = numbers_of(database)
        database.close()
        return {
            "answered": counted.pop("answered", 0),
            "seconds": round(seconds, 1),
            "mismatched": counted.pop("mismatched", 0),
            "errors": dict(counted),
            "astray": astray,
            **numbers,
            "left_open": left_open(address),
        }

    figure = {}
    for vendor in ("sqlite", "postgresql", "mysql"):
        figure |= on_each((vendor,), share)
    target = {"mismatched": 0, "errors": {}, "astray": 0, "in_use": 0, "waiting": 0, "left_open": 0}
    there = [each for each in figure.values() if "missing" not in each]
    return Verdict(figure, target, all(each[name] == target[name] for each in there for name in target))


def _note(found: list[str], me: str, ask: Callable[[], list[str]]) -> None:
    try:
        answered = ask()
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}"[:200])
    else:
        found.append("answered" if set(answered) == {me} else "mismatched")


def _teach_pause(raw: Any) -> None:
    if hasattr(raw, "create_function"):
        raw.create_function("pause", 1, time.sleep)


if __name__ == "__main__":
    main("X28", run)
