"""Static files: hashed names, compressed variants, conditional and partial answers.

A folder is looked at once, at start-up (in development anew for each request): every
file gets a name with its content's hash, under which caches may keep it for ever. Of a
folder that `segue static build` wrote, only what its manifest names is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ..errors import NotFound
from ..http.download import FileResponse
from ..http.files import guess_type, safe_join
from ..http.negotiation import best_encoding
from ..http.request import Request

__all__ = ["IMMUTABLE", "StaticFile", "StaticFiles", "static_names"]

IMMUTABLE = "public, max-age=31536000, immutable"
_HASHED = re.compile(r"(.+)\.([0-9a-f]{12})(\.[^./]+)?\Z").match
_VARIANTS = (("br", ".br"), ("zstd", ".zst"), ("gzip", ".gz"))


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file: where it is, and the hash of what is in it.

    Attributes:
        encodings: The codings it was built in, too; `None` where that has to be looked for.
    """

    name: str
    path: Path
    digest: str
    encodings: tuple[str, ...] | None = None

    @property
    def hashed_name(self) -> str:
        """The name with the hash before its suffix."""
        stem, dot, suffix = self.name.rpartition(".")
        if not dot or "/" in suffix:
            return f"{self.name}.{self.digest}"
        return f"{stem}.{self.digest}.{suffix}"


class StaticFiles:
    """The static files of some folders; of two with one name, the first folder's.

    Args:
        folders: Where to look.
        live: Whether files may change while this runs (development).
        may_appear: Whether folders that are not there yet are looked in, too.
        built: All their files, where that is known.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        live: bool,
        may_appear: bool = False,
        built: Iterable[StaticFile] | None = None,
    ) -> None:
        self.folders: list[Path] = [folder.resolve() for folder in folders if may_appear or folder.is_dir()]
        self.live = live
        self._files: dict[str, StaticFile] = {}
        # While live: what was hashed, as long as its time and size stay; only files that exist enter.
        self._seen: dict[Path, tuple[int, int, StaticFile]] = {}
        if built is not None:
            self._files = {file.name: file for file in built}
        elif not live:
            for folder in self.folders:
                for name in static_names(folder):
                    if name not in self._files:
                        self._files[name] = _read(folder, name)

    def __repr__(self) -> str:
        return f"<StaticFiles {', '.join(map(str, self.folders))}>"

    def below(self, prefix: str) -> StaticFiles | None:
        """Return the files whose names begin with *prefix*, without it; `None` where there are none."""
        length = len(prefix)
        found = [replace(file, name=name[length:]) for name, file in self._files.items() if name.startswith(prefix)]
        return StaticFiles(self.folders, live=False, built=found) if found else None

    def find(self, name: str) -> StaticFile | None:
        """Return the file of that name, or `None`."""
        if not self.live:
            return self._files.get(name)
        for folder in self.folders:
            path = safe_join(folder, name)
            if path is None or not path.is_file():
                continue
            stat = path.stat()
            known = self._seen.get(path)
            if known is None or known[:2] != (stat.st_mtime_ns, stat.st_size):
                known = self._seen[path] = (stat.st_mtime_ns, stat.st_size, _read(folder, name))
            return known[2]
        return None

    def hashed(self, name: str) -> str:
        """Return the name to link to: with the hash, where there is such a file."""
        found = self.find(name)
        return found.hashed_name if found is not None else name

    def serve(self, request: Request, name: str) -> FileResponse:
        """Return the response for *name*, hashed or plain.

        Raises:
            NotFound: There is no such file, or its hash is another.
        """
        found, is_hashed = self.find(name), False
        if found is None:
            match = _HASHED(name)
            if match is not None:
                found = self.find(match[1] + (match[3] or ""))
                is_hashed = found is not None and found.digest == match[2]
                if not is_hashed:
                    found = None
        if found is None:
            raise NotFound()
        path, encoding = self._variant(found, request)
        response = FileResponse(path, content_type=guess_type(found.name), etag=_etag(found.digest, encoding))
        response.headers["cache-control"] = IMMUTABLE if is_hashed else "public, no-cache"
        response.headers.vary("Accept-Encoding")
        if encoding is not None:
            response.headers["content-encoding"] = encoding
        return response

    def _variant(self, found: StaticFile, request: Request) -> tuple[Path, str | None]:
        accepted = request.headers.get("accept-encoding")
        if accepted is None or "range" in request.headers:
            return found.path, None
        variants = dict(self._variants(found))
        encoding = best_encoding(accepted, list(variants)) if variants else None
        if encoding is None or encoding not in variants:
            return found.path, None
        return variants[encoding], encoding

    def _variants(self, found: StaticFile) -> Iterator[tuple[str, Path]]:
        path = found.path
        for encoding, suffix in _VARIANTS:
            variant = path.with_name(path.name + suffix)
            if found.encodings is not None:
                if encoding in found.encodings:
                    yield encoding, variant
                continue
            try:
                stat = variant.lstat()  # a link is not followed: it could leave the folder
                if S_ISREG(stat.st_mode) and stat.st_mtime >= path.stat().st_mtime:
                    yield encoding, variant
            except OSError:
                continue


def _etag(digest: str, encoding: str | None) -> str:
    return f'"{digest}-{encoding}"' if encoding else f'"{digest}"'


def static_names(folder: Path) -> Iterator[str]:
    """Yield the names of all files in *folder* that may be served, sorted."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and safe_join(folder, name) is not None:
            yield name


def _read(folder: Path, name: str) -> StaticFile:
    import hashlib

    path = folder / name
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return StaticFile(name, path, digest)


def static_view(files: StaticFiles) -> Any:
    """Return the handler that serves *files*."""

    def static(request: Request, filename: str) -> FileResponse:
        return files.serve(request, filename)

    return static
