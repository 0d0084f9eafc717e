"""The app that the hostile tests attack: a route for every row, in both colours.

`HOSTILE_ROOT` names a folder that holds its static files (tests/integration/servers.py makes it).
Routes below `/d` are `def`, those below `/a` are `async def`; both do the same.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from segue import App, Blueprint, Request, Response, abort, redirect, send_from_directory, stream, url_for
from segue.http.download import send_file
from segue.http.redirects import safe_url

__all__ = ["app", "proxied"]

ROOT = Path(os.environ.get("HOSTILE_ROOT", "/nonexistent"))
SECRET = "the-private-page"
HOSTS = ["localhost", "127.0.0.1", ".example.com", "[::1]"]
MAX_UPLOAD = 50_000_000

EVENTS: dict[str, int] = {"started": 0, "cancelled": 0, "finished": 0, "closed": 0}


class Order(msgspec.Struct):
    quantity: int
    name: str = ""


def seen(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query.multi_items(),
        "headers": request.headers.multi_items(),
        "cookies": dict(request.cookies),
        "client": request.client,
        "scheme": request.scheme,
        "is_secure": request.is_secure,
        "host": request.host,
        "url": request.url,
        "link": url_for("private.page", _external=True),
    }


def form_of(request: Request) -> dict[str, Any]:
    return {
        "fields": request.form.multi_items(),
        "files": [
            {"field": name, "name": file.filename, "size": file.size, "on_disk": file.is_on_disk}
            for name, file in request.files.multi_items()
        ],
    }


class Quarrelsome(Exception):
    """An error that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Huge(Exception):
    def __repr__(self) -> str:
        return "x" * 20_000_000

    __str__ = __repr__


def raise_by_kind(kind: str) -> None:
    password = "hunter2-in-a-local"
    if kind == "quarrelsome":
        raise Quarrelsome
    if kind == "huge":
        raise Huge
    if kind == "recursion":
        raise_by_kind(kind)
    raise RuntimeError(f"bug with {password}")


def facts() -> dict[str, Any]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    return {
        "pid": os.getpid(),
        "rss": pages * os.sysconf("SC_PAGESIZE"),
        "fds": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "tasks": tasks,
        "events": dict(EVENTS),
    }


def make(name: str, **config: Any) -> App:
    """Return a hostile app under a configuration of its own."""
    app = App(
        name,
        static_folder=str(ROOT / "static"),
        template_folder=None,
        config={"ALLOWED_HOSTS": HOSTS, "THREADS": 16, **config},
    )
    _ends(app)
    _sync(app)
    _async(app)
    private = Blueprint("private", name)

    @private.guard
    def keep_out(request: Request) -> Any:
        return None if request.headers.get("x-key") == "open" else abort(403)

    @private.get("/private")
    def page() -> str:
        return SECRET

    @private.get("/private/area/")
    def area() -> str:
        return SECRET

    app.register(private)
    return app


