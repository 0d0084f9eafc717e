"""SITES-42 and SECURITY's rule for second factors: a login that the site wrote itself asks for one too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import App, Request
from segue.auth import Auth, User, aauthenticate, alogin, authenticate, login, login_required
from segue.auth.pages.factors import SecondFactor
from segue.auth.totp import make_code, make_secret
from segue.clock import today
from segue.testing import Client

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PASSWORD = "correct horse battery"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A site with log-ins of its own, in both colours, which look at no result."""
    app = App("own", database=f"sqlite:///{tmp_path}/own.db", config={"SECRET_KEY": KEY}, static_folder=None)
    app.register(Auth(), prefix="/accounts")

    @app.post("/sync")
    def enter(request: Request) -> Any:
        user = authenticate(request, email=request.form["email"], password=request.form["password"])
        if "delete" in request.form:
            User.objects.all().delete()
        return {"in": login(request, user), "who": str(request.user)}

    @app.post("/async")
    async def aenter(request: Request) -> Any:
        user = await aauthenticate(request, email=request.form["email"], password=request.form["password"])
        if "delete" in request.form:
            await User.objects.all().adelete()
        is_in = await alogin(request, user)
        return {"in": is_in, "who": str(await request.auser())}

    @app.get("/mine/")
    @login_required
    def mine(user: User) -> str:
        return user.email

    with app.test_client(), app.context():
        User.objects.create_user("ann@example.org", password=PASSWORD)
        bob = User.objects.create_user("bob@example.org", password=PASSWORD)
        SecondFactor.objects.create(owner=str(bob.pk), secret=make_secret(), confirmed_at=today())
        yield app
    app.db.close()


@pytest.fixture(params=["/sync", "/async"])
def enter(request: pytest.FixtureRequest, app: App) -> Callable[..., Any]:
    def post(client: Client, name: str, **fields: str) -> Any:
        data = {"email": f"{name}@example.org", "password": PASSWORD, **fields}
        return client.post(request.param, data=data).json

    return post


def code() -> str:
    return make_code(SecondFactor.objects.get().secret)


def test_who_has_none_is_in(app: App, enter: Callable[..., Any]) -> None:
    assert enter(app.test_client(), "ann") == {"in": True, "who": "ann@example.org"}


def test_who_has_one_is_asked_for_it_at_the_gate_and_comes_back(app: App, enter: Callable[..., Any]) -> None:
    client = app.test_client()

    given = enter(client, "bob")
    asked = client.get("/mine/", follow_redirects=True)
    done = client.post("/accounts/login/code", data={"code": code()}, follow_redirects=True)

    assert given == {"in": False, "who": "AnonymousUser"}
    assert asked.url.endswith("/accounts/login/code")
    assert done.text == "bob@example.org"


def test_another_account_can_be_taken_instead(app: App, enter: Callable[..., Any]) -> None:
    client = app.test_client()
    enter(client, "bob")
    client.get("/accounts/login")  # leads to the second step, once

    again = client.get("/accounts/login")

    assert (again.status_code, "password" in again.text) == (200, True)


def test_who_was_logged_in_before_is_out(app: App, enter: Callable[..., Any]) -> None:
    # Else the site would take what follows for what the first one does.
    client = app.test_client()
    enter(client, "ann")

    enter(client, "bob")

    assert client.get("/mine/").status_code == 302


def test_who_was_deleted_meanwhile_is_not_in(app: App, enter: Callable[..., Any]) -> None:
    client = app.test_client()

    given = enter(client, "ann", delete="yes")

    assert given == {"in": False, "who": "AnonymousUser"}
