"""What a route pays for what it does not use: `python -m benchmarks.site.unused [--check]`.

One JSON route is asked by WSGI in apps that differ in one thing each, without a server. What a
thing costs is the median of the differences from the plain app's time, round by round.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from time import process_time_ns
from typing import Any

from ..environment import ensure_environment, save
from ..verdicts import Verdict, conclude

MOST_US = 0.2
ROUNDS = 60
REQUESTS = 4_000

_KEY = "5e1a0c9de4f2c0d7c1b4e14c3f9a3b7d"


def _app(database: str | None = None, **config: Any) -> Any:
    from segue import App

    settings = {"ALLOWED_HOSTS": ["127.0.0.1"], **config}
    app = App(__name__, database=database, config=settings, template_folder=None, static_folder=None)

    @app.get("/json")
    def message() -> dict[str, str]:
        return {"message": "hello"}

    @app.post("/json")
    def take() -> dict[str, str]:
        return {"message": "hello"}

    return app


def _with_users() -> Any:
    from segue.auth import Auth

    app = _app("sqlite:///:memory:", SECRET_KEY=_KEY)
    app.register(Auth())

    @app.get("/session")
    def show(session: Any, user: Any) -> str:
        return f"{user}: {session.get('shelf')}"

    return app


def _with_hooks_elsewhere() -> Any:
    from segue import Blueprint

    app = _app()
    shop = Blueprint("shop", __name__)

    @shop.before_request
    def before() -> None:
        return None

    @shop.after_request
    def after(response: Any) -> Any:
        return response

    @shop.get("/basket")
    def basket() -> str:
        return "basket"

    app.register(shop, prefix="/shop")
    return app


def _ask(app: Any, method: str, headers: tuple[tuple[str, str], ...] = ()) -> Callable[[int], None]:
    from benchmarks.http.rows import Ask, Row
    from benchmarks.inprocess import WSGIStage

    stage = WSGIStage(app.wsgi, Row("json", "JSON", (Ask(method, "/json", headers),), lambda ask, answer: None))

    def run(requests: int) -> None:
        with suppress(StopIteration):
            stage.run(requests).send(None)

    run(100)
    assert stage.status == 200, stage.answer()
    return run


def _differences(plain: Callable[[int], None], others: dict[str, Callable[[int], None]]) -> dict[str, float]:
    """Return the microseconds that each of *others* takes above *plain*, and what that takes."""
    spent: dict[str, list[float]] = {}
    asked = {"plain": plain, **others}
    for _ in range(ROUNDS):
        for name, run in asked.items():
            before = process_time_ns()
            run(REQUESTS)
            spent.setdefault(name, []).append((process_time_ns() - before) / REQUESTS / 1000)
    base = spent.pop("plain")
    found = {name: median(own - other for own, other in zip(times, base, strict=True)) for name, times in spent.items()}
    return {"a plain route": median(base), **found}


def main() -> int:
    """Measure, print and save."""
    browser = (("Sec-Fetch-Site", "same-origin"), ("Cookie", "session=abc"))
    unguarded = _app(CSRF_PROTECTION=False)
    guarded = _app()
    reads = (
        _ask(_app(), "GET"),
        {
            "the same app once more": _ask(_app(), "GET"),
            "a session and a user that it does not touch": _ask(_with_users(), "GET"),
            "hooks of a blueprint that is not its own": _ask(_with_hooks_elsewhere(), "GET"),
        },
    )
    posts = _ask(unguarded, "POST"), {"CSRF guard, a program's POST": _ask(guarded, "POST")}
    browsers = _ask(unguarded, "POST", browser), {"CSRF guard, a browser's POST": _ask(guarded, "POST", browser)}
    gc.collect()
    gc.freeze()
    found: dict[str, float] = {}
    verdicts: list[Verdict] = []
    for plain, others in (reads, posts, browsers):
        times = _differences(plain, others)
        base = times.pop("a plain route")
        print(f"{base:8.2f} us: the route without")
        for name, spent in times.items():
            print(f"  {spent:+6.2f} us  {name}")
        found |= times
    verdicts = [
        Verdict(f"us that it pays for {name}", found[name], MOST_US, is_ceiling=True)
        for name in reads[1]
        if name != "the same app once more"
    ]
    status = conclude(verdicts, check="--check" in sys.argv[1:])
    print("Written to", save("unused", {"us": found, "verdicts": [each.as_json() for each in verdicts]}))
    return status


if __name__ == "__main__":
    ensure_environment("benchmarks.site.unused")
    sys.exit(main())
