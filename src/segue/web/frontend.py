"""A front end that routes in the browser: the built files, and its page for every deep link.

It is asked last, for what no route answers, so that it never hides a route; and only
what a browser navigates to gets the page: a script that is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import NotFound, SetupError
from ..http.download import FileResponse
from ..http.files import guess_type
from ..http.request import Request
from .static import IMMUTABLE, StaticFiles

__all__ = ["Frontend"]

_PAGES = frozenset({"document", "iframe", "frame"})


class Frontend:
    """The files of one built front end.

    Args:
        folder: What the bundler wrote.
        prefix: Below which path it lives.
        immutable: Patterns of names that hold a hash, such as `assets/*`.
        live: Whether files may change while this runs (development).
        place: Where it was registered.

    Raises:
        SetupError: It has no index page, and is not *live* (`web/no-frontend`).
    """

    def __init__(self, folder: Path, *, prefix: str, immutable: Sequence[str], live: bool, place: str) -> None:
        self.files: StaticFiles = StaticFiles([folder], live=live, may_appear=True)
        self.prefix: str = "/" + prefix.strip("/")
        self.immutable: tuple[str, ...] = tuple(immutable)
        if not live and self.files.find("index.html") is None:
            raise SetupError(
                f"The front end {folder} has no index.html.",
                code="web/no-frontend",
                where=place,
                why="app.frontend() serves what a bundler wrote there, and its index.html for every deep link.",
                hint="Build it first (npm run build), or correct the folder; a relative one is beside the app.",
            )

    def __repr__(self) -> str:
        return f"<Frontend {self.files.folders[0]}>"

    def answer(self, error: Exception, request: Request) -> FileResponse | None:
        """Return the file or the page for *request*, or `None` where it is not found here either."""
        if request.route is not None:
            return None  # a handler says that what it was asked for is not there
        name = self._name_of(request.path)
        if name is None:
            return None
        try:
            return self._file(request, name or "index.html")
        except NotFound:
            return self._page(request) if _is_navigation(request, name) else None

    def _name_of(self, path: str) -> str | None:
        if path == self.prefix:
            return ""
        base = self.prefix.rstrip("/") + "/"
        return path[len(base) :] if path.startswith(base) else None

    def _file(self, request: Request, name: str) -> FileResponse:
        response = self.files.serve(request, name)
        if any(fnmatchcase(name, pattern) for pattern in self.immutable):
            response.headers["cache-control"] = IMMUTABLE
        return response

    def _page(self, request: Request) -> FileResponse | None:
        if self.files.find("index.html") is None:
            return None  # not built yet
        response = self.files.serve(request, "index.html")
        response.headers.vary("Accept")
        response.headers.vary("Sec-Fetch-Dest")
        return response


def _is_navigation(request: Request, name: str) -> bool:
    """Whether a browser goes to that address, rather than a page loading something from it."""
    last = name.rpartition("/")[2]
    if "." in last and guess_type(last) != "application/octet-stream":
        return False
    purpose = request.headers.get("sec-fetch-dest")
    if purpose is not None:
        return purpose in _PAGES
    return request.accepts("text/html") is not None
