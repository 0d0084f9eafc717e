"""Log in by an account that somebody has elsewhere: OpenID Connect and OAuth 2.0.

Holds: providers and six presets of them, the protocol's client, what ties an account elsewhere to a
user, the pages. The extra `oauth` brings what it needs; nothing here is loaded by a site without it.
Imports: the pages of accounts, the data layer; httpx2 and joserfc when somebody logs in.
Never: believes an address that the provider did not verify, or links an account to one silently.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models import SocialAccount
    from .presets import Apple, Discord, GitHub, GitLab, Google, Microsoft
    from .providers import Identity, OAuth2Provider, Provider

__all__ = [
    "Apple",
    "Discord",
    "GitHub",
    "GitLab",
    "Google",
    "Identity",
    "Microsoft",
    "OAuth2Provider",
    "Provider",
    "SocialAccount",
]

_NAMES = {
    "models": ("SocialAccount",),
    "presets": ("Apple", "Discord", "GitHub", "GitLab", "Google", "Microsoft"),
    "providers": ("Identity", "OAuth2Provider", "Provider"),
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"segue.auth.social has no {name!r}")
