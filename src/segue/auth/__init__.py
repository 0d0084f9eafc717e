"""Who somebody is, how they prove it, and what they may do.

Holds: users, groups, permissions; log in and out; the gates before handlers; the hashing of
passwords, the rules for them, one-time tokens, codes of second factors.
Imports: the floors below; argon2 and bcrypt when the first password is hashed.
Never: keeps or logs a password, or answers faster for a user who is not there.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .accounts import get_user_model
    from .authenticating import aauthenticate, authenticate
    from .backends import AuthenticationBackend, ModelBackend, RemoteUserBackend
    from .gates import (
        fresh_login_required,
        login_not_required,
        login_required,
        permission_required,
        user_passes_test,
    )
    from .groups import Group
    from .install import Auth
    from .logins import alogin, alogout, aupdate_session_auth_hash, login, logout, update_session_auth_hash
    from .mixins import LoginRequiredMixin, PermissionRequiredMixin, UserPassesTestMixin
    from .permissions import Permission
    from .protocol import AnonymousUser, UserProtocol
    from .user import User
    from .users import AbstractBaseUser, AbstractUser, UserManager

__all__ = [
    "AbstractBaseUser",
    "AbstractUser",
    "AnonymousUser",
    "Auth",
    "AuthenticationBackend",
    "Group",
    "LoginRequiredMixin",
    "ModelBackend",
    "Permission",
    "PermissionRequiredMixin",
    "RemoteUserBackend",
    "User",
    "UserManager",
    "UserPassesTestMixin",
    "UserProtocol",
    "aauthenticate",
    "alogin",
    "alogout",
    "aupdate_session_auth_hash",
    "authenticate",
    "fresh_login_required",
    "get_user_model",
    "login",
    "login_not_required",
    "login_required",
    "logout",
    "permission_required",
    "update_session_auth_hash",
    "user_passes_test",
]

_NAMES = {
    "accounts": ("get_user_model",),
    "authenticating": ("aauthenticate", "authenticate"),
    "backends": ("AuthenticationBackend", "ModelBackend", "RemoteUserBackend"),
    "logins": (
        "alogin",
        "alogout",
        "aupdate_session_auth_hash",
        "login",
        "logout",
        "update_session_auth_hash",
    ),
    "gates": (
        "fresh_login_required",
        "login_not_required",
        "login_required",
        "permission_required",
        "user_passes_test",
    ),
    "groups": ("Group",),
    "install": ("Auth",),
    "mixins": ("LoginRequiredMixin", "PermissionRequiredMixin", "UserPassesTestMixin"),
    "permissions": ("Permission",),
    "protocol": ("AnonymousUser", "UserProtocol"),
    # A module of its own: where a site has a user model, this one is never defined.
    "user": ("User",),
    "users": ("AbstractBaseUser", "AbstractUser", "UserManager"),
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Hashing a password, or a gate, needs no model.
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"segue.auth has no {name!r}")
