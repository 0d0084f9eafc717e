"""The concerts: a blueprint with templates of its own."""

from segue import Blueprint, abort, render_template

from .catalogue import catalogue

concerts = Blueprint("concerts", __name__)


@concerts.get("/")
def index() -> str:
    """All evenings, next first."""
    coming = sorted(catalogue().concerts, key=lambda concert: concert.starts)
    return render_template("concerts/index.html", concerts=coming)


@concerts.get("/<int:number>")
def detail(number: int) -> str:
    """One evening, with who plays."""
    found = catalogue().concert(number)
    if found is None:
        abort(404, "There is no such evening.")
    players = [each for each in catalogue().musicians if each.slug in found.musicians]
    return render_template("concerts/detail.html", concert=found, musicians=players)
