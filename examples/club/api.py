"""The same things as JSON, in `async def`."""

import msgspec

from segue import abort

from .app import app
from .catalogue import Concert, Musician, Record, catalogue


class Enquiry(msgspec.Struct):
    """A question about an evening: from JSON or from a form."""

    name: str
    seats: int
    message: str = ""


@app.get("/api/musicians")
async def api_musicians(instrument: str | None = None) -> list[Musician]:
    """Musicians, of one instrument if asked."""
    return [each for each in catalogue().musicians if instrument in (None, each.instrument)]


@app.get("/api/musicians/<slug:slug>/records")
async def api_records(slug: str) -> list[Record]:
    """The records that a musician leads."""
    found = catalogue().musician(slug)
    if found is None:
        abort(404)
    return catalogue().records_of(found)


@app.post("/api/concerts/<int:number>/price", status=200)
async def api_price(number: int, enquiry: Enquiry) -> dict[str, object]:
    """What an evening costs for so many."""
    concert: Concert | None = catalogue().concert(number)
    if concert is None:
        abort(404)
    if not 1 <= enquiry.seats <= concert.seats:
        abort(409, f"There are {concert.seats} seats.")
    return {"concert": concert.title, "for": enquiry.name, "total": enquiry.seats * concert.price}
