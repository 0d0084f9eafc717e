"""X23 and X24: memory, files, threads and tasks do not grow with the number of requests."""

from __future__ import annotations

from harness import Options, Verdict, main, serving
from wire import converse, request

FORM = "Content-Type: multipart/form-data; boundary=limit"
UPLOAD = (
    b'--limit\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + b"x" * 2000 + b"\r\n--limit--\r\n"
)

_EACH = 8


def mixed(number: int) -> bytes:
    """Return a run of requests that no cache keyed by what clients send would survive."""
    return b"".join(
        [
            request("GET", f"/a/items/{number}", close=False),
            request("GET", f"/nowhere/{number}", close=False),
            request("GET", "/d/ok", f"Accept-Language: l{number}", f"Accept: a/b{number}", close=False),
            request("GET", "/d/ok", host=f"h{number}.example.com", close=False),
            request("GET", "/d/ok", host=f"h{number}.evil.example", close=False),
            request("POST", "/a/upload", FORM, body=UPLOAD, close=False),
            request("GET", f"/d/echo?q{number}={number}", f"Cookie: c{number}=1", f"X-{number}: 1", close=False),
            request("GET", f"/d/search?page=x{number}", close=False),
        ]
    )


def run(options: Options) -> Verdict:
    """Send a mixture, warm up, and look at the worker before and after."""
    warm, rounds = (250, 700) if options.quick else (12_500, 112_500)
    with serving(options) as server:
        with server.connect() as sock:
            for number in range(warm):
                converse(sock, mixed(number), count=_EACH)
        before = server.look()
        answered = 0
        with server.connect() as sock:
            for number in range(warm, warm + rounds):
                answered += len(converse(sock, mixed(number), count=_EACH))
        after = server.look()
    grown = {name: after[name] - before[name] for name in ("rss", "fds", "threads", "tasks")}
    # The short run counts what allocators hold for a while; the long one is the target of the row.
    target = {"rss": 10_000_000 if options.quick else 5_000_000, "fds": 5, "threads": 5, "tasks": 5}
    figure = {"requests": answered, **grown}
    return Verdict(figure, target, all(grown[name] <= target[name] for name in target))


if __name__ == "__main__":
    main("X23", run)
