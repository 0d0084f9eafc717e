"""The handlers of a site with users, in both colours, and a browser that visits it."""

from __future__ import annotations

from typing import Any

from segue import App, Request
from segue.auth import (
    User,
    aauthenticate,
    alogin,
    alogout,
    aupdate_session_auth_hash,
    authenticate,
    fresh_login_required,
    login,
    logout,
    update_session_auth_hash,
)
from segue.testing import Client
from segue.web.sessions import Session

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PASSWORD = "correct horse battery"
EMAIL = "bob@example.org"


def add_sync(app: App) -> None:
    """Log in, out, and tell who asks, by `def` handlers."""

    @app.post("/sync/login")
    def log_in(request: Request) -> Any:
        user = authenticate(request, email=request.form["email"], password=request.form["password"])
        if user is None:
            return "wrong", 400
        login(request, user, remember_me="remember" in request.form)
        return "in"

    @app.post("/sync/logout")
    def log_out(request: Request) -> str:
        logout(request)
        return "out"

    @app.get("/sync/who")
    def who(request: Request) -> str:
        return str(request.user)

    @app.get("/sync/member")
    def member(user: User) -> str:
        return user.email

    @app.get("/sync/perhaps")
    def perhaps(user: User | None) -> str:
        return str(user)

    @app.get("/sync/named")
    def named(user: Any) -> str:
        return str(user)

    @app.post("/sync/password")
    def password(request: Request, user: User) -> str:
        user.set_password(request.form["password"])
        user.save()
        update_session_auth_hash(request, user)
        return "changed"

    @app.get("/sync/keep/<value>")
    def keep(session: Session, value: str) -> str:
        session["kept"] = value
        return "kept"

    @app.get("/sync/twice", queries=2)  # the session and the user
    def twice(request: Request, user: User) -> str:
        return str(request.user is user)

    app.get("/sync/fresh", endpoint="fresh")(fresh_login_required(lambda: "fresh"))

    @app.get("/sync/kept")
    def kept(session: Session) -> str:
        return str(session.get("kept"))


def add_async(app: App) -> None:
    """The same by `async def` handlers."""

    @app.post("/async/login")
    async def alog_in(request: Request) -> Any:
        user = await aauthenticate(request, email=request.form["email"], password=request.form["password"])
        if user is None:
            return "wrong", 400
        await alogin(request, user, remember_me="remember" in request.form)
        return "in"

    @app.post("/async/logout")
    async def alog_out(request: Request) -> str:
        await alogout(request)
        return "out"

    @app.get("/async/who")
    async def awho(request: Request) -> str:
        assert await request.auser() == request.user
        return str(request.user)

    @app.get("/async/member")
    async def amember(user: User) -> str:
        return user.email

    @app.get("/async/perhaps")
    async def aperhaps(user: User | None) -> str:
        return str(user)

    @app.get("/async/named")
    async def anamed(user: Any) -> str:
        return str(user)

    @app.post("/async/password")
    async def apassword(request: Request, user: User) -> str:
        await user.aset_password(request.form["password"])
        await user.asave()
        await aupdate_session_auth_hash(request, user)
        return "changed"

    @app.get("/async/keep/<value>")
    async def akeep(session: Session, value: str) -> str:
        session["kept"] = value
        return "kept"

    @app.get("/async/twice", queries=2)  # the session and the user
    async def atwice(request: Request, user: User) -> str:
        return str(await request.auser() is user)

    @app.get("/async/fresh")
    @fresh_login_required
    async def afresh() -> str:
        return "fresh"

    @app.get("/async/kept")
    async def akept(session: Session) -> str:
        return str(session.get("kept"))


class Visitor(Client):
    """A browser, and the colour of the handlers that it goes to."""

    colour: str = "sync"

    def go(self, path: str, **options: Any) -> Any:
        """GET a path in this visitor's colour."""
        return self.get(f"/{self.colour}{path}", **options)

    def send(self, path: str, **options: Any) -> Any:
        """POST to a path in this visitor's colour."""
        return self.post(f"/{self.colour}{path}", **options)

    def log_in(self, email: str = EMAIL, password: str = PASSWORD, **fields: str) -> Any:
        """Log in."""
        return self.send("/login", data={"email": email, "password": password, **fields})
