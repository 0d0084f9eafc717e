"""X06: when all connections are taken, the excess is refused in time, and everything is well afterwards."""

from __future__ import annotations

import time
from typing import Any

from harness import Options, Verdict, main, many
from ledger import colours, on_each, serving_ledger

# Of a client's way there and back on a busy machine.
SLACK_SECONDS = 1.5


def run(options: Options) -> Verdict:
    """Hold every connection of a small pool for longer than one may wait for it."""
    # The 2 s of the full run are the default.
    size, clients, acquire, asked = (2, 12, 0.5, 0.4) if options.quick else (5, 50, 2.0, 1.0)
    patience = f"&pool_timeout={acquire}" if options.quick else ""

    def attack(vendor: str, address: str) -> dict[str, Any]:
        environment = {"SEGUE_THREADS": str(clients), "LEDGER_PAUSE": "0"}
        with serving_ledger(options, f"{address}?pool_size={size}{patience}", **environment) as server:
            found = [_exhaust(server, prefix, clients, asked) for prefix in colours(options)]
            nested = [server.get(f"/{prefix}/nested").json["in_use"] for prefix in colours(options)]
            return {"colours": found, "nested_in_use": nested}

    figure = on_each(("sqlite", "postgresql"), attack)
    target = {"unexpected": 0, "bare": 0, "internal": 0, "in_use": 0, "waiting": 0, "nested_in_use": 1}
    there = [each for each in figure.values() if "missing" not in each]
    passed = all(_is_well(colour, size, acquire) for each in there for colour in each["colours"])
    return Verdict(figure, target, passed and all(set(each["nested_in_use"]) == {1} for each in there))


def _exhaust(server: Any, prefix: str, clients: int, asked: float) -> dict[str, Any]:
    seconds: dict[int, list[float]] = {200: [], 503: []}

    def ask(_: int) -> Any:
        begun = time.monotonic()
        reply = server.get(f"/{prefix}/slow?seconds={asked}")
        seconds.setdefault(reply.status, []).append(time.monotonic() - begun)
        return reply

    replies = many(clients, ask)
    refused = [reply for reply in replies if reply is not None and reply.status == 503]
    internal = [reply for reply in refused if any(word in reply.text for word in ("DATABASE", "sql", "pool_size"))]
    numbers = server.get("/pool").json
    pools = [numbers["threads"], *numbers["loops"]]
    return {
        "colour": prefix,
        "answered": len(seconds[200]),
        "refused": len(refused),
        "unexpected": clients - len(seconds[200]) - len(refused),
        "bare": sum(reply["retry-after"] is None for reply in refused),
        "internal": len(internal),
        "slowest_refusal_seconds": round(max(seconds[503], default=0.0), 2),
        "in_use": sum(pool["in_use"] for pool in pools),
        "waiting": sum(pool["waiting"] for pool in pools),
    }


def _is_well(found: dict[str, Any], size: int, acquire: float) -> bool:
    is_clean = not any(found[name] for name in ("unexpected", "bare", "internal", "in_use", "waiting"))
    in_time = found["slowest_refusal_seconds"] < acquire + SLACK_SECONDS
    return is_clean and in_time and found["refused"] > 0 and size <= found["answered"]


if __name__ == "__main__":
    main("X06", run)
