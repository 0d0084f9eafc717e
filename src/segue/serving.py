"""The static files of an app and of its blueprints, and the routes that serve them.

Holds: which folders there are, sources or what was built of them, and below which address.
Imports: the web floor's static files, where there are some.
Never: serves one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .blueprint import Route
from .parts import Part, static_folders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .web.static import StaticFiles

__all__ = ["StaticParts"]


class StaticParts:
    """The static files of each part of an app.

    Args:
        base: The address below which they are; one with a host, where another site serves them.
        built_in: The folder of the build that is served instead of the sources, if there is one.
        live: Whether files may change while they are served, as in development.

    Attributes:
        files: Those of all parts together.
    """

    def __init__(self, parts: Sequence[Part], base: str, *, built_in: Path | None, live: bool) -> None:
        self._base = base
        self._live = live
        self._built: StaticFiles | None = None
        if built_in is not None:
            from .web.manifest import read_manifest  # for sites that were built

            self._built = read_manifest(built_in)
        self.files: StaticFiles | None = self._built or self._sources(parts)

    def routes(self, part: Part) -> list[Route]:
        """Return the route of the files of *part*, if it has some and no other host serves them."""
        base, files = self._base, self.files
        if files is None or not base.startswith("/"):
            return []
        if part.name is not None:
            base = f"{base.rstrip('/')}/{part.name}/"
            files = self._built.below(f"{part.name}/") if self._built is not None else self._sources([part])
            if files is None:
                return []
        from .web.static import static_view

        path = base.rstrip("/") + "/<path:filename>"
        options = {"login": False}  # the page of the login has a style sheet
        return [Route(path, "static", static_view(files), frozenset({"GET"}), options, part.place, is_absolute=True)]

    def _sources(self, parts: Sequence[Part]) -> StaticFiles | None:
        found = [folder for _, folder in static_folders(parts)]
        if not found:
            return None
        from .web.static import StaticFiles  # for sites that have some

        return StaticFiles(found, live=self._live)
