"""Six providers that sites ask for most, as each documents itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .providers import Endpoints, Identity, OAuth2Provider, Provider, text_of

__all__ = ["Apple", "Discord", "GitHub", "GitLab", "Google", "Microsoft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Google(Provider):
    """Accounts of Google."""

    name: str = "google"
    issuer: str = "https://accounts.google.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab(Provider):
    """Accounts of gitlab.com, or of a GitLab of one's own: `GitLab(issuer="https://git.example.com")`."""

    name: str = "gitlab"
    label: str = "GitLab"
    issuer: str = "https://gitlab.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Microsoft(Provider):
    """Accounts of Microsoft Entra.

    An address is the word of whoever runs the directory it is from, so it is never taken for verified
    unless *verifies_email* says that one directory alone may log in, and is trusted.

    Args:
        tenant: The directory: its id or domain, `organizations`, `consumers`, or `common` for all.
    """

    name: str = "microsoft"
    tenant: str = "common"
    issuer: str = ""
    verifies_email: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "issuer", self.issuer or f"https://login.microsoftonline.com/{self.tenant}/v2.0")
        super(Microsoft, self).__post_init__()

    def issuer_in(self, claims: Mapping[str, Any], endpoints: Endpoints) -> str:
        """Return the issuer of the directory that somebody is of: its documents name none for several."""
        return endpoints.issuer.replace("{tenantid}", text_of(claims.get("tid")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Apple(Provider):
    """Accounts of Apple.

    Args:
        team_id, key_id, private_key: Of the key that Apple gave for logins; with it a secret is signed
            for each one.
    """

    name: str = "apple"
    issuer: str = "https://appleid.apple.com"
    scopes: Sequence[str] = ("openid", "email", "name")
    # Apple sends the address in a form alone.
    extra: Mapping[str, str] = field(default_factory=lambda: {"response_mode": "form_post"})
    team_id: str = ""
    key_id: str = ""
    private_key: str = field(default="", repr=False)

    def secret_of(self, client_id: str, secret: str) -> str:
        """Return a secret that is good for five minutes."""
        if not self.private_key:
            return secret
        from joserfc import jwk, jwt  # with the extra

        now = int(time.time())
        claims = {
            "iss": self.team_id,
            "iat": now,
            "exp": now + 300,
            "aud": "https://appleid.apple.com",
            "sub": client_id,
        }
        return jwt.encode({"alg": "ES256", "kid": self.key_id}, claims, jwk.ECKey.import_key(self.private_key))


_OF_GITHUB = Endpoints(
    authorization="https://github.com/login/oauth/authorize",
    token="https://github.com/login/oauth/access_token",
    by_post=True,
)
_OF_DISCORD = Endpoints(
    authorization="https://discord.com/oauth2/authorize", token="https://discord.com/api/oauth2/token"
)


def _github(read: Callable[[str], Any]) -> Identity:
    who, addresses = read("https://api.github.com/user"), read("https://api.github.com/user/emails")
    first = next((each for each in addresses if each.get("primary")), None) or {"email": "", "verified": False}
    return Identity(
        subject=str(who.get("id") or ""),
        email=text_of(first.get("email")),
        is_verified=first.get("verified") is True,
        name=text_of(who.get("name")) or text_of(who.get("login")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub(OAuth2Provider):
    """Accounts of GitHub."""

    name: str = "github"
    label: str = "GitHub"
    scopes: Sequence[str] = ("read:user", "user:email")
    endpoints: Endpoints | None = _OF_GITHUB
    identify: Callable[[Callable[[str], Any]], Identity] | None = _github


def _discord(read: Callable[[str], Any]) -> Identity:
    who = read("https://discord.com/api/users/@me")
    return Identity(
        subject=text_of(who.get("id")),
        email=text_of(who.get("email")),
        is_verified=who.get("verified") is True,
        name=text_of(who.get("global_name")) or text_of(who.get("username")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Discord(OAuth2Provider):
    """Accounts of Discord."""

    name: str = "discord"
    scopes: Sequence[str] = ("identify", "email")
    endpoints: Endpoints | None = _OF_DISCORD
    identify: Callable[[Callable[[str], Any]], Identity] | None = _discord
