"""FastAPI, with Pydantic models and declared parameters."""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES

__all__ = ["asgi"]

app = FastAPI(openapi_url=None)
templates = Jinja2Templates(TEMPLATES)


class NewItem(BaseModel):
    """The JSON body."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    price: Annotated[float, Field(ge=0)]
    tags: list[str]


async def other() -> str:
    return "other"


async def shelf(pk: int) -> str:
    return "other"


for path in OTHERS_BEFORE:
    app.get(path)(other)


@app.get("/plain", response_class=PlainTextResponse)
async def plain() -> str:
    return GREETING


@app.get("/json")
async def message() -> dict[str, str]:
    return MESSAGE


@app.get("/items/{pk}")
async def item(pk: int) -> dict[str, int]:
    return {"id": pk}


@app.get("/search")
async def search(
    q: Annotated[str, Query(min_length=1, max_length=50)], page: Annotated[int, Query(ge=1)] = 1
) -> dict[str, str | int]:
    return {"q": q, "page": page}


@app.post("/items")
async def create(item: NewItem) -> NewItem:
    return item


@app.get("/page")
async def page(request: Request) -> Response:
    return templates.TemplateResponse(request, "page.html", {"heading": "Twelve records", "records": RECORDS})


for path in OTHERS_AFTER:
    app.get(path + "{pk}")(shelf)

asgi = app
