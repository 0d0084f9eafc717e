"""X14: while Redis is frozen or away pages are made without it, sessions say 503, and nobody is logged out."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections import Counter
from typing import Any

from harness import Options, Verdict, main
from ledger import colours
from visiting import OwnRedis, Visit, Visitor, serving_visits

CLIENTS = 20
PER_SECOND = 100.0
KINDS = ("visit", "cached", "limited", "guarded")
# What each may answer while Redis is away.
ALLOWED = {"visit": {200, 503}, "cached": {200}, "limited": {200}, "guarded": {200, 503}}


def run(options: Options) -> Verdict:
    """Freeze, kill and restart the Redis of sessions, caches and limits under a steady load."""
    rounds, down_seconds, up_seconds = (1, 1.5, 2.0) if options.quick else (8, 8.0, 8.0)
    with tempfile.TemporaryDirectory(prefix="segue-redis-", ignore_cleanup_errors=True) as folder:
        try:
            redis = OwnRedis(folder)
        except FileNotFoundError as error:
            return Verdict({"missing": str(error)}, {}, passed=True)
        try:
            downs, visits = _under_load(options, redis, rounds, down_seconds, up_seconds)
        finally:
            redis.send(signal.SIGCONT)
            redis.kill()
    figure = _judge(visits, downs)
    target: dict[str, Any] = {
        "wrong": {}, "bare": 0, "went_back": 0, "late": 0, "added_seconds": 0.1, "slowest_seconds": 1.0,
    }  # fmt: skip
    passed = not any(figure[name] for name in ("wrong", "bare", "went_back", "late"))
    passed = passed and figure["added_seconds"] <= 0.1 and figure["slowest_seconds"] <= 1.0
    return Verdict(figure, target, passed and figure["refused"] > 0)


def _under_load(
    options: Options, redis: OwnRedis, rounds: int, down_seconds: float, up_seconds: float
) -> tuple[list[tuple[float, float]], list[Visit]]:
    downs: list[tuple[float, float]] = []
    stop = threading.Event()
    environment = {"SEGUE_SESSION_STORE": "redis", "REDIS_URL": redis.address, "SEGUE_CACHES": redis.address}
    with serving_visits(options, **environment) as server:
        visitors = [Visitor(server) for _ in range(CLIENTS)]
        paths = [f"/{prefix}/{kind}" for kind in KINDS for prefix in colours(options)]
        threads = [
            threading.Thread(
                target=visitor.keep_going,
                args=(paths[number % len(paths) :] + paths[: number % len(paths)], CLIENTS / PER_SECOND, stop),
            )
            for number, visitor in enumerate(visitors)
        ]
        for thread in threads:
            thread.start()
        time.sleep(up_seconds)
        for _ in range(rounds):
            for freeze in (True, False):
                begun = time.monotonic()
                redis.send(signal.SIGSTOP) if freeze else redis.kill()
                time.sleep(down_seconds)
                redis.send(signal.SIGCONT) if freeze else redis.start()
                downs.append((begun, time.monotonic()))
                time.sleep(up_seconds)
        stop.set()
        for thread in threads:
            thread.join()
    return downs, [visit for visitor in visitors for visit in visitor.done]


def _judge(visits: list[Visit], downs: list[tuple[float, float]]) -> dict[str, Any]:
    failed = [visit for visit in visits if visit.status != 200]
    while_down = [visit for visit in visits if any(begun <= visit.begun <= end for begun, end in downs)]
    # The first second loads what is loaded once.
    started = min(visit.begun for visit in visits)
    before = [visit for visit in visits if visit.begun > started + 1 and visit.ended < downs[0][0]]
    recoveries = [
        max((visit.ended - end for visit in failed if begun <= visit.begun <= end + 2), default=0.0)
        for begun, end in downs
    ]
    return {
        "statuses": dict(Counter(f"{visit.kind} {visit.status}" for visit in visits)),
        "wrong": dict(
            Counter(f"{each.kind} {each.status}" for each in failed if each.status not in ALLOWED[each.kind])
        ),
        "bare": sum(visit.bare for visit in visits),
        "went_back": sum(visit.went_back for visit in visits),
        "late": sum(all(each.ended < begun or each.begun > end + 1 for begun, end in downs) for each in failed),
        "refused": len(failed),
        "recovery_seconds": [round(max(0.0, each), 2) for each in recoveries],
        "added_seconds": round(_p95(while_down) - _p95(before), 3),
        "slowest_seconds": round(max(visit.seconds for visit in visits), 2),
    }


def _p95(visits: list[Visit]) -> float:
    seconds = sorted(visit.seconds for visit in visits)
    return seconds[int(len(seconds) * 0.95)]


if __name__ == "__main__":
    main("X14", run)
