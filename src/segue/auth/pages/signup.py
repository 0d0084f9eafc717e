"""Sign up, and the proof that an address is one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ...colours import Operation, either, listing, run
from ...errors import ValidationError
from ...http.response import redirect
from ...shortcuts import url_for
from ...web import messages
from ...web.limiting import network_of
from ..hashing import make_password
from .asking import LinkByMailView, owners_of
from .base import AccountFormView, AccountPage
from .entry import enter
from .forms import SignupForm
from .going import kept_private
from .mails import after_response, link_to, write_mail
from .tokens import NEW_ACCOUNT, MailedToken, issuing, looking_up, using

__all__ = ["SignupDoneView", "SignupView", "VerifyAgainView", "VerifyView"]

_LIFETIME = timedelta(days=1)


class SignupView(AccountFormView):
    """Makes an account, and mails the link that proves its address.

    Who has an account already gets a mail that says so; the page says the same to both.
    """

    template_name: str | None = "accounts/signup.html"
    form_class: type[Any] | None = SignupForm

    def form_valid(self, form: Any) -> Any:
        """Make the account, and lead to the page that says what comes next."""
        self.limiter("20/h", "auth:signup").hit(network_of(self.request.client)).demand()
        data = form.cleaned_data
        hashed = make_password(data["password"])  # first, and for all: its time tells nothing then
        must_verify = self.setting("AUTH_VERIFY_EMAIL")
        names = {name: data[name] for name in ("email", "username") if name in data}
        user = self._made(names, hashed, is_active=not must_verify)
        if must_verify:
            after_response(self.request, lambda: self._mailing(user, data["email"]))
            return kept_private(redirect(url_for("auth.signup_done"), 303))
        if user is None:
            form.add_error(None, "There is an account with this name or address already.")
            return self.form_invalid(form)
        return enter(self.request, user, target=self.get_success_url()) or self.form_invalid(form)

    def _made(self, names: dict[str, str], hashed: str, *, is_active: bool) -> Any:
        objects = self.user_model.objects
        try:
            user = objects.create_user(**names, is_active=is_active)
        except ValidationError:
            return None
        user.password = hashed
        user.save(update_fields=["password"])
        return user

    def _mailing(self, user: Any, address: str) -> Operation[None]:
        if user is not None:
            token = yield from issuing(user, NEW_ACCOUNT, lifetime=_LIFETIME, address=address)
            mail = write_mail("verify", address, link=link_to(self.request, "auth.verify", token=token), user=user)
        elif (yield from owners_of(self.user_model, address)):
            mail = write_mail("exists", address, link=link_to(self.request, "auth.password_reset"))
        else:  # then it is the name that somebody has
            mail = write_mail("taken", address, link=link_to(self.request, "auth.signup"))
        yield from either(mail.send, mail.asend)


class SignupDoneView(AccountPage):
    """Says that a mail is on its way."""

    template_name: str | None = "accounts/signup_done.html"


class VerifyAgainView(LinkByMailView):
    """Mails another link to who let the first one become too old; to nobody whose account was closed."""

    template_name: str | None = "accounts/verify_again.html"
    purpose = NEW_ACCOUNT
    lifetime: timedelta = _LIFETIME
    mail_name = "verify"
    link_endpoint = "auth.verify"
    done_endpoint = "auth.signup_done"

    def choosing(self, users: list[Any]) -> Operation[list[Any]]:
        """Return those whose accounts wait for a link."""
        keys = [str(each.pk) for each in users if not each.is_active]
        waiting = MailedToken.objects.filter(purpose=NEW_ACCOUNT, owner__in=keys).values_list("owner", flat=True)
        owners = yield from listing(waiting)
        return [each for each in users if str(each.pk) in owners]


class VerifyView(AccountPage):
    """Opens an account whose owner has the link: after a click, since programs follow links in mails too."""

    template_name: str | None = "accounts/verify.html"
    hides_address: bool = True

    def get(self, request: Any, token: str) -> Any:
        """Ask for the click, where the link is good."""
        found = run(looking_up(self.user_model, token, NEW_ACCOUNT))
        return self.render_to_response(self.get_context_data(is_good=found is not None))

    def post(self, request: Any, token: str) -> Any:
        """Open the account."""
        found = run(using(self.user_model, token, NEW_ACCOUNT))
        if found is None:
            return self.render_to_response(self.get_context_data(is_good=False), status=410)
        user, _ = found
        user.is_active = True
        user.save(update_fields=["is_active"])
        MailedToken.objects.filter(purpose=NEW_ACCOUNT, owner=str(user.pk)).delete()
        messages.success(request, "Your address is confirmed. You can log in now.")
        return kept_private(redirect(url_for("auth.login"), 303), hides_address=True)
