"""The blueprint of the pages, with their addresses."""

from __future__ import annotations

from typing import Any

from ...blueprint import Blueprint
from ...handling.markers import mark
from ...web.csrf import csrf_exempt, csrf_protect
from ..gates import fresh_login_required, login_not_required, login_required
from .account import AccountView, RecoveryCodesView, SecondFactorOffView, SecondFactorOnView, SessionsView
from .entry import LoginView, LogoutView, SecondFactorView
from .passwords import PasswordChangeView, PasswordResetConfirmView, PasswordResetDoneView, PasswordResetView
from .signup import SignupDoneView, SignupView, VerifyAgainView, VerifyView

__all__ = ["pages"]


def pages(*, signup: bool = True, magic_link: bool = False, social: bool = False, passkeys: bool = False) -> Blueprint:
    """Make the blueprint of the pages.

    Args:
        signup: Whether strangers may make accounts.
        passkeys: Whether users may log in with passkeys.
        magic_link: Whether a link in a mail logs in.
        social: Whether an account elsewhere logs in.
    """
    blueprint = Blueprint("auth", "segue.auth", static_folder="static", models="segue.auth.pages.models")

    def route(path: str, name: str, view: Any, gate: Any) -> None:
        # A class of its own for each app: marks are the class's.
        cls = gate(csrf_protect(mark(type(view.__name__, (view,), {"__module__": view.__module__}))))
        blueprint.add_url_rule(path, endpoint=name, view_func=cls)

    for path, name, view, gate in (
        ("/login", "login", LoginView, login_not_required),
        ("/login/code", "second_factor", SecondFactorView, login_not_required),
        ("/logout", "logout", LogoutView, login_not_required),
        ("/password/reset", "password_reset", PasswordResetView, login_not_required),
        ("/password/reset/sent", "password_reset_done", PasswordResetDoneView, login_not_required),
        ("/password/reset/<token>", "password_reset_confirm", PasswordResetConfirmView, login_not_required),
        ("/password/change", "password_change", PasswordChangeView, login_required),
        ("/", "account", AccountView, login_required),
        ("/sessions", "sessions", SessionsView, login_required),
        ("/second-factor/on", "second_factor_on", SecondFactorOnView, fresh_login_required),
        ("/second-factor/off", "second_factor_off", SecondFactorOffView, fresh_login_required),
        ("/second-factor/codes", "recovery_codes", RecoveryCodesView, fresh_login_required),
    ):
        route(path, name, view, gate)
    if signup:
        route("/signup", "signup", SignupView, login_not_required)
        route("/signup/sent", "signup_done", SignupDoneView, login_not_required)
        route("/verify", "verify_again", VerifyAgainView, login_not_required)
        route("/verify/<token>", "verify", VerifyView, login_not_required)
    if passkeys:
        from . import passkey_views as views  # with fido2, which other sites need not have

        route("/login/passkey", "passkey", views.PasskeyView, login_not_required)
        route("/login/passkey/options", "passkey_options", views.PasskeyOptionsView, login_not_required)
        route("/passkeys", "passkeys", views.PasskeysView, login_required)
        route("/passkeys/new", "passkey_new", views.PasskeyNewView, fresh_login_required)
        route("/passkeys/new/options", "passkey_new_options", views.PasskeyNewOptionsView, fresh_login_required)
        route("/passkeys/<int:pk>/remove", "passkey_remove", views.PasskeyRemoveView, fresh_login_required)
    if magic_link:
        from .magic import MagicLinkDoneView, MagicLinkEnterView, MagicLinkView  # for sites that have it

        route("/login/link", "magic_link", MagicLinkView, login_not_required)
        route("/login/link/sent", "magic_link_done", MagicLinkDoneView, login_not_required)
        route("/login/link/<token>", "magic_link_enter", MagicLinkEnterView, login_not_required)
    if social:
        from ..social.pages import ConnectionsView, ConnectView, SocialBackView, SocialLoginView  # with the extra

        route("/login/with/<provider>", "social_login", SocialLoginView, login_not_required)
        # Apple sends people back by a form of its own site, which is answered with a redirect alone.
        route("/login/with/<provider>/back", "social_back", SocialBackView, _from_elsewhere)
        route("/connections", "connections", ConnectionsView, login_required)
        route("/connections/<provider>", "connect", ConnectView, fresh_login_required)
    return blueprint


def _from_elsewhere(view: Any) -> Any:
    return csrf_exempt(login_not_required(view))
