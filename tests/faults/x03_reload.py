"""X03: SIGHUP replaces the workers while requests arrive; none is refused or reset."""

from __future__ import annotations

import signal
import threading
import time

from harness import Options, Verdict, main, many, serving


def run(options: Options) -> Verdict:
    """Send SIGHUP under a steady load; at the end only new workers answer."""
    seconds, clients = (13.0, 4) if options.quick else (70.0, 8)
    # Granian replaces one worker after the other, 3.5 seconds apart.
    every = 2.0 if options.quick else 12.0
    pids: dict[str, set[int]] = {"first": set(), "last": set()}
    failed: list[str] = []
    answered = 0
    lock = threading.Lock()

    with serving(options, "--workers", "2") as server:
        begun = time.monotonic()
        end = begun + seconds

        def load(_: int) -> None:
            nonlocal answered
            while time.monotonic() < end:
                try:
                    reply = server.get("/pid")
                    with lock:
                        answered += 1
                        now = time.monotonic()
                        when = "first" if now < begun + 1 else "last" if now > end - 1 else "between"
                        pids.setdefault(when, set()).add(reply.json["pid"])
                except (OSError, AssertionError, ValueError) as error:
                    with lock:
                        failed.append(repr(error)[:80])
                time.sleep(0.01)

        def hup() -> None:
            for _ in range(1 if options.quick else 4):
                time.sleep(every)
                server.process.send_signal(signal.SIGHUP)

        threading.Thread(target=hup, daemon=True).start()
        many(clients, load)  # type: ignore[arg-type]  # what it returns is not looked at
    old = pids["first"] & pids["last"]
    figure = {"requests": answered, "failed": len(failed), "old_workers_at_the_end": len(old), "first": failed[:1]}
    target = {"failed": 0, "old_workers_at_the_end": 0}
    return Verdict(figure, target, not failed and not old and bool(pids["last"]))


if __name__ == "__main__":
    main("X03", run)
