"""X34: a session, a cached value or a cache file that is cut or garbled is as good as none, and never a 500."""

from __future__ import annotations

import os
import random
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import Options, Verdict, main

from segue import App, Session
from segue.cache import CACHES, Cache

REDIS = os.environ.get("SEGUE_TEST_REDIS", "redis://127.0.0.1:6379/0")
KINDS = ("session in a database", "session in redis", "session in a file", "value in redis", "value in a file")


def run(options: Options) -> Verdict:
    """Damage what is stored at random, and ask for it in both colours."""
    turns = 40 if options.quick else 2000
    figure: dict[str, Any] = {}
    for kind in KINDS:
        chance = options.chance()
        with tempfile.TemporaryDirectory(prefix="segue-garbage-") as folder:
            try:
                with _damageable(kind, Path(folder), chance) as (app, path, damage):
                    figure[kind] = _damage_and_ask(app, path, damage, turns, chance)
            except ConnectionError:
                return Verdict({"missing": "redis"}, {}, passed=True)
    target = {"statuses": {200: 2 * turns}, "wrong": 0}
    passed = all(each[name] == wanted for each in figure.values() for name, wanted in target.items())
    # The scenario is worth nothing where the damage is not noticed.
    return Verdict(figure, target, passed and all(each["absent"] > turns / 2 for each in figure.values()))


# Replaces what is stored by what the function makes of it; what becomes `None` is deleted.
Damage = Callable[[Callable[[bytes], bytes | None]], None]


def _damage_and_ask(app: App, path: str, damage: Damage, turns: int, chance: random.Random) -> dict[str, Any]:
    statuses: Counter[int] = Counter()
    found: Counter[str] = Counter()
    with app.test_client(raise_errors=False) as client:
        for turn in range(turns):
            colour = "da"[turn % 2]
            client.get(f"/{colour}/{path}")
            damage(lambda stored: _garbled(stored, chance))
            for _ in range(2):
                answer = client.get(f"/{colour}/{path}")
                statuses[answer.status_code] += 1
                # What was damaged is absent, or the damage did not matter; nothing else may be read out of it.
                told = answer.json if answer.status_code == 200 else {"is_sound": False, "is_new": False}
                found["wrong"] += not told["is_sound"]
                found["absent"] += told["is_new"]
            client.cookies.clear()
            damage(lambda stored: None)
    return {"statuses": dict(statuses), "wrong": found["wrong"], "absent": found["absent"]}


def _garbled(stored: bytes, chance: random.Random) -> bytes:
    """Cut *stored* off, replace it, or let bytes of its frame go wrong."""
    way = chance.randrange(4)
    if way == 0:
        return stored[: chance.randrange(len(stored) + 1)]
    if way == 1:
        return chance.randbytes(chance.randrange(64))
    if way == 2:
        return b""
    return bytes([chance.choice((0xC1, 0xFF, 0x00, 0x81, 0xDF))]) + stored[1:]


def _app(folder: Path, store: str, caches: str, name: str) -> App:
    app = App(
        name,
        config={"SESSION_STORE": store, "CACHES": caches, "ALLOWED_HOSTS": ["localhost"]},
        database=f"sqlite:///{folder}/sessions.db",
        static_folder=None,
        template_folder=None,
    )

    @app.get("/d/session")
    def session(session: Session) -> dict[str, bool]:
        before = session.get("content")
        session["content"] = "x" * 40
        return {"is_sound": before in (None, "x" * 40), "is_new": before is None}

    @app.get("/a/session")
    async def asession(session: Session) -> dict[str, bool]:
        before = session.get("content")
        session["content"] = "x" * 40
        return {"is_sound": before in (None, "x" * 40), "is_new": before is None}

    @app.get("/d/value")
    def value(cache: Cache) -> dict[str, bool]:
        made: list[str] = []
        found = cache.get_or_set("value", lambda: made.append("") or ["x" * 40], type=list[str])
        return {"is_sound": found == ["x" * 40], "is_new": bool(made)}

    @app.get("/a/value")
    async def avalue(cache: Cache) -> dict[str, bool]:
        made: list[str] = []
        found = await cache.aget_or_set("value", lambda: made.append("") or ["x" * 40], type=list[str])
        return {"is_sound": found == ["x" * 40], "is_new": bool(made)}

    return app


@contextmanager
def _damageable(kind: str, folder: Path, chance: random.Random) -> Iterator[tuple[App, str, Damage]]:
    name = f"garbage_{secrets.token_hex(6)}"
    what, _, place = kind.partition(" in ")
    path = what
    if place == "a database":
        app = _app(folder, "database", "memory://", name)
        yield app, path, _in_rows(app)
        app.db.close()
    elif place == "a file":
        app = _app(folder, "cache" if what == "session" else "cookie", f"file://{folder}/cache", name)
        app.config["SECRET_KEY"] = secrets.token_hex(20)
        yield app, path, _in_files(folder / "cache")
    else:
        server = _redis()
        app = _app(folder, REDIS if what == "session" else "cookie", REDIS, name)
        app.config["SECRET_KEY"] = secrets.token_hex(20)
        pattern = f"segue:session:{{{name}}}:key:*"
        if what == "value":
            pattern = "segue:cache:" + app.provided(CACHES)["default"]._key("value", None)
        try:
            yield app, path, _in_redis(server, pattern, chance)
        finally:
            for key in server.scan_iter(match=pattern, count=1000):
                server.delete(key)
            server.close()


def _redis() -> Any:
    import redis

    server = redis.Redis.from_url(REDIS)
    try:
        server.ping()
    except redis.ConnectionError as error:
        raise ConnectionError(str(error)) from None
    return server


def _in_rows(app: App) -> Damage:
    from segue.web.sessions.database import SessionRow

    def damage(garble: Callable[[bytes], bytes | None]) -> None:
        with app.context():
            for row in SessionRow.objects.all():
                garbled = garble(bytes(row.data))
                if garbled is None:
                    row.delete()
                else:
                    SessionRow.objects.filter(pk=row.pk).update(data=garbled)

    return damage


def _in_files(folder: Path) -> Damage:
    def damage(garble: Callable[[bytes], bytes | None]) -> None:
        for file in [each for each in folder.glob("*/*/*") if not each.name.startswith(".")]:
            garbled = garble(file.read_bytes())
            if garbled is None:
                file.unlink()
            else:
                file.write_bytes(garbled)

    return damage


def _in_redis(server: Any, pattern: str, chance: random.Random) -> Damage:
    def damage(garble: Callable[[bytes], bytes | None]) -> None:
        for key in list(server.scan_iter(match=pattern, count=1000)):
            is_hash = server.type(key) == b"hash"
            field = chance.choice(sorted(server.hkeys(key))) if is_hash else b""
            garbled = garble(server.hget(key, field) if is_hash else server.get(key))
            if garbled is None:
                server.delete(key)
            elif is_hash:
                server.hset(key, field, garbled)
            else:
                server.set(key, garbled, ex=60)

    return damage


if __name__ == "__main__":
    main("X34", run)
