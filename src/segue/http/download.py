"""Sending files: conditional, in parts, and by the server itself where it can.

Holds `FileResponse`, which looks at the request only when it is sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ..errors import NotFound, RangeNotSatisfiable
from .conditional import evaluate, format_http_date, if_range_holds
from .disposition import content_disposition
from .files import guess_type, safe_join
from .ranges import Range, content_range, multipart_pieces, parse_range
from .response import Response, StreamResponse

__all__ = ["FileResponse", "send_file", "send_from_directory"]

_CHUNK = 65_536


class FileResponse(Response):
    """A file, or a part of one, that the server reads.

    Attributes:
        path: The file.
        start, end: The bytes that are sent, end excluded.
        length: How many they are.
    """

    __slots__ = ("end", "etag", "modified", "path", "size", "start")

    needs_request = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        status: int = 200,
        headers: Mapping[str, object] | None = None,
        *,
        content_type: str | None = None,
        etag: str | None = None,
        stat: os.stat_result | None = None,
    ) -> None:
        self.path: Path = Path(path)
        if stat is None:
            try:
                stat = self.path.stat()
            except (OSError, ValueError):
                raise NotFound() from None
        if not S_ISREG(stat.st_mode):
            raise NotFound()
        super().__init__(b"", status, headers or {}, content_type=content_type or guess_type(self.path.name))
        self.size: int = stat.st_size
        self.start: int = 0
        self.end: int = stat.st_size
        self.modified: datetime = datetime.fromtimestamp(int(stat.st_mtime), UTC)
        # The time to the nanosecond, so that two writes in one second differ.
        self.etag: str = etag or f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        self.headers.setdefault("etag", self.etag)
        self.headers.setdefault("last-modified", format_http_date(self.modified))
        self.headers.setdefault("accept-ranges", "bytes")
        self.headers.setdefault("cache-control", "no-cache")

    @property
    def length(self) -> int:
        """How many bytes are sent."""
        return self.end - self.start

    @property
    def is_whole(self) -> bool:
        """Whether the whole file is sent."""
        return self.start == 0 and self.end == self.size

    @property
    def body(self) -> bytes:
        """The bytes that are sent, read now."""
        return b"".join(self.chunks())

    @body.setter
    def body(self, value: str | bytes) -> None:
        raise AttributeError("The body of a file response is its file; return another response.")

    def chunks(self) -> Iterator[bytes]:
        """Read the bytes that are sent, piece by piece."""
        return _read(self.path, self.start, self.end)

    def prepare(self, request: Any) -> Response:
        """Return what this request is sent: all of it, a part, several parts, or 304."""
        if self.status != 200:
            return self
        verdict = evaluate(request.method, request.headers.get, etag=self.etag, last_modified=self.modified)
        if verdict is not None:
            return self._without_body(verdict)
        asked = request.headers.get("range")
        if asked is None or request.method != "GET":
            return self
        if not if_range_holds(request.headers.get("if-range"), etag=self.etag, last_modified=self.modified):
            return self
        try:
            ranges = parse_range(asked, self.size)
        except RangeNotSatisfiable:
            return Response(b"", 416, {"content-range": f"bytes */{self.size}"})
        if ranges is None:
            return self
        if len(ranges) == 1:
            self.status = 206
            self.start, self.end = ranges[0].start, ranges[0].end
            self.headers["content-range"] = content_range(ranges[0], self.size)
            return self
        return self._in_parts(ranges)

    def _without_body(self, status: int) -> Response:
        kept = [pair for pair in self.headers.items() if pair[0] in _KEPT_ON_304]
        return Response(b"", status, kept)

    def _in_parts(self, ranges: list[Range]) -> Response:
        boundary, pieces, length = multipart_pieces(ranges, self.size, self.content_type)
        path = self.path

        def chunks() -> Iterator[bytes]:
            for piece in pieces:
                if isinstance(piece, Range):
                    yield from _read(path, piece.start, piece.end)
                else:
                    yield piece

        response = StreamResponse(chunks(), 206, content_type=f"multipart/byteranges; boundary={boundary}")
        for name, value in self.headers.items():
            if name != "content-type":
                response.headers.add(name, value)
        response.headers["content-length"] = str(length)
        return response


_KEPT_ON_304 = frozenset({"etag", "last-modified", "cache-control", "vary", "content-location", "expires"})


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0:
            chunk = file.read(min(_CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def send_file(
    path: str | os.PathLike[str],
    *,
    content_type: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    max_age_seconds: int | None = None,
    etag: str | None = None,
) -> FileResponse:
    """Return a response that sends the file at *path*.

    Never pass a path that a visitor chose: use `send_from_directory`.

    Args:
        content_type: Guessed from the name where `None`.
        as_attachment: Whether the browser should save it.
        download_name: The name it is saved under; the file's own where `None`.
        max_age_seconds: How long caches may keep it; `None` makes them ask each time.

    Raises:
        NotFound: There is no such file.
    """
    response = FileResponse(path, content_type=content_type, etag=etag)
    if as_attachment or download_name is not None:
        kind = "attachment" if as_attachment else "inline"
        response.headers["content-disposition"] = content_disposition(kind, download_name or response.path.name)
    if max_age_seconds is not None:
        response.headers["cache-control"] = f"public, max-age={max_age_seconds}"
    return response


def send_from_directory(directory: str | os.PathLike[str], name: str, **options: Any) -> FileResponse:
    """Return a response that sends the file *name* from below *directory*.

    Args:
        name: May come from a visitor. Whatever would leave the directory, names a
            hidden file or a device, or follows a link out of it, is not found.
        options: As for `send_file`.

    Raises:
        NotFound: There is no such file in there.
    """
    found = safe_join(Path(directory), name)
    if found is None:
        raise NotFound()
    return send_file(found, **options)
