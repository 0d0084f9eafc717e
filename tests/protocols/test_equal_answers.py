"""The three protocols give equal answers, byte for byte, to the same request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue import App, Blueprint, Request, Response, abort, redirect, send_file, stream
from segue.testing import Client


class Note(msgspec.Struct):
    text: str
    stars: int = 0


@pytest.fixture
def site(tmp_path: Path) -> App:
    """An app with a route of every kind, in both colours."""
    static = tmp_path / "static"
    static.mkdir()
    (static / "a.txt").write_bytes(b"0123456789" * 20)
    (static / "a.css").write_bytes(b"body { color: black }")
    app = App("equal", static_folder=str(static), template_folder=None)
    _plain(app)
    _async(app)
    _around(app)
    part = Blueprint("part", "equal")

    @part.guard
    def keyed(request: Request) -> Any:
        return None if request.headers.get("x-key") == "open" else abort(403, "No key.")

    @part.get("/in")
    def inside() -> str:
        return "in"

    app.register(part, prefix="/part")
    return app


def _plain(app: App) -> None:
    @app.get("/text")
    def text() -> str:
        return "text é"

    @app.get("/json")
    def as_json() -> dict[str, Any]:
        return {"a": [1, 2.5, None, "é"]}

    @app.get("/bytes")
    def as_bytes() -> bytes:
        return b"\x00\xff"

    @app.get("/empty", status=204)
    def empty() -> None:
        return None

    @app.get("/tuple")
    def pair() -> tuple[str, int, dict[str, str]]:
        return "made", 201, {"x-made": "yes"}

    @app.route("/seen", methods=["GET", "POST", "PUT", "DELETE"])
    def seen(request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "path": request.path,
            "query": request.query.multi_items(),
            "headers": sorted(request.headers.multi_items()),
            "cookies": dict(request.cookies),
            "client": request.client,
            "url": request.url,
        }

    @app.post("/form")
    def form(request: Request) -> dict[str, Any]:
        files = [(name, file.filename, file.size) for name, file in request.files.multi_items()]
        return {"fields": request.form.multi_items(), "files": files}

    @app.post("/note")
    def note(note: Note) -> Note:
        return note

    @app.post("/read", stream=True)
    def read(request: Request) -> dict[str, int]:
        return {"size": sum(len(chunk) for chunk in request.stream())}

    @app.get("/items/<int:pk>")
    def item(pk: int, page: int = 1) -> dict[str, int]:
        return {"pk": pk, "page": page}

    @app.get("/folder/")
    def folder() -> str:
        return "folder"

    @app.get("/stream")
    def streamed() -> Any:
        def chunks() -> Iterator[str]:
            yield "one"
            yield "two é"

        return stream(chunks(), content_type="text/plain")

    @app.get("/go")
    def go() -> Response:
        return redirect("/text?a=1")

    @app.get("/cookies")
    def cookies() -> Response:
        response = Response("cookies")
        response.set_cookie("a", "1")
        response.set_cookie("b", "x y", httponly=True)
        return response

    @app.get("/stop")
    def stop() -> str:
        abort(409, "Not now.")

    @app.get("/bug")
    def bug() -> str:
        raise RuntimeError("bug")

    @app.get("/file")
    def a_file() -> Response:
        return send_file(
            Path(__file__), content_type="text/plain", download_name="x.py", as_attachment=True, etag='"1"'
        )


def _async(app: App) -> None:
    @app.get("/a/text")
    async def a_text() -> str:
        return "text é"

    @app.get("/a/items/<int:pk>")
    async def a_item(pk: int, page: int = 1) -> dict[str, int]:
        return {"pk": pk, "page": page}

    @app.post("/a/note")
    async def a_note(note: Note) -> Note:
        return note

    @app.post("/a/form")
    async def a_form(request: Request) -> dict[str, Any]:
        return {"fields": request.form.multi_items(), "files": len(request.files)}

    @app.post("/a/read", stream=True)
    async def a_read(request: Request) -> dict[str, int]:
        return {"size": sum([len(chunk) async for chunk in request.stream()])}

    @app.get("/a/stream")
    async def a_stream() -> Any:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"one"
            yield b"two"

        return stream(chunks(), content_type="text/plain")

    @app.get("/a/bug")
    async def a_bug() -> str:
        raise RuntimeError("bug")


def _around(app: App) -> None:
    @app.middleware
    def mark(request: Request) -> Any:
        response = yield
        response.headers["x-around"] = request.method

    @app.after_request
    def after(response: Response) -> None:
        response.headers["x-after"] = str(response.status)


REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "text": ("GET", "/text", {}),
    "head": ("HEAD", "/text", {}),
    "json": ("GET", "/json", {}),
    "head-json": ("HEAD", "/json", {}),
    "bytes": ("GET", "/bytes", {}),
    "empty": ("GET", "/empty", {}),
    "tuple": ("GET", "/tuple", {}),
    "seen": ("GET", "/seen?a=1&a=2&b=%C3%A9&c", {"headers": {"X-One": "1", "Accept": "*/*"}}),
    "seen-cookies": ("GET", "/seen", {"headers": {"Cookie": 'a=1; b="2 3"; a=4'}}),
    "seen-escaped-path": ("GET", "/%73een", {}),
    "put": ("PUT", "/seen", {"data": b"x", "content_type": "text/plain"}),
    "delete": ("DELETE", "/seen", {}),
    "form": ("POST", "/form", {"data": {"a": "1", "b": "é x"}}),
    "multipart": ("POST", "/form", {"data": {"a": "1"}, "files": {"f": ("a.txt", b"x" * 1000)}}),
    "broken-multipart": ("POST", "/form", {"data": b"--b\r\n", "content_type": "multipart/form-data; boundary=b"}),
    "note": ("POST", "/note", {"json": {"text": "x", "stars": 3}}),
    "note-as-form": ("POST", "/note", {"data": {"text": "x", "stars": "3"}}),
    "note-faults": ("POST", "/note", {"json": {"stars": "x"}}),
    "note-no-json": ("POST", "/note", {"data": b"{", "content_type": "application/json"}),
    "note-text": ("POST", "/note", {"data": b"{}", "content_type": "text/plain"}),
    "note-too-large": ("POST", "/note", {"data": b"x" * 2_600_000, "content_type": "application/json"}),
    "read": ("POST", "/read", {"data": b"x" * 100_000, "content_type": "text/plain"}),
    "item": ("GET", "/items/7?page=2", {}),
    "item-not-found": ("GET", "/items/x", {}),
    "item-bad-query": ("GET", "/items/7?page=x", {}),
    "item-bad-query-html": ("GET", "/items/7?page=x", {"headers": {"Accept": "text/html"}}),
    "slash": ("GET", "/folder?x=1", {}),
    "folder": ("GET", "/folder/", {}),
    "stream": ("GET", "/stream", {}),
    "head-stream": ("HEAD", "/stream", {}),
    "go": ("GET", "/go", {}),
    "cookies": ("GET", "/cookies", {}),
    "stop": ("GET", "/stop", {}),
    "stop-html": ("GET", "/stop", {"headers": {"Accept": "text/html"}}),
    "bug": ("GET", "/bug", {}),
    "bug-html": ("GET", "/bug", {"headers": {"Accept": "text/html"}}),
    "nowhere": ("GET", "/nowhere", {}),
    "nowhere-html": ("GET", "/nowhere", {"headers": {"Accept": "text/html"}}),
    "not-allowed": ("DELETE", "/text", {}),
    "options": ("OPTIONS", "/seen", {}),
    "unknown-method": ("BREW", "/text", {}),
    "bad-path": ("GET", "/a//b", {}),
    "bad-utf-8": ("GET", "/%ff", {}),
    "nul": ("GET", "/text%00", {}),
    "bad-query": ("GET", "/items/7?page=%ff", {}),
    "guarded": ("GET", "/part/in", {}),
    "guarded-open": ("GET", "/part/in", {"headers": {"X-Key": "open"}}),
    "static": ("GET", "/static/a.txt", {}),
    "static-head": ("HEAD", "/static/a.txt", {}),
    "static-part": ("GET", "/static/a.txt", {"headers": {"Range": "bytes=5-9"}}),
    "static-parts-beyond": ("GET", "/static/a.txt", {"headers": {"Range": "bytes=900-"}}),
    "static-missing": ("GET", "/static/b.txt", {}),
    "static-climb": ("GET", "/static/%2e%2e/a.txt", {}),
    "file": ("GET", "/file", {}),
    "file-unchanged": ("GET", "/file", {"headers": {"If-None-Match": '"1"'}}),
    "async-text": ("GET", "/a/text", {}),
    "async-head": ("HEAD", "/a/text", {}),
    "async-item": ("GET", "/a/items/7?page=2", {}),
    "async-note": ("POST", "/a/note", {"json": {"text": "x"}}),
    "async-note-faults": ("POST", "/a/note", {"json": {}}),
    "async-form": ("POST", "/a/form", {"data": {"a": "1"}, "files": {"f": ("a.txt", b"x" * 600_000)}}),
    "async-read": ("POST", "/a/read", {"data": b"x" * 100_000, "content_type": "text/plain"}),
    "async-stream": ("GET", "/a/stream", {}),
    "async-bug": ("GET", "/a/bug", {}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_all_protocols_give_the_same_bytes(site: App, name: str) -> None:
    method, path, options = REQUESTS[name]

    answers = [
        Client(site, protocol=protocol, raise_errors=False).request(method, path, **_fixed(options))
        for protocol in ("asgi", "rsgi", "wsgi")
    ]

    shown = [(each.status_code, sorted(each.headers.items()), each.body) for each in answers]
    assert shown[1] == shown[0]
    assert shown[2] == shown[0]


def _fixed(options: dict[str, Any]) -> dict[str, Any]:
    """Without what the client itself picks anew for each form: the boundary."""
    return {name: value for name, value in options.items() if value is not None}
