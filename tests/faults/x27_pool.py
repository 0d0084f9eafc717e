"""X27: when every thread is busy, async routes are not held up, and the excess is refused."""

from __future__ import annotations

import threading
import time
from collections import Counter

from harness import Options, Verdict, main, many, serving


def run(options: Options) -> Verdict:
    """Fill a small pool with slow `def` handlers; meanwhile ask an `async def` one."""
    threads, clients, seconds = (4, 12, 5) if options.quick else (32, 80, 8)
    quickest: list[float] = []
    if options.interface == "wsgi":
        raise SystemExit("WSGI has no async routes to hold up.")
    with serving(options, SEGUE_THREADS=str(threads), SEGUE_THREAD_QUEUE_SECONDS="1") as server:

        def ask() -> None:
            for _ in range(20):
                begun = time.monotonic()
                server.get("/a/ok")
                quickest.append(time.monotonic() - begun)

        threading.Timer(0.5, ask).start()
        replies = many(clients, lambda _: server.get(f"/d/sleep?seconds={seconds}"))
    statuses = Counter(reply.status if reply is not None else 0 for reply in replies)
    slowest = max(quickest)
    retry = all(reply["retry-after"] for reply in replies if reply is not None and reply.status == 503)
    figure = {"statuses": dict(statuses), "async_slowest_seconds": round(slowest, 3), "retry_after": retry}
    target = {"statuses": {200: threads, 503: clients - threads}, "async_slowest_seconds": 0.5, "retry_after": True}
    return Verdict(figure, target, dict(statuses) == target["statuses"] and slowest < 0.5 and retry)


if __name__ == "__main__":
    main("X27", run)
