"""The same things as JSON, in `async def`."""

import msgspec

from segue import abort, db

from .app import app
from .models import Concert, Musician, Record


class Enquiry(msgspec.Struct):
    """A question about an evening: from JSON or from a form."""

    name: str
    seats: int
    message: str = ""


@app.get("/api/musicians")
async def api_musicians(instrument: str | None = None) -> db.QuerySet[Musician]:
    """Musicians, of one instrument if asked."""
    found = Musician.objects.order_by("name")
    return found if instrument is None else found.filter(instrument=instrument)


@app.get("/api/musicians/<slug:slug>/records")
async def api_records(slug: str) -> db.QuerySet[Record]:
    """The records that a musician leads."""
    found = await Musician.objects.aget(slug=slug)
    return found.records.order_by("year")


@app.post("/api/concerts/<int:number>/price", status=200)
async def api_price(number: int, enquiry: Enquiry) -> dict[str, object]:
    """What an evening costs for so many."""
    concert = await Concert.objects.aget(pk=number)
    if not 1 <= enquiry.seats <= concert.seats:
        abort(409, f"There are {concert.seats} seats.")
    return {"concert": concert.title, "for": enquiry.name, "total": enquiry.seats * concert.price}
