"""A site with users, whose handlers stand there once in each colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from club_with_users import EMAIL, KEY, PASSWORD, Visitor, add_async, add_sync

from segue import App
from segue.auth import Auth, User


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Each colour in turn: the first part of a path."""
    return str(request.param)


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Make sites with users, in one database."""
    made: list[App] = []

    def make(*, auth: Any = None, user: Any = User, **config: Any) -> App:
        app = App(
            "auth_site",
            config={"SECRET_KEY": KEY, **config},
            database=f"sqlite:///{tmp_path}/auth.db",
            static_folder=None,
            template_folder=None,
        )
        app.testing = True
        app.register(auth if auth is not None else Auth(user=user), prefix="/accounts")
        made.append(app)
        return app

    yield make
    for each in made:
        each.db.close()


@pytest.fixture
def site(make_site: Callable[..., App]) -> App:
    """A site whose handlers log in and out, in both colours."""
    app = make_site()
    add_sync(app)
    add_async(app)
    return app


@pytest.fixture
def visit(site: App, colour: str) -> Iterator[Callable[..., Visitor]]:
    """Make visitors of the site, where Bob has an account."""
    opened: list[Visitor] = []

    def make(protocol: str = "asgi", app: App = site, **options: Any) -> Visitor:
        visitor = Visitor(app, protocol=protocol, raise_errors=False, **options)
        visitor.__enter__()
        visitor.colour = colour
        opened.append(visitor)
        return visitor

    first = make()
    with site.context():
        User.objects.create_user(EMAIL, password=PASSWORD, first_name="Bob", last_name="Dylan")
    yield make
    del first
    for each in reversed(opened):
        each.__exit__(None, None, None)


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """A browser that nobody is logged in with."""
    return visit()
