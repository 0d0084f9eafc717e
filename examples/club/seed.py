"""The rows that the club begins with, from the file that ships with it."""

import json
from pathlib import Path

from segue import db

from .app import app
from .models import Concert, Friend, Musician, Record


@app.on_startup
def seed() -> None:
    """Fill an empty database; once, however many workers start."""
    with db.atomic(using=app.db):
        if not Musician.objects.exists():
            load(json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8")))


def load(catalogue: dict[str, list[dict[str, object]]]) -> None:
    """Make rows of everything in the catalogue."""
    by_slug = {each["slug"]: Musician(**each) for each in catalogue["musicians"]}
    Musician.objects.bulk_create(list(by_slug.values()))
    Record.objects.bulk_create(
        [
            Record(title=each["title"], leader=by_slug[each["leader"]], year=each["year"], label=each["label"])
            for each in catalogue["records"]
        ]
    )
    for each in catalogue["concerts"]:
        concert = Concert.objects.create(
            title=each["title"], starts=each["starts"], seats=each["seats"], price=each["price"]
        )
        players = each["musicians"]
        assert isinstance(players, list)
        concert.musicians.add(*[by_slug[slug] for slug in players])
    Friend.objects.bulk_create([Friend(**each) for each in catalogue["friends"]])
