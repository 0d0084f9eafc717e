"""X04: while the database restarts requests are told to come again, and afterwards all is as before."""

from __future__ import annotations

import time

from harness import Options, Verdict, main
from ledger import Cluster, Load, colours, rows_of, serving_ledger


def run(options: Options) -> Verdict:
    """Stop PostgreSQL at once, as a crash would, and start it again, while clients write pairs."""
    restarts, every, rate = (1, 2.0, 40.0) if options.quick else (6, 10.0, 100.0)
    try:
        cluster = Cluster()
    except FileNotFoundError as error:
        return Verdict({"missing": str(error)}, {}, passed=True)
    downs: list[tuple[float, float]] = []
    try:
        with serving_ledger(options, cluster.address) as server:
            with Load(server, colours(options), rate) as load:
                for _ in range(restarts):
                    time.sleep(every / 2)
                    begun = time.monotonic()
                    cluster.stop()
                    cluster.start()
                    downs.append((begun, time.monotonic()))
                    time.sleep(every / 2)
                time.sleep(0.5)
            after = [server.get(f"/{prefix}/count").status for prefix in colours(options)]
        judged = load.judge(rows_of(cluster.address))
    finally:
        cluster.close()
    failed = [answer for answer in load.answers if answer.status != 200]
    figure = {
        "statuses": load.statuses,
        "down_seconds": [round(end - begun, 2) for begun, end in downs],
        "bare": sum(answer.bare for answer in load.answers),
        "not_503": sum(answer.status != 503 for answer in failed),
        "late": sum(all(not begun <= a.begun + a.seconds <= end + 2 for begun, end in downs) for a in failed),
        "slowest_seconds": round(max(answer.seconds for answer in load.answers), 2),
        "after": after,
        **judged,
    }
    target = {"bare": 0, "not_503": 0, "late": 0, "slowest_seconds": 5, "lost": 0, "doubled": 0, "halves": 0}
    clean = not any(figure[name] for name in target if name != "slowest_seconds")
    return Verdict(figure, target, clean and figure["slowest_seconds"] <= 5 and set(after) == {200})


if __name__ == "__main__":
    main("X04", run)
