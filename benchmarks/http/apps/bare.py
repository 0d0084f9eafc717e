"""The ceilings: the same answers by functions written by hand against each protocol.

They do what a good programmer would write without a framework, with the fastest parts
there are: a dictionary for the routes, msgspec for JSON, Jinja2 for the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import unquote_plus

import jinja2
import msgspec

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi", "render_page", "rsgi", "wsgi"]

TEXT, JSON, HTML = "text/plain; charset=utf-8", "application/json", "text/html; charset=utf-8"
Reply = tuple[int, str, bytes]

encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(NewItem).decode
_environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False)
_page = _environment.get_template("page.html")


def render_page() -> str:
    """Render the page: Jinja2's own time."""
    return _page.render(heading="Twelve records", records=RECORDS)


def plain(query: str) -> Reply:
    return 200, TEXT, GREETING.encode()


def message(query: str) -> Reply:
    return 200, JSON, encode(MESSAGE)


def search(query: str) -> Reply:
    q, page = "", 1
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == "q":
            q = unquote_plus(value) if "%" in value or "+" in value else value
        elif name == "page" and (not value.isdecimal() or (page := int(value)) < 1):
            return 422, JSON, b'{"error":"page"}'
    if not 1 <= len(q) <= 50:
        return 422, JSON, b'{"error":"q"}'
    return 200, JSON, encode({"q": q, "page": page})


def item(number: str) -> Reply:
    if not number.isdecimal():
        return not_found("")
    return 200, JSON, encode({"id": int(number)})


def page(query: str) -> Reply:
    return 200, HTML, render_page().encode()


def create(body: bytes) -> Reply:
    try:
        new = decode_item(body)
    except msgspec.DecodeError as error:
        return 422, JSON, encode({"error": str(error)})
    return 200, JSON, encode(new)


def other(query: str) -> Reply:
    return 200, TEXT, b"other"


def not_found(query: str) -> Reply:
    return 404, TEXT, b"not found"


GET: dict[str, Callable[[str], Reply]] = {
    **dict.fromkeys([*OTHERS_BEFORE, *OTHERS_AFTER], other),
    "/plain": plain,
    "/json": message,
    "/search": search,
    "/page": page,
}


async def _rsgi(scope: Any, protocol: Any) -> None:
    path = scope.path
    if scope.method == "GET":
        view = GET.get(path)
        if view is not None:
            status, kind, body = view(scope.query_string)
        elif path.startswith("/items/"):
            status, kind, body = item(path[7:])
        else:
            status, kind, body = not_found("")
    elif scope.method == "POST" and path == "/items":
        status, kind, body = create(await protocol())
    else:
        status, kind, body = not_found("")
    protocol.response_bytes(status, [("content-type", kind)], body)


class RSGI:
    """The function as RSGI wants it: an object with `__rsgi__`."""

    __rsgi__ = staticmethod(_rsgi)


rsgi = RSGI()

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def asgi(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer ASGI."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    path, method = scope["path"], scope["method"]
    if method == "GET":
        view = GET.get(path)
        if view is not None:
            status, kind, body = view(scope["query_string"].decode("latin-1"))
        elif path.startswith("/items/"):
            status, kind, body = item(path[7:])
        else:
            status, kind, body = not_found("")
    elif method == "POST" and path == "/items":
        event = await receive()
        data = event["body"]
        while event.get("more_body"):
            event = await receive()
            data += event["body"]
        status, kind, body = create(data)
    else:
        status, kind, body = not_found("")
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


STATUS = {200: "200 OK", 404: "404 Not Found", 422: "422 Unprocessable Content"}


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer WSGI."""
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if method == "GET":
        view = GET.get(path)
        if view is not None:
            status, kind, body = view(environ["QUERY_STRING"])
        elif path.startswith("/items/"):
            status, kind, body = item(path[7:])
        else:
            status, kind, body = not_found("")
    elif method == "POST" and path == "/items":
        status, kind, body = create(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    else:
        status, kind, body = not_found("")
    start_response(STATUS[status], [("content-type", kind), ("content-length", str(len(body)))])
    return [body]
