"""X26: a step that blocks the event loop is found, with its place."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest

from segue import App
from segue.watchdog import Watchdog


class Said(logging.Handler):
    """Keeps what the watchdog logs, and tells that it did."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.told = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.told.set()


@pytest.fixture
def said() -> Said:
    handler = Said()
    logger = logging.getLogger("segue.loop")
    logger.addHandler(handler)
    yield handler  # type: ignore[misc]  # a fixture that ends
    logger.removeHandler(handler)


async def test_a_blocking_call_is_reported_with_its_place(said: Said) -> None:
    watchdog = Watchdog(asyncio.get_running_loop(), limit_seconds=0.02)

    def reads_a_slow_disk() -> None:
        said.told.wait(5)  # until the watchdog has seen it: no clock decides this test

    await asyncio.sleep(0)
    reads_a_slow_disk()
    watchdog.stop()

    assert len(said.lines) == 1
    assert "reads_a_slow_disk" in said.lines[0]
    assert "test_watchdog.py" in said.lines[0]
    assert "run_sync" in said.lines[0]


async def test_a_loop_that_waits_is_not_blocked(said: Said) -> None:
    watchdog = Watchdog(asyncio.get_running_loop(), limit_seconds=0.02)
    await asyncio.sleep(0.1)
    watchdog.stop()

    assert said.lines == []


def test_an_app_in_debug_watches_its_loop(said: Said) -> None:
    app = App("blocked", config={"DEBUG": True, "LOOP_BLOCKED_SECONDS": 0.02}, static_folder=None, template_folder=None)

    @app.get("/")
    async def careless() -> str:
        said.told.wait(5)
        return "late"

    app.get("/quick")(lambda: "at once")
    client = app.test_client()
    client.get("/quick")  # the first request brings the watchdog

    assert client.get("/").text == "late"
    assert "careless" in said.lines[0]


def test_an_app_in_production_does_not() -> None:
    app = App("quiet", static_folder=None, template_folder=None)
    before = threading.active_count()
    app.get("/")(lambda: str(time.monotonic() > 0))

    app.test_client().get("/")

    assert app.compile().blocked_seconds == 0
    assert not [each for each in threading.enumerate()[before:] if each.name == "segue-watchdog"]
