"""`python -m benchmarks.memory`: whether a million requests of mixed kinds leave memory behind.

Two Granian workers answer over RSGI. Much of what is asked is unique (paths, queries,
languages, hosts, names of files), so that whatever is kept by what a client sends shows.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

from benchmarks.environment import ROOT, ensure_environment, save
from benchmarks.load import Load, LoadError, build_request, fetch
from benchmarks.servers import Server, free_port, granian_command
from benchmarks.verdicts import Verdict, conclude

MOST_GROWTH_MB = 5.0
_SAMPLE = 50_000
_SETTLED = 0.1
_ITEM = '{"name":"item %d","price":1.5,"tags":["a","b"]}'
_BOUNDARY = "segue-load-boundary"


def kinds(port: int, number: int) -> list[tuple[bytes, set[int]]]:
    """Return one request of each kind, unique by *number*, with the statuses that are right."""
    json_type = (("Content-Type", "application/json"),)
    form_type = (("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}"),)
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="document"; filename="file{number}.txt"\r\n'
    form = f"{head}Content-Type: text/plain\r\n\r\n{'x' * 2000}\r\n--{_BOUNDARY}--\r\n".encode()
    language = (("Accept-Language", f"de-x-l{number}, en;q=0.5"), ("Accept", "text/html"))
    return [
        (build_request("GET", "/page", port=port, headers=language), {200}),
        (build_request("GET", "/json", port=port), {200}),
        (build_request("GET", f"/search?q=word{number}&page=2", port=port), {200}),
        (build_request("POST", "/items", port=port, headers=json_type, body=(_ITEM % number).encode()), {200}),
        (build_request("POST", "/upload", port=port, headers=form_type, body=form), {200}),
        (build_request("GET", f"/search?q=word{number}&page=none{number}", port=port), {422}),
        (build_request("GET", f"/missing/{number}", port=port), {404}),
        (build_request("GET", "/json", port=port, host=f"host{number}.example.com"), {400, 421}),
        (build_request("GET", "/error", port=port), {500}),
    ]


def requests(port: int) -> Iterator[bytes]:
    """All kinds in turn, without an end."""
    number = 1_000_000
    while True:
        number += 1
        for request, _ in kinds(port, number):
            yield request


def check(port: int) -> frozenset[bytes]:
    """Ask one of each kind; return the statuses that a run may see.

    Raises:
        LoadError: An answer has another status than its kind must have.
    """
    for request, right in kinds(port, 0):
        answer = fetch(request, port=port)
        if answer.status not in right:
            raise LoadError(f"{request[:60]!r} must be answered with {right}: {answer}")
    return frozenset(str(status).encode() for _, right in kinds(port, 0) for status in right)


def measure(total: int) -> tuple[list[tuple[int, int]], Counter[bytes]]:
    """Send *total* requests; return resident bytes after so many requests, and the statuses seen."""
    port = free_port()
    samples: list[tuple[int, int]] = []
    statuses: Counter[bytes] = Counter()
    with Server(
        granian_command("rsgi", "benchmarks.mixed_site:app", port=port, workers=2), port=port, core=None
    ) as server:
        server.wait_until_ready()
        load = Load(port, requests(port), connections=32, accept=check(port))
        done, step = 0, max(1, min(_SAMPLE, total // 20))
        while done < total:
            tally = load.run(requests=min(step, total - done))
            statuses += tally.statuses
            done += tally.requests
            samples.append((done, server.resident_bytes()))
            print(f"{done:>9} requests  {samples[-1][1] / 1e6:8.1f} MB  {tally.per_second:8.0f} a second", flush=True)
        load.close()
    return samples, statuses


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description="Whether memory grows.")
    parser.add_argument("requests", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--check", action="store_true", help="end with status 1 where a requirement is missed")
    options = parser.parse_args()
    ensure_environment("benchmarks.memory")
    samples, statuses = measure(options.requests)
    settled = next(resident for done, resident in samples if done >= options.requests * _SETTLED)
    growth = (samples[-1][1] - settled) / 1e6
    print("answers:", ", ".join(f"{count} x {status.decode()}" for status, count in sorted(statuses.items())))
    verdicts = [Verdict("MB grown after the first tenth of the requests", growth, MOST_GROWTH_MB, is_ceiling=True)]
    path = save(
        "memory",
        {
            "samples": [{"requests": done, "resident_bytes": resident} for done, resident in samples],
            "statuses": {status.decode(): count for status, count in statuses.items()},
            "verdicts": [verdict.as_json() for verdict in verdicts],
        },
    )
    status = conclude(verdicts, check=options.check)
    print(f"Written to {path.relative_to(ROOT)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
