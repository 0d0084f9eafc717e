"""Emmett55 over RSGI and ASGI; JSON and the page by msgspec and Jinja2, as it brings neither."""

import tempfile

import jinja2
import msgspec
from emmett55 import App, abort, request, response  # type: ignore[import-untyped]  # it ships no types

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi", "rsgi"]

# Emmett makes folders for logs and static files beside the application.
app = App(__name__, root_path=tempfile.mkdtemp(prefix="segue-benchmark-"))
app.config.handle_static = False
environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False)
page_template = environment.get_template("page.html")
decode_item = msgspec.json.Decoder(NewItem).decode
encode = msgspec.json.Encoder().encode


async def other() -> str:
    return "other"


async def shelf(pk: int) -> str:
    return "other"


for number, path in enumerate(OTHERS_BEFORE):
    app.route(path, name=f"before{number}", methods="get", output="str")(other)


@app.route("/plain", methods="get", output="str")  # type: ignore[untyped-decorator]  # it ships no types
async def plain() -> str:
    response.content_type = "text/plain; charset=utf-8"
    return GREETING


@app.route("/json", methods="get", output="bytes")  # type: ignore[untyped-decorator]  # it ships no types
async def message() -> bytes:
    response.content_type = "application/json"
    return encode(MESSAGE)


@app.route("/items/<int:pk>", methods="get", output="bytes")  # type: ignore[untyped-decorator]  # it ships no types
async def item(pk: int) -> bytes:
    response.content_type = "application/json"
    return encode({"id": pk})


@app.route("/search", methods="get", output="bytes")  # type: ignore[untyped-decorator]  # it ships no types
async def search() -> bytes:
    query = request.query_params
    q = query.q or ""
    try:
        page = int(query.page or 1)
    except ValueError:
        abort(422)
    if page < 1 or not 1 <= len(q) <= 50:
        abort(422)
    response.content_type = "application/json"
    return encode({"q": q, "page": page})


@app.route("/items", methods="post", output="bytes")  # type: ignore[untyped-decorator]  # it ships no types
async def create() -> bytes:
    try:
        new = decode_item(await request.body)
    except msgspec.DecodeError:
        abort(422)
    response.content_type = "application/json"
    return encode(new)


@app.route("/page", methods="get", output="str")  # type: ignore[untyped-decorator]  # it ships no types
async def page() -> str:
    response.content_type = "text/html; charset=utf-8"
    return page_template.render(heading="Twelve records", records=RECORDS)


for number, path in enumerate(OTHERS_AFTER):
    app.route(path + "<int:pk>", name=f"after{number}", methods="get", output="str")(shelf)

asgi = rsgi = app
