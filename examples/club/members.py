"""The pages of who is logged in: the profile, shown and changed."""

from typing import Any

from segue import url_for_lazy
from segue.auth import login_required
from segue.views import DetailView, UpdateView

from .app import app
from .models import Member


@app.route("/profile")
@login_required
class Profile(DetailView):
    """One's own page, with the seats one has."""

    model = Member
    template_name = "club/profile.html"

    def get_object(self) -> Any:
        """Return who is logged in."""
        return self.request.user

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        reservations = self.object.reservations.select_related("concert").order_by("concert__starts")
        return super().get_context_data(reservations=reservations, **kwargs)


@app.route("/profile/edit")
@login_required
class EditProfile(UpdateView):
    """Changes what the club knows of a member."""

    model = Member
    fields = ["first_name", "last_name", "instrument"]
    template_name = "club/profile_form.html"
    success_url = url_for_lazy("profile")
    success_message = "Your profile is changed."

    def get_object(self) -> Any:
        """Return who is logged in."""
        return self.request.user
