"""X08: clients that send or read a byte at a time hold nobody up and are let go."""

from __future__ import annotations

import contextlib
import socket
import time

from harness import Options, Verdict, main, serving
from wire import request


def run(options: Options) -> Verdict:
    """Open slow headers, slow bodies and slow readers; meanwhile ask for /ok."""
    each = 50 if options.quick else 330
    watch = 14.0 if options.quick else 45.0
    body = request(
        "POST", "/a/json", "Content-Type: application/json", "Content-Length: 1000", length=False, close=False
    )
    with serving(options, "--backpressure", "2000") as server:
        before = server.look()["rss"]
        headers = [server.connect() for _ in range(each)]
        bodies = [server.connect() for _ in range(each)]
        readers = [server.connect() for _ in range(each)]
        for sock in bodies:
            sock.sendall(body)
        for sock in readers:
            sock.sendall(request("GET", "/a/stream?chunks=10000&size=1000", close=False))
        slowest = 0.0
        begun = time.monotonic()
        answered = 0
        while time.monotonic() < begun + watch:
            for sock in (*headers, *bodies):
                with contextlib.suppress(OSError):
                    sock.send(b"1")
            start = time.monotonic()
            answered += server.get("/d/ok").status == 200
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(1)
        closed = sum(_status(sock) == 408 for sock in bodies)
        growth = server.look()["rss"] - before
        for sock in (*headers, *bodies, *readers):
            sock.close()
    figure = {
        "slow_bodies": each,
        "answered_408": closed,
        "others_slowest_seconds": round(slowest, 3),
        "rss_growth": growth,
        "answered": answered,
    }
    target = {"answered_408": each, "others_slowest_seconds": 1.0, "rss_growth": 100_000_000}
    return Verdict(figure, target, closed == each and slowest < 1.0 and growth <= 100_000_000)


def _status(sock: socket.socket) -> int:
    sock.settimeout(2)
    try:
        line = sock.recv(65_536)
    except OSError:
        return 0
    return int(line[9:12]) if line.startswith(b"HTTP/1.1 ") else 0


if __name__ == "__main__":
    main("X08", run)
