"""A database of its own for each test, and both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue import db


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A database in memory with the tables of the test's models."""
    made = db.connect("sqlite://")
    made.create_all(*request.module.MODELS)
    yield made
    db.disconnect()


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Call a method, or its async twin."""

    def sync(method: Any, *arguments: Any, **options: Any) -> Any:
        return method(*arguments, **options)

    def twin(method: Any, *arguments: Any, **options: Any) -> Any:
        return asyncio.run(getattr(method.__self__, f"a{method.__name__}")(*arguments, **options))

    return sync if request.param == "sync" else twin
