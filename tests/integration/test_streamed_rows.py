"""CORE-62: answers that are streamed while their rows are read, from real servers and databases."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import HERE, INTERFACES, SOURCE, Server, start
from wire import request

pytestmark = pytest.mark.slow

# Read now: before a test everything of Segue is taken out of the environment.
POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"


def sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/rows.db"


def postgresql(folder: Path) -> Iterator[str]:
    import psycopg

    name = f"segue_rows_{os.getpid()}"
    try:
        server = psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        (pytest.fail if MISSING_IS_FAILURE else pytest.skip)(f"needs postgresql: {error}")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRESQL}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module", params=[sqlite, postgresql], ids=lambda make: make.__name__)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with many rows."""
    made = request.param(tmp_path_factory.mktemp("rows"))
    address = next(made)
    environment = {**os.environ, "ROWS_URL": address, "PYTHONPATH": str(SOURCE)}
    subprocess.run([sys.executable, HERE / "rows_app.py"], env=environment, check=True)
    yield address
    next(made, None)


@pytest.fixture(scope="module", params=INTERFACES)
def reading(request: pytest.FixtureRequest, url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app under each interface, in production."""
    folder = tmp_path_factory.mktemp("server")
    server = start(f"segue-{request.param}", folder, target="rows_app:app", environment={"ROWS_URL": url})
    yield server
    server.stop()


def state_after(server: Server, colour: str, count: int) -> dict[str, Any]:
    """Return the state of the app, once the generator was closed more often than *count* and holds nothing."""
    end = time.monotonic() + 10  # it takes well below a second, on a machine that has time
    while time.monotonic() < end:
        state: dict[str, Any] = server.get("/state").json
        if state["closed"][colour] > count and state["held"] == 0:
            break
    return state


def test_a_client_that_leaves_ends_the_reading_and_frees_its_connection(reading: Server, colour: str) -> None:
    before = reading.get("/state").json["closed"][colour]

    with reading.connect() as sock:
        sock.sendall(request("GET", f"/{colour}/rows"))
        sock.makefile("rb").read(10_000)  # the first rows were read by then
        during = reading.get("/state").json
    after = state_after(reading, colour, before)

    assert (during["closed"][colour], during["held"]) == (before, 1)
    assert (after["closed"][colour], after["held"]) == (before + 1, 0)


def test_no_connection_is_held_from_the_last_row_on(reading: Server, colour: str) -> None:
    assert reading.get(f"/{colour}/held").text == "1: 1, 5050: 0, end: 0"
