"""The pages about musicians, records and members."""

from typing import Annotated

import msgspec

from segue import abort, render_template

from .app import app
from .catalogue import Musician, catalogue


@app.context_processor
def club_names() -> dict[str, object]:
    """What every page's frame needs."""
    return {"club": "The Segue Room", "navigation": ["musicians", "records", "concerts.index", "members"]}


@app.template_filter()
def day(moment: object) -> str:
    """A concert's day as people write it."""
    return f"{moment:%A %-d %B %Y, %H:%M}"


@app.get("/")
def index() -> str:
    """The front page: the next evenings."""
    coming = sorted(catalogue().concerts, key=lambda concert: concert.starts)[:3]
    return render_template("club/index.html", concerts=coming, musicians=catalogue().musicians[:6])


@app.get("/musicians")
def musicians() -> str:
    """Everybody who plays here."""
    return render_template("club/musicians.html", musicians=catalogue().musicians)


@app.get("/musicians/<slug:slug>")
def musician(slug: str) -> str:
    """One musician, with records and concerts."""
    found = _musician(slug)
    return render_template(
        "club/musician.html",
        musician=found,
        records=catalogue().records_of(found),
        concerts=catalogue().concerts_of(found),
    )


@app.get("/records")
def records(q: str = "", page: Annotated[int, msgspec.Meta(ge=1)] = 1) -> str:
    """The library, to search: /records?q=blue"""
    wanted = q.strip().lower()
    found = [record for record in catalogue().records if wanted in record.title.lower()]
    found.sort(key=lambda record: (-record.year, record.title))
    size = 10
    return render_template(
        "club/records.html",
        records=found[(page - 1) * size : page * size],
        leaders={each.slug: each for each in catalogue().musicians},
        q=q,
        page=page,
        pages=max(1, -(-len(found) // size)),
    )


@app.get("/members")
def members() -> str:
    """The friends of the club."""
    return render_template("club/members.html", members=catalogue().members)


app.redirect("/artists/<slug:slug>", "musician")


def _musician(slug: str) -> Musician:
    found = catalogue().musician(slug)
    if found is None:
        abort(404, f"Nobody called {slug} plays here.")
    return found
