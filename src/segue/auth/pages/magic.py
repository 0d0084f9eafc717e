"""A login by a link in a mail, instead of a password."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from ...colours import run
from .asking import LinkByMailView
from .base import AccountPage
from .entry import enter
from .going import kept_private, next_of, wanted_next
from .tokens import looking_up, using

__all__ = ["MagicLinkDoneView", "MagicLinkEnterView", "MagicLinkView"]

_PURPOSE = "magic link"
_BROWSER = "_magic_link"


class MagicLinkView(LinkByMailView):
    """Mails a link that logs in; the page says the same whether there is an account or not."""

    template_name: str | None = "accounts/magic_link.html"
    purpose = _PURPOSE
    lifetime: timedelta = timedelta(minutes=15)
    mail_name = "magic_link"
    link_endpoint = "auth.magic_link_enter"
    done_endpoint = "auth.magic_link_done"

    def link_values(self) -> dict[str, str]:
        """Return where the login leads: the link may be followed in another browser."""
        target = wanted_next(self.request)
        return {"next": target} if target else {}

    def browser(self) -> str:
        """Return the secret of this browser, made if it has none, where links are good in one alone."""
        if not self.setting("MAGIC_LINK_SAME_BROWSER"):
            return ""
        return str(self.request.session.setdefault(_BROWSER, secrets.token_urlsafe(16)))


class MagicLinkDoneView(AccountPage):
    """Says that a mail is on its way, if there is an account."""

    template_name: str | None = "accounts/magic_link_done.html"


class MagicLinkEnterView(AccountPage):
    """Lets in who has the link: after a click, since programs follow links in mails too."""

    template_name: str | None = "accounts/magic_link_enter.html"
    hides_address: bool = True

    def get(self, request: Any, token: str) -> Any:
        """Ask for the click, where the link is good."""
        return self._page(
            is_good=run(looking_up(self.user_model, token, _PURPOSE, browser=self._browser())) is not None
        )

    def post(self, request: Any, token: str) -> Any:
        """Use the link up and let its owner in; a second factor is asked here too."""
        found = run(using(self.user_model, token, _PURPOSE, browser=self._browser()))
        answer = None
        if found is not None:
            answer = enter(request, found[0], target=next_of(request, self.setting("LOGIN_REDIRECT_URL")))
        return self._page(is_good=False) if answer is None else kept_private(answer, hides_address=True)

    def _browser(self) -> str:
        return str(self.request.session.get(_BROWSER, "")) if self.setting("MAGIC_LINK_SAME_BROWSER") else ""

    def _page(self, *, is_good: bool) -> Any:
        context = self.get_context_data(is_good=is_good, next=wanted_next(self.request))
        return self.render_to_response(context, status=200 if is_good else 410)
