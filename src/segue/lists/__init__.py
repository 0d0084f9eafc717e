"""Lists of rows, cut into pages.

Holds: `Paginator`, `Page`, and the errors of a page that does not exist.
Imports: errors and colours; querysets are known by their methods, so lists do as well.
Never: knows a template, a view or a request.
"""

from __future__ import annotations

from .paginator import (
    EmptyPage,
    InvalidPage,
    Page,
    PageNotAnInteger,
    Paginator,
    UnorderedObjectListWarning,
)

__all__ = ["EmptyPage", "InvalidPage", "Page", "PageNotAnInteger", "Paginator", "UnorderedObjectListWarning"]
