"""X10: huge headers, addresses and bodies are refused, in constant memory."""

from __future__ import annotations

from harness import Options, Verdict, main, serving
from wire import Reply, chunked, request


def run(options: Options) -> Verdict:
    """Send them again and again."""
    rounds = 10 if options.quick else 200
    attacks = {
        "header": (request("GET", "/d/echo", "X-Big: " + "a" * 500_000), {431}),
        "headers": (request("GET", "/d/echo", *[f"X-{number}: a" for number in range(200)]), {431}),
        "address": (request("GET", "/d/search?q=" + "a" * 100_000), {414}),
        "body": (request("POST", "/a/json", "Content-Type: application/json", body=b"[" + b"1," * 4_000_000), {413}),
        "chunks": (
            request("POST", "/a/json", "Content-Type: application/json", "Transfer-Encoding: chunked", length=False)
            + chunked(*[b"[" + b"1," * 50_000] * 80),
            {413},
        ),
    }
    wrong: list[str] = []
    with serving(options) as server:
        for data, _ in attacks.values():
            server.send(data)
        before = server.look()["rss"]
        for name in list(attacks) * rounds:
            data, right = attacks[name]
            replies: list[Reply] = server.send(data)
            # A server may close before its answer is read.
            if any(reply.status not in right for reply in replies):
                wrong.append(f"{name}: {[reply.status for reply in replies]}")
        growth = server.look()["rss"] - before
    figure = {"requests": rounds * len(attacks), "wrong": len(wrong), "first": wrong[:1], "rss_growth": growth}
    return Verdict(figure, {"wrong": 0, "rss_growth": 32_000_000}, not wrong and growth <= 32_000_000)


if __name__ == "__main__":
    main("X10", run)
