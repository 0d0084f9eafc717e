"""X01: a worker that is killed in the midst of transactions takes nothing with it that was acknowledged."""

from __future__ import annotations

import os
import signal
import statistics
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import Options, Server, Verdict, main
from ledger import Load, colours, on_each, rows_of, serving_ledger

RECOVERY_SECONDS = 4.0
# Granian ends where a worker dies twice within 5.5 s, and leaves the rest to what started it.
BETWEEN_KILLS_SECONDS = 6.0


def run(options: Options) -> Verdict:
    """Kill a random worker every few seconds, while clients write pairs."""
    kills, every, rate = (1, 2.5, 40.0) if options.quick else (10, BETWEEN_KILLS_SECONDS, 200.0)
    chance = options.chance()

    def attack(vendor: str, address: str) -> dict[str, Any]:
        # SQLite has one writer at a time, and each of them is 50 ms at it.
        pause, per_second = ("0.002", rate / 2) if vendor == "sqlite" else ("0.05", rate)
        with serving_ledger(options, address, "--workers", "2", LEDGER_PAUSE=pause) as server:
            killed: list[float] = []
            with Load(server, colours(options), per_second) as load:
                for _ in range(kills):
                    time.sleep(every / 2)
                    workers = _workers(server)
                    if workers:
                        os.kill(chance.choice(workers), signal.SIGKILL)
                        killed.append(time.monotonic())
                    time.sleep(every / 2)
                time.sleep(0.0 if options.quick else RECOVERY_SECONDS)
        failed = [answer for answer in load.answers if answer.status != 200]
        ended = [answer.begun + answer.seconds for answer in failed]
        normal = [answer.seconds for answer in load.answers if answer.status == 200]
        return {
            "statuses": load.statuses,
            "kills": len(killed),
            "failed": len(failed),
            # What was under way: no more than all clients at once, for each kill.
            "failed_at_most": len(killed) * load.clients,
            "late_failures": sum(all(not 0 <= end - at < RECOVERY_SECONDS for at in killed) for end in ended),
            "p99_seconds": round(statistics.quantiles(normal, n=100)[-1], 3) if len(normal) > 1 else 0.0,
            **load.judge(rows_of(address)),
        }

    figure = on_each(("sqlite", "postgresql"), attack)
    there = [each for each in figure.values() if "missing" not in each]
    target = {"lost": 0, "doubled": 0, "halves": 0, "late_failures": 0, "failed": "<= failed_at_most"}
    passed = all(
        each["kills"] and each["acknowledged"] and each["failed"] <= each["failed_at_most"]
        and not any(each[name] for name in ("lost", "doubled", "halves", "late_failures"))
        for each in there
    )  # fmt: skip
    return Verdict(figure, target, passed)


def _workers(server: Server) -> list[int]:
    main_pid = server.process.pid
    found: list[int] = []
    with suppress(OSError):
        for pid in Path(f"/proc/{main_pid}/task/{main_pid}/children").read_text().split():
            # Python's own process that keeps account of what is shared is none.
            if "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(int(pid))
    return found


if __name__ == "__main__":
    main("X01", run)
