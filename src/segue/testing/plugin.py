"""The pytest plugin: `async def` tests, and the fixtures that a project's tests want.

It imports nothing of Segue before a fixture is used, so that coverage sees it all.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..app import App
    from .client import AsyncClient, Client

__all__ = ["async_client", "client", "segue_app"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project say which app its tests are about."""
    parser.addini("segue_app", "The app that the fixtures are about: package.module:app", default="")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test on a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def segue_app(request: pytest.FixtureRequest) -> Iterator[App]:
    """The project's app (`segue_app` in the pytest settings, or SEGUE_APP), current for the test."""
    from ..cli.discovery import find_app

    app: Any = find_app(request.config.getini("segue_app") or None)
    app.testing = True
    with app.context():
        yield app


@pytest.fixture
def client(segue_app: App) -> Client:
    """A client of the project's app."""
    from .client import Client

    return Client(segue_app)


@pytest.fixture
def async_client(segue_app: App) -> AsyncClient:
    """A client of the project's app, for `async def` tests."""
    from .client import AsyncClient

    return AsyncClient(segue_app)
