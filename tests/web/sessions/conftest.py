"""An app whose sessions are kept in each store, with handlers of both colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Request
from segue.testing import Client
from segue.web.sessions import Session

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Make apps that count, remember and forget in their sessions."""
    made: list[App] = []

    def make(store: Any, **config: Any) -> App:
        made.append(counting_app(store, tmp_path, **config))
        return made[-1]

    yield make
    for each in made:
        each.db.close()


def counting_app(store: Any, path: Path, **config: Any) -> App:
    """An app that counts, remembers and forgets in its sessions."""
    app = App(
        "sessions_app",
        config={"SECRET_KEY": KEY, "SESSION_STORE": store, **config},
        database=f"sqlite:///{path}/sessions.db",
        static_folder=None,
        template_folder=None,
    )

    @app.get("/count")
    def count(session: Session) -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/acount")
    async def acount(session: Session) -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/read")
    def read(session: Session) -> dict[str, Any]:
        return dict(session)

    @app.get("/untouched")
    def untouched(request: Request) -> str:
        return "x"

    @app.get("/nested")
    def nested(session: Session) -> str:
        session.setdefault("list", []).append(1)
        return str(len(session["list"]))

    @app.get("/same")
    def same(session: Session) -> str:
        session["count"] = session.get("count")
        return "x"

    @app.get("/forget")
    def forget(session: Session) -> str:
        session.flush()
        return "x"

    @app.get("/renew")
    async def renew(session: Session) -> str:
        session.cycle_key()
        return "x"

    @app.get("/clear")
    def clear(session: Session) -> str:
        session.clear()
        return "x"

    @app.get("/stay")
    def stay(session: Session) -> str:
        session.permanent = True
        session["stays"] = True
        return "x"

    return app


@pytest.fixture(params=["cookie", "database"])
def store(request: pytest.FixtureRequest) -> str:
    """Each store in turn."""
    return str(request.param)


@pytest.fixture
def app(store: str, make_app: Callable[..., App]) -> App:
    """An app with one of the stores."""
    return make_app(store)


@pytest.fixture
def visitor(app: App) -> Iterator[Client]:
    """A client with cookies of its own."""
    with app.test_client() as client:
        yield client
