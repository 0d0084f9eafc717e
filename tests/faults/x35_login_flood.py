"""X35: a flood of logins costs logins, and nothing else: other pages are as fast, and what is too much is refused."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from http.client import HTTPConnection
from multiprocessing import get_context

from harness import Options, Server, Verdict, main, many
from ledger import colours
from visiting import serving_visits

FLOOD = 200


def run(options: Options) -> Verdict:
    """Send 200 logins at once, again and again, and meanwhile ask for a page that needs no password."""
    waves = 1 if options.quick else 20
    with serving_visits(options) as server:
        for prefix in colours(options):
            _login(server.port, f"/{prefix}/login?password=the%20right%20one")
        calm = _asking(server, 1.0, threading.Event())
        flooded = threading.Event()
        seconds: list[float] = []
        asking = threading.Thread(target=lambda: seconds.extend(_asking(server, None, flooded)))
        asking.start()
        # In a process of its own, so that the flood does not keep the one waiting who measures.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as flood:
            replies = [flood.submit(_flood, server.port, colours(options)).result() for _ in range(waves)]
        flooded.set()
        asking.join()
        again = [_login(server.port, f"/{prefix}/login?password=wrong")[0] for prefix in colours(options)]
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
    # The short run is one of many on a machine that does much else; a loop that hashes itself stands still for seconds.
    most = 0.3 + _p99(calm) if options.quick else 0.1
    target = {"without_retry_after": 0, "unexpected": 0, "p99_ms": round(most * 1000, 1)}
    passed = not figure["without_retry_after"] and not figure["unexpected"] and _p99(seconds) < most
    return Verdict(figure, target, passed and 0 < statuses[200] < FLOOD * waves and set(again) == {200})


def _login(port: int, target: str) -> tuple[int, bool]:
    # More patience than others have: on a slow machine the last of those who wait is checked late.
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", target)
        reply = connection.getresponse()
        return reply.status, reply.getheader("retry-after") is not None
    finally:
        connection.close()


def _flood(port: int, prefixes: tuple[str, ...]) -> list[tuple[int, bool]]:
    found: list[tuple[int, bool]] = [(0, False)] * FLOOD

    def attempt(number: int) -> None:
        found[number] = _login(port, f"/{prefixes[number % len(prefixes)]}/login?password=wrong-{number}")

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
