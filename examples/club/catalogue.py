"""What the club knows, read once from the file that ships with it."""

from datetime import date, datetime
from functools import cache
from pathlib import Path

import msgspec

__all__ = ["Catalogue", "Concert", "Member", "Musician", "Record", "catalogue"]


class Musician(msgspec.Struct, frozen=True):
    """Somebody who plays."""

    slug: str
    name: str
    instrument: str
    born: date
    about: str

    def __str__(self) -> str:
        return self.name


class Record(msgspec.Struct, frozen=True):
    """An album in the club's library."""

    number: int
    title: str
    leader: str
    year: int
    label: str


class Concert(msgspec.Struct, frozen=True):
    """An evening at the club."""

    number: int
    title: str
    starts: datetime
    musicians: list[str]
    seats: int
    price: int


class Member(msgspec.Struct, frozen=True):
    """A friend of the club."""

    name: str
    since: int


class Catalogue(msgspec.Struct, frozen=True):
    """Everything, with the look-ups that the pages need."""

    musicians: list[Musician]
    records: list[Record]
    concerts: list[Concert]
    members: list[Member]

    def musician(self, slug: str) -> Musician | None:
        """Return the musician of that slug, or `None`."""
        return next((each for each in self.musicians if each.slug == slug), None)

    def concert(self, number: int) -> Concert | None:
        """Return the concert of that number, or `None`."""
        return next((each for each in self.concerts if each.number == number), None)

    def records_of(self, musician: Musician) -> list[Record]:
        """Return the records that a musician leads, oldest first."""
        found = [record for record in self.records if record.leader == musician.slug]
        return sorted(found, key=lambda record: record.year)

    def concerts_of(self, musician: Musician) -> list[Concert]:
        """Return the concerts that a musician plays in, next first."""
        found = [concert for concert in self.concerts if musician.slug in concert.musicians]
        return sorted(found, key=lambda concert: concert.starts)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue, read at its first use."""
    return msgspec.json.decode(Path(__file__).with_name("catalogue.json").read_bytes(), type=Catalogue)
