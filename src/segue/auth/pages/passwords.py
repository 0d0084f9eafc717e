"""Another password: by the old one, or by a mail where it is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ...colours import run
from ...http.response import redirect
from ...shortcuts import url_for
from ...web import messages
from ...web.limiting import account_key
from ..hashing import make_password
from ..logins import update_session_auth_hash
from .asking import LinkByMailView
from .base import AccountFormView, AccountPage
from .forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm
from .going import kept_private
from .tokens import looking_up, using

__all__ = ["PasswordChangeView", "PasswordResetConfirmView", "PasswordResetDoneView", "PasswordResetView"]

PURPOSE = "password reset"


class PasswordChangeView(AccountFormView):
    """Changes the password of who is logged in; their other sessions end."""

    template_name: str | None = "accounts/password_change.html"
    form_class: type[Any] | None = PasswordChangeForm
    success_url: Any = "auth.account"

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return the arguments of the form, the user among them."""
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: Any) -> Any:
        """Keep the new password, if the old one is right."""
        user = self.request.user
        self.limiter("10/5m", "auth:change").hit(account_key(user.get_username(), self.request.client)).demand()
        if not user.check_password(form.cleaned_data["old_password"]):
            form.add_error("old_password", "This is not your password.")
            return self.form_invalid(form)
        user.set_password(form.cleaned_data["new_password"])
        user.save(update_fields=["password"])
        update_session_auth_hash(self.request, user)
        messages.success(self.request, "Your password is changed. Your other devices are logged out.")
        return kept_private(redirect(self.get_success_url(), 303))


class PasswordResetView(LinkByMailView):
    """Mails a link for a new password; the page says the same whether there is an account or not."""

    template_name: str | None = "accounts/password_reset.html"
    form_class: type[Any] | None = PasswordResetForm
    purpose = PURPOSE
    lifetime: timedelta = timedelta(hours=1)
    mail_name = "reset"
    link_endpoint = "auth.password_reset_confirm"
    done_endpoint = "auth.password_reset_done"


class PasswordResetDoneView(AccountPage):
    """Says that a mail is on its way, if there is an account."""

    template_name: str | None = "accounts/password_reset_done.html"


class PasswordResetConfirmView(AccountFormView):
    """Asks who has the link for a new password."""

    template_name: str | None = "accounts/password_reset_confirm.html"
    form_class: type[Any] | None = SetPasswordForm
    hides_address: bool = True

    def get(self, request: Any, token: str) -> Any:
        """Answer with the form, where the link is good."""
        found = run(looking_up(self.user_model, token, PURPOSE))
        context = self.get_context_data(is_good=found is not None)
        return self.render_to_response(context, status=200 if found is not None else 410)

    def post(self, request: Any, token: str) -> Any:
        """Keep the new password; every session of the user ends."""
        found = run(looking_up(self.user_model, token, PURPOSE))
        if found is None:
            return self.render_to_response(self.get_context_data(is_good=False), status=410)
        form = self.get_form_class()(**{**self.get_form_kwargs(), "user": found[0]})
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form, is_good=True), status=422)
        hashed = make_password(form.cleaned_data["new_password"])  # first: where it is refused, the link stays good
        used = run(using(self.user_model, token, PURPOSE))
        if used is None:
            return self.render_to_response(self.get_context_data(is_good=False), status=410)
        user, _ = used
        user.password = hashed
        user.save(update_fields=["password"])
        messages.success(request, "Your password is changed. You can log in with it now.")
        # Not logged in: a second factor is asked there, as everywhere.
        return kept_private(redirect(url_for("auth.login"), 303), hides_address=True)
