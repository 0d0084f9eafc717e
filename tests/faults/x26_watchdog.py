"""X26: the watchdog finds what blocks an event loop, and nothing where nothing does."""

from __future__ import annotations

import asyncio
import logging
import time

from harness import Options, Verdict, main

from segue import App, run_sync


class Kept(logging.Handler):
    """Keeps the names of what was reported."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.args, tuple)
        self.names.append(str(record.args[1]))


def run(options: Options) -> Verdict:
    """Ask good and bad handlers of an app in debug, and compare what the log says of them."""
    app = App("watched", config={"DEBUG": True}, static_folder=None, template_folder=None)

    @app.get("/sleeps")
    async def sleeps() -> str:
        time.sleep(0.25)
        return "late"

    @app.get("/computes")
    async def computes() -> str:
        end = time.monotonic() + 0.25
        while time.monotonic() < end:
            pass
        return "late"

    @app.get("/good")
    async def good() -> str:
        await asyncio.sleep(0.25)
        return await run_sync(lambda: time.sleep(0.25) or "fine")

    @app.get("/threaded")
    def threaded() -> str:
        time.sleep(0.25)
        return "fine"

    kept = Kept()
    logging.getLogger("segue.loop").addHandler(kept)
    client = app.test_client()
    rounds = 2 if options.quick else 20
    client.get("/good")
    for _ in range(rounds):
        for path in ("/sleeps", "/computes", "/good", "/threaded"):
            client.get(path)
    figure = {name: kept.names.count(name) for name in ("sleeps", "computes", "good", "threaded")}
    target = {"sleeps": rounds, "computes": rounds, "good": 0, "threaded": 0}
    return Verdict(figure, target, figure == target)


if __name__ == "__main__":
    main("X26", run)
