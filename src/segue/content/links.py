"""Absolute addresses: what leaves the site (a feed, a sitemap) must name it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ..errors import UsageError
from ..http.redirects import BadRedirect, check_redirect_target
from ..http.request import Request

__all__ = ["absolute", "link_of", "site_of"]


def site_of(request: Request) -> str:
    """Return scheme and host of this site: of `SITE_URL`, else of the request."""
    site: str | None = request.app.config["SITE_URL"]
    if not site:
        return f"{request.scheme}://{request.host}"
    parts = urlsplit(site)
    return f"{parts.scheme}://{parts.netloc}"


def absolute(request: Request, location: object) -> str:
    """Return *location*, a path of this site or an address, as an address, percent-encoded.

    Raises:
        UsageError: It is neither (`content/bad-link`).
    """
    text = str(location)
    try:
        checked = check_redirect_target(text, external=True)
    except BadRedirect as error:
        raise _bad(text, error.why or "") from None
    if checked.startswith("/"):
        return site_of(request) + checked
    if "://" not in checked:
        raise _bad(text, "it is relative, and a reader elsewhere does not know to what")
    return checked


def link_of(thing: Any, *, what: str, attribute: str) -> Any:
    """Return the address that a thing says it has, by its `get_absolute_url()`.

    Raises:
        UsageError: It says none (`content/no-link`).
    """
    method = getattr(thing, "get_absolute_url", None)
    if method is None:
        raise UsageError(
            f"{what} has no address for {type(thing).__name__}.",
            code="content/no-link",
            why=f"{type(thing).__name__} has no get_absolute_url().",
            hint=f"def {attribute}(self, item): return url_for(…, pk=item.pk)",
        )
    return method()


def _bad(text: str, why: str) -> UsageError:
    return UsageError(
        f"{text[:80]!r} is no address that a feed or a sitemap can have.",
        code="content/bad-link",
        why=why,
        hint="Give a path that begins with a slash, as url_for makes it, or an address with http or https.",
    )
