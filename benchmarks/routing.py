"""Lookup among few and among many routes: `python benchmarks/routing.py`.

Prints ratios of one run. The largest table must cost at most 1.5 times the
smallest one, and the command fails if it does not.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from timeit import timeit

from segue.routing import Router, RouteTable

SIZES = (50, 1_000, 10_000)
SHAPES = ("/r{}", "/r{}/<int:pk>", "/r{}/<slug:name>/edit", "/r{}/<int:pk>/<date:day>/")
LIMIT = 1.5


def make_router(size: int) -> Router:
    table = RouteTable()
    for number in range(size):
        shape = SHAPES[number % len(SHAPES)]
        table.add(table.rule(shape.format(number), endpoint=f"endpoint{number}"), number)
    return table.compile()


def paths_of(shape: int, size: int, count: int) -> list[str]:
    """Return paths of routes spread over the table; the same number of distinct ones for every size."""
    chosen = random.Random(7).sample(range(shape, size, len(SHAPES)), count)
    ends = ("", "/42", "/kind-of-blue/edit", "/42/2026-07-29/")
    return [f"/r{number}{ends[shape]}" for number in chosen]


def lookup_of(router: Router, paths: list[str], *, is_static: bool) -> Callable[[], None]:
    """Return a function that looks all *paths* up."""
    static, find = router.static, router.find

    def look_up_static() -> None:
        for path in paths:
            static[path]["GET"]

    def look_up() -> None:
        for path in paths:
            find(path)

    return look_up_static if is_static else look_up


def time_of(lookups: dict[int, Callable[[], None]], count: int) -> dict[int, float]:
    """Return microseconds for one lookup by size; the sizes take turns, so that noise meets all alike."""
    times = dict.fromkeys(lookups, float("inf"))
    for _ in range(40):
        for size, look_up in lookups.items():
            times[size] = min(times[size], timeit(look_up, number=100) / 100 / count * 1e6)
    return times


def main() -> int:
    routers = {size: make_router(size) for size in SIZES}
    print(f"{'lookup':<32}{'us at 50':>10}" + "".join(f"{f'{size:,} / 50':>14}" for size in SIZES[1:]))
    worst = 0.0
    for shape, text in enumerate(SHAPES):
        for is_missing in (False, True):
            lookups: dict[int, Callable[[], None]] = {}
            for size, router in routers.items():
                paths = [path + "/nothing/here" * is_missing for path in paths_of(shape, size, 12)]
                lookups[size] = lookup_of(router, paths, is_static=shape == 0 and not is_missing)
            times = time_of(lookups, 12)
            ratios = [times[size] / times[SIZES[0]] for size in SIZES[1:]]
            worst = max(worst, ratios[-1])
            shown = text.format("") + (" missing" if is_missing else "")
            print(f"{shown:<32}{times[SIZES[0]]:>10.2f}" + "".join(f"{ratio:>14.2f}" for ratio in ratios))
    print(f"worst ratio {worst:.2f}, allowed {LIMIT}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
