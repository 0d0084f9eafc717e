"""Asking a provider over HTTP: JSON of a bounded size, in a bounded time, from where it was asked.

Holds: one request; what a provider says of itself, and its keys, kept for an hour.
Imports: httpx2.
Never: follows a redirect, or tells a visitor what went wrong; that is logged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any

import httpx2

from .providers import Endpoints

__all__ = ["ProviderError", "ask", "discover", "keys_at"]

_MOST_BYTES = 1_000_000
_TIMEOUT_SECONDS = 10.0
_KEPT_SECONDS = 3600.0
# Whoever signs with an unknown key makes nobody ask for new ones more often than this.
_AGAIN_SECONDS = 60.0


class ProviderError(Exception):
    """A provider could not be asked, or what it said is not to be believed."""


@cache
def _client() -> httpx2.Client:
    return httpx2.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False)


def ask(
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> Any:
    """Return the object or the list of JSON at *url*; *form* is sent by POST.

    Raises:
        ProviderError: There is none.
    """
    wanted = {"accept": "application/json", **(headers or {})}
    method = "GET" if form is None else "POST"
    body = bytearray()
    try:
        with _client().stream(method, url, data=form, headers=wanted, auth=auth) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ProviderError(f"{url} answers with more than {_MOST_BYTES} bytes")
            status = response.status_code
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ProviderError(f"{url} could not be asked: {type(error).__name__}") from error
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"{url} answers {status} with no JSON") from error
    if status != 200 or found.__class__ not in (dict, list):
        code = found.get("error") if found.__class__ is dict else None
        raise ProviderError(f"{url} answers {status}: {code!r}")
    return found


class _Kept:
    """Documents of providers, by their addresses."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, tuple[float, Any]] = {}

    def get(self, url: str, *, max_age: float = _KEPT_SECONDS) -> dict[str, Any]:
        """Return the document at *url*, asked for anew where it is older than *max_age* seconds."""
        with self._lock:
            kept = self._found.get(url)
        if kept is not None and time.monotonic() - kept[0] < max_age:
            return kept[1]  # type: ignore[no-any-return]  # as it was put
        found = ask(url)
        if found.__class__ is not dict:
            raise ProviderError(f"{url} is no document")
        with self._lock:
            self._found[url] = (time.monotonic(), found)
        return found


_documents = _Kept()


def discover(issuer: str) -> Endpoints:
    """Return what an issuer says of itself (OpenID Connect Discovery 1.0 §4).

    Raises:
        ProviderError: It says nothing, or is another.
    """
    told = _documents.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    named = str(told.get("issuer", ""))
    # For several directories at once Microsoft names none of them.
    if named != issuer and "{tenantid}" not in named:
        raise ProviderError(f"{issuer} says that it is {named!r}")
    methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Endpoints(
        authorization=str(told["authorization_endpoint"]) if "authorization_endpoint" in told else "",
        token=str(told.get("token_endpoint", "")),
        userinfo=str(told.get("userinfo_endpoint", "")),
        keys=str(told.get("jwks_uri", "")),
        issuer=named,
        says_issuer=told.get("authorization_response_iss_parameter_supported") is True,
        by_post="client_secret_basic" not in methods,
    )


def keys_at(url: str, *, are_new: bool = False) -> dict[str, Any]:
    """Return the keys by which a provider signs; *are_new*, where the kept ones lack one."""
    return _documents.get(url, max_age=_AGAIN_SECONDS if are_new else _KEPT_SECONDS)
