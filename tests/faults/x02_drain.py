"""X02: SIGTERM while requests are in flight loses none of them."""

from __future__ import annotations

import threading
import time

from harness import Options, Verdict, main, many, serving


def run(options: Options) -> Verdict:
    """End the server while requests of 0.1 to 3 seconds run; then one that runs too long."""
    count = 30 if options.quick else 100
    longest = 1.5 if options.quick else 3.0
    chance = options.chance()
    seconds = [chance.uniform(0.5, longest) for _ in range(count)]
    colour = "d" if options.interface == "wsgi" else "a"
    with serving(options, SEGUE_THREADS="128") as server:
        threading.Timer(0.25, server.process.terminate).start()
        started = time.monotonic()
        replies = many(count, lambda number: server.get(f"/{colour}/sleep?seconds={seconds[number]:.3f}"))
        server.process.wait(30)
        took = time.monotonic() - started
    lost = sum(reply is None or reply.status != 200 or reply.body != b"slept" for reply in replies)
    kill_seconds = 2
    with serving(options, "--workers-kill-timeout", str(kill_seconds)) as server:
        threading.Timer(0.5, server.process.terminate).start()
        begun = time.monotonic()
        many(1, lambda _: server.get(f"/{colour}/sleep?seconds=25"))
        server.process.wait(30)
        cut = time.monotonic() - begun
    figure = {"in_flight": count, "lost": lost, "exit_seconds": round(took, 2), "cut_after_seconds": round(cut, 2)}
    target = {"lost": 0, "exit_seconds": 10, "cut_after_seconds": 10}
    return Verdict(figure, target, lost == 0 and took <= 10 and cut <= 10)


if __name__ == "__main__":
    main("X02", run)
