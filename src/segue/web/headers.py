"""The headers that every response carries, made once at start-up.

Two sets: for pages, and for everything else (JSON, media, errors as problems). The
values are those of the security policy (docs/reference/headers.md); each can be
replaced by a response, or for the app by its configuration key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import SetupError

__all__ = ["constant_headers"]

_PAGE_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

_COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "x-permitted-cross-domain-policies": "none",
}


def constant_headers(config: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the constant headers for pages, and those for every other response.

    Raises:
        SetupError: `CSP` holds a value that would end its own header.
    """
    site = config["SITE_URL"] or ""
    is_https = site.startswith("https://") and urlsplit(site).hostname != "localhost"
    own: Mapping[str, str | None] = config["CSP"] or {}
    policy = {**_PAGE_POLICY, **own}
    for name, value in policy.items():
        if value is not None and any(mark in f"{name}{value}" for mark in ";,\r\n"):
            raise SetupError(
                f"The content security policy for {name!r} holds a separator.",
                code="security/bad-csp",
                where="the configuration key CSP",
                why="`;` and `,` would begin another directive or another policy.",
                hint='Give each directive a key of its own: CSP = {"img-src": "\'self\' https://img.example.com"}',
            )
    text = "; ".join(f"{name} {value}".strip() for name, value in policy.items() if value is not None)
    common = dict(_COMMON)
    if is_https:
        text += "; upgrade-insecure-requests"
        common["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return {"content-security-policy": text, **common}, {"content-security-policy": _DATA_POLICY, **common}
