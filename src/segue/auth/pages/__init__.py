"""The pages of accounts: log in and out, sign up, forgotten passwords, second factors, devices.

Holds: their views and forms, one template each in `accounts/`, the blueprint that routes them.
Imports: users and log in beside it, views, forms, mail.
Never: tells a stranger whether there is an account for a name or an address.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .entry import LoginView, LogoutView
    from .forms import LoginForm, PasswordChangeForm, PasswordResetForm, SetPasswordForm, SignupForm
    from .passwords import PasswordChangeView, PasswordResetConfirmView, PasswordResetView
    from .routes import pages
    from .signup import SignupView, VerifyView

__all__ = [
    "LoginForm",
    "LoginView",
    "LogoutView",
    "PasswordChangeForm",
    "PasswordChangeView",
    "PasswordResetConfirmView",
    "PasswordResetForm",
    "PasswordResetView",
    "SetPasswordForm",
    "SignupForm",
    "SignupView",
    "VerifyView",
    "pages",
]

_NAMES = {
    "entry": ("LoginView", "LogoutView"),
    "forms": ("LoginForm", "PasswordChangeForm", "PasswordResetForm", "SetPasswordForm", "SignupForm"),
    "passwords": ("PasswordChangeView", "PasswordResetConfirmView", "PasswordResetView"),
    "routes": ("pages",),
    "signup": ("SignupView", "VerifyView"),
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"segue.auth.pages has no {name!r}")
