"""A page in the browser that reloads itself when what it was made from changes; development only.

A script is put before `</body>` of each HTML page that this machine asks for. It asks
once a second for a stamp: of the worker, and of the newest template or static file.
Asking again and again, unlike an open stream, never holds up a restart.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

__all__ = ["PREFIX", "RefreshingApp", "is_local"]

PREFIX = "/.segue/"
_TAG = f'<script src="{PREFIX}refresh.js" defer></script>'.encode("ascii")
_SCRIPT = f"""\
let known = null;
async function look() {{
  try {{
    const answer = await fetch("{PREFIX}stamp", {{cache: "no-store"}});
    const stamp = await answer.text();
    if (answer.ok && known !== null && stamp !== known) {{
      location.reload();
      return;
    }}
    known = answer.ok ? stamp : known;
  }} catch {{
    // The server restarts; the next look finds it.
  }}
  setTimeout(look, document.hidden ? 5000 : 1000);
}}
look();
""".encode("ascii")

Message = MutableMapping[str, Any]


def is_local(scope: MutableMapping[str, Any]) -> bool:
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


class RefreshingApp:
    """An ASGI application whose HTML pages reload themselves.

    Args:
        app: What answers.
        folders: Where templates and static files are.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], folders: Iterable[Path]) -> None:
        self._app = app
        self._folders = list(folders)
        self._born = f"{os.getpid()}-{time.time_ns()}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or not is_local(scope):
            await self._app(scope, receive, send)
        elif scope["path"] == f"{PREFIX}stamp":
            await _answer(send, b"text/plain", self.stamp().encode("ascii"))
        elif scope["path"] == f"{PREFIX}refresh.js":
            await _answer(send, b"text/javascript", _SCRIPT)
        else:
            await self._app(scope, receive, _Injector(send, with_body=scope["method"] != "HEAD"))

    def stamp(self) -> str:
        """What changes with the worker and with the newest file."""
        newest = 0
        for folder in self._folders:
            for parent, _, files in os.walk(folder):
                for name in files:
                    try:
                        newest = max(newest, os.stat(os.path.join(parent, name)).st_mtime_ns)
                    except OSError:  # gone in between
                        continue
        return f"{self._born}-{newest}"


class _Injector:
    """Sends messages on; a whole HTML page gets the script."""

    def __init__(self, send: Callable[[Message], Awaitable[None]], *, with_body: bool) -> None:
        self._send = send
        self._with_body = with_body
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._with_body and _is_page(message["headers"]):
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            body: bytes = message.get("body", b"")
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                start, message = _with_script(start, message, body)
            await self._send(start)
        await self._send(message)


def _is_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    found = {name.lower(): value for name, value in headers}
    return found.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in found


def _with_script(start: Message, message: Message, body: bytes) -> tuple[Message, Message]:
    before, end, after = body.rpartition(b"</body>")
    if not end:
        return start, message
    changed = before + _TAG + end + after
    headers = [
        (name, str(len(changed)).encode("ascii") if name.lower() == b"content-length" else value)
        for name, value in start["headers"]
    ]
    return {**start, "headers": headers}, {**message, "body": changed}


async def _answer(send: Any, kind: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", kind + b"; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
