"""Flask, with the JSON provider that its documentation lets one replace."""

from typing import Any

import msgspec
from flask import Flask, abort, current_app, render_template, request
from flask.json.provider import JSONProvider
from flask.typing import ResponseReturnValue

from benchmarks.http.content import GREETING, MESSAGE, OTHERS_AFTER, OTHERS_BEFORE, RECORDS, TEMPLATES, NewItem

__all__ = ["wsgi"]


class MsgspecProvider(JSONProvider):
    """JSON by msgspec."""

    def dumps(self, obj: Any, **options: Any) -> str:
        return msgspec.json.encode(obj).decode()

    def loads(self, s: str | bytes, **options: Any) -> Any:
        return msgspec.json.decode(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        body = msgspec.json.encode(self._prepare_response_obj(args, kwargs))
        return current_app.response_class(body, mimetype="application/json")


app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=None)
app.json = MsgspecProvider(app)
decode_item = msgspec.json.Decoder(NewItem).decode


def other() -> str:
    return "other"


def shelf(pk: int) -> str:
    return "other"


for number, path in enumerate(OTHERS_BEFORE):
    app.add_url_rule(path, f"before{number}", other)


@app.get("/plain")
def plain() -> ResponseReturnValue:
    return GREETING, {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/json")
def message() -> ResponseReturnValue:
    return MESSAGE


@app.get("/items/<int:pk>")
def item(pk: int) -> ResponseReturnValue:
    return {"id": pk}


@app.get("/search")
def search() -> ResponseReturnValue:
    q = request.args.get("q", "")
    try:
        page = int(request.args.get("page", 1))
    except ValueError:
        abort(422)
    if page < 1 or not 1 <= len(q) <= 50:
        abort(422)
    return {"q": q, "page": page}


@app.post("/items")
def create() -> ResponseReturnValue:
    try:
        new = decode_item(request.get_data(cache=False))
    except msgspec.DecodeError:
        abort(422)
    return {"name": new.name, "price": new.price, "tags": new.tags}


@app.get("/page")
def page() -> ResponseReturnValue:
    return render_template("page.html", heading="Twelve records", records=RECORDS)


for number, path in enumerate(OTHERS_AFTER):
    app.add_url_rule(path + "<int:pk>", f"after{number}", shelf)

wsgi = app
