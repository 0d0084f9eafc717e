"""Starlette, with the JSON response its documentation shows for another encoder."""

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi"]

decode_item = msgspec.json.Decoder(NewItem).decode
encode = msgspec.json.Encoder().encode
templates = Jinja2Templates(TEMPLATES)


class MsgspecResponse(JSONResponse):
    """JSON by msgspec."""

    def render(self, content: object) -> bytes:
        return encode(content)


async def other(request: Request) -> Response:
    return PlainTextResponse("other")


async def plain(request: Request) -> Response:
    return PlainTextResponse(GREETING)


async def message(request: Request) -> Response:
    return MsgspecResponse(MESSAGE)


async def item(request: Request) -> Response:
    return MsgspecResponse({"id": request.path_params["pk"]})


async def search(request: Request) -> Response:
    q = request.query_params.get("q", "")
    try:
        page = int(request.query_params.get("page", 1))
    except ValueError:
        raise HTTPException(422) from None
    if page < 1 or not 1 <= len(q) <= 50:
        raise HTTPException(422)
    return MsgspecResponse({"q": q, "page": page})


async def create(request: Request) -> Response:
    try:
        new = decode_item(await request.body())
    except msgspec.DecodeError:
        raise HTTPException(422) from None
    return MsgspecResponse(new)


async def page(request: Request) -> Response:
    return templates.TemplateResponse(request, "page.html", {"heading": "Twelve records", "records": RECORDS})


asgi = Starlette(
    routes=[
        *(Route(path, other) for path in OTHERS_BEFORE),
        Route("/plain", plain),
        Route("/json", message),
        Route("/items/{pk:int}", item),
        Route("/items", create, methods=["POST"]),
        Route("/search", search),
        Route("/page", page),
        *(Route(path + "{pk:int}", other) for path in OTHERS_AFTER),
    ]
)
