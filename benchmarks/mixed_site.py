"""The site that `benchmarks.memory` asks: pages, JSON, uploads, refusals, and a handler that fails."""

import logging
import os
from typing import Annotated

import msgspec

from benchmarks.http.content import MESSAGE, RECORDS, TEMPLATES, NewItem
from segue import App, File, UploadFile, render_template

__all__ = ["app"]

# What is logged is formatted and thrown away: a million lines are no part of the question.
logging.basicConfig(stream=open(os.devnull, "w"), level=logging.INFO, force=True)  # noqa: SIM115  # for the process's life

app = App(__name__, config={"ALLOWED_HOSTS": ["127.0.0.1"]}, template_folder=str(TEMPLATES), static_folder=None)


@app.get("/plain")
async def plain() -> str:
    return "plain"


@app.get("/page")
def page() -> str:
    return render_template("page.html", heading="Twelve records", records=RECORDS)


@app.get("/json")
async def message() -> dict[str, str]:
    return MESSAGE


@app.get("/search")
async def search(q: str, page: Annotated[int, msgspec.Meta(ge=1)] = 1) -> dict[str, object]:
    return {"q": q, "page": page}


@app.post("/items")
async def create(item: NewItem) -> NewItem:
    return item


@app.post("/upload")
async def upload(document: Annotated[UploadFile, File()]) -> dict[str, object]:
    return {"name": document.filename, "bytes": len(document.read())}


@app.get("/error")
async def fail() -> str:
    raise RuntimeError("This handler always fails.")
