"""Log in, the second step where the user has one, and log out."""

from __future__ import annotations

from typing import Any

from ... import clock
from ...errors import TooManyRequests
from ...http.response import redirect
from ...shortcuts import url_for
from ...views import View
from ...web import messages
from ...web.sessions.session import session_of
from ..accounts import accounts_of
from ..authenticating import authenticate
from ..bonds import bond_of, is_bond
from ..logins import login, logout
from .base import AccountFormView
from .factors import has_authenticator, uses_code
from .forms import CodeForm, LoginForm
from .going import kept_private, next_of, resolved
from .proofs import confirm, count_passkeys, has_second_factor, needs_second_step

__all__ = ["LoginView", "LogoutView", "SecondFactorView", "enter", "pass_second_step", "user_waiting", "waiting_of"]

_WAITING = "_second_step"
_MOST_SECONDS = 600
_WRONG = "The name or the password is not right."


def enter(request: Any, user: Any, *, target: str, remember: bool = False) -> Any:
    """Let *user* in, or ask for their second factor first: every way in ends here."""
    if needs_second_step(request, user):
        session = session_of(request)
        session.cycle_key()
        backend = getattr(user, "_auth_backend", None)
        moment = int(clock.now()) + _MOST_SECONDS
        session[_WAITING] = [str(user.pk), backend, target, remember, moment, bond_of(request.context, user)]
        return kept_private(redirect(url_for("auth.second_factor"), 303))
    login(request, user, remember_me=remember)
    return kept_private(redirect(target, 303))


def waiting_of(request: Any) -> Any:
    """Return what `enter` kept of who has yet to take the second step, or `None`: their key comes first."""
    waiting: Any = request.session.get(_WAITING)
    return waiting if waiting is not None and clock.now() < waiting[4] else None


def user_waiting(request: Any, waiting: Any, model: Any) -> Any:
    """Return who took the first step, or `None` where the password that was right then is so no more."""
    user = model.objects.filter(pk=waiting[0]).first()
    # It may have been replaced since, because somebody else knew it.
    is_same = user is not None and user.is_active and is_bond(request.context, waiting[5], user)
    return user if is_same else None


def pass_second_step(request: Any, waiting: Any, user: Any) -> Any:
    """Let *user* in, who took both steps."""
    del request.session[_WAITING]
    login(request, user, backend=waiting[1], remember_me=waiting[3])
    return kept_private(redirect(waiting[2], 303))


class LoginView(AccountFormView):
    """Asks for name and password, and lets in."""

    template_name: str | None = "accounts/login.html"
    form_class: type[Any] | None = LoginForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        can_sign_up = "auth.signup" in self.request.app.view_functions
        user = self.request.user  # who is logged in confirms that it is still them
        return super().get_context_data(
            can_sign_up=can_sign_up,
            can_confirm=user.is_authenticated and has_second_factor(user),
            has_passkeys=accounts_of(self.request.context).has_passkeys,
            **kwargs,
        )

    def form_valid(self, form: Any) -> Any:
        """Let in whom the credentials prove; else say that they do not, and no more."""
        data = form.cleaned_data
        credentials = {self.user_model.USERNAME_FIELD: data["username"], "password": data["password"]}
        try:
            user = authenticate(self.request, **credentials)
        except TooManyRequests as error:
            return self.too_many(form, error)
        if user is None:
            form.add_error(None, _WRONG)
            return self.form_invalid(form)
        return enter(self.request, user, target=self.get_success_url(), remember=data["remember"])


class SecondFactorView(AccountFormView):
    """Asks for the second factor: after the password was right, or of who is logged in, to confirm that it is them."""

    template_name: str | None = "accounts/second_factor.html"
    form_class: type[Any] | None = CodeForm

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form, where there is somebody to ask."""
        if waiting_of(request) is None and not self._can_confirm():
            return redirect(url_for("auth.login"), 303)
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        waiting = waiting_of(self.request)
        key = self.request.user.pk if waiting is None else waiting[0]
        return super().get_context_data(
            has_passkeys=count_passkeys(self.request, key) > 0,
            has_authenticator=has_authenticator(key),
            **kwargs,
        )

    def form_valid(self, form: Any) -> Any:
        """Let in whose code is right."""
        request = self.request
        waiting = waiting_of(request)
        if waiting is None and not self._can_confirm():
            return redirect(url_for("auth.login"), 303)
        key = str(request.user.pk) if waiting is None else waiting[0]
        limiter = self.limiter("5/5m", "auth:second factor", fail_closed=True)
        try:
            limiter.hit(key).demand()
        except TooManyRequests as error:
            return self.too_many(form, error)
        user = request.user if waiting is None else user_waiting(request, waiting, self.user_model)
        if user is None or not uses_code(user, form.cleaned_data["code"]):
            form.add_error("code", "This code is not right, or was used before.")
            return self.form_invalid(form)
        limiter.reset(key)
        if waiting is not None:
            return pass_second_step(request, waiting, user)
        confirm(request)
        return kept_private(redirect(self.get_success_url(), 303))

    def _can_confirm(self) -> bool:
        user = self.request.user
        return user.is_authenticated and has_second_factor(user)


class LogoutView(View):
    """Asks by GET whether to log out, and logs out by POST."""

    template_name: str | None = "accounts/logout.html"

    def get(self, request: Any) -> Any:
        """Ask: a link or an image of another site must log nobody out."""
        return kept_private(self.render_to_response(self.get_context_data()))

    def post(self, request: Any) -> Any:
        """Log out, and lead on."""
        logout(request)
        messages.success(request, "You are logged out.")
        config = request.app.config
        target = next_of(request, config["LOGOUT_REDIRECT_URL"] or config["LOGIN_URL"] or "auth.login")
        return kept_private(redirect(resolved(target), 303))
