"""The pytest plugin: `async def` tests, and the fixtures that a project's tests want.

It imports nothing of Segue before a fixture is used, so that coverage sees it all.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..app import App
    from .client import AsyncClient, Client
    from .live import LiveServer

__all__ = ["async_client", "client", "live_server", "override_config", "segue_app", "segue_project"]

# Other plugins that run `async def` tests, by the mark that asks for them.
_OTHER_RUNNERS = ("asyncio", "anyio", "trio")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project say which app its tests are about."""
    parser.addini("segue_app", "The app that the fixtures are about: package.module:app", default="")
    parser.addoption("--reuse-db", action="store_true", help="keep the test databases, and take them as they are")


def pytest_configure(config: pytest.Config) -> None:
    """Make the plugin's marks known."""
    config.addinivalue_line("markers", "commits: the test commits for real; its database is made anew afterwards")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test on a loop of its own, unless it is marked for another plugin."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    if any(pyfuncitem.get_closest_marker(name) for name in _OTHER_RUNNERS):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in inspect.signature(function).parameters}
    asyncio.run(function(**given))
    return True


@pytest.fixture(scope="session")
def segue_project(request: pytest.FixtureRequest) -> Iterator[App]:
    """The project's app on databases of the tests' own, made once for all tests of a worker."""
    from .database import own_databases
    from .project import project_app

    app = project_app(request.config.getini("segue_app") or None, request.config.rootpath)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with own_databases(app, worker=worker, reuse=bool(request.config.getoption("--reuse-db"))):
        yield app


@pytest.fixture
def segue_app(request: pytest.FixtureRequest, segue_project: App) -> Iterator[App]:
    """The project's app, current for the test, which changes nothing in its databases.

    `segue_app` in the pytest settings names it; else it is found as the command line
    finds it. A project whose tests make their own app overrides this fixture.

    Each test runs in a transaction that is rolled back. One that must commit is marked
    `commits`: its tables are made anew afterwards.
    """
    from ..mail import MAIL
    from .database import emptied, rolled_back

    around = emptied if request.node.get_closest_marker("commits") else rolled_back
    with segue_project.context() as context, around(segue_project):
        context.get(MAIL).outbox.clear()
        yield segue_project


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


@pytest.fixture
def live_server(segue_app: App) -> Iterator[LiveServer]:
    """The project's app behind a real server; `live_server.url` is where."""
    from .live import live_server as serve

    with serve(segue_app) as server:
        yield server


@pytest.fixture
def override_config(segue_app: App) -> Iterator[Callable[..., None]]:
    """Change the app's configuration until the end of the test: `override_config(KEY=value)`."""
    with ExitStack() as stack:

        def override(**values: Any) -> None:
            stack.enter_context(segue_app.override_config(**values))

        yield override
