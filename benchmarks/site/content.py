"""What every contestant keeps and shows: rows, and the page that must come back.

Holds: the rows of two related tables, one member, what the session remembers, and `expected`.
Imports: the standard library only.
Never: knows a contestant.
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "ARTISTS",
    "FIRST_YEAR",
    "MEMBER",
    "PASSWORD",
    "RECORDS",
    "ROWS",
    "SHELF",
    "TEMPLATES",
    "VENDORS",
    "expected",
    "squeezed",
]

TEMPLATES = Path(__file__).resolve().parent / "templates"
VENDORS = ("sqlite", "postgresql")
MEMBER = "nina"
PASSWORD = "only for a benchmark on the loopback address"
SHELF = "Upstairs & left"
ROWS = 20
FIRST_YEAR = 1950
ARTISTS = [f"Artist {number} & Sons" for number in range(1, 11)]
# Title, year, and the place of its artist in the list.
RECORDS = [(f"Record <{number}>", 1930 + number, number % len(ARTISTS)) for number in range(1, 101)]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def expected() -> str:
    """Return what must stand in the page, each once and in this order, as `squeezed` leaves it."""
    shown = [each for each in RECORDS if each[1] >= FIRST_YEAR][:ROWS]
    rows = [
        f"<tr><td>{_escaped(title)}</td><td>{year}</td><td>{_escaped(ARTISTS[place])}</td></tr>"
        for title, year, place in shown
    ]
    return squeezed("".join(rows))


def squeezed(text: str) -> str:
    """Return *text* without white space, in which template languages differ."""
    return "".join(text.split())
