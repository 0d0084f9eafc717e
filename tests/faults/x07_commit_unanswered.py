"""X07: a commit that was not answered is no success, is not tried again, and sets nothing off."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cutter import CommitCutter
from harness import Options, Verdict, main, many
from ledger import address_of, colours, rows_of, serving_ledger
from wire import request

# How a route may write; see `ledger_app`.
WAYS = ("block", "route", "again", "alone")
# The bytes of a commit, and of the statement that is one by itself.
MARKS = {"postgresql": (b"COMMIT\0", b"alone-"), "mysql": (b"\x03COMMIT", b"alone-")}


def run(options: Options) -> Verdict:
    """Cut every third connection in the moment of its commit, before or after the server hears of it."""
    clients, turns = (8, 12) if options.quick else (16, 250)

    def attack(vendor: str) -> dict[str, Any]:
        with address_of(vendor) as address:
            if address is None:
                return {"missing": True}
            with CommitCutter(address, MARKS[vendor], 1 / 3, options.chance()) as cutter:
                # Else PostgreSQL is told but the number of a statement that it has seen before.
                flags = "?pool_size=8" + ("&prepare_threshold=0" if vendor == "postgresql" else "")
                return _write(options, clients, turns, address, cutter, flags)

    figure = {vendor: attack(vendor) for vendor in ("postgresql", "mysql")}
    target = {"unsaved_successes": 0, "unexpected": 0, "run_twice": 0, "doubled": 0, "halves": 0}
    target |= {"set_off_by_failures": 0, "failed_afterwards": 0, "in_use": 0}
    there = [each for each in figure.values() if "missing" not in each]
    # And both kinds of cut were made, or nothing was shown.
    passed = all(not any(each[name] for name in target) and len(each["cuts"]) == 2 for each in there)
    return Verdict(figure, target, passed)


def _write(
    options: Options, clients: int, turns: int, address: str, cutter: CommitCutter, flags: str
) -> dict[str, Any]:
    statuses: dict[str, int] = {}
    with serving_ledger(options, address, served=cutter.address + flags, LEDGER_PAUSE="0") as server:

        def write(client: int) -> None:
            for turn in range(turns):
                prefix = colours(options)[turn % len(colours(options))]
                way = WAYS[(client + turn) % len(WAYS)]
                key = f"{way}-{client}-{turn}"
                try:
                    statuses[key] = server.one(request("POST", f"/{prefix}/{way}?key={key}")).status
                except (OSError, AssertionError):
                    statuses[key] = 0

        many(clients, write)
        afterwards = [server.get(f"/{prefix}/count").status for prefix in colours(options) * 10]
        seen = server.get("/seen").json
        numbers = server.get("/pool").json
    rows = rows_of(address)
    saved = {key for key, status in statuses.items() if status == 200}
    return {
        "statuses": dict(Counter(statuses.values())),
        "cuts": dict(cutter.cuts),
        "saved_though_failed": sum(key in rows for key in statuses.keys() - saved),
        "unsaved_successes": sum(key not in rows for key in saved),
        "unexpected": sum(status not in (200, 500, 503) for status in statuses.values()),
        "run_twice": sum(count > 1 for count in seen["runs"].values()),
        "doubled": sum(count > _rows_for(key) for key, count in rows.items()),
        "halves": sum(count < _rows_for(key) for key, count in rows.items()),
        "set_off_by_failures": len(set(seen["after_commit"]) ^ {key for key in saved if not key.startswith("alone")}),
        "failed_afterwards": sum(status != 200 for status in afterwards),
        "in_use": sum(pool["in_use"] for pool in (numbers["threads"], *numbers["loops"])),
    }


def _rows_for(key: str) -> int:
    return 1 if key.startswith("alone") else 2


if __name__ == "__main__":
    main("X07", run)
