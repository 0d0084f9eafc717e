"""Measure a page with a session, a user and twenty rows, beside Django and Flask.

    python -m benchmarks.site [--vendor sqlite] [--rounds 9] [--requests 150] [--check]

CPU time of this process alone, without a server: what PostgreSQL spends is the same for all.
The figure is the best round; contestants take turns, so a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.environment import ensure_environment, save
from benchmarks.verdicts import Verdict, conclude

from .content import VENDORS

LEAST_RATIO = 3.0


def _measure_apart(vendor: str, rounds: int, requests: int) -> dict[str, float]:
    from .measuring import measure  # in the environment of the benchmarks, which has what it needs

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, vendor, rounds, requests).result()


def _print(vendor: str, times: dict[str, float]) -> None:
    print(f"\n{vendor:<30}{'us of CPU':>12}{'a second':>12}{'segue is':>12}")
    for name, spent in times.items():
        ratio = spent / times["segue"]
        print(f"  {name:<28}{spent:>12.0f}{1e6 / spent:>12.0f}{ratio:>11.2f}x")


def _verdicts(vendor: str, times: dict[str, float]) -> Iterator[Verdict]:
    """Compare like with like: a session in the database with one in the database."""
    yield Verdict(f"{vendor}, times django", times["django"] / times["segue"], LEAST_RATIO)
    yield Verdict(f"{vendor}, times flask", times["flask"] / times["segue"], LEAST_RATIO)
    yield Verdict(f"{vendor} async, times django async", times["django async"] / times["segue async"], LEAST_RATIO)
    cookie = ", cookie session"
    ratio = times[f"flask{cookie}"] / times[f"segue{cookie}"]
    yield Verdict(f"{vendor}{cookie}, times flask", ratio, LEAST_RATIO)


def main() -> int:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site")
    parser.add_argument("--vendor", choices=VENDORS, action="append")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=150, help="in a round")
    parser.add_argument("--check", action="store_true", help="end with 1 where a requirement is missed")
    options = parser.parse_args()
    verdicts: list[Verdict] = []
    result: dict[str, dict[str, float]] = {}
    for vendor in options.vendor or VENDORS:
        times = result[vendor] = _measure_apart(vendor, options.rounds, options.requests)
        _print(vendor, times)
        verdicts += _verdicts(vendor, times)
    print()
    status = conclude(verdicts, check=options.check)
    print("Written to", save("site", {"times_us": result, "verdicts": [each.as_json() for each in verdicts]}))
    return status


if __name__ == "__main__":
    ensure_environment("benchmarks.site")
    sys.exit(main())
