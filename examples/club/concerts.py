"""The concerts: a blueprint with templates of its own."""

from segue import Blueprint, render_template

from .models import Concert

concerts = Blueprint("concerts", __name__)


@concerts.get("/")
def index() -> str:
    """All evenings, next first."""
    return render_template("concerts/index.html", concerts=Concert.objects.all())


@concerts.get("/<int:number>", queries=2)
def detail(number: int) -> str:
    """One evening, with who plays."""
    found = Concert.objects.get(pk=number)  # a missing one is answered by 404
    return render_template("concerts/detail.html", concert=found, musicians=found.musicians.order_by("name"))
