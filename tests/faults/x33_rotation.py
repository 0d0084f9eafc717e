"""X33: a new secret key takes over without logging anybody out, and the old one opens nothing once it is removed."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from harness import Options, Server, Verdict, main
from ledger import colours
from visiting import Visitor, serving_visits

OLD = "0d4b8a6c2e914f7f8a1b3c5d7e9f0a2b"
NEW = "7c1e5a9d3f2b4860a7d4c1e8b5f20936"
STEPS: list[dict[str, Any]] = [
    # Announced first: workers are replaced one by one, and all have to know what some sign with already.
    {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": [NEW]},
    {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]},
]


def run(options: Options) -> Verdict:
    """Rotate the key by SIGHUP while users count their visits, with sessions in signed cookies and on the server."""
    clients = 8 if options.quick else 40
    stores = ("cookie",) if options.quick else ("cookie", "database")
    figure = {store: _rotated(options, store, clients) for store in stores}
    target = {"failed": 0, "logged_out": 0, "idle_users_known": {"both keys": clients, "new key": 0}}
    return Verdict(figure, target, all(each[name] == target[name] for each in figure.values() for name in target))


def _rotated(options: Options, store: str, clients: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="segue-keys-") as folder:
        config, address = Path(folder) / "keys.json", f"sqlite:///{folder}/users.db"
        active, early, late = ([f"{group}-{number}" for number in range(clients)] for group in "ael")
        _make_users(address, [*active, *early, *late])
        _write(config, {"SECRET_KEY": OLD})
        environment = {"SEGUE_CONFIG": str(config), "DATABASE_URL": address, "SEGUE_SESSION_STORE": store}
        with serving_visits(options, **environment) as server:
            visitors = [_entered(server, name) for name in active]
            # They do not come before the old key is a former one, and those not before it is gone.
            idle, idle_longer = ([_entered(server, name) for name in names] for names in (early, late))
            stop = threading.Event()
            paths = [f"/{prefix}/{kind}" for kind in ("visit", "who") for prefix in colours(options)]
            threads = [threading.Thread(target=each.keep_going, args=(paths, 0.2, stop)) for each in visitors]
            for thread in threads:
                thread.start()
            for step in STEPS:
                _rotate(server, config, step)
            time.sleep(1)  # everybody has come once
            known = {"both keys": _known(idle, options)}
            _rotate(server, config, {"SECRET_KEY": NEW})
            time.sleep(1)
            stop.set()
            for thread in threads:
                thread.join()
            known["new key"] = _known(idle_longer, options)
    visits = [visit for visitor in visitors for visit in visitor.done]
    return {
        "visits": len(visits),
        "failed": sum(visit.status != 200 for visit in visits),
        "logged_out": sum(visit.went_back for visit in visits),
        "idle_users_known": known,
    }


def _make_users(address: str, names: list[str]) -> None:
    os.environ["DATABASE_URL"] = address  # for the import alone: the server must not inherit it
    from visited_app import app

    del os.environ["DATABASE_URL"]

    from segue.auth import User
    from segue.db import Database

    database = Database(address)
    database.create_all(*app.owned_models())
    User.objects.using(database).bulk_create(
        [User(username=name, email=f"{name}@example.com", password="!") for name in names]
    )
    database.close()


def _entered(server: Server, name: str) -> Visitor:
    visitor = Visitor(server, name)
    visitor.ask(f"/enter/{name}")
    return visitor


def _write(config: Path, values: dict[str, Any]) -> None:
    beside = config.with_suffix(".new")
    beside.write_text(json.dumps(values))
    beside.replace(config)


def _rotate(server: Server, config: Path, values: dict[str, Any]) -> None:
    """Let new workers begin with other keys, and wait until the old one has gone."""
    before = server.get("/pid").json["pid"]
    _write(config, values)
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 30
    while Path(f"/proc/{before}").exists() and time.monotonic() < end:
        time.sleep(0.1)


def _known(visitors: list[Visitor], options: Options) -> int:
    """Count those in whom the server sees the user who entered."""
    prefixes = colours(options)
    visits = [each.go(f"/{prefixes[number % len(prefixes)]}/who") for number, each in enumerate(visitors)]
    return sum(visit.status == 200 and not visit.went_back for visit in visits)


if __name__ == "__main__":
    main("X33", run)
