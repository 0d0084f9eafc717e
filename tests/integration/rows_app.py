"""An app whose answers are streamed while their rows are read, in both colours; `ROWS_URL` is its database.

As a program it makes the tables and the rows.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from segue import App, db

__all__ = ["Number", "app"]

COUNT = 5050  # no multiple of the size of a chunk
CHUNK = 100
LARGE = b"x" * 10_000  # together more than the buffers between server and client hold
CLOSED: dict[str, int] = {"d": 0, "a": 0}

app = App(__name__, database=os.environ["ROWS_URL"], config={"ALLOWED_HOSTS": ["localhost"]})


class Number(db.Model):
    value = db.IntegerField()


NUMBERS = Number.objects.order_by("value")


def held() -> int:
    """Return how many connections are in use."""
    pools: dict[str, Any] = app.db.statistics()
    return sum(each["in_use"] for each in [pools["threads"], *pools["loops"]])


@app.get("/pid")
def pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.get("/state")
def state() -> dict[str, Any]:
    return {"closed": CLOSED, "held": held()}


@app.get("/d/rows")
def d_rows() -> Iterator[bytes]:
    try:
        for _ in NUMBERS.iterator(chunk_size=CHUNK):
            yield LARGE
    finally:
        CLOSED["d"] += 1


@app.get("/a/rows")
async def a_rows() -> AsyncIterator[bytes]:
    try:
        async for _ in NUMBERS.aiterator(chunk_size=CHUNK):
            yield LARGE
    finally:
        CLOSED["a"] += 1


@app.get("/d/held")
def d_held() -> Iterator[str]:
    for number in NUMBERS.iterator(chunk_size=CHUNK):
        if number.value in (1, COUNT):
            yield f"{number.value}: {held()}, "
    yield f"end: {held()}"


@app.get("/a/held")
async def a_held() -> AsyncIterator[str]:
    async for number in NUMBERS.aiterator(chunk_size=CHUNK):
        if number.value in (1, COUNT):
            yield f"{number.value}: {held()}, "
    yield f"end: {held()}"


if __name__ == "__main__":
    app.db.create_all(Number)
    Number.objects.using(app.db).bulk_create([Number(value=value) for value in range(1, COUNT + 1)])
