"""BlackSheep, with msgspec in its JSON settings and its own Jinja2 renderer."""

import os
from typing import Any

os.environ["APP_JINJA_EXTENSION"] = ".html"  # read by BlackSheep when it is imported

import jinja2
import msgspec
from blacksheep import Application, FromQuery, Request, Response, text
from blacksheep import json as json_response
from blacksheep.server.rendering.jinja2 import JinjaRenderer
from blacksheep.server.responses import bad_request, view
from blacksheep.settings.html import html_settings
from blacksheep.settings.json import json_settings

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi"]


def dumps(value: Any) -> str:
    return msgspec.json.encode(value).decode()


json_settings.use(loads=msgspec.json.decode, dumps=dumps)  # type: ignore[no-untyped-call]  # it ships no types
html_settings.use(JinjaRenderer(loader=jinja2.FileSystemLoader(TEMPLATES)))
app = Application(show_error_details=False)
FIRST_PAGE = FromQuery(1)
decode_item = msgspec.json.Decoder(NewItem).decode


async def other() -> Response:
    return text("other")


async def shelf(pk: int) -> Response:
    return text("other")


for path in OTHERS_BEFORE:
    app.router.add_get(path, other)


@app.router.get("/plain")
async def plain() -> Response:
    return text(GREETING)


@app.router.get("/json")
async def message() -> Response:
    return json_response(MESSAGE)


@app.router.get("/items/{int:pk}")
async def item(pk: int) -> Response:
    return json_response({"id": pk})


@app.router.get("/search")
async def search(q: FromQuery[str], page: FromQuery[int] = FIRST_PAGE) -> Response:
    if page.value < 1 or not 1 <= len(q.value) <= 50:
        return bad_request()
    return json_response({"q": q.value, "page": page.value})


@app.router.post("/items")
async def create(request: Request) -> Response:
    try:
        new = decode_item(await request.read() or b"")
    except msgspec.DecodeError:
        return bad_request()
    return json_response(new)


@app.router.get("/page")
async def page() -> Response:
    return view("page", heading="Twelve records", records=RECORDS)


for path in OTHERS_AFTER:
    app.router.add_get(path + "{int:pk}", shelf)

asgi = app
