"""Sanic, on its own server and over ASGI, with msgspec for JSON, which its documentation lets one set."""

import sys

import jinja2
import msgspec
from sanic import HTTPResponse, Request, Sanic, html, json, text
from sanic.exceptions import BadRequest

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["asgi"]

encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(NewItem).decode
environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False)
page_template = environment.get_template("page.html")
app = Sanic("benchmark", dumps=lambda value: encode(value).decode(), configure_logging=False)
app.config.ACCESS_LOG = False


async def other(request: Request) -> HTTPResponse:
    return text("other")


async def shelf(request: Request, pk: int) -> HTTPResponse:
    return text("other")


for number, path in enumerate(OTHERS_BEFORE):
    app.add_route(other, path, name=f"before{number}")


@app.get("/plain")
async def plain(request: Request) -> HTTPResponse:
    return text(GREETING)


@app.get("/json")
async def message(request: Request) -> HTTPResponse:
    return json(MESSAGE)


@app.get("/items/<pk:int>")
async def item(request: Request, pk: int) -> HTTPResponse:
    return json({"id": pk})


@app.get("/search")
async def search(request: Request) -> HTTPResponse:
    q = request.args.get("q", "")
    try:
        page = int(request.args.get("page", 1))
    except ValueError:
        raise BadRequest("page") from None
    if page < 1 or not 1 <= len(q) <= 50:
        raise BadRequest("page or q")
    return json({"q": q, "page": page})


@app.post("/items")
async def create(request: Request) -> HTTPResponse:
    try:
        new = decode_item(request.body)
    except msgspec.DecodeError:
        raise BadRequest("body") from None
    return json(new)


@app.get("/page")
async def page(request: Request) -> HTTPResponse:
    return html(page_template.render(heading="Twelve records", records=RECORDS))


for number, path in enumerate(OTHERS_AFTER):
    app.add_route(shelf, path + "<pk:int>", name=f"after{number}")

asgi = app

if __name__ == "__main__":
    # Its own server: python -m benchmarks.http.apps.sanic PORT
    app.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        single_process=True,
        access_log=False,
        motd=False,
        debug=False,
    )
