"""Measure every contestant on every row, in turns, and print what each costs in times the driver.

    python -m benchmarks.orm [--vendor sqlite] [--rounds 7] [--only segue,django] [--check]

CPU time of this process alone: what a PostgreSQL server spends is the same for all. The
figure of a row is the best round; contestants take turns, so a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from benchmarks.environment import ensure_environment, save
from benchmarks.verdicts import Verdict, conclude

from .data import VENDORS
from .measuring import CONTESTANTS, measure
from .rows import ROWS


def _measure_apart(vendor: str, names: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Measure in a process of its own: Django is configured once in one, and keeps its database."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, vendor, names, rounds).result()


def _print(vendor: str, times: dict[str, dict[str, float]]) -> None:
    print(f"\n{vendor}: microseconds of CPU, and times the raw driver")
    print(" " * 17 + "".join(f"{row.name:>16}" for row in ROWS))
    raw = times["raw driver"]
    for name, spent in times.items():
        cells = [f"{spent[row.name]:9.0f} {spent[row.name] / raw[row.name]:5.1f}x" for row in ROWS]
        print(f"{name:<17}" + "".join(f"{cell:>16}" for cell in cells))


def _verdicts(vendor: str, times: dict[str, dict[str, float]]) -> list[Verdict]:
    found: list[Verdict] = []
    raw, segue = times["raw driver"], times["segue"]
    for row in ROWS:
        if vendor == "sqlite" and row.most is not None:
            ratio = segue[row.name] / raw[row.name]
            found.append(Verdict(f"{vendor} {row.name}, times the driver", ratio, row.most, is_ceiling=True))
        peers = {
            name: spent[row.name]
            for name, spent in times.items()
            if name not in ("raw driver", "segue", "segue (async)")
        }
        if peers:
            best = min(peers, key=lambda name: peers[name])
            found.append(Verdict(f"{vendor} {row.name}, ahead of {best}", peers[best] / segue[row.name], 1.0))
        if "segue (async)" in times:
            ratio = times["segue (async)"][row.name] / segue[row.name]
            found.append(Verdict(f"{vendor} {row.name}, async to sync", ratio, 1.3, is_ceiling=True))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orm")
    parser.add_argument("--vendor", choices=VENDORS, action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--check", action="store_true", help="end with 1 where a requirement is missed")
    options = parser.parse_args()
    only = {name.strip() for name in options.only.split(",") if name.strip()}
    names = [name for name in CONTESTANTS if not only or name in only | {"raw driver", "segue"}]
    verdicts: list[Verdict] = []
    result: dict[str, Any] = {}
    for vendor in options.vendor or VENDORS:
        times = _measure_apart(vendor, names, options.rounds)
        _print(vendor, times)
        result[vendor] = times
        verdicts += _verdicts(vendor, times)
    print()
    status = conclude(verdicts, check=options.check)
    print("Written to", save("orm", {"times_us": result, "verdicts": [each.as_json() for each in verdicts]}))
    return status


if __name__ == "__main__":
    ensure_environment("benchmarks.orm")
    sys.exit(main())