def _ends(app: App) -> None:
    @app.get("/pid")
    def pid() -> dict[str, int]:
        return {"pid": os.getpid()}

    @app.get("/facts")
    def show_facts() -> dict[str, Any]:
        return facts()

    @app.get("/facts/loop")
    async def show_loop_facts() -> dict[str, Any]:
        return facts()

    @app.route("/any", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def any_method(request: Request) -> dict[str, str]:
        return {"method": request.method}

    @app.get("/slash/")
    def slash() -> str:
        return "slash"

    @app.get("/slash/<name>/")
    def slash_name(name: str) -> dict[str, str]:
        return {"name": name}


def _sync(app: App) -> None:
    @app.get("/d/ok")
    def d_ok() -> str:
        return "ok"

    @app.route("/d/echo", methods=["GET", "POST", "PUT", "DELETE"])
    def d_echo(request: Request) -> dict[str, Any]:
        return seen(request)

    @app.post("/d/form")
    def d_form(request: Request) -> dict[str, Any]:
        return form_of(request)

    @app.post("/d/upload", max_body=MAX_UPLOAD)
    def d_upload(request: Request) -> dict[str, Any]:
        return form_of(request)

    @app.post("/d/json")
    def d_json(request: Request) -> dict[str, Any]:
        return {"value": request.json}

    @app.post("/d/typed")
    def d_typed(order: Order) -> Order:
        return order

    @app.post("/d/body")
    def d_body(request: Request) -> dict[str, int]:
        return {"size": len(request.body)}

    @app.post("/d/text")
    def d_text(request: Request) -> dict[str, int]:
        return {"size": len(request.text)}

    @app.post("/d/read", stream=True)
    def d_read(request: Request) -> dict[str, int]:
        return {"size": sum(len(chunk) for chunk in request.stream())}

    @app.get("/d/items/<int:pk>")
    def d_item(pk: int) -> dict[str, int]:
        return {"pk": pk}

    @app.get("/d/floats/<float:x>")
    def d_float(x: float) -> dict[str, float]:
        return {"x": x}

    @app.get("/d/uuids/<uuid:key>")
    def d_uuid(key: Any) -> dict[str, str]:
        return {"key": str(key)}

    @app.get("/d/slugs/<slug:name>")
    def d_slug(name: str) -> dict[str, str]:
        return {"name": name}

    @app.get("/d/search")
    def d_search(q: str = "", page: int = 1, ratio: float = 1.0) -> dict[str, Any]:
        return {"q": q, "page": page, "ratio": ratio}

    @app.get("/d/go")
    def d_go(to: str) -> Response:
        return redirect(to)

    @app.get("/d/login")
    def d_login(next: str = "/") -> Response:
        return redirect(next if safe_url(next) else "/home")

    @app.get("/d/cookie")
    def d_cookie(name: str = "a", value: str = "b", path: str = "/") -> Response:
        response = Response("set")
        response.set_cookie(name, value, path=path)
        return response

    @app.get("/d/header")
    def d_header(name: str = "x-a", value: str = "b") -> Response:
        return Response("sent", headers={name: value})

    @app.get("/d/download")
    def d_download(name: str) -> Response:
        return send_file(ROOT / "static" / "app.css", as_attachment=True, download_name=name)

    @app.get("/d/files/<path:name>")
    def d_files(name: str) -> Response:
        return send_from_directory(ROOT / "media", name)

    @app.get("/d/bug")
    def d_bug(kind: str = "plain") -> str:
        raise_by_kind(kind)
        return "unreachable"

    @app.get("/d/broken")
    def d_broken() -> Any:
        return stream(_broken_chunks(), content_type="text/plain")

    @app.get("/d/stream")
    def d_stream(chunks: int = 3, size: int = 10) -> Any:
        return stream(_chunks(chunks, size), content_type="text/plain")

    @app.get("/d/endless")
    def d_endless() -> Any:
        return stream(_endless(), content_type="text/plain")

    @app.get("/d/sleep")
    def d_sleep(seconds: float = 0.1) -> str:
        EVENTS["started"] += 1
        time.sleep(min(seconds, 60))
        EVENTS["finished"] += 1
        return "slept"

    @app.get("/d/languages")
    def d_languages(request: Request) -> dict[str, Any]:
        return {"best": request.accepts("text/html", "application/json")}


def _broken_chunks() -> Iterator[str]:
    yield "first"
    raise RuntimeError("broken with hunter2-in-a-local")


def _chunks(count: int, size: int) -> Iterator[bytes]:
    for _ in range(min(count, 10_000)):
        yield b"x" * size


def _endless() -> Iterator[bytes]:
    EVENTS["started"] += 1
    try:
        while True:
            yield b"x" * 1000
            time.sleep(0.01)
    finally:
        EVENTS["closed"] += 1


def _async(app: App) -> None:
    @app.get("/a/ok")
    async def a_ok() -> str:
        return "ok"

    @app.route("/a/echo", methods=["GET", "POST", "PUT", "DELETE"])
    async def a_echo(request: Request) -> dict[str, Any]:
        return seen(request)

    @app.post("/a/form")
    async def a_form(request: Request) -> dict[str, Any]:
        return form_of(request)

    @app.post("/a/upload", max_body=MAX_UPLOAD)
    async def a_upload(request: Request) -> dict[str, Any]:
        return form_of(request)

    @app.post("/a/json")
    async def a_json(request: Request) -> dict[str, Any]:
        return {"value": request.json}

    @app.post("/a/typed")
    async def a_typed(order: Order) -> Order:
        return order

    @app.post("/a/body")
    async def a_body(request: Request) -> dict[str, int]:
        return {"size": len(request.body)}

    @app.post("/a/text")
    async def a_text(request: Request) -> dict[str, int]:
        return {"size": len(request.text)}

    @app.post("/a/read", stream=True)
    async def a_read(request: Request) -> dict[str, int]:
        incoming = request.stream()
        if hasattr(incoming, "__aiter__"):
            return {"size": sum([len(chunk) async for chunk in incoming])}
        return {"size": sum(len(chunk) for chunk in incoming)}

    @app.get("/a/items/<int:pk>")
    async def a_item(pk: int) -> dict[str, int]:
        return {"pk": pk}

    @app.get("/a/floats/<float:x>")
    async def a_float(x: float) -> dict[str, float]:
        return {"x": x}

    @app.get("/a/uuids/<uuid:key>")
    async def a_uuid(key: Any) -> dict[str, str]:
        return {"key": str(key)}

    @app.get("/a/slugs/<slug:name>")
    async def a_slug(name: str) -> dict[str, str]:
        return {"name": name}

    @app.get("/a/search")
    async def a_search(q: str = "", page: int = 1, ratio: float = 1.0) -> dict[str, Any]:
        return {"q": q, "page": page, "ratio": ratio}

    @app.get("/a/go")
    async def a_go(to: str) -> Response:
        return redirect(to)

    @app.get("/a/login")
    async def a_login(next: str = "/") -> Response:
        return redirect(next if safe_url(next) else "/home")

    @app.get("/a/cookie")
    async def a_cookie(name: str = "a", value: str = "b", path: str = "/") -> Response:
        response = Response("set")
        response.set_cookie(name, value, path=path)
        return response

    @app.get("/a/header")
    async def a_header(name: str = "x-a", value: str = "b") -> Response:
        return Response("sent", headers={name: value})

    @app.get("/a/download")
    async def a_download(name: str) -> Response:
        return send_file(ROOT / "static" / "app.css", as_attachment=True, download_name=name)

    @app.get("/a/files/<path:name>")
    async def a_files(name: str) -> Response:
        return send_from_directory(ROOT / "media", name)

    @app.get("/a/bug")
    async def a_bug(kind: str = "plain") -> str:
        raise_by_kind(kind)
        return "unreachable"

    @app.get("/a/broken")
    async def a_broken() -> Any:
        return stream(_abroken_chunks(), content_type="text/plain")

    @app.get("/a/stream")
    async def a_stream(chunks: int = 3, size: int = 10) -> Any:
        return stream(_achunks(chunks, size), content_type="text/plain")

    @app.get("/a/endless")
    async def a_endless() -> Any:
        return stream(_aendless(), content_type="text/plain")

    @app.get("/a/sleep")
    async def a_sleep(seconds: float = 0.1) -> str:
        EVENTS["started"] += 1
        try:
            await asyncio.sleep(min(seconds, 60))
        except asyncio.CancelledError:
            EVENTS["cancelled"] += 1
            raise
        EVENTS["finished"] += 1
        return "slept"

    @app.get("/a/languages")
    async def a_languages(request: Request) -> dict[str, Any]:
        return {"best": request.accepts("text/html", "application/json")}


async def _abroken_chunks() -> AsyncIterator[str]:
    yield "first"
    raise RuntimeError("broken with hunter2-in-a-local")


async def _achunks(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(min(count, 10_000)):
        yield b"x" * size


async def _aendless() -> AsyncIterator[bytes]:
    EVENTS["started"] += 1
    try:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.01)
    finally:
        EVENTS["closed"] += 1


app = make("hostile")
proxied = make("proxied", TRUSTED_PROXIES=["127.0.0.1"])
