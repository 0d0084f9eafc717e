"""Fixtures that all tests share: an app, and a client by each of the three protocols."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

import pytest

from segue import App
from segue.testing import Client

PROTOCOLS = ("rsgi", "asgi", "wsgi")
SERVERS = {"postgresql", "mysql", "redis"}
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"


@pytest.fixture
def app() -> App:
    """An empty app, beside no templates and no static files."""
    return App("tests_app", static_folder=None, template_folder=None)


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    """Each protocol in turn."""
    return str(request.param)


@pytest.fixture
def client(app: App, protocol: str) -> Callable[..., Client]:
    """Make a client of the app, once its routes are there; errors become responses."""

    def make(**options: Any) -> Client:
        options.setdefault("protocol", protocol)
        options.setdefault("raise_errors", False)
        return Client(options.pop("app", app), **options)

    return make


@pytest.fixture
def calls_of() -> Callable[[Callable[[], Any]], int]:
    """Count the calls of Python functions, resumptions of coroutines left out."""

    def count_calls(function: Callable[[], Any]) -> int:
        count = 0

        def profile(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call"

        gc.disable()  # a collection calls what waits for one
        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            function()
        finally:
            sys.setprofile(before)
            gc.enable()
        return count - 1  # the function itself

    return count_calls


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("SEGUE_"):
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT", "WEB_CONCURRENCY", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to another process, so that `make fast` leaves it out."""
    for item in items:
        given = getattr(item, "callspec", None)
        values = set() if given is None else {each for each in given.params.values() if isinstance(each, str)}
        if values & SERVERS or item.path.parent.name in ("integration", "faults", "typing", "browser"):
            item.add_marker("server")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip by name what needs a program that the machine lacks; with SEGUE_TEST_ALL fail."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            if shutil.which(name) is None:
                message = f"needs {name}, which is not installed"
                if MISSING_IS_FAILURE:
                    pytest.fail(message)
                pytest.skip(message)
