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
from ..authenticating import authenticate
from ..bonds import bond_of, is_bond
from ..logins import login, logout
from .base import AccountFormView
from .factors import has_second_factor, uses_code
from .forms import CodeForm, LoginForm
from .going import kept_private, next_of, resolved

__all__ = ["LoginView", "LogoutView", "SecondFactorView", "enter"]

_WAITING = "_second_step"
_MOST_SECONDS = 600
_WRONG = "The name or the password is not right."


def enter(request: Any, user: Any, *, target: str, remember: bool = False) -> Any:
    """Let *user* in, or ask for their second factor first: every way in ends here."""
    if has_second_factor(user):
        session = session_of(request)
        session.cycle_key()
        backend = getattr(user, "_auth_backend", None)
        moment = int(clock.now()) + _MOST_SECONDS
        session[_WAITING] = [str(user.pk), backend, target, remember, moment, bond_of(request.context, user)]
        return kept_private(redirect(url_for("auth.second_factor"), 303))
    login(request, user, remember_me=remember)
    return kept_private(redirect(target, 303))


class LoginView(AccountFormView):
    """Asks for name and password, and lets in."""

    template_name: str | None = "accounts/login.html"
    form_class: type[Any] | None = LoginForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        can_sign_up = "auth.signup" in self.request.app.view_functions
        return super().get_context_data(can_sign_up=can_sign_up, reason=self._reason(), **kwargs)

    def _reason(self) -> str:
        """Say why a gate sent somebody here: by the address alone, so that no session is made for nobody."""
        if next_of(self.request, "/") == "/" or self.request.method == "POST":
            return ""
        is_known = self.request.user.is_authenticated
        return "Log in once more for this." if is_known else "Log in to see that page."

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
    """Asks for the code of the second factor, after the password was right."""

    template_name: str | None = "accounts/second_factor.html"
    form_class: type[Any] | None = CodeForm

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form, where a password was given before."""
        if self._waiting() is None:
            return redirect(url_for("auth.login"), 303)
        return self.render_to_response(self.get_context_data())

    def form_valid(self, form: Any) -> Any:
        """Let in whose code is right."""
        waiting = self._waiting()
        if waiting is None:
            return redirect(url_for("auth.login"), 303)
        key, backend, target, remember, _, bond = waiting
        limiter = self.limiter("5/5m", "auth:second factor", fail_closed=True)
        try:
            limiter.hit(key).demand()
        except TooManyRequests as error:
            return self.too_many(form, error)
        user = self.user_model.objects.filter(pk=key).first()
        # The password that was right may have been replaced since, because somebody else knew it.
        is_same = user is not None and user.is_active and is_bond(self.request.context, bond, user)
        if not is_same or not uses_code(user, form.cleaned_data["code"]):
            form.add_error("code", "This code is not right, or was used before.")
            return self.form_invalid(form)
        limiter.reset(key)
        del self.request.session[_WAITING]
        login(self.request, user, backend=backend, remember_me=remember)
        return kept_private(redirect(target, 303))

    def _waiting(self) -> Any:
        waiting: Any = self.request.session.get(_WAITING)
        return waiting if waiting is not None and clock.now() < waiting[4] else None


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
