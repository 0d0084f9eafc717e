"""Log in, the second step where the user has one, and log out."""

from __future__ import annotations

from typing import Any

from ...errors import TooManyRequests
from ...http.response import redirect
from ...shortcuts import url_for
from ...views import View
from ...web import messages
from ..accounts import accounts_of
from ..authenticating import authenticate
from ..logins import login, logout
from .base import AccountFormView
from .factors import has_authenticator, uses_code
from .forms import CodeForm, LoginForm
from .going import kept_private, next_of, resolved, wanted_next
from .proofs import confirm, count_passkeys
from .waiting import Waiting, end_waiting, lead_to, waiting_in

__all__ = ["LoginView", "LogoutView", "SecondFactorView", "enter", "pass_second_step"]

_WRONG = "The name or the password is not right."


def enter(request: Any, user: Any, *, target: str, remember: bool = False) -> Any:
    """Let *user* in, or ask for their second factor first: every way in ends here.

    `None` where they are gone meanwhile.
    """
    if login(request, user, remember_me=remember):
        return kept_private(redirect(target, 303))
    if waiting_in(request) is None:
        return None
    lead_to(request, target)
    return kept_private(redirect(url_for("auth.second_factor"), 303))


class LoginView(AccountFormView):
    """Asks for name and password, and lets in."""

    template_name: str | None = "accounts/login.html"
    form_class: type[Any] | None = LoginForm

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form; where a view of the site began a login, with the second step of it."""
        waiting = waiting_in(request)
        if waiting is not None and waiting.target is None:
            lead_to(request, self.get_success_url())
            return kept_private(redirect(url_for("auth.second_factor"), 303))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        pages = self.request.app.view_functions
        return super().get_context_data(
            can_sign_up="auth.signup" in pages,
            has_magic_link="auth.magic_link" in pages,
            providers=accounts_of(self.request.context).providers,
            reason=self._reason(),
            can_confirm=_can_confirm(self.request),
            has_passkeys=accounts_of(self.request.context).has_passkeys,
            **kwargs,
        )

    def _reason(self) -> str:
        """Say why a gate sent somebody here: by the address alone, so that no session is made for nobody."""
        if self.request.method == "POST" or wanted_next(self.request) in ("", "/"):
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
        answer = None
        if user is not None:
            answer = enter(self.request, user, target=self.get_success_url(), remember=data["remember"])
        if answer is None:
            form.add_error(None, _WRONG)
            return self.form_invalid(form)
        return answer


class SecondFactorView(AccountFormView):
    """Asks for the second factor: after the password was right, or of who is logged in, to confirm that it is them."""

    template_name: str | None = "accounts/second_factor.html"
    form_class: type[Any] | None = CodeForm

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form, where there is somebody to ask."""
        if waiting_in(request) is None and not _can_confirm(request):
            return redirect(url_for("auth.login"), 303)
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        waiting = waiting_in(self.request)
        key = self.request.user.pk if waiting is None else waiting.owner
        return super().get_context_data(
            has_passkeys=count_passkeys(self.request, key) > 0,
            has_authenticator=has_authenticator(key),
            **kwargs,
        )

    def form_valid(self, form: Any) -> Any:
        """Let in whose code is right."""
        request = self.request
        waiting = waiting_in(request)
        if waiting is None and not _can_confirm(request):
            return redirect(url_for("auth.login"), 303)
        key = str(request.user.pk) if waiting is None else waiting.owner
        limiter = self.limiter("5/5m", "auth:second factor", fail_closed=True)
        try:
            limiter.hit(key).demand()
        except TooManyRequests as error:
            return self.too_many(form, error)
        user = self.user_model.objects.filter(pk=key).first()
        may = user is not None if waiting is None else waiting.is_of(request.context, user)
        if not may or not uses_code(user, form.cleaned_data["code"]):
            form.add_error("code", "This code is not right, or was used before.")
            return self.form_invalid(form)
        limiter.reset(key)
        if waiting is None:
            confirm(request)
            return kept_private(redirect(self.get_success_url(), 303))
        return pass_second_step(request, waiting, user, otherwise=self.get_success_url())


def pass_second_step(request: Any, waiting: Waiting, user: Any, *, otherwise: str) -> Any:
    """Let *user* in, who took both steps; *otherwise* is where a login leads that leads nowhere."""
    end_waiting(request)
    login(request, user, backend=waiting.backend, remember_me=waiting.remember, asks_second_factor=False)
    return kept_private(redirect(waiting.target or otherwise, 303))


def _can_confirm(request: Any) -> bool:
    """Tell whether the user who is logged in has codes."""
    return request.user.is_authenticated and has_authenticator(request.user.pk)


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
