"""Another password: by the old one, or by a mail where it is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ...colours import Operation, either, run
from ...db.functions import Lower
from ...http.response import redirect
from ...shortcuts import url_for
from ...web import messages
from ...web.limiting import account_key, canonical_name
from ..hashing import make_password
from ..logins import update_session_auth_hash
from ..names import is_same_name, normalized_email
from .base import AccountFormView, AccountPage
from .forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm
from .going import kept_private
from .mails import after_response, link_to, write_mail
from .tokens import issuing, looking_up, using

__all__ = ["PasswordChangeView", "PasswordResetConfirmView", "PasswordResetDoneView", "PasswordResetView"]

PURPOSE = "password reset"
_LIFETIME = timedelta(hours=1)


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


class PasswordResetView(AccountFormView):
    """Mails a link for a new password; the page says the same whether there is an account or not."""

    template_name: str | None = "accounts/password_reset.html"
    form_class: type[Any] | None = PasswordResetForm

    def form_valid(self, form: Any) -> Any:
        """Look for the account once the answer is out, and mail its owner."""
        address = form.cleaned_data["email"]
        # From wherever it is asked for: each request is a mail to somebody.
        self.limiter("5/h", "auth:reset").hit(canonical_name(address)).demand()
        after_response(self.request, lambda: self._mailing(address))
        return kept_private(redirect(url_for("auth.password_reset_done"), 303))

    def _mailing(self, address: str) -> Operation[None]:
        for user in (yield from self._users_of(address)):
            token = yield from issuing(user, PURPOSE, lifetime=_LIFETIME)
            link = link_to(self.request, "auth.password_reset_confirm", token=token)
            # To the address that is kept, never to the one that was typed.
            mail = write_mail("reset", getattr(user, user.EMAIL_FIELD), link=link, user=user)
            yield from either(mail.send, mail.asend)

    def _users_of(self, address: str) -> Operation[list[Any]]:
        model = self.user_model
        rows = model.objects.alias(_address=Lower(model.EMAIL_FIELD)).filter(_address=normalized_email(address).lower())
        found = yield from either(lambda: list(rows), lambda: _alist(rows))
        return [each for each in found if each.is_active and is_same_name(getattr(each, model.EMAIL_FIELD), address)]


async def _alist(rows: Any) -> list[Any]:
    return [each async for each in rows]


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
