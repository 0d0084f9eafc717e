"""What a worker process runs first: it imports the app and gives the server what to call.

In development an app that cannot be imported is replaced by one that says so, so that
the server survives a mistake and the next change mends it.
"""

from __future__ import annotations

import html
import multiprocessing.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocols import WSGIAdapter
from .facts import Interface
from .refreshing import RefreshingApp, is_local
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
        refreshes: Whether pages reload themselves in the browser (ASGI).
    """

    load: Callable[[], App]
    interface: Interface
    survives: bool = False
    refreshes: bool = False

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
            broken = BrokenApp(text)
            return RefreshingApp(broken, ()) if self.refreshes else broken

    def _loaded(self) -> Any:
        app = self.load()
        compiled = app.compile(serving=True)
        if self.interface == "asgi" and self.refreshes:
            return RefreshingApp(app, _folders_of(app))
        if self.interface != "wsgi":
            return app
        adapter = WSGIAdapter(compiled)
        if not compiled.lifecycle.is_empty and compiled.lifecycle.claim():
            compiled.in_background().wait(compiled.lifecycle.start())
        owner = os.getpid()
        # WSGI has no shutdown. Before the threads of the background loop end, so above 0.
        multiprocessing.util.Finalize(None, _stop_in, args=(owner, adapter), exitpriority=100)
        return adapter


def _folders_of(app: App) -> list[Path]:
    scaffolds = [part.scaffold for part in app.parts]
    names = [(each.root_path, name) for each in scaffolds for name in (each.template_folder, each.static_folder)]
    return [root / name for root, name in names if name is not None]


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
        if is_local(scope):
            text = f"The app could not be started. Correct the code; this page works again then.\n\n{self._text}"
        kind = "text/plain"
        if any(name == b"accept" and b"text/html" in value for name, value in scope["headers"]):
            kind = "text/html"
            text = f"<!doctype html><title>Not started</title><body><pre>{html.escape(text)}</pre></body>"
        headers = [
            (b"content-type", f"{kind}; charset=utf-8".encode("ascii")),
            (b"content-security-policy", b"default-src 'none'; script-src 'self'; connect-src 'self'"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode("utf-8", "replace")})
