"""X12: who is cancelled in the middle of a query leaves no answer behind for the next one."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from typing import Any

from echoing import ASYNC_WAYS, left_open, make_owners, numbers_of
from harness import Options, Verdict, main, many
from ledger import on_each, serving_ledger
from wire import request

from segue import db

USERS = 24


def run(options: Options) -> Verdict:
    """Cancel tasks, and leave requests, at random moments; everybody else checks that each answer is its own."""
    cancellations, departures = (300, 60) if options.quick else (3000, 300)

    def attack(vendor: str, address: str) -> dict[str, Any]:
        tasks = asyncio.run(_in_tasks(vendor, address, cancellations, options.chance()))
        if options.interface == "wsgi":
            return tasks
        return {**tasks, "requests": _in_requests(options, vendor, address, departures)}

    figure = on_each(("sqlite", "postgresql", "mysql"), attack)
    target = {"mismatched": 0, "errors": {}, "in_use": 0, "waiting": 0, "left_open": 0}
    found = [each for each in figure.values() if "missing" not in each]
    found += [each["requests"] for each in found if "requests" in each]
    return Verdict(figure, target, all(each[name] == target[name] for each in found for name in target))


async def _in_tasks(vendor: str, address: str, cancellations: int, chance: random.Random) -> dict[str, Any]:
    patience = "&timeout=60" if vendor == "sqlite" else ""
    database = db.Database(f"{address}?pool_size=4&pool_timeout=60{patience}")
    database.on_connect.append(_teach_pause)
    users = [f"user-{number}" for number in range(USERS)]
    await asyncio.to_thread(make_owners, database, users)
    found: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    left = cancellations

    async def be(me: str) -> None:
        nonlocal left
        while left > 0:
            task = asyncio.ensure_future(chance.choice(ASYNC_WAYS)(database, me, chance))
            if chance.random() < 0.5:
                await asyncio.sleep(chance.choice((0, 0.001, 0.01)) * chance.random())
                left -= task.cancel()
            try:
                answered = await task
            except asyncio.CancelledError:
                found["cancelled"] += 1
            except Exception as error:
                errors[f"{type(error).__name__}: {error}"[:200]] += 1
            else:
                found["answered"] += 1
                found["mismatched"] += set(answered) != {me}

    await asyncio.gather(*map(be, users))
    numbers = numbers_of(database)
    # A server needs a moment to see that a client has gone.
    is_open = await asyncio.to_thread(_settled, address)
    await database.aclose()
    return {**{name: found[name] for name in ("cancelled", "answered", "mismatched")}, **numbers, **is_open} | {
        "errors": dict(errors)
    }


def _settled(address: str) -> dict[str, int]:
    last = time.monotonic() + 5
    while (count := left_open(address)) and time.monotonic() < last:
        time.sleep(0.05)
    return {"left_open": count}


def _teach_pause(raw: Any) -> None:
    if hasattr(raw, "create_function"):
        raw.create_function("pause", 1, time.sleep)


def _in_requests(options: Options, vendor: str, address: str, departures: int) -> dict[str, Any]:
    found: Counter[str] = Counter()
    chance = options.chance()
    moments = [chance.uniform(0, 0.03) for _ in range(departures)]
    with serving_ledger(options, f"{address}?pool_size=4&pool_timeout=30", LEDGER_PAUSE="0.002") as server:

        def visit(number: int) -> None:
            me = f"visitor-{number}"
            for turn in range(departures // 10):
                with server.connect() as sock:
                    sock.sendall(request("POST", f"/a/echo?key={me}-{turn}"))
                    if number % 2:
                        time.sleep(moments[(number + turn) % len(moments)])
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + b"\x00" * 7)
                        found["cancelled"] += 1
                        continue
                reply = server.one(request("POST", f"/a/echo?key={me}-again-{turn}"))
                found["answered"] += 1
                found["mismatched"] += reply.status != 200 or reply.json != {"key": f"{me}-again-{turn}"}

        many(20, visit)
        last = time.monotonic() + 5
        pools: list[dict[str, int]] = []
        while time.monotonic() < last:
            numbers = server.get("/pool").json
            pools = [numbers["threads"], *numbers["loops"]]
            if not any(pool["in_use"] for pool in pools):
                break
            time.sleep(0.05)
        is_open = _settled(address)
        errors = Counter(line.split(" ERROR ")[1][:120] for line in server.logged().splitlines() if " ERROR " in line)
    return {
        **{name: found[name] for name in ("cancelled", "answered", "mismatched")},
        **{name: sum(pool[name] for pool in pools) for name in ("in_use", "waiting")},
        **is_open,
        "errors": dict(errors),
    }


if __name__ == "__main__":
    main("X12", run)
