"""The pages about musicians, records and members."""

from typing import Annotated

import msgspec

from segue import render_template

from .app import app
from .models import Concert, Friend, Musician, Record

PAGE_SIZE = 10


@app.context_processor
def club_names() -> dict[str, object]:
    """What every page's frame needs."""
    return {"club": "The Segue Room", "navigation": ["musicians", "records", "concerts.index", "friends"]}


@app.template_filter()
def day(moment: object) -> str:
    """A concert's day as people write it."""
    return f"{moment:%A %-d %B %Y, %H:%M}"


@app.get("/")
def index() -> str:
    """The front page: the next evenings."""
    return render_template(
        "club/index.html", concerts=Concert.objects.all()[:3], musicians=Musician.objects.order_by("pk")[:6]
    )


@app.get("/musicians")
def musicians() -> str:
    """Everybody who plays here."""
    return render_template("club/musicians.html", musicians=Musician.objects.order_by("pk"))


@app.get("/musicians/<slug:slug>", queries=5)
def musician(slug: str) -> str:
    """One musician, with records and concerts."""
    found = Musician.objects.get(slug=slug)  # a missing one is answered by 404
    return render_template(
        "club/musician.html",
        musician=found,
        records=found.records.order_by("year"),
        concerts=found.concerts.all(),
    )


@app.get("/records", queries=4)
def records(q: str = "", page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1) -> str:
    """The library, to search: /records?q=blue"""
    found = Record.objects.select_related("leader").filter(title__icontains=q.strip())
    start = (page - 1) * PAGE_SIZE
    return render_template(
        "club/records.html",
        records=found[start : start + PAGE_SIZE],
        q=q,
        page=page,
        pages=max(1, -(-found.count() // PAGE_SIZE)),
    )


@app.get("/friends")
def friends() -> str:
    """The friends of the club."""
    return render_template("club/friends.html", friends=Friend.objects.all())


app.redirect("/artists/<slug:slug>", "musician")
