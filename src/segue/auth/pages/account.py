"""One's own account: the second factor, and where one is logged in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...colours import run
from ...errors import NotFound
from ...http.response import redirect
from ...shortcuts import url_for
from ...web import messages
from ...web.sessions import SESSIONS
from ...web.sessions.session import session_of
from ...web.sessions.stores import ServerStore
from ..accounts import accounts_of
from ..remembering import forgetting_others
from ..totp import make_secret, provisioning_url
from .base import AccountFormView, AccountPage
from .factors import (
    SecondFactor,
    confirms,
    find_factor,
    forget_authenticator,
    has_second_factor,
    new_recovery_codes,
)
from .forms import CodeForm
from .going import kept_private
from .proofs import count_passkeys, needs_second_step

__all__ = ["AccountView", "RecoveryCodesView", "SecondFactorOffView", "SecondFactorOnView", "SessionsView"]


class AccountView(AccountPage):
    """What belongs to one's account, in one place."""

    template_name: str | None = "accounts/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        factor = find_factor(self.request.user)
        return super().get_context_data(
            has_second_factor=factor is not None and factor.confirmed_at is not None,
            recovery_left=len(factor.recovery if factor is not None else ()),
            has_connections="auth.connections" in self.request.app.view_functions,
            has_passkeys=accounts_of(self.request.context).has_passkeys,
            passkeys=count_passkeys(self.request, self.request.user.pk),
            has_devices=_store(self.request) is not None,
            **kwargs,
        )


class SecondFactorOnView(AccountFormView):
    """Shows a new secret, and asks for a code that proves that the authenticator has it."""

    template_name: str | None = "accounts/second_factor_on.html"
    form_class: type[Any] | None = CodeForm

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the secret; one that was confirmed is never shown again."""
        if has_second_factor(request.user):
            return redirect(url_for("auth.account"), 303)
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        factor, _ = SecondFactor.objects.get_or_create(
            owner=str(self.request.user.pk), defaults={"secret": make_secret()}
        )
        name = self.request.user.get_username()
        link = provisioning_url(factor.secret, account=name, issuer=self.request.app.name)
        grouped = " ".join(factor.secret[index : index + 4] for index in range(0, len(factor.secret), 4))
        return super().get_context_data(secret=grouped, link=link, **kwargs)

    def form_valid(self, form: Any) -> Any:
        """Confirm the authenticator, and show the codes of recovery."""
        user = self.request.user
        if has_second_factor(user):
            return redirect(url_for("auth.account"), 303)
        codes = confirms(user, form.cleaned_data["code"])
        if codes is None:
            form.add_error("code", "This code is not right. Is the clock of your device right?")
            return self.form_invalid(form)
        self.request.session.cycle_key()
        run(forgetting_others(self.request, user))  # they were let in without a code
        self.template_name = "accounts/recovery_codes.html"
        return self.render_to_response(super().get_context_data(codes=codes))


class SecondFactorOffView(AccountPage):
    """Asks whether to go without a second factor, and takes it away."""

    template_name: str | None = "accounts/second_factor_off.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        return super().get_context_data(passkeys=count_passkeys(self.request, self.request.user.pk), **kwargs)

    def post(self, request: Any) -> Any:
        """Take it away."""
        forget_authenticator(request.user, keeps_recovery=count_passkeys(request, request.user.pk) > 0)
        messages.success(request, "Your second factor is off.")
        return kept_private(redirect(url_for("auth.account"), 303))


class RecoveryCodesView(AccountPage):
    """Makes new codes of recovery, and shows them once."""

    template_name: str | None = "accounts/recovery_codes.html"

    def get(self, request: Any) -> Any:
        """Ask first: the old ones are good no more."""
        return self.render_to_response(self.get_context_data(codes=[]))

    def post(self, request: Any) -> Any:
        """Make them."""
        if not needs_second_step(request, request.user):
            return redirect(url_for("auth.account"), 303)
        return self.render_to_response(self.get_context_data(codes=new_recovery_codes(request.user)))


class SessionsView(AccountPage):
    """Lists where one is logged in, and logs out the others."""

    template_name: str | None = "accounts/sessions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        backend = self._backend()
        own = session_of(self.request).key
        rows = [
            {"is_this": each.key == own, "created": _moment(each.created), "seen": _moment(each.seen)}
            for each in run(backend.of_owner(str(self.request.user.pk)))
        ]
        return super().get_context_data(sessions=rows, **kwargs)

    def post(self, request: Any) -> Any:
        """End all but this one, and know the other browsers no more."""
        run(self._backend().remove_of_owner(str(request.user.pk), keep=session_of(request).key))
        run(forgetting_others(request, request.user))
        messages.success(request, "Your other devices are logged out.")
        return kept_private(redirect(url_for("auth.sessions"), 303))

    def _backend(self) -> Any:
        store = _store(self.request)
        if store is None:
            raise NotFound("Sessions are kept in cookies here, so nobody knows where else you are logged in.")
        return store.backend


def _store(request: Any) -> ServerStore | None:
    store = request.context.app.provided(SESSIONS).store
    return store if isinstance(store, ServerStore) else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
