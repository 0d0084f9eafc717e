"""Who says who somebody is, and how it is asked.

Holds: `OAuth2Provider`, which tells by its own interface, and `Provider`, which signs what it tells
(OpenID Connect Core 1.0); what both return.
Imports: `wire` and `idtokens` when somebody logs in.
Never: keeps what belongs to one login.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ...errors import SetupError
from ...places import caller_place

__all__ = ["Endpoints", "Grant", "Identity", "OAuth2Provider", "Provider"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is elsewhere.

    Attributes:
        subject: The provider's key of them, which never changes.
        email: Their address there; empty where it is not told.
        is_verified: Whether the provider knows that the address is theirs.
        name: How they are called there, for a new account.
    """

    subject: str
    email: str = ""
    is_verified: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of a provider, and what it says of itself (RFC 8414).

    Attributes:
        issuer: What its tokens say who made them; empty where it makes none.
        says_issuer: Whether its answers name the issuer (RFC 9207).
        by_post: Whether the secret goes in the body instead of a header (RFC 6749 §2.3.1).
    """

    authorization: str
    token: str
    userinfo: str = ""
    keys: str = ""
    issuer: str = ""
    says_issuer: bool = False
    by_post: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a provider gave for a code.

    Attributes:
        token: The answer of its token endpoint.
        nonce: What the signed part of it must repeat.
        client_id: Whom it must be for.
    """

    token: Mapping[str, Any]
    nonce: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Provider:
    """A provider that tells by an interface of its own who somebody is.

    Args:
        name: In addresses and in the database; it stays.
        label: On the button; by default the name.
        client_id, client_secret: What the provider gave this site; by default the keys
            `<NAME>_CLIENT_ID` and `<NAME>_CLIENT_SECRET` of the configuration.
        scopes: What is asked for.
        endpoints: Its addresses; `None` where they are looked up.
        identify: From a function that reads the JSON at an address of the provider to who somebody is.
        links_by_email: Whether an address that the provider verified is enough to log in to the account
            that has it here. Leave it out, and they log in and connect it first.
        extra: Parameters of the first request besides.

    Raises:
        SetupError: A name that cannot stand in an address, or an address without TLS (`auth/bad-provider`).
    """

    name: str
    label: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scopes: Sequence[str] = ()
    endpoints: Endpoints | None = None
    identify: Callable[[Callable[[str], Any]], Identity] | None = None
    links_by_email: bool = False
    extra: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,29}", self.name):
            why = "It stands in addresses: small letters, digits, - and _."
            raise _bad(f"{self.name!r} is no name of a provider.", why)
        for address in self._addresses():
            parts = urlsplit(address)
            if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
                why = "What it tells is believed, so it is asked over TLS."
                raise _bad(f"{self.name} is asked at {address!r}.", why)

    def _addresses(self) -> list[str]:
        found = self.endpoints
        return [] if found is None else [each for each in (found.authorization, found.token, found.userinfo) if each]

    @property
    def title(self) -> str:
        """What stands on the button."""
        return self.label or self.name.title()

    @property
    def setting(self) -> str:
        """What its keys of the configuration begin with."""
        return self.name.upper().replace("-", "_")

    def secret_of(self, client_id: str, secret: str) -> str:
        """Return the secret as it is sent now."""
        return secret

    def find_endpoints(self) -> Endpoints:
        """Return its addresses."""
        if self.endpoints is None:
            raise _bad(f"{self.name} has no endpoints.", "Without an issuer there is nothing to look them up by.")
        return self.endpoints

    def identity_of(self, grant: Grant) -> Identity:
        """Ask who somebody is.

        Raises:
            ProviderError: It did not tell.
        """
        from .wire import ProviderError, ask  # with httpx2

        token = grant.token.get("access_token")
        if not isinstance(token, str) or not token or self.identify is None:
            raise ProviderError(f"{self.name} gave no access token")
        found = self.identify(lambda address: ask(address, headers={"authorization": f"Bearer {token}"}))
        if not found.subject:
            raise ProviderError(f"{self.name} did not say who it is")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(OAuth2Provider):
    """A provider of OpenID Connect: its addresses are looked up, and what it tells is signed.

    Args:
        issuer: Such as `https://accounts.example.com`; what it says of itself is below it.
        verifies_email: Whether its word that an address is verified is believed.
    """

    issuer: str
    scopes: Sequence[str] = ("openid", "email", "profile")
    verifies_email: bool = True

    def _addresses(self) -> list[str]:
        return [self.issuer]

    def find_endpoints(self) -> Endpoints:
        """Return its addresses, looked up once an hour (OpenID Connect Discovery 1.0)."""
        from .wire import discover  # with httpx2

        return discover(self.issuer)

    def issuer_in(self, claims: Mapping[str, Any], endpoints: Endpoints) -> str:
        """Return who must have made a token with these claims."""
        return endpoints.issuer

    def identity_of(self, grant: Grant) -> Identity:
        """Read who somebody is from the signed token; an address that it lacks is asked for.

        Raises:
            ProviderError: It is not signed by the provider, or not for this login.
        """
        from .idtokens import read_id_token  # with joserfc
        from .wire import ProviderError, ask

        endpoints = self.find_endpoints()
        claims = read_id_token(self, endpoints, grant)
        access = grant.token.get("access_token")
        if "email" not in claims and endpoints.userinfo and isinstance(access, str):
            told = ask(endpoints.userinfo, headers={"authorization": f"Bearer {access}"})
            if told.get("sub") != claims["sub"]:
                raise ProviderError(f"{self.name} told of somebody else than it signed for")
            claims = {**told, **claims}
        return Identity(
            subject=claims["sub"],
            email=text_of(claims.get("email")),
            is_verified=self.verifies_email and claims.get("email_verified") in (True, "true"),
            name=text_of(claims.get("name")),
        )


def text_of(value: Any) -> str:
    """Return *value* where it is a text of a length that somebody's name has, else an empty one."""
    return value if isinstance(value, str) and len(value) <= 254 and value.isprintable() else ""


def _bad(problem: str, why: str) -> SetupError:
    return SetupError(
        problem,
        code="auth/bad-provider",
        where=caller_place(),
        why=why,
        hint='Provider(name="company", issuer="https://id.example.com")',
    )
