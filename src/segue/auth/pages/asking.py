"""A link by mail for whoever owns an address: the page says the same to everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ...colours import Operation, either, listing
from ...db.functions import Lower
from ...http.response import redirect
from ...shortcuts import url_for
from ...web.limiting import canonical_name
from ..names import is_same_name, normalized_email
from .base import AccountFormView
from .forms import AddressForm
from .going import kept_private
from .mails import after_response, link_to, write_mail
from .tokens import issuing

__all__ = ["LinkByMailView", "owners_of"]


class LinkByMailView(AccountFormView):
    """Asks for an address; its owner is looked for, and mailed to, once the answer is out.

    Attributes:
        purpose: What the token in the link is for; a token of another purpose is none.
        lifetime: How long it is good.
        mail_name: The template of the mail, `accounts/mail/<name>.txt`.
        link_endpoint: The page that the link leads to.
        done_endpoint: The page that says that a mail is on its way.
    """

    form_class: type[Any] | None = AddressForm
    purpose: str
    lifetime: timedelta
    mail_name: str
    link_endpoint: str
    done_endpoint: str

    def form_valid(self, form: Any) -> Any:
        """Lead on at once, and do the rest after the last byte."""
        address = form.cleaned_data["email"]
        # From wherever it is asked for: each request is a mail to somebody.
        self.limiter("5/h", f"auth:{self.mail_name}").hit(canonical_name(address)).demand()
        values, browser = self.link_values(), self.browser()
        after_response(self.request, lambda: self._mailing(address, values, browser))
        return kept_private(redirect(url_for(self.done_endpoint), 303))

    def link_values(self) -> dict[str, str]:
        """Return what the link has besides its token."""
        return {}

    def browser(self) -> str:
        """Return what only this browser knows, where the link is to be good in it alone; else an empty text."""
        return ""

    def choosing(self, users: list[Any]) -> Operation[list[Any]]:
        """Return who of *users*, who all have the address, is to get a link."""
        return [each for each in users if each.is_active]
        yield

    def _mailing(self, address: str, values: dict[str, str], browser: str) -> Operation[None]:
        for user in (yield from self.choosing((yield from owners_of(self.user_model, address)))):
            token = yield from issuing(user, self.purpose, lifetime=self.lifetime, browser=browser)
            link = link_to(self.request, self.link_endpoint, token=token, **values)
            # To the address that is kept, never to the one that was typed.
            mail = write_mail(self.mail_name, getattr(user, user.EMAIL_FIELD), link=link, user=user)
            yield from either(mail.send, mail.asend)


def owners_of(model: Any, address: str) -> Operation[list[Any]]:
    """Return the users who have *address*, whatever its case."""
    rows = model.objects.alias(_address=Lower(model.EMAIL_FIELD)).filter(_address=normalized_email(address).lower())
    found = yield from listing(rows)
    # A collation may take two letters for one that are not.
    return [each for each in found if is_same_name(getattr(each, model.EMAIL_FIELD), address)]
