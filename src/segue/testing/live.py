"""A real server for tests that need one: browsers, sockets, other processes.

It is Granian, embedded: the app is the very object of the test, in a thread beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import UsageError

if TYPE_CHECKING:
    from ..app import App

__all__ = ["LiveServer", "live_server"]

_START_SECONDS = 20.0
_POLL_SECONDS = 0.01


class LiveServer:
    """A server of one app on a free port of this machine.

    Attributes:
        host, port: Where it listens; `127.0.0.1` only.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.host = "127.0.0.1"
        self.port: int = _free_port()
        self._server: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="segue-live-server", daemon=True)

    def __repr__(self) -> str:
        return f"<LiveServer of {self.app.name!r} at {self.url}>"

    @property
    def url(self) -> str:
        """Where a client finds it, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Serve; return once connections are taken.

        Raises:
            UsageError: It did not start (`testing/server-not-started`).
        """
        if not self.app.closed_at:
            self.app.testing = True
        self.app.compile()
        self._thread.start()
        limit = time.monotonic() + _START_SECONDS
        while not self._is_listening():
            if not self._thread.is_alive() or time.monotonic() > limit:
                raise UsageError(
                    "The live server did not start.",
                    code="testing/server-not-started",
                    why=f"{self.url} takes no connections: {_told(self._error)}",
                    hint="Look at the start-up functions of the app, and at the log.",
                ) from self._error
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Finish what is being answered, and stop."""
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(_START_SECONDS)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((self.host, self.port)) == 0

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # told by start(), in the thread of the test
            self._error = error

    async def _serve(self) -> None:
        from granian.constants import HTTPModes, Interfaces
        from granian.server.embed import Server

        self._loop = asyncio.get_running_loop()
        # Here rather than in the server, which says only that it failed.
        lifecycle = self.app.compile().lifecycle
        if lifecycle.claim():
            await lifecycle.start()
        self._server = Server(
            self.app,
            address=self.host,
            port=self.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=True,
            log_enabled=False,
        )
        await self._server.serve()


def _told(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}" if error is not None else "no error was reported."


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def live_server(app: App) -> Generator[LiveServer]:
    """Serve *app* by a real server for the block.

    Example:
        with live_server(app) as server:
            urllib.request.urlopen(server.url + "/")
    """
    server = LiveServer(app)
    try:
        server.start()
        yield server
    finally:
        server.stop()
