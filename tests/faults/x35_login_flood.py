"""X35: a flood of logins costs logins, and nothing else: other pages are as fast, and what is too much is refused."""

from __future__ import annotations

import threading
import time
from collections import Counter

from harness import Options, Server, Verdict, main, many
from ledger import colours
from visiting import serving_visits
from wire import request

FLOOD = 200


def run(options: Options) -> Verdict:
    """Send 200 logins at once, again and again, and meanwhile ask for a page that needs no password."""
    waves = 1 if options.quick else 20
    with serving_visits(options) as server:
        for prefix in colours(options):
            _login(server, f"/{prefix}/login?password=the%20right%20one")
        calm = _asking(server, 1.0, threading.Event())
        flooded = threading.Event()
        seconds: list[float] = []
        asking = threading.Thread(target=lambda: seconds.extend(_asking(server, None, flooded)))
        asking.start()
        replies = [_flood(server, options) for _ in range(waves)]
        flooded.set()
        asking.join()
        again = [_login(server, f"/{prefix}/login?password=wrong")[0] for prefix in colours(options)]
    statuses = Counter(status for wave in replies for status, _ in wave)
    figure = {
        "statuses": dict(statuses),
        "without_retry_after": sum(status == 503 and not told for wave in replies for status, told in wave),
        "unexpected": sum(count for status, count in statuses.items() if status not in (200, 503)),
        "checked_per_wave": statuses[200] / waves,
        "asked": len(seconds),
        "calm_p99_ms": round(_p99(calm) * 1000, 1),
        "p99_ms": round(_p99(seconds) * 1000, 1),
        "afterwards": again,
    }
    target = {"without_retry_after": 0, "unexpected": 0, "p99_ms": 100}
    passed = not figure["without_retry_after"] and not figure["unexpected"] and _p99(seconds) < 0.1
    return Verdict(figure, target, passed and 0 < statuses[200] < FLOOD * waves and set(again) == {200})


def _login(server: Server, target: str) -> tuple[int, bool]:
    reply = server.one(request("POST", target))
    return reply.status, reply["retry-after"] is not None


def _flood(server: Server, options: Options) -> list[tuple[int, bool]]:
    prefixes = colours(options)
    found: list[tuple[int, bool]] = [(0, False)] * FLOOD

    def attempt(number: int) -> None:
        found[number] = _login(server, f"/{prefixes[number % len(prefixes)]}/login?password=wrong-{number}")

    many(FLOOD, attempt)  # type: ignore[arg-type]  # what it returns is not looked at
    return found


def _asking(server: Server, limit_seconds: float | None, stop: threading.Event) -> list[float]:
    """Ask for the page until told to stop; return how long each answer took."""
    seconds: list[float] = []
    end = None if limit_seconds is None else time.monotonic() + limit_seconds
    while not stop.wait(0.02) and (end is None or time.monotonic() < end):
        begun = time.monotonic()
        status = server.get("/ok").status
        seconds.append(time.monotonic() - begun if status == 200 else 60.0)
    return seconds


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


if __name__ == "__main__":
    main("X35", run)
