"""Falcon over WSGI and over ASGI, with the JSON handler its documentation shows for msgspec."""

from typing import Any

import falcon
import falcon.asgi
import jinja2
import msgspec
from falcon import media

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi", "wsgi"]

environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False)
page_template = environment.get_template("page.html")
decode_item = msgspec.json.Decoder(NewItem).decode


def read_search(request: Any) -> dict[str, object]:
    """Take the two parameters of the search, validated by Falcon where it can."""
    q = request.get_param("q", required=True)
    if not 1 <= len(q) <= 50:
        raise falcon.HTTPUnprocessableEntity()
    return {"q": q, "page": request.get_param_as_int("page", min_value=1, default=1)}


def read_item(body: bytes) -> NewItem:
    """Decode and validate the body."""
    try:
        return decode_item(body)
    except msgspec.DecodeError:
        raise falcon.HTTPUnprocessableEntity() from None


class Other:
    def on_get(self, request: Any, response: Any, pk: int = 0) -> None:
        response.text = "other"


class Plain:
    def on_get(self, request: Any, response: Any) -> None:
        response.content_type = falcon.MEDIA_TEXT
        response.text = GREETING


class Message:
    def on_get(self, request: Any, response: Any) -> None:
        response.media = MESSAGE


class Item:
    def on_get(self, request: Any, response: Any, pk: int) -> None:
        response.media = {"id": pk}


class Items:
    def on_post(self, request: Any, response: Any) -> None:
        response.media = read_item(request.bounded_stream.read())


class Search:
    def on_get(self, request: Any, response: Any) -> None:
        response.media = read_search(request)


class Page:
    def on_get(self, request: Any, response: Any) -> None:
        response.content_type = falcon.MEDIA_HTML
        response.text = page_template.render(heading="Twelve records", records=RECORDS)


class AsyncOther:
    async def on_get(self, request: Any, response: Any, pk: int = 0) -> None:
        response.text = "other"


class AsyncPlain:
    async def on_get(self, request: Any, response: Any) -> None:
        response.content_type = falcon.MEDIA_TEXT
        response.text = GREETING


class AsyncMessage:
    async def on_get(self, request: Any, response: Any) -> None:
        response.media = MESSAGE


class AsyncItem:
    async def on_get(self, request: Any, response: Any, pk: int) -> None:
        response.media = {"id": pk}


class AsyncItems:
    async def on_post(self, request: Any, response: Any) -> None:
        response.media = read_item(await request.stream.read())


class AsyncSearch:
    async def on_get(self, request: Any, response: Any) -> None:
        response.media = read_search(request)


class AsyncPage:
    async def on_get(self, request: Any, response: Any) -> None:
        response.content_type = falcon.MEDIA_HTML
        response.text = page_template.render(heading="Twelve records", records=RECORDS)


def add_routes(app: Any, other: Any, plain: Any, message: Any, item: Any, items: Any, search: Any, page: Any) -> None:
    """Add the measured routes among the others, and msgspec for JSON."""
    handlers = {falcon.MEDIA_JSON: media.JSONHandler(dumps=msgspec.json.encode, loads=msgspec.json.decode)}
    app.req_options.media_handlers.update(handlers)
    app.resp_options.media_handlers.update(handlers)
    for path in OTHERS_BEFORE:
        app.add_route(path, other)
    app.add_route("/plain", plain)
    app.add_route("/json", message)
    app.add_route("/items/{pk:int}", item)
    app.add_route("/items", items)
    app.add_route("/search", search)
    app.add_route("/page", page)
    for path in OTHERS_AFTER:
        app.add_route(path + "{pk:int}", other)


wsgi = falcon.App()
add_routes(wsgi, Other(), Plain(), Message(), Item(), Items(), Search(), Page())
asgi = falcon.asgi.App()
add_routes(asgi, AsyncOther(), AsyncPlain(), AsyncMessage(), AsyncItem(), AsyncItems(), AsyncSearch(), AsyncPage())
