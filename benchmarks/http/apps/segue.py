"""Segue, with everything on that is on by default; the same app with `async def` and with `def` handlers."""

from typing import Annotated

import msgspec

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem
from segue import App, Response, render_template

__all__ = ["app", "app_def", "asgi", "asgi_def", "rsgi", "rsgi_def", "wsgi"]

Query = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
Page = Annotated[int, msgspec.Meta(ge=1)]


def other() -> str:
    return "other"


def make_app() -> App:
    """Make an app with the other routes that come first."""
    made = App(__name__, config={"ALLOWED_HOSTS": ["127.0.0.1"]}, template_folder=str(TEMPLATES), static_folder=None)
    for number, path in enumerate(OTHERS_BEFORE):
        made.get(path, endpoint=f"before{number}")(other)
    return made


def finish(made: App) -> None:
    """Add the other routes that come last."""
    for number, path in enumerate(OTHERS_AFTER):
        made.get(path + "<int:pk>", endpoint=f"after{number}")(shelf)


def shelf(pk: int) -> str:
    return "other"


app = make_app()


@app.get("/plain")
async def plain() -> Response:
    return Response(GREETING, content_type="text/plain; charset=utf-8")


@app.get("/json")
async def message() -> dict[str, str]:
    return MESSAGE


@app.get("/items/<int:pk>")
async def item(pk: int) -> dict[str, int]:
    return {"id": pk}


@app.get("/search")
async def search(q: Query, page: Page = 1) -> dict[str, object]:
    return {"q": q, "page": page}


@app.post("/items")
async def create(item: NewItem) -> NewItem:
    return item


@app.get("/page")
async def page() -> str:
    return render_template("page.html", heading="Twelve records", records=RECORDS)


finish(app)

app_def = make_app()


@app_def.get("/plain", endpoint="plain")
def plain_def() -> Response:
    return Response(GREETING, content_type="text/plain; charset=utf-8")


@app_def.get("/json", endpoint="message")
def message_def() -> dict[str, str]:
    return MESSAGE


@app_def.get("/items/<int:pk>", endpoint="item")
def item_def(pk: int) -> dict[str, int]:
    return {"id": pk}


@app_def.get("/search", endpoint="search")
def search_def(q: Query, page: Page = 1) -> dict[str, object]:
    return {"q": q, "page": page}


@app_def.post("/items", endpoint="create")
def create_def(item: NewItem) -> NewItem:
    return item


@app_def.get("/page", endpoint="page")
def page_def() -> str:
    return render_template("page.html", heading="Twelve records", records=RECORDS)


finish(app_def)

asgi = rsgi = app
asgi_def = rsgi_def = app_def
wsgi = app_def.wsgi
