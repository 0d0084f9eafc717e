"""Litestar, with msgspec structs and declared parameters, which it is made for."""

from typing import Annotated

from litestar import Litestar, MediaType, get, post
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from litestar.response import Template
from litestar.template import TemplateConfig

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi"]


@get(OTHERS_BEFORE, media_type=MediaType.TEXT)
async def other() -> str:
    return "other"


@get([path + "{pk:int}" for path in OTHERS_AFTER], media_type=MediaType.TEXT)
async def shelf(pk: int) -> str:
    return "other"


@get("/plain", media_type=MediaType.TEXT)
async def plain() -> str:
    return GREETING


@get("/json")
async def message() -> dict[str, str]:
    return MESSAGE


@get("/items/{pk:int}")
async def item(pk: int) -> dict[str, int]:
    return {"id": pk}


@get("/search")
async def search(
    q: Annotated[str, Parameter(min_length=1, max_length=50)], page: Annotated[int, Parameter(ge=1)] = 1
) -> dict[str, str | int]:
    return {"q": q, "page": page}


@post("/items", status_code=200)
async def create(data: NewItem) -> NewItem:
    return data


@get("/page")
async def page() -> Template:
    return Template("page.html", context={"heading": "Twelve records", "records": RECORDS})


handlers: list[HTTPRouteHandler] = [other, plain, message, item, search, create, page, shelf]
asgi = Litestar(
    route_handlers=handlers,
    template_config=TemplateConfig(directory=TEMPLATES, engine=JinjaTemplateEngine),
    openapi_config=None,
    logging_config=None,
)
