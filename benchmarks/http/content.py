"""What every application serves: the texts, the records of the page, and the other routes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

__all__ = ["GREETING", "MESSAGE", "OTHERS_AFTER", "OTHERS_BEFORE", "RECORDS", "TEMPLATES", "NewItem", "Record"]

GREETING = "Hello, World!"
MESSAGE = {"message": GREETING}
TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the page."""

    title: str
    leader: str
    year: int


# One title has what must be escaped: a page that is not is refused before it is timed.
RECORDS = [
    Record("Blue <Train>", "John Coltrane", 1958),
    Record("Moanin'", "Art Blakey", 1959),
    Record("Time Out", "The Dave Brubeck Quartet", 1959),
    Record("Mingus Ah Um", "Charles Mingus", 1959),
    Record("Go", "Dexter Gordon", 1962),
    Record("The Sidewinder", "Lee Morgan", 1964),
    Record("Song for My Father", "Horace Silver", 1965),
    Record("Maiden Voyage", "Herbie Hancock", 1965),
    Record("Speak No Evil", "Wayne Shorter", 1966),
    Record("Point of Departure", "Andrew Hill", 1965),
    Record("Out to Lunch & Back", "Eric Dolphy", 1964),
    Record("Bright Size Life", "Pat Metheny", 1976),
]


class NewItem(msgspec.Struct):
    """The JSON body, for those that take a msgspec.Struct or have no validation of their own."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    price: Annotated[float, msgspec.Meta(ge=0)]
    tags: list[str]


# Fifty further routes; half of them before the measured ones, so that a router that tries
# one after the other is met in the middle, as an application's average route is.
OTHERS_BEFORE = [f"/section{number}/page" for number in range(25)]
OTHERS_AFTER = [f"/shelf{number}/" for number in range(25)]
