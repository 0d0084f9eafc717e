"""X33: a new secret key takes over without logging anybody out, and the old one opens nothing once it is removed."""

from __future__ import annotations

import json
import signal
import tempfile
import threading
import time
from pathlib import Path

from harness import Options, Server, Verdict, main
from ledger import colours
from visiting import Visitor, serving_visits

OLD = "0d4b8a6c2e914f7f8a1b3c5d7e9f0a2b"
NEW = "7c1e5a9d3f2b4860a7d4c1e8b5f20936"


def run(options: Options) -> Verdict:
    """Rotate the key by SIGHUP while visitors with signed cookies count their visits."""
    clients = 8 if options.quick else 40
    rounds = 1 if options.quick else 5
    with tempfile.TemporaryDirectory(prefix="segue-keys-") as folder:
        config = Path(folder) / "keys.json"
        steps = [
            # Announced first: workers are replaced one by one, and all have to know what some sign with already.
            {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": [NEW]},
            {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]},
        ]
        _write(config, {"SECRET_KEY": OLD})
        with serving_visits(options, SEGUE_CONFIG=str(config)) as server:
            visitors = [Visitor(server) for _ in range(clients)]
            for visitor in visitors:
                visitor.go(f"/{colours(options)[-1]}/visit")
            copies = [visitor.cookie for visitor in visitors]
            stop = threading.Event()
            paths = [f"/{prefix}/visit" for prefix in colours(options)]
            threads = [threading.Thread(target=each.keep_going, args=(paths, 0.2, stop)) for each in visitors]
            for thread in threads:
                thread.start()
            for number in range(rounds):
                for step in steps if number % 2 == 0 else [*reversed(steps)]:
                    _rotate(server, config, step)
            opened = _opening(server, copies, options)
            _rotate(server, config, {"SECRET_KEY": NEW if rounds % 2 else OLD})
            time.sleep(0.5)
            stop.set()
            for thread in threads:
                thread.join()
            opened_after = _opening(server, copies, options)
    visits = [visit for visitor in visitors for visit in visitor.done]
    figure = {
        "visits": len(visits),
        "failed": sum(visit.status != 200 for visit in visits),
        "logged_out": sum(visit.went_back for visit in visits),
        "old_cookies_opened": [opened, opened_after],
    }
    target = {"failed": 0, "logged_out": 0, "old_cookies_opened": [clients, 0]}
    return Verdict(figure, target, all(figure[name] == target[name] for name in target))


def _write(config: Path, values: dict[str, object]) -> None:
    beside = config.with_suffix(".new")
    beside.write_text(json.dumps(values))
    beside.replace(config)


def _rotate(server: Server, config: Path, values: dict[str, object]) -> None:
    """Let new workers begin with other keys, and wait until the old one has gone."""
    before = server.get("/pid").json["pid"]
    _write(config, values)
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 30
    while Path(f"/proc/{before}").exists() and time.monotonic() < end:
        time.sleep(0.1)


def _opening(server: Server, cookies: list[str], options: Options) -> int:
    """Count the cookies in which the server finds the one visit that they were made with."""
    prefixes = colours(options)
    replies = [
        Visitor(server, cookie).ask(f"/{prefixes[number % len(prefixes)]}/seen")
        for number, cookie in enumerate(cookies)
    ]
    return sum(reply is not None and reply.status == 200 and reply.json == {"visits": 1} for reply in replies)


if __name__ == "__main__":
    main("X33", run)
