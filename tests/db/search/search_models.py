"""Records, and what else is searched."""

from __future__ import annotations

from typing import Any

from segue import db


class Musician(db.Model):
    name = db.CharField(max_length=50, primary_key=True)
    search = db.SearchField("name")


class Record(db.Model):
    title = db.CharField(max_length=200)
    subtitle = db.CharField(max_length=200, default="")
    notes = db.TextField(null=True)
    year = db.IntegerField(default=1959)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, null=True, related_name="records")
    search = db.SearchField("title", "subtitle", "notes", weights={"title": 8, "subtitle": 2})


class Seat(db.Model):
    row = db.IntegerField()
    number = db.IntegerField()
    who = db.CharField(max_length=20)
    pk = db.CompositePrimaryKey("row", "number")
    search = db.SearchField("who")


class Draft(db.SoftDelete):
    text = db.TextField()
    search = db.SearchField("text")


class Named(db.Model):
    label = db.CharField(max_length=50)
    words = db.SearchField("label")

    class Meta:
        abstract = True


class Venue(Named):
    place = db.CharField(max_length=50)


class Hall(Venue):
    seats = db.IntegerField(default=0)


class Letter(db.Model):
    sender = db.CharField(max_length=50)
    text = db.TextField()
    search = db.SearchField("sender", "text")
    senders = db.SearchField("sender")


class Plain(db.Model):
    title = db.CharField(max_length=50)
    text = db.TextField()


SEARCHED = [Musician, Record, Seat, Draft, Venue, Hall, Letter, Plain]

RECORDS: list[tuple[str, str, str | None]] = [
    ("Kind of Blue", "", "Miles Davis with Bill Evans. Modal jazz."),
    ("Blue Train", "The Ultimate", "John Coltrane, a kind of hard bop. Recorded in New Jersey."),
    ("Something Else", "", "Cannonball Adderley, with Miles Davis on his way to blue notes."),
    ("A Love Supreme", "", "Coltrane. A suite of four parts: love, love, love, love."),
    ("Love Songs", "", None),
    ("Ballads", "for lovers", "Coltrane, slow; some love in it."),
    ("École de Paris", "Élan d'été", "Straße, naïve, coöperate, Ångström, Αθήνα, Москва."),
    (
        "O'Brien's AC/DC_Tribute",
        "U2 go to R2-D2",
        "100% off, 3.5 stars; e-mail: me@example.com https://example.com/a/b?c=d",
    ),
    ("The Who", "", "It is what it is."),
    ("日本の音楽", "", "東京、大阪 2020"),
    ("Signs", "", "“one”—two…three→four€five·six🎷seven¿eight?«nine»/ten_eleven’s\ntwelve\u00a0thirteen"),
]


def fill() -> None:
    """Put every record into the current database."""
    miles = Musician.objects.create(name="Miles Davis")
    Musician.objects.create(name="Bill Evans")
    for at, (title, subtitle, notes) in enumerate(RECORDS):
        leader: Any = miles if at in (0, 2) else None
        Record.objects.create(title=title, subtitle=subtitle, notes=notes, year=1955 + at, leader=leader)
    Letter.objects.create(sender="Jimmy", text="Dear Wayne")
    Hall.objects.create(label="Carnegie Hall", place="New York")
