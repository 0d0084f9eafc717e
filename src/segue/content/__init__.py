"""Parts that many sites of content have: each a small battery, or a class to derive from.

Holds: `Sitemap`, `Sitemaps`, `Feed`, `Redirects`, `FlatPages`, `Robots`, `SecurityTxt`, and the two models.
Imports: floor 0, http, db, and what a battery is given.
Never: shows a row that a policy hides, or is loaded by a site that uses none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .feeds import Enclosure, Feed
    from .flatpages import FlatPages
    from .models import FlatPage, Redirect
    from .redirects import Redirects
    from .sitemaps import Sitemap, Sitemaps
    from .wellknown import Robots, SecurityTxt

# Sitemaps and feeds of lists need no database, so each name is loaded alone.
_WHERE = {
    "Enclosure": "feeds",
    "Feed": "feeds",
    "FlatPage": "models",
    "FlatPages": "flatpages",
    "Redirect": "models",
    "Redirects": "redirects",
    "Robots": "wellknown",
    "SecurityTxt": "wellknown",
    "Sitemap": "sitemaps",
    "Sitemaps": "sitemaps",
}

__all__ = [
    "Enclosure",
    "Feed",
    "FlatPage",
    "FlatPages",
    "Redirect",
    "Redirects",
    "Robots",
    "SecurityTxt",
    "Sitemap",
    "Sitemaps",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"segue.content has no {name!r}")
