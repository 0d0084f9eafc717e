"""The app of the scenarios about sessions: it counts visits, caches, limits, and checks a password, in both colours.

`SESSION_STORE`, `CACHES` and `SECRET_KEY` come from the configuration; with a `DATABASE_URL` it has users. Routes
below `/d` are `def`, those below `/a` are `async def`.
"""

from __future__ import annotations

import os
from typing import Any

from segue import App, Request, Session, auth, rate_limit
from segue.auth import Auth, User
from segue.auth.hashing import acheck_password, check_password, make_password
from segue.cache import Cache

__all__ = ["app"]

app = App(__name__, config={"ALLOWED_HOSTS": ["localhost", "127.0.0.1"]}, static_folder=None, template_folder=None)
STORED = make_password("the right one")


def add(content: dict[str, Any]) -> None:
    content["visits"] = content.get("visits", 0) + 1


@app.get("/pid")
async def pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.get("/ok")
async def ok() -> dict[str, bool]:
    return {"ok": True}


@app.get("/d/visit")
def visit(session: Session) -> dict[str, int]:
    session.change(add)
    return {"visits": session["visits"]}


@app.get("/a/visit")
async def avisit(session: Session) -> dict[str, int]:
    await session.achange(add)
    return {"visits": session["visits"]}


@app.get("/d/seen")
def seen(session: Session) -> dict[str, int]:
    return {"visits": session.get("visits", 0)}


@app.get("/a/seen")
async def aseen(session: Session) -> dict[str, int]:
    return {"visits": session.get("visits", 0)}


@app.get("/d/cached")
def cached(cache: Cache) -> dict[str, str]:
    return {"made": cache.get_or_set("part", lambda: "made", 2)}


@app.get("/a/cached")
async def acached(cache: Cache) -> dict[str, str]:
    return {"made": await cache.aget_or_set("part", lambda: "made", 2)}


@app.get("/d/limited")
@rate_limit("1000000/h", scope="d read")
def limited() -> dict[str, bool]:
    return {"ok": True}


@app.get("/a/limited")
@rate_limit("1000000/h", scope="a read")
async def alimited() -> dict[str, bool]:
    return {"ok": True}


@app.get("/d/guarded")
@rate_limit("1000000/h", scope="d login", fail_closed=True)
def guarded() -> dict[str, bool]:
    return {"ok": True}


@app.get("/a/guarded")
@rate_limit("1000000/h", scope="a login", fail_closed=True)
async def aguarded() -> dict[str, bool]:
    return {"ok": True}


@app.post("/d/login")
def login(password: str) -> dict[str, bool]:
    return {"in": check_password(password, STORED)}


@app.post("/a/login")
async def alogin(password: str) -> dict[str, bool]:
    return {"in": await acheck_password(password, STORED)}


if os.environ.get("DATABASE_URL"):
    app.register(Auth(pages=False))

    @app.get("/enter/<name>")
    async def enter(request: Request, name: str) -> dict[str, str]:
        await auth.alogin(request, await User.objects.aget(username=name))
        return {"name": name}

    @app.get("/d/who")
    def who(user: User | None) -> dict[str, str]:
        return {"name": user.username if user is not None else ""}

    @app.get("/a/who")
    async def awho(user: User | None) -> dict[str, str]:
        return {"name": user.username if user is not None else ""}
