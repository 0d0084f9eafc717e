"""What a worker process runs first: it imports the app and gives the server what to call.

In development an app that cannot be imported is replaced by one that says so, so that
the server survives a mistake and the next change mends it.
"""

from __future__ import annotations

import ipaddress
import multiprocessing.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..protocols import WSGIAdapter
from .facts import Interface
from .reporting import error_text

if TYPE_CHECKING:
    from ..app import App

__all__ = ["BrokenApp", "WorkerTarget"]


@dataclass(frozen=True, slots=True)
class WorkerTarget:
    """Loads what a server calls; sent to each worker, so all of it can be pickled.

    Attributes:
        load: Returns the app.
        survives: Whether an app that fails is replaced by a `BrokenApp`.
    """

    load: Callable[[], App]
    interface: Interface
    survives: bool = False

    def __call__(self) -> Any:
        """Import the app in this process and return it as *interface* has it."""
        if not self.survives:
            return self._loaded()
        # Byte code is dated to the second: a file changed twice in one would be served as it was.
        sys.dont_write_bytecode = True
        try:
            return self._loaded()
        except (Exception, SystemExit) as error:
            text = error_text(error)
            print(text, file=sys.stderr, end="", flush=True)
            print("Waiting for a change.", file=sys.stderr, flush=True)
            return BrokenApp(text)

    def _loaded(self) -> Any:
        app = self.load()
        compiled = app.compile(serving=True)
        if self.interface != "wsgi":
            return app
        adapter = WSGIAdapter(compiled)
        if not compiled.lifecycle.is_empty and compiled.lifecycle.claim():
            compiled.in_background().wait(compiled.lifecycle.start())
        owner = os.getpid()
        # WSGI has no shutdown. Before the threads of the background loop end, so above 0.
        multiprocessing.util.Finalize(None, _stop_in, args=(owner, adapter), exitpriority=100)
        return adapter


def _stop_in(owner: int, adapter: WSGIAdapter) -> None:
    if os.getpid() == owner:
        adapter.stop()


class BrokenApp:
    """An ASGI application in the place of one that could not be imported.

    It answers everything with 503; only who asks from this machine is told why.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1011})

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, scope: Any, send: Any) -> None:
        text = "The app could not be started; the terminal says why.\n"
        if _is_local(scope):
            text = f"The app could not be started. Correct the code; this page works again then.\n\n{self._text}"
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode("utf-8", "replace")})


def _is_local(scope: Any) -> bool:
    """Whether peer and Host are this machine's: a name that is rebound to it is not enough."""
    client = scope.get("client")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return (
            client is not None
            and ipaddress.ip_address(client[0]).is_loopback
            and name in ("localhost", "127.0.0.1", "[::1]")
        )
    except ValueError:
        return False
