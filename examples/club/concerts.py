"""The concerts: a blueprint with templates of its own."""

from typing import Any

from segue import Blueprint, db, forms, messages, redirect, render_template, url_for
from segue.auth import login_required
from segue.views import FormView

from .models import Concert, Reservation

concerts = Blueprint("concerts", __name__)


@concerts.get("/")
def index() -> str:
    """All evenings, next first."""
    return render_template("concerts/index.html", concerts=Concert.objects.all())


@concerts.get("/<int:number>", queries=5)
def detail(number: int) -> str:
    """One evening, with who plays."""
    found = Concert.objects.get(pk=number)  # a missing one is answered by 404
    return render_template(
        "concerts/detail.html",
        concert=found,
        musicians=found.musicians.order_by("name"),
        left=seats_left(found),
    )


def seats_left(concert: Concert) -> int:
    """Return how many seats nobody has reserved."""
    taken: int = concert.reservations.aggregate(taken=db.Sum("seats", default=0))["taken"]
    return concert.seats - taken


class ReservationForm(forms.Form):
    """How many seats."""

    seats = forms.IntegerField(min_value=1, max_value=6, initial=2, help_text="Up to six for one member.")


@concerts.route("/<int:number>/reserve")
@login_required
class Reserve(FormView):
    """Reserves seats for who is logged in; again, and it is another number of them."""

    form_class = ReservationForm
    template_name = "concerts/reserve.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        concert = Concert.objects.get(pk=self.kwargs["number"])
        return super().get_context_data(concert=concert, left=seats_left(concert), **kwargs)

    def form_valid(self, form: ReservationForm) -> Any:
        """Reserve, unless others were quicker."""
        wanted: int = form.cleaned_data["seats"]
        with db.atomic():
            # The row is held until the end, so that of two who want the last seat one is told.
            concert = Concert.objects.select_for_update().get(pk=self.kwargs["number"])
            mine = concert.reservations.filter(member=self.request.user)
            others = concert.reservations.exclude(member=self.request.user)
            left: int = concert.seats - others.aggregate(taken=db.Sum("seats", default=0))["taken"]
            if wanted <= left and not mine.update(seats=wanted):
                Reservation.objects.create(concert=concert, member=self.request.user, seats=wanted)
        if wanted > left:
            form.add_error("seats", f"There are {left} seats left." if left else "There are no seats left.")
            return self.form_invalid(form)
        messages.success(self.request, f"{concert.title}: {wanted} seats are yours.")
        return redirect(url_for("profile"), 303)
