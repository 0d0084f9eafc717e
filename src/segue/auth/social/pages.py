"""The pages of logins elsewhere: the way there, the way back, and what is connected."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from ...errors import NotFound
from ...http.response import redirect
from ...shortcuts import url_for
from ...web import messages
from ..accounts import accounts_of
from ..pages.base import AccountPage
from ..pages.entry import enter
from ..pages.going import kept_private, next_of
from ..pages.proofs import count_passkeys
from .flow import NotAsked, begin, finish
from .linking import Refused, connect, disconnect, user_for
from .models import SocialAccount
from .wire import ProviderError

__all__ = ["ConnectView", "ConnectionsView", "SocialBackView", "SocialLoginView"]

_logger = logging.getLogger("segue.auth")


class _SocialPage(AccountPage):
    """A page that concerns one provider, or all."""

    template_name: str | None = "accounts/social_refused.html"

    def provider_called(self, name: str) -> Any:
        """Return a provider of the app.

        Raises:
            NotFound: It has none of that name.
        """
        for each in accounts_of(self.request.context).providers:
            if each.name == name:
                return each
        raise NotFound

    def lead_there(self, name: str, **options: Any) -> Any:
        """Lead to the page of a provider."""
        provider = self.provider_called(name)
        try:
            return kept_private(redirect(begin(self.request, provider, **options), 303, external=True))
        except ProviderError as error:
            return self.failed(provider, error)

    def failed(self, provider: Any, error: Exception) -> Any:
        """Say that it did not work, and no more; why is logged."""
        _logger.warning("a login by %s did not work: %s", provider.name, error)
        status = 400 if isinstance(error, NotAsked) else 502
        return self.refused(provider, f"The login by {provider.title} did not work. Try again.", status=status)

    def refused(self, provider: Any, reason: str, *, status: int = 403) -> Any:
        """Say why nobody is let in."""
        context = self.get_context_data(provider=provider, reason=reason)
        return self.render_to_response(context, status=status)


class SocialLoginView(_SocialPage):
    """Leads to the provider."""

    def get(self, request: Any, provider: str) -> Any:
        """Lead there, and remember where the login leads."""
        return self.lead_there(provider, target=next_of(request, self.setting("LOGIN_REDIRECT_URL")))


class ConnectView(_SocialPage):
    """Leads to the provider, to connect an account there to one's own."""

    def get(self, request: Any, provider: str) -> Any:
        """Lead there, and remember for whom."""
        return self.lead_there(provider, target=url_for("auth.connections"), owner=str(request.user.pk))


class SocialBackView(_SocialPage):
    """Where the provider sends people back to."""

    hides_address: bool = True

    def post(self, request: Any, provider: str) -> Any:
        """Ask for the same by GET: a form that another site sends comes without the session."""
        names = ("code", "state", "iss", "error")
        query = urlencode({name: request.form[name] for name in names if name in request.form})
        here = url_for("auth.social_back", provider=provider)
        return kept_private(redirect(f"{here}?{query}", 303), hides_address=True)

    def get(self, request: Any, provider: str) -> Any:
        """Let in, connect, or say why not."""
        who = self.provider_called(provider)
        try:
            asked, identity = finish(request, who)
        except (NotAsked, ProviderError) as error:
            return self.failed(who, error)
        try:
            if asked.owner:
                return self._connect(who, asked, identity)
            may_sign_up = "auth.signup" in request.app.view_functions
            user = user_for(self.user_model, who, identity, may_sign_up=may_sign_up)
        except Refused as refusal:
            return self.refused(who, str(refusal))
        answer = enter(request, user, target=asked.target)
        return self.refused(who, "This account is closed.") if answer is None else answer

    def _connect(self, who: Any, asked: Any, identity: Any) -> Any:
        user = self.request.user
        if not user.is_authenticated or str(user.pk) != asked.owner:
            raise Refused("Log in first, and connect it then.")
        connect(self.user_model, who, identity, user)
        messages.success(self.request, f"{who.title} is connected.")
        return kept_private(redirect(asked.target, 303), hides_address=True)


class ConnectionsView(AccountPage):
    """What is connected to one's account, and what can be."""

    template_name: str | None = "accounts/connections.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        providers = accounts_of(self.request.context).providers
        titles = {each.name: each.title for each in providers}
        rows = list(SocialAccount.objects.filter(owner=str(self.request.user.pk)).order_by("connected_at"))
        return super().get_context_data(
            connections=[(row, titles.get(row.provider, row.provider)) for row in rows],
            others=[each for each in providers if each.name not in {row.provider for row in rows}],
            can_go=len(rows) > 1 or self._has_other_way(),
            **kwargs,
        )

    def post(self, request: Any) -> Any:
        """Take one away."""
        if disconnect(request.user, request.form.get("connection") or "", has_other_way=self._has_other_way()):
            messages.success(request, "It is connected no more.")
        else:
            messages.error(request, "This is your only way in. Choose a password first.")
        return kept_private(redirect(url_for("auth.connections"), 303))

    def _has_other_way(self) -> bool:
        user = self.request.user
        has_mail = "auth.magic_link" in self.request.app.view_functions
        return bool(user.has_usable_password()) or has_mail or count_passkeys(self.request, user.pk) > 0
