"""A complete program in one file. Run it with: segue --app app.py run"""

from segue import App, render_template

app = App(__name__)

RECORDS = [
    {"title": "Kind of Blue", "leader": "Miles Davis", "year": 1959},
    {"title": "A Love Supreme", "leader": "John Coltrane", "year": 1965},
    {"title": "Mingus Ah Um", "leader": "Charles Mingus", "year": 1959},
]


@app.get("/")
def index() -> str:
    """A page from a template."""
    return render_template("index.html", records=RECORDS)


@app.get("/records/<int:year>")
async def of_year(year: int) -> list[dict[str, str | int]]:
    """The records of a year, as JSON."""
    return [record for record in RECORDS if record["year"] == year]


@app.get("/search")
def search(q: str, page: int = 1) -> dict[str, object]:
    """Find records by title: /search?q=blue"""
    found = [record for record in RECORDS if q.lower() in str(record["title"]).lower()]
    return {"page": page, "found": found[(page - 1) * 10 : page * 10]}
