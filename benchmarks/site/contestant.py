"""What a contestant hands over once its database is filled and its visitor is logged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Contestant"]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to serve the page.

    Attributes:
        interface: `wsgi` or `asgi`.
        cookie: The header with which its visitor comes.
        path: Of the page.
    """

    name: str
    interface: str
    app: Any
    cookie: str
    path: str = "/records"
