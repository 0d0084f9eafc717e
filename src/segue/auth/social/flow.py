"""One login elsewhere: from the button to the provider, and back (RFC 6749 §4.1, RFC 7636, RFC 9700).

Holds: what the session keeps meanwhile, the address to go to, and the check of what comes back.
Imports: `wire`.
Never: takes an answer that this session did not ask for, or takes one twice.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any, NamedTuple
from urllib.parse import urlencode

from ... import clock
from ..pages.mails import link_to
from .providers import Grant, Identity, OAuth2Provider
from .wire import ProviderError, ask

__all__ = ["Asked", "NotAsked", "begin", "finish"]

_KEY = "_social"
_MOST_SECONDS = 600
_MOST_AT_ONCE = 5


class NotAsked(Exception):
    """What came back answers nothing that this session asked; the text is for the log."""


class Asked(NamedTuple):
    """What was asked of a provider.

    Attributes:
        target: Where the login leads.
        owner: Who connects an account to their own; empty for a login.
        until: The moment (seconds since 1970) after which an answer is too late.
    """

    provider: str
    nonce: str
    verifier: str
    target: str
    owner: str
    until: int


def begin(request: Any, provider: OAuth2Provider, *, target: str, owner: str = "") -> str:
    """Return the address of the provider's page, and keep what its answer must fit.

    Raises:
        ProviderError: It could not be asked for it.
    """
    endpoints = provider.find_endpoints()
    if not endpoints.authorization or not endpoints.token:
        raise ProviderError(f"{provider.name} does not say where it is asked")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    now = int(clock.now())
    asked: dict[str, Any] = request.session.get(_KEY, {})
    waiting = {key: each for key, each in asked.items() if Asked(*each).until > now}
    # Several tabs may wait at once; the oldest gives way.
    kept = dict(list(waiting.items())[-(_MOST_AT_ONCE - 1) :])
    kept[state] = list(Asked(provider.name, nonce, verifier, target, owner, now + _MOST_SECONDS))
    request.session[_KEY] = kept
    values = {
        "response_type": "code",
        "client_id": _client_id(request, provider),
        "redirect_uri": address_of(request, provider),
        "scope": " ".join(provider.scopes),
        "state": state,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
        **({"nonce": nonce} if endpoints.issuer else {}),
        **provider.extra,
    }
    return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(values)}"


def _challenge(verifier: str) -> str:
    """Return what shows later that the code is used by whoever asked for it (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def finish(request: Any, provider: OAuth2Provider) -> tuple[Asked, Identity]:
    """Return who came back, and what for.

    Raises:
        NotAsked: The answer is none to what was asked, or nobody logged in there.
        ProviderError: What the provider says does not hold.
    """
    query = request.query
    asked = _taken(request, query.get("state") or "")
    if asked is None or asked.provider != provider.name:
        raise NotAsked(f"an answer of {provider.name} that nobody waits for")
    endpoints = provider.find_endpoints()
    named = query.get("iss")
    if (named is None and endpoints.says_issuer) or (named is not None and endpoints.issuer not in ("", named)):
        raise NotAsked(f"an answer of {named!r} instead of {provider.name}")
    if query.get("error"):
        raise NotAsked(f"{provider.name} says {query.get('error')!r}")
    code = query.get("code") or ""
    if not 0 < len(code) <= 4096:
        raise NotAsked(f"{provider.name} gave no code")
    client_id = _client_id(request, provider)
    secret = provider.secret_of(client_id, provider.client_secret or _configured(request, provider, "SECRET"))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": address_of(request, provider),
        "code_verifier": asked.verifier,
    }
    auth = None
    if endpoints.by_post or not secret:
        form |= {"client_id": client_id, **({"client_secret": secret} if secret else {})}
    else:
        auth = (client_id, secret)
    token = ask(endpoints.token, form=form, auth=auth)
    return asked, provider.identity_of(Grant(token, asked.nonce, client_id))


def _taken(request: Any, state: str) -> Asked | None:
    """Return what was asked with *state*, which is used up by that."""
    waiting: dict[str, Any] = dict(request.session.get(_KEY, {}))
    kept = waiting.pop(state, None)
    if kept is None:
        return None
    if waiting:
        request.session[_KEY] = waiting
    else:
        del request.session[_KEY]
    asked = Asked(*kept)
    return asked if clock.now() < asked.until else None


def _client_id(request: Any, provider: OAuth2Provider) -> str:
    """Return what the provider calls this site."""
    return provider.client_id or _configured(request, provider, "ID")


def _configured(request: Any, provider: OAuth2Provider, what: str) -> str:
    return str(request.app.config[f"{provider.setting}_CLIENT_{what}"])


def address_of(request: Any, provider: OAuth2Provider) -> str:
    """Return where the provider sends people back to, which it was told beforehand."""
    return link_to(request, "auth.social_back", provider=provider.name)
