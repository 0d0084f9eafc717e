"""Asks every contestant for the page, in turns.

Holds: `measure`, which runs in a process of its own: Django is configured once in one.
Imports: contestants when they are measured, the stand-ins for servers of `benchmarks.inprocess`.
Never: prints.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from time import process_time_ns
from typing import Any

from benchmarks.http.rows import Ask, Row
from benchmarks.inprocess import ASGIStage, WSGIStage, start
from benchmarks.load import Answer, LoadError

from .content import MEMBER, expected, squeezed
from .contestant import Contestant

__all__ = ["PEERS", "measure"]

PEERS = ("segue", "django", "flask")


def measure(vendor: str, rounds: int, requests: int) -> dict[str, float]:
    """Return the microseconds of CPU that a request costs, by contestant: of its best round."""
    with ExitStack() as stack:
        entrants = [
            _Entrant(each)
            for peer in PEERS
            for each in import_module(f"benchmarks.site.with_{peer}").contestants(
                vendor, stack.enter_context(_database(vendor, peer))
            )
        ]
        for entrant in entrants:
            stack.callback(entrant.close)
            entrant.check()
            entrant.time(requests)
        for entrant in entrants:
            entrant.best = float("inf")  # the first turn warmed up
        gc.collect()
        gc.freeze()
        for _ in range(rounds):
            for entrant in entrants:
                entrant.time(requests)
        return {entrant.name: entrant.best for entrant in entrants}


class _Entrant:
    """One contestant at work, on a loop of its own."""

    def __init__(self, contestant: Contestant) -> None:
        self.name = contestant.name
        self.best = float("inf")
        self._is_wsgi = contestant.interface == "wsgi"
        self._runner = asyncio.Runner(loop_factory=_loop_factory())
        ask = Ask("GET", contestant.path, (("Cookie", contestant.cookie),))
        stage = WSGIStage if self._is_wsgi else _PatientStage
        self._stage: Any = stage(contestant.app, Row("page", "a page", (ask,), _expect))
        self._ask = ask
        self._lifespan: Any = None
        if not self._is_wsgi and self.name.startswith("segue"):
            self._lifespan = self._runner.run(_started(contestant.app))

    def check(self) -> None:
        """Ask once, and see that the page is right."""
        self._run(1)
        try:
            _expect(self._ask, self._stage.answer())
        except LoadError as error:
            raise LoadError(f"{self.name}: {error}") from error

    def time(self, requests: int) -> None:
        """Ask often, and keep the best time."""
        gc.collect()
        began = process_time_ns()
        self._run(requests)
        self.best = min(self.best, (process_time_ns() - began) / requests / 1000)

    def _run(self, requests: int) -> None:
        turn = self._stage.run(requests)
        if not self._is_wsgi:
            self._runner.run(turn)
            return
        # WSGI's stand-in waits for nothing, and databases refuse `def` code that is on a loop.
        with suppress(StopIteration):
            turn.send(None)

    def close(self) -> None:
        """End what was started."""
        if self._lifespan is not None:
            self._lifespan.cancel()
        self._runner.close()


class _PatientStage(ASGIStage):
    """A client that stays: Django asks for its end while it answers."""

    _is_read = False

    async def _receive(self) -> dict[str, Any]:
        if self._is_read:
            await asyncio.Event().wait()
        self._is_read = True
        return await super()._receive()

    async def _send(self, event: dict[str, Any]) -> None:
        await super()._send(event)
        self._is_read = False


async def _started(app: Any) -> asyncio.Task[None]:
    return await start(app)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # of the servers that are measured elsewhere

    return uvloop.new_event_loop


def _expect(ask: Ask, answer: Answer) -> None:
    page = squeezed(answer.body.decode())
    right = answer.status == 200 and expected() in page and f"Loggedinas{MEMBER}." in page and "Upstairs&amp;" in page
    if not right:
        raise LoadError(f"not the page that was asked for: {answer}")


@contextmanager
def _database(vendor: str, name: str) -> Iterator[str]:
    """Give a database of its own: a file's path, or an address."""
    if vendor == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / f"{name}.db")
        return
    import psycopg

    server = os.environ.get("SEGUE_BENCH_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
    database = f"segue_site_{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {database}")
        yield f"{server}/{database}"
        admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
