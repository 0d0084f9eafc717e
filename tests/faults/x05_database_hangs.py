"""X05: while the database stands still requests fail in time, the loop goes on, and it recovers by itself."""

from __future__ import annotations

import statistics
import threading
import time

from harness import Options, Verdict, main
from ledger import Cluster, Load, colours, rows_of, serving_ledger


def run(options: Options) -> Verdict:
    """Freeze every process of PostgreSQL, while clients write pairs and others ask for what needs no database."""
    frozen, rate = (5.5, 20.0) if options.quick else (20.0, 100.0)
    try:
        cluster = Cluster()
    except FileNotFoundError as error:
        return Verdict({"missing": str(error)}, {}, passed=True)
    others: list[float] = []
    ended = threading.Event()
    try:
        address = f"{cluster.address}?statement_timeout=2&pool_timeout=1&connect_timeout=2&pool_size=5"
        with serving_ledger(options, address) as server:

            def ask() -> None:
                while not ended.wait(0.02):
                    begun = time.monotonic()
                    if server.get("/ok").status == 200:
                        others.append(time.monotonic() - begun)

            asking = threading.Thread(target=ask)
            asking.start()
            with Load(server, colours(options), rate) as load:
                time.sleep(0.5)
                begun = time.monotonic()
                cluster.freeze()
                time.sleep(frozen)
                cluster.thaw()
                end = time.monotonic()
                time.sleep(1.5)
            ended.set()
            asking.join()
        judged = load.judge(rows_of(cluster.address))
    finally:
        ended.set()
        cluster.thaw()
        cluster.close()
    failed = [answer for answer in load.answers if answer.status != 200]
    figure = {
        "statuses": load.statuses,
        "bare": sum(answer.bare for answer in load.answers),
        "not_503": sum(answer.status != 503 for answer in failed),
        "late": sum(not begun <= answer.begun + answer.seconds <= end + 2 for answer in failed),
        "slowest_seconds": round(max(answer.seconds for answer in load.answers), 2),
        "without_database_p99_seconds": round(statistics.quantiles(others, n=100)[-1], 3),
        **judged,
    }
    # Of a machine that does nothing else, without the database: 50 ms.
    longest = 0.5 if options.quick else 0.05
    target = {"bare": 0, "not_503": 0, "late": 0, "slowest_seconds": 5, "without_database_p99_seconds": longest}
    target |= {"lost": 0, "doubled": 0, "halves": 0}
    clean = not any(figure[name] for name in target if not name.endswith("_seconds"))
    in_time = figure["slowest_seconds"] <= 5 and figure["without_database_p99_seconds"] <= longest
    return Verdict(figure, target, clean and in_time)


if __name__ == "__main__":
    main("X05", run)
